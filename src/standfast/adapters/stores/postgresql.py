"""The plan store in a PostgreSQL database, for those who have one: several machines, one transaction a request.

Rule 1.  A writing transaction locks the one row of `meta` first, so writers stand in one order and each sees all that
         the one before it wrote; a reading one sees one snapshot.
Rule 2.  A commit whose reply was lost is settled by reading under that same lock: it waits for whatever is still under
         way, and the nonce says whether ours is among the last. If it is not it can never come, and is done again.
Rule 3.  A version that does not follow the one seen before (a restored database, a standby promoted without the last
         commits) is another store: Unknown from then on, and `replaced()`.
"""

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from msgspec.structs import replace

from standfast.errors import StoreAbsent, StoreError
from standfast.model.shards import ShardDamaged, digest_of
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

from .absence import Absence
from .plan_store import PlanStore
from .postgresql_connection import Connection, Database, NoStore, Trouble
from .postgresql_tables import (
    FORMAT,
    RECENT_MAX,
    TABLES,
    Version,
    insert_plan,
    load_plan,
    read_version,
    remove_plans,
    write_version,
)
from .shardkeeping import Damage, RecentNodes, damage_told, pack, unpack

if TYPE_CHECKING:
    from .postgresql_tables import Cursor

_REPLACE: Final = "Restore it, or drop the schema: the planner reads every zone and publishes above."
_TRIES: Final = 3
Reading: TypeAlias = "Callable[[Cursor, Version], StoreReply]"
Writing: TypeAlias = "Callable[[Cursor, Version], tuple[StoreReply, Version | None]]"


class Replaced(Exception):
    """What was opened is gone."""


_FAILURES: Final = (Trouble, NoStore, Replaced, Damage, ShardDamaged)


