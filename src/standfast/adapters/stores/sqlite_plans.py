"""Plans as rows and shards of a SQLite file: insert what is lacking, read what differs, remove what nobody needs.

Rule 1.  `nodes` holds exactly what the stored plans reach. So a node that is there has all below it there too, and
         publishing descends only into nodes that are not; whether one is there is asked in the transaction that
         relies on it, never remembered, for another process may collect in between.
Rule 2.  What is read is what was put there: every shard and record is checked against its digest, and that a plan is
         missing is believed only from the whole table with its sum (`sqlite_schema.py`).
"""

import json
import sqlite3
from collections.abc import Collection, Iterable

from standfast.model.plan import Plan, read_plan
from standfast.model.shards import ShardDamaged

from .shardkeeping import Damage, RecentNodes, damage, pack, record_of, unneeded, unpack
from .sqlite_schema import Catalogue, PlanRow, minus, plus, read_catalogue, read_plans, seal


def insert_plan(connection: sqlite3.Connection, catalogue: Catalogue, plan: Plan) -> Catalogue:
    """Store the plan with the shards that are lacking; the catalogue with it as head, not yet written."""
    cursor = connection.cursor()

    def stored(digest: str) -> bool:
        return cursor.execute("SELECT 1 FROM nodes WHERE digest = ?", (digest,)).fetchone() is not None

    lacking = sorted((node.digest, pack(node.stored)) for node in plan.shards.nodes(stored))
    connection.executemany("INSERT INTO nodes (digest, body) VALUES (?, ?)", lacking)
    record = plan.record
    row = PlanRow(record.generation, plan.digest, float(record.at), record.author, record.reason)
    connection.execute(
        "INSERT INTO plans (generation, digest, at, author, reason, seal, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*row, seal(*row), plan.stored),
    )
    return catalogue._replace(generation=row.generation, digest=row.digest, plans=plus(catalogue.plans, *row))


def remove_plans(
    connection: sqlite3.Connection, catalogue: Catalogue, rows: Iterable[PlanRow], doomed: Collection[int]
) -> Catalogue:
    """Delete the plans of these generations, and every shard that no other needs; the catalogue, not yet written.

    Raises Damage.
    """
    roots: dict[bool, set[str]] = {True: set(), False: set()}
    for generation, digest, record in connection.execute("SELECT generation, digest, record FROM plans"):
        roots[generation in doomed].add(record_of(digest, record).shards)
    lost = unneeded(lambda digests: fetch(connection, digests), roots[True], roots[False])
    connection.executemany("DELETE FROM nodes WHERE digest = ?", ((digest,) for digest in sorted(lost)))
    for row in rows:
        if row.generation in doomed:
            connection.execute("DELETE FROM plans WHERE generation = ?", (row.generation,))
            catalogue = catalogue._replace(plans=minus(catalogue.plans, *row))
    return catalogue


def load_plan(connection: sqlite3.Connection, digest: str, recent: RecentNodes) -> Plan | None:
    """The plan, or None if there is none of that digest. Raises Damage."""
    row = connection.execute("SELECT record FROM plans WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        # A damaged index can hide a row: absence is believed only from the whole table.
        if any(known.digest == digest for known in read_plans(connection, read_catalogue(connection))):
            raise Damage(f"plan {digest} is stored, but its index does not find it")
        return None
    record_of(digest, row[0])
    plan = recent.plan(digest)
    if plan is None:
        try:
            plan = read_plan(digest, row[0], lambda digests: fetch(connection, digests), recent.nodes)
        except ShardDamaged as error:
            raise damage(error) from None
        recent.remember(plan)
    return plan


def fetch(connection: sqlite3.Connection, digests: list[str]) -> dict[str, bytes]:
    """The stored bytes of those that are there. Raises Damage if one does not unpack."""
    rows = connection.execute(
        "SELECT digest, body FROM nodes WHERE digest IN (SELECT value FROM json_each(?))", (json.dumps(digests),)
    )
    return {digest: unpack(digest, body) for digest, body in rows}
