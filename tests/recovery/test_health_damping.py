"""Damping of flapping, what a failure is worth, and a clock that goes back."""

import pytest

from standfast.model.fleet import Verdict
from standfast.recovery.health import (
    Evidence,
    Failed,
    Health,
    HealthPolicy,
    Passed,
    observed,
    paced,
    returns_at,
    started,
    verdict,
)

POLICY = HealthPolicy()
REFUSED = Failed("connection refused")


class Row:
    """Checks at 5 s, one after the other."""

    def __init__(self, health: Health | None = None) -> None:
        self.health = health or started(POLICY, 0.0, newcomer=False)
        self.now = 0.0

    def passes(self, count: int) -> "Row":
        for _ in range(count):
            self._take(Passed(), Evidence())
        return self

    def fails(self, count: int, evidence: Evidence | None = None) -> "Row":
        for _ in range(count):
            self._take(REFUSED, evidence or Evidence())
        return self

    def _take(self, observation: Passed | Failed, evidence: Evidence) -> None:
        self.now += 5.0
        self.health = observed(self.health, observation, self.now, evidence)

    @property
    def state(self) -> str:
        return verdict(self.health, self.now).state

    def until_up(self) -> float:
        """Seconds of passes until it is up."""
        begun = self.now + 5.0
        for _ in range(400):
            self.passes(1)
            if self.state == "up":
                return self.now - begun
        raise AssertionError("it never returns")


def fallen(times: int) -> Row:
    row = Row().passes(6)
    for fall in range(times):
        row.fails(3)
        assert row.state == "down"
        if fall + 1 < times:
            row.until_up()
    return row


@pytest.mark.parametrize(("times", "seconds"), [(1, 25), (2, 60), (3, 120), (4, 240), (5, 480), (6, 900), (9, 900)])
def test_each_fall_makes_the_return_twice_as_long_up_to_a_bound(times: int, seconds: float) -> None:
    assert fallen(times).until_up() == seconds


def test_the_reason_says_why_it_stays_away_and_for_how_long() -> None:
    row = fallen(3)
    assert verdict(row.health, row.now).reason == (
        "failed 3 checks in a row: connection refused; it fell 3 times lately, "
        "so it returns only after 120 s of passed checks"
    )
    assert returns_at(row.health, row.now) is None, "it fails: nothing can be told"
    row.passes(1)
    assert returns_at(row.health, row.now) == row.now + 120.0
    promised = returns_at(row.health, row.now)
    row.until_up()
    assert row.now == promised
    assert verdict(row.health, row.now).reason == "6 checks passed, over 120 s because it flapped"
    assert returns_at(row.health, row.now) is None


def test_ten_minutes_of_being_up_are_a_pardon() -> None:
    row = fallen(4)
    row.until_up()
    row.passes(120).fails(3)
    assert (row.state, row.health.flaps) == ("down", 1)
    assert row.until_up() == 25


def test_a_bound_of_nothing_is_no_damping() -> None:
    row = Row(started(HealthPolicy(damp_max_s=0.0), 0.0, newcomer=False))
    for _ in range(4):
        row.passes(6)
        assert row.state == "up"
        row.fails(3)
        assert row.state == "down"


def test_a_failure_while_it_is_away_begins_the_row_again() -> None:
    row = fallen(3)
    row.passes(20).fails(1)
    assert row.until_up() == 120


def test_a_restart_does_not_forget_the_falls() -> None:
    seed = Verdict("down", "as it was")
    row = Row(started(POLICY, 0.0, newcomer=False, seed=seed, flaps=3))
    assert row.until_up() == 120
    row.fails(3)
    assert row.health.flaps == 4


def test_silence_does_not_forget_the_falls_either() -> None:
    row = fallen(3)
    row.now += 100.0
    assert row.state == "unknown"
    assert row.until_up() == 120


@pytest.mark.parametrize("flaps", [-5, 10**9])
def test_what_was_told_of_falls_is_bounded(flaps: int) -> None:
    health = started(POLICY, 0.0, newcomer=False, seed=Verdict("down", "x"), flaps=flaps)
    assert POLICY.hold_s(health.flaps) in (0.0, 900.0)


def test_an_unwitnessed_failure_is_as_if_nobody_had_looked() -> None:
    row = Row().passes(6).fails(3, Evidence(witnessed=False))
    assert row.state == "up"
    row.fails(1, Evidence(witnessed=False))
    conclusion = verdict(row.health, row.now)
    assert conclusion.state == "unknown"
    assert conclusion.reason == "its checks fail, and so do all others: this observer sees nothing"
    row.passes(5)
    assert row.state == "unknown"
    assert row.passes(1).state == "up"


def test_nobody_is_down_right_after_sight_returns() -> None:
    row = Row().passes(6).fails(40, Evidence(witnessed=False)).fails(2)
    assert row.state == "unknown"
    assert row.fails(1).state == "down"


def test_who_fails_with_most_of_its_az_must_fail_twice_as_often() -> None:
    together = Evidence(together="3 of 3 in AZ b failed together")
    row = Row().passes(6).fails(5, together)
    assert row.state == "up"
    row.fails(1, together)
    assert verdict(row.health, row.now) == Verdict(
        "down", "failed 6 checks in a row: connection refused (3 of 3 in AZ b failed together)"
    )


def test_who_is_left_alone_in_its_failing_is_down_at_once() -> None:
    row = Row().passes(6).fails(4, Evidence(together="2 of 2 in AZ b failed together"))
    assert row.state == "up"
    assert row.fails(1).state == "down"


def test_a_clock_that_goes_back_keeps_what_has_lasted() -> None:
    row = fallen(3)
    row.passes(13)
    row.now -= 10_000.0
    assert row.state == "down"
    row.passes(13)
    assert row.state == "up", "60 s of 120 had passed before the clock went back"


def test_a_stretched_pace_is_no_silence() -> None:
    row = Row().passes(6)
    assert verdict(paced(row.health, 20.0), row.now + 50.0).state == "up"
    assert verdict(paced(row.health, 20.0), row.now + 61.0).state == "unknown"
    assert paced(row.health, 5.0) is row.health
