"""The permanent wedge: states from which no enactor can ever bring every endpoint to the latest plan again.

Two things are asked. *Inside a scope* `never_again` goes backwards over the whole graph: there is no path, whatever
the schedule, to a state in which every root refers to the scope's last plan and leads somewhere. That counts also
with enactors in the middle of old plans, one of which might rebuild the tree that the root refers to.

*Beyond a scope* plans are unlimited. A generation counts only by its name, by its order, and by whether it lies at
least `distance` behind an enactor's own plan. So a plan more than `distance` beyond the latest meets nothing that
the plan before it did not meet: each tree in the zones has another name, is older, and is far behind. `future` is
the search of all that fresh enactors can do with so many more plans; if that brings none, no number of plans does.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from standfast.sim.search.exploring import Exploration, survey
from standfast.sim.search.product import Finding, Value
from standfast.sim.search.reaching import Lost, never_again

from . import plans
from .remedies import Built
from .route53 import HostedZone
from .system import FIRST_ZONE, STORE, AsBuilt, Scope

NAME: Final = "wedged"
_FUTURE_STATES_MAX: Final = 2_000_000


def wedged(exploration: Exploration, system: AsBuilt) -> Lost:
    """The states of no return of a complete exploration of this system, and a shortest way into one.

    Raises StandfastError if the exploration is not complete.
    """
    last = system.scope.plans

    def all_at_the_last(*values: Value) -> bool:
        return not behind(system.how, last, values)

    what = f"no path leads to plan {last}, nor to any later one, at every endpoint"
    lost = never_again(exploration, what, reads=_zones(system), holds=all_at_the_last)
    return Lost(lost.states, structs.replace(lost.finding, property=NAME) if lost.finding else None)


def behind(how: Built, plan: int, values: Sequence[Value]) -> str:
    """The first endpoint whose root does not lead to its tree of this plan; empty if all do."""
    for endpoint, zone in enumerate(values):
        assert isinstance(zone, HostedZone)
        tree = how.tree(endpoint, plan)
        if plans.root(zone) != tree or tree not in plans.trees(zone):
            return zone.apex
    return ""


def future(system: AsBuilt, finding: Finding, enactors: int = 2) -> AsBuilt:
    """What may happen after the last state of a finding, to fresh enactors with as many more plans as can matter."""
    state = finding.states[-1]
    latest, zones = state[STORE], state[FIRST_ZONE : FIRST_ZONE + len(system.how.endpoints)]
    assert isinstance(latest, int)
    scope = Scope(enactors, latest + system.how.distance + 1, len(system.how.endpoints))
    return AsBuilt(system.how, scope, latest=latest, zones=[zone for zone in zones if isinstance(zone, HostedZone)])


def is_for_ever(system: AsBuilt, finding: Finding) -> bool:
    """Whether no plan beyond the scope is ever installed either, after the last state of this finding.

    Raises StandfastError if the search of that could not be finished.
    """
    after = future(system, finding)
    exploration = survey(after, states_max=_FUTURE_STATES_MAX)
    latest = after.start[STORE]
    assert isinstance(latest, int)

    def newer(*values: Value) -> bool:
        return any(not behind(system.how, plan, values) for plan in range(latest + 1, after.scope.plans + 1))

    lost = never_again(exploration, "a newer plan", reads=_zones(after), holds=newer)
    return bool(lost.states) and lost.states[0] == 0


def _zones(system: AsBuilt) -> tuple[int, ...]:
    return tuple(range(FIRST_ZONE, FIRST_ZONE + len(system.how.endpoints)))
