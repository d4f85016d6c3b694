"""The S3 store passes the kit on moto's S3, through several connections."""

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

    steps = 60

    @pytest.fixture(autouse=True)
    def _server(self, moto: MotoS3) -> None:
        self.moto = moto
        self.rooms: dict[Path, Room] = {}

    def room(self, directory: Path) -> Room:
        if directory not in self.rooms:
            self.rooms[directory] = Room(self.moto)
        return self.rooms[directory]


class Alternating(PlanStore):
    """Three connections, asked now in turn and now again: none may answer from what it remembers."""

    turns = (0, 0, 1, 2, 2, 1, 0, 2, 2, 2, 1, 1, 0)

    def __init__(self, room: Room) -> None:
        self.stores = [S3Store(room.bucket(), look_s=0.0) for _ in range(3)]
        self.asked = 0

    def _answer(self, request: StoreRequest) -> StoreReply:
        self.asked += 1
        return self.stores[self.turns[self.asked % len(self.turns)]].perform(request)

    def changed(self) -> bool:
        return self.stores[0].changed()

    def close(self) -> None:
        for store in self.stores:
            store.close()


class TestS3Store(OnS3):
    def make(self, directory: Path) -> PlanStore:
        return Alternating(self.room(directory))

    def test_only_what_others_write_is_noticed(self, tmp_path: Path) -> None:
        mine, theirs = (S3Store(self.room(tmp_path).bucket(), look_s=0.0) for _ in range(2))
        assert mine.changed()
        publish_all(mine, [sample_plan(1, [sample_entry(1, 1)])])
        assert not mine.changed()
        theirs.perform(ReadHead())
        assert not mine.changed()
        theirs.perform(PutSource("fleet", 1, b""))
        assert mine.changed()
        assert not mine.changed()
