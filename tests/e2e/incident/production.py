"""Standfast at a Route 53: a planner, three enactors and a cleaner, each the real process, through the same hours.

Held at the provider's door is C's flip itself, the change that points the root at its tree. C is stopped, so that it
learns of nothing, until the provider has answered it.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from e2e.incident.account import HERE, Account, Staged, Voice, account, whole_lines
from e2e.roles import Process, listens
from harness.ports import free_port
from standfast.model.name import rollback_owner, tree_subtree

TITLE: Final = "With Standfast"
ZONE: Final = "us-east-1.amazonaws.com"
NAME: Final = f"dynamodb.{ZONE}"
FIPS: Final = f"dynamodb-fips.{ZONE}"
ADDRESSES: Final = {f"lb-{az}": f"127.0.0.{at}" for at, az in enumerate("abc", 41)}
ACTORS: Final = ("a", "b", "c")
TTLS: Final = (1, 2)
"""By turns: each plan changes every entry."""
AFTERWARDS: Final = 3
LEAST: Final = 5
"""Generations after which a tree is old enough to be collected: root, rollback and two more are kept."""
CLEANINGS_S: Final = 3.0
"""A cleaner that passes every second has passed at least twice."""


class Production:
    """The staged run."""

    def __init__(self, at: Account) -> None:
        self.at, self.zone_id, self.port = at, at.zone(ZONE), free_port()
        self.state, self.file = at.folder / "state", at.folder / "standfast.yaml"
        self.running: dict[str, Process] = {}
        self.plans = 0
        self._write()

    def _write(self) -> None:
        """The configuration; each time one in which every entry differs from the last."""
        some = ", ".join(f"{name}: {{az: {name[3]}, ip: {ip}, port: {self.port}}}" for name, ip in ADDRESSES.items())
        (host, port), client = self.at.service.dns[0], self.at.service.client()
        listed = client.list_resource_record_sets(HostedZoneId=self.zone_id)["ResourceRecordSets"]
        names = next(raw for raw in listed if raw["Type"] == "NS")["ResourceRecords"]
        servers = ", ".join(f"'{one['Value'].rstrip('.')}': '{host}:{port}'" for one in names)
        entry = f"{{ttl: {TTLS[self.plans % 2]}, layout: tree}}"
        keys = {
            "zone": f"{{name: {ZONE}, provider: route53, hosted_zone: {self.zone_id}, "
            f"requests_per_second: 10, burst: 50, look: 1s, secondaries: {{{servers}}}}}",
            "state": str(self.state),
            "health": "{http: /healthz, interval: 1s, timeout: 900ms, fall: 3, rise: 1, warm_up: 0s}",
            "load_balancers": f"{{{some}}}",
            "endpoints": f"{{dynamodb: {entry}, dynamodb-fips: {entry}}}",
            "policy": "{removal: 100% in 10s, adding: 100% in 10s}",
            "retention": "{plans: 1, days: 0}",
        }
        self.file.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()), encoding="ascii")

    # -- processes -----------------------------------------------------------------------------------------------

    def balancers(self) -> None:
        """Load balancers that are well."""
        for name, ip in ADDRESSES.items():
            self.at.start([str(HERE.parent / "balancers.py"), ip, str(self.port)], f"{name}.log", "")
        self.at.until(lambda: all(listens(ip, self.port) for ip in ADDRESSES.values()), "every load balancer is there")

    def role(self, role: str, name: str) -> None:
        """A role of ours, anew."""
        program = ["-m", "standfast"] if role != "enactor" else [str(HERE / "patient_enactor.py")]
        arguments = [*program, "run", "--role", role, "--name", name, "--config", str(self.file), "--quiet"]
        self.running[name] = self.at.start(arguments, f"{role}-{name}.log", name)

    def cleaner(self) -> None:
        """The cleaner, in a hurry."""
        arguments = [str(HERE / "hasty_cleaner.py"), str(self.file)]
        self.running["c1"] = self.at.start(arguments, "cleaner.log", "c1")

    def journal(self, who: str, *events: str) -> list[dict[str, Any]]:
        """What it wrote down."""
        paths = sorted((self.state / "journal").glob("*.jsonl"))
        lines = [line for path in paths for line in whole_lines(path)]
        return [line for line in lines if line.get("who") == who and line.get("event") in events]

    # -- what stands ---------------------------------------------------------------------------------------------

    def raws(self) -> list[dict[str, Any]]:
        """Everything in the zone, by the API."""
        pages = self.at.service.client().get_paginator("list_resource_record_sets").paginate(HostedZoneId=self.zone_id)
        return [raw for page in pages for raw in page["ResourceRecordSets"]]

    def pointed(self, owner: str = NAME) -> int:
        """The since of the tree that an alias points at; 0 if there is none."""
        listed = self.at.service.client().list_resource_record_sets(
            HostedZoneId=self.zone_id, StartRecordName=owner, StartRecordType="A", MaxItems="1"
        )["ResourceRecordSets"]
        found = [raw for raw in listed if raw["Name"] == f"{owner}." and "AliasTarget" in raw]
        return int(found[0]["AliasTarget"]["DNSName"].partition(".")[0]) if found else 0

    def trees(self, owner: str = NAME) -> list[int]:
        """The trees of which anything stands."""
        label, below = owner.removesuffix(f".{ZONE}"), re.escape(tree_subtree(ZONE))
        pattern = re.compile(rf"(?:[^.]+\.)?(\d{{15}})\.{re.escape(label)}\.{below}\.\Z")
        return sorted({int(found[1]) for raw in self.raws() if (found := pattern.match(raw["Name"]))})

    def dangling(self) -> list[str]:
        """Aliases that lead nowhere."""
        raws = self.raws()
        names = {raw["Name"] for raw in raws}
        return [r["Name"] for r in raws if "AliasTarget" in r and r["AliasTarget"]["DNSName"] not in names]

    def plan(self) -> int:
        """The next plan: the file changes, the planner hears of it; the generation in which both roots stand then."""
        before = max(self.pointed(), self.pointed(FIPS))
        self.ask_for_plan()
        return self.stands(before)

    def ask_for_plan(self) -> None:
        """The file changes, and the planner hears of it."""
        self.plans += 1
        self._write()
        self.running["p1"].signal(signal.SIGHUP)

    def stands(self, before: int) -> int:
        """Wait until both roots are beyond that generation; which one."""

        def both() -> int:
            least = min(self.pointed(), self.pointed(FIPS))
            return least if least > before else 0

        return self.at.until(both, f"a plan after g{before} stands")


def production(folder: Path, generations: int, voice: Voice | None = None, afterwards: int = AFTERWARDS) -> Staged:
    """Stage it with at least `LEAST` generations, and so many plans `afterwards`. Raises AssertionError if what is told
    does not happen."""
    assert generations >= LEAST
    with account(folder, NAME, voice or Voice()) as at:
        run = Production(at)
        first, held = _flip_held(run)
        _generations(run, first, generations)
        _let_in(run, first, held)
        newest = _next(run, afterwards)
        asked = at.probed()
        emptied = bool(asked.empty) or any(not step.dug.addresses for step in at.steps)
        wedged = run.pointed() < newest or bool(run.dangling())
        outcome = (
            f"NEVER EMPTY, NEVER WEDGED: none of {asked.queries:,} answers was empty; the provider refused the late "
            "write, and every later plan was carried out"
            if not emptied and not wedged
            else f"FAILED: {asked.empty:,} of {asked.queries:,} answers were empty; at g{run.pointed()} of g{newest}"
        )
        return Staged(TITLE, tuple(at.steps), asked, emptied, wedged, outcome)


def _flip_held(run: Production) -> tuple[int, Mapping[str, Any]]:
    at = run.at
    at.voice.note("a planner, three enactors and a cleaner start")
    run.balancers()
    run.role("planner", "p1")
    for actor in ACTORS:
        run.role("enactor", actor)
    before = run.stands(0)
    at.until(lambda: all(run.journal(actor, "notice") for actor in ACTORS), "all three hold the plan")
    run.cleaner()
    at.probe()
    for actor in "ab":
        run.running[actor].freeze()
    at.hold("c", f"<Name>{NAME}")
    run.ask_for_plan()
    held = at.wait_held("c")
    run.running["c"].freeze()
    for actor in "ab":
        run.running[actor].go_on()
    first = run.stands(before)
    at.tell(
        "held",
        "enactor C",
        f"takes plan g{first}, builds and verifies its tree, and flips; that flip waits at the provider's door. "
        f"A and B carry g{first} out",
    )
    return first, held


def _generations(run: Production, first: int, generations: int) -> None:
    at, last = run.at, first
    for number in range(1, generations):
        at.voice.note(f"plan {number} of {generations - 1}, g{last + 1}")
        last = run.plan()
    at.tell(
        "pass", "planner", f"plans g{first + 1}–g{last} are carried out by A and B; C's flip of g{first} still waits"
    )
    at.until(lambda: first not in run.trees(), f"the tree of g{first} is collected")
    at.tell(
        "old",
        "cleaner",
        f"deletes the tree of g{first}, and others below every marker's since; each batch asserts the markers, root "
        "and rollback under which it judged",
    )


def _let_in(run: Production, first: int, held: Mapping[str, Any]) -> None:
    at = run.at
    refused, root = at.refusals(), run.pointed()
    at.let_in(held)
    at.until(lambda: at.refusals() > refused, "the held flip is refused")
    run.running["c"].go_on()
    outcome = at.until(lambda: _outcome(run, first, held), "C writes down what came of it") or {}
    assert outcome["result"] == "conflict", outcome
    assert run.pointed() >= root
    at.tell(
        "late",
        "enactor C",
        f"its flip to g{first} is let in; the provider refuses the whole batch",
        refused=f"InvalidChangeBatch; in C's journal: {outcome['result']}: {outcome['why']}",
    )
    time.sleep(CLEANINGS_S)
    assert not run.dangling(), run.dangling()
    kept = sorted({run.pointed(), run.pointed(rollback_owner(NAME, ZONE))})
    at.tell(
        "clean",
        "cleaner",
        f"passes again, and again: {' and '.join(f'g{one}' for one in kept)}, which root and rollback refer to, stand",
    )


def _outcome(run: Production, first: int, held: Mapping[str, Any]) -> dict[str, Any] | None:
    """What C wrote down of the very bytes that were held: they carry the nonce. That its tree was built is older."""
    some = [one for one in run.journal("c", "outcome") if (one["name"], one["since"]) == (NAME, first)]
    some = [one for one in some if one["result"] != "built"]
    return next((one for one in some if one.get("nonce") and one["nonce"] in held["body"]), None)


def _next(run: Production, afterwards: int) -> int:
    at = run.at
    newest = run.plan()
    at.tell("next", "enactors", f"carry out plan g{newest}; C as well has forgotten g{newest - 1} and older")
    for actor in ACTORS:
        run.running[actor].kill()
    for actor in ACTORS:
        run.role("enactor", actor)
    since = newest + 1
    for _ in range(afterwards):
        newest = run.plan()
    at.tell("after", "enactors", f"are killed and started again; {_plans(since, newest)} carried out")
    return newest


def _plans(first: int, last: int) -> str:
    return f"plan g{first} is" if first == last else f"plans g{first}–g{last} are"
