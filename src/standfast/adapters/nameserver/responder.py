"""From the bytes of a request to the bytes of its answer, without sockets.

Order of judgement: header, frame, signature, EDNS version, then the opcode's own rules. What cannot be framed is
answered FORMERR with a bare header; what is itself an answer gets none, or two servers could talk for ever.
"""

import logging
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from standfast.adapters.nameserver import transfer
from standfast.adapters.nameserver.authentication import Authenticator, Keyring, Signer
from standfast.adapters.nameserver.persistence import ZoneStore
from standfast.adapters.nameserver.update import (
    FORMERR,
    IN,
    NOTAUTH,
    NOTIMP,
    REFUSED,
    SERVFAIL,
    zone_section,
)
from standfast.adapters.nameserver.wire import (
    AA,
    HEADER_SIZE,
    MAX_MESSAGE,
    QR,
    RD,
    TC,
    Malformed,
    Message,
    Writer,
    name_to_wire,
    opcode_of,
    read_message,
)
from standfast.adapters.nameserver.zone import DS, NOERROR, Answer, parent

log = logging.getLogger(__name__)

QUERY: Final = 0
UPDATE: Final = 5
BADVERS: Final = 16

_OPT_SIZE: Final = 11
_OPCODE_MASK: Final = 0x7800
_QUESTIONS_THAT_ARE_NONE: Final = frozenset({0, 41, 249, 250})
_NOT_IMPLEMENTED: Final = frozenset({253, 254})
"""MAILB and MAILA, obsolete since RFC 1035."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The way back to one request: header, question, EDNS and signature as they must be repeated."""

    message: Message
    signer: Signer | None
    tcp: bool

    def error(self, rcode: int) -> bytes:
        """An answer that has nothing but an rcode."""
        return self.send(Answer(rcode, authoritative=False))

    def send(self, answer: Answer) -> bytes:
        """The answer, or the same header with TC=1 if the client must ask over TCP (RFC 2181 §9)."""
        limit = MAX_MESSAGE if self.tcp else self.message.udp_limit
        limit -= (_OPT_SIZE if self.message.opt else 0) + (self.signer.size if self.signer else 0)
        flags = AA if answer.authoritative else 0
        writer = self._writer()
        writer.add_all(1, answer.answer)
        writer.add_all(2, answer.authority)
        needed = len(writer)
        if answer.additional and needed <= limit:
            full = self._writer()
            for section, rrsets in enumerate((answer.answer, answer.authority, answer.additional), 1):
                full.add_all(section, rrsets)
            glue = not answer.authoritative  # a referral is of no use without it: RFC 9471
            if len(full) <= limit or glue:
                writer, needed = full, len(full)
        if needed <= limit:
            return self._finish(writer, flags, answer.rcode)
        if self.tcp:
            return self._finish(self._writer(), 0, SERVFAIL)
        return self._finish(self._writer(), flags | TC, answer.rcode)

    def _writer(self) -> Writer:
        return Writer(self.message.questions[0] if len(self.message.questions) == 1 else None)

    def _finish(self, writer: Writer, flags: int, rcode: int) -> bytes:
        asked = self.message.flags & (_OPCODE_MASK | RD)
        edns = self.message.opt.ttl if self.message.opt else None
        wire = writer.finish(self.message.id, QR | asked | flags, rcode, edns)
        return self.signer.sign(wire)[0] if self.signer else wire


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    """An update that may be tried: `await store.apply(message)` gives the rcode for `reply.error`."""

    store: ZoneStore
    reply: Reply

    async def run(self) -> bytes:
        """Apply it and give the answer to send."""
        return self.reply.error(await self.store.apply(self.reply.message))


Response = bytes | PendingUpdate | Iterator[bytes] | None
"""One message, an update to run first, the messages of a transfer, or nothing to send."""


