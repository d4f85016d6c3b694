"""An enactor that comes back to a backlog: what it begins now, for how long, and when it asks an ill zone again. Pure.

Rule 1.  Work goes by *turns* of a few seconds. Into a turn goes what can be finished in it at the zone's own measured
         pace (`Intake`); the rest waits at the door. Between two turns whoever runs the enactor tells that it lives,
         looks for damage, and hears of endpoints that answer nothing: hours of work take none of that away.
Rule 2.  Zones share its *time*, not its writes: who has had the least of it goes first, so that a provider that takes
         ten seconds for a change delays its own zone, and others by its part at most.
Rule 3.  Of a zone, what is urgent goes first, and may have four fifths of the room while others wait (`Fair`): a load
         balancer that flaps starves nobody.
Rule 4.  At least what fills one change is begun in a zone: a change costs about the same with one endpoint as with
         many, and a slow zone admitted by ones would be slower still.
Rule 5.  A zone that gave no answer is asked again after a pause that grows, once, and with one change; what is refused
         and sent again in halves is paid for alike. All of it comes from the zone's `RetryBudget`, so that however many
         enactors there are, retries are a tenth of what gets done and one in two seconds each.
"""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Final

from msgspec.structs import replace

from standfast.model.entry import Key
from standfast.ports.local import Admit, Admitted

from .admission import Intake, Pace
from .fairness import ALPHA, Fair
from .retrying import RetryBudget, pause_s

TURN_S: Final = 2.0
"""About as often as an enactor looks for damage."""
LEAST_S: Final = 0.05
"""What is left of a turn is not worth beginning anything for."""
CHANGE: Final = 200
"""Endpoints that fill a change, about; with more of them at once nothing is gained."""
FIRST_PACE: Final = 5_000.0
"""Endpoints in a second, before anything was measured: what a name server on the same machine does."""
MEASURE_S: Final = 0.5
MEASURE_LEAST: Final = 8
ROW: Final = 10
"""Retries that finding one refused endpoint among hundreds takes: without them it is not begun anew."""
RETRY_S: Final = 0.25
RETRY_MOST_S: Final = 2.0
STRAIN_MAX, EASED, APART_S = 4.0, 0.25, 0.05
"""Each try without an answer doubles the time from change to change, four with one halve it; at first it is this."""
BUDGET: Final = RetryBudget(floor_per_s=0.5, kept_max=5.0, left=5.0)
HALVING: Final = RetryBudget(floor_per_s=0.5, kept_max=32.0, left=32.0)
"""One endpoint that is refused is found among hundreds by halving, which takes less."""


class _Zone:
    """What is known of one zone: its pace, the time it has had, and when it may be asked again."""

    def __init__(self) -> None:
        self.pace: Pace | None = None
        self.count, self.busy_s = 0, 0.0
        self.used_s = 0.0
        self.budget = BUDGET
        self.halving = HALVING
        self.strain = 0.0
        self.opens_at = -inf

    @property
    def rate(self) -> float:
        """Endpoints in a second."""
        return FIRST_PACE if self.pace is None else self.pace.rate

    def measured(self, now: float) -> None:
        """So much was done in so much time: the first time that is all there is to go by."""
        if self.pace is None:
            self.pace = Pace(self.count / self.busy_s)
        else:
            self.pace.observed(self.count, self.busy_s, now)
        self.count, self.busy_s = 0, 0.0


