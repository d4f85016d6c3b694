"""A checker with little room to spare, and work that every change makes: in order of arrival, or as a rota has it.

As built (`fair` off): every wanted check is queued and worked off in the order of arrival, so what is behind gets
further behind, and results are late. With `fair` it is the production `Rota`: one turn each, longest waiting first;
a check that begins later is no late one. Every change of DNS takes time from the checks: so churn overloads.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from standfast.recovery.rota import Rota

from .fleet import CHECKS_A_SECOND, INTERVAL_S

CHANGE_COSTS: Final = 6
"""How many checks could have been made in the time that a change of DNS takes the checker."""
BACKLOG_MAX: Final = 1200
PHASES: Final = 5


class Checker:
    """Says who is checked now, and how late."""

    def __init__(self, *, fair: bool) -> None:
        self._fair = fair
        self._rota = Rota(INTERVAL_S)
        self._queue: deque[tuple[float, str]] = deque()
        self._known: dict[str, int] = {}
        self._debt = 0.0
        self.worst_s = 0.0

    def add(self, name: str, now: float) -> None:
        """Somebody new."""
        self._known[name] = len(self._known) % PHASES
        if self._fair:
            self._rota.add(name, now)

    def remove(self, name: str) -> None:
        """It is gone; what is queued of it is found out when its turn comes."""
        self._known.pop(name, None)
        self._rota.remove(name)

    @property
    def idle(self) -> bool:
        """Nothing is late, and no change is left to be paid for."""
        return not self._debt and len(self._queue) <= CHECKS_A_SECOND

    def pace_s(self, now: float) -> float:
        """How far apart the checks of one load balancer are."""
        return self._rota.pace_s(now) if self._fair else INTERVAL_S

    def changed(self, count: int) -> None:
        """DNS was changed so many times: that is work too."""
        self._debt += CHANGE_COSTS * count

    def second(self, now: float, rate: int = CHECKS_A_SECOND) -> Iterator[tuple[str, float]]:
        """Whom it checks in this second, and by how many seconds each check is late."""
        paid = min(self._debt, rate / 2)  # half of its time at most goes into changes
        self._debt -= paid
        room = int(rate - paid)
        if not self._fair:
            for name, phase in self._known.items():
                if int(now) % PHASES == phase and len(self._queue) < BACKLOG_MAX:
                    self._queue.append((now, name))
        for _ in range(room):
            turn = self._turn(now)
            if turn is None:
                return
            name, due = turn
            self.worst_s = max(self.worst_s, now - due)
            yield name, now - due

    def _turn(self, now: float) -> tuple[str, float] | None:
        if self._fair:
            name = self._rota.next(now)
            if name is None:
                return None
            self._rota.started(name)
            self._rota.finished(name, now, INTERVAL_S, now)
            return name, now
        while self._queue:
            queued, name = self._queue.popleft()
            if name in self._known:
                return name, queued
        return None
