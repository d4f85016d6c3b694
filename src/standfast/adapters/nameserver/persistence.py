"""A zone on disk: one SQLite file for each zone, one transaction for each update.

An update is answered NOERROR only after its transaction is on disk (WAL, synchronous=FULL), so a server killed at any
moment comes back with every update it acknowledged. Whether an update whose answer was lost took effect is for the
client to read; RFC 2136 §3.5 asks no more and no less. The file is held exclusively: a second server on it would
answer from a zone that it does not know has changed.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.exception
import dns.name
import dns.rdataclass
import dns.tokenizer
import dns.zone
import dns.zonefile

from standfast.adapters.nameserver.update import SERVFAIL, Change, UpdateResult, apply_update
from standfast.adapters.nameserver.wire import Message, name_to_wire
from standfast.adapters.nameserver.zone import SOA, RRset, Zone, soa_serial
from standfast.errors import StandfastError

log = logging.getLogger(__name__)

APPLICATION_ID: Final = 0x53464E53
"""Marks the file as ours ("SFNS") in SQLite's header."""
SCHEMA_VERSION: Final = 1
HISTORY_UPDATES: Final = 256
HISTORY_RRSETS: Final = 20_000
"""How much of the recent past is kept for IXFR; an older client gets the whole zone."""

_FRESH_ZONE: Final = """\
@ 60 IN SOA ns1 hostmaster 1 3600 600 86400 5
@ 60 IN NS ns1
ns1 60 IN A {address}
"""
_SCHEMA: Final = """\
CREATE TABLE zone (apex BLOB NOT NULL);
CREATE TABLE rrset (
    key BLOB NOT NULL, rdtype INTEGER NOT NULL, owner BLOB NOT NULL, ttl INTEGER NOT NULL, rdatas BLOB NOT NULL,
    PRIMARY KEY (key, rdtype)
) WITHOUT ROWID;
"""


class ZoneFileError(StandfastError):
    """A zone file that cannot be used; the text names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Delta:
    """One update as IXFR tells it (RFC 1995 §4)."""

    old_serial: int
    new_serial: int
    changes: tuple[Change, ...]


class ZoneStore:
    """A zone, its file and its recent history. Reads are of `zone`, a value; writes go through `apply`."""

    def __init__(self, zone: Zone, connection: sqlite3.Connection, path: str) -> None:
        """Use `open`."""
        self.zone = zone
        self.path = path
        self._connection = connection
        self._history: deque[Delta] = deque()
        self._turn = asyncio.Lock()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="zone-file")

    @classmethod
    def open(cls, path: Path | str, apex: str, *, seed: str = "", address: str = "127.0.0.1") -> "ZoneStore":
        """Open the zone's file, or create it.

        A new zone has a SOA (TTL 60, minimum 5), NS `ns1.<apex>` with `address`, and the records of `seed`, which is
        master-file text (RFC 1035 §5) and may replace the SOA and the NS. `seed` is ignored if the file exists.
        `path` may be ":memory:".

        Raises ZoneFileError: not our file, damaged, another zone's, in use, or a seed that cannot be read.
        """
        name = str(path)
        apex_key = name_to_wire(_parse_apex(apex)).lower()
        try:
            connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=0.5)
        except sqlite3.Error as error:
            raise ZoneFileError(f"{name}: cannot be opened ({error}); check the folder and its rights") from error
        try:
            fresh = _prepare(connection, name)
            if fresh:
                _create(connection, apex_key, _read_seed(apex, _FRESH_ZONE.format(address=address), seed))
            zone = _load(connection, apex_key, name)
        except sqlite3.Error as error:
            connection.close()
            raise ZoneFileError(f"{name}: {_remedy(error)}") from error
        except BaseException:
            connection.close()
            raise
        return cls(zone, connection, name)

    async def apply(self, message: Message) -> int:
        """Apply an update and return its rcode once it is on disk. One at a time; SERVFAIL if the disk refuses."""
        async with self._turn:
            result = apply_update(self.zone, message)
            if result.changes:
                loop = asyncio.get_running_loop()
                try:
                    await loop.run_in_executor(self._disk, self._commit, result.changes)
                except (sqlite3.Error, RuntimeError) as error:  # RuntimeError: closed meanwhile
                    log.error("%s: update not written: %s", self.path, error)
                    return SERVFAIL
                self._remember(result)
            return result.rcode

    def _commit(self, changes: Iterable[Change]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            _write(self._connection, changes)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _remember(self, result: UpdateResult) -> None:
        self._history.append(Delta(self.zone.serial, result.zone.serial, result.changes))
        self.zone = result.zone
        size = sum(len(delta.changes) for delta in self._history)
        while len(self._history) > HISTORY_UPDATES or size > HISTORY_RRSETS:
            size -= len(self._history.popleft().changes)

    def since(self, serial: int) -> tuple[Delta, ...] | None:
        """The updates that lead from `serial` to the present, or None if they are not remembered."""
        deltas = tuple(self._history)
        for at, delta in enumerate(deltas):
            if delta.old_serial == serial:
                return deltas[at:]
        return None

    def durability(self) -> tuple[str, int]:
        """SQLite's journal mode and `synchronous` level as they are in force; 2 means FULL."""
        journal = self._connection.execute("PRAGMA journal_mode").fetchone()[0]
        return str(journal), int(self._connection.execute("PRAGMA synchronous").fetchone()[0])

    def close(self) -> None:
        """Finish the write under way and close the file."""
        self._disk.shutdown(wait=True)
        self._connection.close()


