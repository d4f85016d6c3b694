"""October 2025's health checks: each published behaviour with the protections off, none of it with them on."""

from functools import cache
from pathlib import Path

import pytest

from standfast.sim.nlb.fleet import BLINK, COMMON, FLAPPING, OVERLOADED, PATH_CUT, SCENARIOS, STATE_LATE, Scenario
from standfast.sim.nlb.running import PROTECTIONS, Outcome, measured, run, table

DOCUMENT = Path(__file__).parents[3] / "docs/recovery.md"


@cache
def outcomes(scenario: Scenario) -> dict[str, Outcome]:
    return measured(scenario)


def test_as_built_checks_alternate_churn_overloads_and_azs_are_failed_over() -> None:
    none = outcomes(STATE_LATE)["none"]
    assert none.changes > 500, "each failing check takes one out, each passing one brings it back"
    assert none.worst_s > 20.0, "the churn overloads the checker: checks are late by many intervals"
    assert none.failovers >= 3, "late checks count as failed, and AZs are failed over"
    assert none.wrongly > 100
    assert none.lowest == 0.0, "capacity is taken away that serves well"
    assert none.short_s > 600


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_with_all_protections_capacity_stays_and_the_dead_leave(scenario: Scenario) -> None:
    whole = outcomes(scenario)["all"]
    assert whole.short_s == 0
    assert whole.failovers == 0
    if not scenario.everywhere:
        assert whole.wrongly == 0
    if scenario.death_at < scenario.seconds:
        assert whole.noticed_s is not None
        assert whole.noticed_s <= 20.0, "a protection that sees nothing any more is none"


def test_warm_up_keeps_those_away_whose_state_has_not_arrived() -> None:
    found = outcomes(STATE_LATE)
    assert found["all but warm-up"].unready_s > 100 * found["all"].unready_s
    assert found["only warm-up"].failovers == 0


def test_rise_and_fall_alone_end_the_alternation_and_leave_the_unready_in() -> None:
    found = outcomes(STATE_LATE)["only rise and fall"]
    assert (found.wrongly, found.failovers) == (0, 0)
    assert found.unready_s > 10_000


def test_an_overloaded_checker_fails_nobody_if_late_is_unknown_or_nobody_is_late() -> None:
    found = outcomes(OVERLOADED)
    assert found["none"].wrongly >= 60
    assert found["none"].failovers >= 3
    assert found["only late is unknown"].wrongly == 0
    assert found["only fair shedding"].wrongly == 0
    slow, whole = found["all but these two"].noticed_s, found["all"].noticed_s
    assert slow is not None
    assert whole is not None
    assert slow > 4 * whole, "the backlog outlasts the overload"


def test_one_observer_that_is_cut_off_from_an_az_is_outvoted() -> None:
    found = outcomes(PATH_CUT)
    assert (found["all but quorum"].wrongly, found["only quorum"].wrongly) == (20, 0)


def test_without_others_to_ask_a_blink_is_still_confirmed_first() -> None:
    found = outcomes(BLINK)
    assert (found["all but quorum"].wrongly, found["all but quorum and confirmation"].wrongly) == (0, 20)


def test_when_all_are_wrong_what_may_leave_is_still_bounded() -> None:
    found = outcomes(COMMON)
    assert found["all but bounded change"].lowest < 0.4
    assert found["only bounded change"].lowest > 0.6


def test_damping_keeps_one_that_flaps_away() -> None:
    found = outcomes(FLAPPING)
    assert found["all but damping"].changes > 5 * found["all"].changes
    assert found["all but damping"].unready_s > 5 * found["all"].unready_s


def test_the_same_each_time() -> None:
    assert run(BLINK, PROTECTIONS) == run(BLINK, PROTECTIONS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_the_document_has_what_is_measured(scenario: Scenario) -> None:
    assert table(scenario, outcomes(scenario)) in DOCUMENT.read_text(), "python -m standfast.sim.nlb prints the tables"
