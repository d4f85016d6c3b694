"""EC2's droplet workflow managers: a lease on each physical host (droplet), kept by a state check every few minutes.

A check needs DynamoDB. A droplet whose lease has lapsed runs on, but nothing new is started on it. Each manager looks
after its own droplets with a queue and so many checks a second.

As built (published): with the whole fleet unleased, making a lease took longer than the work's time-out; work that had
timed out was queued again, and nothing came of it. Restarting a manager empties its queue; then work is let in slowly.
With a `door` what cannot be finished in time is not let in, and comes again when the door says.

Droplets that were renewed in the same tick are one cohort, for they go on being treated alike. `apart` keeps each
droplet by itself instead: the same counts come out, droplet for droplet (a test compares).
"""

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import inf

from msgspec import Struct

from .aging import Aging
from .door import Door

_ROUNDING = 1e-9


class Group:
    """Droplets with the same past: how many, when they were last renewed (`heard` is the time that counted then), and
    when their next check is due."""

    __slots__ = ("count", "due", "heard", "heard_at", "leased", "order", "queued_at")

    def __init__(self, count: int, due: float, order: int, heard_at: float, heard: float, *, leased: bool) -> None:
        self.count, self.due, self.order, self.leased = count, due, order, leased
        self.heard_at, self.heard, self.queued_at = heard_at, heard, due

    def __lt__(self, other: "Group") -> bool:
        return (self.due, self.order) < (other.due, other.order)


class Leasing(Struct, frozen=True):
    """How managers work: a check of each droplet every `check_s`; an attempt is given up after `timeout_s`; each makes
    `rate` leases a second, or renews one at `renewal` of that cost."""

    check_s: float
    timeout_s: float
    rate: float
    renewal: float
    tick_s: float


