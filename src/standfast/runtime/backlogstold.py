"""What is told of the backlogs that enactors of this machine work off: how much, and for how long. Pure."""

from typing import Any

from .observing import Seen, at_work
from .times import span


def backlog_lines(seen: Seen) -> list[str]:
    """A line for each zone of an enactor with a backlog."""
    lines = []
    for one in backlogs_json(seen):
        left = f"about {span(one['left_s'])} left" if one["left_s"] is not None else "nobody knows for how long"
        pace = f"{one['rate']:.0f} a second" if one["rate"] >= 1 else "less than one a second"
        lines.append(f"{one['enactor']} catches up in {one['zone']}: {one['waiting']} out of date, {pace}, {left}")
    return lines


def backlogs_json(seen: Seen) -> list[dict[str, Any]]:
    """For programs. `rate` is endpoints a second as last measured, or assumed at first; `left_s` what is left by it."""
    return [
        {
            "enactor": one.who,
            "zone": str(zone),
            "waiting": int(waiting),
            "rate": float(rate),
            "left_s": int(waiting) / float(rate) if rate else None,
        }
        for one in seen.present
        if one.role == "enactor" and at_work(one)
        for zone, (waiting, rate) in dict(one.facts.get("backlog") or {}).items()
    ]
