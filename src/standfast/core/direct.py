"""What an operator writes into a zone directly, without a plan: one conditional change after the other. Pure.

    Looking ─▶ Confirming ─▶ (the order decides) ─▶ Drawing ─▶ Recording ─▶ Replacing ─▶ Settling ─▶ Looking … Ended
                if unreadable     │       ▲                                               if the reply was lost
                                  ▼       │
                                  Surveying   if the floor is lost

An *order* says what is read and what is made of it: `freezer.py` (freeze, thaw), `emergency.py` (publish, take over),
`leaving.py` (the way out). Here is what all of them have in common. It needs no store; all state is in the zone. It may
die anywhere and be given again.

Rule 1.  Every change asserts the floor's and each marker's exact bytes as read; it never rests on an earlier reading.
Rule 2.  Nothing is written under a frozen floor or marker: an order looks for itself, and what it read is asserted.
Rule 3.  An unreadable record that a wildcard may have made is confirmed literally before it is asserted.
"""

from typing import Final, Literal, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import (
    Damaged,
    Floor,
    Marker,
    MarkerReading,
    read_floor,
    read_marker,
)
from standfast.model.name import floor_owner, marker_owner
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

from .drafting import Mark, seal_of

PATIENCE: Final = 8
"""Conflicts an order bears in all: each is answered by looking again."""
Result: TypeAlias = Literal[
    "done", "sealed", "frozen", "thawed", "refused", "moved", "conflict", "incomplete", "blind", "unrecorded"
]


class Ended(Struct, frozen=True):
    """The order is over: `done` (`sealed`, `frozen`, `thawed`), or why not. `generation` is what was written,
    0 if nothing was.

    `refused`: nothing was written by its last step; `moved`: somebody else is at work; `incomplete`: the provider would
    not change those `kept_out`. Unless it is done something may have been done; the same order, given again, goes on
    from there. `passed_over` are endpoints that are not ours to touch, with the reason.
    """

    result: Result
    why: str = ""
    generation: int = 0
    passed_over: tuple[tuple[str, str], ...] = ()
    kept_out: tuple[tuple[str, str], ...] = ()


class Sights(Struct, frozen=True):
    """What was read for one step. `literal` are owners of unreadable records that do stand there; `highest` is what the
    markers say of a lost floor, once they were surveyed for it."""

    zone: str
    stream: str
    floor: RRset | None
    marks: tuple[tuple[str, RRset | None], ...]
    literal: tuple[str, ...] = ()
    highest: int | None = None

    @property
    def floor_read(self) -> Floor | None:
        """The stream's floor, None if it is missing or can't be believed."""
        read = read_floor(self.floor, self.zone, floor_owner(self.stream, self.zone))
        return read if isinstance(read, Floor) and read.stream == self.stream else None

    @property
    def markers(self) -> tuple[tuple[str, MarkerReading], ...]:
        """What each marker that was read says."""
        zone = self.zone
        return tuple((name, read_marker(seen, zone, marker_owner(name, zone))) for name, seen in self.marks)

    def marker(self, name: str) -> MarkerReading:
        """What the marker of that endpoint says."""
        seen = next(seen for one, seen in self.marks if one == name)
        return read_marker(seen, self.zone, marker_owner(name, self.zone))

    @property
    def doubt(self) -> tuple[str, RRset] | None:
        """An unreadable record that a wildcard may have made, and is about to be asserted."""
        owner = floor_owner(self.stream, self.zone)
        garbage = isinstance(read_floor(self.floor, self.zone, owner), Damaged)
        if self.floor is not None and garbage and owner not in self.literal:
            return owner, self.floor
        for (name, seen), (_, marker) in zip(self.marks, self.markers, strict=True):
            owner = marker_owner(name, self.zone)
            if seen is not None and owner not in self.literal and isinstance(marker, Damaged):
                return owner, seen
        return None

    def without(self, owner: str) -> "Sights":
        """The same with that reading taken for absence."""
        if owner == floor_owner(self.stream, self.zone):
            return replace(self, floor=None)
        marks = tuple((name, None if marker_owner(name, self.zone) == owner else seen) for name, seen in self.marks)
        return replace(self, marks=marks)


