"""DNS messages as octets: UPDATE messages and queries written, replies read, and no more than a provider needs.

Written by hand because a general library spends a hundred times longer on a batch; the tests hold it to one.
What is read comes from a network: every fault of it is a WireError, every loop is bounded by the message.
"""

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple, TypeVar

from standfast.model.rrset import TTL_MAX, RRType
from standfast.ports.provider import Content, Key, Prerequisite

MESSAGE_MAX: Final = 65_535
"""Octets in one message over TCP (RFC 1035 §4.2.2)."""
HEADER: Final = struct.Struct("!6H")
CLASS_IN: Final = 1
CLASS_NONE: Final = 254
CLASS_ANY: Final = 255
TYPE_IXFR: Final = 251
OPCODE_UPDATE: Final = 5
FLAG_QR: Final = 0x8000
FLAG_AA: Final = 0x0400
FLAG_TC: Final = 0x0200
_FIXED: Final = struct.Struct("!HHIH")
_HEAD: Final = struct.Struct("!HHI")
_POINTER_REACH: Final = 0x4000
_NAME_MAX: Final = 255


_Item = TypeVar("_Item", Prerequisite, Content)


class Rcode(IntEnum):
    """How a request went (RFC 1035 §4.1.1, RFC 2136 §2.2)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    YXRRSET = 7
    NXRRSET = 8
    NOTAUTH = 9
    NOTZONE = 10


class WireError(ValueError):
    """These octets are no such message, or these values do not fit one."""


class Header(NamedTuple):
    """The first twelve octets of a message; counts in the order of the sections."""

    id: int
    flags: int
    counts: tuple[int, int, int, int]

    @property
    def opcode(self) -> int:
        """QUERY is 0, UPDATE is 5."""
        return self.flags >> 11 & 0xF

    @property
    def rcode(self) -> int:
        """The four bits; see Rcode."""
        return self.flags & 0xF


class Record(NamedTuple):
    """A record in a message: owner name in uncompressed, lower-case wire form; its rdata lie in [start, end)."""

    owner: bytes
    rtype: int
    rclass: int
    ttl: int
    start: int
    end: int


# Writing


def encode_name(name: str) -> bytes:
    """Uncompressed wire form of a name as the model has it. Raises WireError where that can't be a name."""
    labels = [label.encode() for label in name.split(".")]
    if any(not 0 < len(label) < 64 for label in labels):
        raise WireError(f"{name!r} has a label that is empty or longer than 63 octets")
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(wire) > _NAME_MAX:
        raise WireError(f"{name!r} takes {len(wire)} octets; a name has at most {_NAME_MAX}")
    return wire


def encode_question(name: str, rtype: int) -> bytes:
    """A question section of one question, class IN."""
    return encode_name(name) + struct.pack("!HH", rtype, CLASS_IN)


def encode_query(question: bytes) -> bytes:
    """A query without its first two octets, the id: no recursion desired, no EDNS."""
    return b"\0\0\0\1\0\0\0\0\0\0" + question


