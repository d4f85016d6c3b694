"""Markers and floors: the TXT records that say which generation a name and a zone have reached.

Each is one TXT record of one character-string, at most 255 octets, lower case throughout (PowerDNS compares
prerequisites without case), with a version in front and a checksum behind. The checksum covers zone and owner
name, so a record copied to another name, or synthesised from a wildcard, is not authority. A marker is compared,
never held: it is no lock and has no expiry. A value never repeats, because each carries a fresh nonce.
"""

import hashlib
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from .rrset import RRset, RRType, txt_rdata

GENERATION_MAX: Final = 2**48
"""A generation above this is damage: nobody could publish above a forged one near the end of the range."""
VERSION: Final = "standfast1"
EMERGENCY: Final = "emergency"
"""What a marker names in place of a plan when an operator published without one."""

MarkerState: TypeAlias = Literal["live", "frozen", "placeholder", "retired"]
FloorState: TypeAlias = Literal["live", "frozen"]
_MARKER_STATES: Final[dict[str, MarkerState]] = {
    "live": "live",
    "frozen": "frozen",
    "placeholder": "placeholder",
    "retired": "retired",
}
_FLOOR_STATES: Final[dict[str, FloorState]] = {"live": "live", "frozen": "frozen"}


class Marker(Struct, frozen=True):
    """What an endpoint has reached.

    `since` is the generation in which its entry last changed; `generation` and `plan` name the plan it was
    written from. State `placeholder` is a freeze over a marker that was missing: it has no since (0), and is
    unreadable again after thaw. `retired` is a tombstone.
    """

    stream: str
    since: int
    generation: int
    plan: str
    state: MarkerState
    writer: str
    nonce: str

    @property
    def frozen(self) -> bool:
        """Whether nobody may write under it."""
        return self.state in ("frozen", "placeholder")


class Floor(Struct, frozen=True):
    """The highest generation begun in a zone by a stream."""

    stream: str
    generation: int
    state: FloorState
    nonce: str

    @property
    def frozen(self) -> bool:
        """Whether nobody may write in the zone."""
        return self.state == "frozen"


class Damaged(Struct, frozen=True):
    """A TXT rrset stands where a marker or floor belongs and cannot be believed; `why` is for people."""

    rdata: tuple[bytes, ...]
    why: str


class Absent(Struct, frozen=True):
    """Nothing stands there."""


ABSENT: Final = Absent()
MarkerReading: TypeAlias = Marker | Damaged | Absent
FloorReading: TypeAlias = Floor | Damaged | Absent


def marker_rdata(marker: Marker, zone: str, owner: str) -> bytes:
    """The TXT rdata of a marker at `owner` in `zone`."""
    fields = (
        f"{VERSION} k=marker s={marker.stream} n={marker.since} g={marker.generation} p={marker.plan} "
        f"st={marker.state} w={marker.writer} x={marker.nonce}"
    )
    return _sealed(fields, zone, owner)


def floor_rdata(floor: Floor, zone: str, owner: str) -> bytes:
    """The TXT rdata of a floor at `owner` in `zone`."""
    fields = f"{VERSION} k=floor s={floor.stream} g={floor.generation} st={floor.state} x={floor.nonce}"
    return _sealed(fields, zone, owner)


@lru_cache(maxsize=65_536)
def read_marker(rrset: RRset | None, zone: str, owner: str) -> MarkerReading:
    """What the TXT rrset at a marker's owner name means. Never raises: whatever does not check is damage."""
    fields = _fields(rrset, "marker", ("s", "n", "g", "p", "st", "w", "x"), zone, owner)
    if not isinstance(fields, dict):
        return fields
    since, generation = _generation(fields["n"]), _generation(fields["g"])
    state = _MARKER_STATES.get(fields["st"])
    if since is None or generation is None or since > generation:
        return Damaged(_rdata(rrset), "its generation is out of range")
    if state is None:
        return Damaged(_rdata(rrset), f"its state {fields['st']!r} is not known")
    return Marker(fields["s"], since, generation, fields["p"], state, fields["w"], fields["x"])


def read_floor(rrset: RRset | None, zone: str, owner: str) -> FloorReading:
    """What the TXT rrset at a floor's owner name means. Never raises."""
    fields = _fields(rrset, "floor", ("s", "g", "st", "x"), zone, owner)
    if not isinstance(fields, dict):
        return fields
    generation, state = _generation(fields["g"]), _FLOOR_STATES.get(fields["st"])
    if generation is None:
        return Damaged(_rdata(rrset), "its generation is out of range")
    if state is None:
        return Damaged(_rdata(rrset), f"its state {fields['st']!r} is not known")
    return Floor(fields["s"], generation, state, fields["x"])


def _rdata(rrset: RRset | None) -> tuple[bytes, ...]:
    return rrset.rdata if rrset is not None else ()


def _checksum(fields: str, zone: str, owner: str) -> str:
    return hashlib.sha256(f"{zone}\n{owner}\n{fields}".encode()).hexdigest()[:16]


def _sealed(fields: str, zone: str, owner: str) -> bytes:
    return txt_rdata(f"{fields} c={_checksum(fields, zone, owner)}")


def _fields(
    rrset: RRset | None, kind: str, wanted: tuple[str, ...], zone: str, owner: str
) -> dict[str, str] | Damaged | Absent:
    if rrset is None or not rrset.rdata:
        return ABSENT
    if rrset.rtype != RRType.TXT:
        return Damaged(rrset.rdata, "it is not a TXT record")
    if len(rrset.rdata) != 1:
        return Damaged(rrset.rdata, f"{len(rrset.rdata)} TXT records stand where one belongs")
    (octets,) = rrset.rdata
    if not octets or octets[0] + 1 != len(octets):
        return Damaged(rrset.rdata, "it is not one character-string")
    try:
        text = octets[1:].decode("ascii")
    except UnicodeDecodeError:
        return Damaged(rrset.rdata, "it is not ASCII text")
    if not text.isprintable():  # no writer's name, and what people are told of it must not steer their terminal
        return Damaged(rrset.rdata, "it has control characters")
    body, found, checksum = text.rpartition(" c=")
    if not found or not body.startswith(f"{VERSION} k={kind} "):
        return Damaged(rrset.rdata, f"it is not a {kind} of version {VERSION}")
    if checksum != _checksum(body, zone, owner):
        return Damaged(rrset.rdata, "its checksum is wrong")
    pairs = [part.partition("=") for part in body.split(" ")[2:]]
    if tuple(key for key, _, _ in pairs) != wanted:
        return Damaged(rrset.rdata, "its fields are not those of this version")
    return {key: value for key, _, value in pairs}


def _generation(text: str) -> int | None:
    if not text.isdigit() or len(text) > 15:
        return None
    value = int(text)
    return value if value <= GENERATION_MAX else None
