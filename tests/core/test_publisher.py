"""Publishing, by script where replies go wrong, and over the executable specification of store and provider."""

from collections.abc import Callable, Iterable, Mapping

import pytest
from msgspec.structs import replace

from harness.planning import DOWN, UP, WWW, ZONE, begun, entry_of, fleet, planned, policy, served, verdicts_of
from standfast.core.holding import Hold, Rollback, hold
from standfast.core.publisher import (
    Assignment,
    Done,
    Outcome,
    Phase,
    PublisherReply,
    PublisherRequest,
    publish,
)
from standfast.model.marker import (
    GENERATION_MAX,
    Floor,
    Marker,
    MarkerState,
    floor_rdata,
    marker_rdata,
)
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.plan import Head, Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRset, RRType, addresses, txt_rdata
from standfast.ports import provider_spec, store_spec
from standfast.ports.provider import Key, Read, Readings, Unknown
from standfast.ports.provider_spec import ZoneState
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
from standfast.ports.store_spec import StoreState

OTHER = "other.example"
LOST = Unknown("timed out")


def task(
    *policies: EndpointPolicy,
    ill: Iterable[str] = (),
    held: Plan | None = None,
    zones: tuple[str, ...] = (ZONE,),
    begun: tuple[tuple[str, int], ...] = (),
    survey: bool = False,
) -> Assignment:
    some = fleet(4)
    verdicts = tuple((one.id, DOWN if one.id in ill else UP) for one in some.load_balancers)
    return Assignment(
        "main", zones, some, verdicts, policies or (policy(),), 5.0, "tests", held=held, begun=begun, survey=survey
    )


class World:
    """A store and zones as their specifications have them."""

    def __init__(self, plans: Iterable[Plan] = (), *zones: ZoneState) -> None:
        plans = tuple(plans)
        self.store = StoreState(plans[-1].head if plans else None, plans)
        self.zones = {zone.apex: zone for zone in zones or (ZoneState(ZONE, {}),)}
        self.asked: list[PublisherRequest] = []

    def answer(self, request: PublisherRequest) -> PublisherReply:
        self.asked.append(request)
        if isinstance(request, Read):
            if request.zone not in self.zones:
                return LOST
            _, reply = provider_spec.apply(self.zones[request.zone], request)
            assert isinstance(reply, Readings)
            return reply
        self.store, said = store_spec.apply(self.store, request)
        assert isinstance(said, HeadRead | PlanRead | PlanMissing | Published | HeadMoved | SourceMoved)
        return said

    def run(self, wanted: Assignment) -> Outcome:
        return run(wanted, self.answer)


def run(wanted: Assignment, answer: Callable[[PublisherRequest], PublisherReply]) -> Outcome:
    phase: Phase = publish(wanted)
    for _ in range(200):
        if isinstance(phase, Done):
            return phase.outcome
        assert hash(phase) == hash(replace(phase))
        phase = phase.heard(answer(phase.request))
    raise AssertionError("no end")


def floor_at(generation: int, zone: str = ZONE, *, frozen: bool = False) -> dict[Key, RRset]:
    owner = floor_owner("main", zone)
    floor = Floor("main", generation, "frozen" if frozen else "live", "f" * 16)
    return {(owner, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [floor_rdata(floor, zone, owner)])}


def marker_at(
    name: str, since: int, generation: int, plan: str, *, stream: str = "main", state: MarkerState = "live"
) -> dict[Key, RRset]:
    owner = marker_owner(name, ZONE)
    marker = Marker(stream, since, generation, plan, state, "a", "0" * 16)
    return {(owner, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [marker_rdata(marker, ZONE, owner)])}


def garbage_at(owner: str) -> dict[Key, RRset]:
    return {(owner, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [txt_rdata("garbage")])}


def zone_of(*parts: Mapping[Key, RRset]) -> ZoneState:
    return ZoneState(ZONE, {key: rrset for part in parts for key, rrset in part.items()})


def published(outcome: Outcome) -> Plan:
    assert outcome.kind == "published", outcome
    assert outcome.plan is not None
    return outcome.plan


# Over the specification


def test_the_first_plan_of_an_empty_world() -> None:
    world = World()
    outcome = world.run(task())
    assert published(outcome).generation == 1
    assert world.store.head == published(outcome).head
    assert outcome.begun == ((ZONE, 0),)
    kinds = [type(request) for request in world.asked]
    assert kinds == [ReadHead, Read, Read, Read, Publish]


