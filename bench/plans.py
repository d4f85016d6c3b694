"""`python -m bench.plans`: what a change of a large plan costs in the plan store, beside the whole plan.

The production adapters on real files: a planner's connection publishes, an enactor's own connection fetches what it
lacks, its disk copy keeps it, and the diff against the predecessor is taken. Counted (shards, octets, SQL statements)
and timed; only the counts decide. In proportion means: each changed endpoint costs at most its leaf and the branches
above it, whatever the size of the plan.
"""

import math
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.table import Table

from standfast.adapters.stores import sqlite_plans
from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model import shards
from standfast.model.entry import Entry
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRType, addresses
from standfast.model.shards import LEAF_MAX, Shards
from standfast.ports.local import KeepCopy
from standfast.ports.store import PlanRead, Publish, Published, ReadPlan

ZONE: Final = "lb.example.com"
SHARES: Final = (0.001, 0.01, 0.1)
STEPS: Final = ("publish", "fetch", "keep copy", "diff")


class Work(NamedTuple):
    """What one step did: shards written or read (for the diff: places compared), their octets, SQL statements."""

    shards: int
    octets: int
    statements: int
    seconds: float


class Measured(NamedTuple):
    """The steps for a plan in which `changed` of `endpoints` differ from the predecessor (all: there is none)."""

    endpoints: int
    changed: int
    work: dict[str, Work]


def levels(endpoints: int) -> int:
    """Branches above a leaf, with one to spare for leaves that are fuller than the mean."""
    return max(0, math.ceil(math.log(endpoints / LEAF_MAX, 16))) + 1


def bound(measured: Measured, step: str) -> int:
    """The most shards that are in proportion. A diff looks into all sixteen children of each branch that differs."""
    path = levels(measured.endpoints)
    return measured.changed * (1 + path * (16 if step == "diff" else 1))


def entry(number: int, version: int) -> Entry:
    """An endpoint of eight addresses; its since is its version."""
    texts = [f"10.{version % 250}.{number % 250}.{8 + place}" for place in range(8)]
    name = f"service-{number}.{ZONE}"
    return Entry(ZONE, name, version, rrsets=addresses(60, texts), min_answers=((int(RRType.A), 2),))


