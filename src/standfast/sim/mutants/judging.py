"""Judge the package that is imported: `python -m standfast.sim.mutants.judging`, inside a mutated copy.

The order comes as JSON in the first argument, the verdict goes as JSON to the standard output, alone in its last line.
"""

import sys
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

import standfast
from standfast.sim.search.exploring import explore
from standfast.sim.swarm.running import run
from standfast.sim.swarm.scenario import Scenario, drawn

from .mutant import Judge
from .runs import named
from .verdict import Searched, Verdict

PROOF_STATES_MAX: Final = 5_000_000
HOURS: Final = 0.5
ENDPOINTS: Final = 6
ENDPOINTS_DRAWN: Final = 8
CROWD: Final = 12
"""The faults of six hours in half an hour, in a small region: what a mutant gets wrong needs faults to meet."""
CALM_S: Final = 150.0
LEFT_OUT: Final = ("store set back", "store lost")
"""So many at once that a plan may be forgotten everywhere, which no bound on convergence allows for."""

ORDERS_MAX: Final = 4
"""Freezes: an operator gives one command after the other, and a crowd of them would still be waiting at the end."""


class Order(Struct, frozen=True):
    """What is to be judged: the copy, by whom, with which runs or seeds, and for how many seconds at most.

    `proof`: that nothing is wrong shall be shown, so the searches end when everything was seen.
    """

    package: str
    judge: Judge
    runs: tuple[str, ...] = ()
    seeds: int = 0
    seconds: float = 600.0
    proof: bool = False


def judged(order: Order) -> Verdict:
    """The verdict. Raises whatever the mutant raises: that is no kill."""
    if Path(standfast.__file__).parent != Path(order.package):
        raise RuntimeError(f"{standfast.__file__} is judged instead of the copy in {order.package}")
    begun = time.monotonic()
    verdict = _search(order, begun) if order.judge == "search" else _simulation(order, begun)
    return msgspec.structs.replace(verdict, seconds=round(time.monotonic() - begun, 2))


def _search(order: Order, begun: float) -> Verdict:
    """One run after the other, each until the first thing that is wrong."""
    searched: list[Searched] = []
    before = 0
    for scope in named(order.runs):
        left = order.seconds - (time.monotonic() - begun)
        most = PROOF_STATES_MAX if order.proof else scope.states_max
        result = explore(scope.system(), states_max=most, seconds_max=max(left, 0.1), until=lambda _: True)
        bounds = result.bounds
        searched.append(Searched(scope.run.name, bounds.states, bounds.transitions, bounds.complete))
        if result.findings:
            first = result.findings[0]
            what = first.what if first.what.startswith(f"{first.property}:") else f"{first.property}: {first.what}"
            return Verdict("search", what, before + bounds.states, scope.run.name, len(first.steps), 0.0, (*searched,))
        before += bounds.states
    return Verdict("search", searched=tuple(searched), after=before)


def _simulation(order: Order, begun: float) -> Verdict:
    """One region after the other, each of its own seed: as `standfast simulate` draws it, and crowded."""
    for seed in range(1, order.seeds + 1):
        if time.monotonic() - begun > order.seconds:
            return Verdict("simulation", after=seed - 1, trouble=f"only {seed - 1} seeds in {order.seconds:g} s")
        for kind, scenario in (("", drawn(seed, HOURS, ENDPOINTS_DRAWN)), (" crowded", crowded(seed))):
            broken = run(scenario).broken
            if broken is not None:
                return Verdict("simulation", f"{broken.rule}: {broken.what}", seed, f"seed {seed}{kind}")
    return Verdict("simulation", after=order.seeds)


def crowded(seed: int) -> Scenario:
    """A scenario as the simulator draws it, but with the faults of a long time in a short one."""
    calm = drawn(seed, HOURS * CROWD, ENDPOINTS)
    orders = [fault for fault in calm.faults if fault.kind.startswith("freeze")][:ORDERS_MAX]
    faults = [one for one in calm.faults if one.kind not in LEFT_OUT and not one.kind.startswith("freeze")] + orders
    moved = [msgspec.structs.replace(one, at=round(max(one.at / CROWD, CALM_S), 3)) for one in faults]
    return msgspec.structs.replace(calm, hours=HOURS, faults=tuple(sorted(moved, key=lambda one: (one.at, one.kind))))


if __name__ == "__main__":
    sys.stdout.write("\n" + msgspec.json.encode(judged(msgspec.json.decode(sys.argv[1], type=Order))).decode() + "\n")
