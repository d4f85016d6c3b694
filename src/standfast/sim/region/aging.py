"""How a lease ages: by the clock as it was built, or as production counts it (`recovery/lease.py`).

A cohort stands for droplets that were renewed in one tick, so it has one age. `Graced` is the production `Reach` with
the rules of the production `Book` for such cohorts; a test holds both together, droplet for droplet.
"""

from collections.abc import Iterable
from typing import Protocol

from standfast.recovery.lease import HEARD_SHARE, RENEWALS, Reach


class Renewed(Protocol):
    """A cohort: how many, when it was last renewed, and what time counted then."""

    count: int
    heard_at: float
    heard: float


class Aging:
    """As built: a lease ends `term_s` after its last renewal, whoever could not be reached meanwhile."""

    def __init__(self, term_s: float) -> None:
        self.term_s = term_s
        self.counted = 0.0

    def begin(self, now: float) -> None:
        """The manager is looked at from now on."""

    def tick(self, now: float, why: str, cohorts: Iterable[Renewed]) -> None:
        """A tick has passed; `why` its manager could not work, if so."""

    def ended(self, one: Renewed, now: float) -> bool:
        """Whether that lease is over."""
        return now - one.heard_at >= self.term_s


class Graced(Aging):
    """Only time counts in which the manager could work, and in which it heard most of its droplets."""

    def __init__(self, term_s: float, tick_s: float, droplets: int) -> None:
        super().__init__(term_s)
        self._tick_s, self._droplets = tick_s, droplets
        self._reach = Reach()
        self._anew = 0.0
        self._away_since: float | None = None

    def begin(self, now: float) -> None:
        """Until now all was well, and every droplet was heard."""
        self._reach = Reach(self.counted, now - self._tick_s)
        self._away_since = None

    def tick(self, now: float, why: str, cohorts: Iterable[Renewed]) -> None:
        """As `Book.tick`."""
        if not why:
            heard = sum(one.count for one in cohorts if now - one.heard_at < self.term_s)
            if heard < HEARD_SHARE * self._droplets:
                why = f"only {heard} of {self._droplets} droplets are heard"
        last = self._reach.at
        self._reach = self._reach.ticked(now, self._tick_s, why)
        self.counted = self._reach.counted
        if self._reach.why:
            self._away_since = last if self._away_since is None else self._away_since
            return
        if self._away_since is not None and last is not None and last - self._away_since > self.term_s / RENEWALS:
            self._anew = self.counted
        self._away_since = None

    def ended(self, one: Renewed, now: float) -> bool:
        """As `Book` ends a lease."""
        if self._reach.why or now - one.heard_at < self.term_s:
            return False
        return self.counted - max(one.heard, self._anew) >= self.term_s
