"""Stores of third parties, as entry points: what is wrong with them is said, and what they raise is theirs."""

from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from standfast.adapters.stores.memory import MemoryStore
from standfast.config import PluginStoreConfig
from standfast.errors import StoreAbsent, StoreError
from standfast.ports.store import HeadRead, ReadHead
from standfast.runtime import storing
from standfast.runtime.storing import opened


class Kept(MemoryStore):
    """A store of somebody else's."""


def open_store(options: dict[str, str], *, make: bool) -> Kept:
    """As docs/stores.md says."""
    if options.get("fault") == "raises":
        raise RuntimeError("no such\nthing")
    if not make and options.get("there") != "yes":
        raise StoreAbsent("There is none.")
    return Kept()


def half(options: dict[str, str], *, make: bool) -> object:
    """Lacks what a store has."""
    return type("Half", (), {"perform": lambda self, request: None, "changed": lambda self: True})()


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint(name, f"{__name__}:{target}", storing.GROUP)
        for name, target in (("etcd", "open_store"), ("half", "half"), ("twice", "half"), ("twice", "open_store"))
    ]
    loaded: dict[str, Any] = {"open_store": open_store, "half": half}
    monkeypatch.setattr(EntryPoint, "load", lambda self: loaded[self.value.partition(":")[2]])
    monkeypatch.setattr(storing, "entry_points", lambda group: EntryPoints(points))


def test_a_store_of_a_third_party_is_opened() -> None:
    assert opened(PluginStoreConfig("etcd"), make=True).perform(ReadHead()) == HeadRead(None)
    with pytest.raises(StoreAbsent):
        opened(PluginStoreConfig("etcd"), make=False)
    assert isinstance(opened(PluginStoreConfig("etcd", (("there", "yes"),)), make=False), Kept)


@pytest.mark.parametrize(
    ("store", "text"),
    [
        (PluginStoreConfig("nowhere"), "No installed package has a plan store nowhere .*there are: etcd, half, twice"),
        (PluginStoreConfig("twice"), "Several packages have a plan store twice"),
        (PluginStoreConfig("half"), "has no replaced and no close"),
        (PluginStoreConfig("etcd", (("fault", "raises"),)), "can't be opened: RuntimeError: no such thing"),
    ],
)
def test_what_is_wrong_is_said(store: PluginStoreConfig, text: str) -> None:
    with pytest.raises(StoreError, match=text):
        opened(store, make=True)
