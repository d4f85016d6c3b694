"""On which number a time depends most: a study's days ranked by each parameter and by when they got there.

The days are those of `sweeping.py`; the first of a study has all numbers as they are.
"""

import math
from collections.abc import Collection, Sequence
from statistics import StatisticsError, correlation
from typing import Final

from msgspec.structs import replace

from standfast.errors import StandfastError

from .parameters import Parameters
from .sweeping import drawn, varied

NOTED: Final = 0.6
_CHANCE: Final = 3.2
"""From this rank correlation on a parameter is named as what a milestone depends on: more, if there are few days, for
among thirty parameters one always looks as if it mattered."""


def study(base: Parameters, count: int, seed: int, names: Collection[str] = ()) -> tuple[Parameters, ...]:
    """So many regions, the first as it is. With names only those numbers move, else all that are ours.

    Raises StandfastError for a name that is no parameter which can be varied.
    """
    if wrong := sorted(set(names) - set(varied())):
        raise StandfastError(
            f"--vary {','.join(wrong)}: there is no such parameter.", f"There are: {', '.join(sorted(varied()))}."
        )
    moved = drawn(base, count - 1, seed)
    if names:
        moved = tuple(replace(base, **{name: getattr(one, name) for name in names}) for one in moved)
    return (base, *moved)


def strongest(regions: Sequence[Parameters], times: Sequence[float | None]) -> tuple[str, float]:
    """The number on which those times depend most, and the rank correlation; "" if none stands out from chance.

    Who never gets there counts as later than everybody.
    """
    late = ranks([math.inf if one is None else one for one in times])
    found = []
    for name in varied():
        try:
            found.append((correlation(ranks([getattr(one, name) for one in regions]), late), name))
        except StatisticsError:  # it is the same in all, or all got there at once
            continue
    rank, name = max(found, key=lambda one: abs(one[0]), default=(0.0, ""))
    return (name, rank) if abs(rank) >= chance(len(late)) else ("", 0.0)


def chance(days: int) -> float:
    """The rank correlation from which on a number stands out in so many days; above 1 none can."""
    return max(NOTED, _CHANCE / math.sqrt(days))


def ranks(values: Sequence[float]) -> list[float]:
    """The place of each among all; equals share the middle of theirs."""
    ordered = sorted(values)
    return [ordered.index(one) + (ordered.count(one) - 1) / 2 for one in values]
