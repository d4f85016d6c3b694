"""Publishing over the executable specification of store and zones."""

import pytest
from msgspec.structs import replace

from harness.planning import DOWN, WWW, ZONE, begun, entry_of, fleet, planned, policy, served, verdicts_of
from harness.publishing import OTHER, World, floor_at, garbage_at, marker_at, published, task, zone_of
from standfast.core.holding import Hold, Rollback, hold
from standfast.model.marker import (
    GENERATION_MAX,
)
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.plan import Head, Plan
from standfast.model.rrset import RRset, addresses
from standfast.ports.provider import Key, Read
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import (
    Publish,
    ReadHead,
)
from standfast.ports.store_spec import StoreState

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
    assert (high.generation, entry_of(high).since) == (41, 41)
    marked = zone_of(floor_at(1), marker_at(WWW[1], 30, 30, "x"))
    raised = published(World([plan], marked).run(task(held=plan, survey=True)))
    assert (raised.generation, entry_of(raised).since) == (31, 31)
    unseen = World([plan], marked).run(task(held=plan))
    assert unseen.kind == "unchanged"


def test_where_plans_were_lost_a_marker_that_is_gone_may_have_named_one() -> None:
    """Found by simulation: the store was set back to 1 after 3 had been enacted in www, whose marker was then lost."""
    plan = begun(fleet(4), policy(), policy("api"))
    world = World([plan], zone_of(floor_at(3), marker_at(policy("api").name, 1, 1, plan.digest)))
    after = published(world.run(task(policy(), policy("api"), survey=True)))
    assert after.generation == 4
    assert entry_of(after).since == 4, "an enactor that still holds 3 would put it back over this"
    assert entry_of(after, policy("api").key).since == 1


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
