"""What an operator ordered, what was read for it, and what becomes of each marker: the pure half of freeze and thaw."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Damaged, Floor, Marker, read_floor, read_marker
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.rrset import RRset

from .drafting import NO_PLAN, Mark

BATCH: Final = 50
"""Markers of one change: about 30 KB of an UPDATE, under the 64 KB that a TCP message holds."""
PATIENCE: Final = 16
"""Conflicts a command bears in all. Under a frozen floor only another operator makes them."""
Result: TypeAlias = Literal["sealed", "frozen", "thawed", "refused", "conflict", "blind", "unrecorded", "incomplete"]


class Command(Struct, frozen=True):
    """What was ordered.

    `names` are the zone's endpoints as far as anybody knows them (retired ones may be among them); `endpoint` is the
    one to be frozen or thawed alone, empty for the whole zone. `generation` is the least that a lost floor is rebuilt
    at: that of the newest plan at hand, 0 if there is none.
    """

    verb: Literal["freeze", "thaw"]
    stream: str
    zone: str
    writer: str
    names: tuple[str, ...] = ()
    endpoint: str = ""
    generation: int = 0
    batch: int = BATCH
    patience: int = PATIENCE

    @property
    def order(self) -> tuple[str, ...]:
        """Every marker of a full pass. With the floor gone, the first entry's says that the zone is frozen: it is
        frozen first and thawed last."""
        if self.endpoint:
            return (self.endpoint,)
        first = first_name(self.stream, self.zone)
        others = tuple(sorted(set(self.names) - {first}))
        return (first, *others) if self.verb == "freeze" else (*others, first)

    @property
    def floor_owner(self) -> str:
        """Where the stream's floor lives."""
        return floor_owner(self.stream, self.zone)


class Ended(Struct, frozen=True):
    """The command is over.

    `sealed`, `frozen` (an endpoint) and `thawed` are success. After any other result something may have been done;
    the same command, given again, goes on from there. `passed_over` are endpoints that are not ours to freeze or
    thaw, with the reason; `refused` those that the provider would not change.
    """

    result: Result
    why: str = ""
    passed_over: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


class Progress(Struct, frozen=True):
    """How far the command has come. `floor` is the floor of our last change of it, empty before the first."""

    command: Command
    floor: tuple[bytes, ...] = ()
    at: int = 0
    size: int = BATCH
    conflicts: int = 0
    passed_over: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def batch(self) -> tuple[str, ...]:
        """The endpoints whose turn it is; none before the floor was renewed, and none after the last."""
        if not self.command.endpoint and not self.floor:
            return ()
        return self.command.order[self.at : self.at + self.size]


class Sights(Struct, frozen=True):
    """What was read. `literal` are owners of unreadable records that do stand there; `rebuilt` is the generation for a
    lost floor, once the markers have been surveyed for it."""

    progress: Progress
    floor: RRset | None
    marks: tuple[tuple[str, RRset | None], ...]
    literal: tuple[str, ...] = ()
    rebuilt: int | None = None

    @property
    def floor_read(self) -> Floor | None:
        """The stream's floor, None if it is missing or can't be believed."""
        command = self.progress.command
        read = read_floor(self.floor, command.zone, command.floor_owner)
        return read if isinstance(read, Floor) and read.stream == command.stream else None

    @property
    def doubt(self) -> tuple[str, RRset] | None:
        """An unreadable record that a wildcard may have made, and is about to be asserted."""
        zone = self.progress.command.zone
        owner = self.progress.command.floor_owner
        damaged = isinstance(read_floor(self.floor, zone, owner), Damaged)
        if self.floor is not None and damaged and owner not in self.literal:
            return owner, self.floor
        for name, seen in self.marks:
            owner = marker_owner(name, zone)
            if seen is not None and owner not in self.literal and isinstance(read_marker(seen, zone, owner), Damaged):
                return owner, seen
        return None

    def without(self, owner: str) -> "Sights":
        """The same with that reading taken for absence."""
        if owner == self.progress.command.floor_owner:
            return replace(self, floor=None)
        zone = self.progress.command.zone
        marks = tuple((name, None if marker_owner(name, zone) == owner else seen) for name, seen in self.marks)
        return replace(self, marks=marks)


def blind(marks: tuple[Mark, ...]) -> bool:
    """Whether absence is asserted or made, which has no nonce: then the floor gets a fresh one."""
    return any(mark.put is None or mark.put.state == "placeholder" for mark in marks)


def with_foreign(sights: Sights) -> Sights:
    """The markers that are not ours to change, told."""
    progress, zone = sights.progress, sights.progress.command.zone
    told = list(progress.passed_over)
    for name, seen in sights.marks:
        marker = read_marker(seen, zone, marker_owner(name, zone))
        if isinstance(marker, Marker) and marker.stream != progress.command.stream:
            told.append((name, f"{name} belongs to stream {marker.stream}"))
        elif isinstance(marker, Marker) and marker.state == "retired":
            told.append((name, f"{name} is retired: its tombstone stays"))
    return replace(sights, progress=replace(progress, passed_over=tuple(dict.fromkeys(told))))


def marks_of(sights: Sights, verb: Literal["freeze", "thaw"], floor: Floor, *, renew: bool) -> tuple[Mark, ...]:
    """What becomes of each marker that was read; with `renew`, also of one that is as it shall be.

    The first entry's gets a fresh nonce in any case: an older command that found no floor asserts that marker alone.
    """
    command, marks = sights.progress.command, []
    first = first_name(command.stream, command.zone)
    for name, seen in sights.marks:
        marker = read_marker(seen, command.zone, marker_owner(name, command.zone))
        if isinstance(marker, Marker) and (marker.stream != command.stream or marker.state == "retired"):
            continue
        put: Marker | None
        if isinstance(marker, Marker) and marker.state != "placeholder":
            put = replace(marker, state="frozen" if verb == "freeze" else "live", writer=command.writer)
            changes = put.state != marker.state
        else:
            gone = Marker(command.stream, 0, floor.generation, NO_PLAN, "placeholder", command.writer, "")
            put = gone if verb == "freeze" else None
            changes = (verb == "freeze") != isinstance(marker, Marker)
        if changes or renew or name == first:
            marks.append(Mark(name, seen, put))
    return tuple(marks)
