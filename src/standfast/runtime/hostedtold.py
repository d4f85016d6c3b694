"""What is told of Route 53's own health checks: their verdicts beside ours, who has none, and why. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from standfast.model.entry import Entry

from .checkboards import HostedVerdict
from .observing import Seen
from .overridden import Remark

SIGNS: Final[Mapping[str, str]] = {"healthy": "✓", "unhealthy": "✗", "unknown": "?"}
SHOWN_MAX: Final = 12
DISAGREES_S: Final = 120.0
"""Our verdict and Route 53's may differ for so long before it is told: neither sees a change at once."""
SILENT_S: Final = 300.0
"""What the checks said is old when no planner has asked for so long."""


def differing(seen: Seen) -> Iterator[tuple[str, str, HostedVerdict]]:
    """(load balancer, our state, theirs) where one calls well what the other has long called ill."""
    hosted = seen.store.hosted
    for name, ours in seen.store.verdicts or () if hosted is not None else ():
        theirs = hosted.of(name) if hosted is not None else None
        if theirs is None or (ours.state, theirs.state) not in (("up", "unhealthy"), ("down", "healthy")):
            continue
        if seen.at - max(ours.since, theirs.since) >= DISAGREES_S:
            yield name, ours.state, theirs


def remarks(seen: Seen) -> Iterator[Remark]:
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


def hosted_lines(seen: Seen) -> list[str]:
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


def hosted_json(seen: Seen) -> dict[str, Any] | None:
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


def left_out(seen: Seen, entry: Entry) -> Iterator[str]:
    """Who stands in DNS and is left out of answers by Route 53's own check, a sentence each."""
    hosted = seen.store.hosted
    for member in entry.members if hosted is not None else ():
        theirs = hosted.of(member.load_balancer) if hosted is not None and member.health_check else None
        if theirs is not None and theirs.state == "unhealthy":
            why = f" ({theirs.why})" if theirs.why else ""
            yield f"{member.load_balancer}: Route 53's own check calls it unhealthy{why} and leaves it out of answers."
