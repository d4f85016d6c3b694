"""What there is to see of Route 53's own health checks: their verdicts beside ours, who has none, and why."""

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
from .overridden import Remark

if TYPE_CHECKING:
    from standfast.adapters.stores.plan_store import PlanStore

    from .observing import Seen, StoreSight

SIGNS = {"healthy": "✓", "unhealthy": "✗", "unknown": "?"}
SHOWN_MAX = 12
DISAGREES_S = 120.0
"""Our verdict and Route 53's may differ for so long before it is told: neither sees a change at once."""
SILENT_S = 300.0
"""What the checks said is unknown when no planner has asked for so long."""


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


def differing(seen: "Seen") -> Iterator[tuple[str, str, HostedVerdict]]:
    """(load balancer, our state, theirs) where one calls well what the other has long called ill."""
    hosted = seen.store.hosted
    for name, ours in seen.store.verdicts or () if hosted is not None else ():
        theirs = hosted.of(name) if hosted is not None else None
        if theirs is None or (ours.state, theirs.state) not in (("up", "unhealthy"), ("down", "healthy")):
            continue
        if seen.at - max(ours.since, theirs.since) >= DISAGREES_S:
            yield name, ours.state, theirs


def remarks(seen: "Seen") -> Iterator[Remark]:
    """Whoever is well for one of us and ill for the other, for long."""
    for name, ours, theirs in differing(seen):
        why = f" ({theirs.why})" if theirs.why else ""
        effect = " Route 53 leaves it out of answers." if theirs.state == "unhealthy" else ""
        text = f"{name} is {ours} by our checks and {theirs.state} by Route 53's{why}.{effect}"
        yield Remark("HANDLED", text, "standfast check")


def told(theirs: HostedVerdict | None) -> str:
    """`Route 53 ✗ Failure: …`; empty if there is nothing to tell."""
    if theirs is None:
        return ""
    why = f" {theirs.why}" if theirs.why else ""
    return f"Route 53 {SIGNS[theirs.state]}{why}"


def hosted_lines(seen: "Seen") -> list[str]:
    """All load balancers, ours beside theirs; then what is wrong with any."""
    hosted = seen.store.hosted
    if hosted is None or hosted.said is None:
        return []
    ours = {name: one.state for name, one in seen.store.verdicts or ()}
    words, wrong = [], []
    for name in sorted({name for zone in hosted.said.zones.values() for name in zone.verdicts}):
        theirs = hosted.of(name)
        if theirs is None:
            continue
        words.append(f"{name} {ours.get(name, '?')} {SIGNS[theirs.state]}")
        if theirs.why and theirs.state != "healthy":
            wrong.append(f"   {name}: {theirs.why}")
    rest = len(words) - SHOWN_MAX
    lines = [f"Route 53's checks beside ours   {'   '.join(words[:SHOWN_MAX])}"] if words else []
    lines[:1] = [f"{lines[0]}   … {rest} more"] if rest > 0 else lines
    for zone, said in sorted(hosted.said.zones.items()):
        if said.why:
            lines.append(f"Route 53's checks in {zone}: {said.why}")
        if said.without:
            reasons = sorted(set(said.without.values()))
            some = f"{len(said.without)} load balancer{'s' if len(said.without) > 1 else ''}"
            lines.append(f"no Route 53 check of {some} in {zone}: {'; '.join(reasons[:3])}")
    if seen.at - hosted.said.at > SILENT_S:
        lines.append(f"nobody has asked Route 53's checks for {seen.at - hosted.said.at:.0f} s")
    return [*lines, *wrong[:SHOWN_MAX]]


def hosted_json(seen: "Seen") -> dict[str, Any] | None:
    """For programs, zone by zone; null where no zone is at Route 53."""
    from msgspec import to_builtins

    hosted = seen.store.hosted
    if hosted is None:
        return None
    said = hosted.said
    return {
        "asked_at": said.at if said else None,
        "zones": to_builtins(said.zones) if said else {},
        "checks": {zone: {one.load_balancer: one.id for one in some} for zone, some in hosted.checks.items()},
    }
