"""From judgements to one conditional change: what it asserts, what it writes, what it makes of the floor. Pure."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.marker import (
    Damaged,
    Floor,
    Marker,
    MarkerReading,
    MarkerState,
    floor_rdata,
    marker_rdata,
    read_marker,
)
from standfast.model.name import floor_owner, marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, FLAT_TYPES, RRset, RRType
from standfast.ports.local import IntendedWrite
from standfast.ports.provider import MARKER_TTL, Content, Prerequisite, Replace, Write

from .judgement import BuildDue, Due, FloorView, RefillDue
from .raising import ELEMENTS, as_seen, built, flipped, without_rollback
from .reach import Contents, Key, Known

NO_PLAN: Final = "none"
"""Where a marker names its plan: no plan wrote it, but an operator's freeze."""


class Sighting(Struct, frozen=True):
    """What was read of one endpoint: the TXT (or CNAME) rrset where its marker belongs, and its addresses if read.

    `beyond` is what its aliases lead to, its own tree and its rollback alias among it.
    """

    marker: RRset | None
    contents: Contents | None = None
    beyond: tuple[tuple[Key, RRset | None], ...] = ()

    @property
    def known(self) -> Known:
        """What stands below its name, by key."""
        return dict(self.beyond)

    @property
    def evidence(self) -> Contents | None:
        """All that was read of its contents: what comes back after a repair is known by it."""
        return None if self.contents is None else (*self.contents, *(rrset for _, rrset in self.beyond))

    def reading(self, entry: Entry) -> MarkerReading:
        """What the marker says."""
        return read_marker(self.marker, entry.zone, marker_owner(entry.name, entry.zone))


class DraftedWrite(Struct, frozen=True):
    """One endpoint of a change that is about to be made."""

    entry: Entry
    sighting: Sighting
    judgement: Due | BuildDue | RefillDue
    elements: int = ELEMENTS

    @property
    def intended(self) -> IntendedWrite:
        """For the journal."""
        reading = self.sighting.reading(self.entry)
        before, over = (reading.since, reading.nonce) if isinstance(reading, Marker) else (None, "")
        act = "build" if isinstance(self.judgement, BuildDue) else ""
        return IntendedWrite(self.entry.name, before, self.entry.since, self.judgement.why, over, act=act)


def change_of(
    plan: Plan, zone: str, writer: str, floor: FloorView, writes: tuple[DraftedWrite, ...], nonce: str
) -> Replace:
    """The change for these writes. All are full writes, or the only one is a refill."""
    return Replace(
        zone,
        _floor_part(plan, zone, floor, writes, nonce),
        tuple(_endpoint_part(plan, writer, write, nonce) for write in writes),
    )


def floor_generation(plan: Plan, floor: FloorView, writes: tuple[DraftedWrite, ...]) -> int | None:
    """The generation the change sets the floor to, with a fresh nonce; None leaves it as it is, asserted."""
    blind = any(not isinstance(write.sighting.reading(write.entry), Marker) for write in writes)
    if any(isinstance(write.judgement, RefillDue) for write in writes):
        return floor.generation
    if floor.lost or blind or plan.generation > floor.generation:
        return max(plan.generation, floor.generation)
    return None


def _floor_part(plan: Plan, zone: str, floor: FloorView, writes: tuple[DraftedWrite, ...], nonce: str) -> Write:
    owner = floor_owner(plan.record.stream, zone)
    stands = RRset(RRType.CNAME, 0, floor.alias) if floor.alias else RRset(RRType.TXT, 0, floor.rdata)
    asserted, cleared = _asserted(owner, stands)
    generation = floor_generation(plan, floor, writes)
    if generation is None:
        return Write(owner, asserted, ())
    raised = floor_rdata(Floor(plan.record.stream, generation, "live", nonce), zone, owner)
    return Write(owner, asserted, (Content(owner, RRType.TXT, MARKER_TTL, (raised,)), *cleared))


def _endpoint_part(plan: Plan, writer: str, write: DraftedWrite, nonce: str) -> Write:
    if isinstance(write.judgement, RefillDue):
        return _refill_part(write, write.judgement)
    entry, sighting = write.entry, write.sighting
    owner = marker_owner(entry.name, entry.zone)
    marker = marker_rdata(_next_marker(plan, writer, write, nonce), entry.zone, owner)
    contents = [Content(owner, RRType.TXT, MARKER_TTL, (marker,))]
    if isinstance(write.judgement, BuildDue):
        return _build_part(write, write.judgement, contents)
    if entry.has_tree:
        return _flip_part(write, contents)
    contents += without_rollback(entry)
    if entry.kind != "first":
        for rtype in FLAT_TYPES:
            rrset = entry.rrset(rtype)
            contents.append(_put(entry.name, rtype, rrset))
    prerequisites, cleared = _asserted(owner, sighting.marker)
    return Write(entry.name, prerequisites, (*contents, *cleared))


def _build_part(write: DraftedWrite, due: BuildDue, marker: list[Content]) -> Write:
    """Records of a tree. The marker is asserted; it is replaced only if the tree may be live."""
    entry = write.entry
    asserted, cleared = _asserted(marker_owner(entry.name, entry.zone), write.sighting.marker)
    standing, puts = built(due)
    return Write(entry.name, (*asserted, *standing), (*marker, *cleared, *puts) if due.live else puts)


