"""The cleaner as a process over the specifications of store and provider."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runtime.staging import ZONE, Shared, eventually
from standfast import config as configuration
from standfast.adapters.providers.memory import MemoryProvider
from standfast.config import Config
from standfast.model.entry import Entry
from standfast.model.marker import Marker, marker_rdata
from standfast.model.name import marker_owner
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRset, RRType, address_rdata
from standfast.model.shards import Shards
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import Publish, Published
from standfast.runtime import cleaning
from standfast.runtime.cleaning import CleanerProcess
from standfast.runtime.journal import Journal
from standfast.runtime.journal_files import read_journal
from standfast.runtime.presence import Presence, read_presence

NAME = f"www.{ZONE}"


def config(folder: Path) -> Config:
    text = f"""
zone: {{name: {ZONE}, provider: embedded, server: 127.0.0.1}}
load_balancers: {{lb-1: {{az: a, ip: [192.0.2.1]}}}}
health: none
endpoints: {{www: {{}}}}
retention: {{plans: 2, days: 0}}
"""
    made, problems, _ = configuration.check(text, str(folder / "standfast.yaml"))
    assert made is not None, problems
    return made


def plan(generation: int) -> Plan:
    """A plan in which the address changes in every generation."""
    rrset = RRset.of(RRType.A, 60, (address_rdata(f"192.0.2.{generation}"),))
    shards = Shards.of([Entry(ZONE, NAME, generation, rrsets=(rrset,), min_answers=((1, 1),))])
    return Plan(PlanRecord("main", generation, shards.digest, (ZONE,), (), "tests", "", 0.0), shards)


def published(shared: Shared, last: int) -> None:
    head = None
    for generation in range(1, last + 1):
        one = plan(generation)
        assert isinstance(shared.perform(Publish(head, one)), Published)
        head = one.head


def marked(zone: MemoryProvider, since: int) -> None:
    owner = marker_owner(NAME, ZONE)
    marker = Marker("main", since, since, plan(since).digest, "live", "tests", "0" * 16)
    rrset = RRset.of(RRType.TXT, 60, (marker_rdata(marker, ZONE, owner),))
    zone.state = ZoneState(ZONE, {(owner, int(RRType.TXT)): rrset})


def generations(shared: Shared) -> list[int]:
    return [one.generation for one in shared.state.plans]


def test_collects_what_lies_below_every_marker_and_tells_reasons_once(tmp_path: Path) -> None:
    shared, zone = Shared(), MemoryProvider(ZONE)
    events: list[tuple[str, Mapping[str, Any]]] = []
    journal = Journal(tmp_path, "cleaner", "ops1")
    cleaner = CleanerProcess(
        "ops1",
        config(tmp_path),
        shared.seat(),
        {ZONE: zone},
        journal,
        tell=lambda event, facts: events.append((event, facts)),
    )
    assert cleaner.sweep().why == "nothing was ever published"
    published(shared, 9)
    assert cleaner.sweep().why == f"{NAME} has no marker of this stream that can be read"
    assert cleaner.sweep().why == f"{NAME} has no marker of this stream that can be read"
    marked(zone, 4)
    assert cleaner.sweep().collected == (1, 2, 3)
    assert generations(shared) == [4, 5, 6, 7, 8, 9]
    cleaner.sweep()
    cleaner.sweep()
    marked(zone, 9)
    assert cleaner.sweep().collected == (4, 5, 6, 7)
    assert generations(shared) == [8, 9], "retention keeps two"
    shared.away = True
    assert "can't be read" in cleaner.sweep().why
    told = [list(facts["generations"]) or facts["why"] for _, facts in events]
    assert told == [
        "nothing was ever published",
        f"{NAME} has no marker of this stream that can be read",
        [1, 2, 3],
        "nothing below generation 4 is outside the retention",
        [4, 5, 6, 7],
        "the store can't be read: the disk is on fire",
    ]


def test_without_access_to_a_zone_nothing_is_collected(tmp_path: Path) -> None:
    shared = Shared()
    published(shared, 5)
    cleaner = CleanerProcess("ops1", config(tmp_path), shared.seat(), {}, Journal(tmp_path, "cleaner", "ops1"))
    assert "no access to zone" in cleaner.sweep().why
    assert generations(shared) == [1, 2, 3, 4, 5]


def test_runs_until_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, however long it would have waited for its next pass."""
    shared, zone = Shared(), MemoryProvider(ZONE)
    published(shared, 5)
    cleaner = CleanerProcess(
        "ops1",
        config(tmp_path),
        shared.seat(),
        {ZONE: zone},
        Journal(tmp_path, "cleaner", "ops1"),
        Presence(tmp_path, "cleaner", "ops1"),
        every_s=0.02,
    )
    stop = threading.Event()
    thread = threading.Thread(target=cleaner.run, args=(stop,))
    thread.start()
    eventually(lambda: read_presence(tmp_path), "a beat")
    marked(zone, 5)
    eventually(lambda: generations(shared) == [4, 5], "a collection")
    monkeypatch.setattr(cleaning, "BEAT_S", 3_600.0)
    cleaner._every_s = 3_600.0
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    events = [line["event"] for line in read_journal(tmp_path)]
    assert (events[0], events[-1]) == ("started", "stopped")
