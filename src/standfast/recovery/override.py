"""Operators' overrides laid over fleet and verdicts, before planning: what they say counts as if it were seen. Pure.

Rule 1.  What has expired does not count.
Rule 2.  What is said of a load balancer itself wins. Between its pool and its AZ, of which neither contains the other,
         whatever takes it out wins: down, then drain, then up.
Rule 3.  `up` is up in the configuration and healthy. `down` and `drain` are as in the configuration: every limit on
         removals holds. Consent lifts velocity alone.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.override import Override

_STRICTEST: Final = ("down", "drain", "up")


def overlaid(
    fleet: Fleet, verdicts: Mapping[str, Verdict], overrides: Iterable[Override], now: float
) -> tuple[Fleet, dict[str, Verdict]]:
    """Fleet and verdicts as operators want them. `now` is the planner's wall clock in seconds."""
    ruled = ruling(fleet, overrides, now)
    if not ruled:
        return fleet, dict(verdicts)
    balancers = tuple(_ruled(one, ruled.get(one.id)) for one in fleet.load_balancers)
    judged = dict(verdicts)
    for name, override in ruled.items():
        if override.state == "up":
            judged[name] = Verdict("up", override.why)
    return Fleet(balancers, fleet.sources), judged


def ruling(fleet: Fleet, overrides: Iterable[Override], now: float) -> dict[str, Override]:
    """The override that decides about each load balancer, for those about which one does."""
    some = [one for one in overrides if one.in_force(now)]
    found = {}
    for one in fleet.load_balancers:
        about = [override for override in some if override.concerns(one)]
        if about:
            found[one.id] = min(about, key=_precedence)
    return found


def consented(fleet: Fleet, overrides: Iterable[Override], now: float) -> frozenset[str]:
    """Load balancers whose leaving an operator consented to beyond the velocity limit."""
    ruled = ruling(fleet, overrides, now)
    return frozenset(name for name, one in ruled.items() if one.consented and one.state != "up")


def _precedence(override: Override) -> tuple[bool, int]:
    return (override.scope != "load_balancer", _STRICTEST.index(override.state))


def _ruled(one: LoadBalancer, override: Override | None) -> LoadBalancer:
    return one if override is None else replace(one, admin=override.state, why=override.why)
