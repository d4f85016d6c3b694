"""Admission: what cannot be finished before its deadline is refused at the door. Pure; `now` is seconds.

A server that begins whatever comes spends its time, once it is late, on work whose clients have gone: the later it
is, the less it finishes, and clients that try again make it later (DynamoDB 2015, EC2's droplets in October 2025).

Rule 1.  Inside is only what finishes in time in *whatever* order: a newcomer enters if everybody inside and itself can
         be finished before the first deadline of all who wait. So a queue uses at most half of its clients' patience.
Rule 2.  Who is refused is told when to come: refusals hand out appointments, one after another at the pace of the
         work, and not one moment for all.
Rule 3.  Nothing is begun that can't finish any more. If work turns out slower than it was measured, whoever cannot
         make it is turned out unbegun, and the pace is measured anew.
Rule 4.  While people wait for long, the newest goes first: its client is the likeliest to be there still (CoDel's
         standing queue, RFC 8289 §3; "adaptive LIFO", B. Maurer, Fail at Scale, 2015). Rule 1 holds for the others.
Rule 5.  Tenants enter and take turns fairly (`fairness`).
Rule 6.  A pace that was once taken for next to nothing shuts nobody out for ever: while nobody is inside, one is let in
         now and then whatever the pace says, and what it took is believed.

Use: `offer` at the door, `begin` whenever there is room to work, `done` at its end. `docs/recovery.md` has reasons.
"""

import heapq
from collections import OrderedDict
from collections.abc import Hashable
from math import ceil, floor, inf, isfinite, isnan
from typing import Final, Generic, TypeVar

from msgspec import Struct

from .fairness import Fair
from .retrying import RetryBudget, pause_s
from .slowstart import SlowStart

__all__ = ["Fair", "Intake", "Offer", "Pace", "RetryBudget", "SlowStart", "Work", "pause_s"]

TARGET_S: Final = 0.1
INTERVAL_S: Final = 0.5
RETRY_AFTER_LEAST_S: Final = 1.0
RETRY_AFTER_MOST_S: Final = 60.0
OVERBOOKED: Final = 1.02
"""Appointments are given a little faster than the work is known to go: an idle hand costs all of its time. Only a
little: who is refused again costs a sixth of being served, and with a tenth too many a whole fleet took 7 % longer."""
ROOM_MAX: Final = 100_000
MEASURE_S: Final = 0.5
ROW_LEAST: Final = 8
BEST_HALF_S: Final = 30.0
TRY_S: Final = 1.0
"""So seldom is somebody let in whom the pace would refuse (rule 6)."""
_FASTEST: Final = 1e9
FALL, RISE = 0.5, 0.4
"""How far one measurement moves what is believed of the pace: down quickly, up slowly."""
_ROUNDING: Final = 1e-9
_LEFT_IN: Final = 64
"""So many deadlines of people who wait no longer may lie among those of the others."""

K = TypeVar("K", bound=Hashable)


class Work(Struct, Generic[K], frozen=True):
    """Something to be done for `tenant` before `deadline`; it came at `arrived`."""

    key: K
    tenant: str
    arrived: float
    deadline: float


class Offer(Struct, frozen=True, gc=False):
    """Admitted, or refused with `why` and the seconds after which to come again."""

    admitted: bool
    retry_after_s: float = 0.0
    why: str = ""


class Pace:
    """How much is done in a second when there is always something to do: measured, not declared.

    Only times count in which every worker was busy throughout, or somebody waited: who waits for work is not slow.
    Short rows are added up until they tell something: else a pace that was once taken for slow would admit so little
    that no longer row ever came. `best` is what it was lately: to turn a crowd away takes time too, and what is done
    meanwhile tells little of what will be done when they come back.
    """

    def __init__(self, rate: float, *, measured: bool = True) -> None:
        if not (isfinite(rate) and rate > 0.0):
            raise ValueError(f"a pace is above 0 and finite, not {rate}")
        self.rate = rate
        self.best = rate
        self.measured = measured
        self._learned_at: float | None = None
        self._since: float | None = None
        self._count, self._took = 0, 0.0

    def busy(self, now: float, saturated: bool) -> None:
        """Whether all workers are busy, from now on."""
        if saturated and self._since is None:
            self._since = now
        elif not saturated and self._since is not None:
            self._took += now - self._since
            self._since = None
            if self._count >= ROW_LEAST:
                self._learn(now)

    def done(self, now: float) -> None:
        """Something was finished."""
        if self._since is None:
            return
        self._count += 1
        if self._took + now - self._since >= MEASURE_S:
            self._took += now - self._since
            self._since = now
            self._learn(now)

    def observed(self, count: int, busy_s: float, now: float) -> None:
        """So many were done in so much time in which there was work: for who measures elsewhere."""
        if self.measured and count >= ROW_LEAST and busy_s > 0.0:
            self._believe(count / busy_s, now)

    def tried(self, seen: float, now: float) -> None:
        """One that was let in to see (rule 6) went at this pace: news only if it is a better one."""
        if self.measured and seen > self.rate:
            self._believe(seen, now)

    def _learn(self, now: float) -> None:
        if self.measured and self._took > 0.0:
            self._believe(self._count / self._took, now)
        self._count, self._took = 0, 0.0

    def _believe(self, seen: float, now: float) -> None:
        if seen > 0.0:
            seen = min(seen, _FASTEST)
            self.rate += (FALL if seen < self.rate else RISE) * (seen - self.rate)
            faded = 0.0 if self._learned_at is None else max(0.0, now - self._learned_at)
            self.best, self._learned_at = max(self.rate, self.best * 0.5 ** (faded / BEST_HALF_S)), now


