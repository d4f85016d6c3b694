"""The second half of a change: decided, recorded, sent, and settled by reading if the reply was lost."""

from typing import Final, TypeAlias

from msgspec import Struct, structs

from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import marker_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.local import DrawNonce, IntendedWrite, Nonce, RecordIntent, RecordReply, Unrecorded
from standfast.ports.provider import (
    Conflict,
    Read,
    ReadReply,
    Refused,
    Replace,
    ReplaceReply,
    Unknown,
    Written,
)

from .drafting import DraftedWrite, change_of, floor_generation, written_marker
from .judgement import BuildDue, Due, FloorView, RefillDue, harmless
from .reach import Contents
from .task import Outcome, Result, Settled, Task, outcome_of


class Drawing(Struct, frozen=True):
    """The change is decided; it needs a nonce that no marker ever had. `unrecorded`: why no journal took it."""

    task: Task
    floor: FloorView
    writes: tuple[DraftedWrite, ...]
    outcomes: tuple[Outcome, ...]
    learnt: tuple[tuple[str, RRset | None], ...]
    floor_rrset: RRset | None
    unrecorded: str = ""

    @property
    def request(self) -> DrawNonce:
        """One for the whole change."""
        return DrawNonce()

    def heard(self, reply: Nonce) -> "Writing | Settled":
        """The change can be composed."""
        task = self.task
        change = change_of(task.plan, task.zone, task.writer, self.floor, self.writes, reply.value)
        return Recording(self, change, reply.value)


class Recording(Struct, frozen=True):
    """The intention goes to disk before the change is sent."""

    drawn: Drawing
    change: Replace
    nonce: str

    @property
    def request(self) -> RecordIntent:
        """Who goes from which since to which, under which nonce."""
        plan, zone = self.drawn.task.plan, self.drawn.task.zone
        intended = tuple(_told(write) for write in self.drawn.writes)
        stream = plan.record.stream
        return RecordIntent(zone, plan.generation, plan.digest, self.nonce, intended, stream, self.change)

    def heard(self, reply: RecordReply) -> "Writing | Settled":
        """Without a journal only a refill goes on, and its outcome says so."""
        if not isinstance(reply, Unrecorded):
            return Replacing(self.drawn, self.change, self.nonce)
        if any(isinstance(write.judgement, RefillDue) for write in self.drawn.writes):
            return Replacing(structs.replace(self.drawn, unrecorded=reply.why), self.change, self.nonce)
        return _ended(self.drawn, "unrecorded", reply.why)


class Replacing(Struct, frozen=True):
    """The one conditional write."""

    drawn: Drawing
    change: Replace
    nonce: str

    @property
    def request(self) -> Replace:
        """All prerequisites, contents, markers and the floor."""
        return self.change

    def heard(self, reply: ReplaceReply) -> "Writing | Settled":
        """Written, refused by a prerequisite, refused by the provider, or unknown."""
        match reply:
            case Written():
                return _written(self.drawn, self.change, self.nonce)
            case Conflict():
                return _ended(self.drawn, "conflict", "something newer or other than expected is there", self.nonce)
            case Refused(why):
                return _ended(self.drawn, "refused", why, self.nonce)
            case Unknown(why):
                return Settling(self.drawn, self.change, self.nonce, why)


