"""What the zones say now, read at the primary and at every other name server: frozen values, nothing is written.

A reading that failed is Unknown with its reason, never absence. Time-outs are short, since people wait for this.
"""

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import SecondaryConfig, ZoneConfig
from standfast.core.reach import open_keys
from standfast.errors import ProviderError
from standfast.model.entry import Entry
from standfast.model.marker import ABSENT, FloorReading, Marker, MarkerReading, read_floor, read_marker
from standfast.model.name import floor_owner, is_below, marker_owner, name_from_wire
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider

PRIMARY_TIMEOUT_S: Final = 1.5
SECONDARY_TIMEOUT_S: Final = 1.0
SECONDARY_NAMES_MAX: Final = 500
"""So many endpoints are followed to the other name servers; of more, these are a sample."""
DNS_PORT: Final = 53

Reading: TypeAlias = RRset | Unknown | None
_Markers: TypeAlias = dict[str, MarkerReading | Unknown]
_T = TypeVar("_T")

_LEVELS_MAX: Final = 8
"""Aliases of aliases that are followed; a tree has three."""


class NameServer(Struct, frozen=True):
    """Where another name server of a zone is asked."""

    address: str
    port: int = DNS_PORT


class EndpointSight(Struct, frozen=True):
    """One endpoint of the plan as the zone has it.

    `contents` has one reading for each of ADDRESS_TYPES, at the primary. `servers` has every name server that was
    asked, the primary first, with the marker it serves. `beyond` is what its aliases lead to, at the primary.
    """

    entry: Entry
    marker: MarkerReading | Unknown
    contents: tuple[Reading, ...]
    servers: tuple[tuple[str, MarkerReading | Unknown], ...] = ()
    beyond: tuple[tuple[tuple[str, int], RRset | None], ...] = ()

    @property
    def unread(self) -> str:
        """Why the primary's word on it is not known; empty if it is."""
        for one in (self.marker, *self.contents):
            if isinstance(one, Unknown):
                return one.why
        return ""

    @property
    def seen(self) -> tuple[RRset | None, ...] | None:
        """The address readings; None if any is unknown."""
        known = tuple(one for one in self.contents if not isinstance(one, Unknown))
        return known if len(known) == len(self.contents) else None


class ZoneSight(Struct, frozen=True):
    """One zone. `primary` is its primary's short name, `address` where it was asked, `trouble` why it did not
    answer; empty if it did. `notes` are sentences about other name servers, `prefixes` what this machine's
    configuration lets be published, `weaker` the promises of its provider that are given up, a sentence each."""

    zone: str
    primary: str
    address: str
    trouble: str
    floor: FloorReading | Unknown
    endpoints: tuple[EndpointSight, ...]
    notes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    weaker: tuple[str, ...] = ()

    @property
    def ahead(self) -> bool:
        """Whether something in it is newer than the entries it was looked at with."""
        known = ((one.marker, one.entry.since) for one in self.endpoints)
        return any(isinstance(marker, Marker) and marker.since > since for marker, since in known)


def reader(zone: ZoneConfig, timeout_s: float = PRIMARY_TIMEOUT_S) -> ZoneProvider | Unknown:
    """Whom to ask about the zone, for reading only: without the key, which queries do not need."""
    if zone.hosted is not None:
        from .hosted import hosted_provider

        try:
            return hosted_provider(zone)
        except ProviderError as error:
            return Unknown(" ".join(str(error).split()))
    if zone.plugged is not None:
        from .plugging import plugged_provider

        try:
            return plugged_provider(zone)
        except ProviderError as error:
            return Unknown(" ".join(str(error).split()))
    address = _addresses(zone.host, timeout_s)
    if isinstance(address, Unknown):
        return address
    return Rfc2136Provider(zone.name, address[0], zone.port, None, timeout_s=timeout_s)


def servers_of(zone: ZoneConfig) -> "dict[str, tuple[str, int] | Unknown]":
    """Where to ask each name server of the zone, by short name, the primary first; Unknown with the reason."""
    primary = reader(zone)
    if isinstance(primary, Unknown):
        return {_short(zone.host): primary}
    try:
        label, others = ("embedded", {}) if zone.provider == "embedded" else name_servers(zone, primary)
    finally:
        primary.close()
    found: dict[str, tuple[str, int] | Unknown] = {}
    if not zone.by_api:  # what such an API says, no resolver hears
        here = _addresses(zone.host, SECONDARY_TIMEOUT_S)
        found[label] = here if isinstance(here, Unknown) else (here[0], zone.port)
    return found | {name: one if isinstance(one, Unknown) else (one.address, one.port) for name, one in others.items()}


def marker_of(value: Reading, entry: Entry) -> MarkerReading | Unknown:
    """What a reading where the entry's marker belongs says."""
    return _marker(value, entry)