class CatchUp:
    """For one enactor. `now` is monotonic seconds, `chance` a number in [0, 1) that was drawn."""

    def __init__(self, *, turn_s: float = TURN_S, retry_most_s: float = RETRY_MOST_S) -> None:
        self._turn_s, self._retry_most_s = turn_s, retry_most_s
        self._zones: dict[str, _Zone] = {}
        self._active: set[str] = set()
        self._inside: set[Key] = set()
        self._ends = -inf
        self._mark = 0.0

    def begin(self, now: float) -> None:
        """A turn begins."""
        self._ends, self._mark = now + self._turn_s, now
        self._inside.clear()

    def over(self, now: float) -> bool:
        """Whether the turn has had its time: then nothing more is begun in it."""
        return now >= self._ends

    def closed(self, now: float) -> tuple[str, ...]:
        """Zones that are not to be asked for now."""
        return tuple(name for name, zone in self._zones.items() if zone.opens_at > now)

    def opens_at(self, zones: Iterable[str]) -> float:
        """When the first of them may be asked."""
        return min((self._zone(name).opens_at for name in zones), default=-inf)

    def pace(self, zone: str) -> float:
        """Endpoints that are brought up to date in a second, as far as that is known."""
        return self._zone(zone).rate

    def admit(self, asked: Admit, now: float) -> Admitted:
        """What of this is begun now (rules 1 to 4)."""
        self._inside.clear()
        self._mark = now
        left = self._ends - now
        if left < LEAST_S:
            return Admitted(over=True)
        lanes: dict[str, tuple[list[Key], list[Key]]] = {}
        for lane, keys in enumerate((asked.urgent, asked.rest)):
            for key in keys:
                lanes.setdefault(key[0], ([], []))[lane].append(key)
        self._arrived(lanes.keys())
        order = sorted(
            (name for name in lanes if self._zone(name).opens_at <= now), key=lambda it: self._zone(it).used_s
        )
        admitted: list[list[Key]] = []
        for place, name in enumerate(order):
            within = left / (len(order) - place)
            some = self._through(self._zone(name), *lanes[name], now, within)
            # The first gets a change in any case: one that takes longer than a turn is a turn of its own.
            some = some if some or place else (lanes[name][0] + lanes[name][1])[:CHANGE]
            left = max(0.0, left - len(some) / self._zone(name).rate)
            admitted.append(some)
        self._inside.update(key for some in admitted for key in some)
        return Admitted(tuple(key for some in admitted for key in some))

    def heard(self, zone: str, keys: Sequence[Key], now: float, chance: float = 0.5) -> None:
        """A change of this zone is over, or a part of it, with an answer about these endpoints."""
        one, took = self._zone(zone), now - self._mark
        self._mark = now
        one.budget, one.halving = one.budget.attempted(now), one.halving.attempted(now)
        if one.strain:
            one.strain = max(0.0, one.strain - EASED)
            one.opens_at = now + APART_S * 2.0**one.strain * (0.5 + chance)
        ours = [key for key in keys if key in self._inside]
        self._inside.difference_update(ours)
        if not ours:
            return
        one.used_s += took
        one.count, one.busy_s = one.count + len(ours), one.busy_s + took
        if one.busy_s >= MEASURE_S and one.count >= MEASURE_LEAST:
            one.measured(now)

    def refused(self, zone: str, now: float) -> None:
        """A change was refused, so that it has to be sent again in halves; without a budget, later (rule 5)."""
        one = self._zone(zone)
        one.halving = one.halving.retried(now) or one.halving.filled(now)
        if one.halving.left < 1.0:
            one.opens_at = max(one.opens_at, now + ROW / one.halving.floor_per_s)

    def unanswered(self, zone: str, now: float, chance: float) -> None:
        """There was no answer, or the provider could not cope (rule 5)."""
        one, took = self._zone(zone), now - self._mark
        self._mark = now
        one.used_s += took
        at = max(
            now + pause_s(int(one.strain), chance, RETRY_S, self._retry_most_s, RETRY_S),
            now + one.budget.wait_s(now),
        )
        one.strain = min(STRAIN_MAX, one.strain + 1.0)
        filled = one.budget.filled(now)
        # One that there is no budget for yet is paid for in advance, and waited for.
        one.budget, one.opens_at = replace(filled, left=filled.left - 1.0), at

    def _zone(self, name: str) -> _Zone:
        if name not in self._zones:
            self._zones[name] = _Zone()
        return self._zones[name]

    def _arrived(self, names: Iterable[str]) -> None:
        """Who had no work has saved up no time."""
        some = set(names)
        least = min((self._zone(name).used_s for name in some & self._active), default=0.0)
        for name in some - self._active:
            self._zone(name).used_s = max(self._zone(name).used_s, least)
        self._active = some

    def _through(self, zone: _Zone, urgent: list[Key], rest: list[Key], now: float, within: float) -> list[Key]:
        """Who comes through this zone's door, of whom this much time can be had."""
        waiting = len(urgent) + len(rest)
        most = CHANGE if zone.strain else waiting
        fair = Fair[str](ALPHA if urgent and rest else inf)
        intake: Intake[Key] = Intake(Pace(zone.rate, measured=False), fair=fair)
        found: list[Key] = []
        for lane, keys in (("urgent", urgent), ("rest", rest)):
            for key in keys:
                if len(found) == most or not intake.offer(key, now, now + within, lane).admitted:
                    break
                found.append(key)
        return found if len(found) >= min(CHANGE, waiting) else []
