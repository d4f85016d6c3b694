"""How often this process asks Route 53: a bucket of turns, slower when AWS throttles and slowly faster again.

AWS counts the requests of a whole account, other tools' too, so a rate of ours is a good neighbour's, not a right.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

SLOWEST: Final = 0.1
"""Requests a second, however hard AWS throttles."""
RECOVERY: Final = 0.05
"""By this part of the configured rate it grows with each request that went well."""


class Pace:
    """`rate` turns a second on average and `burst` of them at once. Any number of threads."""

    def __init__(
        self,
        rate: float = 2.0,
        burst: int = 10,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most, self._burst = rate, max(1, burst)
        self._clock, self._sleep = clock, sleep
        self.rate = rate
        self._turns, self._at = float(self._burst), clock()
        self._lock = threading.Lock()

    @property
    def standing(self) -> str:
        """A clause for people."""
        return f"asking {self.rate:.2g} times a second now, of {self._most:g}"

    def turn(self, patience_s: float) -> bool:
        """Wait for a turn; False if that would take longer than `patience_s` (then none is taken)."""
        with self._lock:
            now = self._clock()
            self._turns = min(float(self._burst), self._turns + (now - self._at) * self.rate)
            self._at = now
            wait = max(0.0, (1.0 - self._turns) / self.rate)
            if wait > patience_s:
                return False
            self._turns -= 1.0
        if wait:
            self._sleep(wait)
        return True

    def slow_down(self) -> None:
        """AWS throttled: half as often from now on, and no burst."""
        with self._lock:
            self.rate = max(min(SLOWEST, self._most), self.rate / 2)
            self._turns = min(self._turns, 0.0)

    def went_well(self) -> None:
        """A request was answered: a little more often again."""
        with self._lock:
            self.rate = min(self._most, self.rate + RECOVERY * self._most)