class PostgresqlStore(PlanStore):
    """One store, which is a schema of a database; it belongs to the thread that made it.

    `look_s` is how often `changed` looks at most. With `make` a store that isn't there is made. Raises StoreError if
    it can't be opened.
    """

    def __init__(self, database: Database, *, make: bool = True, look_s: float = 0.2) -> None:
        self._database, self._look_s = database, look_s
        self._connection = Connection(database)
        self._recent = RecentNodes()
        self._seen: Version | None = None
        self._why_gone, self._closed = "", False
        self._news, self._look_at = True, 0.0
        self._absence = Absence()
        try:
            self._begin(make)
        except _FAILURES as error:
            self._connection.close()
            raise StoreError(self._why(error)) from None
        except StoreError:
            self._connection.close()
            raise

    def _begin(self, make: bool) -> None:
        try:
            with self._connection.transaction(writes=False) as cursor:
                self._met(read_version(cursor))
        except (NoStore, Replaced):
            self._why_gone = ""
            if not make:
                raise StoreAbsent(f"There is no plan store in {self._database}.") from None
            self._make()
            with self._connection.transaction(writes=False) as cursor:
                self._met(read_version(cursor))

    def _make(self) -> None:
        """Whole or not at all, by whoever is first."""
        from psycopg import sql

        create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}").format(schema=sql.Identifier(self._database.schema))
        first = (FORMAT, secrets.token_hex(8), [secrets.token_hex(8)])
        with self._connection.transaction(writes=True) as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('standfast plan store'))")
            there = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
            if cursor.execute(there, (self._database.schema,)).fetchone() is None:
                cursor.execute(create)
            cursor.execute(TABLES)
            cursor.execute(
                "INSERT INTO meta (format, born, version, recent) VALUES (%s, %s, 1, %s) ON CONFLICT DO NOTHING", first
            )

    def close(self) -> None:
        """Close the connection; asked anything afterwards, it answers Unknown."""
        self._closed = True
        self._connection.close()

    def replaced(self) -> bool:
        """Whether the store is gone, or does not follow what was seen."""
        return bool(self._why_gone)

    def changed(self) -> bool:
        """Whether somebody else wrote since the last call, as far as is known: it looks every `look_s` at most."""
        now = time.monotonic()
        if not self._closed and not self._why_gone and now >= self._look_at and not self._absence.why:
            self._look_at = now + self._look_s
            self._answer(ReadHead())
            self._news = self._news or bool(self._why_gone)
        news, self._news = self._news, False
        return news

    def _answer(self, request: StoreRequest) -> StoreReply:
        if self._closed:
            return Unknown("The plan store was closed. Open it again.")
        if self._why_gone:
            return Unknown(self._why_gone)
        if why := self._absence.why:
            return Unknown(why)
        try:
            reply = self._perform(request)
            self._absence.ends()
            return reply
        except StoreError as error:  # a newer program wrote it
            return Unknown(str(error))
        except _FAILURES as error:
            if isinstance(error, Trouble) and error.away:
                self._absence.begins(str(error))
            if isinstance(error, NoStore):
                self._why_gone = f"{error} It was removed."
            return Unknown(self._why(error))

    def _why(self, error: Exception) -> str:
        """One of _FAILURES in words."""
        if isinstance(error, Trouble):
            return str(error)
        if isinstance(error, NoStore | Replaced):
            return self._why_gone or str(error)
        return " ".join(damage_told(self._database, error, _REPLACE))

    def _met(self, version: Version | None) -> Version:
        """The version that stands there must follow the one seen before."""
        if version is None:
            self._why_gone = f"{self._database} is empty: its row was removed."
            raise Replaced
        if version.format != FORMAT:
            message = f"{self._database} has format {version.format}; this program knows format {FORMAT}."
            raise StoreError(message, "Run the version of Standfast that wrote it, or a newer one.")
        if self._seen is not None and not version.follows(self._seen):
            self._why_gone = f"{self._database} was replaced, or set back to an earlier state."
            raise Replaced
        if self._seen is not None and version.version != self._seen.version:
            self._news = True
        self._seen = version
        return version

    # -- transactions --------------------------------------------------------------------------------------------

    def _read(self, read: "Reading") -> StoreReply:
        for again in (True, False):
            try:
                with self._connection.transaction(writes=False) as cursor:
                    return read(cursor, self._met(read_version(cursor)))
            except Trouble as trouble:
                if not (again and trouble.away):
                    raise  # else: an idle connection that was lost shows only when it is used
        raise AssertionError

    def _write(self, write: "Writing") -> StoreReply:
        """Again, if the connection was lost and it is certain that nothing came of it."""
        trouble = Trouble(f"{self._database}: it does not answer.", away=True)
        for attempt in range(_TRIES):
            nonce, reply, after = secrets.token_hex(8), None, None
            try:
                with self._connection.transaction(writes=True) as cursor:
                    before = self._met(read_version(cursor, locked=True))
                    reply, changed = write(cursor, before)
                    if changed is not None:
                        recent = (nonce, *before.recent)[:RECENT_MAX]
                        after = replace(changed, version=before.version + 1, recent=recent)
                        write_version(cursor, after)
            except Trouble as error:
                trouble = error
                if not error.sent and error.away and attempt == 0:
                    continue
                if not error.sent or reply is None:
                    raise
                if after is None or self._came(nonce, after.version):
                    return reply
                continue
            self._seen = after or self._seen
            return reply
        raise trouble

    def _came(self, nonce: str, version: int) -> bool:
        """Whether the transaction of that nonce was committed; under the lock that it had. Raises Trouble."""
        with self._connection.transaction(writes=True) as cursor:
            now = self._met(read_version(cursor, locked=True))
        if now.version - version >= RECENT_MAX:
            raise Trouble(f"{self._database}: so much was written since that nobody knows what came of it.")
        return nonce in now.recent

    # -- requests ------------------------------------------------------------------------------------------------

    def _perform(self, request: StoreRequest) -> StoreReply:
        match request:
            case ReadHead():
                return self._read(lambda _, version: HeadRead(version.head))
            case ReadPlan(digest):

                def read(cursor: "Cursor", _: Version) -> StoreReply:
                    plan = load_plan(cursor, digest, self._recent)
                    return PlanRead(plan) if plan else PlanMissing()

                return self._read(read)
            case ListPlans():
                return self._read(_listed)
            case ReadSource(source):
                return self._read(lambda cursor, _: _source(cursor, source))
            case Publish():
                reply = self._write(lambda cursor, version: _publish(cursor, version, request))
                if isinstance(reply, Published):
                    self._recent.remember(request.plan)
                return reply
            case Pin():
                return self._write(lambda cursor, version: _pin(cursor, version, request))
            case CollectPlans(generations):
                return self._write(lambda cursor, version: _collect(cursor, version, generations))
            case PutSource(_, revision, _):
                reply = self._write(lambda cursor, version: _put(cursor, version, (request,)))
                return SourceStored(reply.revision if isinstance(reply, SourceMoved) else revision)
            case PutSources(puts):
                return self._write(lambda cursor, version: _put(cursor, version, puts))
            case _:
                assert_never(request)


