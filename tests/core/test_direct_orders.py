"""Emergency publish, take-over, the way out: what they write and refuse, and what a planner makes of it."""

import pytest
from msgspec.structs import replace

from standfast.core import direct
from standfast.core.direct import Ended
from standfast.core.emergency import Emergency, TakeOver
from standfast.core.leaving import Leave
from standfast.core.publisher import Assignment, Done, publish
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.marker import EMERGENCY, Floor, Marker, marker_rdata
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRset, RRType, addresses, txt_rdata
from standfast.ports import provider_spec, store_spec
from standfast.ports.provider import Read, Replace, Unknown
from standfast.ports.provider_spec import ZoneState
from world.invented import ZONE, Actor, World, floor, marker, served
from world.schedules import API, NEW, OLD, WWW, history

WIDE = addresses(60, ["192.0.2.77", "192.0.2.78"])
LEAST = ((int(RRType.A), 1),)
emergency = Emergency("main", ZONE, "alice@ops1", WWW, WIDE, LEAST)
take = TakeOver("main", ZONE, "alice@ops1", WWW)
leave = Leave("main", ZONE, "alice@ops1", (WWW, API), size=1)
Order = Emergency | TakeOver | Leave


def stands() -> World:
    """The first plan is in the zone, the second is published and not enacted."""
    world = World(0, history((OLD, OLD), (NEW, OLD)))
    world.publish()
    world.settle(world.actors[0])
    return world


def obey(world: World, order: Order, *, until: str = "") -> Ended | Replace:
    """Carry it out without faults; or up to the change of that endpoint, which is returned: its sender died there."""
    phase, nobody = direct.begin(order), Actor("operator")
    for _ in range(400):
        if isinstance(phase, Ended):
            return phase
        request = phase.request
        if until and isinstance(request, Replace) and any(one.name == until for one in request.writes):
            return request
        phase = phase.heard(world.answer(nobody, request, faults=False))  # type: ignore[arg-type]
    raise AssertionError("the order does not end")


def ended(world: World, order: Order) -> Ended:
    found = obey(world, order)
    assert isinstance(found, Ended)
    return found


def hand(world: World, changes: dict[tuple[str, int], RRset | None]) -> None:
    """People change the zone; None deletes."""
    rrsets = {key: rrset for key, rrset in {**world.zone.rrsets, **changes}.items() if rrset is not None}
    world.zone = ZoneState(ZONE, rrsets, world.zone.serial + 1)


def put(world: World, name: str, held: Marker) -> None:
    """A marker by hand."""
    owner = marker_owner(name, ZONE)
    rrset = RRset.of(RRType.TXT, 60, [marker_rdata(held, ZONE, owner)])
    hand(world, {(owner, int(RRType.TXT)): rrset})


def of_stream(stream: str, state: str = "live") -> Marker:
    return Marker(stream, 3, 3, "abcd", state, "b", "00ff" * 4)  # type: ignore[arg-type]


def test_an_emergency_is_above_everything_and_no_older_plan_undoes_it() -> None:
    world = stands()
    assert ended(world, emergency).generation == 2
    held, low = marker(world.zone, WWW), floor(world.zone)
    assert isinstance(held, Marker)
    assert isinstance(low, Floor)
    assert (held.since, held.generation, held.plan, held.writer) == (2, 2, EMERGENCY, "alice@ops1")
    assert low.generation == 2
    assert served(world.zone, WWW) == ("192.0.2.77", "192.0.2.78")
    world.settle(world.actors[0])
    assert served(world.zone, WWW) == ("192.0.2.77", "192.0.2.78")
    assert ended(world, replace(emergency, above=41)).generation == 42


def test_an_emergency_asserts_what_it_replaces() -> None:
    world = stands()
    late = obey(world, emergency, until=WWW)
    assert isinstance(late, Replace)
    assert ended(world, replace(emergency, rrsets=addresses(60, ["192.0.2.99"]))).result == "done"
    after, _ = provider_spec.apply(world.zone, late)
    assert after == world.zone, "the one that was delayed loses"


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (of_stream("other"), "belongs to stream other"),
        (of_stream("main", "retired"), "a tombstone"),
        (of_stream("main", "frozen"), "is frozen"),
    ],
)
def test_an_emergency_is_no_way_around_a_marker(held: Marker, why: str) -> None:
    world = stands()
    put(world, WWW, held)
    before = world.zone
    found = ended(world, emergency)
    assert (found.result, why in found.why) == ("refused", True)
    assert world.zone == before


