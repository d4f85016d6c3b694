"""EC2's droplet workflow managers: a lease on each physical host (droplet), kept by a state check every few minutes.

A check needs DynamoDB. A droplet whose lease has lapsed runs on, but nothing new is started on it. Each manager looks
after its own droplets with a queue and so many checks a second.

As built (published): with the whole fleet unleased, making a lease took longer than the work's time-out; work that had
timed out was queued again, and nothing came of it. Restarting a manager empties its queue; then work is let in slowly.

Droplets that were renewed in the same tick are one cohort, for they go on being treated alike. `apart` keeps each
droplet by itself instead: the same counts come out, droplet for droplet (a test compares).
"""

from collections import deque
from heapq import heapify, heappop, heappush

from msgspec import Struct

_ROUNDING = 1e-9


class Group:
    """Droplets with the same past: how many, when their check is due, and until when their lease runs."""

    __slots__ = ("count", "due", "leased", "order", "queued_at", "until")

    def __init__(self, count: int, due: float, until: float, order: int, *, leased: bool) -> None:
        self.count, self.due, self.until, self.order = count, due, until, order
        self.queued_at = due
        self.leased = leased

    def __lt__(self, other: "Group") -> bool:
        return (self.due, self.order) < (other.due, other.order)


class Leasing(Struct, frozen=True):
    """How managers work: a check of each droplet every `check_s`; a lease lasts `lease_s`; an attempt is given up after
    `timeout_s`; each makes `rate` leases a second, or renews one at `renewal` of that cost."""

    check_s: float
    lease_s: float
    timeout_s: float
    rate: float
    renewal: float
    tick_s: float


class Manager:
    """One manager: its droplets, and the queue of checks.

    `wasted` counts attempts that were over time when their turn came. `calm`: all is well and will be, so nothing has
    to be stepped through.
    """

    def __init__(self, how: Leasing, droplets: int, *, apart: bool = False) -> None:
        self.how, self.droplets = how, droplets
        self._apart = apart
        self.leased = droplets
        self.calm = True
        self.queue: deque[Group] = deque()
        self.queued = 0
        self.intake: float | None = None
        """How many unleased droplets a second are let in; None: everybody at once, as built."""
        self.done = self.wasted = self.failed = 0
        self._timers: list[Group] = []
        self._outside: deque[Group] = deque()
        self._order = 0
        self._room = self._allowed = 0.0

    @property
    def outside(self) -> int:
        """Unleased droplets that are held back at the door."""
        return sum(group.count for group in self._outside)

    # -- one tick ------------------------------------------------------------------------------------------------

    def step(self, now: float, *, reaches: bool) -> None:
        """A tick that ends now. `reaches`: whether its calls to DynamoDB get through."""
        if self.calm:
            if reaches:
                return
            self._wake(now)
        self._fall_due(now)
        self._let_in(now)
        self._work(now, reaches=reaches)
        if reaches and self.leased == self.droplets and not self.queue and self._all_fresh(now):
            self._rest()

    def restart(self, now: float) -> None:
        """Its queue is emptied; the unleased wait outside until they are let in."""
        while self.queue:
            self._outside.append(self.queue.popleft())
        self.queued = 0

    def _wake(self, now: float) -> None:
        """Droplets as they stand while all is well: their checks spread evenly over the interval."""
        self.calm = False
        places = max(1, round(self.how.check_s / self.how.tick_s))
        self._timers = []
        for place in range(places):
            count = self.droplets * (place + 1) // places - self.droplets * place // places
            due = now + place * self.how.tick_s
            self._put(count, due, due - self.how.check_s + self.how.lease_s)
        heapify(self._timers)

    def _put(self, count: int, due: float, until: float) -> None:
        for size in (1,) * count if self._apart else (count,) * (count > 0):
            self._order += 1
            heappush(self._timers, Group(size, due, until, self._order, leased=True))

    def _all_fresh(self, now: float) -> bool:
        return all(group.until - now >= self.how.lease_s - self.how.check_s for group in self._timers)

    def _rest(self) -> None:
        self.calm = True
        self._timers = []

    def _fall_due(self, now: float) -> None:
        """Checks whose time has come. Those of leased droplets always get in, and take their part of what may."""
        if self.intake is not None:
            self._allowed = min(self._allowed + self.intake * self.how.tick_s, self.intake * self.how.timeout_s)
        while self._timers and self._timers[0].due <= now:
            group = heappop(self._timers)
            self._lapse(group, now)
            if group.leased:
                self._allowed -= group.count * self.how.renewal
                self._enqueue(group, now)
            else:
                self._outside.append(group)

    def _enqueue(self, group: Group, now: float) -> None:
        group.queued_at = now
        self.queue.append(group)
        self.queued += group.count

    def _lapse(self, group: Group, now: float) -> None:
        if group.leased and group.until <= now:
            group.leased = False
            self.leased -= group.count

    def _let_in(self, now: float) -> None:
        while self._outside:
            group = self._outside[0]
            most = group.count if self.intake is None else int(self._allowed)
            if most <= 0:
                return
            part = self._split(self._outside, min(most, group.count))
            if self.intake is not None:
                self._allowed -= part.count
            self._enqueue(part, now)

    def _split(self, line: deque[Group], count: int) -> Group:
        """The first so many of a line; what is left of a cohort stays at its head."""
        group = line[0]
        if count >= group.count:
            return line.popleft()
        group.count -= count
        part = Group(count, group.due, group.until, group.order, leased=group.leased)
        part.queued_at = group.queued_at
        return part

    def _work(self, now: float, *, reaches: bool) -> None:
        self._room = min(self._room, 1.0) + self.how.rate * self.how.tick_s
        renewed = 0
        again: list[Group] = []
        while self.queue:
            first = self.queue[0]
            self._lapse(first, now)
            cost = self.how.renewal if first.leased else 1.0
            most = int(self._room / cost + _ROUNDING)
            if most <= 0:
                break
            part = self._split(self.queue, most)
            self._room -= part.count * cost
            self.queued -= part.count
            late = now - part.queued_at > self.how.timeout_s
            if late or not reaches:
                self.wasted += part.count if late else 0
                self.failed += 0 if late else part.count
                again.append(part)
                continue
            self.done += part.count
            renewed += part.count
            if not part.leased:
                self.leased += part.count
        if renewed:
            self._put(renewed, now + self.how.check_s, now + self.how.lease_s)
        for part in again:
            if reaches:  # over time: queued again, at the end
                self._enqueue(part, now)
            else:  # no answer: the next attempt is made when its next check is due
                part.due = now + self.how.check_s
                heappush(self._timers, part)
        self._expire(now)

    def _expire(self, now: float) -> None:
        """Leases run out while their droplets wait."""
        if self.leased == 0:
            return
        for line in (self.queue, self._outside, self._timers):
            for group in line:
                self._lapse(group, now)
