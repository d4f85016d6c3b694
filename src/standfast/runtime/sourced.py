"""How the sources of the fleet stand, in words: for the verdict, `status` and whoever shows them. Pure.

Unknown for less than two minutes needs nobody; for two, somebody should know; for fifteen, or if a shrink is held,
somebody has to act. None of it changes what is served.
"""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE, EXIT_REFUSED

from .observing import Seen
from .times import span


class SourceSight(Struct, frozen=True):
    """One source as a planner at work sees it. `count` None: it was never known."""

    name: str
    kind: str
    state: str
    age_s: float
    why: str
    count: int | None
    lost: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def sources_of(seen: Seen) -> tuple[SourceSight, ...]:
    """As the planners that are at work here tell in their signs of life, each source once."""
    found: dict[str, SourceSight] = {}
    for planner in seen.running("planner"):
        told = planner.facts.get("sources")
        for name, facts in told.items() if isinstance(told, dict) else ():
            if isinstance(facts, dict) and "state" in facts:
                found.setdefault(str(name), _sight(str(name), facts, planner.age_s))
    return tuple(found.values())


def _sight(name: str, facts: dict[str, Any], age_s: float) -> SourceSight:
    read, count = facts.get("read_s"), facts.get("load_balancers")
    return SourceSight(
        name,
        str(facts.get("kind", "")),
        str(facts.get("state", "")),
        age_s + (float(read) if isinstance(read, int | float) else 0.0),
        str(facts.get("why", "")),
        count if isinstance(count, int) else None,
        _texts(facts.get("lost")),
        _texts(facts.get("unsure")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def source_findings(seen: Seen) -> Iterator[tuple[Literal["NEEDS YOU", "BLIND", "HANDLED"], str, str, int]]:
    """(kind, sentence, command, exit code) of every source that is not known."""
    for one in sources_of(seen):
        why = one.why.rstrip(".") or "it has not answered"
        if one.state == "held":
            text = f"Source {one.name} {why}. The fleet stays as it was until that is accepted, or it names them again."
            yield "NEEDS YOU", text, f"standfast accept-shrink {one.name}", EXIT_REFUSED
        elif one.state == "known":
            continue
        elif one.count is None:
            text = f"Source {one.name} was never read ({why}): nothing is planned without it."
            yield "NEEDS YOU" if one.state == "lost" else "BLIND", text, "standfast check", EXIT_ERROR
        else:
            text = f"Source {one.name} is unknown for {span(one.age_s)} ({why}); its {_counted(one.count)}."
            if one.state == "lost":
                yield "NEEDS YOU", text, "standfast check", EXIT_DIFFERS
            elif one.state == "late":
                yield "BLIND", text, "standfast check", EXIT_ERROR
            else:
                yield "HANDLED", f"{text} Nobody needs to act.", "standfast check", EXIT_FINE


def _counted(count: int) -> str:
    return "load balancer stays as it was" if count == 1 else f"{count} load balancers stay as they were"


def source_lines(seen: Seen) -> list[str]:
    """A line for each source, and one for each load balancer that it can't say all of; none for a file that says it
    all itself."""
    lines = []
    for one in sources_of(seen):
        if one.kind == "declared" and one.state == "known":
            continue
        count = "never read" if one.count is None else f"{one.count} load balancer{'' if one.count == 1 else 's'}"
        how = f"read {span(one.age_s)} ago" if one.state == "known" else f"{one.state.upper()}: {one.why}"
        lines.append(f"source {one.name}: {count}, {how}")
        lines += [f"   {text}" for text in one.unsure[:5]]
    return lines


def sources_json(seen: Seen) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "state": one.state,
            "age_s": round(one.age_s, 1),
            "why": one.why or None,
            "load_balancers": one.count,
            "lost": list(one.lost),
            "unsure": list(one.unsure),
        }
        for one in sources_of(seen)
    ]
