"""Schedules by hand: each is the shortest way in which one rule of the protocol, left out, goes wrong."""

from collections.abc import Callable

from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.marker import Floor, Marker, floor_rdata
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRset, RRType, txt_rdata
from standfast.model.shards import Shards
from standfast.ports.provider import Conflict, Read, ReadChanges, Readings, Refused, Replace, Unknown
from standfast.ports.provider_spec import ZoneState
from world.invented import ZONE, Actor, World, entry, floor, marker, plan_of, served

WWW, API = f"www.{ZONE}", f"api.{ZONE}"
OLD, MIDDLE, NEW = ("192.0.2.1",), ("192.0.2.2",), ("192.0.2.3",)


def history(*contents: tuple[tuple[str, ...], tuple[str, ...]]) -> list[Plan]:
    """Plans 1, 2, … from (www, api) addresses."""
    plans: list[Plan] = []
    since = {WWW: 1, API: 1}
    for generation, now in enumerate(contents, start=1):
        for name, addresses, before in zip((WWW, API), now, contents[max(0, generation - 2)], strict=True):
            if addresses != before:
                since[name] = generation
        entries = [entry(name, since[name], *addresses) for name, addresses in zip((WWW, API), now, strict=True)]
        plans.append(plan_of(generation, entries))
    return plans


def until_replace(world: World, actor: Actor, name: str) -> Replace:
    """Drive the actor, alone and without faults, to the change that writes `name`, and take it out of its hands."""
    if actor.core.request is None:
        actor.core = actor.core.wake("look" if actor.started else "start", world.now)
        actor.started = True
    for _ in range(500):
        request = actor.core.request
        if isinstance(request, Replace) and any(write.name == name for write in request.writes):
            return request
        assert request is not None, f"{actor.name} never writes {name}"
        world.step(actor, faults=False)
    raise AssertionError(f"{actor.name} never writes {name}")


def drive(world: World, actor: Actor) -> None:
    """Two passes of an actor, alone, without faults, cut off or not as it is."""
    for occasion in ("audit", "audit") if actor.started else ("start", "audit"):
        actor.core = actor.core.wake(occasion, world.now)
        actor.started = True
        for _ in range(500):
            if actor.core.request is None:
                break
            world.step(actor, faults=False)


def hand(world: World, **acts: RRset | None) -> None:
    """People change the zone: `marker`, `floor` and `addresses` of www; None deletes."""
    owners = {
        "marker": (marker_owner(WWW, ZONE), int(RRType.TXT)),
        "floor": (floor_owner("main", ZONE), int(RRType.TXT)),
        "addresses": (WWW, int(RRType.A)),
    }
    rrsets = dict(world.zone.rrsets)
    for what, rrset in acts.items():
        rrsets.pop(owners[what], None)
        if rrset is not None:
            rrsets[owners[what]] = rrset
    world.zone = ZoneState(ZONE, rrsets, world.zone.serial + 1)


def at(world: World, since: int, addresses: tuple[str, ...]) -> None:
    """www is there, and nowhere before it."""
    stands = marker(world.zone, WWW)
    assert isinstance(stands, Marker), f"www has no marker: {stands}"
    assert stands.since == since, f"www is at {stands.since}, not {since}"
    assert served(world.zone, WWW) == addresses, f"www answers {served(world.zone, WWW)}"


def a_delayed_write_of_an_older_plan() -> None:
    """The floor is already high; only the endpoint's own marker stands in the way."""
    world = World(0, history((OLD, OLD), (MIDDLE, OLD), (NEW, NEW)))
    slow, quick = world.actors
    world.publish()
    world.settle(quick)
    world.publish()
    slow.copy, slow.cut_off = world.store.plans[-1], True
    world.publish()
    write_api = until_replace(world, quick, API)
    only_api = tuple(write for write in write_api.writes if write.name == API)
    world.send(Replace(ZONE, write_api.floor, only_api))
    late = until_replace(world, slow, WWW)
    quick.crash(quick.copy)
    world.settle(quick)
    world.send(late)
    at(world, 3, NEW)


def a_delayed_creation_after_the_marker_was_deleted() -> None:
    """Absence has no nonce: the floor remembers for it."""
    plans = [
        plan_of(1, [entry(API, 1, *OLD)]),
        plan_of(2, [entry(API, 1, *OLD), entry(WWW, 2, *OLD)]),
        plan_of(3, [entry(API, 1, *OLD), entry(WWW, 3, *NEW)]),
    ]
    world = World(0, plans)
    slow, quick = world.actors
    world.publish()
    world.settle(quick)
    world.publish()
    late = until_replace(world, slow, WWW)
    world.publish()
    world.settle(quick)
    hand(world, marker=None)
    world.send(late)
    assert served(world.zone, WWW) == NEW, "a delayed creation brought the old addresses back"
    world.settle(quick)
    at(world, 3, NEW)


