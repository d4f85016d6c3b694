"""An enactor's process in virtual time: the production core, woken as `runtime/enacting.py` wakes it.

A look that can't find anything is left out: if nothing is left to do, no endpoint is in quarantine, and head and
serials are those last heard, `wake("look")` asks for head and changes, hears the same again and is as before (a test
compares). The next look then waits for the first change of store or zone, at the moment it would have had anyway. So is
an audit in a calm region, where every zone is as this enactor has seen it.
"""

import math
from typing import Any, Final

from standfast.core.agenda import BATCH_OCTETS
from standfast.core.due import NOT_DONE, UNANSWERED
from standfast.core.enactor import Enactor, Occasion
from standfast.core.standing_by import put_aside
from standfast.core.task import Outcome
from standfast.model.plan import Plan
from standfast.ports.local import Admit
from standfast.ports.store import ReadHead
from standfast.recovery.catchup import CatchUp

from . import cadence
from .processes import Process, Script, Surroundings
from .scenario import STREAM

BATCHES: Final = (1, 1_500, BATCH_OCTETS)
"""Sizes of the largest change, one drawn for each enactor: small ones leave a zone between two plans for longer."""


class EnactorProcess(Process):
    """One enactor. `copies` are the plans on its disk, the last one newest."""

    def __init__(self, region: Surroundings, name: str, seed: int, batch_octets: int = 0) -> None:
        super().__init__(region, name, seed)
        self._batch_octets = batch_octets or self.draw.choice(BATCHES)
        self._anew()
        self.copies: list[Plan] = []
        self.looked = self.audited = self.again_at = 0.0
        self._news = False
        self._parked = False

    def born(self) -> None:
        """With nothing but the copy on disk. Looks and audits are counted from the end of the first pass."""
        self._anew()
        self._news = self._parked = False
        self.looked = self.audited = math.inf
        self.play(self._pass("start"))

    def kill(self) -> None:
        """After a power loss the disk may hold an older plan, whole."""
        super().kill()
        if len(self.copies) > 1 and self.draw.random() < 0.3:
            self.copies.pop()

    def _anew(self) -> None:
        self.core = Enactor(self.name, STREAM, batch_octets=self._batch_octets, admission=True)
        self._catch_up = CatchUp()

    def _pass(self, occasion: Occasion) -> Script:
        catch_up = self._catch_up
        catch_up.begin(self.monotonic)
        self.core = self.core.wake(occasion, self.monotonic, catch_up.closed(self.monotonic))
        while (request := self.core.request) is not None:
            if isinstance(request, ReadHead):
                if catch_up.over(self.monotonic):
                    return
                self.core = put_aside(self.core, catch_up.closed(self.monotonic))
            if isinstance(request, Admit):
                self.core = self.core.heard(catch_up.admit(request, self.monotonic))
                continue
            reply: Any = yield request
            self.core = self.core.heard(reply)
            if self.core.outcomes:
                self.region.judge.told(self.core.outcomes, self.name)
                self._learn(self.core.outcomes)

    def _learn(self, outcomes: tuple[Outcome, ...]) -> None:
        zone, results = outcomes[0].zone, {one.result for one in outcomes}
        if results & UNANSWERED:
            self._catch_up.unanswered(zone, self.monotonic, self.draw.random())
        elif "refused" in results:
            self._catch_up.refused(zone, self.monotonic)
        elif done := [(one.zone, one.name) for one in outcomes if one.result not in NOT_DONE]:
            self._catch_up.heard(zone, done, self.monotonic)

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
            zones = {zone for zone, _ in (*core.agenda.queued, *core.agenda.aside)}
            opens_in = self._catch_up.opens_at(zones) - self.monotonic
            return opens_in if opens_in > 0 else cadence.RETRY_S
        left = len(core.agenda.due) + len(core.agenda.queued) + sum(map(len, core.agenda.groups))
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
        return bool(self.core.contention.conflicts and self.core.agenda.bulk) and when < self.again_at

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
            if self.region.calm and self.core.agenda.empty and self._nothing_to_see():
                self._set_alarm()
                return
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
