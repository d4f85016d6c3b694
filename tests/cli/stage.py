"""A stage for commands: a configuration, a real plan store with planned generations, processes that have been seen."""

from __future__ import annotations

import copy
import io
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from harness.dnsserver import DnsServer
from harness.planning import EMPTY
from harness.ports import free_port
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.cli import main
from standfast.config import Config, load
from standfast.core.decisions import PlanContext
from standfast.core.decisions import Presence as Standing
from standfast.core.planner import draft
from standfast.model.entry import Key
from standfast.model.fleet import Fleet, Verdict
from standfast.model.override import Override
from standfast.model.plan import Plan
from standfast.ports.store import (
    CollectPlans,
    HeadRead,
    PlanRead,
    Publish,
    Published,
    PutSource,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceRead,
)
from standfast.recovery.override import consented, overlaid
from standfast.runtime import zonesight
from standfast.runtime.enacting import EnactorProcess
from standfast.runtime.journal import Journal
from standfast.runtime.journal_files import read_journal
from standfast.runtime.observing import declared_fleet
from standfast.runtime.overriding import OVERRIDES, overrides_in
from standfast.runtime.place import Place, load_balancer_of, policy_of
from standfast.runtime.presence import Presence
from standfast.runtime.sharing import Judged, SharedFleet, SharedHealth, encode

UP = Verdict("up", "6 checks passed")
DOWN = Verdict("down", "failed 3 checks in a row: connection refused")
ZONE = "lb.example.com"
LOAD_BALANCERS = """\
  lb-a1: {az: a, ip: [192.0.2.11, "2001:db8:a::11"]}
  lb-b1: {az: b, ip: [192.0.2.21, "2001:db8:b::21"]}
  lb-c1: {az: c, ip: [192.0.2.31, "2001:db8:c::31"]}
  lb-c2: {az: c, ip: [192.0.2.32, "2001:db8:c::32"]}
"""
ENDPOINTS = "  www: {}\n  api: {azs: [a, b], ttl: 30}\n"
CLOCK = r"(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d"
"""A moment as people are told it: with the date in front if that is another day, as half an hour from 23:45 on is."""
ANSWERS_S = 30.0
"""A server that stands still for a while on a busy machine is not one that is away."""


