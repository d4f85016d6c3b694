"""One change of one zone, from looking to outcome: the phases an enactor goes through for a batch of endpoints.

    Looking ─▶ Confirming ─▶ Surveying ─▶ Following ─▶ (judgement) ─▶ Drawing ─▶ Recording ─▶ Replacing ─▶ Settling
              if unreadable   if no floor  if aliases                                            if the reply was lost

Each phase is a frozen value with one `request`; `heard(reply)` gives the next phase. What is trusted across a phase
is only what `Replace` asserts: the exact markers and the exact floor on which the judgement rests.
"""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct, structs

from standfast.model.entry import Entry
from standfast.model.marker import Damaged, Floor, Marker, read_floor, read_marker
from standfast.model.name import marker_owner
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.local import DrawNonce, RecordIntent
from standfast.ports.provider import (
    Confirm,
    ConfirmReply,
    Fails,
    Holds,
    Prerequisite,
    Read,
    ReadReply,
    Refused,
    Replace,
    Unknown,
)

from .drafting import DraftedWrite, Sighting
from .judgement import Due, FloorView, Judgement, Leave, RefillDue, judge
from .raising import next_step
from .reach import open_keys
from .task import Outcome, Settled, Sights, Task, all_end, doubt_name, outcome_of
from .writing import Drawing, Writing


class Looking(Struct, frozen=True):
    """Reading the floor, the markers not believed already, and the addresses if they are to be verified."""

    task: Task
    floor: RRset | None = None
    believed: tuple[tuple[str, RRset | None], ...] = ()

    @property
    def _unknown(self) -> tuple[Entry, ...]:
        known = {name for name, _ in self.believed}
        return tuple(entry for entry in self.task.entries if entry.name not in known)

    @property
    def request(self) -> Read:
        """Everything that is needed, in one reading."""
        keys: list[tuple[str, int]] = []
        if self.floor is None:
            keys.append((self.task.floor_owner, RRType.TXT))
        keys.extend((marker_owner(entry.name, entry.zone), RRType.TXT) for entry in self._unknown)
        if self.task.verify:
            keys.extend((entry.name, rtype) for entry in self.task.entries for rtype in ADDRESS_TYPES)
        return Read(self.task.zone, tuple(keys))

    def heard(self, reply: ReadReply) -> "Phase":
        """A reading that failed concerns its endpoint alone; without the floor nothing can be done."""
        if isinstance(reply, Unknown):
            return all_end(self.task, "blind", reply.why)
        return self.saw(list(reply.values))

    def saw(self, values: list[RRset | Unknown | None]) -> "Phase":
        """One value a key of `request`."""
        floor: RRset | Unknown | None = self.floor
        if floor is None:
            floor = values.pop(0)
        if isinstance(floor, Unknown):
            return all_end(self.task, "blind", floor.why)
        markers: dict[str, RRset | Unknown | None] = dict(self.believed)
        for entry in self._unknown:
            markers[entry.name] = values.pop(0)
        seen: list[tuple[Entry, Sighting]] = []
        blind: list[Outcome] = []
        for entry in self.task.entries:
            marker = markers[entry.name]
            contents = tuple(values.pop(0) for _ in ADDRESS_TYPES) if self.task.verify else ()
            failed = next((value for value in (marker, *contents) if isinstance(value, Unknown)), None)
            if failed is not None:
                blind.append(outcome_of(entry, "blind", failed.why))
                continue
            known = tuple(value for value in contents if not isinstance(value, Unknown))
            stands = None if isinstance(marker, Unknown) else marker
            seen.append((entry, Sighting(stands, known if self.task.verify else None)))
        return _confirm_next(Sights(self.task, floor, tuple(seen), tuple(blind)))


def begin(task: Task, floor: RRset | None, believed: tuple[tuple[str, RRset | None], ...]) -> "Phase":
    """The first phase of a change. With everything believed there is nothing to read."""
    looking = Looking(task, floor, believed)
    return looking if looking.request.keys else looking.saw([])


