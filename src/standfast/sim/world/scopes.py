"""The searches that `standfast verify` makes, by scope: which runs, how far each may go, what none of them covers."""

from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from standfast.core.enactor import PATIENCE as PATIENCE_IN_PRODUCTION

from . import treescopes
from .bounds import Fault, Run
from .damaged import Family
from .histories import history
from .ordered import BY_ORDER

_LATE: Final[frozenset[Fault]] = frozenset({"late"})
_LOSSY: Final[frozenset[Fault]] = frozenset({"late", "lost"})
_BRIEF: Final[dict[str, Any]] = {"memory": False, "patience": 1}
"""A pass ends with its first failure, and the next one is that of an enactor just started: far fewer states."""
_DELETED: Final = ("marker", "floor", "addresses", "marker and addresses")


class Scope(Struct, frozen=True):
    """Several runs, in order. `states_max` is where a single run is given up, which is not a success."""

    name: str
    about: str
    runs: tuple[Run, ...]
    families: tuple[Family, ...]
    states_max: int
    compiled: bool


_QUICK: Final = (
    Run(
        name="delayed-writes",
        about="plans change one endpoint each; requests and replies are lost, late, repeated",
        plans=history("aa", "ba", "bb"),
        flights=1,
        faults=frozenset({"late", "lost", "repeated"}),
        **_BRIEF,
    ),
    Run(
        name="deleted-marker",
        about="beside a delayed write, people delete a marker",
        plans=history("aa", "ba", "bb"),
        flights=1,
        faults=_LATE,
        hands=("marker",),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="frozen-zone",
        about="an operator freezes the zone and thaws it, while enactors may be delayed in a write",
        plans=history("a", "b"),
        operator=("freeze zone", "thaw zone"),
        commands=2,
        **_BRIEF,
    ),
    Run(
        name="memory",
        about="what is believed when a pass ends is there in the next; each enactor, left alone, gets there",
        plans=history("a", "b"),
        patience=3,
        survivors=True,
    ),
)

