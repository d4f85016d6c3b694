"""Zone transfers: AXFR (RFC 5936) and IXFR (RFC 1995) as a sequence of messages.

A transfer is of one Zone value and so of one serial, however long it takes and whatever is written meanwhile. Each
message is signed, the second and later ones chained to the one before (RFC 8945 §5.3.1).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from standfast.adapters.nameserver.authentication import Signer
from standfast.adapters.nameserver.persistence import Delta
from standfast.adapters.nameserver.wire import AA, QR, Malformed, Message, Writer, read_rdata
from standfast.adapters.nameserver.zone import NOERROR, SOA, RRset, Zone, serial_is_newer, soa_serial

AXFR: Final = 252
IXFR: Final = 251

_MESSAGE_SIZE: Final = 16_000
"""Aim for messages of this size: below 0x4000 every name can be pointed at (RFC 1035 §4.1.4)."""


def whole_zone(zone: Zone) -> Iterator[RRset]:
    """AXFR: everything between two copies of the SOA (RFC 5936 §2.2)."""
    yield from zone
    yield zone.soa


def differences(zone: Zone, deltas: Iterable[Delta]) -> Iterator[RRset]:
    """IXFR: for each update the old SOA, what it removed, the new SOA, what it added (RFC 1995 §4)."""
    yield zone.soa
    for delta in deltas:
        soa = next(change for change in delta.changes if change.rdtype == SOA)
        rest = [change for change in delta.changes if change.rdtype != SOA]
        yield from (part for part in (soa.before, *(change.before for change in rest)) if part)
        yield from (part for part in (soa.after, *(change.after for change in rest)) if part)
    yield zone.soa


def client_serial(message: Message) -> int:
    """The serial an IXFR client says it has (RFC 1995 §3). Raises Malformed."""
    if len(message.authority) != 1 or message.authority[0].rdtype != SOA:
        raise Malformed("IXFR without the client's SOA")
    record = message.authority[0]
    return soa_serial(RRset(record.owner, SOA, 0, (read_rdata(message.wire, record),)))


def incremental(zone: Zone, serial: int, deltas: tuple[Delta, ...] | None, tcp: bool) -> Iterator[RRset]:
    """What answers an IXFR from `serial`: one SOA if the client is current, or must come back over TCP (§2, §4)."""
    if not tcp or not serial_is_newer(zone.serial, serial):
        return iter([zone.soa])
    return whole_zone(zone) if deltas is None else differences(zone, deltas)


def messages(request: Message, signer: Signer, rrsets: Iterable[RRset]) -> Iterator[bytes]:
    """Pack records into signed messages; rrsets may be split between messages (RFC 5936 §2.2)."""
    writer = Writer(request.questions[0])
    empty = len(writer)
    context: object = None
    edns = request.opt.ttl if request.opt else None
    for rrset in rrsets:
        for rdata in rrset.rdatas:
            size = len(rrset.owner) + 10 + len(rdata)
            if len(writer) > empty and len(writer) + size > _MESSAGE_SIZE:
                wire, context = signer.sign(writer.finish(request.id, QR | AA, NOERROR, edns), context, multi=True)
                yield wire
                writer = Writer(None)
                empty = len(writer)
            writer.add(1, replace(rrset, rdatas=(rdata,)))
    wire, _ = signer.sign(writer.finish(request.id, QR | AA, NOERROR, edns), context, multi=True)
    yield wire
