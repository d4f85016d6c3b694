"""The S3 store passes the kit on moto's S3, with one connection and with another for every request."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.store_kit import LastingStoreKit, publish_all, sample_entry, sample_plan
from harness.s3 import MotoS3, Room, moto_s3
from standfast.adapters.stores.plan_store import PlanStore
from standfast.adapters.stores.s3 import S3Store
from standfast.ports.store import PutSource, ReadHead, StoreReply, StoreRequest


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoS3]:
    with moto_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


class OnS3(LastingStoreKit):
    """A bucket for each directory."""

    @pytest.fixture(autouse=True)
    def _server(self, moto: MotoS3) -> None:
        self.moto = moto
        self.rooms: dict[Path, Room] = {}

    def room(self, directory: Path) -> Room:
        if directory not in self.rooms:
            self.rooms[directory] = Room(self.moto)
        return self.rooms[directory]


class Alternating(PlanStore):
    """Three connections asked in turn: none may answer from what it remembers."""

    def __init__(self, room: Room) -> None:
        self.stores = [S3Store(room.bucket(), look_s=0.0) for _ in range(3)]
        self.asked = 0

    def _answer(self, request: StoreRequest) -> StoreReply:
        self.asked += 1
        return self.stores[self.asked % 3].perform(request)

    def changed(self) -> bool:
        return self.stores[0].changed()

    def close(self) -> None:
        for store in self.stores:
            store.close()


class TestS3Store(OnS3):
    def make(self, directory: Path) -> PlanStore:
        return S3Store(self.room(directory).bucket(), look_s=0.0)

    def test_only_what_others_write_is_noticed(self, tmp_path: Path) -> None:
        mine, theirs = self.make(tmp_path), self.make(tmp_path)
        assert mine.changed()
        publish_all(mine, [sample_plan(1, [sample_entry(1, 1)])])
        assert not mine.changed()
        theirs.perform(ReadHead())
        assert not mine.changed()
        theirs.perform(PutSource("fleet", 1, b""))
        assert mine.changed()
        assert not mine.changed()


class TestS3StoreThroughSeveralConnections(OnS3):
    def make(self, directory: Path) -> PlanStore:
        return Alternating(self.room(directory))