class Confirming(Struct, frozen=True):
    """Something unreadable is about to be asserted: does it stand there, or does a wildcard make it?

    `doubts` are the readings. Several are first asked for together, as absences, for a wildcard makes many; then each
    by itself. What does not stand there literally is absent: that is what the change then asserts.
    """

    sights: Sights
    doubts: tuple[tuple[str, RRset], ...]

    @property
    def _together(self) -> bool:
        return len(self.doubts) > 1

    @property
    def request(self) -> Confirm:
        """Prerequisites alone."""
        if self._together:
            absences = tuple(Prerequisite(owner, rrset.rtype, ()) for owner, rrset in self.doubts)
            return Confirm(self.sights.task.zone, absences)
        owner, rrset = self.doubts[0]
        return Confirm(self.sights.task.zone, (Prerequisite(owner, rrset.rtype, rrset.rdata),))

    def heard(self, reply: ConfirmReply) -> "Phase":
        """Literal data stays, synthesised data is absence."""
        if isinstance(reply, Refused | Unknown):
            return all_end(self.sights.task, "blind", reply.why)
        if self._together and isinstance(reply, Fails):
            return Confirming(self.sights, self.doubts[:1])
        absent = isinstance(reply, Holds) if self._together else isinstance(reply, Fails)
        sights = self.sights
        for owner, rrset in self.doubts:
            sights = structs.replace(sights, confirmed=(*sights.confirmed, doubt_name(owner, rrset)))
            if absent:
                sights = _without(sights, owner, rrset.rtype)
        return _confirm_next(sights, together=self._together)


class Surveying(Struct, frozen=True):
    """The floor is missing or unreadable: every marker of the zone's entries, read after that was seen."""

    sights: Sights

    @property
    def _entries(self) -> tuple[Entry, ...]:
        return self.sights.task.plan.by_zone.get(self.sights.task.zone, ())

    @property
    def request(self) -> Read:
        """All of them by query, none from memory."""
        keys = tuple((marker_owner(entry.name, entry.zone), int(RRType.TXT)) for entry in self._entries)
        return Read(self.sights.task.zone, keys)

    def heard(self, reply: ReadReply) -> "Phase":
        """The floor is the highest generation that any readable marker names."""
        task = self.sights.task
        if isinstance(reply, Unknown):
            return all_end(task, "blind", reply.why)
        failed = next((value for value in reply.values if isinstance(value, Unknown)), None)
        if failed is not None:
            return all_end(task, "blind", failed.why)
        found: dict[str, RRset | None] = {}
        readable: list[Marker] = []
        frozen = False
        for entry, value in zip(self._entries, reply.values, strict=True):
            rrset = None if isinstance(value, Unknown) else value
            marker = read_marker(rrset, entry.zone, marker_owner(entry.name, entry.zone))
            found[entry.name] = rrset
            if isinstance(marker, Marker) and marker.stream == task.plan.record.stream:
                readable.append(marker)
                frozen = frozen or (entry.kind == "first" and marker.frozen)
        generation = max([task.plan.generation, *(marker.generation for marker in readable)])
        seen = self.sights.floor
        found_there = seen.rdata if seen is not None else ()
        aliased = seen is not None and seen.rtype == RRType.CNAME
        rdata, alias = ((), found_there) if aliased else (found_there, ())
        view = FloorView(generation, frozen, rdata, lost=True, orphan=not readable, alias=alias)
        return _judged(self._fresh(found), view, learnt=tuple(found.items()))

    def _fresh(self, found: dict[str, RRset | None]) -> "Sights":
        """A marker that changed between the two readings leaves its endpoint for later."""
        kept, moved = [], list(self.sights.outcomes)
        for entry, sighting in self.sights.seen:
            now = found.get(entry.name)
            literal = sighting.marker is None and _mark_of(now, entry) in self.sights.confirmed
            if now == sighting.marker or literal:
                kept.append((entry, sighting))
            else:
                moved.append(outcome_of(entry, "conflict", "its marker changed while the floor was surveyed"))
        return structs.replace(self.sights, seen=tuple(kept), outcomes=tuple(moved))