def test_an_idle_pass_reads_the_head_and_one_floor_a_zone() -> None:
    plan = begun(fleet(4))
    world = World([plan], zone_of(floor_at(1)))
    outcome = world.run(task(held=plan))
    assert (outcome.kind, outcome.plan) == ("unchanged", plan)
    assert [type(request) for request in world.asked] == [ReadHead, Read]


def test_a_change_is_published_on_the_plan_that_was_read() -> None:
    plan = begun(fleet(4))
    world = World([plan], zone_of(floor_at(1)))
    after = published(world.run(task(ill=["lb-1"])))
    assert (after.generation, entry_of(after).since, served(entry_of(after))) == (2, 2, ["lb-2", "lb-3", "lb-4"])
    assert world.store.head == after.head


def test_the_number_is_above_floor_and_markers() -> None:
    plan = begun(fleet(4))
    high = published(World([plan], zone_of(floor_at(40))).run(task(held=plan)))
    assert (high.generation, entry_of(high).since) == (41, 1)
    marked = zone_of(floor_at(1), marker_at(WWW[1], 30, 30, "x"))
    raised = published(World([plan], marked).run(task(held=plan, survey=True)))
    assert (raised.generation, entry_of(raised).since) == (31, 31)
    unseen = World([plan], marked).run(task(held=plan))
    assert unseen.kind == "unchanged"


@pytest.mark.parametrize("damage", ["absent", "garbage"])
def test_where_the_floor_says_nothing_the_markers_speak(damage: str) -> None:
    plan = begun(fleet(4))
    floor = garbage_at(floor_owner("main", ZONE)) if damage == "garbage" else {}
    world = World([plan], zone_of(floor, marker_at(WWW[1], 7, 9, "x")))
    assert published(world.run(task(held=plan))).generation == 10


def test_the_first_entrys_marker_speaks_even_without_any_plan() -> None:
    world = World([], zone_of(marker_at(first_name("main", ZONE), 12, 12, "x")))
    assert published(world.run(task())).generation == 13


def test_a_garbage_marker_is_no_authority_and_no_obstacle() -> None:
    plan = begun(fleet(4))
    world = World([plan], zone_of(garbage_at(marker_owner(WWW[1], ZONE))))
    assert world.run(task(held=plan)).kind == "unchanged"


def test_a_frozen_floor_is_read_like_any_other() -> None:
    plan = begun(fleet(4))
    world = World([plan], zone_of(floor_at(3, frozen=True)))
    assert published(world.run(task(held=plan))).generation == 4


def test_a_number_that_has_none_above_it_is_refused() -> None:
    plan = begun(fleet(4))
    outcome = World([plan], zone_of(floor_at(GENERATION_MAX))).run(task(held=plan))
    assert outcome.kind == "refused"
    assert "no number above" in outcome.why


def test_names_that_stand_need_consent_unless_the_marker_is_ours() -> None:
    standing: dict[Key, RRset] = {(WWW[1], 1): addresses(300, ["192.0.2.99"])[0]}
    wanted = task(policy(), policy("api"))
    outcome = World([], zone_of(standing)).run(wanted)
    assert [one.rule for one in (outcome.draft.refusals if outcome.draft else ())] == ["consent"]
    assert published(outcome).entry(WWW) is None
    taken = published(World([], zone_of(standing)).run(replace(wanted, consents=((WWW[1], "alice"),))))
    assert entry_of(taken).taken == "alice"
    ours = published(World([], zone_of(standing, marker_at(WWW[1], 4, 4, "x"))).run(wanted))
    assert (ours.generation, entry_of(ours).since) == (5, 5)
    theirs = World([], zone_of(standing, marker_at(WWW[1], 4, 4, "x", stream="west"))).run(wanted)
    assert [one.rule for one in (theirs.draft.refusals if theirs.draft else ())] == ["foreign"]
    assert theirs.notes == (f"{WWW[1]} is under a marker of stream west",)


def test_an_answer_made_from_a_wildcard_needs_consent_too() -> None:
    wildcard: dict[Key, RRset] = {(f"*.{ZONE}", 1): addresses(300, ["192.0.2.99"])[0]}
    outcome = World([], zone_of(wildcard)).run(task())
    assert outcome.kind == "unchanged"
    assert outcome.draft is not None
    assert [one.rule for one in outcome.draft.refusals] == ["consent"]