class Stage:
    """A planner's and an enactor's processes as far as plans go."""

    def __init__(self, directory: Path, endpoints: int) -> None:
        self.endpoints = endpoints
        self.planner = SqliteStore(directory / "plans.db")
        self.enactor = SqliteStore(directory / "plans.db")
        self.copy = DiskCopy(directory / "copy.db")
        self.plan: Plan | None = None

    def close(self) -> None:
        """Let go of the files."""
        for held in (self.planner, self.enactor, self.copy):
            held.close()

    def step(self, changed: int) -> Measured:
        """Publish a plan in which so many endpoints differ; all of them for the first."""
        generation = self.plan.generation + 1 if self.plan else 1
        entries = self._entries(changed, generation)
        plan = Plan(PlanRecord("main", generation, entries.digest, (ZONE,), (), "bench", "", 0.0), entries)
        before, expect = self.plan, self.plan.head if self.plan else None
        work = {"publish": _written(self.planner._connection, lambda: self._publish(Publish(expect, plan)))}
        fetched: list[Plan] = []
        work["fetch"] = _read(self.enactor._connection, lambda: fetched.append(self._fetch(plan.digest)))
        work["keep copy"] = _written(self.copy._opened(), lambda: self._keep(fetched[0]))
        work["diff"] = _compared(lambda: len(fetched[0].shards.changes(before.shards if before else None)), changed)
        self.plan = fetched[0]
        return Measured(self.endpoints, changed, work)

    def _entries(self, changed: int, generation: int) -> Shards:
        if self.plan is None:
            first = Entry(ZONE, first_name("main", ZONE), 1, kind="first")
            return Shards.of([first, *(entry(number, 1) for number in range(self.endpoints - 1))])
        numbers = range(generation % 7, self.endpoints - 1, (self.endpoints - 1) // changed)
        return self.plan.shards.updated(entry(number, generation) for number in list(numbers)[:changed])

    def _publish(self, request: Publish) -> None:
        reply = self.planner.perform(request)
        if not isinstance(reply, Published):
            raise RuntimeError(f"the plan was not published: {reply}")

    def _fetch(self, digest: str) -> Plan:
        reply = self.enactor.perform(ReadPlan(digest))
        if not isinstance(reply, PlanRead):
            raise RuntimeError(f"the plan was not read: {reply}")
        return reply.plan

    def _keep(self, plan: Plan) -> None:
        self.copy.perform(KeepCopy(plan))
        if self.copy.last_error:
            raise RuntimeError(self.copy.last_error)


def _written(connection: sqlite3.Connection, act: Callable[[], object]) -> Work:
    """Shards that were inserted or deleted, as the statements that the act made show: octets are about half their
    length, for they write blobs in hexadecimal digits."""
    with _traced(connection) as statements:
        seconds = _timed(act)
    touched = [text for text in statements if text.startswith(("INSERT INTO nodes", "DELETE FROM nodes"))]
    return Work(len(touched), sum(len(text) // 2 for text in touched), len(statements), seconds)


def _read(connection: sqlite3.Connection, act: Callable[[], object]) -> Work:
    sizes: list[int] = []
    real = sqlite_plans.fetch

    def counting(connection: sqlite3.Connection, digests: list[str]) -> dict[str, bytes]:
        found = real(connection, digests)
        sizes.extend(map(len, found.values()))
        return found

    with _traced(connection) as statements, _put(sqlite_plans, "fetch", counting):
        seconds = _timed(act)
    return Work(len(sizes), sum(sizes), len(statements), seconds)


def _compared(act: Callable[[], int], changed: int) -> Work:
    """Places that a diff looks at: every child of a branch that differs."""
    real, calls = shards._compare, [0]

    def counting(*arguments: object) -> None:
        calls[0] += 1
        real(*arguments)  # type: ignore[arg-type]

    found: list[int] = []
    with _put(shards, "_compare", counting):
        seconds = _timed(lambda: found.append(act()))
    if found != [changed]:
        raise RuntimeError(f"the diff found {found[0]} endpoints, {changed} were changed")
    return Work(calls[0], 0, 0, seconds)


@contextmanager
def _traced(connection: sqlite3.Connection) -> Iterator[list[str]]:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    yield statements
    connection.set_trace_callback(None)


@contextmanager
def _put(module: object, name: str, instead: object) -> Iterator[None]:
    real = getattr(module, name)
    setattr(module, name, instead)
    try:
        yield
    finally:
        setattr(module, name, real)


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def measure(directory: Path, endpoints: int, counts: tuple[int, ...], repeats: int) -> list[Measured]:
    """The first publication, then so many changes of each size; of the repetitions the median time, the most work."""
    stage = Stage(directory, endpoints)
    results = [stage.step(endpoints)]
    for changed in counts:
        runs = [stage.step(changed) for _ in range(repeats)]
        results.append(merged(runs))
    stage.close()
    return results


def merged(runs: list[Measured]) -> Measured:
    """One result of several."""
    work = {}
    for step in STEPS:
        some = [run.work[step] for run in runs]
        work[step] = Work(
            max(one.shards for one in some),
            max(one.octets for one in some),
            max(one.statements for one in some),
            statistics.median(one.seconds for one in some),
        )
    return runs[0]._replace(work=work)


def excesses(results: list[Measured]) -> list[str]:
    """Where the work is out of proportion, in words."""
    found = []
    for measured in results[1:]:
        for step in STEPS:
            did, most = measured.work[step].shards, bound(measured, step)
            if step == "keep copy":
                most *= 2  # what the plan before the last alone had is deleted
            if did > most:
                found.append(f"{step}: {did} shards for {measured.changed} of {measured.endpoints}, not {most}")
    return found


@click.command()
@click.option("--endpoints", default=25_000, show_default=True)
@click.option("--repeats", default=5, show_default=True)
def bench(endpoints: int, repeats: int) -> None:
    """Measure; print ratios. Exit 1 if the work is not in proportion to the change."""
    counts = tuple(max(1, round(endpoints * share)) for share in SHARES)
    with tempfile.TemporaryDirectory(prefix="standfast-bench-") as scratch:
        results = measure(Path(scratch), endpoints, counts, repeats)
    console = Console(width=None if sys.stdout.isatty() else 130)
    table = Table(title=f"a plan of {endpoints} endpoints of 8 addresses in SQLite; Python {platform.python_version()}")
    for title in ("step", "changed", "shards", "a change", "octets", "statements", "time", "of the whole", "its time"):
        table.add_column(title, justify="left" if title == "step" else "right")
    whole = results[0]
    for step in STEPS:
        for measured in results:
            work, all_of_it = measured.work[step], whole.work[step]
            table.add_row(
                step,
                "all" if measured is whole else f"{measured.changed / endpoints:.1%}",
                f"{work.shards}",
                f"{work.shards / measured.changed:.2f}",
                f"{work.octets}" if work.octets else "",
                f"{work.statements}" if work.statements else "",
                f"{work.seconds * 1e3:.1f} ms",
                f"{work.shards / whole.work['publish'].shards:.1%}",
                f"{work.seconds / all_of_it.seconds:.1%}",
            )
    console.print(table)
    found = excesses(results)
    for text in found:
        console.print(f"✗ {text}")
    console.print("✗ not in proportion to the change" if found else "✓ in proportion to the change")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    bench()