def a_then_b_then_a() -> None:
    """The bytes are those of two generations ago, and still the delayed "b" must not win."""
    world = World(0, history((OLD, OLD), (MIDDLE, OLD), (OLD, OLD)))
    slow, quick = world.actors
    world.publish()
    world.settle(quick)
    world.publish()
    late = until_replace(world, slow, WWW)
    world.publish()
    world.settle(quick)
    world.send(late)
    at(world, 3, OLD)


def a_delayed_refill_under_a_newer_marker() -> None:
    """A refill asserts that there is no marker, what addresses it saw, and the floor."""
    world = World(0, history((OLD, OLD), (NEW, OLD)))
    slow, quick = world.actors
    world.publish()
    world.settle(quick)
    slow.copy, slow.cut_off = world.store.plans[-1], True
    world.publish()
    world.settle(quick)
    hand(world, marker=None, addresses=None)
    late = until_replace(world, slow, WWW)
    world.settle(quick)
    at(world, 2, NEW)
    world.send(late)
    at(world, 2, NEW)
    hand(world, addresses=None)
    world.send(late)
    world.settle(quick)
    at(world, 2, NEW)


def a_refill_by_an_old_plan_then_the_newest() -> None:
    """Better old addresses than none; and they are no obstacle to the newest plan."""
    world = World(0, history((OLD, OLD), (NEW, OLD)))
    slow, quick = world.actors
    world.publish()
    world.settle(quick)
    slow.copy, slow.cut_off = world.store.plans[-1], True
    world.publish()
    world.settle(quick)
    hand(world, marker=None, addresses=None)
    world.send(until_replace(world, slow, WWW))
    assert served(world.zone, WWW) == OLD, "it was not refilled"
    assert not isinstance(marker(world.zone, WWW), Marker), "a refill left a marker, which a plan in between would pass"
    world.settle(quick)
    at(world, 2, NEW)


def a_lost_floor_is_rebuilt_as_high_as_the_markers() -> None:
    """An old plan that finds the floor gone must not lower it, or it would be free to go backwards after the next
    marker is lost."""
    world = World(0, history((OLD, OLD), (MIDDLE, OLD), (NEW, OLD)))
    slow, quick = world.actors
    world.publish()
    world.publish()
    slow.copy, slow.cut_off = world.store.plans[-1], True
    world.publish()
    world.settle(quick)
    hand(world, floor=None)
    drive(world, slow)
    hand(world, marker=None)
    drive(world, slow)
    assert served(world.zone, WWW) == NEW, f"an old plan won: {served(world.zone, WWW)}"
    world.settle(quick)
    at(world, 3, NEW)


def garbage_where_the_marker_belongs() -> None:
    """It is damage to repair, whatever it is."""
    for rdata in ([txt_rdata("x" * 255)], [b"\xff"], [txt_rdata("a"), txt_rdata("b")], [b"\1\0\2\xff\xfe"]):
        world = World(0, history((OLD, OLD)))
        world.publish()
        world.settle(world.actors[0])
        hand(world, marker=RRset.of(RRType.TXT, 5, rdata), floor=RRset.of(RRType.TXT, 5, rdata))
        world.settle(world.actors[1])
        at(world, 1, OLD)


def a_wildcard_that_makes_markers() -> None:
    """Under `*` TXT a missing marker reads as garbage; asserting that garbage would fail for ever."""
    for owner in (f"*.{ZONE}", f"*._standfast.{ZONE}"):
        world = World(0, history((OLD, OLD)))
        wild = {(owner, int(RRType.TXT)): RRset.of(RRType.TXT, 5, [txt_rdata("hello")])}
        wild[f"*.{ZONE}", int(RRType.A)] = RRset.of(RRType.A, 5, [b"\x0a\0\0\1"])
        world.zone = ZoneState(ZONE, wild)
        world.publish()
        world.settle(world.actors[0])
        at(world, 1, OLD)


def everything_gone() -> None:
    """Markers, floor, addresses: one survivor with the newest plan is enough."""
    world = World(0, history((OLD, OLD), (NEW, OLD)))
    world.publish()
    world.publish()
    world.settle(world.actors[0])
    world.zone = ZoneState(ZONE, {}, 99)
    world.settle(world.actors[1])
    at(world, 2, NEW)


