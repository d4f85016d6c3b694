"""The PostgreSQL store passes the kit on a server of its own, with one connection and with another every time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.store_kit import LastingStoreKit, publish_all, sample_entry, sample_plan
from harness.postgresql import Cluster, postgresql
from standfast.adapters.stores.plan_store import PlanStore
from standfast.adapters.stores.postgresql import PostgresqlStore
from standfast.adapters.stores.postgresql_connection import Database
from standfast.ports.store import PutSource, ReadHead, StoreReply, StoreRequest


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql() as server:
        yield server


class OnPostgresql(LastingStoreKit):
    """A schema for each directory."""

    @pytest.fixture(autouse=True)
    def _server(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def database(self, directory: Path) -> Database:
        return self.cluster.database(f"s_{abs(hash(directory))}")


class Alternating(PlanStore):
    """Three connections asked in turn: none may answer from what it remembers."""

    def __init__(self, database: Database) -> None:
        self.stores = [PostgresqlStore(database, look_s=0.0) for _ in range(3)]
        self.asked = 0

    def _answer(self, request: StoreRequest) -> StoreReply:
        self.asked += 1
        return self.stores[self.asked % 3].perform(request)

    def changed(self) -> bool:
        return self.stores[0].changed()

    def close(self) -> None:
        for store in self.stores:
            store.close()


class TestPostgresqlStore(OnPostgresql):
    def make(self, directory: Path) -> PlanStore:
        return PostgresqlStore(self.database(directory), look_s=0.0)

    def test_only_what_others_commit_is_noticed(self, tmp_path: Path) -> None:
        mine, theirs = self.make(tmp_path), self.make(tmp_path)
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


class TestPostgresqlStoreThroughSeveralConnections(OnPostgresql):
    def make(self, directory: Path) -> PlanStore:
        return Alternating(self.database(directory))