class Intake(Generic[K]):
    """The door and the waiting room of something that does `pace.rate` things a second, `workers` at a time.

    `least_s` is what each takes beyond its share of the pace (a batch that has to fill). `backlog` is how many are
    known to be out there at most; appointments are not given further ahead than they need, and none sooner than
    `soonest_s`. Without `measuring` the
    caller tells the pace when it is busy: where work queues before it comes to this door. Raises ValueError for what
    is no number or makes no sense.
    """

    def __init__(
        self,
        pace: Pace,
        workers: int = 1,
        *,
        least_s: float = 0.0,
        target_s: float = TARGET_S,
        interval_s: float = INTERVAL_S,
        room_max: int = ROOM_MAX,
        soonest_s: float = RETRY_AFTER_LEAST_S,
        fair: Fair[str] | None = None,
        measuring: bool = True,
    ) -> None:
        _sensible(workers, room_max, least_s, soonest_s)
        self.pace, self.workers, self.least_s = pace, workers, least_s
        self.backlog: int | None = None
        self.newest_first = False
        self.running = 0
        self._target_s, self._interval_s, self.room_max = target_s, interval_s, room_max
        self._soonest_s = soonest_s
        self._measuring = measuring
        self._fair = fair if fair is not None else Fair()
        self._queues: dict[str, OrderedDict[K, Work[K]]] = {}
        self._inside: dict[K, Work[K]] = {}
        self._numbers: dict[K, int] = {}  # of those who wait
        self._deadlines: list[tuple[float, int, K]] = []  # theirs; who waits no longer is left in until found
        self._count = 0
        self._long_since: float | None = None
        self._next_free = -inf
        self._try_at = -inf
        self._trial: tuple[K, float] | None = None

    @property
    def waiting(self) -> int:
        """How many were admitted and are not begun."""
        return len(self._numbers)

    def room(self, now: float, deadline: float) -> int:
        """How many places there are, those taken included, for work that has to be finished by `deadline` (rule 1)."""
        first = min(deadline, self._first_deadline(now))
        spare = (first - now - self.least_s) * self.pace.rate / self.workers + _ROUNDING
        rounds = floor(max(0.0, min(spare, self.room_max)))
        return max(0, min(rounds * self.workers, self.room_max))

    def offer(self, key: K, now: float, deadline: float, tenant: str = "") -> Offer:
        """Somebody is at the door; a deadline of infinity is none. Raises ValueError if `key` is inside already."""
        if isnan(deadline) or key in self._inside:
            raise ValueError(f"{key!r} is inside already" if key in self._inside else "a deadline that is no number")
        free = self.room(now, deadline) - len(self._inside)
        if free < 1 and self._may_try(now, deadline):
            self._try_at, self._trial, free = now + TRY_S, (key, now), 1
        if free < 1:
            return Offer(False, self._appointment(now), "it could not be finished in time")
        if not self._fair.may_enter(tenant, free):
            return Offer(False, self._appointment(now), "others have to have room too")
        work = Work(key, tenant, now, deadline)
        self._inside[key] = work
        self._count += 1
        self._numbers[key] = self._count
        heapq.heappush(self._deadlines, (deadline, self._count, key))
        self._queues.setdefault(tenant, OrderedDict())[key] = work
        self._fair.entered(tenant)
        self._mark(now)
        return Offer(True)

    def refused(self, now: float) -> float:
        """Somebody was turned away unheard; the seconds after which to come again."""
        return self._appointment(now)

    def appointed(self, now: float) -> int:
        """How many of those turned away have a moment given to them that has not come: who is known to be out there."""
        ahead = max(0.0, self._next_free - now)
        return round(ahead * OVERBOOKED * max(self.pace.best, self.pace.rate)) if ahead < inf else 0

    def begin(self, now: float) -> tuple[Work[K] | None, tuple[Work[K], ...]]:
        """What to do next, None if nothing or if all workers are busy; and who is turned out unbegun (rule 3)."""
        out: list[Work[K]] = []
        while self.running < self.workers and (tenant := self._fair.turn()) is not None:
            work = self._taken(tenant, now)
            tried = self._trial is not None and self._trial[0] == work.key and now < work.deadline
            if not tried and now + self.least_s + self.workers / self.pace.rate > work.deadline + _ROUNDING:
                self._gone(work)
                out.append(work)
                continue
            self.running += 1
            self._mark(now)
            return work, tuple(out)
        return None, tuple(out)

    def done(self, key: K, now: float) -> None:
        """What was begun is finished, or given up. Raises KeyError if it was not begun."""
        if key in self._numbers:
            raise KeyError(key)
        if self._trial is not None and self._trial[0] == key and now > self._trial[1]:
            self.pace.tried(self.workers / (now - self._trial[1]), now)
        self._gone(self._inside[key])
        self.running -= 1
        if self._measuring:
            self.pace.done(now)
            self._mark(now)

    def withdraw(self, key: K) -> bool:
        """Its client has gone. False if it is begun, or not here."""
        if key not in self._numbers:
            return False
        work = self._inside[key]
        queue = self._queues[work.tenant]
        del queue[key]
        self._unqueued(work, queue)
        self._gone(work)
        return True

    def _may_try(self, now: float, deadline: float) -> bool:
        """Rule 6."""
        return self._measuring and self.pace.measured and not self._inside and now >= self._try_at and now < deadline

    def _mark(self, now: float) -> None:
        if self._measuring:
            self.pace.busy(now, self.running == self.workers or self.waiting > 0)

    def _taken(self, tenant: str, now: float) -> Work[K]:
        queue = self._queues[tenant]
        self._watch(now - next(iter(queue.values())).arrived, now)
        _, work = queue.popitem(last=self.newest_first)
        self._unqueued(work, queue)
        return work

    def _unqueued(self, work: Work[K], queue: "OrderedDict[K, Work[K]]") -> None:
        del self._numbers[work.key]
        if len(self._deadlines) > 2 * len(self._numbers) + _LEFT_IN:  # behind one that is patient, they would gather
            self._deadlines = [one for one in self._deadlines if self._numbers.get(one[2]) == one[1]]
            heapq.heapify(self._deadlines)
        if not queue:
            del self._queues[work.tenant]
        self._fair.took(work.tenant)

    def _watch(self, longest_s: float, now: float) -> None:
        """Rule 4: newest first from when the longest wait was above the target for a whole interval."""
        if longest_s <= self._target_s:
            self._long_since, self.newest_first = None, False
        elif self._long_since is None:
            self._long_since = now
        elif now - self._long_since >= self._interval_s:
            self.newest_first = True

    def _gone(self, work: Work[K]) -> None:
        del self._inside[work.key]
        if self._trial is not None and self._trial[0] == work.key:
            self._trial = None
        self._fair.left(work.tenant)
        if not self._inside:
            self._long_since, self.newest_first = None, False

    def _first_deadline(self, now: float) -> float:
        """Of those who wait. One that has passed is lost, and binds nobody."""
        while self._deadlines:
            deadline, number, key = self._deadlines[0]
            if self._numbers.get(key) == number and deadline > now:
                return deadline
            heapq.heappop(self._deadlines)
        return inf

    def _appointment(self, now: float) -> float:
        """Seconds until this one's turn: behind those inside and those who were given one before (rule 2).

        Beyond the last moment that is given they begin again with the first: some are refused twice, and no crowd
        comes at one moment.
        """
        first = now + self.least_s + ceil(len(self._inside) / self.workers) * self.workers / self.pace.rate
        most = RETRY_AFTER_MOST_S if self.backlog is None else self.backlog / self.pace.rate
        last = first + max(self._soonest_s, min(most, RETRY_AFTER_MOST_S))
        if not first <= self._next_free <= last:
            self._next_free = first
        self._next_free += 1.0 / (OVERBOOKED * max(self.pace.best, self.pace.rate))
        return max(self._soonest_s, self._next_free - now)


def _sensible(workers: int, room_max: int, least_s: float, soonest_s: float) -> None:
    if workers < 1 or room_max < 1:
        raise ValueError(f"there is at least one worker and room for one, not {workers} and {room_max}")
    if not (0.0 <= least_s < inf and 0.0 <= soonest_s < inf):
        raise ValueError(f"least_s and soonest_s are 0 or more, and finite, not {least_s} and {soonest_s}")
