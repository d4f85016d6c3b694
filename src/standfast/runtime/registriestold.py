"""What is told of the registries that run on this machine: leases held, unheard, refused at the door. Pure."""

from typing import Any

from .observing import Seen, at_work


def registry_lines(seen: Seen) -> list[str]:
    """A line for each; those of other machines are told by `standfast lease list`."""
    lines = []
    for one in registries_json(seen):
        unheard = f", {one['unheard']} not heard within a term" if one["unheard"] else ""
        why = f"; leases don't age: {one['why']}" if one["why"] else ""
        rest = f"{one['refused']} refused at the door, {one['rate']:.0f} a second can be granted"
        lines.append(f"registry {one['registry']}: {one['held']} leases held{unheard}, {rest}{why}")
    return lines


def registries_json(seen: Seen) -> list[dict[str, Any]]:
    """For programs. `refused` counts since its start; `why` leases don't age at present, null if they do."""
    return [
        {
            "registry": one.who,
            "held": int(one.facts["held"]),
            "unheard": int(one.facts["held"]) - int(one.facts["heard"]),
            "admitted": int(one.facts["admitted"]),
            "refused": int(one.facts["refused"]),
            "rate": float(one.facts["rate"]),
            "why": one.facts["why"] or None,
        }
        for one in seen.present
        if one.role == "registry" and at_work(one) and "held" in one.facts
    ]
