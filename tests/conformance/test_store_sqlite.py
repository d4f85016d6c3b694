"""The SQLite store passes the kit, with one connection and with another for every request."""

from pathlib import Path

from conformance.store_kit import LastingStoreKit, publish_all, sample_entry, sample_plan
from standfast.adapters.stores.plan_store import PlanStore
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.ports.store import PutSource, ReadHead, StoreReply, StoreRequest


class Alternating(PlanStore):
    """Three connections asked in turn: none may answer from what it remembers."""

    def __init__(self, path: Path) -> None:
        self.stores = [SqliteStore(path) for _ in range(3)]
        self.asked = 0

    def _answer(self, request: StoreRequest) -> StoreReply:
        self.asked += 1
        return self.stores[self.asked % 3].perform(request)

    def changed(self) -> bool:
        return self.stores[0].changed()

    def close(self) -> None:
        problems = self.stores[0].check()
        for store in self.stores:
            store.close()
        assert problems == []


class TestSqliteStore(LastingStoreKit):
    def make(self, directory: Path) -> PlanStore:
        return SqliteStore(directory / "plans.db")

    def test_only_what_others_commit_is_noticed(self, tmp_path: Path) -> None:
        mine, theirs = (SqliteStore(tmp_path / "plans.db") for _ in range(2))
        assert mine.changed()
        publish_all(mine, [sample_plan(1, [sample_entry(1, 1)])])
        assert not mine.changed()
        theirs.perform(ReadHead())
        assert not mine.changed()
        theirs.perform(PutSource("fleet", 1, b""))
        assert mine.changed()
        assert not mine.changed()
        mine.close()
        theirs.close()


class TestSqliteStoreThroughSeveralConnections(LastingStoreKit):
    def make(self, directory: Path) -> PlanStore:
        return Alternating(directory / "plans.db")