class Following(Struct, frozen=True):
    """Where aliases stand or are due: what they lead to is read, level by level; of a tree, all of it."""

    sights: Sights
    floor: FloorView
    learnt: tuple[tuple[str, RRset | None], ...]
    keys: tuple[tuple[str, tuple[str, int]], ...]

    @property
    def request(self) -> Read:
        """The next level, of every endpoint that needs it."""
        return Read(self.sights.task.zone, tuple(key for _, key in self.keys))

    def heard(self, reply: ReadReply) -> "Phase":
        """A reading that failed concerns its endpoint alone."""
        task = self.sights.task
        if isinstance(reply, Unknown):
            return all_end(task, "blind", reply.why)
        found: dict[str, list[tuple[tuple[str, int], RRset | None]]] = {}
        failed: dict[str, str] = {}
        for (name, key), value in zip(self.keys, reply.values, strict=True):
            if isinstance(value, Unknown):
                failed[name] = value.why
            else:
                found.setdefault(name, []).append((key, value))
        blind = tuple(
            outcome_of(entry, "blind", failed[entry.name]) for entry, _ in self.sights.seen if entry.name in failed
        )
        seen = tuple(
            (entry, _with_more(entry, sighting, found.get(entry.name, [])))
            for entry, sighting in self.sights.seen
            if entry.name not in failed
        )
        sights = structs.replace(self.sights, seen=seen, outcomes=(*self.sights.outcomes, *blind))
        return _judged(sights, self.floor, learnt=self.learnt)


def _with_more(entry: Entry, sighting: Sighting, found: list[tuple[tuple[str, int], RRset | None]]) -> Sighting:
    if not found:
        return sighting
    if sighting.contents is None:
        some = len(ADDRESS_TYPES)
        return structs.replace(sighting, contents=tuple(value for _, value in found[:some]), beyond=tuple(found[some:]))
    return structs.replace(sighting, beyond=(*sighting.beyond, *found))


Asking: TypeAlias = Looking | Confirming | Surveying | Following | Writing
Phase: TypeAlias = Asking | Settled
ChangeRequest: TypeAlias = Read | Confirm | Replace | DrawNonce | RecordIntent


def _mark_of(rrset: RRset | None, entry: Entry) -> str:
    return doubt_name(marker_owner(entry.name, entry.zone), rrset) if rrset is not None else ""


def _doubts(sights: Sights) -> tuple[tuple[str, RRset], ...]:
    """What may have been made by a wildcard and is about to be asserted: unreadable records; addresses where a refill
    may be due, or where there should be none."""
    task, found = sights.task, []
    floor = read_floor(sights.floor, task.zone, task.floor_owner)
    if isinstance(floor, Damaged) and sights.floor is not None:
        found.append((task.floor_owner, sights.floor))
    below = isinstance(floor, Floor) and task.plan.generation < floor.generation
    for entry, sighting in sights.seen:
        marker = sighting.reading(entry)
        if isinstance(marker, Damaged) and sighting.marker is not None:
            found.append((marker_owner(entry.name, entry.zone), sighting.marker))
        refill = (below or task.refills_only) and not isinstance(marker, Marker)
        if (refill or entry.kind == "retired") and sighting.contents is not None:
            found.extend((entry.name, rrset) for rrset in sighting.contents if rrset is not None)
    return tuple(doubt for doubt in dict.fromkeys(found) if doubt_name(*doubt) not in sights.confirmed)


