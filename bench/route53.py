"""`python -m bench.route53`: calls of Route 53's API, ours and octoDNS's, for the same change at the same stand-in.

25,000 endpoints of 8 addresses; one load balancer fails that 250 of them have; then nothing happens for five minutes.
Counted, not timed: what a call costs is AWS's to say, how many are made is ours. Enactors are processes as
`standfast run` starts them.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.stage import stopped
from harness.route53 import Route53, running
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model.entry import Entry, Member
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRType, addresses
from standfast.model.shards import Shards
from standfast.ports.store import Publish, Published

OURS: Final = "ours.example"
THEIRS: Final = "theirs.example"
ADDRESSES: Final = 8
RATE: Final = 4
"""Requests a second: as many as a busy machine makes, so that the patrols of one and of three are held to the same."""
SETTLE_S: Final = 20.0
"""So long after the change calls are still counted, the patrol's too."""
REST_S: Final = 300.0
"""So long nothing changes, and calls are counted: the patrols' alone, if all is well."""
BATCHES_GOAL: Final = 1.1
ENACTORS_GOAL: Final = 1.3
ELEMENTS_MAX: Final = 1_000


class Counted(Struct, frozen=True):
    """Calls of one change, from its publication until `SETTLE_S` after it was live. `patrol` are those that look after
    the zone whatever happens, `least` is how few batches hold the change. `rest` are all calls of a time in which
    nothing changes, `idle` those of them that are not the patrol's."""

    who: str
    enactors: int
    batches: int
    reads: int
    patrol: int
    other: int
    least: int
    rest: int = 0
    idle: int = 0

    @property
    def of_the_change(self) -> int:
        """Without the patrol's."""
        return self.batches + self.reads + self.other

    @property
    def all(self) -> int:
        """With the patrol's."""
        return self.of_the_change + self.patrol