class Manager:
    """One manager: its droplets, and the queue of checks.

    `wasted` counts attempts that were over time when their turn came. `calm`: all is well and will be, so nothing has
    to be stepped through.
    """

    def __init__(
        self, how: Leasing, droplets: int, aging: Aging, door: Door | None = None, *, apart: bool = False
    ) -> None:
        self.how, self.droplets = how, droplets
        self._aging, self._door, self._apart = aging, door, apart
        self.leased = droplets
        self.calm = True
        self.queue: deque[Group] = deque()
        self.queued = 0
        self.intake: float | None = None
        """How much work a second is let in after a restart; None: everybody at once, as built."""
        self.done = self.wasted = self.failed = 0
        self._timers: list[Group] = []
        self._outside: deque[Group] = deque()
        self._inside: dict[int, Group] = {}
        self._order = 0
        self._room = self._allowed = 0.0
        self._next_end = -inf

    @property
    def in_time(self) -> bool:
        """Whether work that comes now is done before it is given up."""
        return self.calm or self.queued * self._cost <= self.how.rate * self.how.timeout_s

    @property
    def _cost(self) -> float:
        return 1.0 if self.leased < self.droplets and self._door is None else self.how.renewal

    @property
    def _groups(self) -> Iterator[Group]:
        for line in (self.queue, self._outside, self._timers, self._inside.values()):
            yield from line

    @property
    def count(self) -> int:
        """Droplets by the lines they stand in: as many as there are, always."""
        return self.droplets if self.calm else sum(group.count for group in self._groups)

    # -- one tick ------------------------------------------------------------------------------------------------

    def step(self, now: float, *, reaches: bool) -> None:
        """A tick that ends now. `reaches`: whether its calls to DynamoDB get through."""
        if self.calm:
            if reaches:
                return
            self._wake(now)
        self._aging.tick(now, "" if reaches else "DynamoDB cannot be reached", self._groups)
        self._fall_due(now)
        self._let_in(now)
        self._work(now, reaches=reaches)
        self._end(now)
        if reaches and self.leased == self.droplets and not self.queue and not self._inside and self._all_fresh(now):
            self.calm, self._timers = True, []

    def restart(self, now: float) -> None:
        """Its queue is emptied; the unleased wait outside until they are let in."""
        while self.queue:
            self._outside.append(self.queue.popleft())
        self.queued = 0

    def _wake(self, now: float) -> None:
        """Droplets as they stand while all is well: their checks spread evenly over the interval."""
        self.calm = False
        self._aging.begin(now)
        places = max(1, round(self.how.check_s / self.how.tick_s))
        for place in range(places):
            count = self.droplets * (place + 1) // places - self.droplets * place // places
            due = now + place * self.how.tick_s
            self._put(count, due, due - self.how.check_s)
        heapify(self._timers)
        self._next_end = -inf

    def _put(self, count: int, due: float, heard_at: float) -> None:
        """Renewed then."""
        for size in (1,) * count if self._apart else (count,) * (count > 0):
            self._order += 1
            heappush(self._timers, Group(size, due, self._order, heard_at, self._aging.counted, leased=True))

    def _all_fresh(self, now: float) -> bool:
        return all(now - group.heard_at <= self.how.check_s for group in self._timers)

    def _fall_due(self, now: float) -> None:
        """Checks whose time has come. Those of leased droplets always get in, and take their part of what may."""
        if self.intake is not None:
            self._allowed = min(self._allowed + self.intake * self.how.tick_s, self.intake * self.how.timeout_s)
        while self._timers and self._timers[0].due <= now:
            group = heappop(self._timers)
            if not group.leased:
                self._outside.append(group)
                continue
            self._allowed -= group.count * self.how.renewal
            self._enqueue(group, now)

    def _enqueue(self, group: Group, now: float) -> None:
        group.queued_at = now
        self.queue.append(group)
        self.queued += group.count

    def _let_in(self, now: float) -> None:
        if self._door is not None:
            self._knock(now, self._door)
            return
        while self._outside:
            group = self._outside[0]
            most = group.count if self.intake is None else int(self._allowed)
            if most <= 0:
                return
            part = self._split(self._outside, min(most, group.count))
            if self.intake is not None:
                self._allowed -= part.count
            self._enqueue(part, now)

    def _knock(self, now: float, door: Door) -> None:
        """Whoever stands outside asks to be let in, block by block."""
        spare = self.how.rate - self.leased * self.how.renewal / self.how.check_s
        door.works_at(spare, self.droplets - self.leased)
        while self._outside:
            part = self._split(self._outside, min(door.block, self._outside[0].count))
            self._order += 1
            part.order = self._order
            wait_s = door.offer(part.order, now)
            if wait_s is None:
                part.queued_at = now
                self._inside[part.order] = part
            else:
                part.due = now + wait_s
                heappush(self._timers, part)

    def _split(self, line: deque[Group], count: int) -> Group:
        """The first so many of a line; what is left of a cohort stays at its head."""
        group = line[0]
        if count >= group.count:
            return line.popleft()
        group.count -= count
        part = Group(count, group.due, group.order, group.heard_at, group.heard, leased=group.leased)
        part.queued_at = group.queued_at
        return part

    def _work(self, now: float, *, reaches: bool) -> None:
        self._room = min(self._room, 1.0) + self.how.rate * self.how.tick_s
        renewed = 0
        again: list[Group] = []
        for part in self._turns(now):
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
            self._put(renewed, now + self.how.check_s, now)
        for part in again:
            if reaches and self._door is None:  # over time: queued again, at the end
                self._enqueue(part, now)
            else:  # no answer: the next attempt is made when its next check is due
                part.due = now + self.how.check_s
                heappush(self._timers, part)

    def _turns(self, now: float) -> Iterator[Group]:
        """What is worked on in this tick: the queue, then who was let in by the door."""
        while self.queue:
            first = self.queue[0]
            cost = self.how.renewal if first.leased else 1.0
            most = int(self._room / cost + _ROUNDING)
            if most <= 0:
                return
            part = self._split(self.queue, most)
            self._room -= part.count * cost
            self.queued -= part.count
            yield part
        while self._door is not None and self._room >= 1.0:
            number, out = self._door.next(now)
            for other in out:
                self._outside.append(self._inside.pop(other))
            if number is None:
                return
            part = self._inside.pop(number)
            self._room -= part.count
            self._door.done(number, now)
            yield part

    def _end(self, now: float) -> None:
        """Leases run out while their droplets wait. None can before the earliest was last renewed a term ago."""
        if self.leased == 0 or now < self._next_end:
            return
        earliest = inf
        for group in self._groups:
            if not group.leased:
                continue
            if self._aging.ended(group, now):
                group.leased = False
                self.leased -= group.count
            else:
                earliest = min(earliest, group.heard_at)
        self._next_end = min(earliest, now) + self._aging.term_s
