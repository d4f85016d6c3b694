"""How many requests an account may make: a bucket of tokens that fills at a rate."""

from __future__ import annotations

from collections.abc import Callable


class Bucket:
    """`rate` tokens a second, at most `burst` of them; a rate of 0 never runs dry.

    Source: Developer Guide, Quotas, "Quotas on API requests": so many requests per second for an account, whatever the
    operation; more are answered HTTP 400 with Throttling.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self.rate, self.burst, self.clock = rate, max(1, burst), clock
        self.left = float(self.burst)
        self.at = clock()

    def take(self) -> bool:
        """Whether one more request is within the limit now."""
        if self.rate <= 0:
            return True
        now = self.clock()
        self.left = min(float(self.burst), self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
