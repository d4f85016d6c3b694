"""What a proxy must read of a DNS message: its id, opcode, rcode and owner names, and no more (RFC 1035 §4).

The bytes themselves are never rebuilt: a TSIG covers them, and a fault is only real if the server sees what the
sender signed.
"""

from __future__ import annotations

import struct
from enum import IntEnum

HEADER_BYTES = 12
_OPCODE_UPDATE = 5
_POINTER = 0xC0
_HOPS_MAX = 128  # more jumps than a name has labels: a loop


class Rcode(IntEnum):
    """The four bits of a reply's header that say how it went (RFC 1035 §4.1.1, RFC 2136 §2.2)."""

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
    DSOTYPENI = 11
    RESERVED12 = 12
    RESERVED13 = 13
    RESERVED14 = 14
    RESERVED15 = 15


def is_update(message: bytes) -> bool:
    """Whether this is an UPDATE, request or reply (RFC 2136 §2.2)."""
    return len(message) >= HEADER_BYTES and (message[2] >> 3) & 0xF == _OPCODE_UPDATE


def is_reply(message: bytes) -> bool:
    """Whether the QR bit is set."""
    return len(message) >= HEADER_BYTES and bool(message[2] & 0x80)


def message_id(message: bytes) -> int:
    """The first sixteen bits: what pairs a reply with its request."""
    return int.from_bytes(message[:2], "big")


def rcode(message: bytes) -> Rcode:
    """The rcode of a reply's header. BADTIME and its kin live in the TSIG and show here as NOTAUTH."""
    return Rcode(message[3] & 0xF)


def owners(message: bytes) -> frozenset[str]:
    """Every owner name in a message, lower-case and without the final dot, as far as it can be read.

    The zone of an UPDATE counts as an owner. Malformed messages give what came before the fault: the proxy passes
    them on untouched, so it must not choke on them.
    """
    found: set[str] = set()
    if len(message) < HEADER_BYTES:
        return frozenset()
    questions, *records = struct.unpack_from("!4H", message, 4)
    at = HEADER_BYTES
    try:
        for _ in range(questions):
            name, at = _name(message, at)
            found.add(name)
            at += 4
        for _ in range(sum(records)):
            name, at = _name(message, at)
            found.add(name)
            (length,) = struct.unpack_from("!H", message, at + 8)
            at += 10 + length
    except (IndexError, struct.error):
        pass
    return frozenset(found)


def _name(message: bytes, at: int) -> tuple[str, int]:
    """The name at an offset and the offset behind it; IndexError where there is none."""
    labels: list[str] = []
    end = -1
    for _ in range(_HOPS_MAX):
        length = message[at]
        if length & _POINTER == _POINTER:
            end = at + 2 if end < 0 else end
            at = (length & ~_POINTER) << 8 | message[at + 1]
        elif length == 0:
            return ".".join(labels).lower(), at + 1 if end < 0 else end
        else:
            labels.append(message[at + 1 : at + 1 + length].decode("latin-1"))
            at += 1 + length
    raise IndexError("a name that never ends")
