"""What users would be told: the addresses of some names at every name server of their zone, compared with the plan.

Only reads, and only a few names at a time. No answer is unknown, never empty.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import ZoneConfig
from standfast.model.entry import Entry
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider

from .zonesight import SECONDARY_TIMEOUT_S, NameServer, Reading, begun, name_servers, reader

Standing: TypeAlias = Literal["same", "differs", "empty", "unknown"]
TYPES: Final = tuple(rtype for rtype in ADDRESS_TYPES if rtype in (RRType.A, RRType.AAAA))


class Answer(Struct, frozen=True):
    """What one server says of one endpoint: one reading for each of TYPES, and how that is to what is planned."""

    zone: str
    name: str
    server: str
    readings: tuple[Reading, ...]
    standing: Standing

    def texts(self, rtype: RRType) -> tuple[str, ...] | None:
        """The addresses of that family; None: unknown."""
        reading = self.readings[TYPES.index(rtype)]
        return None if isinstance(reading, Unknown) else tuple(reading.texts()) if reading is not None else ()


def answers(zone: ZoneConfig, entries: Sequence[Entry]) -> tuple[Answer, ...]:
    """Every server's word on each of these, the primary first."""
    primary = reader(zone)
    if isinstance(primary, Unknown):
        return tuple(_answer(entry, zone.host, (primary,) * len(TYPES)) for entry in entries)
    keys = tuple((entry.name, int(rtype)) for entry in entries for rtype in TYPES)
    try:
        label, others = ("embedded", {}) if zone.provider == "embedded" else name_servers(zone, primary)
        found: dict[str, tuple[Reading, ...] | Unknown] = {label: _values(primary, zone, keys)}
    finally:
        primary.close()

    def ask(where: NameServer) -> tuple[Reading, ...] | Unknown:
        provider = Rfc2136Provider(zone.name, where.address, where.port, None, timeout_s=SECONDARY_TIMEOUT_S)
        try:
            return _values(provider, zone, keys)
        finally:
            provider.close()

    waiting = {name: begun(partial(ask, where)) for name, where in others.items() if isinstance(where, NameServer)}
    found |= {name: answer(3 * SECONDARY_TIMEOUT_S) for name, answer in waiting.items()}
    width, told = len(TYPES), []
    for place, entry in enumerate(entries):
        for server, values in found.items():
            some = (values,) * width if isinstance(values, Unknown) else values[place * width : (place + 1) * width]
            told.append(_answer(entry, server, some))
    return tuple(told)


def _values(provider: ZoneProvider, zone: ZoneConfig, keys: tuple[tuple[str, int], ...]) -> tuple[Reading, ...]:
    reply = provider.perform(Read(zone.name, keys))
    return reply.values if isinstance(reply, Readings) else (reply,) * len(keys)


def _answer(entry: Entry, server: str, readings: tuple[Reading, ...]) -> Answer:
    return Answer(entry.zone, entry.name, server, readings, _standing(entry, readings))


def _standing(entry: Entry, readings: tuple[Reading, ...]) -> Standing:
    """Compared by addresses: TTLs count down in what caches say, and a server may order them as it likes."""
    if any(isinstance(one, Unknown) for one in readings):
        return "unknown"
    planned = [_addresses(entry.rrset(rtype)) for rtype in TYPES]
    seen = [_addresses(one if isinstance(one, RRset) else None) for one in readings]
    if planned == seen:
        return "same"
    return "empty" if any(want and not there for want, there in zip(planned, seen, strict=True)) else "differs"


def _addresses(rrset: RRset | None) -> frozenset[str]:
    return frozenset(rrset.texts()) if rrset is not None else frozenset()
