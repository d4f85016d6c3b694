"""Scores on planted days, whose errors are known beforehand."""

import pytest

from standfast.sim.region.published import MILESTONES, halves, scorable
from standfast.sim.region.scoring import AIM, score

EXACT = {one.id: float(one.seconds) for one in MILESTONES}


def test_the_published_day_itself_has_no_error() -> None:
    found = score(EXACT)
    assert (found.held_out.count, found.held_out.close, found.held_out.worst) == (7, 7, 0.0)
    assert (found.fitted.count, found.fitted.close, found.fitted.never) == (7, 7, 0)
    assert len(found.lines) == len(MILESTONES)


def test_the_error_is_a_share_of_the_time_since_the_last_input() -> None:
    found = score({**EXACT, "ec2-leases-whole": EXACT["ec2-leases-whole"] + 12 * 60})
    line = next(one for one in found.lines if one.milestone.id == "ec2-leases-whole")
    assert line.since == "sqs-polling-restored"
    assert line.room_s == 48 * 60
    assert line.error == pytest.approx(0.25)
    assert not line.close
    assert found.fitted.worst == pytest.approx(0.25)
    assert found.held_out.worst == 0.0


def test_early_is_as_wrong_as_late_and_the_aim_itself_is_met() -> None:
    for sign in (-1, 1):
        for share, met in ((AIM, True), (AIM * 1.01, False)):
            found = score({**EXACT, "ec2-well": EXACT["ec2-well"] + sign * share * 147 * 60})
            assert (found.held_out.close == 7) is met


def test_never_reached_is_missed_and_said() -> None:
    found = score({**EXACT, "ec2-well": None})
    assert (found.held_out.close, found.held_out.never, found.held_out.count) == (6, 1, 7)
    del found
    nothing = score({})
    assert (nothing.held_out.close, nothing.held_out.never, nothing.held_out.median) == (0, 7, None)


def test_what_scores_nothing_changes_no_tally() -> None:
    unscored = {one.id for one in MILESTONES} - {one.id for one in scorable()}
    found = score({name: (99_999.0 if name in unscored else when) for name, when in EXACT.items()})
    assert found.held_out.worst == found.fitted.worst == 0.0
    assert all((one.error is None) == bool(one.because) for one in found.lines)
    assert {one.milestone.id: one.half for one in found.lines if one.half} == halves()


def test_a_misspelt_milestone_is_refused() -> None:
    with pytest.raises(ValueError, match="no milestone is called ec2-wel"):
        score({"ec2-wel": 0.0})
