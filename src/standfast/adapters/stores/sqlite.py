"""The plan store in one SQLite file on a local disk, shared by any number of processes.

Every request is one transaction: writing ones take the write lock first (BEGIN IMMEDIATE), reading ones see one
snapshot. A failure is the reply Unknown with its meaning and remedy; so is a commit whose outcome is uncertain.
What is damaged is never answered from (`sqlite_schema.py`).
"""

import os
from pathlib import Path
from typing import assert_never

from standfast.model.shards import digest_of
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    Collected,
    CollectPlans,
    HeadMoved,
    HeadRead,
    ListPlans,
    Pin,
    Pinned,
    PlanList,
    PlanMissing,
    PlanRead,
    PlanSummary,
    Publish,
    Published,
    PutSource,
    PutSources,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceMoved,
    SourceRead,
    SourcesStored,
    SourceStored,
    StoreReply,
    StoreRequest,
)

from .plan_store import PlanStore
from .shardkeeping import Damage, RecentNodes
from .sqlite_check import check_file
from .sqlite_file import STORE_ID, Failures, explain, open_file, transaction
from .sqlite_plans import insert_plan, load_plan, remove_plans
from .sqlite_schema import (
    Catalogue,
    SourceRow,
    minus,
    plus,
    read_catalogue,
    read_pins,
    read_plans,
    read_sources,
    seal,
    write_catalogue,
)


