"""Small scopes of the systems that matter: both engines and Spin count the same, reduced and unreduced."""

from collections.abc import Callable

import pytest

from standfast.sim.asbuilt.remedies import Built
from standfast.sim.asbuilt.system import AsBuilt, Scope
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.compiled import explore_compiled
from standfast.sim.search.exploring import explore
from standfast.sim.search.product import System
from standfast.sim.search.spin import agreement
from standfast.sim.world.bounds import Run
from standfast.sim.world.histories import history
from standfast.sim.world.world import World


def as_built() -> System:
    return AsBuilt(Built(("www.example",)), Scope(2, 2, 1), fused=False)


def standfast() -> System:
    run = Run(
        name="small",
        about="a delayed write beside a deleted marker",
        plans=history("a", "b"),
        flights=1,
        faults=frozenset({"late", "lost"}),
        hands=("marker",),
        acts=1,
        memory=False,
        patience=1,
    )
    return World(run)


@pytest.mark.parametrize("reductions", [Reductions(), Reductions(symmetry=False)], ids=["reduced", "all actors"])
@pytest.mark.parametrize("system", [as_built, standfast])
def test_three_programs_count_the_same(system: Callable[[], System], reductions: Reductions) -> None:
    python = explore(system(), states_max=100_000, reductions=reductions)
    compiled = explore_compiled(system(), states_max=100_000, reductions=reductions)
    assert python.bounds.complete
    assert python.bounds.states > 1_000
    assert (compiled.bounds.states, compiled.bounds.transitions, compiled.bounds.depth, compiled.bounds.fired) == (
        *(python.bounds.states, python.bounds.transitions, python.bounds.depth, python.bounds.fired),
    )
    assert {one.property: len(one.steps) for one in compiled.findings} == {
        one.property: len(one.steps) for one in python.findings
    }
    found = agreement(system(), reductions=reductions, compiled=True)
    assert found.holds
    assert found.states == python.bounds.states