def _listed(cursor: "Cursor", _: Version) -> PlanList:
    rows = cursor.execute(
        "SELECT generation, digest, at, author, reason, coalesce((SELECT reason FROM pins WHERE pins.generation = "
        "plans.generation), '') FROM plans ORDER BY generation DESC"
    ).fetchall()
    return PlanList(tuple(PlanSummary(*row) for row in rows))


def _source(cursor: "Cursor", source: str) -> SourceRead:
    row = cursor.execute("SELECT revision, digest, body FROM sources WHERE source = %s", (source,)).fetchone()
    if row is None:
        return SourceRead(0, b"")
    body = unpack(f"of source {source}", row[2])
    if digest_of(body) != row[1]:
        raise Damage(f"the observation of source {source} does not match its digest")
    return SourceRead(row[0], body)


def _publish(cursor: "Cursor", version: Version, request: Publish) -> tuple[StoreReply, Version | None]:
    head, plan = version.head, request.plan
    if head != request.expect or (head and plan.generation <= head.generation):
        return HeadMoved(head), None
    names = [name for name, _ in plan.record.sources]
    rows = cursor.execute("SELECT source, revision FROM sources WHERE source = ANY(%s)", (names,)).fetchall()
    stored = {str(name): int(revision) for name, revision in rows}
    for name, revision in plan.record.sources:
        if stored.get(name, 0) > revision:
            return SourceMoved(name, stored[name]), None
    insert_plan(cursor, plan)
    return Published(), replace(version, generation=plan.generation, digest=plan.digest)


def _pin(cursor: "Cursor", version: Version, request: Pin) -> tuple[StoreReply, Version]:
    if request.reason:
        cursor.execute(
            "INSERT INTO pins (generation, reason) VALUES (%s, %s) "
            "ON CONFLICT (generation) DO UPDATE SET reason = excluded.reason",
            (request.generation, request.reason),
        )
    else:
        cursor.execute("DELETE FROM pins WHERE generation = %s", (request.generation,))
    return Pinned(), version


def _collect(cursor: "Cursor", version: Version, generations: tuple[int, ...]) -> tuple[StoreReply, Version | None]:
    pins = {generation for (generation,) in cursor.execute("SELECT generation FROM pins").fetchall()}
    there = {generation for (generation,) in cursor.execute("SELECT generation FROM plans").fetchall()}
    doomed = there & set(generations) - pins - {version.generation}
    if not doomed:
        return Collected(()), None
    remove_plans(cursor, doomed)
    return Collected(tuple(sorted(doomed))), version


def _put(cursor: "Cursor", version: Version, puts: tuple[PutSource, ...]) -> tuple[StoreReply, Version | None]:
    names = [one.source for one in puts]
    rows = cursor.execute("SELECT source, revision FROM sources WHERE source = ANY(%s)", (names,)).fetchall()
    stored = {str(name): int(revision) for name, revision in rows}
    for one in puts:
        if one.revision <= stored.get(one.source, 0):
            return SourceMoved(one.source, stored.get(one.source, 0)), None
    cursor.executemany(
        "INSERT INTO sources (source, revision, digest, body) VALUES (%s, %s, %s, %s) ON CONFLICT (source) DO UPDATE "
        "SET revision = excluded.revision, digest = excluded.digest, body = excluded.body",
        [(one.source, one.revision, digest_of(one.body), pack(one.body)) for one in puts],
    )
    return SourcesStored(), version
