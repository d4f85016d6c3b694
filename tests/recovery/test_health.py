"""What a row of checks concludes."""

import pytest

from standfast.model.fleet import Verdict
from standfast.recovery.health import Failed, Health, HealthPolicy, Observation, Passed, observed, started, verdict

POLICY = HealthPolicy()
REFUSED = Failed("connection refused")


def after(health: Health, observations: list[Observation], begin: float = 0.0, step: float = 5.0) -> Health:
    for place, observation in enumerate(observations):
        health = observed(health, observation, begin + place * step)
    return health


def up() -> Health:
    return after(started(POLICY, 0.0, newcomer=False), [Passed()] * 6)


def test_nothing_is_known_at_the_start() -> None:
    assert verdict(started(POLICY, 0.0, newcomer=False), 0.0) == Verdict("unknown", "not checked yet")


@pytest.mark.parametrize(("passes", "state"), [(5, "unknown"), (6, "up")])
def test_six_passes_make_up(passes: int, state: str) -> None:
    health = after(started(POLICY, 0.0, newcomer=False), [Passed()] * passes)
    assert verdict(health, 30.0).state == state


@pytest.mark.parametrize(("failures", "state"), [(2, "up"), (3, "down")])
def test_three_failures_make_down_and_say_why(failures: int, state: str) -> None:
    conclusion = verdict(after(up(), [REFUSED] * failures, 30.0), 40.0)
    assert conclusion.state == state
    if state == "down":
        assert conclusion.reason == "failed 3 checks in a row: connection refused"


def test_a_pass_between_failures_begins_the_row_again() -> None:
    health = after(up(), [REFUSED, REFUSED, Passed(), REFUSED, REFUSED], 30.0)
    assert verdict(health, 50.0).state == "up"


def test_back_is_slower_than_out() -> None:
    down = after(up(), [REFUSED] * 3, 30.0)
    assert verdict(after(down, [Passed()] * 5, 45.0), 65.0).state == "down"
    assert verdict(after(down, [Passed()] * 6, 45.0), 70.0) == Verdict("up", "6 checks passed")


def test_the_words_stay_while_the_conclusion_does() -> None:
    down = after(up(), [REFUSED] * 3, 30.0)
    later = after(down, [Failed("timed out")] * 4, 45.0)
    assert verdict(later, 60.0) == verdict(down, 40.0)
    assert after(later, [REFUSED], 65.0) == observed(later, REFUSED, 65.0)


def test_silence_lapses_into_unknown_and_starts_again() -> None:
    health = up()
    assert verdict(health, 40.0).state == "up"
    assert verdict(health, 40.1) == Verdict("unknown", "not checked for more than 15 s")
    assert verdict(observed(health, Passed(), 60.0), 60.0).state == "unknown"


def test_failures_before_a_silence_do_not_count() -> None:
    health = after(up(), [REFUSED, REFUSED], 30.0)
    assert verdict(observed(health, REFUSED, 100.0), 100.0).state == "unknown"


def test_a_clock_that_goes_back_is_no_silence() -> None:
    assert verdict(up(), -1000.0).state == "up"


@pytest.mark.parametrize("state", ["up", "down"])
def test_a_restarted_planner_starts_from_the_last_verdict_until_it_lapses(state: str) -> None:
    seed = Verdict("up" if state == "up" else "down", "as it was")
    health = started(POLICY, 100.0, newcomer=False, seed=seed)
    assert verdict(health, 110.0) == seed
    assert verdict(health, 116.0).state == "unknown"
    assert verdict(after(health, [Passed()] * 6, 105.0), 130.0).state == "up"


def test_a_newcomer_passes_for_a_minute_first() -> None:
    health = started(POLICY, 0.0, newcomer=True)
    assert verdict(after(health, [Passed()] * 12), 55.0).state == "warming"
    assert verdict(after(health, [Passed()] * 13), 60.0).state == "up"


def test_a_newcomer_is_never_down_and_a_failure_begins_its_minute_again() -> None:
    health = after(started(POLICY, 0.0, newcomer=True), [REFUSED] * 9)
    conclusion = verdict(health, 40.0)
    assert conclusion.state == "warming"
    assert conclusion.reason.endswith("its last check failed: connection refused")
    assert verdict(after(health, [Passed()] * 12, 45.0), 100.0).state == "warming"
    assert verdict(after(health, [Passed()] * 13, 45.0), 105.0).state == "up"


def test_a_seed_of_warming_goes_on_warming() -> None:
    seed = Verdict("warming", "new")
    assert verdict(started(POLICY, 0.0, newcomer=False, seed=seed), 0.0).state == "warming"


def test_a_silent_newcomer_begins_its_minute_again() -> None:
    health = after(started(POLICY, 0.0, newcomer=True), [Passed()] * 12)
    assert verdict(observed(health, Passed(), 100.0), 100.0).state == "warming"


def test_a_steady_state_differs_only_by_when_it_was_heard() -> None:
    health = up()
    twice = after(health, [Passed(), Passed()], 30.0)
    assert (twice.passes, twice.failures, twice.state) == (health.passes, health.failures, health.state)
