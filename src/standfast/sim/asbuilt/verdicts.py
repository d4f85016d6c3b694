"""Which remedies remove which failure, and which alone do not: one complete search for each set of them.

The failures: *backwards* an older plan replaces a newer one; *emptied* a name has no addresses; *dangling* the
operators' way back leads nowhere; *unhealed* the next plan, in the hands of a fresh enactor alone, does not install;
*wedged* no schedule leads to the latest plan, and no later plan does either.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.errors import StandfastError
from standfast.sim.search.compiled import explore_compiled
from standfast.sim.search.exploring import survey
from standfast.sim.search.product import Bounds, Finding, Progress

from . import plans
from .remedies import OURS, Built, Remedy, Rendering
from .system import AsBuilt, Scope
from .wedge import lost_states, wedge

Failure: TypeAlias = Literal["backwards", "emptied", "dangling", "unhealed", "wedged"]
FAILURES: Final[tuple[Failure, ...]] = ("backwards", "emptied", "dangling", "unhealed", "wedged")
STATES_MAX: Final = 100_000_000
_GRAPH_MOST: Final = 6
"""Plans × endpoints up to which the whole graph is kept, to go backwards over it."""

EVERYTHING: Final[frozenset[Failure]] = frozenset(FAILURES)
_BLIP: Final[frozenset[Failure]] = frozenset({"backwards", "emptied", "dangling"})


class Stated(Struct, frozen=True):
    """What is known of a set of remedies: the failures that remain, and how many endpoints it takes to see that."""

    remedies: frozenset[Remedy]
    remain: frozenset[Failure]
    endpoints: int = 1


def _stated(*remedies: Remedy, remain: Iterable[Failure] = EVERYTHING, endpoints: int = 1) -> Stated:
    return Stated(frozenset(remedies), frozenset(remain), endpoints)


TABLE: Final[tuple[Stated, ...]] = (
    _stated(),
    _stated("recheck"),
    _stated("check-in-lock", remain={"dangling"}),
    _stated("fair-lock"),
    _stated("one-lock", endpoints=2),
    _stated("no-cleanup", remain={"backwards"}),
    _stated("velocity"),
    _stated("locked-cleanup"),
    _stated("spare-referenced"),
    _stated("assert-referenced", remain={"backwards"}),
    _stated("floor"),
    _stated("decoupled", remain=_BLIP),
    _stated("repair", remain=_BLIP),
    _stated("heal"),
    _stated("since", endpoints=2),
    _stated("fence", remain={"dangling"}),
    _stated("recheck", "spare-referenced"),
    _stated("locked-cleanup", "spare-referenced", remain={"backwards"}),
    _stated("one-lock", "check-in-lock", endpoints=2),
    _stated("decoupled", "assert-referenced", remain={"backwards"}),
    _stated("check-in-lock", "assert-referenced", remain=()),
    _stated("fence", "assert-referenced", remain=()),
    _stated(*sorted(OURS), remain=(), endpoints=2),
)
"""As built, each remedy alone, combinations that say something, all of ours. A run that differs is a finding."""

_WIDE: Final = Scope(3, 4, 2)


def runs(scope: str) -> tuple[tuple[Stated, Scope], ...]:
    """The table's sets, each with its scope. `wide` has only two, the system as built and all of ours."""
    if scope == "wide":
        return tuple((one, _WIDE) for one in (TABLE[0], TABLE[-1]))
    least = 2 if scope == "standard" else 1
    return tuple((one, Scope(2, 3, max(one.endpoints, least))) for one in TABLE)


def stated(remedies: Iterable[Remedy], scope: Scope) -> Stated | None:
    """What the table states of this set; None if it is not in it, or not to be seen with so few endpoints."""
    wanted = frozenset(remedies)
    return next((one for one in TABLE if one.remedies == wanted and one.endpoints <= scope.endpoints), None)


class Verdict(Struct, frozen=True):
    """One set of remedies: how far the search got, and the shortest way to each failure that remains.

    `asked` are the failures that were looked for: the compiled search of a wide scope keeps no graph to go backwards
    over. `lost` counts the states with no return within the scope.
    """

    system: AsBuilt
    bounds: Bounds
    findings: tuple[Finding, ...]
    asked: frozenset[Failure] = EVERYTHING
    lost: int = 0

    @property
    def remain(self) -> frozenset[Failure]:
        """The failures that these remedies leave."""
        found = {finding.property for finding in self.findings}
        return frozenset(failure for failure in FAILURES if failure in found)

    def steps(self, failure: Failure) -> int:
        """Length of the shortest trace to it; 0 if there is none."""
        return next((len(one.steps) for one in self.findings if one.property == failure), 0)

    @property
    def as_stated(self) -> bool:
        """Whether this is what the table says; true if it says nothing."""
        known = stated(self.system.how.remedies, self.system.scope)
        return known is None or self.remain == known.remain & self.asked


def verdict(
    remedies: Iterable[Remedy],
    scope: Scope,
    progress: Callable[[Progress], None] | None = None,
    rendering: Rendering = "enactor",
) -> Verdict:
    """Search it to exhaustion. Raises StandfastError if that was interrupted or is too large."""
    how = Built(plans.ENDPOINTS[: scope.endpoints], remedies=frozenset(remedies), rendering=rendering)
    system = AsBuilt(how, scope)
    if scope.plans * scope.endpoints > _GRAPH_MOST:
        found = explore_compiled(system, states_max=STATES_MAX, progress=progress)
        return Verdict(system, _completed(system, found.bounds), found.findings, EVERYTHING - {"wedged"})
    exploration = survey(system, states_max=STATES_MAX, progress=progress)
    bounds = _completed(system, exploration.result.bounds)
    lost = lost_states(exploration, system)
    last = wedge(exploration, system, lost)
    findings = exploration.result.findings
    return Verdict(system, bounds, (*findings, last) if last else findings, EVERYTHING, len(lost))


def _completed(system: AsBuilt, bounds: Bounds) -> Bounds:
    if not bounds.complete:
        raise StandfastError(
            f"The search of {system.title} was not finished: {bounds.states:,} states seen.",
            "Let it run to its end, or take a smaller scope.",
        )
    return bounds