def test_without_a_floor_and_without_addresses_nothing_is_published() -> None:
    world = stands()
    assert ended(world, replace(emergency, rrsets=())).result == "refused"
    hand(world, {("main._floor._standfast." + ZONE, int(RRType.TXT)): None})
    found = ended(world, emergency)
    assert found.result == "refused"
    assert "freezing the zone and thawing it rebuilds it" in found.why


def test_a_take_over_crosses_another_streams_marker_and_keeps_the_addresses() -> None:
    world = stands()
    assert ended(world, take).result == "refused", "it is ours"
    put(world, WWW, of_stream("other"))
    late = obey(world, take, until=WWW)
    assert ended(world, take).generation == 4
    held = marker(world.zone, WWW)
    assert isinstance(held, Marker)
    assert (held.stream, held.since, held.plan) == ("main", 4, "none")
    assert served(world.zone, WWW) == OLD
    assert isinstance(late, Replace)
    assert provider_spec.apply(world.zone, late)[0] == world.zone
    put(world, API, of_stream("other", "frozen"))
    assert ended(world, replace(take, name=API)).result == "refused", "its stream froze it"


# The planner


FIRST_PLAN = history((OLD, OLD))[0]


FLEET = Fleet((LoadBalancer("lb-1", "a", "main", ("192.0.2.77", "192.0.2.1"), (), 100),))
POLICIES = tuple(EndpointPolicy(name, ZONE, min_answers=1, hold_below=0.0, removal_share=1.0) for name in (WWW, API))


def planned(
    world: World, *, held: Plan | None, blind: str = "", prefixes: tuple[tuple[str, tuple[str, ...]], ...] = ()
) -> Plan | None:
    """One pass of a planner just started; readings of `blind` fail."""
    verdicts = tuple((one.id, Verdict("up", "")) for one in FLEET.load_balancers)
    task = Assignment(
        "main", (ZONE,), FLEET, verdicts, POLICIES, 0.0, "planner", held=held, survey=True, prefixes=prefixes
    )
    phase: object = publish(task)
    store = store_spec.StoreState(held.head, (held,)) if held else store_spec.StoreState()
    while not isinstance(phase, Done):
        request = phase.request  # type: ignore[attr-defined]
        if isinstance(request, Read):
            reply: object = provider_spec.apply(world.zone, request)[1]
            if blind and any(owner == blind for owner, _ in request.keys):
                values = [
                    Unknown("no answer") if owner == blind else value
                    for (owner, _), value in zip(request.keys, reply.values, strict=True)  # type: ignore[attr-defined]
                ]
                reply = replace(reply, values=tuple(values))  # type: ignore[type-var]
        else:
            store, reply = store_spec.apply(store, request)
        phase = phase.heard(reply)  # type: ignore[attr-defined]
    return phase.outcome.plan if phase.outcome.kind == "published" else None


def test_a_planner_takes_over_an_emergency_as_held() -> None:
    world = stands()
    ended(world, emergency)
    plan = planned(world, held=FIRST_PLAN)
    assert plan is not None
    entry = plan.entry((ZONE, WWW))
    assert entry is not None
    assert entry.rrsets == WIDE
    assert entry.held == "emergency publish by alice@ops1 (g2)"
    assert entry.since == plan.generation > 2
    other = plan.entry((ZONE, API))
    assert other is not None
    assert not other.held
    assert [(one.load_balancer, one.served) for one in entry.members] == [("lb-1", True)]


def test_without_any_plan_an_emergency_is_still_held() -> None:
    world = stands()
    ended(world, emergency)
    plan = planned(world, held=None)
    assert plan is not None
    entry = plan.entry((ZONE, WWW))
    assert entry is not None
    assert (entry.rrsets, bool(entry.held)) == (WIDE, True)


@pytest.mark.parametrize("held", [True, False])
def test_an_emergency_that_cannot_be_read_is_not_planned_over(held: bool) -> None:
    world = stands()
    ended(world, emergency)
    plan = planned(world, held=FIRST_PLAN if held else None, blind=WWW)
    entry = plan.entry((ZONE, WWW)) if plan is not None else None
    assert entry is None or (entry.held and entry.since < 2)


