"""Dynamic updates: (zone, message) -> (rcode, new zone, changes), nothing else (RFC 2136 §3).

The order is the RFC's: prerequisites, then a prescan of the whole update section, then the updates one by one. The
zone is not touched until all of it is known to be good, so an update happens whole or not at all. What an update
comes to is judged by comparing the zone before and after: deleting a record and adding it again is no change, and the
serial then stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from standfast.adapters.nameserver.wire import Malformed, Message, Record, read_rdata
from standfast.adapters.nameserver.zone import (
    CNAME,
    NOERROR,
    NS,
    NXDOMAIN,
    SOA,
    RRset,
    Zone,
    canonical_rdata,
    is_within,
    serial_is_newer,
    soa_serial,
    with_serial,
)

FORMERR: Final = 1
SERVFAIL: Final = 2
NOTIMP: Final = 4
REFUSED: Final = 5
YXDOMAIN: Final = 6
YXRRSET: Final = 7
NXRRSET: Final = 8
NOTAUTH: Final = 9
NOTZONE: Final = 10

IN: Final = 1
NONE: Final = 254
ANY: Final = 255
"""Both the class and the type (RFC 2136 §1.3)."""

_META: Final = frozenset({0, 41, *range(249, 256)})
"""Types that are questions or message parts, never data: OPT, TKEY, TSIG, IXFR, AXFR, MAILB, MAILA, ANY."""
_BESIDE_CNAME: Final = frozenset({CNAME, 46, 47})
"""Types that may stand beside a CNAME: RRSIG and NSEC (RFC 2181 §10.1, RFC 4035 §2.5)."""
_MAX_RRSET: Final = 65000
"""Bytes of an rrset that still fits one TCP message with its question, OPT and TSIG."""


@dataclass(frozen=True, slots=True)
class Change:
    """One rrset that an update changed; None stands for absence."""

    key: bytes
    rdtype: int
    before: RRset | None
    after: RRset | None


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """`zone` is the zone given, itself, unless `changes` has something in it (the SOA then among it)."""

    rcode: int
    zone: Zone
    changes: tuple[Change, ...] = ()


class _Rejected(Exception):
    """Ends an update with an rcode; nothing has been applied."""

    def __init__(self, rcode: int) -> None:
        super().__init__(rcode)
        self.rcode = rcode


def zone_section(message: Message) -> tuple[int, bytes]:
    """The rcode for the zone section, and the zone's key (RFC 2136 §3.1.1)."""
    if len(message.questions) != 1 or message.questions[0].rdtype != SOA:
        return FORMERR, b""
    asked = message.questions[0]
    return (NOERROR if asked.rdclass == IN else NOTAUTH), asked.name.lower()


def apply_update(zone: Zone, message: Message) -> UpdateResult:
    """Judge and apply an update whose zone section names `zone` (RFC 2136 §3.2, §3.4)."""
    try:
        _check_prerequisites(zone, message)
        updates = _prescan(zone, message)
    except _Rejected as rejected:
        return UpdateResult(rejected.rcode, zone)
    except Malformed:
        return UpdateResult(FORMERR, zone)
    staged = _Staged(zone)
    for record, rdata in updates:
        if record.rdclass == IN:
            staged.add(record, rdata)
        elif record.rdclass == ANY:
            staged.delete_rrsets(record)
        else:
            staged.delete_record(record, rdata)
    changes = staged.changes()
    if any(change.after is not None and _size(change.after) > _MAX_RRSET for change in changes):
        return UpdateResult(REFUSED, zone)
    if not changes:
        return UpdateResult(NOERROR, zone)
    changes = _with_new_serial(zone, changes)
    after = zone.with_rrsets({(change.key, change.rdtype): change.after for change in changes})
    return UpdateResult(NOERROR, after, changes)


def _size(rrset: RRset) -> int:
    return len(rrset.owner) + sum(12 + len(rdata) for rdata in rrset.rdatas)


# -- prerequisites (RFC 2136 §3.2) -----------------------------------------------------------------------------------


def _check_prerequisites(zone: Zone, message: Message) -> None:
    wanted: dict[tuple[bytes, int], set[bytes]] = {}
    for record in message.answer:
        key = record.owner.lower()
        if record.ttl != 0:
            raise _Rejected(FORMERR)
        if not is_within(key, zone.apex):
            raise _Rejected(NOTZONE)
        if record.rdclass == IN:
            if record.rdtype in _META:
                raise _Rejected(FORMERR)
            rdata = canonical_rdata(record.rdtype, read_rdata(message.wire, record))
            wanted.setdefault((key, record.rdtype), set()).add(rdata)
        elif record.rdclass in (ANY, NONE):
            if record.rdata_size != 0:
                raise _Rejected(FORMERR)
            _check_existence(zone, key, record)
        else:
            raise _Rejected(FORMERR)
    for (key, rdtype), values in wanted.items():  # §2.4.2: the whole rrset, TTL apart
        present = zone.rrset(key, rdtype)
        if present is None or present.canonical() != values:
            raise _Rejected(NXRRSET)


def _check_existence(zone: Zone, key: bytes, record: Record) -> None:
    """§2.4.1 and §2.4.3–5. An empty non-terminal is not a name in use; wildcards match only themselves."""
    if record.rdtype == ANY:
        in_use = bool(zone.rrsets_at(key))
        if record.rdclass == ANY and not in_use:
            raise _Rejected(NXDOMAIN)
        if record.rdclass == NONE and in_use:
            raise _Rejected(YXDOMAIN)
    else:
        exists = zone.rrset(key, record.rdtype) is not None
        if record.rdclass == ANY and not exists:
            raise _Rejected(NXRRSET)
        if record.rdclass == NONE and exists:
            raise _Rejected(YXRRSET)


