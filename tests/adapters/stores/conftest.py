"""Services that keep plans, one of each for a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.postgresql import Cluster, postgresql
from harness.s3 import Front, MotoS3, Room, moto_s3
from standfast.adapters.stores import absence


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoS3]:
    with moto_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def front(moto: MotoS3) -> Iterator[Front]:
    server = Front(moto)
    yield server
    server.end()


@pytest.fixture
def room(moto: MotoS3, front: Front) -> Room:
    """Whose stores go through the front."""
    return Room(moto, front.url)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store asks again at once, where it would leave a service that is away alone for a while."""
    monkeypatch.setattr(absence, "PAUSES_S", (0.0,))
