"""What a planner reads in the zones before it draws a number: floors, markers, and names that are new. Pure.

A number must be above every generation that was ever begun, or enactors would rightly ignore the plan. The floor of
a zone says that in one record. Where it is missing or garbage, or after the store was changed, the markers say it.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Key
from standfast.model.marker import EMERGENCY, Floor, Marker, MarkerReading, read_floor, read_marker
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.plan import Head, Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown

from .decisions import Presence

BATCH: Final = 250
"""Keys of one Read: a reading is atomic per key only, so this is about message sizes and nothing else."""
_PRESENCE_TYPES: Final = (RRType.A, RRType.AAAA)


class Ask(Struct, frozen=True):
    """One Read still to be made, and what each of its answers is about."""

    kind: str
    zone: str
    names: tuple[str, ...]


class Survey(Struct, frozen=True):
    """What was read so far.

    `begun` has per zone the highest generation known to have been begun there; a zone without is unreadable.
    `markers` are the valid markers of our stream, `foreign` the endpoints under another stream's, `mute` those without
    a marker that can be read, `presences` what stands at names that are new, `urgent` those markers of
    ours that an operator wrote without a plan.
    """

    begun: tuple[tuple[str, int], ...] = ()
    unreadable: frozenset[str] = frozenset()
    markers: tuple[tuple[Key, Marker], ...] = ()
    foreign: tuple[tuple[Key, str], ...] = ()
    mute: frozenset[Key] = frozenset()
    presences: tuple[tuple[Key, Presence], ...] = ()
    urgent: tuple[tuple[Key, Marker], ...] = ()

    @property
    def highest(self) -> int:
        """The highest generation seen anywhere."""
        return max((generation for _, generation in self.begun), default=0)

    def begun_in(self, zone: str) -> int | None:
        """The highest generation begun in a zone; None: not known."""
        return dict(self.begun).get(zone)


def request_of(stream: str, ask: Ask) -> Read:
    """The Read that answers it."""
    zone = ask.zone
    if ask.kind == "floor":
        return Read(zone, ((floor_owner(stream, zone), int(RRType.TXT)),))
    if ask.kind == "markers":
        return Read(zone, tuple((marker_owner(name, zone), int(RRType.TXT)) for name in ask.names))
    keys: list[tuple[str, int]] = []
    for name in ask.names:
        keys.extend((name, int(rtype)) for rtype in _PRESENCE_TYPES)
        keys.append((marker_owner(name, zone), int(RRType.TXT)))
    return Read(zone, tuple(keys))


def marker_asks(stream: str, zone: str, plan: Plan | None) -> tuple[Ask, ...]:
    """All markers of the zone's entries, the first entry's among them."""
    names = {entry.name for entry in (plan.by_zone.get(zone, ()) if plan else ())}
    return _batches("markers", zone, sorted({*names, first_name(stream, zone)}), BATCH)


def presence_asks(zone: str, names: Iterable[str]) -> tuple[Ask, ...]:
    """What stands at names that are new to the plan."""
    return _batches("presence", zone, sorted(set(names)), BATCH // 3)


def _batches(kind: str, zone: str, names: list[str], size: int) -> tuple[Ask, ...]:
    return tuple(Ask(kind, zone, tuple(names[at : at + size])) for at in range(0, len(names), size))


def floor_heard(survey: Survey, stream: str, ask: Ask, reply: Readings | Unknown) -> tuple[Survey, bool]:
    """With the floor's reading; and whether the markers must speak for it."""
    value = _values(reply, 1)[0]
    if isinstance(value, Unknown):
        return _lost(survey, ask.zone), False
    floor = read_floor(value, ask.zone, floor_owner(stream, ask.zone))
    if isinstance(floor, Floor) and floor.stream == stream:
        return _begun(survey, ask.zone, floor.generation), False
    return _begun(survey, ask.zone, 0), True


