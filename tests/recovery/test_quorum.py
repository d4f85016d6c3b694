"""Several vantage points: who is heard, what a majority is, and how many see it down from outside."""

from itertools import combinations, product

import pytest

from standfast.model.fleet import Verdict, VerdictState
from standfast.recovery.quorum import (
    Standing,
    Vantage,
    Vote,
    Voter,
    concluded,
    heard,
    majority,
    returns_at,
    seen_from,
    standing,
)

A, B, OFFICE = Vantage("ops1", "a"), Vantage("ops2", "b"), Vantage("office")
SILENCE_S = 15.0


def votes(*states: VerdictState) -> list[Vote]:
    some = [A, B, OFFICE, Vantage("ops4", "c"), Vantage("ops5", "a")][: len(states)]
    return [Vote(one, state, f"{state} it is") for one, state in zip(some, states, strict=True)]


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (("down",), "down"),
        (("up", "down"), "unknown"),
        (("down", "down"), "down"),
        (("down", "down", "up"), "down"),
        (("up", "up", "down"), "up"),
        (("down", "unknown", "unknown"), "unknown"),
        (("up", "unknown", "unknown"), "unknown"),
        (("down", "up", "unknown"), "unknown"),
        (("warming", "warming", "down"), "warming"),
        (("up", "warming", "unknown"), "warming"),
        (("up", "up", "down", "down", "unknown"), "unknown"),
        (("down", "down", "down", "unknown", "up"), "down"),
    ],
)
def test_the_majority_of_all_decides(states: tuple[VerdictState, ...], verdict: VerdictState) -> None:
    assert concluded(votes(*states), "a").state == verdict


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_no_absence_makes_anybody_down_or_up(count: int) -> None:
    """Whoever of the others is not heard: the verdict is what it was, or unknown."""
    states: tuple[VerdictState, ...] = ("up", "down", "warming")
    for whole in product(states, repeat=count):
        all_heard = concluded(votes(*whole), "a").state
        for lost in range(1, count + 1):
            for absent in combinations(range(count), lost):
                left: list[VerdictState] = ["unknown" if i in absent else one for i, one in enumerate(whole)]
                found = concluded(votes(*left), "a").state
                assert found in (all_heard, "unknown") or (found, all_heard) == ("warming", "up"), (whole, absent)


@pytest.mark.parametrize("count", [3, 5])
def test_a_minority_of_liars_takes_nobody_out_and_puts_nobody_in(count: int) -> None:
    cases: list[tuple[VerdictState, VerdictState]] = [("up", "down"), ("down", "up")]
    for truth, lie in cases:
        lies = (count - 1) // 2
        told = [lie] * lies + [truth] * (count - lies)
        assert concluded(votes(*told), "a").state == truth


def test_those_outside_its_az_are_counted() -> None:
    assert concluded(votes("down", "down", "down"), "a").outside == 2
    assert concluded(votes("down", "down", "down"), "c").outside == 3
    assert concluded(votes("down", "up", "down"), "a").outside == 1, "an office is outside of every AZ"
    assert concluded(votes("down", "unknown", "unknown"), "a").outside == 0


def test_the_words_stay_while_the_verdict_does() -> None:
    first = concluded(votes("down", "down", "up"), "a")
    assert first.reason == "down it is, seen from ops1 and ops2"
    assert concluded(votes("down", "down", "down"), "a", first).reason == first.reason
    assert concluded(votes("up", "up", "down"), "a", first).reason == "up it is, seen from ops1 and ops2"
    assert concluded(votes("down"), "a") == Verdict("down", "down it is", 0)
    split = concluded(votes("down", "up", "unknown"), "a").reason
    assert split == "no 2 of 3 vantage points agree: ops1 down; ops2 up; office unknown (unknown it is)"


def test_votes_in_one_phrase() -> None:
    assert seen_from(votes("down", "up", "unknown", "warming")) == "ops1 ✗  ops2 ✓  office ?  ops4 …"


def test_a_majority_sees_it_back_when_the_slowest_of_it_does() -> None:
    assert returns_at([10.0, 30.0, 20.0], 3) == 20.0
    assert returns_at([10.0, None, None], 3) is None
    assert [majority(count) for count in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]


class Ear:
    """A listener, and how a voter stands with it."""

    def __init__(self, revision: int = 0, instance: str = "") -> None:
        self.voter = heard(Voter(), revision, instance, 100.0, SILENCE_S)

    def hears(self, revision: int, at: float, instance: str = "one") -> Standing:
        self.voter = heard(self.voter, revision, instance, at, SILENCE_S)
        return standing(self.voter, at, SILENCE_S)


def test_who_never_spoke_is_absent_and_its_first_word_counts() -> None:
    ear = Ear()
    assert ear.hears(0, 110.0, "") == "absent"
    assert ear.hears(1, 112.0) == "heard"
    assert standing(ear.voter, 127.1, SILENCE_S) == "silent"


def test_what_stood_there_at_our_start_may_be_of_last_week() -> None:
    ear = Ear(7, "one")
    assert ear.hears(7, 101.0) == "late"
    assert ear.hears(8, 104.0) == "heard"


def test_a_word_after_a_silence_may_have_been_on_its_way_as_long() -> None:
    ear = Ear()
    ear.hears(1, 101.0)
    assert ear.hears(2, 160.0) == "late"
    assert ear.hears(3, 165.0) == "heard"


def test_a_repeated_word_is_no_new_one() -> None:
    ear = Ear()
    ear.hears(1, 101.0)
    ear.hears(1, 110.0)
    assert ear.hears(1, 117.0) == "silent"


def test_two_processes_in_one_name_are_neither() -> None:
    ear = Ear()
    ear.hears(1, 101.0)
    for step in range(6):
        revision = 2 + step
        assert ear.hears(revision, 103.0 + 2 * step, f"{step % 2}") == "late"
    assert ear.hears(20, 116.0, "1") == "heard", "the other has stopped"


def test_a_store_put_back_is_not_believed_at_once() -> None:
    ear = Ear()
    ear.hears(1, 101.0)
    ear.hears(9, 105.0)
    assert ear.hears(4, 107.0) == "late"
    assert ear.hears(5, 110.0) == "heard"


def test_a_clock_that_goes_back_keeps_nobody_heard_for_long() -> None:
    ear = Ear()
    ear.hears(1, 101.0)
    assert ear.hears(1, -5000.0) == "heard"
    assert standing(ear.voter, -4984.0, SILENCE_S) == "silent"
