"""A machine's clocks as its processes see them: skewed, drifting, jumping. Virtual time itself is seen by nobody."""

from typing import Final

EPOCH_S: Final = 1_760_000_000.0
"""What a right wall clock shows when virtual time begins."""


class Clock:
    """Clocks of one machine. `rate` is its seconds per second of virtual time, `skew_s` the wall clock's error.

    A jump moves the wall clock either way. Forwards it moves the monotonic clock too, as for a machine that was
    suspended; backwards no monotonic clock goes (POSIX clock_gettime).
    """

    __slots__ = ("jumped_s", "rate", "skew_s", "suspended_s")

    def __init__(self, skew_s: float = 0.0, rate: float = 1.0) -> None:
        self.skew_s, self.rate = skew_s, rate
        self.jumped_s = self.suspended_s = 0.0

    def monotonic(self, at: float) -> float:
        """Seconds since some moment; never goes back."""
        return at * self.rate + self.suspended_s

    def wall(self, at: float) -> float:
        """Seconds since the epoch, as this machine believes."""
        return EPOCH_S + at * self.rate + self.skew_s + self.jumped_s

    def jump(self, seconds: float) -> None:
        """The wall clock is `seconds` further on from now on."""
        self.jumped_s += seconds
        if seconds > 0:
            self.suspended_s += seconds
