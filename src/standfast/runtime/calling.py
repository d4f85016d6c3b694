"""What endpoints are called by people: without their zone, where that leaves no doubt which one is meant. Pure."""

from collections import Counter
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from standfast.model.entry import Key

if TYPE_CHECKING:
    from standfast.config import Config
    from standfast.model.plan import Plan


def short_name(name: str, zone: str, twins: Container[str] = ()) -> str:
    """`www` for www.lb.example.com: what people type. In full if an endpoint of another zone would be called so too."""
    short = name if name == zone else name.removesuffix("." + zone)
    return name if short in twins else short


def twins_of(keys: Iterable[Key]) -> frozenset[str]:
    """What endpoints of several zones would be called."""
    counts = Counter(short_name(name, zone) for zone, name in set(keys))
    return frozenset(short for short, count in counts.items() if count > 1)


def said_of(name: str, reason: str) -> list[str]:
    """What a plan's reason says of one endpoint, without its name. Parts are set off by semicolons, and what stands in
    brackets belongs together."""
    parts, depth = [""], 0
    for letter in reason:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == ";" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    mine = (one.strip() for one in parts)
    return [one[len(name) :].lstrip(" :") for one in mine if one.startswith((f"{name} ", f"{name}:"))]


def called_alike(config: "Config", plan: "Plan | None") -> frozenset[str]:
    """What endpoints of several zones would be called, those included that only the plan still has."""
    if len(config.zones) < 2:
        return frozenset()
    entries = plan.shards if plan is not None else ()
    return twins_of([*((one.zone, one.name) for one in config.endpoints), *(one.key for one in entries)])