def a_refill_without_a_journal_is_completed_once_it_can_be_written() -> None:
    """Nothing in the zone changes at that moment, so only what the enactor remembers can tell."""
    world = World(0, history((OLD, OLD), (NEW, OLD)), enactors=1)
    (actor,) = world.actors
    world.publish()
    world.settle(actor)
    world.publish()
    world.journal_broken = True
    hand(world, marker=None, addresses=None)
    for broken in (True, True, False):
        world.journal_broken = broken
        actor.core = actor.core.wake("look", world.now)
        for _ in range(500):
            if actor.core.request is None:
                break
            world.step(actor, faults=False)
        if broken:
            assert served(world.zone, WWW) == NEW, "it was not refilled"
            refills = {one.unrecorded for one in world.outcomes if one.result == "refilled"}
            assert refills == {"the disk is full"}, "nobody is told that it has no intent"
            assert not isinstance(marker(world.zone, WWW), Marker), "a write without an intent"
    at(world, 2, NEW)


def stands(*plans: Plan) -> tuple[World, Actor]:
    """The first of the plans is in the zone, and its enactor has looked at it; differences are told exactly."""
    world = World(0, list(plans))
    world.publish()
    world.look(world.actors[0])
    return world, world.actors[0]


def a_repair_that_did_not_come_through() -> None:
    """Only the addresses show that it is still due: the marker alone says that all is well."""
    for reply in (Conflict(), Unknown("the request was lost")):
        world, actor = stands(*history((OLD, OLD)))
        hand(world, addresses=None)
        once = [reply]
        world.meddle = lambda _, request, once=once: once.pop() if isinstance(request, Replace) and once else None  # type: ignore[misc]
        world.look(actor)
        at(world, 1, OLD)


def a_repair_beside_one_that_is_refused() -> None:
    """What the provider refuses for one endpoint is written for the others."""
    world, actor = stands(*history((OLD, OLD)))
    gone = {(WWW, int(RRType.A)), (API, int(RRType.A))}
    rrsets = {key: rrset for key, rrset in world.zone.rrsets.items() if key not in gone}
    world.zone = ZoneState(ZONE, rrsets, world.zone.serial + 1)

    def policy(_: Actor, request: object) -> object:
        writes = request.writes if isinstance(request, Replace) else ()
        return Refused("the policy says no") if any(write.name == API for write in writes) else None

    world.meddle = policy
    world.look(actor)
    at(world, 1, OLD)


def a_cname_where_marker_and_floor_belong() -> None:
    """A TXT prerequisite with the CNAME's data never holds, and a TXT beside a CNAME is skipped in silence."""
    for owner in (floor_owner("main", ZONE), marker_owner(WWW, ZONE)):
        world, actor = stands(*history((OLD, OLD)))
        rrsets = {key: rrset for key, rrset in world.zone.rrsets.items() if key[0] not in (owner, WWW)}
        rrsets[owner, int(RRType.CNAME)] = RRset.of(RRType.CNAME, 5, [b"\1x\0"])
        world.zone = ZoneState(ZONE, rrsets, world.zone.serial + 1)
        world.look(actor)
        at(world, 1, OLD)
        assert isinstance(floor(world.zone), Floor), "the floor was not restored"


def a_zone_whose_server_is_down_beside_one_with_damage() -> None:
    """The damage is found and repaired by looks alone, whichever of reading and writing gets no answer."""
    other = "down.example.org"
    for silent in (Read, Replace):
        first = [Entry(zone, first_name("main", zone), 1, kind="first") for zone in (ZONE, other)]
        here = entry(WWW, 1, *OLD)
        shards = Shards.of([*first, here, replace(here, zone=other, name=f"www.{other}")])
        plan = Plan(PlanRecord("main", 1, shards.digest, (other, ZONE), (), "test", "", 0.0), shards)
        world = World(0, [plan])
        world.publish()

        def down(_: Actor, request: object, silent: type = silent) -> object:
            if not isinstance(request, Read | Replace | ReadChanges) or request.zone != other:
                return None
            if isinstance(request, Read) and silent is Replace:
                return Readings((None,) * len(request.keys))
            return Unknown("time-out")

        world.meddle = down
        world.look(world.actors[0])
        at(world, 1, OLD)
        hand(world, addresses=None)
        world.look(world.actors[0], times=2)
        at(world, 1, OLD)


def a_refill_beside_a_write_that_cannot_be_recorded() -> None:
    """Without a journal a changed entry waits; what is empty meanwhile is found by looks, and refilled."""
    world, actor = stands(*history((OLD, OLD), (OLD, NEW)))
    world.journal_broken = True
    world.publish()
    world.look(actor)
    hand(world, marker=None, addresses=None)
    world.look(actor, times=2)
    assert served(world.zone, WWW) == OLD, "it was not refilled"
    world.journal_broken = False
    world.look(actor, times=2)
    at(world, 1, OLD)
    assert served(world.zone, API) == NEW, "the change that waited for the journal was forgotten"


