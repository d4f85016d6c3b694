"""Small scopes of the systems that matter: both engines and Spin count the same, reduced and unreduced."""

from collections.abc import Callable

import pytest

from standfast.sim.asbuilt.remedies import Built
from standfast.sim.asbuilt.system import AsBuilt, Scope
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.compiled import explore_compiled
from standfast.sim.search.exploring import explore, survey
from standfast.sim.search.product import System
from standfast.sim.search.spin import agreement
from standfast.sim.world.bounds import Run
from standfast.sim.world.histories import history
from standfast.sim.world.world import World


def as_built() -> System:
    return AsBuilt(Built(("www.example",)), Scope(2, 2, 1), fused=False)


def standfast(*, hands: int = 1) -> System:
    """One act by hand, or none."""
    run = Run(
        name="small",
        about="a delayed write beside a deleted marker",
        plans=history("a", "b"),
        flights=1,
        faults=frozenset({"late", "lost"}),
        hands=("marker",)[:hands],
        acts=hands,
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


def untouched() -> System:
    return standfast(hands=0)


@pytest.mark.parametrize("system", [as_built, untouched])
def test_the_states_unreduced_are_the_reduced_ones(system: Callable[[], System]) -> None:
    """Every state of the one is a state of the other, and none is left over."""
    bare = survey(system(), states_max=100_000, reductions=Reductions(numbering=False, symmetry=False, fusion=False))
    full = survey(system(), states_max=100_000)
    assert bare.result.bounds.complete
    assert len(bare) > len(full)
    assert {full.number(bare.values(state)) for state in range(len(bare))} == set(range(len(full)))
    assert {one.property: len(one.steps) for one in bare.result.findings} == {
        one.property: len(one.steps) for one in full.result.findings
    }