def markers_heard(survey: Survey, stream: str, ask: Ask, reply: Readings | Unknown) -> Survey:
    """With the markers' readings. If one could not be read, a generation may be missing: the zone is unreadable."""
    found: list[tuple[Key, MarkerReading]] = []
    for name, value in zip(ask.names, _values(reply, len(ask.names)), strict=True):
        if isinstance(value, Unknown):
            survey = _lost(survey, ask.zone)
        else:
            found.append(((ask.zone, name), read_marker(value, ask.zone, marker_owner(name, ask.zone))))
    mute = {key for key, reading in found if not isinstance(reading, Marker)}
    return _with_markers(replace(survey, mute=survey.mute | mute), stream, ask.zone, found)


def presence_heard(survey: Survey, stream: str, ask: Ask, reply: Readings | Unknown) -> Survey:
    """With what stands at new names."""
    width = len(_PRESENCE_TYPES) + 1
    values = _values(reply, width * len(ask.names))
    found: list[tuple[Key, Presence]] = []
    for place, name in enumerate(ask.names):
        *some, text = values[place * width : (place + 1) * width]
        found.append(((ask.zone, name), _presence(some, text, ask.zone, name)))
    survey = replace(survey, presences=(*survey.presences, *found))
    return _with_markers(survey, stream, ask.zone, [(key, presence.marker) for key, presence in found])


def _presence(some: list[RRset | Unknown | None], text: RRset | Unknown | None, zone: str, name: str) -> Presence:
    if isinstance(text, Unknown):
        return Presence(None)
    known = [value for value in some if not isinstance(value, Unknown)]
    standing = {rrset.rtype: rrset for rrset in known if rrset is not None}
    rrsets = tuple(standing.values()) if len(known) == len(some) else None
    return Presence(rrsets, read_marker(text, zone, marker_owner(name, zone)))


def _with_markers(survey: Survey, stream: str, zone: str, found: list[tuple[Key, MarkerReading]]) -> Survey:
    valid = [(key, reading) for key, reading in found if isinstance(reading, Marker)]
    ours = [(key, marker) for key, marker in valid if marker.stream == stream]
    others = [(key, marker.stream) for key, marker in valid if marker.stream != stream]
    urgent = [(key, marker) for key, marker in ours if marker.plan == EMERGENCY and marker.state == "live"]
    survey = replace(
        survey,
        markers=(*survey.markers, *ours),
        foreign=(*survey.foreign, *others),
        urgent=(*survey.urgent, *urgent),
    )
    known = survey.begun_in(zone)
    if known is None or not ours:
        return survey
    return _begun(survey, zone, max(known, *(marker.generation for _, marker in ours)))


def _begun(survey: Survey, zone: str, generation: int) -> Survey:
    begun = {**dict(survey.begun), zone: generation}
    return replace(survey, begun=tuple(sorted(begun.items())))


def _lost(survey: Survey, zone: str) -> Survey:
    begun = tuple(one for one in survey.begun if one[0] != zone)
    return replace(survey, begun=begun, unreadable=survey.unreadable | {zone})


def _values(reply: Readings | Unknown, count: int) -> tuple[RRset | Unknown | None, ...]:
    if isinstance(reply, Unknown):
        return (reply,) * count
    if len(reply.values) != count:
        return (Unknown(f"{len(reply.values)} readings where {count} were asked"),) * count
    return reply.values


def concerned(survey: Survey, plan: Plan | None, head: Head | None) -> frozenset[Key]:
    """Entries that a marker contradicts: it stems from another plan of the head's number, or is ahead of the entry.

    An enactor would take such a marker for newer than the entry and leave the endpoint alone for ever.
    """
    found = set()
    for key, marker in survey.markers:
        entry = plan.entry(key) if plan else None
        if entry is None or marker.state == "placeholder":
            continue
        fork = (
            head is not None
            and marker.state == "live"
            and marker.generation == head.generation
            and not head.digest.startswith(marker.plan)
        )
        if fork or marker.since > entry.since:
            found.add(key)
    return frozenset(found)


def emergencies(survey: Survey, plan: Plan | None) -> dict[Key, Marker]:
    """Endpoints that an operator published without a plan, and that no entry has passed since."""
    found = {}
    for key, marker in survey.urgent:
        entry = plan.entry(key) if plan else None
        if entry is None or (entry.since <= marker.since and entry.kind == "live"):
            found[key] = marker
    return found
