"""The PostgreSQL store passes the kit on a server of its own, through several connections."""

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

    steps = 60

    @pytest.fixture(autouse=True)
    def _server(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def database(self, directory: Path) -> Database:
        return self.cluster.database(f"s_{abs(hash(directory))}")


class Alternating(PlanStore):
    """Three connections, asked now in turn and now again: none may answer from what it remembers."""

    turns = (0, 0, 1, 2, 2, 1, 0, 2, 2, 2, 1, 1, 0)

    def __init__(self, database: Database) -> None:
        self.stores = [PostgresqlStore(database, look_s=0.0) for _ in range(3)]
        self.asked = 0

    def _answer(self, request: StoreRequest) -> StoreReply:
        self.asked += 1
        return self.stores[self.turns[self.asked % len(self.turns)]].perform(request)

    def changed(self) -> bool:
        return self.stores[0].changed()

    def close(self) -> None:
        for store in self.stores:
            store.close()


class TestPostgresqlStore(OnPostgresql):
    def make(self, directory: Path) -> PlanStore:
        return Alternating(self.database(directory))

    def test_only_what_others_commit_is_noticed(self, tmp_path: Path) -> None:
        mine, theirs = (PostgresqlStore(self.database(tmp_path), look_s=0.0) for _ in range(2))
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
