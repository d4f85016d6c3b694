"""What the store has of Route 53's own health checks, as a value for all who look."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from standfast.config import Config
from standfast.model.check import BalancerCheck

from .checkboards import (
    DOOMED,
    VERDICTS,
    HostedVerdict,
    SharedHostedVerdicts,
    checks_in,
    hosted_zones,
    read_hosted_verdicts,
    usable,
)

if TYPE_CHECKING:
    from standfast.adapters.stores.plan_store import PlanStore

    from .observing import StoreSight


class HostedSight(Struct, frozen=True):
    """As the store has it. `checks` are those that may be planned by, operators' orders aside; `doomed` is the revision
    of the board of those that are deleted. `said`: what the checkers say; None: nobody has asked yet."""

    checks: dict[str, tuple[BalancerCheck, ...]]
    doomed: int
    said: SharedHostedVerdicts | None

    def of(self, load_balancer: str) -> HostedVerdict | None:
        """What the checks say of it, the worst of all zones; None if it has none."""
        some = [one.verdicts[load_balancer] for one in self._zones() if load_balancer in one.verdicts]
        order = ("unhealthy", "unknown", "healthy")
        return min(some, key=lambda one: order.index(one.state), default=None)

    def without(self, load_balancer: str) -> str:
        """Why it has no check, or not in each zone; empty if it has."""
        return next((one.without[load_balancer] for one in self._zones() if load_balancer in one.without), "")

    def _zones(self) -> Iterator[Any]:
        yield from (self.said.zones[zone] for zone in sorted(self.said.zones)) if self.said is not None else ()


def look_at_checks(store: "PlanStore", config: Config) -> HostedSight | None:
    """As the store has it now."""
    if not hosted_zones(config):
        return None
    from standfast.ports.store import ReadSource, SourceRead

    checks, revisions = checks_in(store, config, {})
    reply = store.perform(ReadSource(VERDICTS))
    said = read_hosted_verdicts(reply.body) if isinstance(reply, SourceRead) else None
    return HostedSight(dict(checks), revisions.get(DOOMED, 0), said)


def checks_known(sight: "StoreSight", at: float) -> dict[str, tuple[BalancerCheck, ...]]:
    """By which checks would be planned at that moment."""
    return dict(usable(sight.hosted.checks, {}, sight.ruling(at))) if sight.hosted is not None else {}


def doomed_revision(sight: "StoreSight") -> int:
    """The revision of those that are deleted; 0: none ever was."""
    return sight.hosted.doomed if sight.hosted is not None else 0
