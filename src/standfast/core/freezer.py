"""An operator's freeze and thaw of a zone or of one endpoint: what people order, done by compare-and-set.

    zone      floor ─▶ marker, marker, … ─▶ sealed            (thaw: floor renewed ─▶ markers ─▶ floor live ─▶ thawed)
    endpoint  its marker alone

Rule 1.  What an older request may still assert gets a fresh nonce before anything else is done: the floor for a zone,
         the marker for an endpoint. So nothing that was sent before a command can land after it has ended, an older
         freeze or thaw included; and repeating a command is always right.
Rule 2.  A zone is *sealed* once a full pass over its markers has followed the floor, with nobody else's change of
         the floor in between. If there was one, the pass begins again.
Rule 3.  A marker that is missing or unreadable gets a placeholder without since; thaw takes it away again. Absence
         has no nonce, so both give the floor a fresh one.
Rule 4.  A lost floor is rebuilt as high as any readable marker, together with the marker of the zone's first entry,
         whose nonce stands in for the one that an absent floor lacks; so every command renews that marker, as it is or
         not. The first entry is never frozen alone.
Rule 5.  A tombstone stays one: there is no frozen tombstone, and thawing must not revive what was retired. Another
         stream's marker is passed over.

It needs no store: the names come with the command, all state is in the zone. It may die anywhere and be run again.
"""

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import first_name, marker_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.local import DrawNonce, IntendedWrite, Nonce, RecordIntent, RecordReply, Unrecorded
from standfast.ports.provider import (
    Confirm,
    ConfirmReply,
    Conflict,
    Fails,
    Prerequisite,
    Read,
    ReadReply,
    Refused,
    Replace,
    ReplaceReply,
    Unknown,
    Written,
)

from .drafting import NO_PLAN, Mark, seal_of
from .sealing import Command, Ended, Progress, Result, Sights, blind, marks_of, with_foreign


class Looking(Struct, frozen=True):
    """The floor and the markers whose turn it is."""

    progress: Progress

    @property
    def request(self) -> Read:
        """One reading; what is believed of it is asserted."""
        command = self.progress.command
        owners = [command.floor_owner, *(marker_owner(name, command.zone) for name in self.progress.batch)]
        return Read(command.zone, tuple((owner, int(RRType.TXT)) for owner in owners))

    def heard(self, reply: ReadReply) -> "Phase":
        """Without a full reading nothing is done."""
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return Ended("blind", values.why, self.progress.passed_over)
        marks = tuple(zip(self.progress.batch, values[1:], strict=True))
        return _decided(Sights(self.progress, values[0], marks))


class Confirming(Struct, frozen=True):
    """Does an unreadable record stand there, or does a wildcard make it? Asserting what a wildcard makes would fail
    for ever."""

    sights: Sights
    owner: str
    rrset: RRset

    @property
    def request(self) -> Confirm:
        """Prerequisites alone."""
        asserted = Prerequisite(self.owner, self.rrset.rtype, self.rrset.rdata)
        return Confirm(self.sights.progress.command.zone, (asserted,))

    def heard(self, reply: ConfirmReply) -> "Phase":
        """What does not stand there literally is absent."""
        if isinstance(reply, Refused | Unknown):
            return Ended("blind", reply.why, self.sights.progress.passed_over)
        if isinstance(reply, Fails):
            return _decided(self.sights.without(self.owner))
        return _decided(replace(self.sights, literal=(*self.sights.literal, self.owner)))


class Surveying(Struct, frozen=True):
    """The floor is lost: every marker, read after that was seen."""

    sights: Sights

    @property
    def request(self) -> Read:
        """All of them."""
        command = self.sights.progress.command
        return Read(command.zone, tuple((marker_owner(n, command.zone), int(RRType.TXT)) for n in command.order))

    def heard(self, reply: ReadReply) -> "Phase":
        """The highest generation that any of them names."""
        command = self.sights.progress.command
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return Ended("blind", values.why)
        found = dict(zip(command.order, values, strict=True))
        read = [read_marker(seen, command.zone, marker_owner(name, command.zone)) for name, seen in found.items()]
        ours = [one.generation for one in read if isinstance(one, Marker) and one.stream == command.stream]
        first = first_name(command.stream, command.zone)
        generation = max([command.generation, *ours])
        return _decided(replace(self.sights, marks=((first, found[first]),), rebuilt=generation))


