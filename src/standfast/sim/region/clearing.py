"""When everything is clear again, service by service, and how long each backlog took against backlog ÷ capacity.

Clear is: available (99 %), and less than a minute's work waits. What the endpoint's return leaves to be worked off is
looked at in the tick in which its name has addresses again; its bound is that divided by what can be done a second
beside what comes anew. Whoever comes back in that time wasted nothing (G9).
"""

from collections.abc import Iterable

from .published import STAYS_S, WELL
from .world import Service

MINUTE_S = 60.0
REST = 0.01
"""A backlog counts as worked off when so much of it is left."""


class Clearing:
    """Looks at every service at every tick."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = tuple(services)
        self._ill_at: dict[str, float] = {}
        self._back_at: float | None = None
        self._left: dict[str, float] = {}
        self.lost_s = {one.key: 0.0 for one in self._services}
        self.bound_s: dict[str, float] = {}
        self.took_s: dict[str, float] = {}

    def back(self, now: float) -> None:
        """The endpoint has addresses again."""
        self._back_at = now
        self._left, self.bound_s, self.took_s = {}, {}, {}
        for one in self._services:
            for name, (left, rate) in one.to_work_off().items():
                if left > MINUTE_S * max(rate, 0.0) / 10.0 and rate > 0.0:
                    self._left[name] = left
                    self.bound_s[name] = left / rate

    def look(self, now: float) -> None:
        """At this tick."""
        for one in self._services:
            self.lost_s[one.key] += (1.0 - one.availability) * one.world.tick
            if one.availability < WELL or one.backlog > MINUTE_S:
                self._ill_at[one.key] = now
        if self._back_at is None or len(self.took_s) == len(self._left):
            return
        for one in self._services:
            for name, (left, _) in one.to_work_off().items():
                if name in self._left and name not in self.took_s and left <= REST * self._left[name]:
                    self.took_s[name] = now - self._back_at

    def clear_of(self, until: float) -> dict[str, float | None]:
        """When each service was clear for good; 0 if it was never anything else, None if it was not by `until`."""
        found: dict[str, float | None] = {}
        for one in self._services:
            at = self._ill_at.get(one.key, 0.0)
            found[one.key] = at if until - at >= STAYS_S else None
        return found

    def clear(self, until: float) -> float | None:
        """When all of them were."""
        moments = list(self.clear_of(until).values())
        known = [at for at in moments if at is not None]
        return max(known) if len(known) == len(moments) else None
