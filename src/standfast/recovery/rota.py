"""Whose turn it is to be checked, and whether the checker keeps up. Deterministic; `now` is an argument.

Everybody has one turn at a time, due an interval after the check before began. Of those that are due the one due first
goes first, so that whoever waits longest is next: when checks can't be finished in their interval everybody is checked
less often, and nobody is left out. A newcomer is due at once, which is behind all that wait already: replacing
targets, however many, takes no turn from anybody and queues nothing twice.

A check that took much longer than its time-out, or during which the checker itself stood still, tells about the checker
and not about the other side: it is late, and late is no evidence.
"""

import heapq
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

LATE_TIMES: Final = 1.5
"""A check bounds itself by 1.25 × its time-out; beyond 1.5 the delay was here."""
STALL_SHARE: Final = 0.5
"""Who stood still for half of a time-out did not give the other side its time."""
BEHIND_SHARE: Final = 0.5
CAUGHT_UP_SHARE: Final = 0.1
STRETCH_MAX: Final = 4.0
"""The interval is taken to be at most so many times as long; who is checked less often than that becomes unknown."""


class Rota:
    """Who is due when. `interval_s` is the wanted time from check to check."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._queue: list[tuple[float, int, str]] = []
        self._due: dict[str, tuple[float, int]] = {}
        self._running: set[str] = set()
        self._count = 0
        self._behind_s = 0.0

    def add(self, name: str, now: float) -> None:
        """Due at once; a running check of an earlier target of that name does not count for it."""
        self._running.discard(name)
        self._put(name, now)

    def remove(self, name: str) -> None:
        """It shall not be checked any more."""
        self._due.pop(name, None)
        self._running.discard(name)

    def started(self, name: str) -> None:
        """Its check is under way."""
        self._due.pop(name, None)
        self._running.add(name)

    def finished(self, name: str, began: float, pause_s: float, now: float) -> None:
        """Its check is over; the next is due `pause_s` (the interval with its jitter) after this one began."""
        if name in self._running:
            self._running.discard(name)
            self._put(name, max(began + pause_s, now))

    def next(self, now: float) -> str | None:
        """Whose turn it is; None if nobody is due."""
        when = self.next_at()
        return self._queue[0][2] if when is not None and when <= now else None

    def next_at(self) -> float | None:
        """When somebody is due; None if nobody waits."""
        while self._queue and self._due.get(self._queue[0][2]) != self._queue[0][:2]:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def behind(self, now: float) -> float:
        """By how many seconds the checker is late, 0 while it keeps up.

        Told from half an interval on, until it has caught up to a tenth: what is true at every second look is no news.
        """
        first = self.next_at()
        late = max(0.0, now - first) if first is not None else 0.0
        least = CAUGHT_UP_SHARE if self._behind_s else BEHIND_SHARE
        self._behind_s = late if late > least * self._interval_s else 0.0
        return self._behind_s

    def waiting(self, now: float) -> int:
        """How many are due and not under way."""
        return sum(when <= now for when, _ in self._due.values())

    def pace_s(self, now: float) -> float:
        """How far apart the checks of one load balancer really are, as far as that may be stretched."""
        return min(self._interval_s + self.behind(now), STRETCH_MAX * self._interval_s)

    def _put(self, name: str, due: float) -> None:
        self._count += 1
        self._due[name] = (due, self._count)
        heapq.heappush(self._queue, (due, self._count, name))


class Stall(Struct, frozen=True):
    """The checker stood still for `seconds`, until `at`."""

    at: float
    seconds: float


def too_late(began: float, finished: float, timeout_s: float, stalls: Iterable[Stall] = ()) -> str:
    """Why a check of that duration says nothing about the other side; empty if it does."""
    stalled = sum(one.seconds for one in stalls if one.at >= began and one.at - one.seconds <= finished)
    if stalled > STALL_SHARE * timeout_s:
        return f"this machine stood still for {stalled:.1f} s meanwhile"
    if finished - began > LATE_TIMES * timeout_s:
        return f"it took this machine {finished - began:.1f} s, with a time-out of {timeout_s:g} s"
    return ""