class Settling(Struct, frozen=True):
    """Nobody knows whether the change was made: the nonce in the zone tells."""

    drawn: Drawing
    change: Replace
    nonce: str
    why: str

    @property
    def request(self) -> Read:
        """Any record that carries the change's nonce: one marker; the floor if the change was a refill.

        A change of a tree that replaced neither is known by what it put.
        """
        put = self._put
        key = (self._witness, int(RRType.TXT)) if put is None else (put[0], put[1].answers)
        return Read(self.change.zone, (key,))

    @property
    def _put(self) -> tuple[str, RRset] | None:
        """The last record of a tree that the change put, if no marker tells of it."""
        due = self._telling.judgement
        return due.puts[-1][:2] if isinstance(due, BuildDue) and not due.live else None

    @property
    def _telling(self) -> DraftedWrite:
        """The part that leaves a nonce behind, if one does."""
        return min(self.drawn.writes, key=lambda write: isinstance(write.judgement, BuildDue))

    @property
    def _witness(self) -> str:
        write = self._telling
        if isinstance(write.judgement, RefillDue):
            return self.change.floor.name
        return marker_owner(write.entry.name, write.entry.zone)

    def heard(self, reply: ReadReply) -> "Writing | Settled":
        """Ours, somebody else's, or still unknown. It may yet land: then its prerequisites decide."""
        value: RRset | Unknown | None = reply if isinstance(reply, Unknown) else reply.values[0]
        if isinstance(value, Unknown):
            return _ended(self.drawn, "unknown", f"{self.why}; then {value.why}", self.nonce)
        if self._put is not None:
            if value == self._put[1]:
                return _written(self.drawn, self.change, self.nonce)
            return _ended(self.drawn, "unknown", f"{self.why}; it has not been made so far", self.nonce)
        zone = self.change.zone
        read = read_floor if self._witness == self.change.floor.name else read_marker
        record = read(value, zone, self._witness)
        if isinstance(record, Marker | Floor) and record.nonce == self.nonce:
            return _written(self.drawn, self.change, self.nonce)
        return _ended(self.drawn, "unknown", f"{self.why}; it has not been made so far", self.nonce)


Writing: TypeAlias = Drawing | Recording | Replacing | Settling


_RESULTS: Final[dict[type, Result]] = {RefillDue: "refilled", BuildDue: "built"}


def _told(write: DraftedWrite) -> IntendedWrite:
    """For the journal, with what the entry promises."""
    entry, refill = write.entry, isinstance(write.judgement, RefillDue)
    return structs.replace(write.intended, kind=entry.kind, least=entry.min_answers, refill=refill)


def _written(drawn: Drawing, change: Replace, nonce: str) -> Settled:
    outcomes = list(drawn.outcomes)
    for write in drawn.writes:
        result = _RESULTS.get(type(write.judgement), "written")
        intended = write.intended
        before, since = intended.since_before, intended.since
        outcomes.append(
            Outcome(change.zone, intended.name, result, intended.why, before, since, nonce, drawn.unrecorded)
        )
    floor = drawn.floor_rrset
    if floor_generation(drawn.task.plan, drawn.floor, drawn.writes) is not None:
        content = change.floor.contents[0]
        floor = RRset.of(content.rtype, content.ttl, content.rdata)
    markers = dict(drawn.learnt)
    for write, part in zip(drawn.writes, change.writes, strict=True):
        if not isinstance(write.judgement, BuildDue) or write.judgement.live:
            markers[part.name] = written_marker(part)
    return Settled(tuple(outcomes), floor, tuple(markers.items()), _foreign(drawn.writes))


def _foreign(writes: tuple[DraftedWrite, ...]) -> tuple[tuple[str, Contents], ...]:
    """The harmless damage that these writes repair."""
    return tuple(
        (write.entry.name, evidence)
        for write in writes
        if isinstance(write.judgement, Due | BuildDue)
        and write.judgement.repair
        and write.sighting.contents is not None
        and (evidence := write.sighting.evidence) is not None
        and harmless(write.entry, write.sighting.contents, write.sighting.known)
    )


def _ended(drawn: Drawing, result: Result, why: str, nonce: str = "") -> Settled:
    """Nothing was written as far as we know; nothing of the zone is believed any longer."""
    said = {"nonce": nonce, "unrecorded": drawn.unrecorded}
    ended = tuple(
        structs.replace(outcome_of(write.entry, result, why), before=write.intended.since_before, **said)
        for write in drawn.writes
    )
    return Settled((*drawn.outcomes, *ended))
