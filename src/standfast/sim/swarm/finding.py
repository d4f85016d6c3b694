"""Seed after seed until one breaks a property; what broke is shrunk.

`find` is the door for mutation testing: it needs nothing but seeds, and its answer names property and seed.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from .running import Broken, Run, run
from .scenario import Scenario, drawn
from .shrinking import shrunk

HOURS: Final = 0.5
ENDPOINTS: Final = 8
"""Small on purpose: many small regions find more than one large one, for faults meet each other more often."""


class Failure(Struct, frozen=True):
    """The first seed that breaks a property: as drawn, and the smallest scenario that breaks the same one."""

    seed: int
    broken: Broken
    scenario: Scenario
    smallest: Scenario
    runs: int
    """How many seeds were run, this one included."""


def find(
    seeds: Iterable[int],
    *,
    hours: float = HOURS,
    endpoints: int = ENDPOINTS,
    shrink: bool = False,
    ran: Callable[[Run], None] | None = None,
) -> Failure | None:
    """Run these seeds; None if all of them pass. `ran` is told of each run."""
    for number, seed in enumerate(seeds, start=1):
        done = run(drawn(seed, hours, endpoints))
        if ran is not None:
            ran(done)
        if done.broken is not None:
            smallest = shrunk(done) if shrink else done.scenario
            return Failure(seed, done.broken, done.scenario, smallest, number)
    return None
