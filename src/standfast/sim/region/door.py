"""A manager's door with admission: production's `Intake` over blocks of droplets that want a lease.

A block is what the manager does in three ticks: few enough to be asked for one by one, and many to a time-out.
"""

from standfast.recovery.admission import Intake, Pace

_LEAST = 1e-6
_TICKS = 3.0


class Door:
    """Takes in blocks by number. `block`: how many droplets are one."""

    def __init__(self, rate: float, tick_s: float, timeout_s: float) -> None:
        self.block = max(1, int(_TICKS * rate * tick_s))
        self._timeout_s = timeout_s
        self._pace = Pace(rate / self.block, measured=False)
        self._intake: Intake[int] = Intake(self._pace)

    def works_at(self, rate: float, backlog: int) -> None:
        """So many leases a second can be made beside renewals, and so many droplets have none."""
        self._pace.rate = max(_LEAST, rate / self.block)
        self._intake.backlog = backlog // self.block

    def offer(self, number: int, now: float) -> float | None:
        """None if it is taken in; else after how many seconds it is to come again."""
        offer = self._intake.offer(number, now, now + self._timeout_s)
        return None if offer.admitted else offer.retry_after_s

    def next(self, now: float) -> tuple[int | None, tuple[int, ...]]:
        """Which block to do now, and which were turned out since they could not be finished in time."""
        work, out = self._intake.begin(now)
        return (None if work is None else work.key), tuple(one.key for one in out)

    def done(self, number: int, now: float) -> None:
        """It is done, or tried in vain."""
        self._intake.done(number, now)