class _Update:
    """An UPDATE message as it grows. A name that was written is pointed at where a pointer reaches."""

    def __init__(self, message_id: int, zone: str) -> None:
        self.out = bytearray(HEADER.pack(message_id, OPCODE_UPDATE << 11, 1, 0, 0, 0))
        self._places: dict[str, int] = {}
        self._written: dict[str, bytes] = {}
        self.out += self._owner(zone)
        self.out += struct.pack("!HH", RRType.SOA, CLASS_IN)

    def add(self, owner: str, rtype: int, rclass: int, ttl: int, rdata: tuple[bytes, ...]) -> int:
        """Append one record for each rdata, or one without any; returns how many."""
        if not 0 <= ttl <= TTL_MAX:
            raise WireError(f"TTL {ttl} of {owner} is not between 0 and {TTL_MAX}")
        out = self.out
        if not rdata:
            out += self._owner(owner) + _FIXED.pack(rtype, rclass, ttl, 0)
            return 1
        if len(max(rdata, key=len)) > MESSAGE_MAX:
            raise WireError(f"rdata of {owner} do not fit a record")
        out += self._owner(owner) + _FIXED.pack(rtype, rclass, ttl, len(rdata[0])) + rdata[0]
        if len(rdata) > 1:
            head = self._owner(owner) + _HEAD.pack(rtype, rclass, ttl)
            for octets in rdata[1:]:
                out += head + len(octets).to_bytes(2, "big") + octets
        return len(rdata)

    def _owner(self, name: str) -> bytes:
        """The name's shortest form at the end of the message, where it must now be appended."""
        written = self._written.get(name)
        return written if written is not None else self._first(name)

    def _first(self, name: str) -> bytes:
        at = len(self.out)
        label, _, rest = name.partition(".")
        place = self._places.get(rest)
        if place is not None and 0 < len(label) < 64 and len(name) < _NAME_MAX - 2:
            return self._noted(name, at, bytes((len(label),)) + label.encode() + _pointer(place))
        encode_name(name)
        literal, rest = b"", name
        while rest:
            place = self._places.get(rest)
            if place is not None:
                break
            if at + len(literal) < _POINTER_REACH:
                self._places[rest] = at + len(literal)
            label, _, rest = rest.partition(".")
            octets = label.encode()
            literal += bytes((len(octets),)) + octets
        octets = literal + (_pointer(self._places[rest]) if rest else b"\0")
        self._written[name] = _pointer(at) if literal and at < _POINTER_REACH else octets
        return octets

    def _noted(self, name: str, at: int, octets: bytes) -> bytes:
        """One label and a pointer, about to be written at an offset."""
        if at < _POINTER_REACH:
            self._places[name] = at
            self._written[name] = _pointer(at)
        else:
            self._written[name] = octets
        return octets


def _pointer(place: int) -> bytes:
    return (0xC000 | place).to_bytes(2, "big")


def encode_update(
    message_id: int, zone: str, prerequisites: Iterable[Prerequisite], contents: Iterable[Content]
) -> bytes:
    """One UPDATE: prerequisites (RFC 2136 §2.4), then all typed deletions (§2.5.2), then all additions (§2.5.1).

    Deletions come first because some servers apply all additions last, others in the order given. The result may be
    longer than a message can be: look at it. Raises WireError for values that fit no record, and for an rrset that
    is asked or put twice with different data (on the wire the two would merge into a third).
    """
    message = _Update(message_id, zone)
    asked = _once(prerequisites)
    put = _once(contents)
    count = 0
    for wanted in asked:
        rclass = CLASS_IN if wanted.rdata else CLASS_NONE
        count += message.add(wanted.owner, wanted.rtype, rclass, 0, wanted.rdata)
    changes = 0
    absent = {(wanted.owner, wanted.rtype) for wanted in asked if not wanted.rdata}
    for content in put:
        if (content.owner, content.rtype) not in absent:  # what must not be there needs no deletion
            changes += message.add(content.owner, content.rtype, CLASS_ANY, 0, ())
    for content in put:
        if content.rdata:
            changes += message.add(content.owner, content.rtype, CLASS_IN, content.ttl, content.rdata)
    if max(count, changes) > 0xFFFF:
        raise WireError(f"{count} prerequisites and {changes} changes; a section has at most 65535")
    struct.pack_into("!HH", message.out, 6, count, changes)
    return bytes(message.out)


def _once(items: Iterable[_Item]) -> list[_Item]:
    first: dict[Key, _Item] = {}
    for item in items:
        if first.setdefault((item.owner, item.rtype), item) != item:
            raise WireError(f"{item.owner} type {item.rtype} occurs twice in one change with different data")
    return list(first.values())


# Reading