class Said(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Taking(Presence):
    """Beats of several threads of this process take turns: two at once would write one draft."""

    _turn = threading.Lock()

    def beat(self, **facts: Any) -> None:
        with self._turn:
            super().beat(**facts)


class Stage:
    """One stream in a folder. Without a server, its zone's primary refuses connections."""

    def __init__(
        self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch, server: DnsServer | None
    ) -> None:
        self.folder, self._capture, self._patch = folder, capture, patch
        patch.setattr(zonesight.reader, "__defaults__", (ANSWERS_S,))
        patch.setattr(zonesight, "SECONDARY_TIMEOUT_S", ANSWERS_S)
        self.port = server.port if server else free_port()
        key = server.key_file if server else folder / "zone.key"
        if not server:
            key.write_text("hmac-sha256:stage:" + "QUFB" * 11)
            key.chmod(0o600)
        self.tsig = key
        self.now = time.time() - 100.0
        self.consents: Mapping[str, str] = {}
        self.present: Mapping[Key, Standing] = {}
        self.configure()
        self.place = Place(self.config)
        self.place.prepare()
        self.store = SqliteStore(self.config.store_file)
        self.revision = 0
        self._alive: dict[str, Mapping[str, Any]] = {}

    def configure(self, load_balancers: str = LOAD_BALANCERS, endpoints: str = ENDPOINTS) -> None:
        """Write standfast.yaml and read it."""
        self.file = self.folder / "standfast.yaml"
        self.file.write_text(
            f"zone: {{name: {ZONE}, provider: rfc2136, server: 127.0.0.1:{self.port}, tsig: 'file:{self.tsig}'}}\n"
            f"health: {{http: /healthz}}\nload_balancers:\n{load_balancers}endpoints:\n{endpoints}"
        )
        self.config: Config = load(self.file)

    @property
    def fleet(self) -> Fleet:
        """As configured now."""
        fleet = declared_fleet(self.config)
        assert fleet is not None
        return fleet

    @property
    def plan(self) -> Plan | None:
        """The head's."""
        head = self.store.perform(ReadHead())
        assert isinstance(head, HeadRead)
        if head.head is None:
            return None
        read = self.store.perform(ReadPlan(head.head.digest))
        assert isinstance(read, PlanRead)
        return read.plan

    def publish(self, after_s: float = 10.0, **verdicts: Verdict) -> Plan:
        """Plan as the planner would, everybody up but lb_b1=DOWN and so on, and publish; share health and fleet."""
        self.now += after_s
        self.share(**verdicts)
        fleet, previous = self.fleet, self.plan
        policies = tuple(policy_of(one) for one in self.config.endpoints)
        generation = previous.generation + 1 if previous else 1
        present = {**{one.key: EMPTY for one in policies}, **self.present}
        context = PlanContext("main", (ZONE,), generation, "ops1", present=present, consents=self.consents)
        seen = {one.id: verdicts.get(one.id.replace("-", "_"), UP) for one in fleet.load_balancers}
        revision, overrides = self.overrides
        fleet, health = overlaid(fleet, seen, overrides, time.time())
        context = replace(
            context, consented=consented(fleet, overrides, time.time()), sources=(("overrides", revision),)
        )
        drawn = draft(fleet, health, policies, previous, self.now, context)
        assert drawn.plan is not None, drawn
        assert isinstance(self.store.perform(Publish(previous.head if previous else None, drawn.plan)), Published)
        return drawn.plan

    @property
    def overrides(self) -> tuple[int, tuple[Override, ...]]:
        """What operators said, with its revision."""
        read = self.store.perform(ReadSource(OVERRIDES))
        assert isinstance(read, SourceRead)
        known = overrides_in(read.body)
        assert isinstance(known, tuple)
        return read.revision, known

    @contextmanager
    def obeying(self, **verdicts: Verdict) -> Iterator[None]:
        """A planner, as far as overrides go: each time they change a plan is published, if it would differ."""
        stop, known = threading.Event(), self.overrides[0]
        other = copy.copy(self)

        def work(known: int) -> None:
            other.store = SqliteStore(self.config.store_file)
            try:
                while not stop.wait(0.02):
                    other.beat("planner")
                    if other.overrides[0] != known:
                        known = other.overrides[0]
                        with suppress(AssertionError):
                            other.publish(0.1, **verdicts)
            finally:
                other.store.close()

        thread = threading.Thread(target=work, args=(known,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def share(self, **verdicts: Verdict) -> None:
        """Put fleet and health as a planner does."""
        self.revision += 1
        found = {one.id: verdicts.get(one.id.replace("-", "_"), UP) for one in self.fleet.load_balancers}
        judged = {name: Judged(one.state, one.reason, self.now) for name, one in found.items()}
        self.store.perform(PutSource("health", self.revision, encode(SharedHealth("ops1", "i", judged))))
        shared = SharedFleet("ops1", self.config.load_balancers)
        self.store.perform(PutSource("fleet", self.revision, encode(shared)))
        assert [load_balancer_of(one) for one in shared.load_balancers] == list(self.fleet.load_balancers)

    def collect(self, *generations: int) -> None:
        """As the cleaner does."""
        self.store.perform(CollectPlans(generations))
        journal = Journal(self.place.journal, "cleaner", "ops1")
        journal.write("collected", generations=list(generations))
        journal.close()

    def beat(self, role: str, **facts: Any) -> None:
        """A process of that role, this very one, is alive now."""
        self._alive[role] = facts
        _Taking(self.place.presence, role, "a").beat(**facts)

    def everybody(self) -> None:
        """All roles are at work."""
        for role in ("planner", "enactor", "cleaner"):
            self.beat(role)

    def run(self, *arguments: str, typed: str | None = None) -> Said:
        """A command by way of `main`; with `typed` on a terminal, where that is typed."""
        self._patch.setattr(sys, "stdin", _Terminal(typed + "\n") if typed is not None else io.StringIO())
        self._patch.setattr(sys, "argv", ["standfast", *arguments, "--config", str(self.file)])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capture.readouterr()
        assert "Traceback" not in said.err + said.out
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, said.out, said.err)

    def journalled(self, event: str) -> list[Mapping[str, Any]]:
        """Those events."""
        return list(read_journal(self.place.journal, events=(event,)))

    @contextmanager
    def enactor(self) -> Iterator[None]:
        """A real one, in a thread, with its presence."""
        stop = threading.Event()

        def work() -> None:
            zone = self.config.zones[0]
            store, provider, copy = self.place.open_store(), self.place.open_provider(zone), self.place.open_copy("a")
            journal = Journal(self.place.journal, "enactor", "a")
            presence = _Taking(self.place.presence, "enactor", "a")
            try:
                EnactorProcess(
                    "a", "main", store, {zone.name: provider}, copy, journal, presence=presence, look_s=0.2
                ).run(stop)
            finally:
                store.close()
                provider.close()
                copy.close()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def settled(self, patience_s: float = 60.0) -> None:
        """Wait until every endpoint is in step; whoever was alive still is, but an enactor, which speaks for itself."""
        end = time.monotonic() + patience_s
        while (code := self.run("status").code) == 2:
            assert time.monotonic() < end, "the zone does not follow"
            for role in self._alive.keys() - {"enactor"}:
                self.beat(role, **self._alive[role])
            time.sleep(0.05)
        assert code in (0, 3)
