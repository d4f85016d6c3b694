"""The cleaner's process in virtual time: one pass of the production core after the other, a minute apart.

Some look at trees too, in the zones that may have some.
"""

from typing import Any

from standfast.core.cleaner import Retention, SweepingHead, Swept
from standfast.model.plan import Plan
from standfast.ports.store import PlanRead

from . import cadence
from .gathering import Gathering
from .processes import Process, Script, Surroundings
from .scenario import STREAM


class CleanerProcess(Process):
    """One cleaner, which keeps few plans, so that there is something to collect within the hour."""

    def __init__(self, region: Surroundings, name: str, seed: int, hosted: tuple[str, ...] = ()) -> None:
        super().__init__(region, name, seed)
        self.trees = Gathering(self, hosted, seed)
        self._passes = 0
        self.retention = Retention(plans=self.draw.randint(1, 6), days=0.0)
        self.every_s = cadence.CLEANER_PASS_S
        self._held: Plan | None = None
        self._due = 0.0

    def born(self) -> None:
        """A pass at once."""
        self._held, self._passes = None, 0
        self.trees.forget()
        self._sweep()

    def _sweep(self) -> None:
        self._due = self.region.loop.now + self.every_s
        self.play(self._pass())

    def _pass(self) -> Script:
        phase: Any = SweepingHead(STREAM, self.retention, self.wall, self._held)
        while not isinstance(phase, Swept):
            reply: Any = yield phase.request
            if isinstance(reply, PlanRead):
                self._held = reply.plan
            phase = phase.heard(reply)
        if phase.collected:
            self.region.note(self.name, f"collected {phase.collected}")
        if self._passes % self.trees.every == 0:
            yield from self.trees.script()
        self._passes += 1

    def rested(self) -> None:
        """The next one, so long after this one began."""
        self.ring(self._due, self._sweep)
