"""Parameter studies: the day with every number that is ours moved at once, many times, and what band that gives.

What is published or known stays as it is. Each other number is multiplied by a factor drawn between 1 ÷ (1 + spread)
and 1 + spread, evenly in its logarithm, one stratum for each draw (a Latin hypercube): a few dozen days cover the range
of every single one. Two numbers only say how finely is looked, and stay too.
"""

import math
import random
from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .day import Day
from .parameters import SHEET, Parameters

SPREAD: Final = 0.25
HELD: Final = frozenset({"droplets", "endpoints", "managers", "resolvers", "tick_s"})
"""Sizes of the picture, not of the region: they move nothing."""
SHARES: Final = frozenset({"intake", "controllers", "swing", "peak_load", "throttled", "replaced_an_hour"})
"""They stay below 1."""
_SHARE_MAX: Final = 0.98


class Band(Struct, frozen=True):
    """When days reached a milestone: tenth, fiftieth and ninetieth percentile in seconds of those that did."""

    low: float | None
    middle: float | None
    high: float | None
    reached: int
    days: int


def varied() -> tuple[str, ...]:
    """The numbers that move."""
    return tuple(one.name for one in SHEET if one.origin in ("assumed", "fitted") and one.name not in HELD)


def drawn(around: Parameters, count: int, seed: int, spread: float = SPREAD) -> tuple[Parameters, ...]:
    """So many regions around that one. The same for the same seed."""
    draw = random.Random(f"{seed} sweep")
    columns: dict[str, list[float]] = {}
    reach = math.log1p(spread)
    for name in varied():
        places = [(place + draw.random()) / count for place in range(count)]
        draw.shuffle(places)
        values = [getattr(around, name) * math.exp(reach * (2.0 * place - 1.0)) for place in places]
        columns[name] = [min(value, _SHARE_MAX) if name in SHARES else value for value in values]
    return tuple(replace(around, **{name: values[row] for name, values in columns.items()}) for row in range(count))


def bands(days: Iterable[Day]) -> dict[str, Band]:
    """For each milestone; "clear" is when everything was."""
    found: dict[str, list[float | None]] = {}
    for day in days:
        for id, at in (*day.milestones.items(), ("clear", day.clear_s)):
            found.setdefault(id, []).append(at)
    return {id: _band(moments) for id, moments in found.items()}


def _band(moments: list[float | None]) -> Band:
    known = sorted(at for at in moments if at is not None)
    low, middle, high = (_percentile(known, share) for share in (0.1, 0.5, 0.9))
    return Band(low, middle, high, len(known), len(moments))


def _percentile(known: list[float], share: float) -> float | None:
    if not known:
        return None
    place = share * (len(known) - 1)
    below = int(place)
    above = min(below + 1, len(known) - 1)
    return known[below] + (place - below) * (known[above] - known[below])
