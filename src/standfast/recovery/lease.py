"""Leases: who holds one, and who lost it. Pure; `now` is a registry's own monotonic seconds.

Whoever holds a lease is there; whoever stopped renewing is not. But silence has two ends, so that

Rule 1.  The age of a lease counts only time during which the registry itself could be reached: it ran without standing
         still, could reach its store, and turned nobody away.
Rule 2.  No time counts while fewer than half of the holders are heard: then the registry is rather cut off than they
         are gone. (Eureka stops evicting below 85 % of the expected renewals, for the same reason.)
Rule 3.  A registry that starts, takes leases over, or was out of reach for longer than the pause between two renewals
         has to hear everybody anew: each gets a whole term from then on. Where a term is shorter than the pause that
         those who went unanswered may make by now, they get as long as that.
Rule 4.  Only the registry that holds a lease ends it. What it holds is told by `number`: of two, the higher one counts.

A lease that ends is never silent about it: `tick` returns it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

from msgspec import Struct

HEARD_SHARE: Final = 0.5
STALL_TIMES: Final = 3.0
"""A gap between two ticks of more than so many tick lengths means that the registry itself stood still."""
RENEWALS: Final = 4
"""Renewals in a term: three in a row may be lost."""
AWAY_TIMES: Final = 5.0
"""Who went unanswered for some time, and doubles its pauses, asks again within so many times that time."""
PACE_SHARE: Final = 0.5
"""Renewals use at most this share of what a registry can do; the rest is for those who come back."""

W = TypeVar("W")


class Lease(Struct, Generic[W], frozen=True, gc=False):
    """`holder` holds it under `number`; `what` it said of itself last. `heard` is reachable time, in seconds."""

    holder: str
    number: int
    what: W
    heard: float = 0.0


class Renewed(Struct, Generic[W], frozen=True, gc=False):
    """What a renewal did: `granted` (it was no holder before), `changed` (it says other things of itself)."""

    lease: Lease[W]
    granted: bool
    changed: bool


class Reach(Struct, frozen=True):
    """Time during which the registry could be reached: `counted` seconds up to `at`; `why` it does not count now."""

    counted: float = 0.0
    at: float | None = None
    why: str = ""

    def ticked(self, now: float, tick_s: float, why: str = "") -> "Reach":
        """It is `now`; `why` is empty if the registry could be reached ever since the tick before."""
        if self.at is None:
            return Reach(self.counted, now, why or "it has just started")
        gap = now - self.at
        if not why and gap > STALL_TIMES * tick_s:
            why = f"it stood still for {gap:.1f} s"
        return Reach(self.counted if why else self.counted + max(0.0, gap), now, why)


class Book(Generic[W]):
    """The leases of one registry.

    `term_s`: a holder unheard for so long, in time that counts, has lost its lease. `tick_s`: how often `tick` is
    called. `again_s`: within this a holder that is there and went unanswered for long asks again. Renewing
    is O(1), a tick costs what ended.
    """

    def __init__(self, term_s: float, tick_s: float = 1.0, again_s: float = 0.0) -> None:
        self.term_s, self.tick_s, self.again_s = term_s, tick_s, again_s
        self.reach = Reach()
        self.highest = 0
        self._anew = 0.0  # no lease is older than this, in time that counts (rule 3)
        self._away_since: float | None = None
        self._leases: dict[str, Lease[W]] = {}
        self._fresh: OrderedDict[str, float] = OrderedDict()  # heard within a term of now, the longest ago first
        self._silent: OrderedDict[str, None] = OrderedDict()  # the others, the same

    def __len__(self) -> int:
        return len(self._leases)

    def __contains__(self, holder: object) -> bool:
        return holder in self._leases

    def __iter__(self) -> Iterator[Lease[W]]:
        return iter(self._leases.values())

    def get(self, holder: str) -> Lease[W] | None:
        """Its lease; None if it has none."""
        return self._leases.get(holder)

    @property
    def heard(self) -> int:
        """How many were heard within the last term."""
        return len(self._fresh)

    @property
    def silent(self) -> int:
        """How many were not."""
        return len(self._silent)

    def restore(self, leases: Iterable[Lease[W]]) -> None:
        """Take over what was stored, by whoever was away for nobody knows how long (rule 3)."""
        anew = self.reach.counted + max(0.0, self.again_s - self.term_s)
        for lease in leases:
            self.forget(lease.holder)
            self._leases[lease.holder] = Lease(lease.holder, lease.number, lease.what, anew)
            self._silent[lease.holder] = None
            self.highest = max(self.highest, lease.number)

    def renew(self, holder: str, what: W, now: float) -> Renewed[W]:
        """Heard from this holder; grants if it has no lease."""
        before = self._leases.get(holder)
        self.highest += before is None
        number = self.highest if before is None else before.number
        lease = self._leases[holder] = Lease(holder, number, what, self.reach.counted)
        self._silent.pop(holder, None)
        self._fresh[holder] = now
        self._fresh.move_to_end(holder)
        return Renewed(lease, before is None, before is None or before.what != what)

    def forget(self, holder: str) -> Lease[W] | None:
        """It signed off, or another registry holds it (rule 4). Returns what it held."""
        self._fresh.pop(holder, None)
        self._silent.pop(holder, None)
        return self._leases.pop(holder, None)

    def tick(self, now: float, why: str = "") -> tuple[Lease[W], ...]:
        """The leases that end now, oldest first. `why` the registry could not be reached since the last tick, if so."""
        while self._fresh:
            holder, at = next(iter(self._fresh.items()))
            if now - at < self.term_s:
                break
            del self._fresh[holder]
            self._silent[holder] = None
        if not why and len(self._fresh) < HEARD_SHARE * len(self._leases):
            why = f"only {len(self._fresh)} of {len(self._leases)} holders are heard"
        last = self.reach.at
        self.reach = self.reach.ticked(now, self.tick_s, why)
        if self.reach.why:
            self._away_since = last if self._away_since is None else self._away_since
            return ()
        away_s = last - self._away_since if self._away_since is not None and last is not None else 0.0
        if away_s > self.term_s / RENEWALS:
            again_s = min(self.again_s, AWAY_TIMES * away_s)
            self._anew = max(self._anew, self.reach.counted + max(0.0, again_s - self.term_s))
        self._away_since = None
        return tuple(self._ended())

    def _ended(self) -> Iterator[Lease[W]]:
        while self._silent:
            lease = self._leases[next(iter(self._silent))]
            if self.reach.counted - max(lease.heard, self._anew) < self.term_s:
                return
            self.forget(lease.holder)
            yield lease


def paced(holders: int, rate: float, term_s: float) -> tuple[float, float]:
    """How often each holder shall renew, and how long a term is then, in seconds.

    Four renewals in a term of `term_s`, unless so many holders would use more than half of what the registry does in
    a second (`rate`): then all of them less often, and the term is as much longer.
    """
    pause = max(term_s / RENEWALS, holders / (PACE_SHARE * rate))
    return pause, max(term_s, RENEWALS * pause)
