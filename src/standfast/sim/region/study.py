"""Parameter studies: the same day with other numbers, and how far what comes out spreads.

What is assumed or fitted is multiplied by a factor drawn between 1 ÷ 1.25 and 1.25, evenly on a logarithmic scale; what
is published or known stays. The first of the days has all numbers as they are. Equal seeds draw equal studies.
"""

import math
import random
from collections.abc import Collection, Sequence
from statistics import StatisticsError, correlation
from typing import Final

from msgspec import Struct, structs

from standfast.errors import StandfastError

from .day import Day
from .parameters import SHEET, Entry, Parameters

SPREAD: Final = 1.25
_ENDS: Final = (0.05, 0.5, 0.95)
"""Lower end of a band, median, upper end."""
_FIXED: Final = frozenset({"tick_s", "droplets"})
"""The step of the calculation, and a size that no time depends on."""
NOTED: Final = 0.6
_CHANCE: Final = 3.2
"""From this rank correlation on a parameter is named as what a milestone depends on: more, if there are few days, for
among thirty parameters one always looks as if it mattered."""


class Draw(Struct, frozen=True):
    """One set of numbers, and the factor on each parameter that was varied."""

    parameters: Parameters
    factors: dict[str, float]
    seed: int


class Band(Struct, frozen=True):
    """Where a time lies in a study: lower end, median and upper end in seconds, None for "never by the end of the day".

    `most` is the parameter on which it depends most, with the rank correlation, if any stands out.
    """

    low: float | None
    middle: float | None
    high: float | None
    reached: int
    count: int
    most: str = ""
    rank: float = 0.0


def variable() -> tuple[Entry, ...]:
    """What a study varies if it is not told otherwise."""
    return tuple(entry for entry in SHEET if entry.origin in ("assumed", "fitted") and entry.name not in _FIXED)


def draws(base: Parameters, count: int, seed: int, names: Collection[str] = ()) -> tuple[Draw, ...]:
    """So many sets of numbers. Raises StandfastError for a name that is no parameter which can be varied."""
    known = {entry.name: entry for entry in SHEET if entry.name not in _FIXED}
    if wrong := sorted(set(names) - set(known)):
        raise StandfastError(
            f"--vary {','.join(wrong)}: there is no such parameter.", f"There are: {', '.join(sorted(known))}."
        )
    varied = [known[name] for name in names] if names else list(variable())
    drawing = random.Random(f"{seed} study")
    found = [Draw(base, {entry.name: 1.0 for entry in varied}, seed)]
    while len(found) < count:
        factors = {entry.name: SPREAD ** drawing.uniform(-1.0, 1.0) for entry in varied}
        changed = {entry.name: _times(getattr(base, entry.name), factors[entry.name], entry) for entry in varied}
        found.append(Draw(structs.replace(base, **changed), factors, seed + len(found)))
    return tuple(found)


def _times(value: float, factor: float, entry: Entry) -> float:
    if isinstance(value, int):
        return max(1, round(value * factor))
    return min(1.0, value * factor) if entry.unit == "share" else value * factor


def bands(found: Sequence[Draw], days: Sequence[Day]) -> dict[str, Band]:
    """For each milestone that the model looks for, and "clear" for when everything was clear."""
    times = {id: [day.milestones.get(id) for day in days] for id in days[0].milestones}
    return {id: band(found, row) for id, row in {**times, "clear": [day.clear_s for day in days]}.items()}


def band(found: Sequence[Draw], times: Sequence[float | None]) -> Band:
    """One band; whoever never gets there counts as later than everybody."""
    late = [math.inf if one is None else one for one in times]
    ordered = sorted(late)
    low, middle, high = (_finite(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) for share in _ENDS)
    reached = sum(one is not None for one in times)
    most, rank = _strongest(found, late)
    return Band(low, middle, high, reached, len(times), most, rank)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _strongest(found: Sequence[Draw], late: Sequence[float]) -> tuple[str, float]:
    of_times, ranked = ranks(late), []
    for name in found[0].factors:
        try:
            ranked.append((correlation(ranks([one.factors[name] for one in found]), of_times), name))
        except StatisticsError:  # all the same: nothing depends on anything
            return "", 0.0
    rank, name = max(ranked, key=lambda one: abs(one[0]), default=(0.0, ""))
    return (name, rank) if abs(rank) >= max(NOTED, _CHANCE / math.sqrt(len(late))) else ("", 0.0)


def ranks(values: Sequence[float]) -> list[float]:
    """The place of each among all; equals share the middle of theirs."""
    ordered = sorted(values)
    return [ordered.index(one) + (ordered.count(one) - 1) / 2 for one in values]