class Change(Struct, frozen=True):
    """What an order is about to write.

    `floor` is put under the fresh nonce; None leaves the floor as it is, asserted, or takes it away if `floor_goes`.
    `intended` tells the journal, with `generation` and `plan` as the change names them.
    """

    sights: Sights
    generation: int
    plan: str
    intended: tuple[IntendedWrite, ...]
    floor: Floor | None
    parts: tuple[Mark, ...]
    floor_goes: bool = False

    def composed(self, nonce: str) -> Replace:
        """The change under this nonce."""
        sights = self.sights
        return seal_of(
            sights.stream, sights.zone, sights.floor, self.floor, self.parts, nonce, floor_goes=self.floor_goes
        )


class Further(Struct, frozen=True):
    """Nothing is to be written for now: look at what comes next. `moved`: somebody else was there, as in a conflict."""

    order: "Order"
    moved: bool = False


class Survey(Struct, frozen=True):
    """The floor is lost: first all markers of `names` are to be read, of which the order needs those of `kept`."""

    order: "Order"
    names: tuple[str, ...]
    kept: tuple[str, ...]


Decision: TypeAlias = Change | Further | Survey | Ended


class Order(Protocol):
    """What an operator ordered, with how far it has come; a frozen value."""

    @property
    def stream(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def patience(self) -> int: ...
    @property
    def batch(self) -> tuple[str, ...]:
        """The endpoints whose markers are read for the next step."""

    def decide(self, sights: Sights) -> Decision:
        """What to write now, what to read first, or the end."""

    def written(self, change: Change, made: Replace) -> "Order | Ended":
        """The order after a change that stands, or the end."""

    def refused(self, why: str) -> "Order | Ended":
        """The order after a change that the provider would not make, or the end."""


class Looking(Struct, frozen=True):
    """The floor and the markers whose turn it is."""

    order: Order
    conflicts: int = 0

    @property
    def request(self) -> Read:
        """One reading; what is believed of it is asserted."""
        zone = self.order.zone
        owners = [floor_owner(self.order.stream, zone), *(marker_owner(name, zone) for name in self.order.batch)]
        return Read(zone, tuple((owner, int(RRType.TXT)) for owner in owners))

    def heard(self, reply: ReadReply) -> "Phase":
        """Without a full reading nothing is done."""
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return Ended("blind", values.why)
        marks = tuple(zip(self.order.batch, values[1:], strict=True))
        return _decided(self, Sights(self.order.zone, self.order.stream, values[0], marks))


class Confirming(Struct, frozen=True):
    """Does an unreadable record stand there, or does a wildcard make it?"""

    looking: Looking
    sights: Sights
    owner: str
    rrset: RRset

    @property
    def request(self) -> Confirm:
        """Prerequisites alone."""
        return Confirm(self.sights.zone, (Prerequisite(self.owner, self.rrset.rtype, self.rrset.rdata),))

    def heard(self, reply: ConfirmReply) -> "Phase":
        """What does not stand there literally is absent."""
        if isinstance(reply, Refused | Unknown):
            return Ended("blind", reply.why)
        if isinstance(reply, Fails):
            return _decided(self.looking, self.sights.without(self.owner))
        return _decided(self.looking, replace(self.sights, literal=(*self.sights.literal, self.owner)))


class Surveying(Struct, frozen=True):
    """The floor is lost: every marker, read after that was seen."""

    looking: Looking
    sights: Sights
    survey: Survey

    @property
    def request(self) -> Read:
        """All of them."""
        zone = self.sights.zone
        return Read(zone, tuple((marker_owner(name, zone), int(RRType.TXT)) for name in self.survey.names))

    def heard(self, reply: ReadReply) -> "Phase":
        """The highest generation that any of them names."""
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return Ended("blind", values.why)
        zone, found = self.sights.zone, dict(zip(self.survey.names, values, strict=True))
        read = [read_marker(seen, zone, marker_owner(name, zone)) for name, seen in found.items()]
        ours = [one.generation for one in read if isinstance(one, Marker) and one.stream == self.sights.stream]
        kept = tuple((name, found[name]) for name in self.survey.kept)
        return _decided(self.looking, replace(self.sights, marks=kept, highest=max(ours, default=0)))


class Drawing(Struct, frozen=True):
    """The change is decided; it needs a nonce that no marker ever had."""

    looking: Looking
    change: Change
    request: DrawNonce = DrawNonce()

    def heard(self, reply: Nonce) -> "Phase":
        """The change can be composed."""
        return Recording(self.looking, self.change, reply.value)


class Recording(Struct, frozen=True):
    """The intention goes to disk before the change is sent."""

    looking: Looking
    change: Change
    nonce: str

    @property
    def request(self) -> RecordIntent:
        """Who goes from which since to which, under which nonce."""
        one, made = self.change, self.change.composed(self.nonce)
        return RecordIntent(made.zone, one.generation, one.plan, self.nonce, one.intended, one.sights.stream, made)

    def heard(self, reply: RecordReply) -> "Phase":
        """Nothing is written that could not be told."""
        if isinstance(reply, Unrecorded):
            return Ended("unrecorded", reply.why)
        return Replacing(self.looking, self.change, self.nonce)


class Replacing(Struct, frozen=True):
    """The one conditional write."""

    looking: Looking
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
                return _on(self.looking.order.written(self.change, self.request), self.looking.conflicts)
            case Conflict():
                return _again(self.looking)
            case Refused(why):
                return _on(self.looking.order.refused(why), self.looking.conflicts)
            case Unknown(why):
                return Settling(self.looking, self.change, self.nonce, why)


class Settling(Struct, frozen=True):
    """Nobody knows whether the change was made: a record that carries its nonce tells."""

    looking: Looking
    change: Change
    nonce: str
    why: str

    @property
    def request(self) -> Read:
        """The floor if it is renewed, else a marker that is put. If the change only takes away, the floor as well: it
        is gone once the change has landed."""
        return Read(self.change.sights.zone, ((self._witness, int(RRType.TXT)),))

    @property
    def _witness(self) -> str:
        zone, put = self.change.sights.zone, next((part.name for part in self.change.parts if part.put), "")
        if self.change.floor is not None or not put:
            return floor_owner(self.change.sights.stream, zone)
        return marker_owner(put, zone)

    def won(self, reply: ReadReply) -> bool | None:
        """Whether the change stands; None: the reading failed."""
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return None
        if self.change.floor_goes:
            return values[0] is None
        zone = self.change.sights.zone
        read = read_floor if self.change.floor is not None else read_marker
        record = read(values[0], zone, self._witness)
        return isinstance(record, Marker | Floor) and record.nonce == self.nonce

    def heard(self, reply: ReadReply) -> "Phase":
        """If it was not made it may still land: then what is done next decides, by what it asserts."""
        won = self.won(reply)
        if won is None:
            return Ended("blind", f"{self.why}, and whether it was written could not be read")
        if won:
            made = self.change.composed(self.nonce)
            return _on(self.looking.order.written(self.change, made), self.looking.conflicts)
        return _again(self.looking)


Acting: TypeAlias = Looking | Confirming | Surveying | Drawing | Recording | Replacing | Settling
Phase: TypeAlias = Acting | Ended
DirectRequest: TypeAlias = Read | Confirm | DrawNonce | RecordIntent | Replace


def begin(order: Order) -> Phase:
    """The first phase of an order."""
    return Looking(order)


def _decided(looking: Looking, sights: Sights) -> Phase:
    if doubt := sights.doubt:
        return Confirming(looking, sights, *doubt)
    match looking.order.decide(sights):
        case Change() as change:
            return Drawing(looking, change)
        case Further(order, moved):
            further = Looking(order, looking.conflicts)
            return _again(further) if moved else further
        case Survey(order) as survey:
            return Surveying(Looking(order, looking.conflicts), sights, survey)
        case ended:
            return ended


def _on(after: "Order | Ended", conflicts: int) -> Phase:
    return after if isinstance(after, Ended) else Looking(after, conflicts)


def _again(looking: Looking) -> Phase:
    if looking.conflicts >= looking.order.patience:
        return Ended("conflict", "something else keeps writing there")
    return Looking(looking.order, looking.conflicts + 1)
