"""When to try again, and when not to. Pure: `now` is monotonic seconds, `chance` a number in [0, 1) that was drawn.

Retries multiply load just when there is least room for it. So they are few in proportion to first attempts (the
retry budget of the SRE book, chapter 22, and of Finagle), spread at random over a growing interval ("full jitter",
M. Brooker, 2015), and never before the moment that the other side asked for (RFC 9110 §10.2.3).
"""

from math import inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

SHARE: Final = 0.1
"""Retries for each first attempt."""
FLOOR_PER_S: Final = 0.1
"""Who asks seldom may still retry every ten seconds."""
KEPT_MAX: Final = 10.0
"""What was not used is kept for so many retries at most: an hour of quiet does not buy a storm."""
RETRY_AFTER_MAX_S: Final = 3600.0
"""Whatever the other side says, nobody is silent for longer than this."""

_ROUNDING: Final = 1e-6


class RetryBudget(Struct, frozen=True):
    """Retries at most `share` of first attempts plus `floor_per_s`; `left` of them now, as of `at`."""

    share: float = SHARE
    floor_per_s: float = FLOOR_PER_S
    kept_max: float = KEPT_MAX
    left: float = 1.0
    at: float | None = None

    def __post_init__(self) -> None:
        if not (0.0 <= self.share < inf and 0.0 <= self.floor_per_s < inf and 0.0 <= self.kept_max < inf):
            raise ValueError(f"share, floor_per_s and kept_max are 0 or more, and finite: {self!r}")
        if not -inf < self.left < inf:
            raise ValueError(f"left is finite, not {self.left}")

    def attempted(self, now: float) -> "RetryBudget":
        """A first attempt is made."""
        filled = self.filled(now)
        return replace(filled, left=min(self.kept_max, filled.left + self.share))

    def filled(self, now: float) -> "RetryBudget":
        """As of `now`."""
        gained = 0.0 if self.at is None else max(0.0, now - self.at) * self.floor_per_s
        return replace(self, left=min(self.kept_max, self.left + gained), at=now)

    def retried(self, now: float) -> "RetryBudget | None":
        """One retry less; None if there is none left: then it is not made."""
        filled = self.filled(now)
        return replace(filled, left=max(0.0, filled.left - 1.0)) if filled.left >= 1.0 - _ROUNDING else None

    def wait_s(self, now: float) -> float:
        """Seconds until the floor alone has filled up one retry; infinite if it never does."""
        filled = self.filled(now)
        if filled.left >= 1.0 - _ROUNDING:
            return 0.0
        return (1.0 - filled.left) / self.floor_per_s if self.floor_per_s > 0.0 and self.kept_max >= 1.0 else inf


def pause_s(attempt: int, chance: float, base_s: float, most_s: float, least_s: float = 0.0) -> float:
    """Seconds before retry number `attempt` (from 0): at random up to `base_s` doubled each time, `most_s` at most.

    `least_s` is what the other side asked for; the random part comes on top of it, and is then no less than `base_s`
    wide, for it asked others for the same.
    """
    wide = min(most_s, base_s * 2.0 ** min(attempt, 30))
    return min(max(0.0, least_s), RETRY_AFTER_MAX_S) + chance * wide