def a_change_refused_while_a_newer_plan_comes() -> None:
    """Its halves are still to be tried: the newer plan did not change them, so nothing else would tell."""
    ahead = plan_of(3, [entry(WWW, 2, *NEW), entry(API, 2, *NEW), entry(f"new.{ZONE}", 3, *NEW)])
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)), ahead)
    world.publish()

    def once(_: Actor, request: object) -> object:
        if not isinstance(request, Replace) or not world.unpublished:
            return None
        world.publish()
        return Refused("SERVFAIL")

    world.meddle = once
    world.look(actor)
    at(world, 2, NEW)


def damage_seen_while_behind() -> None:
    """An enactor that was cut off finds a newer marker, or a higher floor, over damage; once it has the newer plan, it
    remembers."""
    for contents in (NEW, OLD), (OLD, NEW):
        for gone in ("addresses", "marker"):
            world, behind = stands(*history((OLD, OLD), contents))
            behind.cut_off = True
            world.publish()
            world.look(world.actors[1])
            hand(world, **{gone: None})
            world.look(behind)
            behind.cut_off = False
            world.look(behind)
            at(world, 2 if contents[0] == NEW else 1, contents[0])


def a_thaw_seen_in_two_looks() -> None:
    """Markers first, floor last: that only the floor changed since the last look does not mean that nothing is due."""
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
    before = dict(world.zone.rrsets)
    held = floor(world.zone)
    assert isinstance(held, Floor)
    owner = floor_owner("main", ZONE)
    frozen = RRset.of(RRType.TXT, 60, [floor_rdata(replace(held, state="frozen", nonce="f" * 16), ZONE, owner)])
    hand(world, floor=frozen)
    world.publish()
    world.look(actor)
    at(world, 1, OLD)
    hand(world, floor=before[owner, int(RRType.TXT)])
    world.look(actor)
    at(world, 2, NEW)
    assert served(world.zone, API) == NEW, "what was due during the freeze was forgotten"


def a_provider_that_changes_what_it_is_given() -> None:
    """BIND lowers TTLs to its `max-zone-ttl`. That is harmless, comes back each time, and must not be fought at each
    look."""
    world, actor = stands(*history((OLD, OLD)))

    def lower(_: ZoneState, after: ZoneState, change: Replace) -> None:
        rrsets = {key: RRset(one.rtype, min(one.ttl, 30), one.rdata) for key, one in after.rrsets.items()}
        world.zone = ZoneState(ZONE, rrsets, after.serial)

    world.on_write = lower
    hand(world, addresses=None)
    world.look(actor)
    at(world, 1, OLD)
    writes = sum(line.startswith("change") for line in world.trace)
    world.look(actor, times=8)
    assert sum(line.startswith("change") for line in world.trace) == writes, "it is written again at each look"
    hand(world, addresses=None)
    world.look(actor)
    at(world, 1, OLD)


def a_server_that_refuses_for_a_moment() -> None:
    """What it refused is written as soon as it takes updates again, not after the next audit; also where the first
    entry was among it, without which nobody can create the floor."""
    for published in (1, 0):
        world = World(0, history((OLD, OLD), (NEW, NEW)), enactors=1)
        world.publish()
        if published:
            world.look(world.actors[0])
        world.publish()
        world.meddle = lambda _, request: Refused("SERVFAIL") if isinstance(request, Replace) else None
        world.look(world.actors[0])
        assert served(world.zone, WWW) != NEW
        world.meddle = lambda _, request: None
        world.look(world.actors[0], times=5)
        at(world, 2, NEW)
        assert served(world.zone, API) == NEW, "api was left in quarantine"


SCHEDULES: tuple[Callable[[], None], ...] = (
    a_delayed_write_of_an_older_plan,
    a_delayed_creation_after_the_marker_was_deleted,
    a_then_b_then_a,
    a_delayed_refill_under_a_newer_marker,
    a_refill_by_an_old_plan_then_the_newest,
    a_lost_floor_is_rebuilt_as_high_as_the_markers,
    garbage_where_the_marker_belongs,
    a_wildcard_that_makes_markers,
    everything_gone,
    a_refill_without_a_journal_is_completed_once_it_can_be_written,
    a_repair_that_did_not_come_through,
    a_repair_beside_one_that_is_refused,
    a_cname_where_marker_and_floor_belong,
    a_zone_whose_server_is_down_beside_one_with_damage,
    a_refill_beside_a_write_that_cannot_be_recorded,
    a_change_refused_while_a_newer_plan_comes,
    damage_seen_while_behind,
    a_thaw_seen_in_two_looks,
    a_provider_that_changes_what_it_is_given,
    a_server_that_refuses_for_a_moment,
)
