"""When the model reached each published milestone: as `published.py` says what is looked at for it, tick by tick."""

import math
from collections.abc import Callable
from typing import Protocol

from .published import STAYS_S, WELL


class Sight(Protocol):
    """What can be looked at."""

    def value(self, name: str) -> float:
        """A series' value now. Raises KeyError if there is none of that name."""


class Watch:
    """One milestone. `reached` is when it came about. The first time counts, or with `lasting` the last one: what is
    told of as normal again did not fail again.
    """

    def __init__(
        self,
        id: str,
        is_so: Callable[[Sight], bool],
        *,
        after: float = -math.inf,
        stays_s: float = 0.0,
        lasting: bool = False,
    ) -> None:
        self.id, self._is_so, self._after, self._stays_s = id, is_so, after, stays_s
        self.reached: float | None = None
        self.settled = False
        self._lasting = lasting

    def look(self, now: float, sight: Sight) -> None:
        """At this tick."""
        if now < self._after or (self.settled and not self._lasting):
            return
        if not self._is_so(sight):
            self.reached, self.settled = None, False
            return
        if self.reached is None:
            self.reached = now
        self.settled = now - self.reached >= self._stays_s

    @property
    def at(self) -> float | None:
        """When, or None."""
        return self.reached if self.settled else None


def fails(key: str) -> Callable[[Sight], bool]:
    """It answers less than 99 %."""
    return lambda sight: sight.value(f"{key}.availability") < WELL


def is_well(key: str) -> Callable[[Sight], bool]:
    """It answers 99 %."""
    return lambda sight: sight.value(f"{key}.availability") >= WELL


class After:
    """A watch that begins when another one has been settled."""

    def __init__(self, first: Watch, then: Watch) -> None:
        self.first, self.then = first, then
        self.id = then.id

    def look(self, now: float, sight: Sight) -> None:
        """The first is looked at by itself."""
        if self.first.settled:
            self.then.look(now, sight)

    @property
    def at(self) -> float | None:
        """When, or None."""
        return self.then.at


def again(id: str, key: str, begins: float) -> tuple[Watch, After]:
    """It fails after a moment, and is well again for good after that."""
    failing = Watch(f"{id}…", fails(key), after=begins)
    return failing, After(failing, Watch(id, is_well(key), stays_s=STAYS_S, lasting=True))