class Responder:
    """Answers for several zones; `clock` gives seconds since 1970 and is used for signatures only."""

    def __init__(self, zones: Mapping[str, ZoneStore], keys: Keyring, clock: Callable[[], float] = time.time) -> None:
        self._zones = {name_to_wire(apex).lower(): store for apex, store in zones.items()}
        self._authenticator = Authenticator(keys)
        self._clock = clock

    def respond(self, wire: bytes, *, tcp: bool) -> Response:
        """Never raises: a defect of ours is logged and answered SERVFAIL."""
        if len(wire) < HEADER_SIZE or wire[2] & 0x80:
            return None
        try:
            return self._respond(wire, tcp)
        except Malformed:
            return _bare(wire, FORMERR)
        except Exception:
            log.exception("defect while answering; the client was told SERVFAIL")
            return _bare(wire, SERVFAIL)

    def _respond(self, wire: bytes, tcp: bool) -> Response:
        opcode = opcode_of(int.from_bytes(wire[2:4], "big"))
        if opcode not in (QUERY, UPDATE):
            return _bare(wire, NOTIMP)
        message = read_message(wire)
        verdict = self._authenticator.verify(message, int(self._clock()))
        reply = Reply(message, verdict.signer, tcp)
        if verdict.rcode != NOERROR:
            return reply.error(verdict.rcode)
        if message.edns_version != 0:
            return reply.error(BADVERS)
        if opcode == UPDATE:
            return self._update(reply)
        return self._query(reply)

    def _update(self, reply: Reply) -> bytes | PendingUpdate:
        if reply.signer is None:
            return reply.error(REFUSED)
        rcode, apex = zone_section(reply.message)
        store = self._zones.get(apex)
        if rcode != NOERROR or store is None:
            return reply.error(rcode or NOTAUTH)
        return PendingUpdate(store, reply)

    def _query(self, reply: Reply) -> bytes | Iterator[bytes]:
        message = reply.message
        if len(message.questions) != 1:  # RFC 9619
            return reply.error(FORMERR)
        asked = message.questions[0]
        if asked.rdtype in _QUESTIONS_THAT_ARE_NONE:
            return reply.error(FORMERR)
        if asked.rdtype in _NOT_IMPLEMENTED:
            return reply.error(NOTIMP)
        if asked.rdclass != IN:
            return reply.error(REFUSED)
        if asked.rdtype in (transfer.AXFR, transfer.IXFR):
            return self._transfer(reply, asked.name.lower(), asked.rdtype)
        store = self._store_for(asked.name.lower(), asked.rdtype)
        if store is None:
            return reply.error(REFUSED)
        return reply.send(store.zone.answer(asked.name, asked.rdtype))

    def _store_for(self, key: bytes, qtype: int) -> ZoneStore | None:
        """The zone closest above the name (RFC 1034 §4.3.2 step 2); DS is the parent's (RFC 4035 §3.1.4.1)."""
        own = self._zones.get(key)
        if own is not None and (qtype != DS or key == b"\0"):
            return own
        name = key
        while name != b"\0":
            name = parent(name)
            if name in self._zones:
                return self._zones[name]
        return own

    def _transfer(self, reply: Reply, apex: bytes, qtype: int) -> bytes | Iterator[bytes]:
        store = self._zones.get(apex)
        if reply.signer is None:
            return reply.error(REFUSED)
        if store is None:
            return reply.error(NOTAUTH)
        if qtype == transfer.AXFR:
            if not reply.tcp:  # RFC 5936 §4.2 defines it over TCP alone
                return reply.error(FORMERR)
            return transfer.messages(reply.message, reply.signer, transfer.whole_zone(store.zone))
        serial = transfer.client_serial(reply.message)
        rrsets = transfer.incremental(store.zone, serial, store.since(serial), reply.tcp)
        if not reply.tcp:
            return reply.send(Answer(answer=list(rrsets)))
        return transfer.messages(reply.message, reply.signer, rrsets)


def _bare(wire: bytes, rcode: int) -> bytes:
    """Header and rcode alone: for what could not be read, or is not ours to read."""
    ident, flags = struct.unpack_from("!HH", wire)
    return struct.pack("!HHHHHH", ident, QR | (flags & (_OPCODE_MASK | RD)) | rcode, 0, 0, 0, 0)