class Change(Struct, frozen=True):
    """What is about to be written: the floor (None: only asserted), markers; and where the command stands then."""

    sights: Sights
    floor: Floor | None
    marks: tuple[Mark, ...]

    def composed(self, nonce: str) -> Replace:
        """The change under this nonce."""
        command = self.sights.progress.command
        return seal_of(command.stream, command.zone, self.sights.floor, self.floor, self.marks, nonce)

    def written(self, change: Replace) -> "Phase":
        """It stands."""
        progress = self.sights.progress
        if self.floor is None:
            return _after_batch(progress)
        floor = change.floor.contents[0].rdata
        if progress.command.endpoint or progress.floor:
            if not progress.batch:
                return _over(progress)
            return _after_batch(replace(progress, floor=floor))
        return Looking(replace(progress, floor=floor))

    def refused(self, why: str) -> "Phase":
        """A batch is tried one by one; what is refused alone is told at the end."""
        progress = self.sights.progress
        if not progress.batch or progress.command.endpoint:
            return Ended("refused", why, progress.passed_over)
        if len(progress.batch) > 1:
            return Looking(replace(progress, size=1))
        return _after_batch(replace(progress, refused=(*progress.refused, (progress.batch[0], why))))


class Drawing(Struct, frozen=True):
    """The change is decided; it needs a nonce that no marker ever had."""

    change: Change
    request: DrawNonce = DrawNonce()

    def heard(self, reply: Nonce) -> "Phase":
        """The change can be composed."""
        return Recording(self.change, reply.value)


class Recording(Struct, frozen=True):
    """The intention goes to disk before the change is sent."""

    change: Change
    nonce: str

    @property
    def request(self) -> RecordIntent:
        """No since changes."""
        command, floor = self.change.sights.progress.command, self.change.sights.floor_read
        intended = []
        for mark in self.change.marks:
            before = read_marker(mark.seen, command.zone, marker_owner(mark.name, command.zone))
            since, over = (before.since, before.nonce) if isinstance(before, Marker) else (None, "")
            intended.append(IntendedWrite(mark.name, since, since or 0, command.verb, over))
        generation = floor.generation if floor else self.change.sights.rebuilt or 0
        change = self.change.composed(self.nonce)
        return RecordIntent(command.zone, generation, NO_PLAN, self.nonce, tuple(intended), command.stream, change)

    def heard(self, reply: RecordReply) -> "Phase":
        """Nothing is written that could not be told."""
        if isinstance(reply, Unrecorded):
            return Ended("unrecorded", reply.why, self.change.sights.progress.passed_over)
        return Replacing(self.change, self.nonce)


class Replacing(Struct, frozen=True):
    """The one conditional write."""

    change: Change
    nonce: str

    @property
    def request(self) -> Replace:
        """Floor and markers, each asserted exactly as read."""
        return self.change.composed(self.nonce)

    def heard(self, reply: ReplaceReply) -> "Phase":
        """Written, refused by a prerequisite, refused by the provider, or unknown."""
        match reply:
            case Written():
                return self.change.written(self.request)
            case Conflict():
                return _again(self.change.sights.progress)
            case Refused(why):
                return self.change.refused(why)
            case Unknown(why):
                return Settling(self.change, self.nonce, why)


class Settling(Struct, frozen=True):
    """Nobody knows whether the change was made: the nonce in the zone tells."""

    change: Change
    nonce: str
    why: str

    @property
    def _witness(self) -> str:
        command = self.change.sights.progress.command
        if self.change.floor is not None:
            return command.floor_owner
        return marker_owner(self.change.marks[0].name, command.zone)

    @property
    def request(self) -> Read:
        """A record that carries the nonce."""
        return Read(self.change.sights.progress.command.zone, ((self._witness, int(RRType.TXT)),))

    def won(self, reply: ReadReply) -> bool | None:
        """Whether the change stands; None: the reading failed."""
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return None
        read = read_floor if self.change.floor is not None else read_marker
        record = read(values[0], self.change.sights.progress.command.zone, self._witness)
        return isinstance(record, Marker | Floor) and record.nonce == self.nonce

    def heard(self, reply: ReadReply) -> "Phase":
        """If it was not made it may still land: then what is done next decides, by what it asserts."""
        won, progress = self.won(reply), self.change.sights.progress
        if won is None:
            why = f"{self.why}, and whether it was written could not be read"
            return Ended("blind", why, progress.passed_over)
        if won:
            return self.change.written(self.change.composed(self.nonce))
        return _again(progress)


