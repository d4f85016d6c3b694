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
from standfast.model.fleet import alias_of
from standfast.model.rrset import ADDRESS_TYPES, RRType
from standfast.model.tree import root_rrset
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider

from .monitoring.answers import had
from .zonesight import SECONDARY_TIMEOUT_S, NameServer, Reading, begun, name_servers, reader

Standing: TypeAlias = Literal["same", "differs", "empty", "unknown"]
_WORST_FIRST: Final[tuple[Standing, ...]] = ("unknown", "empty", "differs")
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
    how = tuple(stands(entry, rtype, one) for rtype, one in zip(TYPES, readings, strict=True))
    worst: Standing = next((one for one in _WORST_FIRST if one in how), "same")
    return Answer(entry.zone, entry.name, server, readings, worst)


def stands(entry: Entry, rtype: RRType, reading: Reading) -> Standing:
    """What is read there beside what is planned, by addresses: TTLs count down in what caches say, and a server may
    order them as it likes. Where Route 53 draws answers each part of what is planned is the same, if not empty; its
    API tells what they are drawn from."""
    if isinstance(reading, Unknown):
        return "unknown"
    planned = entry.rrset(rtype)
    if planned is None or reading is None:
        return "same" if planned is reading else "empty" if reading is None else "differs"
    if reading.rtype != reading.answers:
        root = root_rrset(entry, rtype) if entry.layout == "tree" else planned
        return "same" if root is not None and set(root.texts()) == set(reading.texts()) else "differs"
    if any(alias_of(text) for member in entry.members if member.served for text in member.addresses):
        return "same"  # a name's own addresses are nobody's plan
    want, there = frozenset(planned.octets()), frozenset(reading.octets())
    return "same" if there == want or (had(entry).drawn and there and there <= want) else "differs"
