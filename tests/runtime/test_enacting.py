"""The enactor as a process: what it tells, how often, and what it does not tell while it only observes."""

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.adapters.stores.memory import MemoryStore
from standfast.model.rrset import RRType
from standfast.ports.provider import Replace, Unknown
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import Publish
from standfast.runtime.enacting import EnactorProcess
from standfast.runtime.journal import Journal
from standfast.runtime.presence import Presence, read_presence
from world.invented import STREAM, ZONE, entry, plan_of

WWW = f"www.{ZONE}"


class Silent(MemoryProvider):
    """A server that can be away."""

    away = False

    def perform(self, request: Any) -> Any:
        return Unknown("no answer within 5 s") if self.away else super().perform(request)


def staged(folder: Path, *, observe: bool = False) -> tuple[EnactorProcess, Silent]:
    """An enactor over memory, with www published."""
    for name in ("journal", "presence"):
        (folder / name).mkdir()
    store, provider = MemoryStore(), Silent(ZONE, {})
    store.perform(Publish(None, plan_of(1, [entry(WWW, 1, "192.0.2.1")])))
    journal = Journal(folder / "journal", "enactor", "a")
    presence = Presence(folder / "presence", "enactor", "a")
    copy = DiskCopy(folder / "copy.sqlite")
    made = EnactorProcess(
        "a", STREAM, store, {ZONE: provider}, copy, journal, presence=presence, observe=observe, look_s=60
    )
    return made, provider


def told(folder: Path, event: str) -> list[dict[str, Any]]:
    lines = (folder / "journal" / "enactor-a.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def test_a_trouble_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    process, provider = staged(tmp_path)
    never = threading.Event()
    process._pass("start", never)
    provider.away = True
    for _ in range(20):
        process._pass("look", never)
    provider.away = False
    for _ in range(3):
        process._pass("look", never)
    troubles = [(line["kind"], line["why"]) for line in told(tmp_path, "notice") if line["kind"] == "provider"]
    assert troubles == [("provider", f"{ZONE}: no answer within 5 s"), ("provider", "answers again")]


def test_what_is_put_back_again_and_again_is_shown(tmp_path: Path) -> None:
    process, provider = staged(tmp_path)
    never = threading.Event()
    process._pass("start", never)
    for _ in range(4):
        rrsets = {key: rrset for key, rrset in provider.state.rrsets.items() if key != (WWW, int(RRType.A))}
        provider.state = ZoneState(ZONE, rrsets, provider.state.serial + 1)
        process._pass("look", never)
        assert (WWW, int(RRType.A)) in provider.state.rrsets
    process._beat(0.0)
    (shown,) = read_presence(tmp_path / "presence")
    assert shown.facts["put_back"] == {WWW: 4}


class Counting(MemoryProvider):
    """A server that counts the changes it was sent."""

    sent = 0

    def perform(self, request: Any) -> Any:
        self.sent += isinstance(request, Replace)
        return super().perform(request)


def test_of_many_changes_the_next_is_sent_before_one_is_told(tmp_path: Path) -> None:
    """Whoever hears of the first change waits until the second is on its way: told first, it would wait in vain."""
    names = [f"edge-{number}.{ZONE}" for number in range(4)]
    store, provider, sent_by_then = MemoryStore(), Counting(ZONE, {}), dict[str, int]()
    store.perform(Publish(None, plan_of(1, [entry(name, 1, "192.0.2.1") for name in names])))

    def heard(line: Mapping[str, Any]) -> None:
        if line["event"] == "outcome" and line["result"] == "written":
            expected, until = len(sent_by_then) + 2, time.monotonic() + 5.0
            while provider.sent < expected and len(sent_by_then) < 2 and time.monotonic() < until:
                time.sleep(0.001)
            sent_by_then[line["name"]] = provider.sent

    journal = Journal(tmp_path, "enactor", "a", listeners=(heard,))
    process = EnactorProcess("a", STREAM, store, {ZONE: provider}, DiskCopy(tmp_path / "copy.sqlite"), journal)
    process.core = replace(process.core, batch_octets=1)
    process._pass("start", threading.Event())
    assert sorted(name for name in sent_by_then if name in names) == names
    assert list(sent_by_then.values())[:2] == [2, 3]


def test_observing_writes_nothing_and_says_only_what_it_would_write(tmp_path: Path) -> None:
    process, provider = staged(tmp_path, observe=True)
    never = threading.Event()
    for occasion in ("start", "look", "look"):
        process._pass(occasion, never)
    assert not provider.state.rrsets
    assert [write["name"] for line in told(tmp_path, "would_write") for write in line["writes"]].count(WWW) == 1
    assert not told(tmp_path, "outcome")
    assert not told(tmp_path, "intent")
