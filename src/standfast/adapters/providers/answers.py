"""What a DNS server's answer to a query says, as literally as can be known: an rrset, its absence, or nothing."""

import struct
from typing import Final, TypeAlias

from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Unknown

from .wire import (
    CLASS_IN,
    FLAG_AA,
    FLAG_QR,
    FLAG_TC,
    HEADER,
    Rcode,
    WireError,
    read_header,
    read_name,
    read_rdata,
    read_records,
    read_serial,
)

Reading: TypeAlias = RRset | Unknown | None


def read_answer(reply: bytes, question: bytes, rtype: int) -> tuple[Reading, bool]:
    """What a reply says about the question, and whether the name does not exist (NXDOMAIN without a CNAME)."""
    try:
        header = read_header(reply)
        flags = header.flags
        if not flags & FLAG_QR or header.opcode:
            return Unknown("the answer is none"), False
        if flags & FLAG_TC:
            return Unknown("the answer is truncated"), False
        failed = header.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN)
        if failed and not header.counts[1]:
            return _failed(header.rcode), False
        behind = HEADER.size + len(question)
        echoed = reply[HEADER.size : behind]
        if header.counts[0] != 1 or (echoed != question and echoed.lower() != question.lower()):
            return Unknown("the answer is to another question"), False
        if not flags & FLAG_AA:
            return Unknown(f"the server is not authoritative for {_shown(question)}; ask the zone's primary"), False
        rrset = _rrset_at(reply, behind, header.counts[1], question[:-4], rtype)
        if failed and (rrset is None or rrset.rtype != RRType.CNAME):
            # of a chain of aliases only the end failed (RFC 6604 §3): BIND says SERVFAIL to one that never ends
            return _failed(header.rcode), False
    except WireError as problem:
        return Unknown(f"the answer is malformed: {problem}"), False
    return rrset, rrset is None and header.rcode == Rcode.NXDOMAIN


def _rrset_at(reply: bytes, at: int, count: int, owner: bytes, rtype: int) -> RRset | None:
    """The records at the name that was asked; a CNAME there stands for all other types, and is followed by none."""
    found: list[bytes] = []
    ttl, is_cname = 0, False
    for record in read_records(reply, at, count):
        if record.owner != owner or record.rclass != CLASS_IN:
            continue
        if record.rtype == RRType.CNAME and not is_cname:
            found, is_cname = [], True
        elif record.rtype != (RRType.CNAME if is_cname else rtype):
            continue
        ttl = min(ttl, record.ttl) if found else record.ttl
        found.append(read_rdata(reply, record))
    return RRset.of(RRType.CNAME if is_cname else rtype, ttl, found) if found else None


def serial_answered(reply: bytes, question: bytes) -> int | Unknown:
    """The zone's serial, of an answer to the question for its SOA."""
    value, _ = read_answer(reply, question, RRType.SOA)
    if isinstance(value, Unknown):
        return value
    behind = HEADER.size + len(question)
    for record in read_records(reply, behind, read_header(reply).counts[1]):
        if record.owner == question[:-4] and record.rtype == RRType.SOA:
            try:
                return read_serial(reply, record)
            except WireError as problem:
                return Unknown(f"the answer is malformed: {problem}")
    return Unknown("the server has no SOA for the zone")


def _shown(question: bytes) -> str:
    rtype, _ = struct.unpack("!HH", question[-4:])
    name, _ = read_name(question, 0)
    return f"{name!r} type {rtype}"


def _failed(rcode: int) -> Unknown:
    try:
        return Unknown(f"the server answered {Rcode(rcode).name}")
    except ValueError:
        return Unknown(f"the server answered rcode {rcode}")


SERVFAIL: Final = _failed(Rcode.SERVFAIL)
"""The reading of an answer that says no more than that."""
