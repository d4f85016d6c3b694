"""A queue of work in cohorts: so many pieces that came at one moment, first come first served, with its books.

As built, a service takes everything in and works in the order of arrival. Whoever asked gives up after a while; what
has been given up stays in the queue all the same and is worked off in vain. That is all that congestive collapse needs.
"""

from collections import deque

from .day import Account

_NOTHING = 1e-9


class Cohort:
    """Pieces of work that came together."""

    __slots__ = ("came_at", "count")

    def __init__(self, came_at: float, count: float) -> None:
        self.came_at, self.count = came_at, count


class Flow:
    """First in, first out. Counts may be fractions: they are rates times seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cohorts: deque[Cohort] = deque()
        self.waiting = self.came = self.done = self.given_up = self.refused = 0.0

    def take_in(self, now: float, count: float) -> None:
        """So many more."""
        if count <= 0.0:
            return
        self.came += count
        self.waiting += count
        if self.cohorts and self.cohorts[-1].came_at == now:
            self.cohorts[-1].count += count
        else:
            self.cohorts.append(Cohort(now, count))

    def turn_away(self, count: float) -> None:
        """They were refused at the door: nothing was spent on them."""
        self.came += count
        self.refused += count

    def work(self, room: float) -> list[tuple[float, float]]:
        """Do so many, oldest first: when they came, and how many each."""
        found = []
        while room > _NOTHING and self.cohorts:
            first = self.cohorts[0]
            count = min(room, first.count)
            room -= count
            first.count -= count
            found.append((first.came_at, count))
            if first.count <= _NOTHING:
                self.cohorts.popleft()
        total = sum(count for _, count in found)
        self.done += total
        self.waiting = max(0.0, self.waiting - total) if self.cohorts else 0.0
        return found

    def give_up(self, before: float) -> float:
        """Those that came before that moment leave without being served: how many."""
        gone = 0.0
        while self.cohorts and self.cohorts[0].came_at < before:
            gone += self.cohorts.popleft().count
        return self._gone(gone)

    def clear(self) -> float:
        """Somebody restarts it: what waited is lost to it. How many."""
        gone = sum(cohort.count for cohort in self.cohorts)
        self.cohorts.clear()
        return self._gone(gone)

    def _gone(self, count: float) -> float:
        self.given_up += count
        self.waiting = max(0.0, self.waiting - count) if self.cohorts else 0.0
        return count

    def oldest_s(self, now: float) -> float:
        """How long the first has waited."""
        return now - self.cohorts[0].came_at if self.cohorts else 0.0

    @property
    def account(self) -> Account:
        """The books."""
        return Account(self.name, self.came, self.done, self.given_up, self.refused, self.waiting)