def _flip_part(write: DraftedWrite, marker: list[Content]) -> Write:
    """Root, rollback alias and marker, to a tree that was read whole and is asserted."""
    entry, sighting = write.entry, write.sighting
    if sighting.contents is None:
        raise AssertionError("a flip is judged from contents")
    asserted, cleared = _asserted(marker_owner(entry.name, entry.zone), sighting.marker)
    standing, puts = flipped(entry, sighting.contents, sighting.known, write.elements)
    return Write(entry.name, (*asserted, *standing), (*marker, *cleared, *puts))


def _next_marker(plan: Plan, writer: str, write: DraftedWrite, nonce: str) -> Marker:
    """A repair never lowers the generation that a marker names: a lost floor is rebuilt from these."""
    generation, digest = plan.generation, plan.digest
    before = write.sighting.reading(write.entry)
    if isinstance(before, Marker) and before.generation > generation:
        generation, digest = before.generation, before.plan
    state: MarkerState = "retired" if write.entry.kind == "retired" else "live"
    return Marker(plan.record.stream, write.entry.since, generation, digest, state, writer, nonce)


def _asserted(owner: str, seen: RRset | None) -> tuple[tuple[Prerequisite, ...], tuple[Content, ...]]:
    """Marker or floor exactly as seen. A CNAME there would swallow the new one in silence, so it goes as well."""
    if seen is not None and seen.rtype == RRType.CNAME:
        asserted = (Prerequisite(owner, RRType.TXT, ()), Prerequisite(owner, RRType.CNAME, seen.rdata))
        return asserted, (Content(owner, RRType.CNAME, 0, ()),)
    return (Prerequisite(owner, RRType.TXT, seen.rdata if seen else ()),), ()


def _refill_part(write: DraftedWrite, judgement: RefillDue) -> Write:
    entry, contents = write.entry, write.sighting.contents
    if contents is None:
        raise AssertionError("a refill is judged from contents")
    owner = marker_owner(entry.name, entry.zone)
    asserted, cleared = _asserted(owner, write.sighting.marker)
    prerequisites, puts = list(asserted), list(cleared)
    if isinstance(write.sighting.reading(entry), Damaged) and not cleared:
        puts.append(Content(owner, RRType.TXT, 0, ()))
    alias = next((seen for seen in contents if seen is not None and seen.rtype == RRType.CNAME), None)
    if alias is not None:
        prerequisites.append(Prerequisite(entry.name, RRType.CNAME, alias.rdata))
    for rtype, seen in zip(ADDRESS_TYPES, contents, strict=True):
        present = seen is not None and seen.answers == rtype
        prerequisites.append(as_seen(entry.name, rtype, seen if present else None))
        wanted = entry.rrset(rtype)
        if rtype in judgement.rtypes and wanted is not None:
            puts.append(_put(entry.name, rtype, wanted))
    puts.append(Content(entry.name, RRType.CNAME, 0, ()))
    return Write(entry.name, tuple(prerequisites), tuple(puts))


def _put(name: str, rtype: int, rrset: RRset | None) -> Content:
    """That rrset, or none that answers `rtype`, in its place."""
    return Content(name, rrset.rtype, rrset.ttl, rrset.rdata) if rrset else Content(name, rtype, 0, ())


def written_marker(part: Write) -> RRset | None:
    """The marker that stands once this part of a change is written; None after a refill."""
    for content in part.contents:
        if content.rtype == RRType.TXT and content.rdata:
            return RRset(content.rtype, content.ttl, content.rdata)
    return None


class Mark(Struct, frozen=True):
    """One endpoint of an operator's change: what was seen in its marker's place, what is put there (None: nothing), and
    rrsets for its name. `rrsets` None leaves the name alone; else every flat type is replaced, by nothing where it is
    not among them."""

    name: str
    seen: RRset | None
    put: Marker | None
    rrsets: tuple[RRset, ...] | None = None


def seal_of(
    stream: str,
    zone: str,
    seen_floor: RRset | None,
    floor: Floor | None,
    marks: tuple[Mark, ...],
    nonce: str,
    *,
    floor_goes: bool = False,
) -> Replace:
    """An operator's change, without a plan. A freeze or a thaw has no name that anybody resolves in it.

    Everything is asserted exactly as seen; all that is put gets the fresh nonce. `floor` None leaves the floor, or
    takes it away if `floor_goes`.
    """
    owner = floor_owner(stream, zone)
    asserted, cleared = _asserted(owner, seen_floor)
    contents: tuple[Content, ...] = ()
    if floor is not None:
        renewed = floor_rdata(replace(floor, nonce=nonce), zone, owner)
        contents = (Content(owner, RRType.TXT, MARKER_TTL, (renewed,)), *cleared)
    elif floor_goes:
        contents = (Content(owner, RRType.TXT, 0, ()), *cleared)
    return Replace(zone, Write(owner, asserted, contents), tuple(_mark_part(zone, mark, nonce) for mark in marks))


def _mark_part(zone: str, mark: Mark, nonce: str) -> Write:
    owner = marker_owner(mark.name, zone)
    asserted, cleared = _asserted(owner, mark.seen)
    rdata = () if mark.put is None else (marker_rdata(replace(mark.put, nonce=nonce), zone, owner),)
    contents = [Content(owner, RRType.TXT, MARKER_TTL if rdata else 0, rdata)]
    given = {rrset.answers: rrset for rrset in mark.rrsets or ()}
    if mark.rrsets is not None:
        contents.extend(_put(mark.name, rtype, given.get(rtype)) for rtype in FLAT_TYPES)
    return Write(mark.name, asserted, (*contents, *cleared))
