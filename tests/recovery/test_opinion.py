"""What a source thinks of health counts little, late, and never against nothing."""

import itertools

import pytest

from standfast.model.fleet import Verdict
from standfast.recovery.opinion import FALL, RISE, Opinion, advised, told

UP, DOWN, UNKNOWN = Verdict("up", "3 healthy"), Verdict("down", "no target is healthy"), Verdict("unknown", "silent")


def after(*said: Verdict) -> str:
    opinion = Opinion()
    for one in said:
        opinion = told(opinion, one)
    return opinion.state


def test_it_has_to_be_repeated() -> None:
    assert after(*[DOWN] * (FALL - 1)) == "unknown"
    assert after(*[DOWN] * FALL) == "down"
    assert after(*[DOWN] * FALL, *[UP] * (RISE - 1)) == "down"
    assert after(*[DOWN] * FALL, *[UP] * RISE) == "up"
    assert after(*[UP] * RISE, *[DOWN, UP] * 20) == "up", "alternating results move nothing"


def test_unknown_counts_at_once() -> None:
    assert after(*[DOWN] * FALL, UNKNOWN) == "unknown"


@pytest.mark.parametrize(
    ("own", "opinion", "checked", "decides", "state"),
    [
        (UP, DOWN, True, False, "up"),  # through the front door it works
        (UP, DOWN, True, True, "down"),
        (UP, DOWN, False, False, "down"),  # nothing is checked, so "up" is no evidence
        (UNKNOWN, DOWN, True, False, "down"),
        (UNKNOWN, UP, True, False, "up"),
        (DOWN, UP, True, True, "down"),  # nobody talks a dead one up
    ],
)
def test_both_together(own: Verdict, opinion: Verdict, checked: bool, decides: bool, state: str) -> None:
    assert advised(own, opinion, checked=checked, decides=decides).state == state


def test_no_opinion_changes_nothing() -> None:
    for own, checked, decides in itertools.product((UP, DOWN, UNKNOWN), (False, True), (False, True)):
        for none in (None, UNKNOWN):
            assert advised(own, none, checked=checked, decides=decides) == own


def test_a_newcomer_warms_up_whatever_is_told() -> None:
    warming = Verdict("warming", "new")
    assert advised(warming, UP, checked=True, decides=True) == warming
