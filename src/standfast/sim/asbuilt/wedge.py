"""The permanent wedge: states from which no enactor can ever bring every endpoint to the latest plan again.

Two things are asked. *Inside a scope* `never_again` goes backwards over the whole graph: there is no path, whatever
the schedule, to a state in which every root refers to the scope's last plan and leads somewhere. That counts also
with enactors in the middle of old plans, one of which might rebuild the tree that the root refers to.

*Beyond a scope* plans are unlimited. A generation counts only by its name, by its order, and by whether it lies at
least `distance` behind an enactor's own plan. So a plan more than `distance` beyond the latest meets nothing that
the plan before it did not meet: each tree in the zones has another name, is older, and is far behind. `is_for_ever`
searches all that can happen with so many more plans; if that brings none, no number of plans does.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from standfast.sim.search.exploring import Exploration, survey
from standfast.sim.search.product import Finding, Value
from standfast.sim.search.reaching import never_again
from standfast.sim.search.tracing import trace

from .driving import behind, is_stuck
from .route53 import HostedZone
from .system import FIRST_ZONE, STORE, AsBuilt

NAME: Final = "wedged"
_FUTURE_STATES_MAX: Final = 2_000_000


def lost_states(exploration: Exploration, system: AsBuilt) -> tuple[int, ...]:
    """The states of a complete exploration from which no schedule leads to the scope's last plan at every endpoint.

    Raises StandfastError if the exploration is not complete.
    """
    last = system.scope.plans

    def all_at_the_last(*values: Value) -> bool:
        return not behind(system.how, last, zones_of(values))

    return never_again(exploration, "the last plan", reads=_zones(system), holds=all_at_the_last).states


def wedge(exploration: Exploration, system: AsBuilt, lost: Sequence[int]) -> Finding | None:
    """A shortest way to a state of no return, whatever is published beyond the scope; None if there is none.

    `lost`: the states from which there is no return within the scope, nearest first.
    """
    for state in lost:
        if is_for_ever(system, exploration.values(state)):
            what = f"nothing leads to plan {system.scope.plans}, nor to any later one, at every endpoint"
            return trace(exploration.graph, exploration.path(state), NAME, what)
    return None


def is_for_ever(system: AsBuilt, state: Sequence[Value]) -> bool:
    """Whether no schedule ever installs any newer plan after this state, with as many more as can matter.

    Raises StandfastError if the search of that could not be finished.
    """
    how, latest = system.how, state[STORE]
    assert isinstance(latest, int)
    most = latest + how.distance + 1
    if not all(is_stuck(how, plan, zones_of(state)) for plan in range(latest + 1, most + 1)):
        return False

    def newer(*values: Value) -> bool:
        return any(not behind(how, plan, zones_of(values)) for plan in range(latest + 1, most + 1))

    future = AsBuilt(how, structs.replace(system.scope, plans=most), start=state)
    exploration = survey(future, states_max=_FUTURE_STATES_MAX)
    return 0 in never_again(exploration, "a newer plan", reads=_zones(future), holds=newer).states


def zones_of(values: Sequence[Value]) -> tuple[HostedZone, ...]:
    """The zones among the values of a state."""
    return tuple(value for value in values if isinstance(value, HostedZone))


def _zones(system: AsBuilt) -> tuple[int, ...]:
    return tuple(range(FIRST_ZONE, FIRST_ZONE + len(system.how.endpoints)))
