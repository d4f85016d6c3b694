"""Emergency publish, take-over and the way out, carried out: what is there, the core's order, what came of it."""

import time
from collections.abc import Callable, Iterable

import msgspec

from standfast.config import ZoneConfig
from standfast.core import direct
from standfast.core.emergency import Emergency, TakeOver
from standfast.core.leaving import Leave
from standfast.core.reach import addresses
from standfast.model.entry import Entry
from standfast.model.marker import ABSENT, Absent, Floor, Marker, MarkerReading
from standfast.model.name import first_name
from standfast.model.routing import ADDRESS_OCTETS
from standfast.model.rrset import RRset
from standfast.model.tree import aliases_in
from standfast.ports.provider import Unknown

from .commanding import Desk, Known, writer_of
from .place import Place
from .zonesight import EndpointSight, ZoneSight, look_at_zone


def look_at(zone: ZoneConfig, stream: str, names: Iterable[str]) -> ZoneSight:
    """What stands at these names and in their markers' places."""
    some = [Entry(zone.name, name, 0) for name in names]
    return look_at_zone(zone, stream, some, secondaries=False)


def standing(sight: EndpointSight) -> tuple[RRset, ...]:
    """The address rrsets, or the CNAME, that stand at the name, as far as they could be read."""
    return tuple(dict.fromkeys(one for one in sight.contents if isinstance(one, RRset)))


def answered(sight: EndpointSight) -> tuple[RRset, ...]:
    """The same, with all addresses that aliases lead to within the zone, as other tools can have them."""
    known = dict(sight.beyond)
    ttl = max((rrset.ttl for rrset in known.values() if rrset is not None), default=0)
    found = []
    for rrset in standing(sight):
        octets = addresses(rrset, rrset.answers, known) if aliases_in(rrset) else ()
        plain = [one for one in octets if len(one) in ADDRESS_OCTETS]
        found.append(RRset.of(rrset.answers, rrset.ttl or ttl, plain) if plain else rrset)
    return tuple(found)


def publish(
    place: Place,
    zone: ZoneConfig,
    known: Known,
    name: str,
    rrsets: tuple[RRset, ...],
    least: tuple[tuple[int, int], ...],
    reason: str,
) -> direct.Ended:
    """Emergency publish. Raises JournalError before anything is done."""
    with Desk(place, zone, "emergency publish", (name,), reason) as desk:
        why = "emergency publish" + (f": {reason}" if reason else "")
        order = Emergency(desk.stream, zone.name, writer_of(desk.who), name, rrsets, least, why, known.generation)
        ended = desk.obeyed(order)
        desk.concluded("written" if ended.result == "done" else ended.result, ended.why, ended.generation)
    return ended


def take_over(place: Place, zone: ZoneConfig, known: Known, name: str, reason: str) -> direct.Ended:
    """Put our marker in the place of another stream's. Raises JournalError before anything is done."""
    with Desk(place, zone, "adopt --take", (name,), reason) as desk:
        order = TakeOver(desk.stream, zone.name, writer_of(desk.who), name, known.generation)
        ended = desk.obeyed(order)
        desk.concluded("taken" if ended.result == "done" else ended.result, ended.why, ended.generation)
    return ended


def leave(
    place: Place, zone: ZoneConfig, known: Known, reason: str, patience_s: float, pause: Callable[[float], None]
) -> direct.Ended:
    """Take every marker and the floor away: one marker first, to see whether anybody puts it back."""
    with Desk(place, zone, "leave", (zone.name,), reason) as desk:
        order = Leave(desk.stream, zone.name, writer_of(desk.who), known.names)
        canary = _canary(zone, desk.stream, known.names)
        if canary:
            ended = desk.obeyed(msgspec.structs.replace(order, names=(canary,), canary=True))
            if ended.result == "done" and ended.generation:
                pause(patience_s)
                order = msgspec.structs.replace(order, gone=(canary,))
            elif ended.result != "done":
                desk.concluded(ended.result, ended.why)
                return ended
        ended = desk.obeyed(order)
        desk.concluded("left" if ended.result == "done" else ended.result, ended.why)
    return ended


def _canary(zone: ZoneConfig, stream: str, names: tuple[str, ...]) -> str:
    """An endpoint under a live marker of ours: whoever runs with a plan misses it at the next look."""
    for one in reversed(look_at(zone, stream, names[-20:]).endpoints):
        if isinstance(one.marker, Marker) and one.marker.stream == stream and one.marker.state == "live":
            return one.entry.name
    return ""


def remaining(zone: ZoneConfig, stream: str, names: Iterable[str]) -> tuple[str, ...]:
    """What of ours is still there, or could not be read, in words."""
    sight = look_at(zone, stream, (*names, first_name(stream, zone.name)))
    found = [] if isinstance(sight.floor, Absent) else ["the floor" if isinstance(sight.floor, Floor) else "a floor?"]
    for one in sight.endpoints:
        marker: MarkerReading | Unknown = one.marker
        if isinstance(marker, Unknown) or (marker != ABSENT and getattr(marker, "stream", stream) == stream):
            found.append(f"the marker of {one.entry.name}")
    return tuple(found)


def paused(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
