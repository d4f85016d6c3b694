"""An enactor's time: what it begins in a turn, when the turn is over, and when the next one begins.

What is decided here is decided by `recovery/catchup.py`; this drives it with a clock and chance, and tells people.
"""

import secrets
import time
from collections import Counter
from typing import Any, Final

from standfast.core.due import NOT_DONE, UNANSWERED
from standfast.core.enactor import Enactor
from standfast.core.standing_by import put_aside
from standfast.core.task import Outcome
from standfast.ports.local import Admit, Admitted
from standfast.recovery.catchup import RETRY_MOST_S, RETRY_S, CatchUp
from standfast.recovery.retrying import pause_s

PAUSE_S: Final = 0.01
PAUSE_MAX_S: Final = 2.0
ENDPOINTS_A_SECOND: Final = 5_000
"""What one enactor writes in bulk, roughly: only pauses depend on it."""
TOLD_FROM: Final = 1_000
"""So many endpoints out of date are a backlog, of which people are told how long it takes."""


class Turns:
    """For one enactor's loop. `observe`: it writes nothing, so that no refusal is a trouble."""

    def __init__(self, look_s: float = RETRY_MOST_S, *, observe: bool = False) -> None:
        self._most_s = min(look_s, RETRY_MOST_S)
        self._catch_up = CatchUp(retry_most_s=self._most_s)
        self._vain = 0
        self._observe = observe

    def begin(self) -> tuple[str, ...]:
        """A turn begins. The zones that are not to be asked for now."""
        now = time.monotonic()
        self._catch_up.begin(now)
        return self._catch_up.closed(now)

    @property
    def over(self) -> bool:
        """Whether it has had its time."""
        return self._catch_up.over(time.monotonic())

    def admit(self, asked: Admit) -> Admitted:
        """What of this is begun now."""
        return self._catch_up.admit(asked, time.monotonic())

    def between(self, core: Enactor) -> Enactor:
        """The enactor between two changes: what it had begun in zones that can't cope waits."""
        closed = self._catch_up.closed(time.monotonic())
        return put_aside(core, closed) if closed else core

    def heard(self, outcomes: tuple[Outcome, ...]) -> None:
        """What became of a change, which was of one zone."""
        zone, now, results = outcomes[0].zone, time.monotonic(), {one.result for one in outcomes}
        if results & UNANSWERED and not self._observe:
            self._catch_up.unanswered(zone, now, _chance())
        elif "refused" in results and not self._observe:
            self._catch_up.refused(zone, now)
        elif done := [(one.zone, one.name) for one in outcomes if one.result not in NOT_DONE]:
            self._catch_up.heard(zone, done, now, _chance())

    def next_at(self, core: Enactor) -> float:
        """When what is left is tried again.

        Where somebody else is writing the same things, wait about as long as that one needs for what is left
        (core/contention.py). A handful of endpoints waits milliseconds. At random, so that two enactors don't stay in
        step.
        """
        now, agenda = time.monotonic(), core.agenda
        if core.contention.conflicts:
            left = len(agenda.due) + len(agenda.queued) + sum(map(len, agenda.groups))
            most = min(PAUSE_MAX_S, PAUSE_S + left / ENDPOINTS_A_SECOND)
            return now + most * (0.5 + _chance() / 2)
        opens_at = self._catch_up.opens_at({zone for zone, _ in (*agenda.queued, *agenda.aside)})
        if opens_at > now:
            return opens_at
        # Without a journal, too, something is put aside.
        self._vain = self._vain + 1 if agenda.aside else 0
        if self._vain:
            return now + pause_s(self._vain - 1, _chance(), RETRY_S, self._most_s, RETRY_S)
        return now if self.over else now + RETRY_S

    def standing(self, core: Enactor) -> dict[str, Any]:
        """For people: of a backlog, how much of each zone is out of date, and how much of that is done in a second."""
        agenda = core.agenda
        waiting = Counter(zone for zone, _ in (*agenda.queued, *agenda.due))
        if sum(waiting.values()) < TOLD_FROM:
            return {}
        return {"backlog": {zone: [n, round(self._catch_up.pace(zone), 1)] for zone, n in sorted(waiting.items())}}


def _chance() -> float:
    return secrets.randbelow(1000) / 1000
