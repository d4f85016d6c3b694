"""Schedules of what an enactor leaves alone: freezes, tombstones, markers of other streams (G8, design rules 3, 8)."""

from collections.abc import Callable

from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.marker import Floor, Marker, floor_rdata, marker_rdata
from standfast.model.name import floor_owner, marker_owner
from standfast.model.rrset import RRset, RRType
from world.invented import ZONE, World, floor, marker, plan_of, served
from world.schedules import API, NEW, OLD, WWW, drive, hand, history, stands

OWNER, FLOOR = marker_owner(WWW, ZONE), floor_owner("main", ZONE)


def put_marker(world: World, **fields: object) -> None:
    """The marker of www with other fields and a right checksum."""
    held = marker(world.zone, WWW)
    assert isinstance(held, Marker)
    changed = replace(held, nonce="e" * 16, **fields)
    hand(world, marker=RRset.of(RRType.TXT, 60, [marker_rdata(changed, ZONE, OWNER)]))


def a_frozen_endpoint() -> None:
    """Not for a newer plan, not to repair it; its neighbours go on."""
    for state in ("frozen", "placeholder"):
        world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
        put_marker(world, state=state, since=0 if state == "placeholder" else 1)
        hand(world, addresses=None)
        world.publish()
        drive(world, actor)
        assert served(world.zone, WWW) == (), "a frozen endpoint was written"
        assert served(world.zone, API) == NEW


def a_frozen_zone() -> None:
    """Nothing is written in it: not what is due, not what is damaged, not what is empty."""
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
    held = floor(world.zone)
    assert isinstance(held, Floor)
    frozen = floor_rdata(replace(held, state="frozen", nonce="f" * 16), ZONE, FLOOR)
    hand(world, floor=RRset.of(RRType.TXT, 60, [frozen]), addresses=None, marker=None)
    before = world.zone
    world.publish()
    drive(world, actor)
    assert world.zone == before, "a frozen zone was written"


def a_tombstone() -> None:
    """A retired endpoint stays retired, whatever later plan names it and however its addresses went."""
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
    put_marker(world, state="retired")
    hand(world, addresses=None)
    world.publish()
    drive(world, actor)
    assert served(world.zone, WWW) == (), "a tombstone was overwritten"
    held = marker(world.zone, WWW)
    assert isinstance(held, Marker)
    assert held.state == "retired"


def retiring() -> None:
    """A retired entry takes the addresses and leaves a tombstone; a delayed older plan does not bring them back."""
    (first,) = history((OLD, OLD))
    api = first.entry((ZONE, API))
    assert api is not None
    world, actor = stands(first, plan_of(2, [api, Entry(ZONE, WWW, 2, kind="retired")]))
    world.publish()
    drive(world, actor)
    held = marker(world.zone, WWW)
    assert isinstance(held, Marker)
    assert (held.state, held.since, served(world.zone, WWW)) == ("retired", 2, ())
    late = world.actors[-1]
    late.copy, late.cut_off = first, True
    drive(world, late)
    assert served(world.zone, WWW) == (), "an old plan revived a retired endpoint"


def another_streams_marker() -> None:
    """It is refused and reported, never overwritten."""
    world, actor = stands(*history((OLD, OLD), (NEW, NEW)))
    put_marker(world, stream="other")
    world.publish()
    drive(world, actor)
    held = marker(world.zone, WWW)
    assert isinstance(held, Marker)
    assert (held.stream, served(world.zone, WWW)) == ("other", OLD)
    assert any(outcome.result == "foreign" for outcome in world.outcomes)


OBEDIENCE: tuple[Callable[[], None], ...] = (
    a_frozen_endpoint,
    a_frozen_zone,
    a_tombstone,
    retiring,
    another_streams_marker,
)
