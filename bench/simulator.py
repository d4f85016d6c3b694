"""`python -m bench.simulator`: events a second of the simulated region, beside a bare event loop in the same run.

The peer is `heapq` with handlers that do nothing but ask for the next event: the least that any discrete-event
simulator in Python does, SimPy included, which is built upon the same heap. The ratio is what one event of ours costs
in such empty events: the rest is production code planning, deciding and being judged. It says nothing about anybody's
control plane; it says how far the simulator is from the limit of its language. Seconds are of processor time, for this
machine has other work.
"""

import heapq
import random
import statistics
import sys
import time
from collections.abc import Callable

import click
from msgspec import Struct

from standfast.sim.swarm.running import Run, run
from standfast.sim.swarm.scenario import drawn

PEER_EVENTS = 200_000
PENDING = 64
"""Events that wait at a time: about as many as a region has."""


class Rates(Struct, frozen=True):
    """Events a second, of us and of the peer, pair by pair."""

    ours: tuple[float, ...]
    peers: tuple[float, ...]
    requests: tuple[float, ...]
    virtual_hours_per_s: tuple[float, ...]
    faults: int
    changes: int

    @property
    def ratio(self) -> float:
        """Empty events in the time of one of ours, the median of all pairs."""
        return statistics.median(peer / ours for ours, peer in zip(self.ours, self.peers, strict=True))


def bare(events: int) -> float:
    """Events a second of a heap whose handlers draw when they happen again, and do nothing else."""
    draw, heap = random.Random(1), list[tuple[float, int, Callable[[], None]]]()
    now, asked = 0.0, 0

    def handler() -> None:
        nonlocal asked
        asked += 1
        heapq.heappush(heap, (now + draw.random(), asked, handler))

    for _ in range(PENDING):
        handler()
    began = time.process_time()
    for _ in range(events):
        now, _, act = heapq.heappop(heap)
        act()
    return events / (time.process_time() - began)


def measured(seeds: range, hours: float, endpoints: int) -> Rates:
    """Pair after pair: a region, then the peer, so that both meet the same noise."""
    run(drawn(seeds.start, 0.1, endpoints))
    runs, times, peers = list[Run](), list[float](), list[float]()
    for seed in seeds:
        began = time.process_time()
        runs.append(run(drawn(seed, hours, endpoints)))
        times.append(time.process_time() - began)
        if (broken := runs[-1].broken) is not None:
            raise SystemExit(f"seed {seed}: {broken.rule}: {broken.what}; `standfast simulate --seed {seed}`")
        peers.append(bare(PEER_EVENTS))
    return Rates(
        ours=tuple(one.events / took for one, took in zip(runs, times, strict=True)),
        peers=tuple(peers),
        requests=tuple(one.requests / took for one, took in zip(runs, times, strict=True)),
        virtual_hours_per_s=tuple(one.virtual_s / 3600 / took for one, took in zip(runs, times, strict=True)),
        faults=sum(sum(one.fired.values()) for one in runs),
        changes=sum(one.checked for one in runs),
    )


@click.command()
@click.option("--seeds", default=20, show_default=True)
@click.option("--hours", default=1.0, show_default=True)
@click.option("--endpoints", "sizes", multiple=True, type=int, help="[default: 8 and 200]")
def main(seeds: int, hours: float, sizes: tuple[int, ...]) -> None:
    """Measure and print, one line a size."""
    for endpoints in sizes or (8, 200):
        rates = measured(range(seeds), hours, endpoints)
        sys.stdout.write(
            f"{endpoints} endpoints, {seeds} seeds of {hours:g} h with faults: "
            f"{statistics.median(rates.ours):,.0f} events/s, {statistics.median(rates.requests):,.0f} requests/s, "
            f"{statistics.median(rates.virtual_hours_per_s):.1f} virtual h/s, {rates.changes:,} changes judged, "
            f"{rates.faults:,} effects of faults; bare heap {statistics.median(rates.peers):,.0f} events/s: "
            f"one event of ours costs {rates.ratio:.0f} empty ones\n"
        )


if __name__ == "__main__":
    main()
