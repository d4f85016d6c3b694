"""The searches that mutants of trees are put to. Each begins where all plans up to one were enacted in turn."""

from typing import Final

from standfast.sim.search.product import System
from standfast.sim.world.bounds import Fault, Run
from standfast.sim.world.histories import history
from standfast.sim.world.reaching import lone_enactor
from standfast.sim.world.treehands import TREE_ACTS
from standfast.sim.world.world import World

from .scope import Scope

_LATE: Final[frozenset[Fault]] = frozenset({"late"})


class TreeScope(Scope, frozen=True):
    """A run in whose zone the trees of every plan up to `begun` stand."""

    def system(self) -> System:
        """What is explored."""
        world = World(self.run)
        place = world.places.index("zone")
        zone = world.start[place]
        for plan in self.run.plans:
            if plan.generation <= self.begun:
                after, why = lone_enactor(zone, plan)  # type: ignore[arg-type]
                zone = zone if why else after  # a mutant may fail at that already, which the other runs will tell
        world.start = (*world.start[:place], zone, *world.start[place + 1 :])
        return world


def _scope(name: str, about: str, plans: tuple[str, ...], begun: int, **bounds: object) -> Scope:
    fixed: dict[str, object] = {"crashes": False, "reachable": False, "patience": 1, "memory": False, **bounds}
    return TreeScope(Run(name=name, about=about, plans=history(*plans), **fixed), begun)  # type: ignore[arg-type]


TREES: Final = (
    _scope(
        "tree damage",
        "nobody but people, once: from every zone a lone enactor gets to the newest plan",
        ("t", "u", "v"),
        3,
        enactors=0,
        hands=(*TREE_ACTS, "addresses", "foreign addresses", "marker", "aliased leaves", "aliased rollback"),
        acts=1,
        reachable=True,
    ),
    _scope(
        "tree flip",
        "one enactor, and people who delete leaves or change weights",
        ("t", "u"),
        1,
        enactors=1,
        hands=("newest leaves", "leaves", "weights"),
        acts=1,
        reachable=True,
    ),
    _scope(
        "tree collection",
        "one enactor, a cleaner by any plan, and people who point root or the rollback alias elsewhere, or freeze",
        ("t", "u", "v"),
        3,
        enactors=1,
        collectors=1,
        hands=("older root", "older rollback", "marker"),
        acts=1,
    ),
    _scope(
        "tree rollback",
        "one enactor, and people who delete the rollback alias, half of it, or leaves of the tree before, two of these",
        ("T", "U", "T"),
        3,
        enactors=1,
        hands=("rollback", "half a rollback", "earlier leaves"),
        acts=2,
        reachable=True,
    ),
    _scope(
        "tree under way",
        "two enactors, one cut off with an old plan, and a cleaner by any plan",
        ("t", "u", "v"),
        1,
        cut_off=1,
        collectors=1,
        elements=1,
    ),
    _scope(
        "tree frozen",
        "a cleaner, a late request, an operator who freezes",
        ("t", "u", "v"),
        3,
        enactors=0,
        flights=1,
        faults=_LATE,
        collectors=1,
        operator=("freeze zone", "freeze endpoint"),
        commands=1,
    ),
    _scope(
        "tree orphans",
        "one enactor that builds record by record, a cleaner by a plan that does not know the endpoint, lost markers",
        ("t", ".", "u"),
        1,
        enactors=1,
        collectors=1,
        elements=1,
        hands=("marker", "marker and addresses"),
        acts=1,
    ),
    _scope(
        "tree orphans forgotten",
        "an enactor cut off builds what the newest plan has forgotten",
        ("t", "."),
        0,
        enactors=1,
        cut_off=1,
        collectors=1,
        elements=1,
    ),
    _scope(
        "tree orphans frozen",
        "a forgotten endpoint without a marker, a late deletion, an operator who freezes the zone",
        ("ta", ".b"),
        2,
        enactors=0,
        flights=1,
        faults=_LATE,
        collectors=1,
        hands=("marker and addresses",),
        acts=1,
        operator=("freeze zone",),
        commands=1,
    ),
    _scope(
        "tree waiting",
        "one enactor, a cleaner, four ticks of time",
        ("t", "u", "v"),
        1,
        enactors=1,
        collectors=1,
        ticks=4,
    ),
    _scope(
        "tree named",
        "one enactor, and a plan in which the endpoint stays as it was, of which people delete leaves",
        ("tt", "tu"),
        1,
        enactors=1,
        hands=("leaves",),
        acts=1,
        reachable=True,
    ),
    _scope(
        "tree to flat",
        "an endpoint with trees becomes flat, another is retired",
        ("tt", "ut", "a-"),
        2,
        enactors=1,
        reachable=True,
    ),
)
