"""The searches that mutants are put to: the smallest in which each rule of the protocol matters.

Each begins where one of its plans is enacted, and so is deep where the mutant is, not in how things came there.
"""

from typing import Final

from standfast.errors import StandfastError
from standfast.sim.world.bounds import Fault, Run
from standfast.sim.world.histories import history

from .scope import Scope
from .treeruns import TREES

_LATE: Final[frozenset[Fault]] = frozenset({"late"})
_LOST: Final[frozenset[Fault]] = frozenset({"lost"})
_ANYTHING: Final = (
    "addresses",
    "marker",
    "marker and addresses",
    "garbage marker",
    "foreign addresses",
    "alias",
    "floor",
    "garbage floor",
    "first",
    "everything",
)


def _scope(name: str, about: str, plans: tuple[str, ...], begun: int, **bounds: object) -> Scope:
    fixed: dict[str, object] = {"crashes": False, "reachable": False, "patience": 1, "memory": False, **bounds}
    return Scope(Run(name=name, about=about, plans=history(*plans), **fixed), begun)  # type: ignore[arg-type]


SCOPES: Final = {
    scope.run.name: scope
    for scope in (
        _scope(
            "damage",
            "nobody but people, twice: from every zone a lone enactor gets to the newest plan",
            ("a", "6"),
            2,
            enactors=0,
            hands=_ANYTHING,
            acts=2,
            reachable=True,
        ),
        _scope(
            "old plan",
            "an enactor cut off with an old plan, a newer one is enacted, people delete twice",
            ("a", "b"),
            2,
            enactors=1,
            cut_off=1,
            hands=("marker", "floor", "addresses", "first"),
            acts=2,
            crashes=True,
        ),
        _scope(
            "lost reply",
            "two enactors, replies and requests are lost",
            ("a", "b"),
            1,
            faults=_LOST,
        ),
        _scope(
            "late write",
            "two enactors, one cut off with an old plan, a late request",
            ("aa", "ba", "cb"),
            1,
            faults=_LATE,
            flights=1,
            cut_off=1,
            one_by_one=True,
        ),
        _scope(
            "late creation",
            "two enactors, one cut off with an old plan, a late request, one act of people",
            ("a", "b"),
            1,
            faults=_LATE,
            flights=1,
            cut_off=1,
            hands=("marker",),
            acts=1,
        ),
        _scope(
            "late refill",
            "two enactors, one cut off with an old plan, a late request, two acts of people",
            ("a", "b"),
            2,
            faults=_LATE,
            flights=1,
            cut_off=1,
            hands=("marker and addresses", "addresses"),
            acts=2,
        ),
        _scope(
            "seal",
            "an enactor, a late request, an operator who freezes the zone",
            ("aa", "bb"),
            1,
            enactors=1,
            faults=_LATE,
            flights=1,
            operator=("freeze zone",),
            commands=1,
            one_by_one=True,
        ),
        _scope(
            "seal of nothing",
            "an enactor, a late request, a marker that people delete, an operator who freezes the zone",
            ("a", "b"),
            1,
            enactors=1,
            faults=_LATE,
            flights=1,
            hands=("marker", "marker and addresses"),
            acts=1,
            operator=("freeze zone",),
            commands=1,
        ),
        _scope(
            "freeze and thaw",
            "an operator who freezes and thaws the zone, and whose requests may be late",
            ("a", "b"),
            1,
            enactors=1,
            faults=_LATE,
            flights=1,
            crashes=True,
            operator=("freeze zone", "thaw zone"),
            commands=3,
        ),
        _scope(
            "frozen endpoint",
            "an operator who freezes and thaws one endpoint, whose marker people may delete",
            ("a", "b"),
            1,
            enactors=1,
            faults=_LATE,
            flights=1,
            hands=("marker",),
            acts=1,
            operator=("freeze endpoint", "thaw endpoint"),
            commands=2,
        ),
        _scope(
            "revival",
            "an endpoint is retired, and a later plan names it again, which no planner of ours does",
            ("a", "-", "b"),
            2,
            enactors=1,
        ),
        _scope(
            "retiring",
            "an endpoint is to be retired, and people delete",
            ("aa", "-a"),
            1,
            enactors=0,
            hands=("addresses", "marker", "floor"),
            acts=1,
            reachable=True,
        ),
        _scope(
            "marker put back",
            "an enactor cut off with an old plan is late with a refill, and people put the marker back",
            ("a", "b"),
            2,
            enactors=1,
            cut_off=1,
            faults=_LATE,
            flights=1,
            hands=("marker and addresses", "older marker"),
            acts=2,
        ),
        _scope(
            "emptied twice",
            "people delete everything, then marker and floor once more, while a creation is late",
            ("a", "b"),
            2,
            cut_off=1,
            faults=_LATE,
            flights=1,
            hands=("everything", "marker and floor"),
            acts=2,
            one_by_one=True,
        ),
        _scope(
            "lost floor",
            "two enactors, one cut off with an old plan, a late request, people delete the floor",
            ("a", "b"),
            1,
            cut_off=1,
            faults=_LATE,
            flights=1,
            hands=("floor",),
            acts=1,
        ),
        _scope(
            "half read",
            "a floor is rebuilt while a marker can't be read",
            ("ab", "bb"),
            2,
            enactors=1,
            cut_off=1,
            crashes=True,
            faults=frozenset({"partly blind"}),
            hands=("floor", "marker"),
            acts=2,
        ),
        _scope(
            "repair",
            "an enactor with an older plan repairs what both plans have alike",
            ("ab", "bb"),
            2,
            enactors=1,
            cut_off=1,
            hands=("addresses",),
            acts=1,
        ),
        _scope(
            "families",
            "one enactor, a family that goes",
            ("6", "a"),
            1,
            enactors=1,
        ),
        _scope(
            "seal twice",
            "an operator who freezes a new zone twice, whose requests may be late, and people who delete the floor",
            ("a", "b"),
            0,
            enactors=0,
            faults=_LATE,
            flights=1,
            crashes=True,
            hands=("floor",),
            acts=1,
            operator=("freeze zone",),
            commands=2,
        ),
        _scope(
            "emergency",
            "an enactor, a late request, an operator who publishes without a plan, and freezes",
            ("a", "b"),
            1,
            enactors=1,
            faults=_LATE,
            flights=1,
            operator=("emergency", "freeze endpoint", "freeze zone"),
            commands=2,
        ),
        _scope(
            "leaving",
            "an enactor stopped in a write, a late request, a marker that people delete, an operator who leaves",
            ("aa", "ba"),
            1,
            enactors=1,
            faults=_LATE,
            flights=1,
            crashes=True,
            hands=("marker",),
            acts=1,
            operator=("leave", "freeze endpoint"),
            commands=2,
        ),
        _scope(
            "collect",
            "an enactor, plans that are published at any time, and the cleaner",
            ("aa", "ba", "bb"),
            1,
            enactors=1,
            publishing="atomic",
            cleaner=True,
        ),
        *TREES,
    )
}
EVERYBODYS: Final = ("damage", "old plan", "lost reply", "late write")


class NoSuchRun(StandfastError):
    """A mutant names a run that is not there."""


def named(names: tuple[str, ...]) -> tuple[Scope, ...]:
    """These, or everybody's if none is named. Raises NoSuchRun."""
    if missing := [name for name in names if name not in SCOPES]:
        raise NoSuchRun(f"There is no run {missing[0]!r} for mutants.", f"There are {', '.join(SCOPES)}.")
    return tuple(SCOPES[name] for name in names or EVERYBODYS)