def look_at_zone(zone: ZoneConfig, stream: str, entries: Iterable[Entry], *, secondaries: bool) -> ZoneSight:
    """Floor, markers and addresses of these entries; with `secondaries` the markers everywhere else too."""
    some = tuple(entries)
    address = zone.where
    primary = reader(zone)
    if isinstance(primary, Unknown):
        return unread_zone(zone, address, some, primary)
    try:
        floor, readings = _primary_readings(primary, zone, stream, some)
        if isinstance(floor, Unknown):
            return unread_zone(zone, address, some, floor)
        beyond = led_to(primary, zone.name, some, [contents for _, contents in readings])
        label, others = "embedded", dict[str, NameServer | Unknown]()
        if zone.provider != "embedded":
            label, others = name_servers(zone, primary)
    finally:
        primary.close()
    follow = some[:SECONDARY_NAMES_MAX] if secondaries else ()
    elsewhere = _elsewhere(zone, others, follow) if follow else {}
    sights = []
    for entry, (marker, contents) in zip(some, readings, strict=True):
        rest = ((server, found[entry.name]) for server, found in elsewhere.items() if entry.name in found)
        further = beyond.get(entry.name, ())
        if isinstance(further, Unknown):
            contents, further = (further,) * len(ADDRESS_TYPES), ()
        sights.append(EndpointSight(entry, marker, contents, ((label, marker), *rest), further))
    notes = tuple(f"{name}: {where.why}" for name, where in others.items() if isinstance(where, Unknown))
    return ZoneSight(zone.name, label, address, "", floor, tuple(sights), notes, zone.prefixes, _weaker(zone))


def unread_zone(zone: ZoneConfig, address: str, entries: tuple[Entry, ...], why: Unknown) -> ZoneSight:
    """A zone whose primary did not answer."""
    blank = (why,) * len(ADDRESS_TYPES)
    sights = tuple(EndpointSight(entry, why, blank) for entry in entries)
    return ZoneSight(zone.name, _short(zone.host), address, why.why, why, sights, weaker=_weaker(zone))


def _weaker(zone: ZoneConfig) -> tuple[str, ...]:
    if zone.plugged is None:
        return ()
    from .plugging import weaker

    return weaker(zone)


def _primary_readings(
    provider: ZoneProvider, zone: ZoneConfig, stream: str, entries: tuple[Entry, ...]
) -> tuple[FloorReading | Unknown, list[tuple[MarkerReading | Unknown, tuple[Reading, ...]]]]:
    owner = floor_owner(stream, zone.name)
    keys = [(owner, int(RRType.TXT))]
    for entry in entries:
        keys.append((marker_owner(entry.name, zone.name), int(RRType.TXT)))
        keys.extend((entry.name, int(rtype)) for rtype in ADDRESS_TYPES)
    reply = provider.perform(Read(zone.name, tuple(keys)))
    values: tuple[Reading, ...] = reply.values if isinstance(reply, Readings) else (reply,) * len(keys)
    first, *rest = values
    floor = first if isinstance(first, Unknown) else read_floor(first, zone.name, owner)
    width = 1 + len(ADDRESS_TYPES)
    found = []
    for place, entry in enumerate(entries):
        marker, *contents = rest[place * width : (place + 1) * width]
        found.append((_marker(marker, entry), tuple(contents)))
    return floor, found


def led_to(
    provider: ZoneProvider, zone: str, entries: Sequence[Entry], readings: Sequence[tuple[Reading, ...]]
) -> dict[str, tuple[tuple[tuple[str, int], RRset | None], ...] | Unknown]:
    """What the aliases of each endpoint lead to, its own tree among it, level by level; by the endpoint's name.
    `readings` has what stands at each."""
    found: dict[str, dict[tuple[str, int], RRset | None]] = {}
    failed: dict[str, Unknown] = {}
    for _ in range(_LEVELS_MAX):
        wanted = []
        for entry, contents in zip(entries, readings, strict=True):
            known = tuple(one for one in contents if not isinstance(one, Unknown))
            if entry.name not in failed and len(known) == len(ADDRESS_TYPES):
                wanted += [(entry.name, key) for key in open_keys(entry, known, found.get(entry.name, {}))]
        if not wanted:
            break
        reply = provider.perform(Read(zone, tuple(key for _, key in wanted)))
        values: tuple[Reading, ...] = reply.values if isinstance(reply, Readings) else (reply,) * len(wanted)
        for (name, key), value in zip(wanted, values, strict=True):
            if isinstance(value, Unknown):
                failed[name] = value
            else:
                found.setdefault(name, {})[key] = value
    return {name: tuple(known.items()) for name, known in found.items()} | failed


def _marker(value: Reading, entry: Entry) -> MarkerReading | Unknown:
    if isinstance(value, Unknown):
        return value
    return read_marker(value, entry.zone, marker_owner(entry.name, entry.zone)) if value else ABSENT


def name_servers(zone: ZoneConfig, primary: ZoneProvider) -> tuple[str, dict[str, NameServer | Unknown]]:
    """The primary's short name, and the other name servers of the zone (RFC 1034 §4.2.1) with where to ask each.

    They are those of the NS records, as far as these can be read, and those under `secondaries:`, which also says
    where to ask them.
    """
    named = _named(zone, primary)
    return _servers(zone, primary, [] if isinstance(named, Unknown) else named)