_STANDARD: Final = (
    *_QUICK,
    Run(
        name="three-enactors",
        about="contents that come back (a, b, a), four plans, three enactors",
        plans=history("aa", "ba", "bb", "ab"),
        enactors=3,
        flights=1,
        faults=_LATE,
        **_BRIEF,
    ),
    Run(
        name="two-delayed",
        about="two late requests under way at once, and people delete a marker, the floor, or an endpoint",
        plans=history("a", "b"),
        flights=2,
        faults=_LATE,
        hands=("marker", "floor", "marker and addresses"),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="any-damage",
        about="any one thing that people do to a zone, beside a delayed write",
        plans=history("a", "b", "a"),
        flights=1,
        faults=_LATE,
        hands=(
            *_DELETED,
            "marker and floor",
            "garbage marker",
            "garbage floor",
            "foreign addresses",
            "alias",
            "first",
            "everything",
        ),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="two-endpoints-emptied",
        about="one of two endpoints is deleted with its marker: refill beside writes of newer plans",
        plans=history("aa", "ba", "cb"),
        flights=1,
        faults=_LATE,
        hands=("marker and addresses",),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="two-acts",
        about="markers, floor and addresses are deleted, two at different times",
        plans=history("a", "b"),
        flights=1,
        faults=_LATE,
        hands=_DELETED,
        acts=2,
        **_BRIEF,
    ),
    Run(
        name="put-back",
        about="people put an older marker, with or without its addresses, or a whole older zone back",
        plans=history("a", "b"),
        flights=1,
        faults=_LATE,
        hands=("marker", "older marker", "older marker and addresses", "older zone"),
        acts=2,
        **_BRIEF,
    ),
    Run(
        name="min-answers-2",
        about="two addresses each, of which an endpoint may not have fewer; marker and floor are lost",
        plans=history("A", "B", "C"),
        flights=1,
        faults=_LATE,
        hands=("marker and addresses", "floor", "first"),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="two-families",
        about="dual-stack contents become IPv4 only; a refill touches no family that has enough",
        plans=history("6", "7", "a"),
        flights=1,
        faults=_LATE,
        hands=("marker and addresses", "marker", "addresses"),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="every-fault",
        about="failed and partly failed readings, refusals, a journal that can't be written, beside a delayed write",
        plans=history("aa", "bb"),
        flights=1,
        faults=frozenset({"late", "lost", "repeated", "blind", "partly blind", "journal", "refused"}),
        **_BRIEF,
    ),
    Run(
        name="cut-off",
        about="one of two enactors never hears of a newer plan than that on its disk; an endpoint is deleted",
        plans=history("a", "b", "c"),
        enactors=2,
        cut_off=1,
        flights=1,
        faults=_LATE,
        hands=("marker and addresses", "floor"),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="freeze-and-thaw",
        about="an operator freezes and thaws the zone, two commands of either",
        plans=history("a", "b"),
        flights=1,
        faults=_LATE,
        operator=("freeze zone", "thaw zone"),
        commands=2,
        **_BRIEF,
    ),
    Run(
        name="frozen-endpoint",
        about="an operator freezes or thaws one endpoint, whose marker people may delete",
        plans=history("a", "b"),
        flights=1,
        faults=_LATE,
        operator=("freeze endpoint", "thaw endpoint"),
        commands=1,
        hands=("marker",),
        acts=1,
        **_BRIEF,
    ),
    Run(
        name="retired",
        about="an endpoint is retired while older plans are about, and its addresses are put there by hand",
        plans=history("ab", "a-", "b-"),
        flights=1,
        faults=_LOSSY,
        hands=("foreign addresses", "floor"),
        acts=1,
        **_BRIEF,
    ),
    *BY_ORDER,
    Run(
        name="one-by-one",
        about="each endpoint in a change of its own, some refused for a moment",
        plans=history("aa", "bb"),
        faults=frozenset({"refused"}),
        one_by_one=True,
        memory=False,
        patience=2,
    ),
    Run(
        name="key-by-key",
        about="the keys of one reading come from different moments",
        plans=history("a", "b"),
        flights=1,
        faults=_LATE,
        key_by_key=True,
        **_BRIEF,
    ),
    Run(
        name="told-apart",
        about="enactors have names of their own, and are not exchanged for each other",
        plans=history("aa", "ba", "bb"),
        flights=1,
        faults=_LATE,
        distinct=True,
        **_BRIEF,
    ),
    Run(
        name="long-lived",
        about="enactors that live on, with looks and audits, beside a delayed write",
        plans=history("a", "b"),
        flights=1,
        faults=_LATE,
        occasions=("look", "audit"),
        patience=3,
    ),
    Run(
        name="admitted",
        about="a backlog of which any part is admitted, in any order, while turns end anywhere",
        plans=history("a", "b"),
        flights=1,
        faults=_LATE,
        admission=True,
        **_BRIEF,
    ),
    Run(
        name="admitted-survivor",
        about="one enactor whose turns end anywhere and whose zone is closed at times: left alone, it gets there",
        plans=history("a", "b"),
        enactors=1,
        admission=True,
        patience=1,
        survivors=True,
    ),
    Run(
        name="survivor",
        about="one enactor that lives on through every fault: left alone at any moment, it gets to the newest plan",
        plans=history("a", "b"),
        enactors=1,
        faults=frozenset({"lost", "blind", "partly blind", "journal", "refused"}),
        patience=3,
        survivors=True,
    ),
    Run(
        name="cleaner",
        about="plans are published at any time, and collected; the cleaner's request may be late",
        plans=history("aa", "ba", "bb"),
        flights=1,
        faults=_LATE,
        publishing="atomic",
        cleaner=True,
        **_BRIEF,
    ),
    Run(
        name="two-planners",
        about="two planners with different views, and operators who roll back and resume, by compare-and-set",
        plans=(),
        enactors=1,
        faults=frozenset({"lost"}),
        publishing="planner",
        planners=2,
        publications=3,
        operator=("rollback",),
        **_BRIEF,
    ),
    Run(
        name="planner-and-delay",
        about="the planner's own core with views that change, and rollback with hold, beside a delayed write",
        plans=(),
        flights=1,
        faults=_LATE,
        publishing="planner",
        planners=1,
        publications=2,
        operator=("rollback",),
        **_BRIEF,
    ),
    Run(
        name="rollback-and-delay",
        about="three plans, of which the last may put older contents back with a hold, beside a delayed write",
        plans=(),
        enactors=1,
        flights=1,
        faults=_LATE,
        publishing="planner",
        planners=1,
        publications=3,
        operator=("rollback",),
        **_BRIEF,
    ),
    Run(
        name="store-set-back",
        about="the store is lost or set back to an older plan, while enactors hold newer ones",
        plans=(),
        publishing="planner",
        planners=1,
        publications=2,
        setbacks=1,
        **_BRIEF,
    ),
)