class SqliteStore(PlanStore):
    """One connection to the store; it belongs to the thread that made it.

    `busy_timeout_s` is how long to wait for another process's transaction. Raises StoreError if the file cannot be
    opened, is not a plan store, or is of a newer version.
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout_s: float = 30.0) -> None:
        self.path = Path(path).absolute()
        self._connection = open_file(self.path, STORE_ID, busy_timeout_s, "FULL")
        self._file = _identity(self.path)
        self._recent = RecentNodes()
        self._seen: tuple[int, tuple[int, int] | None] | None = None
        self._proven: tuple[int, dict[str, SourceRow]] | None = None

    def close(self) -> None:
        """Close the connection; asked anything afterwards, it answers Unknown."""
        self._connection.close()

    def changed(self) -> bool:
        """Whether another connection committed since the last call; True at the first, and when in doubt."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except Failures:
            return True
        seen, self._seen = self._seen, (version, _identity(self.path))
        return seen != self._seen

    def replaced(self) -> bool:
        """Whether another file stands at the path, or none."""
        return _identity(self.path) != self._file

    def check(self) -> list[str]:
        """Every problem of the file as a sentence with its remedy: structure, checksums, digests, reachability.

        Costs a reading of the whole file.
        """
        problems = [self._replaced()] if self.replaced() else []
        return problems + check_file(self._connection, self.path)

    def _answer(self, request: StoreRequest) -> StoreReply:
        if self.replaced():
            return Unknown(self._replaced())
        try:
            match request:
                case ReadHead():
                    return HeadRead(read_catalogue(self._connection).head)
                case ReadPlan() | ListPlans() | ReadSource():
                    with transaction(self._connection, "DEFERRED"):
                        return self._read(request)
                case Publish() | Pin() | CollectPlans() | PutSource() | PutSources():
                    with transaction(self._connection, "IMMEDIATE"):
                        reply = self._write(request)
                    if isinstance(reply, Published) and isinstance(request, Publish):
                        self._recent.remember(request.plan)
                    return reply
                case _:
                    assert_never(request)
        except Failures as error:
            return Unknown(explain(self.path, error))

    def _replaced(self) -> str:
        return (
            f"{self.path} was removed or replaced while it was open. "
            "Start this process again, so that it works with the file that is there now."
        )

    def _read(self, request: ReadPlan | ListPlans | ReadSource) -> StoreReply:
        match request:
            case ReadPlan(digest):
                plan = load_plan(self._connection, digest, self._recent)
                return PlanRead(plan) if plan else PlanMissing()
            case ListPlans():
                catalogue = read_catalogue(self._connection)
                pins = read_pins(self._connection, catalogue)
                rows = read_plans(self._connection, catalogue)
                return PlanList(tuple(PlanSummary(*row, pins.get(row.generation, "")) for row in rows))
            case ReadSource(source):
                return self._read_source(source)

    def _read_source(self, source: str) -> SourceRead:
        row = self._sources(read_catalogue(self._connection)).get(source)
        if row is None:
            return SourceRead(0, b"")
        found = self._connection.execute("SELECT body FROM sources WHERE source = ?", (source,)).fetchone()
        if found is None or not isinstance(found[0], bytes) or digest_of(found[0]) != row.digest:
            raise Damage(f"the observation of source {source} does not match its digest")
        return SourceRead(row.revision, found[0])

    def _write(self, request: Publish | Pin | CollectPlans | PutSource | PutSources) -> StoreReply:
        match request:
            case Publish():
                return self._publish(request)
            case Pin(generation, reason):
                return self._pin(generation, reason)
            case CollectPlans(generations):
                return self._collect(generations)
            case PutSource(_, revision, _):
                reply = self._put((request,))
                return SourceStored(reply.revision if isinstance(reply, SourceMoved) else revision)
            case PutSources(puts):
                return self._put(puts)

    def _publish(self, request: Publish) -> Published | HeadMoved | SourceMoved:
        catalogue = read_catalogue(self._connection)
        head = catalogue.head
        if head != request.expect or (head and request.plan.generation <= head.generation):
            return HeadMoved(head)
        stored = self._sources(catalogue)
        for name, revision in request.plan.record.sources:
            row = stored.get(name)
            if row and row.revision > revision:
                return SourceMoved(name, row.revision)
        write_catalogue(self._connection, insert_plan(self._connection, catalogue, request.plan))
        return Published()

    def _pin(self, generation: int, reason: str) -> Pinned:
        catalogue = read_catalogue(self._connection)
        before = read_pins(self._connection, catalogue).get(generation)
        total = catalogue.pins
        if before is not None:
            self._connection.execute("DELETE FROM pins WHERE generation = ?", (generation,))
            total = minus(total, generation, before)
        if reason:
            row = (generation, reason, seal(generation, reason))
            self._connection.execute("INSERT INTO pins (generation, reason, seal) VALUES (?, ?, ?)", row)
            total = plus(total, generation, reason)
        write_catalogue(self._connection, catalogue._replace(pins=total))
        return Pinned()

    def _collect(self, generations: tuple[int, ...]) -> Collected:
        catalogue = read_catalogue(self._connection)
        rows = read_plans(self._connection, catalogue)
        protected = {catalogue.generation, *read_pins(self._connection, catalogue)}
        doomed = {row.generation for row in rows} & set(generations) - protected
        if doomed:
            write_catalogue(self._connection, remove_plans(self._connection, catalogue, rows, doomed))
        return Collected(tuple(sorted(doomed)))

    def _put(self, puts: tuple[PutSource, ...]) -> SourcesStored | SourceMoved:
        catalogue = read_catalogue(self._connection)
        rows, total = self._sources(catalogue), catalogue.sources
        for one in puts:
            before = rows.get(one.source)
            stored = before.revision if before else 0
            if one.revision <= stored:
                return SourceMoved(one.source, stored)
        fresh = [SourceRow(one.source, one.revision, digest_of(one.body)) for one in puts]
        for row in fresh:
            if before := rows.get(row.source):
                total = minus(total, *before)
            total = plus(total, *row)
        self._connection.executemany(
            "INSERT OR REPLACE INTO sources (source, revision, digest, seal, body) VALUES (?, ?, ?, ?, ?)",
            [(*row, seal(*row), one.body) for row, one in zip(fresh, puts, strict=True)],
        )
        write_catalogue(self._connection, catalogue._replace(sources=total))
        self._proven = total, rows | {row.source: row for row in fresh}
        return SourcesStored()

    def _sources(self, catalogue: Catalogue) -> dict[str, SourceRow]:
        """Every source's row. Those that were proven last are believed while the catalogue's sum of seals is theirs: to
        prove all of them at each request made a registry slower with every page of leases."""
        if self._proven is None or self._proven[0] != catalogue.sources:
            self._proven = catalogue.sources, read_sources(self._connection, catalogue)
        return self._proven[1]


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at the path: working on with one that was moved away would split the store in two."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino)