def _confirm_next(sights: Sights, *, together: bool = True) -> Phase:
    if doubts := _doubts(sights):
        return Confirming(sights, doubts if together else doubts[:1])
    task = sights.task
    floor = read_floor(sights.floor, task.zone, task.floor_owner)
    if not isinstance(floor, Floor) or floor.stream != task.plan.record.stream or sights.floor is None:
        return Surveying(sights)
    view = FloorView(floor.generation, floor.frozen, sights.floor.rdata)
    return _judged(sights, view, learnt=())


def _without(sights: Sights, owner: str, rtype: int) -> Sights:
    """The same sights with that reading taken for absence."""
    if owner == sights.task.floor_owner:
        return structs.replace(sights, floor=None)
    seen = []
    for entry, sighting in sights.seen:
        if owner == marker_owner(entry.name, entry.zone):
            sighting = structs.replace(sighting, marker=None)
        elif owner == entry.name and sighting.contents is not None:
            kept = tuple(None if rrset and rrset.rtype == rtype else rrset for rrset in sighting.contents)
            sighting = structs.replace(sighting, contents=kept)
        seen.append((entry, sighting))
    return structs.replace(sights, seen=tuple(seen))


def _verdict(task: Task, entry: Entry, sighting: Sighting, floor: FloorView) -> Judgement:
    return judge(
        entry,
        task.plan,
        sighting.reading(entry),
        floor,
        sighting.contents,
        refills_only=task.refills_only,
        insisted=(entry.name, sighting.evidence) in task.insisted,
        prefixes=task.prefixes,
        known=sighting.known,
    )


def _further(entry: Entry, sighting: Sighting, verdict: Judgement) -> Iterator[tuple[str, tuple[str, int]]]:
    """What has to be read yet before the verdict stands: a tree that is due is looked at whole, and so are aliases."""
    if sighting.contents is not None:
        yield from ((entry.name, key) for key in open_keys(entry, sighting.contents, sighting.known))
    elif isinstance(verdict, Due) and entry.has_tree:
        yield from ((entry.name, (entry.name, int(rtype))) for rtype in ADDRESS_TYPES)
        yield from ((entry.name, key) for key in open_keys(entry, (None, None), {}))


def _judged(sights: Sights, floor: FloorView, *, learnt: tuple[tuple[str, RRset | None], ...]) -> Phase:
    task = sights.task
    outcomes, full, refills = list(sights.outcomes), [], []
    verdicts = [(entry, sighting, _verdict(task, entry, sighting, floor)) for entry, sighting in sights.seen]
    if more := tuple(key for one in verdicts for key in _further(*one)):
        return Following(sights, floor, learnt, more)
    for entry, sighting, verdict in verdicts:
        match verdict:
            case Leave(standing, why):
                outcomes.append(outcome_of(entry, standing, why))
            case Due() if entry.has_tree:
                step = next_step(entry, sighting.reading(entry), sighting.known, verdict, task.elements)
                full.append(DraftedWrite(entry, sighting, step, task.elements))
            case Due():
                full.append(DraftedWrite(entry, sighting, verdict))
            case RefillDue():
                refills.append(DraftedWrite(entry, sighting, verdict))
    if task.refills_only and refills:
        outcomes.extend(outcome_of(w.entry, "unrecorded", "the journal can't be written") for w in full)
        full = []
    known = learnt or tuple((entry.name, s.marker) for entry, s in sights.seen)
    if full and floor.orphan and all(write.entry.kind != "first" for write in full):
        outcomes.extend(outcome_of(w.entry, "deferred", "the zone's first entry creates the floor") for w in full)
        full = []
    if full:
        outcomes.extend(outcome_of(w.entry, "deferred", "a refill goes alone") for w in refills)
    elif refills:
        full, later = refills[:1], refills[1:]
        outcomes.extend(outcome_of(w.entry, "deferred", "a refill goes alone") for w in later)
    if not full:
        return Settled(tuple(outcomes), None if floor.lost else sights.floor, known)
    return Drawing(task, floor, tuple(full), tuple(outcomes), known, sights.floor)
