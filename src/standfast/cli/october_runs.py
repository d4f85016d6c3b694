"""Days of October 2025 run in processes of their own, with a bar of progress on a terminal."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.sharedctypes import SynchronizedArray
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from standfast.sim.region.day import Day
    from standfast.sim.region.parameters import Parameters
    from standfast.sim.region.protections import Protection

Telling: TypeAlias = Callable[[float, str], None]
"""Is told the share of all days that is over, and what to say of it."""
_EVERY_S: Final = 0.2
_shares: "SynchronizedArray[float] | None" = None
"""In a worker: how much of each day is over, for whoever waits."""


class Job(Struct, frozen=True):
    """One day."""

    parameters: "Parameters"
    protections: frozenset["Protection"]
    seed: int


def run_days(jobs: Sequence[Job], tell: Telling) -> list["Day"]:
    """Every day, in the given order, on as many processors as there are."""
    if len(jobs) == 1:
        return [_run(jobs[0], lambda share: tell(share, "1 day"))]
    context = multiprocessing.get_context("spawn")
    shares: SynchronizedArray[float] = context.Array("d", len(jobs))
    workers = min(len(jobs), len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, context, _begin, (shares,)) as pool:
        futures = [pool.submit(_work, place, job) for place, job in enumerate(jobs)]
        try:
            _watch(futures, shares, tell)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
    return [one.result() for one in futures]


def _watch(futures: "Sequence[Future[Day]]", shares: "SynchronizedArray[float]", tell: Telling) -> None:
    waiting: set[Future[Day]] = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=_EVERY_S, return_when=FIRST_EXCEPTION)
        for one in done:
            one.result()
        over = sum(one.done() for one in futures)
        tell(sum(shares[:]) / len(futures), f"{over} of {len(futures)} days")


def _begin(shares: "SynchronizedArray[float]") -> None:
    global _shares
    _shares = shares
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who waits for us ends us


def _work(place: int, job: Job) -> "Day":
    def passed(share: float) -> None:
        if _shares is not None:
            _shares[place] = share

    day = _run(job, passed)
    passed(1.0)
    return day


def _run(job: Job, passed: Callable[[float], None]) -> "Day":
    from standfast.sim.region.engine import run

    return run(job.parameters, protections=job.protections, seed=job.seed, passed=passed)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Telling]:
    """A bar on standard error, if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda share, said: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left:"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=1.0)
        yield lambda share, said: bar.update(task, completed=share, description=f"simulating {said}")
