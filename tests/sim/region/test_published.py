"""What was published, and the choice of what is held out: pinned, and the rules on planted days."""

from standfast.sim.region.published import (
    MILESTONES,
    Milestone,
    clock_of,
    halves,
    last_input_before,
    scorable,
    seconds_of,
    unscored_because,
)

HELD_OUT = [
    "connect-chat-back", "lambda-backlog-done", "sts-fails-again", "nm-well", "ec2-launches-connect", "ec2-well",
    "redshift-replaces",
]  # fmt: skip
FITTED = [
    "ec2-leases-whole", "nm-begins", "nlb-errors", "nm-late", "sts-well", "connect-well", "ecs-well",
]  # fmt: skip


def test_the_choice_is_the_one_made_before_fitting() -> None:
    chosen = halves()
    assert [name for name, half in chosen.items() if half == "held out"] == HELD_OUT
    assert [name for name, half in chosen.items() if half == "fitted"] == FITTED


def test_whatever_is_scored_says_what_is_observed_and_what_is_not_says_why() -> None:
    chosen = {one.id for one in scorable()}
    for one in MILESTONES:
        assert bool(unscored_because(one)) != (one.id in chosen)
        assert bool(one.observed) == (one.id in chosen), one.id


def test_ids_are_unique_and_times_ascend() -> None:
    assert len({one.id for one in MILESTONES}) == len(MILESTONES)
    assert [one.seconds for one in MILESTONES] == sorted(one.seconds for one in MILESTONES)


def test_times_are_counted_from_when_the_endpoint_was_emptied() -> None:
    assert seconds_of("19 Oct 23:48") == 0
    assert seconds_of("19 Oct 23:45") == -180
    assert seconds_of("19 Oct 23:49:33") == 93
    assert seconds_of("20 Oct 02:25") == (2 * 60 + 37) * 60
    assert seconds_of("20 Oct 14:20") == (14 * 60 + 32) * 60
    assert [clock_of(one.seconds) for one in scorable()] == [one.clock for one in scorable()]


def milestone(name: str, pdt: str, kind: str = "outcome") -> Milestone:
    return Milestone(name, pdt, "S", "w", kind, "s", "o")  # type: ignore[arg-type]


PLANTED = (
    milestone("fault", "19 Oct 23:48", "fault"),
    milestone("early", "19 Oct 23:58"),
    milestone("first", "19 Oct 23:59"),
    milestone("near", "20 Oct 00:09"),
    milestone("noticed", "20 Oct 00:15", "report"),
    milestone("second", "20 Oct 00:20"),
    milestone("mended", "20 Oct 00:30", "intervention"),
    milestone("same", "20 Oct 00:30"),
    milestone("third", "20 Oct 00:41"),
)


def test_what_follows_an_input_within_ten_minutes_scores_nothing() -> None:
    assert [one.id for one in scorable(PLANTED)] == ["first", "near", "second", "third"]
    assert unscored_because(PLANTED[1], PLANTED) == "only 10 min after an input (fault)"
    assert unscored_because(PLANTED[7], PLANTED) == "only 0 min after an input (mended)"
    assert last_input_before(PLANTED[8].seconds, PLANTED).id == "mended"


def test_neighbours_share_a_half_and_groups_take_turns() -> None:
    assert halves(PLANTED) == {"first": "held out", "near": "held out", "second": "fitted", "third": "held out"}
