"""An enactor's process in virtual time: the production core, woken as `runtime/enacting.py` wakes it.

A look that can't find anything is left out: if nothing is left to do, no endpoint is in quarantine, and head and
serials are those last heard, `wake("look")` asks for head and changes, hears the same again and is as before (a test
compares). The next look then waits for the first change of store or zone, at the moment it would have had anyway.
"""

import math
from typing import Any, Final

from standfast.core.agenda import BATCH_OCTETS
from standfast.core.enactor import Enactor, Occasion
from standfast.model.plan import Plan

from . import cadence
from .processes import Process, Script, Surroundings
from .scenario import STREAM

BATCHES: Final = (1, 1_500, BATCH_OCTETS)
"""Sizes of the largest change, one drawn for each enactor: small ones leave a zone between two plans for longer."""


class EnactorProcess(Process):
    """One enactor. `copies` are the plans on its disk, the last one newest."""

    def __init__(self, region: Surroundings, name: str, seed: int) -> None:
        super().__init__(region, name, seed)
        self._batch_octets = self.draw.choice(BATCHES)
        self.core = Enactor(name, STREAM, batch_octets=self._batch_octets)
        self.copies: list[Plan] = []
        self.looked = self.audited = self.again_at = 0.0
        self._news = False
        self._parked = False

    def born(self) -> None:
        """With nothing but the copy on disk. Looks and audits are counted from the end of the first pass."""
        self.core = Enactor(self.name, STREAM, batch_octets=self._batch_octets)
        self._news = self._parked = False
        self.looked = self.audited = math.inf
        self.play(self._pass("start"))

    def kill(self) -> None:
        """After a power loss the disk may hold an older plan, whole."""
        super().kill()
        if len(self.copies) > 1 and self.draw.random() < 0.3:
            self.copies.pop()

    def _pass(self, occasion: Occasion) -> Script:
        self.core = self.core.wake(occasion, self.monotonic)
        while (request := self.core.request) is not None:
            reply: Any = yield request
            self.core = self.core.heard(reply)
            if self.core.outcomes:
                self.region.judge.told(self.core.outcomes, self.name)

    def rested(self) -> None:
        """The next pass: what is left, a look, an audit."""
        now = self.region.loop.now
        if self.looked == math.inf:
            self.looked = self.audited = now
        self.again_at = now + self._pause()
        self._set_alarm()

    def _pause(self) -> float:
        core = self.core
        if not core.contention.conflicts:
            return cadence.RETRY_S
        left = len(core.agenda.due) + sum(map(len, core.agenda.groups))
        most = min(cadence.PAUSE_MAX_S, cadence.PAUSE_S + left / cadence.ENDPOINTS_A_SECOND)
        return most * self.draw.uniform(0.5, 1.0)

    def _set_alarm(self) -> None:
        now = self.region.loop.now
        self._parked = False
        if self._news:
            self.ring(now + cadence.ENACTOR_POLL_S * self.draw.random(), self._wake)
            return
        when = self.audited + cadence.AUDIT_S
        if not self.core.agenda.empty:
            when = min(when, self.again_at, self.looked + cadence.LOOK_S)
            if self._gives_way(when):
                when = self.again_at
        elif self._nothing_to_see():
            self._parked = True
        else:
            when = min(when, self.looked + cadence.LOOK_S)
        self.ring(when, self._wake)

    def _gives_way(self, when: float) -> bool:
        return bool(self.core.contention.conflicts and self.core.agenda.due) and when < self.again_at

    def _nothing_to_see(self) -> bool:
        core, head = self.core, self.region.depot.state.head
        if core.plan is None or core.quarantine or core.forked:
            return False
        if head is not None and head.generation >= core.plan.generation and head.digest != core.plan.digest:
            return False
        servers = self.region.servers
        return all(core.belief(zone).serial == servers[zone].state.serial for zone in core.plan.record.zones)

    def _wake(self) -> None:
        now, occasion = self.region.loop.now, "news"
        self._parked = self._news = False
        if now >= self.audited + cadence.AUDIT_S:
            self.audited = self.looked = now
            occasion = "audit"
        elif now >= self.looked + cadence.LOOK_S:
            self.looked = now
            occasion = "look"
        self.play(self._pass(occasion))  # type: ignore[arg-type]

    def head_changed(self) -> None:
        """The store has another head: it is noticed within a poll."""
        if self.alive:
            self._unpark()
            self._news = True
            if not self.busy:
                self._set_alarm()

    def zone_changed(self) -> None:
        """A zone is another: the next look will see it."""
        if self._parked and self.alive:
            self._unpark()
            if not self.busy:
                self._set_alarm()

    def _unpark(self) -> None:
        """The looks that were left out have happened, each at its moment."""
        if self._parked:
            missed = (self.region.loop.now - self.looked) // cadence.LOOK_S
            self.looked += missed * cadence.LOOK_S
            self._parked = False