def all_name_servers(zone: ZoneConfig, primary: ZoneProvider) -> dict[str, NameServer | Unknown] | Unknown:
    """The same others, for whom it matters that none is missing: Unknown if the NS records can't be read."""
    named = _named(zone, primary)
    return named if isinstance(named, Unknown) else _servers(zone, primary, named)[1]


def _named(zone: ZoneConfig, primary: ZoneProvider) -> list[str] | Unknown:
    reply = primary.perform(Read(zone.name, ((zone.name, int(RRType.NS)),)))
    answer = reply.values[0] if isinstance(reply, Readings) else reply
    if isinstance(answer, Unknown):
        return answer
    return [] if answer is None else sorted(_target(rdata) for rdata in answer.rdata)


def _servers(
    zone: ZoneConfig, primary: ZoneProvider, names: Iterable[str]
) -> tuple[str, dict[str, NameServer | Unknown]]:
    here = Unknown("an API") if zone.by_api else _addresses(zone.host, SECONDARY_TIMEOUT_S)
    label = "primary" if _is_address(zone.host) else _short(zone.host)
    told = {one.name: one for one in zone.secondaries}
    others: dict[str, NameServer | Unknown] = {}
    for name in names:
        if declared := told.pop(name, None) or told.pop(_short(name), None):
            others[_free(others, name)] = _declared(declared)
            continue
        found = _glue(zone, primary, name) if is_below(name, zone.name) else _addresses(name, SECONDARY_TIMEOUT_S)
        if name == zone.host or (
            not isinstance(found, Unknown) and not isinstance(here, Unknown) and {*found} & {*here}
        ):
            label = _short(name)
        else:
            others[_free(others, name)] = found if isinstance(found, Unknown) else NameServer(found[0])
    others |= {_free(others, one.name): _declared(one) for one in told.values()}
    return label, others


def _free(taken: Mapping[str, object], name: str) -> str:
    """Its first label; the whole name if another has that."""
    return name if _short(name) in taken else _short(name)


def _declared(one: SecondaryConfig) -> NameServer | Unknown:
    found = _addresses(one.host, SECONDARY_TIMEOUT_S)
    return found if isinstance(found, Unknown) else NameServer(found[0], one.port)


def _target(rdata: bytes) -> str:
    try:
        return name_from_wire(rdata).lower()
    except ValueError:
        return "?"


def _glue(zone: ZoneConfig, primary: ZoneProvider, name: str) -> list[str] | Unknown:
    reply = primary.perform(Read(zone.name, tuple((name, int(rtype)) for rtype in ADDRESS_TYPES)))
    values = reply.values if isinstance(reply, Readings) else ()
    texts = [text for value in values if isinstance(value, RRset) for text in value.texts()]
    return texts or Unknown("it has no address")


def _elsewhere(
    zone: ZoneConfig, servers: Mapping[str, NameServer | Unknown], entries: tuple[Entry, ...]
) -> "dict[str, _Markers]":
    """The markers each other name server has, all asked at the same time."""
    keys = tuple((marker_owner(entry.name, zone.name), int(RRType.TXT)) for entry in entries)

    def ask(where: NameServer) -> _Markers:
        provider = Rfc2136Provider(zone.name, where.address, where.port, None, timeout_s=SECONDARY_TIMEOUT_S)
        try:
            reply = provider.perform(Read(zone.name, keys))
        finally:
            provider.close()
        values: tuple[Reading, ...] = reply.values if isinstance(reply, Readings) else (reply,) * len(keys)
        return {entry.name: _marker(value, entry) for entry, value in zip(entries, values, strict=True)}

    waiting = {name: begun(partial(ask, where)) for name, where in servers.items() if isinstance(where, NameServer)}
    found: dict[str, _Markers] = {}
    for name, answer in waiting.items():
        reply = answer(3 * SECONDARY_TIMEOUT_S)
        found[name] = {entry.name: reply for entry in entries} if isinstance(reply, Unknown) else reply
    return found


def begun(work: Callable[[], _T]) -> Callable[[float], _T | Unknown]:
    """Do it in a thread that nobody has to wait for; the result is how to ask for its answer, with a patience."""
    answers: queue.SimpleQueue[_T | Unknown] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(work())
        except OSError as error:
            answers.put(Unknown(error.strerror or str(error)))

    threading.Thread(target=run, daemon=True).start()

    def answer(patience_s: float) -> _T | Unknown:
        try:
            return answers.get(timeout=patience_s)
        except queue.Empty:
            return Unknown(f"no answer within {patience_s:g} s")

    return answer


def _addresses(host: str, timeout_s: float) -> list[str] | Unknown:
    if _is_address(host):
        return [str(ipaddress.ip_address(host))]
    found = begun(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))(timeout_s)
    if isinstance(found, Unknown):
        return Unknown(f"{host} has no address: {found.why}")
    return [str(one[4][0]) for one in found]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _short(host: str) -> str:
    return host if _is_address(host) else host.partition(".")[0]
