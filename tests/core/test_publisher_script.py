"""Publishing where replies go wrong, by script."""

import pytest
from msgspec.structs import replace

from harness.planning import WWW, ZONE, begun, entry_of, fleet, planned, policy, verdicts_of
from harness.publishing import LOST, World, floor_at, published, run, scripted, task, zone_of
from standfast.core.publisher import (
    Done,
    Phase,
    PublisherReply,
    publish,
)
from standfast.model.plan import Head, Plan
from standfast.ports.provider import Readings
from standfast.ports.store import (
    HeadMoved,
    HeadRead,
    PlanMissing,
    PlanRead,
    Publish,
    Published,
    ReadHead,
    ReadPlan,
    SourceMoved,
)

# By script


PLAN = begun(fleet(4))
FLOOR = Readings((next(iter(floor_at(1).values())),))


@pytest.mark.parametrize(
    ("last", "kind", "words"),
    [
        (Published(), "published", ""),
        (HeadMoved(Head(9, "d")), "moved", "g9 is the head"),
        (HeadMoved(None), "moved", "the store is empty"),
        (SourceMoved("fleet", 12), "source_moved", "source fleet has revision 12"),
        (LOST, "unknown", "timed out"),
        (PlanMissing(), "unknown", "the reply was a PlanMissing"),
    ],
)
def test_however_publication_ends(last: PublisherReply, kind: str, words: str) -> None:
    outcome = run(task(held=PLAN, ill=["lb-1"]), scripted(HeadRead(PLAN.head), FLOOR, last))
    assert (outcome.kind, outcome.begun) == (kind, ((ZONE, 1),))
    assert words in outcome.why
    assert outcome.plan is not None
    assert outcome.plan.generation == (2 if kind == "published" else 1)


@pytest.mark.parametrize(
    "replies",
    [(LOST,), (Published(),), (HeadRead(PLAN.head), LOST), (HeadRead(PLAN.head), PlanMissing(), LOST)],
)
def test_a_store_that_does_not_answer_stops_the_pass(replies: tuple[PublisherReply, ...]) -> None:
    outcome = run(task(begun=((ZONE, 4),)), scripted(*replies))
    assert (outcome.kind, outcome.begun) == ("unknown", ((ZONE, 4),))


@pytest.mark.parametrize("reply", [LOST, Readings(()), Readings((LOST,)), PlanMissing()])
def test_a_floor_that_is_not_heard_leaves_the_zone_as_it_is(reply: PublisherReply) -> None:
    outcome = run(task(held=PLAN, ill=["lb-1"]), scripted(HeadRead(PLAN.head), reply))
    assert outcome.kind == "unchanged"
    assert outcome.begun == ()


def test_a_marker_that_is_not_heard_makes_the_zone_unreadable() -> None:
    wanted = task(held=PLAN, ill=["lb-1"], survey=True)
    outcome = run(wanted, scripted(HeadRead(PLAN.head), FLOOR, Readings((None, LOST))))
    assert outcome.kind == "unchanged"
    known = replace(wanted, begun=((ZONE, 6),))
    after = run(known, scripted(HeadRead(PLAN.head), FLOOR, Readings((None, LOST)), Published()))
    assert published(after).generation == 7


def test_a_new_name_that_is_not_heard_is_not_entered() -> None:
    answers = scripted(HeadRead(PLAN.head), FLOOR, Readings((None, LOST, None)))
    outcome = run(task(policy(), policy("api"), held=PLAN), answers)
    assert outcome.kind == "unchanged"
    assert outcome.draft is not None
    assert [one.rule for one in outcome.draft.refusals] == ["presence"]


def test_a_plan_collected_between_head_and_reading_is_looked_for_again() -> None:
    newer = planned(fleet(4), verdicts_of(fleet(4)), (policy(ttl=30),), PLAN).plan
    assert newer is not None
    answers = scripted(HeadRead(PLAN.head), PlanMissing(), HeadRead(newer.head), PlanRead(newer), FLOOR, FLOOR)
    outcome = run(task(policy(ttl=30)), answers)
    assert (outcome.kind, outcome.plan) == ("unchanged", newer)


def test_what_the_guard_forbids_is_not_published() -> None:
    """Here the preceding plan has an entry from the future, so a change of it would lower its since."""
    shards = PLAN.shards.updated([replace(entry_of(PLAN), since=5)])
    odd = Plan(replace(PLAN.record, shards=shards.digest), shards)
    outcome = run(task(ill=["lb-1"]), scripted(HeadRead(odd.head), PlanRead(odd), FLOOR))
    assert outcome.kind == "refused"
    assert outcome.why == f"{WWW[1]}: since goes back from 5 to 2"


def test_two_planners_race_and_one_is_told_so() -> None:
    world = World([PLAN], zone_of(floor_at(1)))
    mine: Phase = publish(task(held=PLAN, ill=["lb-1"]))
    while not isinstance(mine, Done) and not isinstance(mine.request, Publish):
        mine = mine.heard(world.answer(mine.request))
    theirs = published(world.run(task(held=PLAN, ill=["lb-2"])))
    assert not isinstance(mine, Done)
    done = mine.heard(world.answer(mine.request))
    assert isinstance(done, Done)
    assert done.outcome.kind == "moved"
    assert world.store.head == theirs.head
    again = world.run(task(held=PLAN, ill=["lb-1"]))
    assert published(again).generation == 3


def test_requests_are_what_the_core_may_ask() -> None:
    phase = publish(task())
    assert phase.request == ReadHead()
    reading = phase.heard(HeadRead(PLAN.head))
    assert not isinstance(reading, Done)
    assert reading.request == ReadPlan(PLAN.digest)
