"""What each protection changes of the day: each alone, all of the chosen, and all but one.

A protection that alone changes nothing may still be missed among all the others, and the other way round: whoever keeps
the endpoint from being emptied leaves the rest without work. So both are run; and the recovery protections by
themselves, which have to cope with the same 2 h 37 min without DNS.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from .day import Day
from .protections import ALL, SWITCHES, Family, Protection, family

Set: TypeAlias = frozenset[Protection]
RunAll: TypeAlias = Callable[[Sequence[Set]], Sequence[Day]]
"""Runs days with these protections, each once, in whatever order or place; gives them in the given order."""


class Row(Struct, frozen=True):
    """One protection: the day with it alone, and with all the chosen ones but it."""

    protection: Protection
    family: Family
    says: str
    alone: Day
    left_out: Day


class Attribution(Struct, frozen=True):
    """The chosen protections, the day without any of them, and the day with all of them."""

    chosen: tuple[Protection, ...]
    as_built: Day
    together: Day
    rows: tuple[Row, ...]


class Counterfactual(Struct, frozen=True):
    """What was asked for; and the day with the recovery protections and no others: the answer to "given the same time
    without DNS, when is everything clear by coming back alone?"."""

    asked: Attribution
    recovery: Day


def ordered(chosen: Iterable[Protection]) -> tuple[Protection, ...]:
    """As they are listed everywhere."""
    wanted = frozenset(chosen)
    return tuple(one for one in ALL if one in wanted)


def needed(chosen: Set) -> tuple[Set, ...]:
    """Every set that must be run for it, none twice: as built, all, each alone, all but each."""
    single = [frozenset({one}) for one in ordered(chosen)]
    return tuple(dict.fromkeys([frozenset(), chosen, *single, *(chosen - one for one in single)]))


def counterfactual(chosen: Set, run_all: RunAll) -> Counterfactual:
    """Run everything that is needed once, and sort it out."""
    recovery = family("recovery")
    sets = tuple(dict.fromkeys([*needed(chosen), recovery]))
    days = dict(zip(sets, run_all(sets), strict=True))
    return Counterfactual(_attributed(chosen, days), days[recovery])


def _attributed(chosen: Set, days: dict[Set, Day]) -> Attribution:
    rows = tuple(
        Row(one.protection, one.family, one.says, days[frozenset({one.protection})], days[chosen - {one.protection}])
        for one in SWITCHES
        if one.protection in chosen
    )
    return Attribution(ordered(chosen), days[frozenset()], days[chosen], rows)
