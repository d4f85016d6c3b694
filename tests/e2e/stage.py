"""The stage of an end-to-end test: a real DNS server, a state directory, roles as processes, a prober, and hands.

Everything started here is stopped by `close`, each by its own process id. `finish` asks the prober for its verdict.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.exception

from e2e.plans import TYPES, Contents, Plans, histories, values_of
from e2e.prober import QUERIES_MORE, RATE_MIN, Damage, Question, Seen, Verdict, judge, read_answers
from e2e.roles import Process, until
from harness.dnsserver import DnsServer
from harness.holdups import PATIENCE_S, HoldUps
from harness.ports import HOST
from harness.zonetools import nsupdate, query
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.audit.judge import Report, audit
from standfast.config import load
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.plan import Plan
from standfast.runtime.journal_files import read_journal

LOOK_S = 0.3
DETECTION_S = LOOK_S + 1.0
"""Maximum detection time at servers that have a serial: one look, and a second for healing and reading. (Without a
serial that moves, the audit's interval.)"""
HERE = Path(__file__).parent
Record = Mapping[str, str]


class Stage:
    """One zone at one server, and everything that works on it."""

    def __init__(self, server: DnsServer, folder: Path, seed: int, store_file: Path | None = None) -> None:
        self.server, self.folder, self.seed = server, folder, seed
        self.zone = server.zone
        self.www, self.api = f"www.{self.zone}", f"api.{self.zone}"
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        self.store_file = store_file or self.state / "store.sqlite"
        self.processes: list[Process] = []
        self.damages: list[Damage] = []
        self.sights: list[Seen] = []
        self.questions: tuple[Question, ...] = ()
        self._stores: list[SqliteStore] = []
        self._prober: Process | None = None
        self._asking: HoldUps | None = None
        self._begins_empty: list[Question] = []
        self.plans = Plans(self.open_store(self.store_file), self.zone)
        self.streams = [self.plans]
        self.guilty_of: set[str] = set()
        """The guarantees that the audit at the end must find violated: none but by those who write carelessly."""
        self.unjournalled = False
        """Whether somebody wrote without a journal, as a refill may: then the chains have holes."""

    # Life

    def open_store(self, path: Path) -> SqliteStore:
        """A connection to a plan store, closed at the end."""
        self._stores.append(SqliteStore(path))
        return self._stores[-1]

    def close(self) -> None:
        """Stop everything, whatever state it is in."""
        self.stop()
        for store in self._stores:
            store.close()

    def stop(self) -> None:
        """Kill every process that lives."""
        for process in reversed(self.processes):
            if process.code is None:
                process.kill()

    def audit(self) -> Report:
        """What the journals of all processes say, with the markers that stand now. Nothing may be running."""
        owners = {(plans.stream, marker_owner(name, self.zone)) for plans in self.streams for name in plans.entries}
        standing = {place: record["x"] for place in owners if (record := self.record(place[1])) is not None}
        return audit([self.state / "journal"], standing)

    def started(self, process: Process) -> Process:
        """Remember a process, so that it is stopped."""
        self.processes.append(process)
        return process

    # Roles

    def config(self, name: str, **changes: object) -> Path:
        """A configuration file; `changes` replace or add top-level keys; `server_port`, `stream` for short."""
        port = changes.pop("server_port", self.server.port)
        zone = f"{{name: {self.zone}, provider: rfc2136, server: '{HOST}:{port}', tsig: 'file:{self.server.key.file}'"
        keys: dict[str, object] = {
            "zone": f"{zone}, look: {int(LOOK_S * 1000)}ms}}",
            "state": self.state,
            "store": f"'sqlite:{self.store_file}'",
            "health": "none",
            "load_balancers": "{lb-1: {az: a, ip: [192.0.2.1, '2001:db8::1']}, lb-2: {az: b, ip: [192.0.2.2]}}",
            "endpoints": "{www: {}, api: {}}",
            "retention": "{plans: 1, days: 0}",
            **changes,
        }
        path = self.folder / f"{name}.yaml"
        path.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()), encoding="ascii")
        assert load(path).zones[0].look_seconds == LOOK_S
        return path

    def role(
        self,
        role: str,
        name: str,
        config: Path | None = None,
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = ("-m", "standfast"),
    ) -> Process:
        """Start `standfast run --role …`."""
        path = config or self.config("standfast")
        arguments = [*program, "run", "--role", role, "--name", name, "--config", str(path), "--quiet"]
        return self.started(Process(arguments, self.folder / f"{role}-{name}.log", environment))

    def enactor(self, name: str, config: Path | None = None, *, patient: bool = False) -> Process:
        """Start an enactor and wait until it works. `patient`: it waits for the server's answer without end."""
        begun = len(self.journal(name, "started"))
        program = (str(HERE / "patient_enactor.py"),) if patient else ("-m", "standfast")
        process = self.role("enactor", name, config, program=program)
        until(lambda: len(self.journal(name, "started")) > begun, f"enactor {name} starts")
        return process

    def careless(self, name: str, config: Path) -> Process:
        """Start an enactor that leaves the prerequisites out of every change."""
        arguments = [str(HERE / "careless_enactor.py"), str(config), name]
        process = self.started(Process(arguments, self.folder / f"enactor-{name}.log"))
        until(lambda: self.journal(name, "started"), f"careless enactor {name} starts")
        return process

    def clean(self, name: str = "c") -> list[int]:
        """Run a cleaner for one pass; the generations it collected."""
        before = len(self.journal(name, "collected"))
        cleaner = self.role("cleaner", name)
        passes = until(lambda: self.journal(name, "collected")[before:], "the cleaner's pass")
        cleaner.terminate()
        assert not passes[0].get("why"), passes
        return [int(one) for one in passes[0]["generations"]]

    def journal(self, who: str, event: str, **wanted: object) -> list[Mapping[str, Any]]:
        """The lines of one process with these facts, as written."""
        lines = read_journal(self.state / "journal", events=(event,))
        return [one for one in lines if one["who"] == who and all(one.get(k) == v for k, v in wanted.items())]

    # Plans

    def publish(self, **contents: Contents) -> Plan:
        """Publish the next plan: contents by first label."""
        return self.plans.publish({f"{label}.{self.zone}": texts for label, texts in contents.items()})

    def publish_and_wait(self, **contents: Contents) -> Plan:
        """Publish, and wait until every endpoint that changed stands."""
        plan = self.publish(**contents)
        for label in contents:
            self.await_entry(f"{label}.{self.zone}", plan)
        return plan

    def await_entry(self, name: str, plan: Plan | None = None, within_s: float = PATIENCE_S) -> None:
        """Wait until the endpoint's marker and addresses are those of the plan, the newest by default."""
        wanted = plan or self.plans.published[-1]
        self.hold_ups().within(
            lambda: self.stands(name, wanted), within_s, f"{name} stands as g{wanted.generation} has it"
        )
        entry = wanted.entry((self.zone, name))
        self.sights.append(Seen(time.monotonic(), name, entry.since if entry else 0))

    def await_head(self, within_s: float = PATIENCE_S) -> None:
        """Wait until floor and all endpoints are as the newest plan has them."""
        for name, entry in self.plans.entries.items():
            self.await_entry(name, within_s=within_s)
            assert entry.since <= self.plans.generation
        self.hold_ups().within(lambda: self.floor() is not None, within_s, "the floor stands")

    def hold_ups(self) -> HoldUps:
        """What the machine takes from now on from the server and all who work here."""
        return HoldUps([self.server.pid, *(process.pid for process in self.processes if process.code is None)])

    def stands(self, name: str, plan: Plan) -> bool:
        """Whether marker and addresses are those of the plan, now."""
        entry, marker = plan.entry((self.zone, name)), self.marker(name)
        assert entry is not None
        if marker is None or int(marker["n"]) != entry.since:
            return False
        if entry.kind == "first":
            return True
        return all(self.ask(name, rtype) == values_of(entry, rtype) for rtype in TYPES) and not self.ask(name, "CNAME")

    # The zone

    def ask(self, name: str, rtype: str) -> frozenset[str]:
        """What the server says, asked by the test itself."""
        try:
            return query(self.server, name, rtype)[1]
        except (OSError, dns.exception.DNSException):
            return frozenset({"no answer"})

    def record(self, owner: str) -> Record | None:
        """The fields of a marker or floor; None if there is none, or not one alone."""
        values = self.ask(owner, "TXT")
        parts = [part.partition("=") for value in values for part in value.strip('"').split(" ")]
        fields = {key: value for key, _, value in parts}
        return fields if len(values) == 1 and {"k", "s", "g", "x", "c"} <= fields.keys() else None

    def marker(self, name: str, zone: str = "") -> Record | None:
        """What the endpoint's marker says."""
        return self.record(marker_owner(name, zone or self.zone))

    def floor(self, stream: str = "main") -> Record | None:
        """What the stream's floor says."""
        return self.record(floor_owner(stream, self.zone))

    @property
    def first(self) -> str:
        """The name of the zone's synthetic first entry."""
        return first_name("main", self.zone)

    # The prober

    def probe(self, *questions: Question) -> None:
        """Ask from now on, for both types of www and A of api by default. What isn't there yet may begin to be."""
        usual = ((self.www, "A"), (self.www, "AAAA"), (self.api, "A"))
        self.questions = questions or usual
        self._begins_empty = [question for question in self.questions if not self.ask(*question)]
        out = self.folder / "answers.txt"
        arguments = [str(HERE / "prober.py"), "--server", f"{self.server.host}:{self.server.port}", "--out", str(out)]
        arguments += [f"{name}/{rtype}" for name, rtype in self.questions]
        self._prober = self.started(Process(arguments, self.folder / "prober.log"))
        self._asking = HoldUps([self._prober.pid, self.server.pid])
        until(lambda: out.exists() and out.stat().st_size > 0, "the prober asks")

    def asked_on(self) -> None:
        """Wait for a few answers more. A question to a server that was just ending is given up after a quarter of a
        second only, in which all may be over that was to be looked at."""
        out = self.folder / "answers.txt"
        before = out.stat().st_size
        until(lambda: out.read_bytes()[before:].count(b"\n") >= QUERIES_MORE, "the prober goes on asking")

    def finish(self, plans: list[Plan] | None = None) -> Verdict:
        """Stop asking; the verdict."""
        assert self._prober is not None
        self.asked_on()
        lost_s = self._asking.lost_s if self._asking is not None else 0.0
        code = self._prober.terminate()
        assert code == 0, self._prober.log.read_text(encoding="utf-8")
        answers = list(read_answers(self.folder / "answers.txt", self.questions))
        published = self.plans.published if plans is None else plans
        contents = histories(published, self.questions, self.zone)
        for question in self._begins_empty:
            contents[question] = [(0, frozenset()), *contents[question]]
        verdict = judge(answers, contents, self.damages, self.sights)
        wanted = RATE_MIN * (verdict.seconds - lost_s)
        assert verdict.queries >= wanted, (
            f"the prober asked only {verdict.rate:.0f} times a second ({lost_s:.1f} s lost)"
        )
        return verdict

    def assert_nothing_bad(self, plans: list[Plan] | None = None) -> Verdict:
        """Stop asking; no answer was bad."""
        verdict = self.finish(plans)
        assert not verdict.bad, "\n".join(verdict.bad)
        return verdict

    # Hands

    def hand(self, *lines: str) -> None:
        """The real `nsupdate` does this; it must succeed."""
        done = nsupdate(self.server, lines)
        assert done.rcode == "NOERROR", done.output

    @contextmanager
    def damaged(self, name: str) -> Iterator[None]:
        """Between here and the end of the block the name may answer anything; the block waits for healing."""
        began = time.monotonic()
        yield
        self.damages.append(Damage(name, began, time.monotonic()))

    def heals(self, name: str, lines: Iterable[str], within_s: float = DETECTION_S) -> float:
        """Damage by hand, and wait until everything stands again, marker, floor and addresses; the time it took,
        without what the machine took itself."""
        before = len(self.damages)
        with self.damaged(name):
            self.hand(*lines)
            hold_ups = self.hold_ups()
            self.await_entry(name)
            until(lambda: self.floor() is not None, "the floor stands again")
            self.await_entry(self.first)
            hold_ups.check(within_s, f"{name} is healed")
            took = hold_ups.passed_s - hold_ups.lost_s
        assert len(self.damages) == before + 1
        return took

    # Reports

    def report(self) -> str:
        """The tail of every journal and log, for a test that failed."""
        parts = []
        for path in sorted([*self.state.glob("journal/*.jsonl"), *self.folder.glob("*.log")]):
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else "(not a file)"
            if text:
                parts.append(f"--- {path.name}\n" + "\n".join(text.splitlines()[-12:]))
        return "\n".join(parts)
