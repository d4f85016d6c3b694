"""Schedules that no search or simulation of ours comes across: what people forge, and a family that went alone."""

from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.marker import Damaged, Floor, Marker, marker_rdata
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType, addresses, txt_rdata
from standfast.ports import provider_spec
from standfast.ports.provider import Read, Readings, Unknown
from standfast.ports.provider_spec import ZoneState
from world.invented import ZONE, Actor, World, entry, floor, marker, plan_of, served
from world.schedules import API, MIDDLE, NEW, OLD, WWW, at, drive, hand, history, stands

OWNER = marker_owner(WWW, ZONE)


def test_a_marker_that_somebody_edited_is_no_authority() -> None:
    """A marker far above every plan, whose checksum is that of the text it was made from: nobody could ever write."""
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
    held = marker(world.zone, WWW)
    assert isinstance(held, Marker)
    true = marker_rdata(held, ZONE, OWNER)
    text = true[1:].decode().replace(" n=1 g=1 ", " n=90 g=90 ")
    hand(world, marker=RRset.of(RRType.TXT, 60, [txt_rdata(text)]))
    assert isinstance(marker(world.zone, WWW), Damaged)
    world.publish()
    world.look(actor)
    at(world, 2, NEW)


def test_a_marker_copied_from_another_name_is_no_authority() -> None:
    """Its checksum covers the owner: a copy, or what a wildcard makes of it, says nothing about this endpoint."""
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
    other = world.zone.rrsets[marker_owner(API, ZONE), int(RRType.TXT)]
    hand(world, marker=other, addresses=None)
    world.look(actor)
    at(world, 1, OLD)


def two_families(since: int, v4: str, v6: str) -> Plan:
    """www in both families, or in one."""
    texts = [v4, v6] if v6 else [v4]
    least = tuple((one.rtype, 1) for one in addresses(60, texts))
    return plan_of(since, [Entry(ZONE, WWW, since, rrsets=addresses(60, texts), min_answers=least)])


def test_a_refill_leaves_the_family_that_has_enough() -> None:
    """An old plan knows one family; the other is served, and a refill of the first must not take it away."""
    world = World(0, [two_families(1, "192.0.2.1", ""), two_families(2, "192.0.2.2", "2001:db8::2")])
    slow, quick = world.actors
    world.publish()
    world.settle(slow)
    slow.cut_off = True
    world.publish()
    world.settle(quick)
    hand(world, marker=None, addresses=None)  # the addresses of family A
    six = world.zone.rrsets[WWW, int(RRType.AAAA)]
    drive(world, slow)
    assert world.zone.rrsets[WWW, int(RRType.A)].texts() == ("192.0.2.1",), "it was not refilled"
    assert world.zone.rrsets.get((WWW, int(RRType.AAAA))) == six, "G1: a refill took the other family away"
    world.settle(quick)
    assert world.zone.rrsets[WWW, int(RRType.A)].texts() == ("192.0.2.2",)


def test_a_lost_floor_is_not_rebuilt_while_a_marker_cannot_be_read() -> None:
    """The one marker that was not heard may be the highest."""
    older, newest = history((OLD, OLD), (NEW, OLD))
    world = World(0, [older, newest])
    slow, quick = world.actors
    world.publish()
    world.settle(slow)
    slow.cut_off = True
    world.publish()
    world.settle(quick)
    rrsets = {key: rrset for key, rrset in world.zone.rrsets.items() if "_floor" not in key[0]}
    for name in (API, f"main._first.{ZONE}"):  # nobody else remembers plan 2
        owner = marker_owner(name, ZONE), int(RRType.TXT)
        held = marker(world.zone, name)
        assert isinstance(held, Marker)
        lower = marker_rdata(replace(held, generation=1, plan=older.digest), ZONE, owner[0])
        rrsets[owner] = RRset.of(RRType.TXT, 60, [lower])
    world.zone = ZoneState(ZONE, rrsets, world.zone.serial + 1)

    def deaf(actor: Actor, request: object) -> object:
        if actor is not slow or not isinstance(request, Read) or (OWNER, int(RRType.TXT)) not in request.keys:
            return None
        known = provider_spec.apply(world.zone, request)[1]
        assert isinstance(known, Readings)
        place = request.keys.index((OWNER, int(RRType.TXT)))
        return Readings((*known.values[:place], Unknown("SERVFAIL"), *known.values[place + 1 :]))

    world.meddle = deaf
    drive(world, slow)
    stood = floor(world.zone)
    assert not isinstance(stood, Floor) or stood.generation >= 2, "G2: the floor was rebuilt below a marker not heard"
    world.meddle = lambda actor, request: None
    world.settle(quick)
    at(world, 2, NEW)


def test_of_two_plans_of_one_number_none_is_written_over_the_other() -> None:
    """They say different things with equal since: whoever came second would undo the first for ever, in turns."""
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
    world.publish()
    world.settle(actor)
    other = world.actors[1]
    other.crash(plan_of(2, [entry(WWW, 2, *MIDDLE), entry(API, 2, *MIDDLE)]))
    other.cut_off = True
    hand(world, addresses=None)
    drive(world, other)
    assert (served(world.zone, WWW), served(world.zone, API)) == ((), NEW), "a fork was written"
