"""Fits the free parameters to the fitted half of the milestones, and looks at nothing else.

What is made small is the sum over that half of the errors' sizes (`scoring.py`), none counting for more than 1, so that
no single milestone decides. One parameter after the other is tried on a grid around its value, twice as fine each
round: slow, dull, and the same each time. `python -m standfast.sim.region.fitting` does it anew.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from .engine import run
from .parameters import DEFAULTS, Parameters, fitted
from .published import halves
from .scoring import score

STEPS: Final[Mapping[str, float]] = {"lease_rate": 0.02, "network_headroom": 0.1, "relax": 0.4}
"""First steps, in the order in which the day needs them; three each way."""
REACH: Final = 3
ROUNDS: Final = 3
DROPLETS: Final = 60_000
"""Rates are per droplet, so a small region has the same day."""


def error(parameters: Parameters) -> float:
    """The sum that is made small. A milestone that is never reached counts 1."""
    day = run(parameters)
    chosen = {id for id, half in halves().items() if half == "fitted"}
    lines = [line for line in score(day.milestones).lines if line.milestone.id in chosen]
    return sum(1.0 if line.error is None else min(1.0, abs(line.error)) for line in lines)


def fit(start: Parameters, tell: Callable[[str], object], measure: Callable[[Parameters], float] = error) -> Parameters:
    """The best of what was tried. Raises AssertionError if the steps are not those of the free parameters."""
    assert set(STEPS) == set(fitted())
    best, least = start, measure(start)
    for turn in range(ROUNDS):
        for name, step in STEPS.items():
            middle = getattr(best, name)
            for place in range(-REACH, REACH + 1):
                value = round(middle + place * step / 2**turn, 6)
                if not place or value <= 0.0:
                    continue
                tried = replace(best, **{name: value})
                now = measure(tried)
                if now < least:
                    best, least = tried, now
            tell(f"round {turn + 1}: {name} = {getattr(best, name):g}, error {least:.3f}")
    return best


if __name__ == "__main__":
    found = fit(replace(DEFAULTS, droplets=DROPLETS), lambda line: sys.stdout.write(f"{line}\n"))
    sys.stdout.write("".join(f"{name} = {getattr(found, name):g}\n" for name in STEPS))