# -- prescan (RFC 2136 §3.4.1) ---------------------------------------------------------------------------------------


def _prescan(zone: Zone, message: Message) -> list[tuple[Record, bytes]]:
    """The update section with its rdata read; any fault in it rejects the whole message."""
    updates = []
    for record in message.authority:
        if not is_within(record.owner.lower(), zone.apex):
            raise _Rejected(NOTZONE)
        rdata = b""
        if record.rdclass == ANY:
            wrong = record.ttl != 0 or record.rdata_size != 0 or (record.rdtype in _META and record.rdtype != ANY)
        elif record.rdclass in (IN, NONE):
            wrong = record.rdtype in _META or (record.rdclass == NONE and record.ttl != 0)
            rdata = b"" if wrong else read_rdata(message.wire, record)
        else:
            wrong = True
        if wrong:
            raise _Rejected(FORMERR)
        updates.append((record, rdata))
    return updates


# -- the updates themselves (RFC 2136 §3.4.2) ------------------------------------------------------------------------


class _Draft:
    """An rrset being changed: rdata by canonical form, so that duplicates are found without a search."""

    __slots__ = ("owner", "rdatas", "rdtype", "ttl")

    def __init__(self, owner: bytes, rdtype: int, ttl: int, rdatas: Iterable[bytes]) -> None:
        self.owner = owner
        self.rdtype = rdtype
        self.ttl = ttl
        self.rdatas = {canonical_rdata(rdtype, rdata): rdata for rdata in rdatas}

    def rrset(self) -> RRset:
        return RRset(self.owner, self.rdtype, self.ttl, tuple(self.rdatas.values()))


def _is_newer_soa(new: _Draft, present: _Draft | None) -> bool:
    return present is not None and serial_is_newer(soa_serial(new.rrset()), soa_serial(present.rrset()))


class _Staged:
    """The names an update touches, as copies; `changes` tells what became of them."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._names: dict[bytes, dict[int, _Draft]] = {}

    def _at(self, key: bytes) -> dict[int, _Draft]:
        if key not in self._names:
            self._names[key] = {
                rdtype: _Draft(rrset.owner, rdtype, rrset.ttl, rrset.rdatas)
                for rdtype, rrset in self._zone.rrsets_at(key).items()
            }
        return self._names[key]

    def add(self, record: Record, rdata: bytes) -> None:
        """§3.4.2.2. A CNAME beside other data, or other data beside a CNAME, is skipped without an error."""
        key = record.owner.lower()
        at = self._at(key)
        ttl = record.ttl if record.ttl < 2**31 else 0  # RFC 2181 §8
        if record.rdtype == CNAME and any(rdtype not in _BESIDE_CNAME for rdtype in at):
            return
        if CNAME in at and record.rdtype not in _BESIDE_CNAME:
            return
        fresh = _Draft(record.owner, record.rdtype, ttl, [rdata])
        present = at.get(record.rdtype)
        if record.rdtype == SOA and not _is_newer_soa(fresh, present):
            return
        if present is None or record.rdtype in (SOA, CNAME):  # one of each at most: replaced
            at[record.rdtype] = fresh
            return
        present.ttl = ttl  # one TTL for the whole rrset: RFC 2181 §5.2
        for form, value in fresh.rdatas.items():
            present.rdatas.setdefault(form, value)

    def delete_rrsets(self, record: Record) -> None:
        """§3.4.2.3: one rrset, or all of a name. SOA and NS of the apex stay."""
        key = record.owner.lower()
        at = self._at(key)
        kept = (SOA, NS) if key == self._zone.apex else ()
        for rdtype in list(at) if record.rdtype == ANY else [record.rdtype]:
            if rdtype not in kept:
                at.pop(rdtype, None)

    def delete_record(self, record: Record, rdata: bytes) -> None:
        """§3.4.2.4: one record. SOA is never deleted, nor the last NS of the apex."""
        key = record.owner.lower()
        at = self._at(key)
        present = at.get(record.rdtype)
        if present is None or record.rdtype == SOA:
            return
        if record.rdtype == NS and key == self._zone.apex and len(present.rdatas) == 1:
            return
        present.rdatas.pop(canonical_rdata(record.rdtype, rdata), None)
        if not present.rdatas:
            del at[record.rdtype]

    def changes(self) -> tuple[Change, ...]:
        """What differs from the zone, by value: order of records and detours on the way do not count."""
        found = []
        for key, types in self._names.items():
            before = self._zone.rrsets_at(key)
            for rdtype in sorted({*before, *types}):
                old = before.get(rdtype)
                new = types[rdtype].rrset() if rdtype in types else None
                if old is None or new is None or old.ttl != new.ttl or not old.same_data(new):
                    found.append(Change(key, rdtype, old, new))
        return tuple(found)


def _with_new_serial(zone: Zone, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Step the serial once, unless the update itself brought a newer SOA (RFC 2136 §3.4.2.2, §3.6)."""
    if any(change.rdtype == SOA for change in changes):
        return changes
    before = zone.soa
    after = with_serial(before, (soa_serial(before) + 1) % 2**32)
    return (*changes, Change(zone.apex, SOA, before, after))
