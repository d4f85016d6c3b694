"""The tables of a plan store in PostgreSQL, and plans as their rows and shards.

`nodes` holds exactly what the stored plans reach, as in SQLite: a node that is there has all below it there too. Every
shard, record and observation is compared with its digest when it is read.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct

from standfast.model.plan import Head, Plan, read_plan
from standfast.model.shards import Branch, Node

from .shardkeeping import RecentNodes, pack, record_of, unneeded, unpack

if TYPE_CHECKING:
    import psycopg

    Cursor: TypeAlias = "psycopg.Cursor[tuple[Any, ...]]"

FORMAT: Final = 1
RECENT_MAX: Final = 64

TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), format integer NOT NULL, born text NOT NULL,
    version bigint NOT NULL, recent text[] NOT NULL,             -- the nonces of the last versions, newest first
    generation bigint NOT NULL DEFAULT 0, digest text NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS plans (
    generation bigint PRIMARY KEY, digest text NOT NULL UNIQUE, at double precision NOT NULL,
    author text NOT NULL, reason text NOT NULL, record bytea NOT NULL);
CREATE TABLE IF NOT EXISTS nodes (digest text PRIMARY KEY, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS pins (generation bigint PRIMARY KEY, reason text NOT NULL);
CREATE TABLE IF NOT EXISTS sources (
    source text PRIMARY KEY, revision bigint NOT NULL, digest text NOT NULL, body bytea NOT NULL);
"""

_VERSION: Final = "SELECT format, born, version, recent, generation, digest FROM meta"
_LOCKED: Final = f"{_VERSION} FOR UPDATE"


class Version(Struct, frozen=True):
    """The row of `meta`: `recent` are the nonces of this version and those before, newest first."""

    format: int
    born: str
    version: int
    recent: tuple[str, ...]
    generation: int
    digest: str

    @property
    def head(self) -> Head | None:
        """None before the first plan."""
        return Head(self.generation, self.digest) if self.digest else None

    def follows(self, earlier: "Version") -> bool:
        """Whether it is a later version of that very store, or the same; as far as the recent nonces reach."""
        if self.born != earlier.born or self.version < earlier.version:
            return False
        back = self.version - earlier.version
        return back >= len(self.recent) or self.recent[back] == earlier.recent[0]


def read_version(cursor: "Cursor", *, locked: bool = False) -> Version | None:
    """The version now; None if the row is not there. `locked`: nobody else writes until the end of the transaction."""
    row = cursor.execute(_LOCKED if locked else _VERSION).fetchone()
    if row is None:
        return None
    return Version(row[0], row[1], row[2], tuple(row[3]), row[4], row[5])


def write_version(cursor: "Cursor", version: Version) -> None:
    """In the place of the one that is there."""
    cursor.execute(
        "UPDATE meta SET version = %s, recent = %s, generation = %s, digest = %s",
        (version.version, list(version.recent), version.generation, version.digest),
    )


def insert_plan(cursor: "Cursor", plan: Plan) -> None:
    """The plan with the shards that are lacking, asked for level by level."""
    level: dict[str, Node] = {plan.shards.root.digest: plan.shards.root}
    lacking: dict[str, bytes] = {}
    while level:
        there = fetch_names(cursor, list(level))
        following: dict[str, Node] = {}
        for digest, node in level.items():
            if digest in there or digest in lacking:
                continue
            lacking[digest] = pack(node.stored)
            if isinstance(node, Branch):
                following.update((child.digest, child) for child in node.children if child is not None)
        level = following
    rows = sorted(lacking.items())
    cursor.execute(
        "INSERT INTO nodes (digest, body) SELECT * FROM unnest(%s::text[], %s::bytea[])",
        ([digest for digest, _ in rows], [body for _, body in rows]),
    )
    record = plan.record
    cursor.execute(
        "INSERT INTO plans (generation, digest, at, author, reason, record) VALUES (%s, %s, %s, %s, %s, %s)",
        (record.generation, plan.digest, float(record.at), record.author, record.reason, plan.stored),
    )


def load_plan(cursor: "Cursor", digest: str, recent: RecentNodes) -> Plan | None:
    """The plan; None if there is none of that digest. Raises Damage, ShardDamaged."""
    row = cursor.execute("SELECT record FROM plans WHERE digest = %s", (digest,)).fetchone()
    if row is None:
        return None
    record_of(digest, row[0])
    plan = recent.plan(digest)
    if plan is None:
        plan = read_plan(digest, row[0], lambda digests: fetch(cursor, digests), recent.nodes)
        recent.remember(plan)
    return plan


def remove_plans(cursor: "Cursor", doomed: Collection[int]) -> None:
    """Delete the plans of these generations, and every shard that no other needs. Raises Damage."""
    roots: dict[bool, set[str]] = {True: set(), False: set()}
    for generation, digest, record in cursor.execute("SELECT generation, digest, record FROM plans").fetchall():
        roots[generation in doomed].add(record_of(digest, record).shards)
    lost = unneeded(lambda digests: fetch(cursor, digests), roots[True], roots[False])
    cursor.execute("DELETE FROM nodes WHERE digest = ANY(%s)", (sorted(lost),))
    cursor.execute("DELETE FROM plans WHERE generation = ANY(%s)", (sorted(doomed),))


def fetch(cursor: "Cursor", digests: list[str]) -> dict[str, bytes]:
    """The stored bytes of those that are there. Raises Damage if one does not unpack."""
    rows = cursor.execute("SELECT digest, body FROM nodes WHERE digest = ANY(%s)", (digests,)).fetchall()
    return {digest: unpack(digest, body) for digest, body in rows}


def fetch_names(cursor: "Cursor", digests: list[str]) -> set[str]:
    """Which of them are there."""
    rows = cursor.execute("SELECT digest FROM nodes WHERE digest = ANY(%s)", (digests,)).fetchall()
    return {digest for (digest,) in rows}