def _parse_apex(apex: str) -> dns.name.Name:
    try:
        return dns.name.from_text(apex)
    except dns.exception.DNSException as error:
        raise ZoneFileError(f"{apex}: not a domain name ({error})") from error


def _remedy(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return "in use by another process; stop that one, or name another file"
    return f"not a zone file of this server, or damaged ({text}); restore it from a copy, or move it away"


def _prepare(connection: sqlite3.Connection, name: str) -> bool:
    """Set the file up and say whether it is new. Nothing is written to a file that is not ours."""
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    objects = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    fresh = application == 0 and objects == 0
    if not fresh and application != APPLICATION_ID:
        raise ZoneFileError(f"{name}: not a zone file of this server; name another file")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not fresh and version != SCHEMA_VERSION:
        raise ZoneFileError(f"{name}: written by another version (schema {version}); use that version")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return bool(fresh)


def _create(connection: sqlite3.Connection, apex: bytes, rrsets: Iterable[RRset]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";\n"):
        connection.execute(statement)
    connection.execute("INSERT INTO zone VALUES (?)", (apex,))
    _write(connection, (Change(rrset.key, rrset.rdtype, None, rrset) for rrset in rrsets))
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _write(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    for change in changes:
        if change.after is None:
            connection.execute("DELETE FROM rrset WHERE key=? AND rdtype=?", (change.key, change.rdtype))
        else:
            after = change.after
            packed = b"".join(len(rdata).to_bytes(2, "big") + rdata for rdata in after.rdatas)
            connection.execute(
                "INSERT OR REPLACE INTO rrset VALUES (?, ?, ?, ?, ?)",
                (change.key, change.rdtype, after.owner, after.ttl, packed),
            )


def _load(connection: sqlite3.Connection, apex: bytes, name: str) -> Zone:
    if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise ZoneFileError(f"{name}: damaged; restore it from a copy, or move it away to start afresh")
    stored = connection.execute("SELECT apex FROM zone").fetchall()
    if stored != [(apex,)]:
        raise ZoneFileError(f"{name}: holds another zone; name another file or the zone it was made for")
    rrsets: dict[tuple[bytes, int], RRset | None] = {}
    for key, rdtype, owner, ttl, packed in connection.execute("SELECT * FROM rrset"):
        rrsets[key, rdtype] = RRset(owner, rdtype, ttl, _unpack(packed))
    zone = Zone(apex).with_rrsets(rrsets)
    soa = zone.rrset(apex, SOA)
    if soa is None or len(soa.rdatas) != 1 or len(soa.rdatas[0]) < 22:
        raise ZoneFileError(f"{name}: damaged: no SOA; restore it from a copy, or move it away to start afresh")
    log.info("%s: serial %d, %d rrsets", name, soa_serial(soa), len(rrsets))
    return zone


def _unpack(packed: bytes) -> tuple[bytes, ...]:
    rdatas = []
    at = 0
    while at < len(packed):
        size = int.from_bytes(packed[at : at + 2], "big")
        rdatas.append(packed[at + 2 : at + 2 + size])
        at += 2 + size
    return tuple(rdatas)


def _read_seed(apex: str, basis: str, seed: str) -> list[RRset]:
    """The rrsets of a new zone; those of `seed` take the place of the basis's SOA, NS and A of ns1."""
    found: dict[tuple[bytes, int], RRset] = {}
    for place, text in (("built-in records", basis), ("seed", seed)):
        try:
            for rrset in _read_master_file(_parse_apex(apex), text):
                found[rrset.key, rrset.rdtype] = rrset
        except (dns.exception.DNSException, ValueError) as error:
            raise ZoneFileError(f"{place}: {error}; see RFC 1035 section 5 for the format") from error
    return list(found.values())


def _read_master_file(apex: dns.name.Name, text: str) -> list[RRset]:
    zone = dns.zone.Zone(apex, relativize=False)
    with zone.writer(True) as transaction:
        tokens = dns.tokenizer.Tokenizer(text, "<seed>")
        dns.zonefile.Reader(tokens, dns.rdataclass.IN, transaction, default_ttl=60).read()
    return [
        RRset(name_to_wire(name), int(rdataset.rdtype), rdataset.ttl, tuple(rd.to_wire() or b"" for rd in rdataset))
        for name, rdataset in zone.iterate_rdatasets()
    ]
