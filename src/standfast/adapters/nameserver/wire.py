"""Messages as bytes: a strict reader and a compressing writer (RFC 1035 §4, RFC 6891).

Rdata is decoded by dnspython. The frame around it is read here, because dnspython's update reader drops what RFC 2136
must judge (the TTL of an empty record, the class it was sent with), and because a query answered from bytes is some
ten times faster than one that becomes objects first. A reader that accepts less is also easier to fuzz.

Names are kept as uncompressed wire bytes with the case they arrived in; a *key* is such a name in lower case. Length
octets are at most 63 and so never look like an upper-case letter: `name.lower()` is safe.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from standfast.adapters.nameserver.zone import RRset

QR: Final = 0x8000
AA: Final = 0x0400
TC: Final = 0x0200
RD: Final = 0x0100
HEADER_SIZE: Final = 12
MAX_MESSAGE: Final = 65535
"""Largest message TCP can carry (RFC 1035 §4.2.2)."""
UDP_PLAIN: Final = 512
"""Largest UDP message without EDNS (RFC 1035 §4.2.1)."""
UDP_EDNS: Final = 1232
"""Largest UDP message we send whatever the client offers, so that none is fragmented (DNS Flag Day 2020)."""

_MAX_NAME: Final = 255
_OPT: Final = 41
_TSIG: Final = 250
_IN: Final = 1
_A: Final = 1
_AAAA: Final = 28
_FIXED_SIZES: Final = {_A: 4, _AAAA: 16}
_RR_FIXED = struct.Struct("!HHIH")
_HEADER = struct.Struct("!HHHHHH")


class Malformed(Exception):
    """The bytes are not a message that we read; the answer is FORMERR."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. `name` keeps the client's case, which the answer repeats."""

    name: bytes
    rdtype: int
    rdclass: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stands in a message: exact class and TTL, rdata by position (it may be compressed)."""

    owner: bytes
    rdtype: int
    rdclass: int
    ttl: int
    rdata_at: int
    rdata_size: int


@dataclass(frozen=True, slots=True)
class Message:
    """A request, framed. `opt` and `tsig` are taken out of `additional`; `tsig_at` is where the TSIG begins."""

    wire: bytes
    id: int
    flags: int
    questions: tuple[Question, ...]
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    opt: Record | None
    tsig: Record | None
    tsig_at: int

    @property
    def opcode(self) -> int:
        return opcode_of(self.flags)

    @property
    def edns_version(self) -> int:
        """Version in the OPT record (RFC 6891 §6.1.3); 0 without one."""
        return (self.opt.ttl >> 16) & 0xFF if self.opt else 0

    @property
    def udp_limit(self) -> int:
        """Bytes the client takes over UDP; below 512 means 512 (RFC 6891 §6.2.3)."""
        return min(max(self.opt.rdclass, UDP_PLAIN), UDP_EDNS) if self.opt else UDP_PLAIN


def opcode_of(flags: int) -> int:
    """The opcode in the second header word (RFC 1035 §4.1.1)."""
    return (flags >> 11) & 0xF


def read_name(wire: bytes, at: int) -> tuple[bytes, int]:
    """The name at `at`, uncompressed, and where the next field begins. Pointers go backwards only."""
    labels: list[bytes] = []
    size = 1
    after = 0
    limit = at
    while True:
        if at >= len(wire):
            raise Malformed("name runs past the end")
        length = wire[at]
        if length == 0:
            labels.append(b"\0")
            return b"".join(labels), after or at + 1
        if length < 0x40:
            size += length + 1
            if size > _MAX_NAME or at + 1 + length > len(wire):
                raise Malformed("name too long")
            labels.append(wire[at : at + 1 + length])
            at += 1 + length
        elif length >= 0xC0 and at + 1 < len(wire):
            after = after or at + 2
            at = (length & 0x3F) << 8 | wire[at + 1]
            if at >= limit:
                raise Malformed("compression pointer does not go back")
            limit = at
        else:
            raise Malformed("unknown kind of label")


def read_message(wire: bytes) -> Message:
    """Frame a whole message.

    Raises Malformed for anything cut short, trailing bytes, a second OPT (RFC 6891 §6.1.1), or a TSIG that is not the
    last record (RFC 8945 §5.1).
    """
    if not HEADER_SIZE <= len(wire) <= MAX_MESSAGE:
        raise Malformed("no header")
    ident, flags, *counts = _HEADER.unpack_from(wire)
    at = HEADER_SIZE
    questions = []
    for _ in range(counts[0]):
        name, at = read_name(wire, at)
        if at + 4 > len(wire):
            raise Malformed("question cut short")
        questions.append(Question(name, *struct.unpack_from("!HH", wire, at)))
        at += 4
    sections: list[tuple[Record, ...]] = []
    starts: list[int] = []
    for count in counts[1:]:
        records = []
        starts = []
        for _ in range(count):
            starts.append(at)
            record, at = _read_record(wire, at)
            records.append(record)
        sections.append(tuple(records))
    if at != len(wire):
        raise Malformed("bytes after the last record")
    if any(record.rdtype in (_OPT, _TSIG) for section in sections[:2] for record in section):
        raise Malformed("OPT or TSIG outside the additional section")
    additional = list(sections[2])
    tsig = additional.pop() if additional and additional[-1].rdtype == _TSIG else None
    opt = _take_opt(additional)
    if any(record.rdtype == _TSIG for record in additional):
        raise Malformed("TSIG is not the last record")
    tsig_at = starts[-1] if tsig else 0
    return Message(
        wire, ident, flags, tuple(questions), sections[0], sections[1], tuple(additional), opt, tsig, tsig_at
    )


def _read_record(wire: bytes, at: int) -> tuple[Record, int]:
    owner, at = read_name(wire, at)
    if at + 10 > len(wire):
        raise Malformed("record cut short")
    rdtype, rdclass, ttl, size = _RR_FIXED.unpack_from(wire, at)
    at += 10
    if at + size > len(wire):
        raise Malformed("rdata cut short")
    return Record(owner, rdtype, rdclass, ttl, at, size), at + size


def _take_opt(additional: list[Record]) -> Record | None:
    opts = [record for record in additional if record.rdtype == _OPT]
    if len(opts) > 1 or (opts and opts[0].owner != b"\0"):
        raise Malformed("more than one OPT, or one with a name")
    additional[:] = [record for record in additional if record.rdtype != _OPT]
    return opts[0] if opts else None


def read_rdata(wire: bytes, record: Record) -> bytes:
    """The rdata of a record of class IN, checked and without compression. Raises Malformed."""
    raw = wire[record.rdata_at : record.rdata_at + record.rdata_size]
    if record.rdtype in _FIXED_SIZES:
        if len(raw) != _FIXED_SIZES[record.rdtype]:
            raise Malformed("address of the wrong size")
        return raw
    try:
        parsed = dns.rdata.from_wire(
            dns.rdataclass.IN,
            dns.rdatatype.RdataType.make(record.rdtype),
            wire,
            record.rdata_at,
            record.rdata_size,
        )
        return parsed.to_wire() or b""
    except (dns.exception.DNSException, ValueError, struct.error) as error:
        raise Malformed(f"bad rdata of type {record.rdtype}") from error


class Writer:
    """Builds one response. Owner names are compressed against the question and earlier owners, rdata never is."""

    def __init__(self, question: Question | None) -> None:
        self._out = bytearray(HEADER_SIZE)
        self._offsets: dict[bytes, int] = {}
        self._counts = [1 if question else 0, 0, 0, 0]
        if question:
            self._write_name(question.name)
            self._out += struct.pack("!HH", question.rdtype, question.rdclass)

    def __len__(self) -> int:
        return len(self._out)

    def _write_name(self, name: bytes) -> None:
        at = 0
        start = len(self._out)
        key = name.lower()
        while name[at]:
            offset = self._offsets.get(key[at:])
            if offset is not None:
                self._out += name[:at] + struct.pack("!H", 0xC000 | offset)
                return
            if start + at < 0x4000:
                self._offsets[key[at:]] = start + at
            at += 1 + name[at]
        self._out += name

    def add(self, section: int, rrset: RRset, ttl: int | None = None) -> None:
        """Append a whole rrset; sections (1 answer, 2 authority, 3 additional) must come in order."""
        for rdata in rrset.rdatas:
            self._write_name(rrset.owner)
            self._out += _RR_FIXED.pack(rrset.rdtype, _IN, rrset.ttl if ttl is None else ttl, len(rdata))
            self._out += rdata
        self._counts[section] += len(rrset.rdatas)

    def add_all(self, section: int, rrsets: Iterable[RRset]) -> None:
        """Append rrsets in order."""
        for rrset in rrsets:
            self.add(section, rrset)

    def finish(self, ident: int, flags: int, rcode: int, edns_flags: int | None) -> bytes:
        """The message. `edns_flags` is None to leave out OPT, else its DO bit is repeated (RFC 3225 §3).

        `rcode` may exceed 15: its upper bits go to the OPT record (RFC 6891 §6.1.3).
        """
        if edns_flags is not None:
            extended = (rcode >> 4) << 24 | (edns_flags & 0x8000)
            self._out += b"\0" + _RR_FIXED.pack(_OPT, UDP_EDNS, extended, 0)
            self._counts[3] += 1
        _HEADER.pack_into(self._out, 0, ident, flags | (rcode & 0xF), *self._counts)
        return bytes(self._out)


def name_to_wire(name: dns.name.Name | str) -> bytes:
    """An absolute name as uncompressed wire bytes."""
    parsed = dns.name.from_text(name) if isinstance(name, str) else name
    return parsed.to_wire() or b"\0"
