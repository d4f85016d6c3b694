"""A store that cannot be opened yet, and one that is replaced under us."""

import os
from pathlib import Path

import pytest

from standfast.adapters.stores.sqlite import SqliteStore
from standfast.config import SqliteStoreConfig
from standfast.errors import StoreError
from standfast.ports.provider import Unknown
from standfast.ports.store import HeadRead, ReadHead
from standfast.runtime import latestore
from standfast.runtime.latestore import LateStore
from standfast.runtime.storing import opened


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latestore, "AGAIN_S", 0.0)


def late(path: Path, *, leave: bool = False) -> LateStore:
    store = SqliteStoreConfig(path)
    return LateStore(str(path), lambda make: opened(store, make=make), leave=leave)


def move_aside(path: Path) -> None:
    """With its -wal and -shm, as the message says."""
    for one in path.parent.glob(f"{path.name}*"):
        one.rename(one.with_name(f"aside-{one.name}"))


def test_what_cannot_be_opened_is_unknown_until_it_can(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(os.urandom(8192))
    store = late(path)
    reply = store.perform(ReadHead())
    assert isinstance(reply, Unknown)
    assert str(path) in reply.why
    assert not store.changed()
    path.unlink()
    assert store.perform(ReadHead()) == HeadRead(None)
    assert store.changed()


def test_a_replaced_file_is_opened_anew_and_a_removed_one_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = late(path)
    assert store.perform(ReadHead()) == HeadRead(None)
    move_aside(path)
    assert isinstance(store.perform(ReadHead()), Unknown)
    assert isinstance(store.perform(ReadHead()), Unknown)
    assert not path.exists()
    SqliteStore(path).close()
    assert store.perform(ReadHead()) == HeadRead(None)


def test_who_must_begin_anew_leaves(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = late(path, leave=True)
    assert store.perform(ReadHead()) == HeadRead(None)
    move_aside(path)
    with pytest.raises(StoreError, match="begin anew"):
        store.perform(ReadHead())
