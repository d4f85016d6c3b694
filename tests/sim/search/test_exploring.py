"""The search, against counts made by hand, against a naive one, and against what it must find."""

import pytest

from sim.search.naive import after, count, numbered, representative
from sim.search.toys import Toy, lock, register, ring
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.exploring import explore, survey
from standfast.sim.search.product import Progress, Result

ALL_TOYS = [
    lock(2),
    lock(3),
    lock(3, distinct=True),
    lock(2, fenced=False),
    lock(4, fenced=False),
    ring(2),
    ring(5),
    ring(4, careless=True),
    register(2, versions=True, private=False),
    register(2, versions=False, private=False),
    register(3, versions=False, values=1, private=False),
]


def titled(toy: object) -> str:
    return toy.title if isinstance(toy, Toy) else ""


def complete(system: Toy, reductions: Reductions = Reductions()) -> Result:  # noqa: B008
    result = explore(system, states_max=200_000, reductions=reductions)
    assert result.bounds.complete
    return result


def test_a_ring_has_two_states_a_node() -> None:
    bounds = complete(ring(7)).bounds
    assert (bounds.states, bounds.transitions, bounds.depth) == (14, 21, 7)
    assert bounds.fired == {"work": 14, "give": 7}


@pytest.mark.parametrize("toy", ALL_TOYS, ids=titled)
def test_as_the_naive_search_counts(toy: Toy) -> None:
    result = complete(toy)
    states, transitions, depth, found = count(toy)
    assert (result.bounds.states, result.bounds.transitions, result.bounds.depth) == (states, transitions, depth)
    assert {finding.property: len(finding.steps) for finding in result.findings} == found
    assert sum(result.bounds.fired.values()) == transitions


@pytest.mark.parametrize("toy", ALL_TOYS, ids=titled)
def test_the_states_unreduced_are_the_reduced_ones(toy: Toy) -> None:
    full = survey(toy, states_max=200_000)
    bare = survey(toy, states_max=200_000, reductions=Reductions(numbering=False, symmetry=False, fusion=False))
    assert full.result.bounds.complete
    assert bare.result.bounds.complete
    assert len(bare) >= len(full)
    assert {representative(toy, bare.values(state)) for state in range(len(bare))} == {
        representative(toy, full.values(state)) for state in range(len(full))
    }
    assert {one.property: len(one.steps) for one in bare.result.findings} == {
        one.property: len(one.steps) for one in full.result.findings
    }


@pytest.mark.parametrize("toy", ALL_TOYS, ids=titled)
def test_each_finding_is_a_walk_of_the_system_from_the_start(toy: Toy) -> None:
    for finding in complete(toy).findings:
        assert finding.states[0] == toy.start
        for state, following in zip(finding.states, finding.states[1:], strict=False):
            assert numbered(toy, following) in {numbered(toy, other) for other, _ in after(toy, state)}


def test_symbols_keep_their_names_along_a_trace() -> None:
    (finding,) = complete(lock(2, fenced=False)).findings
    assert [step.text for step in finding.steps] == [
        "takes the lock",
        "lets the lock expire",
        "takes the lock",
        "unlocks",
    ]
    assert len(finding.states) == 5
    first = finding.states[1][0]
    assert [first[1] in str(state) for state in finding.states] == [False, True, True, True, False]  # type: ignore[index]


def test_the_search_goes_on_after_a_finding_unless_told_otherwise() -> None:
    toy = ring(4, careless=True)
    stopped = explore(toy, states_max=10_000, until=lambda name: name == "alone")
    assert [finding.property for finding in stopped.findings] == ["alone"]
    assert not stopped.bounds.complete
    assert stopped.bounds.states < complete(toy).bounds.states


def test_limits_leave_the_search_incomplete_and_say_so() -> None:
    toy = register(3, versions=True, values=3)
    assert explore(toy, states_max=10).bounds.states == 10
    assert not explore(toy, states_max=10).bounds.complete
    assert not explore(toy, states_max=10**6, seconds_max=0.0).bounds.complete
    everything = complete(toy).bounds.states
    assert explore(toy, states_max=everything).bounds.complete


def test_interrupted_from_the_keyboard_it_reports_what_it_saw() -> None:
    toy = register(4, versions=True, values=5, private=False)

    def interrupt(seen: Progress) -> None:
        assert seen.states >= seen.frontier > 0
        raise KeyboardInterrupt

    result = explore(toy, states_max=10**6, progress=interrupt)
    assert not result.bounds.complete
    assert 0 < result.bounds.states < 10**6


def test_terminal_states_are_counted() -> None:
    toy = ring(2)
    stuck = Toy("stuck", toy.places, ("busy", "busy"), (), toy.properties)
    result = complete(stuck)
    assert (result.bounds.terminal, result.bounds.states) == (1, 1)
    assert [finding.what for finding in result.findings] == ["two work at a time"]
    assert complete(toy).bounds.terminal == 0
