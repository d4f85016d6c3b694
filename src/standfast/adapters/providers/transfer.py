"""What an incremental transfer says about which owner names changed (RFC 1995), read without guessing.

An answer is a sequence of differences: the new SOA, then for each step the old SOA, what was deleted, the next SOA,
what was added; and the new SOA again. A server that has no such history sends the whole zone instead, or refuses.
"""

import struct
from typing import Final

from standfast.model.name import name_from_wire
from standfast.model.rrset import RRType

from .tsig import Verifier
from .wire import (
    FLAG_QR,
    HEADER,
    TYPE_IXFR,
    Rcode,
    Record,
    WireError,
    encode_name,
    encode_question,
    read_header,
    read_records,
    read_serial,
    skip_questions,
)

RECORDS_MAX: Final = 500_000
_SIGNING_TYPES: Final = frozenset({46, 47, 50, 250})
"""RRSIG, NSEC, NSEC3 and TSIG: they follow the data, or are none of the zone's."""


class NoDifferences(Exception):
    """The server has sent something else than differences since our serial: look at everything."""


def encode_ixfr(message_id: int, zone: str, serial: int) -> bytes:
    """The request for what changed since `serial` (RFC 1995 §3)."""
    rdata = b"\0\0" + struct.pack("!5I", serial, 0, 0, 0, 0)
    soa = encode_name(zone) + struct.pack("!HHIH", RRType.SOA, 1, 0, len(rdata)) + rdata
    return HEADER.pack(message_id, 0, 1, 0, 1, 0) + encode_question(zone, TYPE_IXFR) + soa


class Differences:
    """Takes the messages of the answer one by one; when `take` says that it was the last, `owners` are known."""

    def __init__(self, zone: str, serial: int, verifier: Verifier | None) -> None:
        self._apex = encode_name(zone)
        self._verifier = verifier
        self._since = serial
        self._count = 0
        self._finished = False
        self._deleting = False
        self._reached: int | None = None
        self._names: set[bytes] = set()
        self.serial = -1
        self.refused = False
        """Whether the server would not hear of it, which may be due to the key."""

    @property
    def owners(self) -> tuple[str, ...]:
        """The owner names whose data changed, in order."""
        return tuple(sorted(name_from_wire(name) for name in self._names))

    def take(self, message: bytes) -> bool:
        """Whether the answer is whole now. Raises NoDifferences, TsigError and WireError."""
        header = read_header(message)
        self.refused = header.rcode in (Rcode.NOTAUTH, Rcode.REFUSED)
        if not header.flags & FLAG_QR or header.rcode != Rcode.NOERROR or header.opcode:
            raise NoDifferences
        if self._verifier is not None:
            self._verifier.take(message)
        at = skip_questions(message, header.counts[0])
        for record in read_records(message, at, header.counts[1]):
            if self._finished:
                raise NoDifferences
            self._count += 1
            if self._count > RECORDS_MAX:
                raise NoDifferences
            if record.rtype == RRType.SOA:
                if record.owner != self._apex:
                    raise NoDifferences
                self._mark(read_serial(message, record))
            else:
                self._note(record)
        if self._finished and self._verifier is not None and self._verifier.unsigned:
            raise WireError("the last message of a transfer is not signed")
        return self._finished or (self._count == 1 and self.serial == self._since)

    def _mark(self, serial: int) -> None:
        """An SOA: the new one first, then by turns where a step starts and where it leads."""
        if self._count == 1:
            self.serial = serial
        elif self._deleting:
            self._reached, self._deleting = serial, False
        elif serial == self.serial and self._reached == serial:
            self._finished = True
        elif serial == (self._since if self._reached is None else self._reached):
            self._deleting = True
        else:
            raise NoDifferences

    def _note(self, record: Record) -> None:
        if not self._deleting and self._reached is None:
            raise NoDifferences  # the second record of a whole zone
        if record.rtype not in _SIGNING_TYPES:
            self._names.add(record.owner)
