"""The whole of a SQLite file of plans, examined: each problem as a sentence with its remedy."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from standfast.model.shards import ShardDamaged, digest_of, read_outline

from .shardkeeping import Damage, Strange, damage, damage_told, record_of, unpack
from .sqlite_file import Failures, explain, explained, transaction
from .sqlite_schema import Catalogue, read_catalogue, read_pins, read_plans, read_sources


def check_file(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Every problem found, none if the file is sound. Never raises."""
    problems: list[str] = []
    _, remedy = explained(path, Damage(""))

    def told(found: str | Strange) -> str:
        return f"{path}: {found}. {remedy}" if isinstance(found, str) else " ".join(damage_told(path, found, remedy))

    def run(examination: Callable[[sqlite3.Connection], Iterator[str | Strange]]) -> None:
        try:
            with transaction(connection, "DEFERRED"):
                problems.extend(map(told, examination(connection)))
        except Failures as error:
            problems.append(explain(path, error))

    for examination in (_structure, _rows, _observations, _shards):
        run(examination)
    return list(dict.fromkeys(problems))


def _structure(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check(20)"):
        if line != "ok":
            yield f"its structure is damaged ({line})"


def _rows(connection: sqlite3.Connection) -> Iterator[str]:
    catalogue = read_catalogue(connection)
    tables: tuple[Callable[[sqlite3.Connection, Catalogue], object], ...] = (read_plans, read_pins, read_sources)
    for table in tables:
        try:
            table(connection, catalogue)
        except Damage as damage:
            yield str(damage)
    wanted = "SELECT 1 FROM plans WHERE generation = ? AND digest = ?"
    if catalogue.head and not connection.execute(wanted, tuple(catalogue[:2])).fetchone():
        yield f"the head names generation {catalogue.generation}, but that plan is not stored"


def _observations(connection: sqlite3.Connection) -> Iterator[str]:
    for source, digest, body in connection.execute("SELECT source, digest, body FROM sources"):
        if not isinstance(body, bytes) or digest_of(body) != digest:
            yield f"the observation of source {source} does not match its digest"


def _shards(connection: sqlite3.Connection) -> Iterator[str | Strange]:
    below: dict[str, tuple[str, ...]] = {}
    for digest, body in connection.execute("SELECT digest, body FROM nodes"):
        try:
            outline = read_outline(digest, unpack(digest, body), 0)
            below[digest] = tuple(child for _, child in outline.children if child != digest)
        except ShardDamaged as error:
            below[digest] = ()
            found = damage(error)
            yield found if isinstance(found, Strange) else str(found)
        except Damage as error:
            below[digest] = ()
            yield str(error)
    reached: set[str] = set()
    for generation, digest, record in connection.execute("SELECT generation, digest, record FROM plans"):
        try:
            waiting = [record_of(digest, record).shards]
        except Damage as error:
            yield f"generation {generation}: {error}"
            continue
        while waiting:
            shard = waiting.pop()
            if shard in reached:
                continue
            reached.add(shard)
            if shard not in below:
                yield f"shard {shard} of generation {generation} is missing"
            waiting.extend(below.get(shard, ()))
    strays = len(below.keys() - reached)
    if strays:
        yield f"{strays} shards belong to no plan"