Freezing: TypeAlias = Looking | Confirming | Surveying | Drawing | Recording | Replacing | Settling
Phase: TypeAlias = Freezing | Ended
FreezerRequest: TypeAlias = Read | Confirm | DrawNonce | RecordIntent | Replace


def begin(command: Command) -> Phase:
    """The first phase of a command."""
    if command.endpoint == first_name(command.stream, command.zone):
        return Ended("refused", f"{command.endpoint} is the zone's own entry: {command.verb} the zone {command.zone}")
    return Looking(Progress(command, size=command.batch))


def _decided(sights: Sights) -> Phase:
    """From what was read to the next change, or to what must be asked first."""
    if doubt := sights.doubt:
        return Confirming(sights, *doubt)
    command, floor = sights.progress.command, sights.floor_read
    if command.endpoint:
        return _endpoint(sights, floor)
    if floor is None:
        if sights.rebuilt is None:
            return Surveying(replace(sights, progress=replace(sights.progress, floor=(), at=0)))
        sealed = Floor(command.stream, sights.rebuilt, "frozen", "")
        return Drawing(Change(sights, sealed, marks_of(sights, "freeze", sealed, renew=True)))
    if not sights.progress.floor:
        renewed = replace(floor, state="frozen") if command.verb == "freeze" else floor
        return Drawing(Change(sights, renewed, ()))
    if sights.floor is None or sights.floor.rdata != sights.progress.floor:
        return _again(sights.progress, floor_moved=True)
    if not sights.progress.batch:
        if not floor.frozen:
            return _over(sights.progress)
        return Drawing(Change(sights, replace(floor, state="live"), ()))
    told = with_foreign(sights)
    marks = marks_of(told, command.verb, floor, renew=False)
    if not marks:
        return _after_batch(told.progress)
    return Drawing(Change(told, floor if blind(marks) else None, marks))


def _endpoint(sights: Sights, floor: Floor | None) -> Phase:
    command = sights.progress.command
    if floor is None:
        why = f"the floor at {command.floor_owner} is missing or unreadable: let an enactor restore it first"
        return Ended("refused", why)
    if floor.frozen:
        return Ended("refused", f"the zone {command.zone} is frozen as a whole: thaw the zone")
    if foreign := with_foreign(sights).progress.passed_over:
        return Ended("refused", foreign[0][1])
    marks = marks_of(sights, command.verb, floor, renew=True)
    return Drawing(Change(sights, floor if blind(marks) else None, marks))


def _after_batch(progress: Progress) -> Phase:
    """On to the next markers, or to the end."""
    further = replace(progress, at=progress.at + len(progress.batch))
    if further.batch or (progress.command.verb == "thaw" and not progress.command.endpoint):
        return Looking(further)
    return _over(further)


def _over(progress: Progress) -> Ended:
    """Everything is done, but for what was refused."""
    command = progress.command
    if progress.refused:
        text = f"{len(progress.refused)} endpoints could not be changed; mend the cause, then {command.verb} again"
        return Ended("incomplete", text, progress.passed_over, progress.refused)
    done: Result = "thawed" if command.verb == "thaw" else "frozen" if command.endpoint else "sealed"
    return Ended(done, "", progress.passed_over)


def _again(progress: Progress, *, floor_moved: bool = False) -> Phase:
    """Look again; from the floor on if somebody else changed it."""
    if progress.conflicts >= progress.command.patience:
        return Ended("conflict", f"something else keeps writing; {progress.command.verb} again", progress.passed_over)
    anew = replace(progress, conflicts=progress.conflicts + 1)
    return Looking(replace(anew, floor=(), at=0, passed_over=(), refused=()) if floor_moved else anew)
