"""The tables of a SQLite file of plans, and their rows read with proof that none was changed or lost.

SQLite has no checksums of its own. Shards, records and observations carry their digests; every other row carries a
seal, and the sum of each table's seals stands in `meta`, itself sealed: a row that a flipped bit changes or hides is
Damage and not an answer.
"""

import hashlib
import sqlite3
from typing import Final, NamedTuple

import msgspec

from standfast.model.plan import Head

from .shardkeeping import Damage

SCHEMA_VERSION: Final = 1
_SUM: Final = 2**62

SCHEMA: Final = """
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL, digest TEXT NOT NULL,                   -- the head; 0 and '' before the first plan
    plans INTEGER NOT NULL, pins INTEGER NOT NULL, sources INTEGER NOT NULL,       -- sums of the tables' seals
    seal INTEGER NOT NULL) STRICT;
CREATE TABLE plans (
    generation INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE,
    at REAL NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL, seal INTEGER NOT NULL, record BLOB NOT NULL) STRICT;
CREATE TABLE nodes (digest TEXT PRIMARY KEY NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE pins (generation INTEGER PRIMARY KEY, reason TEXT NOT NULL, seal INTEGER NOT NULL) STRICT;
CREATE TABLE sources (
    source TEXT PRIMARY KEY NOT NULL, revision INTEGER NOT NULL, digest TEXT NOT NULL,
    seal INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
"""


def seal(*fields: object) -> int:
    """A 62-bit checksum of a row's fields, their types included."""
    return int.from_bytes(hashlib.sha256(msgspec.msgpack.encode(fields)).digest()[:8], "big") % _SUM


class Catalogue(NamedTuple):
    """The one row of `meta`: the head and the sum of each table's seals."""

    generation: int = 0
    digest: str = ""
    plans: int = 0
    pins: int = 0
    sources: int = 0

    @property
    def head(self) -> Head | None:
        """None before the first plan."""
        return Head(self.generation, self.digest) if self.digest else None


class PlanRow(NamedTuple):
    """A row of `plans` without its record."""

    generation: int
    digest: str
    at: float
    author: str
    reason: str


class SourceRow(NamedTuple):
    """A row of `sources` without its body."""

    source: str
    revision: int
    digest: str


def read_catalogue(connection: sqlite3.Connection) -> Catalogue:
    """The row of `meta`. Raises Damage."""
    rows = connection.execute("SELECT generation, digest, plans, pins, sources, seal FROM meta").fetchall()
    if len(rows) != 1:
        raise Damage(f"its catalogue has {len(rows)} rows instead of one")
    (*fields, sealed) = rows[0]
    if seal(*fields) != sealed:
        raise Damage("its catalogue (head and sums) does not match its checksum")
    return Catalogue(*fields)


def write_catalogue(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    """Put it in place of the one that is there."""
    connection.execute(
        "INSERT OR REPLACE INTO meta (one, generation, digest, plans, pins, sources, seal) "
        "VALUES (1, ?, ?, ?, ?, ?, ?)",
        (*catalogue, seal(*catalogue)),
    )


def read_plans(connection: sqlite3.Connection, catalogue: Catalogue) -> list[PlanRow]:
    """All plans, newest first. Raises Damage."""
    rows = connection.execute(
        "SELECT generation, digest, at, author, reason, seal FROM plans ORDER BY generation DESC"
    ).fetchall()
    _verify("plans", rows, catalogue.plans)
    return [PlanRow(*row[:-1]) for row in rows]


def read_pins(connection: sqlite3.Connection, catalogue: Catalogue) -> dict[int, str]:
    """Reason by generation. Raises Damage."""
    rows = connection.execute("SELECT generation, reason, seal FROM pins").fetchall()
    _verify("pins", rows, catalogue.pins)
    return {generation: reason for generation, reason, _ in rows}


def read_sources(connection: sqlite3.Connection, catalogue: Catalogue) -> dict[str, SourceRow]:
    """Every source's row by its name. Raises Damage."""
    rows = connection.execute("SELECT source, revision, digest, seal FROM sources").fetchall()
    _verify("sources", rows, catalogue.sources)
    return {row[0]: SourceRow(*row[:-1]) for row in rows}


def _verify(table: str, rows: list[tuple[object, ...]], expected: int) -> None:
    for *fields, sealed in rows:
        if seal(*fields) != sealed:
            raise Damage(f"a row of its table {table} does not match its checksum")
    if sum(seal(*row[:-1]) for row in rows) % _SUM != expected:
        raise Damage(f"its table {table} lacks rows or has too many")


def plus(total: int, *fields: object) -> int:
    """The sum of seals with that row's added."""
    return (total + seal(*fields)) % _SUM


def minus(total: int, *fields: object) -> int:
    """The sum of seals without that row's."""
    return (total - seal(*fields)) % _SUM