def read_header(message: bytes) -> Header:
    """The header. Raises WireError if there is not enough of one."""
    if len(message) < HEADER.size:
        raise WireError(f"a message of {len(message)} octets has no header")
    message_id, flags, *counts = HEADER.unpack_from(message)
    return Header(message_id, flags, (counts[0], counts[1], counts[2], counts[3]))


def read_name(message: bytes, at: int, *, fold: bool = True) -> tuple[bytes, int]:
    """The name at an offset, uncompressed and in lower case if `fold`, and the offset behind it.

    Pointers may only go backwards, each before the place the last one led to, so every name ends. Raises WireError.
    """
    parts, total, behind, limit, size = [], 0, -1, at, len(message)
    while True:
        if at >= size:
            raise WireError("a name is cut off")
        length = message[at]
        if length < 64:
            part = message[at : at + 1 + length]
            total += length + 1
            if len(part) <= length or total > _NAME_MAX:
                raise WireError("a name is cut off or too long")
            parts.append(part)
            at += 1 + length
            if not length:
                break
            continue
        if length < 0xC0 or at + 2 > size:
            raise WireError("a name has an unknown kind of label or is cut off")
        if behind < 0:
            behind = at + 2
        at = (length & 0x3F) << 8 | message[at + 1]
        if at >= limit:
            raise WireError("a name points forwards or at itself")
        limit = at
    name = b"".join(parts)
    return (name.lower() if fold else name), (at if behind < 0 else behind)


def skip_questions(message: bytes, count: int) -> int:
    """The offset behind the question section. Raises WireError."""
    at = HEADER.size
    for _ in range(count):
        _, at = read_name(message, at)
        at += 4
        if at > len(message):
            raise WireError("a question is cut off")
    return at


def read_records(message: bytes, at: int, count: int) -> Iterator[Record]:
    """The next `count` records from an offset. Raises WireError."""
    size, unpack = len(message), _FIXED.unpack_from
    last_place, last_owner = -1, b""
    for _ in range(count):
        # most owners are pointers, and many point where the one before did
        if at + 1 < size and message[at] >= 0xC0 and last_place == message[at] << 8 | message[at + 1]:
            owner, behind = last_owner, at + 2
        else:
            owner, behind = read_name(message, at)
            if at + 2 == behind:
                last_place, last_owner = message[at] << 8 | message[at + 1], owner
        start = behind + 10
        if start > size:
            raise WireError("a record is cut off")
        rtype, rclass, ttl, length = unpack(message, behind)
        at = start + length
        if at > size:
            raise WireError("rdata are cut off")
        yield Record(owner, rtype, rclass, ttl if ttl <= TTL_MAX else 0, start, at)


def read_rdata(message: bytes, record: Record) -> bytes:
    """The rdata of a record of a type that Standfast handles, names in them uncompressed. Raises WireError."""
    rdata = message[record.start : record.end]
    fits = True
    if record.rtype == RRType.TXT:
        fits = _are_strings(rdata)
    elif record.rtype == RRType.A:
        fits = len(rdata) == 4
    elif record.rtype == RRType.AAAA:
        fits = len(rdata) == 16
    elif record.rtype in (RRType.CNAME, RRType.NS):
        rdata, behind = read_name(message, record.start, fold=False)
        fits = behind == record.end
    if not fits:
        raise WireError(f"rdata of type {record.rtype} are malformed")
    return rdata


def _are_strings(rdata: bytes) -> bool:
    at = 0
    while at < len(rdata):
        at += 1 + rdata[at]
    return at == len(rdata) > 0


def read_serial(message: bytes, record: Record) -> int:
    """The serial of an SOA record (RFC 1035 §3.3.13). Raises WireError."""
    _, at = read_name(message, record.start)
    _, at = read_name(message, at)
    if at + 20 != record.end:
        raise WireError("rdata of an SOA are malformed")
    return int.from_bytes(message[at : at + 4], "big")
