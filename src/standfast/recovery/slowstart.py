"""Slow start: who comes back gets its share of the work by steps. Pure; `now` is seconds.

A cache is cold, connections are not open, and code is not warm: who gets everything at once falls again. (Envoy and
HAProxy know it as slow start, from a tenth of the weight upwards.) Steps, not a ramp: each one is a change of DNS.
"""

from collections.abc import Mapping
from math import floor
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.fleet import Fleet

LEAST: Final = 0.25
STEPS: Final = 4


class SlowStart(Struct, frozen=True):
    """Over `window_s` from `least` of the weight to all of it, in `steps` equal steps. A window of 0 is off."""

    window_s: float
    least: float = LEAST
    steps: int = STEPS

    def __post_init__(self) -> None:
        if not (self.window_s >= 0.0 and 0.0 < self.least <= 1.0 and self.steps >= 1):
            raise ValueError(f"window_s is 0 or more, least above 0 and at most 1, steps 1 or more: {self!r}")

    def share(self, returned_at: float | None, now: float) -> float:
        """The part of its weight that counts now. `returned_at` None: it was never away, or so long ago that nobody
        knows. A clock that jumped back gives the whole weight: a doubt must not take capacity away."""
        if self.window_s <= 0 or returned_at is None or now < returned_at:
            return 1.0
        done = floor(self.steps * (now - returned_at) / self.window_s)
        return 1.0 if done >= self.steps else self.least + (1.0 - self.least) * done / self.steps

    def next_at(self, returned_at: float | None, now: float) -> float | None:
        """When the share rises next; None if it is whole."""
        if returned_at is None or self.share(returned_at, now) == 1.0:
            return None
        done = floor(self.steps * (now - returned_at) / self.window_s)
        return returned_at + self.window_s * (done + 1) / self.steps


def eased(fleet: Fleet, up_since: Mapping[str, float], slow: SlowStart, now: float) -> Fleet:
    """The fleet, with less weight for those that are up since a short while only. `up_since` in the clock of `now`.

    Who came back with everybody else keeps its part: weights are relative.
    """
    shares = {name: slow.share(since, now) for name, since in up_since.items()}
    if all(share == 1.0 for share in shares.values()):
        return fleet
    some = tuple(replace(one, eased=shares.get(one.id, 1.0)) for one in fleet.load_balancers)
    return replace(fleet, load_balancers=some)
