"""An enactor's loop comes round, however long its backlog: it tells that it lives, looks, and hears of suspects."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runtime.staging import eventually
from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.adapters.stores.memory import MemoryStore
from standfast.model.rrset import RRType
from standfast.ports.provider import Refused, Replace, Unknown
from standfast.ports.store import Publish
from standfast.runtime.enacting import EnactorProcess
from standfast.runtime.journal import Journal
from standfast.runtime.presence import Presence, read_presence
from world.invented import STREAM, ZONE, entry, plan_of

NAMES = [f"edge-{number}.{ZONE}" for number in range(1_500)]


class Slow(MemoryProvider):
    """A server that takes its time for a change, refuses it, or gives no answer; it counts."""

    sent = 0
    takes_s = 0.0
    instead: object = None

    def perform(self, request: Any) -> Any:
        if not isinstance(request, Replace):
            return super().perform(request)
        self.sent += 1
        time.sleep(self.takes_s)
        return self.instead or super().perform(request)


def made(folder: Path, **fields: float) -> tuple[EnactorProcess, Slow]:
    for name in ("journal", "presence"):
        (folder / name).mkdir()
    store, provider = MemoryStore(), Slow(ZONE, {})
    store.perform(Publish(None, plan_of(1, [entry(name, 1, "192.0.2.1") for name in NAMES])))
    journal, presence = Journal(folder / "journal", "enactor", "a"), Presence(folder / "presence", "enactor", "a")
    copy = DiskCopy(folder / "copy.sqlite")
    process = EnactorProcess("a", STREAM, store, {ZONE: provider}, copy, journal, presence=presence, **fields)  # type: ignore[arg-type]
    return process, provider


def written(provider: MemoryProvider) -> int:
    return sum((name, int(RRType.A)) in provider.state.rrsets for name in NAMES)


def test_a_pass_ends_in_time_and_the_rest_goes_on(tmp_path: Path) -> None:
    process, provider = made(tmp_path)
    process._turns._catch_up._turn_s = 0.2
    process.core = replace(process.core, batch_octets=6_000)
    provider.takes_s = 0.03
    never, began = threading.Event(), time.monotonic()
    process._pass("start", never)
    assert written(provider) < len(NAMES)
    process._beat()
    (shown,) = read_presence(tmp_path / "presence")
    assert shown.facts["waiting"] > 0
    passes = 1
    while not process.core.agenda.empty:
        process._pass("news", never)
        passes += 1
    assert written(provider) == len(NAMES)
    assert passes >= 3
    assert process.core.plan is not None
    assert time.monotonic() - began < 150


def test_of_a_backlog_people_are_told_how_long_it_takes(tmp_path: Path) -> None:
    process, provider = made(tmp_path)
    provider.instead = Unknown("no answer")
    process._pass("start", threading.Event())
    process._beat()
    (shown,) = read_presence(tmp_path / "presence")
    (waiting, pace) = shown.facts["backlog"][ZONE]
    assert waiting > 1_000
    assert pace > 0


@pytest.mark.parametrize("reply", [Unknown("throttled"), Refused("SERVFAIL")])
def test_a_server_that_can_not_cope_is_not_pressed(tmp_path: Path, reply: object) -> None:
    process, provider = made(tmp_path, look_s=0.5)
    provider.instead = reply
    stop = threading.Event()
    running = threading.Thread(target=process.run, args=(stop,))
    running.start()
    began = time.monotonic()
    time.sleep(3.0)
    sent, took_s = provider.sent, time.monotonic() - began
    assert sent <= 40 * took_s / 3.0, f"{sent} changes in {took_s:.1f} s"
    provider.instead = None
    try:
        eventually(lambda: written(provider) == len(NAMES), "and when it can again, all is written", 120.0)
    finally:
        stop.set()
        running.join()