def test_a_zone_that_was_never_read_stands_still_and_others_go_on() -> None:
    api = policy("api", zone=OTHER)
    world = World([], ZoneState(ZONE, {}), ZoneState(OTHER, {}))
    plan = published(world.run(task(policy(), api, zones=(ZONE, OTHER))))
    half = World([plan], zone_of(floor_at(1)))
    wanted = task(policy(), api, zones=(ZONE, OTHER), held=plan, ill=["lb-1"])
    outcome = half.run(wanted)
    after = published(outcome)
    assert (entry_of(after).since, entry_of(after, api.key).since) == (2, 1)
    assert outcome.notes == (f"zone {OTHER} could not be read",)
    known = published(half.__class__([plan], zone_of(floor_at(1))).run(replace(wanted, begun=((OTHER, 5),))))
    assert (known.generation, entry_of(known, api.key).since) == (6, 6)


def test_a_new_endpoint_in_an_unreadable_zone_waits() -> None:
    outcome = World([], zone_of()).run(task(policy(), policy("api", zone=OTHER), zones=(ZONE, OTHER)))
    assert published(outcome).record.zones == (ZONE,)
    assert [one.rule for one in (outcome.draft.refusals if outcome.draft else ())] == ["unreadable"]


# Forks and stores that were set back


def fork_of(plan: Plan) -> Plan:
    """Another plan of the same number, in which www differs."""
    changed = replace(entry_of(plan), rrsets=addresses(60, ["192.0.2.1", "192.0.2.2"]))
    shards = plan.shards.updated([changed])
    return Plan(replace(plan.record, shards=shards.digest), shards)


def test_a_fork_is_published_above_with_what_differs_made_new() -> None:
    plan = begun(fleet(4), policy(), policy("api"))
    world = World([plan], zone_of(floor_at(1)))
    after = published(world.run(task(policy(), policy("api"), held=fork_of(plan))))
    assert (after.generation, entry_of(after).since) == (2, 2)
    assert entry_of(after, policy("api").key).since == 1


def test_a_marker_of_the_other_plan_of_one_number_makes_its_entry_new() -> None:
    plan = begun(fleet(4), policy(), policy("api"))
    marks = (marker_at(WWW[1], 1, 1, fork_of(plan).digest), marker_at(policy("api").name, 1, 1, plan.digest))
    wanted = task(policy(), policy("api"), held=plan, survey=True)
    after = published(World([plan], zone_of(floor_at(1), *marks)).run(wanted))
    assert (after.generation, entry_of(after).since, entry_of(after, policy("api").key).since) == (2, 2, 1)


def test_a_store_that_was_set_back_gets_the_held_plan_again_above() -> None:
    some = fleet(4)
    first = begun(some)
    later = hold(first, (WWW,), 2, "alice", "wait", 1.0).plan
    assert later is not None
    world = World([first], zone_of(floor_at(2)))
    after = published(world.run(task(held=later)))
    assert (after.generation, entry_of(after).held) == (3, "wait")
    assert any(isinstance(one, Read) and len(one.keys) > 1 for one in world.asked)


def test_an_emptied_store_gets_the_held_plan_again() -> None:
    plan = begun(fleet(4))
    after = published(World([], zone_of(floor_at(1))).run(task(held=plan)))
    assert (after.generation, entry_of(after).since) == (2, 1)


def test_without_the_heads_plan_everything_is_new_and_holds_are_kept() -> None:
    some = fleet(4)
    older = hold(begun(some), (WWW,), 2, "alice", "wait", 1.0).plan
    assert older is not None
    world = World([older], zone_of(floor_at(3)))
    world.store = StoreState(Head(3, "gone"), world.store.plans)
    after = published(world.run(task(held=older)))
    assert (after.generation, entry_of(after).since, entry_of(after).held) == (4, 4, "wait")
    nothing = World([], zone_of(floor_at(3), marker_at(WWW[1], 2, 3, "gone")))
    nothing.store = StoreState(Head(3, "gone"), ())
    fresh = published(nothing.run(task()))
    assert (fresh.generation, entry_of(fresh).since) == (4, 4)
    assert sum(isinstance(request, ReadHead) for request in nothing.asked) == 2


# Commands


def test_commands_go_the_same_way() -> None:
    plan = begun(fleet(4))
    changed = planned(fleet(4), verdicts_of(fleet(4), lb_1=DOWN), (policy(),), plan).plan
    assert changed is not None
    world = World([plan, changed], zone_of(floor_at(7)))
    back = published(world.run(replace(task(), command=Rollback(plan, (WWW,), "worse"))))
    assert (back.generation, entry_of(back).since, len(served(entry_of(back)))) == (8, 8, 4)
    refused = World().run(replace(task(), command=Hold((WWW,), "x")))
    assert refused.kind == "refused"


# By script


def scripted(*replies: PublisherReply) -> Callable[[PublisherRequest], PublisherReply]:
    row = iter(replies)
    return lambda request: next(row)


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