_WIDE: Final = (
    Run(
        name="wide",
        about="three enactors, four plans of two endpoints, a late request, an endpoint deleted by hand",
        plans=history("aa", "ba", "bb", "ab"),
        enactors=3,
        flights=1,
        faults=_LATE,
        hands=("marker and addresses",),
        acts=1,
        **_BRIEF,
    ),
)

ONE_ENDPOINT: Final = Family("one endpoint, three plans", history("a", "b", "c"))
TWO_ENDPOINTS: Final = Family("two endpoints, three plans", history("aa", "ba", "cb"))

Layout: TypeAlias = Literal["flat", "tree"]

SCOPES: Final[dict[str, Scope]] = {
    scope.name: scope
    for scope in (
        Scope("quick", "within a minute, without anything to install", _QUICK, (ONE_ENDPOINT,), 1_000_000, False),
        Scope("standard", "each fault beside a delayed write", _STANDARD, (TWO_ENDPOINTS,), 40_000_000, True),
        Scope("wide", "more than 100 million states; takes about 11 GB of memory", _WIDE, (), 300_000_000, True),
    )
}

TREE_SCOPES: Final[dict[str, Scope]] = {
    scope.name: scope
    for scope in (
        Scope("quick", "within a minute", treescopes.QUICK, (treescopes.SMALL_FAMILY,), 1_000_000, False),
        Scope("standard", "each fault and each hand", treescopes.STANDARD, (treescopes.FULL_FAMILY,), 40_000_000, True),
        Scope("wide", "65 million states; takes about 5 GB of memory", treescopes.WIDE, (), 300_000_000, True),
    )
}
LAYOUTS: Final[dict[Layout, dict[str, Scope]]] = {"flat": SCOPES, "tree": TREE_SCOPES}

NOT_COVERED: Final = (
    "more enactors, plans, endpoints, late requests, acts by hand than each run says; more than one zone and stream",
    "time: the clock stands still, so the tug-of-war's ten minutes never pass and nobody waits",
    f"passes that go on after more failures than the run says (production: {PATIENCE_IN_PRODUCTION})",
    "changes halved on refusal beyond two endpoints; signatures and message sizes, which are tested on servers",
    "the zone's serial as a counter: a look is told that nothing changed or everything, whatever is true",
    "secondaries, resolvers and their caches; DNSSEC; anything the provider's specification does not say",
    "an endpoint whose marker is lost when floor and readable markers no longer tell its generation (guarantees.md)",
    "health, velocity and policies in the planner: it sees two load balancers, of which one may be down; Route 53",
)
"""What no run says anything about."""


def all_runs() -> dict[str, Run]:
    """Every run of every scope, by its name."""
    return {run.name: run for layout in LAYOUTS.values() for scope in layout.values() for run in scope.runs}