class Fleet:
    """Endpoints in groups: those of a group have eight load balancers in common, `touched` endpoints a group."""

    def __init__(self, endpoints: int, touched: int) -> None:
        self.endpoints, self.touched = endpoints, touched
        self.groups = max(1, endpoints // touched)

    def name(self, number: int, zone: str) -> str:
        """The owner name of an endpoint."""
        return f"edge-{number:06d}.{zone}"

    def of_group(self, group: int) -> list[int]:
        """Its endpoints, scattered over the zone."""
        return list(range(group, self.groups * self.touched, self.groups))

    def addresses(self, number: int, dead: int | None) -> list[str]:
        """What an endpoint has; `dead` is the place of the load balancer that failed."""
        group = number % self.groups
        return [f"10.{group >> 8}.{group & 255}.{place + 1}" for place in range(ADDRESSES) if place != dead]

    def entry(self, number: int, since: int, dead: int | None = None) -> Entry:
        """As a planner writes it."""
        there = self.addresses(number, None)
        members = tuple(
            Member(
                f"lb-{number % self.groups}-{place}", (address,), 1, place != dead, "up" if place != dead else "down"
            )
            for place, address in enumerate(there)
        )
        rrsets = addresses(60, self.addresses(number, dead))
        least = ((int(RRType.A), 2),)
        return Entry(OURS, self.name(number, OURS), since, rrsets=rrsets, min_answers=least, members=members)


class Plans:
    """Published one after the other."""

    def __init__(self, path: Path, fleet: Fleet) -> None:
        self._store, self.fleet = SqliteStore(path), fleet
        first = Entry(OURS, first_name("main", OURS), 1, kind="first")
        self._shards = Shards.of([first, *(fleet.entry(number, 1) for number in range(fleet.endpoints))])
        self.head: Plan | None = None

    def publish(self, numbers: list[int] | None = None, dead: int | None = None) -> Plan:
        """The first plan; or one in which these endpoints are without a load balancer."""
        generation = self.head.generation + 1 if self.head else 1
        self._shards = self._shards.updated(self.fleet.entry(number, generation, dead) for number in numbers or ())
        record = PlanRecord("main", generation, self._shards.digest, (OURS,), (), "bench", "", time.time())
        plan = Plan(record, self._shards)
        reply = self._store.perform(Publish(self.head.head if self.head else None, plan))
        if not isinstance(reply, Published):
            raise RuntimeError(f"not published: {reply}")
        self.head = plan
        return plan

    def close(self) -> None:
        """Let the store go."""
        self._store.close()


def least_batches(endpoints: int, before: int, after: int) -> int:
    """How few batches hold a change of so many endpoints: old values deleted, new ones created, markers and floor as
    well, all of it asserted."""
    return math.ceil((endpoints * (before + after + 2) + 2) / ELEMENTS_MAX)


def least_upserts(endpoints: int, after: int) -> int:
    """The same where values are put without looking: UPSERT counts twice."""
    return math.ceil(2 * endpoints * after / ELEMENTS_MAX)


class Stage:
    """A stand-in with our zone, a store, and enactors that come and go. `patrol` is the pause between the patrol's
    rounds."""

    def __init__(
        self,
        service: Route53,
        folder: Path,
        fleet: Fleet,
        *,
        settle_s: float = SETTLE_S,
        rate: int = RATE,
        patrol: str = "60s",
    ) -> None:
        self.service, self.folder, self.fleet, self._settle_s = service, folder, fleet, settle_s
        self._running: list[subprocess.Popen[bytes]] = []
        zone_id, (host, port) = service.zone(OURS), service.dns[0]
        names = service.client().get_hosted_zone(Id=zone_id)["DelegationSet"]["NameServers"]
        servers = ", ".join(f"'{name}': '{host}:{port}'" for name in names)
        self.state = folder / "state"
        self.state.mkdir(mode=0o700, parents=True)
        self.config = folder / "standfast.yaml"
        text = _CONFIG.format(zone=OURS, rate=rate, burst=5 * rate, patrol=patrol, servers=servers)
        self.config.write_text(text, encoding="utf-8")
        self.plans = Plans(self.state / "store.sqlite", fleet)

    @contextmanager
    def enactors(self, count: int, first: int = 0) -> Iterator[list[subprocess.Popen[bytes]]]:
        """So many, as processes, the first in line in front; so many are there already."""
        processes = []
        with ExitStack() as stack:
            for place in range(first, first + count):
                command = [sys.executable, "-m", "standfast", "run", "--role", "enactor", "--quiet"]
                command += ["--name", f"e{place}", "--config", str(self.config)]
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, env={**os.environ, **self.service.environment()}
                )
                stack.callback(stopped, process)
                processes.append(process)
            self._running += processes
            yield processes
            self._running = [process for process in self._running if process not in processes]

    def presence(self) -> dict[str, dict[str, Any]]:
        """What each enactor says of itself."""
        found = {}
        for path in (self.state / "presence").glob("enactor-*.json"):
            facts = json.loads(path.read_text())
            found[facts["who"]] = facts
        return found

    def settled(self, count: int, within_s: float) -> None:
        """Wait until so many enactors have nothing left of the newest plan."""
        assert self.plans.head is not None
        generation = self.plans.head.generation

        def there() -> bool:
            known = self.presence().values()
            return len([one for one in known if one["generation"] == generation and not one["waiting"]]) >= count

        self._until(there, within_s)

    def round(self, within_s: float) -> None:
        """Wait until the patrol of the first in line has seen all of the zone: then it knows it, as ever after."""
        self._until(lambda: bool(self.presence()["e0"]["economy"]["rounds"][OURS]), within_s)

    def _until(self, wanted: Callable[[], bool], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not wanted():
            if ended := [process.returncode for process in self._running if process.poll() is not None]:
                raise RuntimeError(f"an enactor ended with {ended}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"not within {within_s:g} s")
            time.sleep(0.2)

    def sent(self) -> Counter[str]:
        """Requests of the enactors so far, by action; `patrol` are those of the patrols among them."""
        found = Counter[str]()
        for one in self.presence().values():
            found.update(one["economy"]["requests"])
            found["patrol"] += one["economy"]["patrol"]
        return found

    def change(self, count: int, group: int) -> Counted:
        """One load balancer fails; what that costs with so many enactors, who run."""
        numbers, before = self.fleet.of_group(group), self.sent()
        self.plans.publish(numbers, 3)
        self.settled(count, 120)
        time.sleep(self._settle_s)
        made = self.sent() - before
        patrol, batches = made.pop("patrol", 0), made.pop("ChangeResourceRecordSets", 0)
        lists = made.pop("ListResourceRecordSets", 0)
        least = least_batches(len(numbers), ADDRESSES, ADDRESSES - 1)
        return Counted("Standfast", count, batches, lists - patrol, patrol, sum(made.values()), least)


def resting(stage: Stage, counted: Counted, seconds: float) -> Counted:
    """With what is asked while nothing changes."""
    before = stage.sent()
    time.sleep(seconds)
    made = stage.sent() - before
    patrol = made.pop("patrol", 0)
    return replace(counted, rest=sum(made.values()), idle=sum(made.values()) - patrol)


def ours(service: Route53, folder: Path, fleet: Fleet, rest_s: float, tell: Callable[[str], None]) -> list[Counted]:
    """The first publication by one, then a change and a rest with one, and with three."""
    stage, found = Stage(service, folder, fleet), []
    before = service.counts()
    stage.plans.publish()
    with stage.enactors(1):
        stage.settled(1, 1200)
        made = _differing(before, service.counts())
        least = math.ceil((fleet.endpoints * (ADDRESSES + 1) + 2) / ELEMENTS_MAX)
        tell(f"first publication: {made}, of at least {least} batches")
        stage.round(1200)
        found.append(resting(stage, stage.change(1, 1), rest_s))
        tell(str(found[-1]))
    with stage.enactors(3):
        stage.settled(3, 1200)
        stage.round(1200)
        found.append(resting(stage, stage.change(3, 2), rest_s))
        tell(str(found[-1]))
    stage.plans.close()
    return found


def theirs(service: Route53, folder: Path, fleet: Fleet) -> Counted:
    """octoDNS with the same addresses in a zone of its own: one run for the same change."""
    zone_id, client = service.zone(THEIRS), service.client()
    for begin in range(0, fleet.endpoints, ELEMENTS_MAX // ADDRESSES):
        some = range(begin, min(fleet.endpoints, begin + ELEMENTS_MAX // ADDRESSES))
        changes = [{"Action": "CREATE", "ResourceRecordSet": _raw(fleet, number)} for number in some]
        client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    group = fleet.of_group(1)
    _octo_files(folder, fleet, set(group))
    before = service.counts()
    done = subprocess.run(
        [str(Path(sys.executable).parent / "octodns-sync"), "--config-file", "octodns.yaml", "--doit"],
        cwd=folder,
        env={**os.environ, **service.environment(), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"octodns-sync ended with {done.returncode}: {done.stderr[-2000:]}")
    made = _differing(before, service.counts())
    batches, lists = made.pop("ChangeResourceRecordSets", 0), made.pop("ListResourceRecordSets", 0)
    return Counted("octoDNS", 1, batches, lists, 0, sum(made.values()), least_upserts(len(group), ADDRESSES - 1))


def _raw(fleet: Fleet, number: int) -> dict[str, Any]:
    values = [{"Value": address} for address in fleet.addresses(number, None)]
    return {"Name": fleet.name(number, THEIRS), "Type": "A", "TTL": 60, "ResourceRecords": values}


def _octo_files(folder: Path, fleet: Fleet, touched: set[int]) -> None:
    (folder / "zones").mkdir(parents=True)
    lines = []
    for number in range(fleet.endpoints):
        values = ", ".join(fleet.addresses(number, 3 if number in touched else None))
        lines.append(f"edge-{number:06d}: {{ttl: 60, type: A, values: [{values}]}}")
    (folder / "zones" / f"{THEIRS}.yaml").write_text("\n".join(lines) + "\n", encoding="ascii")
    (folder / "octodns.yaml").write_text(_OCTODNS.format(zone=THEIRS), encoding="ascii")


def _differing(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}


def met(rows: list[Counted]) -> bool:
    """Whether the goals are."""
    one, three = rows[0], rows[1]
    batches = all(row.batches <= BATCHES_GOAL * row.least for row in (one, three))
    fair = three.all <= ENACTORS_GOAL * one.all and three.of_the_change <= ENACTORS_GOAL * one.of_the_change
    return batches and fair and three.rest <= ENACTORS_GOAL * one.rest


@click.command()
@click.option("--endpoints", default=25_000, show_default=True)
@click.option("--touched", default=250, show_default=True, help="endpoints that have the load balancer that fails")
@click.option("--rest", default=REST_S, show_default=True, help="seconds in which nothing changes")
@click.option("--verbose", is_flag=True)
def bench(endpoints: int, touched: int, rest: float, verbose: bool) -> None:
    """Count; print a table. Exit 1 if a goal is missed."""
    err = Console(stderr=True)
    tell: Callable[[str], None] = (lambda text: err.print(text)) if verbose else (lambda text: None)
    fleet = Fleet(endpoints, touched)
    with tempfile.TemporaryDirectory(prefix="standfast-bench-") as scratch, running() as service:
        rows = ours(service, Path(scratch) / "ours", fleet, rest, tell)
        rows.append(theirs(service, Path(scratch) / "theirs", fleet))
    table = Table(title=f"{endpoints:,} endpoints of {ADDRESSES} addresses; a load balancer of {touched} fails")
    titles = ["", "enactors", "batches", "at least", "reads", "other", "of the change", "patrol meanwhile"]
    for title in (*titles, f"in {rest:g} s of rest", "not the patrol's"):
        table.add_column(title, justify="right" if title else "left")
    for row in rows:
        counts = (
            row.enactors,
            row.batches,
            row.least,
            row.reads,
            row.other,
            row.of_the_change,
            row.patrol,
            row.rest,
            row.idle,
        )
        table.add_row(row.who, *map(str, counts))
    Console(width=None if sys.stdout.isatty() else 130).print(table)
    sys.exit(0 if met(rows) else 1)


_CONFIG = """
zone:
  {{name: {zone}, provider: route53, requests_per_second: {rate}, burst: {burst}, look: 1s, patrol: {patrol},
    secondaries: {{{servers}}}}}
state: state
health: none
load_balancers:
  lb-1: {{az: a, ip: [192.0.2.1]}}
endpoints:
  edge: {{}}
"""
# An UPSERT counts twice at AWS and once in octoDNS, whose default of 1,000 changes a batch is then refused.
_OCTODNS = """
providers:
  files: {{class: octodns.provider.yaml.YamlProvider, directory: ./zones, default_ttl: 60, enforce_order: false}}
  route53: {{class: octodns_route53.Route53Provider, access_key_id: env/AWS_ACCESS_KEY_ID,
    secret_access_key: env/AWS_SECRET_ACCESS_KEY, max_changes: 500}}
zones:
  {zone}.: {{sources: [files], targets: [route53]}}
"""


if __name__ == "__main__":
    bench()