def test_an_emergency_outside_the_prefixes_gets_into_no_plan_and_is_not_undone() -> None:
    """Whoever can write a marker of ours could else have the planner publish any address."""
    world = stands()
    ended(world, emergency)
    plan = planned(world, held=FIRST_PLAN, prefixes=((ZONE, ("203.0.113.0/24",)),))
    assert plan is not None
    entry, before = plan.entry((ZONE, WWW)), FIRST_PLAN.entry((ZONE, WWW))
    assert entry is not None
    assert before is not None
    assert (entry.rrsets, entry.since) == (before.rrsets, before.since)
    why = "what it has is outside the prefixes that may be published"
    assert entry.held == f"emergency publish by alice@ops1 (g2), {why}"


def test_an_emergency_that_people_emptied_is_over() -> None:
    world = stands()
    ended(world, emergency)
    hand(world, {(WWW, int(RRType.A)): None})
    plan = planned(world, held=FIRST_PLAN)
    assert plan is not None
    entry = plan.entry((ZONE, WWW))
    assert entry is not None
    assert (entry.held, len(entry.rrsets)) == ("", 1)


# Leaving


def ours(zone: ZoneState) -> list[str]:
    return sorted(owner for owner, _ in zone.rrsets if "_standfast" in owner)


def test_the_way_out_takes_everything_of_ours_and_nothing_else() -> None:
    world = stands()
    addresses_before = {key: one for key, one in world.zone.rrsets.items() if "_standfast" not in key[0]}
    ends: list[str] = []
    world.on_write = lambda before, after, change: ends.extend(set(ours(before)) - set(ours(after)))
    assert ended(world, leave).result == "done"
    assert ours(world.zone) == []
    assert sorted(ends[-2:]) == ["main._first._standfast." + ZONE, "main._floor._standfast." + ZONE]
    assert dict(world.zone.rrsets) == addresses_before
    assert ended(world, leave).why == "nothing of ours is there"


def test_garbage_goes_tombstones_go_other_streams_stay() -> None:
    world = stands()
    put(world, WWW, of_stream("other"))
    garbage = RRset.of(RRType.TXT, 60, [txt_rdata("nonsense")])
    hand(world, {(marker_owner(API, ZONE), int(RRType.TXT)): garbage})
    found = ended(world, leave)
    assert (found.result, found.passed_over) == ("done", ((WWW, f"{WWW} belongs to stream other"),))
    assert ours(world.zone) == [marker_owner(WWW, ZONE)]


def test_nothing_that_was_sent_before_lands_after_leaving() -> None:
    world = stands()
    actor = world.actors[0]
    late: list[Replace] = []
    world.publish()
    core = actor.core.wake("look", 0.0)
    while (request := core.request) is not None and not late:
        if isinstance(request, Replace):
            late.append(request)
        else:
            core = core.heard(world.answer(actor, request, faults=False))
    assert late
    assert ended(world, leave).result == "done"
    after, _ = provider_spec.apply(world.zone, late[0])
    assert after == world.zone


@pytest.mark.parametrize("state", ["frozen", "placeholder"])
def test_nothing_is_taken_away_under_a_freeze(state: str) -> None:
    world = stands()
    put(world, WWW, of_stream("main", state))
    before = world.zone
    found = ended(world, leave)
    assert (found.result, "thaw it first" in found.why) == ("refused", True)
    assert world.zone == before


def test_whoever_puts_a_marker_back_is_seen() -> None:
    world = stands()
    assert ended(world, replace(leave, names=(WWW,), canary=True)).result == "done"
    assert marker_owner(WWW, ZONE) not in ours(world.zone)
    assert len(ours(world.zone)) == 3
    world.settle(world.actors[0])  # an enactor that nobody stopped
    found = ended(world, replace(leave, gone=(WWW,)))
    assert (found.result, "came back" in found.why) == ("moved", True)
    assert len(ours(world.zone)) == 4


def test_whoever_writes_meanwhile_is_seen() -> None:
    world = stands()
    world.publish()
    late = obey(world, leave, until=WWW)
    assert isinstance(late, Replace)
    world.settle(world.actors[0])
    assert provider_spec.apply(world.zone, late)[0] == world.zone
