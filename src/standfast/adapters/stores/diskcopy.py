"""An enactor's own copy of the newest plan, on its own disk, for the time when the plan store is away.

A precaution that decides nothing: failing to keep it is remembered for the status and stops no work, and a copy that
is damaged is Unknown, never another plan. The file is of the same make as the plan store (`sqlite_plans.py`), so
keeping the next plan costs what differs; it holds the last two. Commits are not forced to disk one by one: after a
power loss it may hold an older plan, whole.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final, overload

from standfast.errors import StoreError
from standfast.model.plan import Plan
from standfast.ports.local import KeepCopy, Kept, RecallCopy
from standfast.ports.provider import Unknown
from standfast.ports.store import PlanMissing, PlanRead

from .shardkeeping import Damage, RecentNodes
from .sqlite_check import check_file
from .sqlite_file import COPY_ID, DamagedFile, Failures, explain, open_file, transaction
from .sqlite_plans import insert_plan, load_plan, remove_plans
from .sqlite_schema import PlanRow, read_catalogue, read_plans, write_catalogue

_BUSY_TIMEOUT_S: Final = 1.0
_BEYOND_REPAIR: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class DiskCopy:
    """The copy at `path`, a file of this process alone. `last_error` is empty while all is well."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self.last_error = ""
        self._connection: sqlite3.Connection | None = None
        self._examined = False
        self._recent = RecentNodes()

    @overload
    def perform(self, request: KeepCopy) -> Kept: ...
    @overload
    def perform(self, request: RecallCopy) -> PlanRead | PlanMissing | Unknown: ...
    def perform(self, request: KeepCopy | RecallCopy) -> Kept | PlanRead | PlanMissing | Unknown:
        """Keep or recall. Never raises for what the disk does."""
        match request:
            case KeepCopy(plan):
                self._keep(plan)
                return Kept()
            case RecallCopy():
                return self._recall()

    def close(self) -> None:
        """Let go of the file; the next request opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._examined = False

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_file(self.path, COPY_ID, _BUSY_TIMEOUT_S, "NORMAL")
        return self._connection

    def _keep(self, plan: Plan) -> None:
        try:
            try:
                self._store(plan)
            except (sqlite3.Error, Damage, StoreError) as error:
                if not self._set_aside(error):
                    raise
                self._store(plan)
        except StoreError as error:
            self.last_error = str(error)
        except (*Failures, OSError) as error:
            self.last_error = explain(self.path, error)
        else:
            self.last_error = ""

    def _store(self, plan: Plan) -> None:
        """Make it the head, whatever was there: an older generation is news too after a change of store."""
        connection = self._opened()
        if not self._examined:
            # The next plan relies on shards that an earlier process kept; one damaged there would stay damaged.
            if check_file(connection, self.path):
                raise Damage("an examination found problems")
            self._examined = True
        with transaction(connection, "IMMEDIATE"):
            catalogue = read_catalogue(connection)
            if catalogue.digest == plan.digest:
                return
            rows = read_plans(connection, catalogue)
            twins = [row for row in rows if row.generation == plan.generation]
            if twins:
                catalogue = remove_plans(connection, catalogue, rows, {plan.generation})
            before = catalogue.generation
            catalogue = insert_plan(connection, catalogue, plan)
            others: list[PlanRow] = [row for row in rows if row.generation not in (before, plan.generation)]
            if others:
                catalogue = remove_plans(connection, catalogue, others, {row.generation for row in others})
            write_catalogue(connection, catalogue)
        self._recent.remember(plan)

    def _set_aside(self, error: Exception) -> bool:
        """Move a damaged copy out of the way, so that the next one is whole. A file that is not ours stays."""
        name = str(getattr(error, "sqlite_errorname", ""))
        if not (isinstance(error, Damage | DamagedFile) or name.startswith(_BEYOND_REPAIR)):
            return False
        self.close()
        self.path.replace(self.path.with_name(self.path.name + ".damaged"))
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        return True

    def _recall(self) -> PlanRead | PlanMissing | Unknown:
        if not self.path.exists():
            return PlanMissing()
        try:
            connection = self._opened()
            with transaction(connection, "DEFERRED"):
                catalogue = read_catalogue(connection)
                plan = load_plan(connection, catalogue.digest, self._recent) if catalogue.digest else None
            if plan is None and catalogue.digest:
                return Unknown(explain(self.path, Damage(f"plan {catalogue.digest} is not in it")))
            return PlanRead(plan) if plan else PlanMissing()
        except StoreError as error:
            return Unknown(str(error))
        except Failures as error:
            return Unknown(explain(self.path, error))
