"""How often this process asks Route 53: a bucket of turns, slower when AWS throttles and slowly faster again.

AWS counts the requests of a whole account, other tools' too, so a rate of ours is a good neighbour's, not a right. What
the configuration grants is for all enactors together: each keeps to its part of it (`allot`), as far as it knows of the
others. Where it does not know, AWS's throttling tells each of them alike: it halves, and recovers by small steps.

What looks after the zone in the background takes turns that are left over, at half the rate, and never the last ones:
so what is urgent finds the bucket full but for one.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

SLOWEST: Final = 0.1
"""Requests a second, however hard AWS throttles."""
RECOVERY: Final = 0.05
"""By this part of the configured rate it grows with each request that went well."""
SPARE_PART: Final = 0.5
"""The part of the rate that the background may use at most."""


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
        self._granted, self._granted_burst = rate, max(1, burst)
        self._most, self._burst = rate, float(self._granted_burst)
        self._background = 1.0
        self._clock, self._sleep = clock, sleep
        self.rate = rate
        self._turns, self._at = self._burst, clock()
        self._spared_at = -float("inf")
        self._ends: threading.Event | None = None
        self._lock = threading.Lock()

    @property
    def standing(self) -> str:
        """A clause for people."""
        return f"asking {self.rate:.2g} times a second now, of {self._granted:g}"

    def allot(self, part: float, background: float) -> None:
        """Keep to this part of what the configuration grants, from now on, and in the background to this part of what
        is left over. There is at least one turn at once."""
        with self._lock:
            self._refill()
            part = min(1.0, max(part, 1e-6))
            slowed = self.rate / self._most
            self._background = background
            self._most = self._granted * part
            self._burst = max(1.0, self._granted_burst * part)
            self.rate = max(min(SLOWEST, self._most), self._most * slowed)
            self._turns = min(self._turns, self._burst)

    def end_with(self, stop: threading.Event) -> None:
        """Once that is set nobody waits for a turn any more: who ends asks nothing, but what is under way."""
        self._ends = stop

    @property
    def ending(self) -> bool:
        """Whether this process ends."""
        return self._ends is not None and self._ends.is_set()

    def turn(self, patience_s: float, *, last: bool = False) -> bool:
        """Wait for a turn; False if that would take longer than `patience_s` (then none is taken). Who ends has none,
        but at once for a change whose intent is written, the `last` thing that it does."""
        if self.ending:
            return last
        with self._lock:
            self._refill()
            wait = max(0.0, (1.0 - self._turns) / self.rate)
            if wait > patience_s:
                return False
            self._turns -= 1.0
        if wait and self._ends is not None:
            return not self._ends.wait(wait) or last
        if wait:
            self._sleep(wait)
        return True

    def spare(self) -> bool:
        """Whether a request of the background may go now; the next one may then go a while later."""
        with self._lock:
            self._refill()
            between = 1.0 / (min(self.rate, self._granted * self._background) * SPARE_PART)
            if self._turns < self._burst or self._at - self._spared_at < between:
                return False
            self._spared_at = self._at
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

    def _refill(self) -> None:
        now = self._clock()
        self._turns = min(self._burst, self._turns + (now - self._at) * self.rate)
        self._at = now
