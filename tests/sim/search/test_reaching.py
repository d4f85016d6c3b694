"""Backward reachability: what can never be reached again, and that nothing else is said to be lost."""

from typing import Any

import pytest

from sim.search.toys import Toy, ToyRule, lock, outcome, ring
from standfast.errors import StandfastError
from standfast.sim.search.exploring import Exploration, survey
from standfast.sim.search.reaching import never_again


def pitfall() -> Toy:
    """A walker between 0 and 3 may step into a pit (from 2 only) and go on walking there, 10 and 11, for ever."""

    def walk(at: Any) -> Any:
        for following in {0: (1,), 1: (0, 2), 2: (1, 3, 10), 3: (2,), 10: (11,), 11: (10,)}[at]:
            yield outcome("walker", f"goes to {following}", following)

    return Toy("pitfall", ("walker",), (0,), (ToyRule("walk", (0,), (0,), walk),))


def test_the_pit_is_lost_and_nothing_else() -> None:
    explored = survey(pitfall(), states_max=100)
    lost = never_again(explored, "never home again", reads=(0,), holds=lambda at: at == 0)
    assert sorted(explored.values(state)[0] for state in lost.states) == [10, 11]  # type: ignore[type-var]
    assert lost.finding is not None
    assert [state[0] for state in lost.finding.states] == [0, 1, 2, 10]
    assert lost.finding.what == "never home again"


def test_a_step_can_be_the_goal() -> None:
    explored = survey(pitfall(), states_max=100)
    lost = never_again(explored, "", step=lambda step: step.text == "goes to 11")
    assert lost.states == ()
    assert lost.finding is None
    assert len(never_again(explored, "", step=lambda step: step.text == "goes to 3").states) == 2


@pytest.mark.parametrize("toy", [lock(3, fenced=False), ring(4, careless=True)], ids=lambda toy: toy.title)
def test_as_a_forward_search_from_every_state_says(toy: Toy) -> None:
    explored = survey(toy, states_max=10_000)

    def home(value: Any) -> bool:
        return bool(value == toy.start[0])

    def reaches(explored: Exploration, state: int) -> bool:
        seen, waiting = {state}, [state]
        while waiting:
            one = waiting.pop()
            if home(explored.values(one)[0]):
                return True
            new = set(explored.successors(one)) - seen
            seen |= new
            waiting += new
        return False

    expected = tuple(state for state in range(len(explored)) if not reaches(explored, state))
    assert never_again(explored, "", reads=(0,), holds=home).states == expected


def test_nothing_is_said_of_an_unfinished_search() -> None:
    with pytest.raises(StandfastError, match="not finished"):
        never_again(survey(pitfall(), states_max=2), "")
