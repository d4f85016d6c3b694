"""Who tells a planner what is thought of health: a prober of its own, or the votes of several vantage points."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from standfast.config import Config
from standfast.model.fleet import Verdict

from .enacting import Store
from .probing import FailedCheck, Outlook, Prober, Target, Trouble
from .tidings import Tidings
from .votes import Panel


class Checks(Protocol):
    """What both have in common; see `Prober` and `Panel`."""

    def start(self) -> None: ...
    def close(self) -> None: ...
    def look(self, now: float) -> bool: ...
    def watch(
        self,
        targets: Sequence[Target],
        *,
        seeds: Mapping[str, Verdict] | None = None,
        known: Collection[str] = (),
        first: bool = False,
        flaps: Mapping[str, int] | None = None,
    ) -> None: ...
    def verdicts(self) -> dict[str, Verdict]: ...
    def outlooks(self) -> dict[str, Outlook]: ...
    def facts(self) -> dict[str, str]: ...
    def news(self) -> list[FailedCheck | Trouble]: ...
    def pulses(self) -> dict[str, list[Any]]: ...
    @property
    def all_heard(self) -> bool: ...
    @property
    def condition(self) -> str: ...
    @property
    def overload(self) -> str: ...


def beat_s(config: Config) -> float:
    """How often whoever speaks of health repeats itself: each interval, and not more than once a second."""
    return max(1.0, config.health.interval_s if config.health else 5.0)


def checks_of(config: Config, store: Store, wake: Callable[[], None]) -> Checks:
    """As the configuration wants it."""
    if config.vantage and config.health is not None:
        return Panel(store, config.vantage, beat_s(config), config.digest)
    return Prober(config.health, wake)


def tell_news(checks: Checks, tidings: Tidings) -> None:
    """Failed checks, checks that say nothing, and what keeps all of them from saying anything."""
    for news in checks.news():
        if isinstance(news, FailedCheck):
            facts = {"load_balancer": news.load_balancer, "count": news.count, "of": news.of}
            tidings.event("probe", **facts, reason=f"{news.count} of {news.of}  {news.reason}")
        else:
            tidings.event("notice", kind="probe", why=f"{news.load_balancer}: {news.why}")
    tidings.state("checks", checks.condition)
    tidings.told("overload", checks.overload)
    for name, why in checks.facts().items():
        tidings.told(f"vantage {name}", f"vantage point {name}: {why}" if why else "")


def tell_verdicts(was: Mapping[str, Verdict], now: Mapping[str, Verdict], tidings: Tidings) -> None:
    """Every state that changed."""
    for name, verdict in sorted(now.items()):
        before = was[name].state if name in was else "unknown"
        if verdict.state != before:
            tidings.event("verdict", load_balancer=name, state=verdict.state, was=before, reason=verdict.reason)


def facts_of(checks: Checks) -> dict[str, Any]:
    """For a sign of life: what the verdict and the page read."""
    return {"overload": checks.overload, "vantages": checks.facts()}
