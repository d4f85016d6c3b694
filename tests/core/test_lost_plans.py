"""A plan that was lost with a store, and that some enactor still holds, against the newer one that does not know it."""

from standfast.core.judgement import Due, FloorView, Judgement, Leave, judge
from standfast.model.entry import Entry
from standfast.model.marker import Marker
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRType, addresses
from standfast.model.shards import Shards

ZONE = "lb.example.com"


def judged(generation: int, since: int, *, marker_since: int, marker_generation: int) -> Judgement:
    """What the holder of a plan does about an entry under a marker that another plan has written."""
    min_answers = ((int(RRType.A), 1),)
    entry = Entry(ZONE, f"www.{ZONE}", since, rrsets=addresses(60, ["192.0.2.1"]), min_answers=min_answers)
    shards = Shards.of([Entry(ZONE, first_name("main", ZONE), 1, kind="first"), entry])
    plan = Plan(PlanRecord("main", generation, shards.digest, (ZONE,), (), "test", "", 0.0), shards)
    marker = Marker("main", marker_since, marker_generation, "d" * 32, "live", "x", "1" * 16)
    return judge(entry, plan, marker, FloorView(max(generation, marker_generation), False, (b"x",)), None)


def test_a_lost_plan_does_not_win_over_a_newer_one_that_does_not_know_it() -> None:
    """Found by simulation: 14 was lost with the store, 15 drawn from 10, and the holder of 14 put its 11 over it."""
    verdict = judged(14, 11, marker_since=10, marker_generation=15)
    assert isinstance(verdict, Leave)
    assert verdict.standing == "superseded"


def test_in_one_history_a_newer_since_is_written() -> None:
    assert isinstance(judged(14, 11, marker_since=10, marker_generation=13), Due)


def test_a_marker_that_an_older_plan_repaired_under_a_newer_generation_blocks_nobody_newer() -> None:
    assert isinstance(judged(16, 16, marker_since=10, marker_generation=15), Due)
