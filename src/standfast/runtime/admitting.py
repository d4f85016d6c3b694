"""Admission for asyncio: `async with admission.turn(...)` around what costs something. Importable on its own.

    admission = Admission(Intake(Pace(500.0), workers=8))
    try:
        async with admission.turn(within_s=2.0, tenant=customer):
            await work()
    except Busy as busy:
        return too_much(retry_after=busy.retry_after_s)

What decides is `recovery.admission.Intake`; this only waits. Of one event loop at a time, which its turns name: what
another one that has ended left behind is forgotten.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Final

from standfast.recovery.admission import Intake

__all__ = ["Admission", "Busy"]


class Busy(Exception):
    """It could not be done in time, and was not begun. Come again after `retry_after_s` seconds, not before."""

    def __init__(self, retry_after_s: float, why: str) -> None:
        super().__init__(why)
        self.retry_after_s, self.why = retry_after_s, why


_LOOK_S: Final = 0.02
"""The clock may not be the loop's: so soon after a look in vain there is another."""
_TOO_LATE: Final = "it took longer than expected, and could not be finished in time"


class Admission:
    """An intake whose waiting room people wait in. `clock` is monotonic seconds."""

    def __init__(self, intake: Intake[int], clock: Callable[[], float] = time.monotonic) -> None:
        self.intake = intake
        self.refused = 0
        self.admitted = 0
        self._clock = clock
        self._keys = itertools.count()
        self._waiting: dict[int, tuple[asyncio.Future[None], float]] = {}
        self._begun: set[int] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for = inf

    def full(self, within_s: float, arriving: int = 0) -> bool:
        """Whether somebody who comes now, after `arriving` others, would be refused."""
        now = self._clock()
        return self.intake.room(now, now + within_s) - self.intake.waiting - self.intake.running - arriving < 1

    def turn_away(self) -> float:
        """Refuse somebody at the door, unheard; the seconds after which to come again."""
        self.refused += 1
        return self.intake.refused(self._clock())

    @asynccontextmanager
    async def turn(self, within_s: float, tenant: str = "") -> AsyncIterator[None]:
        """Our turn. Raises Busy if what follows could not be finished within `within_s` seconds from now (infinity:
        whenever that is), and no later than after these seconds; RuntimeError in a second event loop."""
        self._of(asyncio.get_running_loop())
        key, now = next(self._keys), self._clock()
        offer = self.intake.offer(key, now, now + within_s, tenant)
        if not offer.admitted:
            self.refused += 1
            raise Busy(offer.retry_after_s, offer.why)
        called = asyncio.get_running_loop().create_future()
        self._waiting[key] = called, now + within_s
        self._call()
        if not called.done() or called.exception() is not None:
            self._watch(now + within_s)
            await self._called(key, called)
        self.admitted += 1
        try:
            yield
        finally:
            self._done(key)

    async def _called(self, key: int, called: "asyncio.Future[None]") -> None:
        try:
            await called
        except BaseException:  # cancelled, turned out, or dropped by a loop that ended
            if self._waiting.pop(key, None) is not None:
                self.intake.withdraw(key)
                self._call()
            else:
                self._done(key)  # it may have been called in this very moment
            raise

    def _done(self, key: int) -> None:
        if key in self._begun:
            self._begun.remove(key)
            self.intake.done(key, self._clock())
            self._call()

    def _call(self) -> None:
        """Whoever's turn it is now; and those who can't make it any more are told."""
        while True:
            work, out = self.intake.begin(self._clock())
            for one in out:
                self._turned_out(self._waiting.pop(one.key)[0])
            if work is None:
                return
            called, _ = self._waiting.pop(work.key)
            if called.cancelled():
                self.intake.done(work.key, self._clock())
            else:
                self._begun.add(work.key)
                called.set_result(None)

    def _turned_out(self, called: "asyncio.Future[None]") -> None:
        self.refused += 1
        retry_after_s = self.intake.refused(self._clock())
        if not (called.done() or called.get_loop().is_closed()):  # it may have given up in this very moment
            called.set_exception(Busy(retry_after_s, _TOO_LATE))

    # -- those whose time is up while all who work are stuck --------------------------------------------------------

    def _watch(self, deadline: float) -> None:
        """Look at that moment at the latest. One timer, of the first deadline of all who wait."""
        if deadline < self._timer_for and self._loop is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_for = deadline
            self._timer = self._loop.call_later(max(_LOOK_S, deadline - self._clock()), self._look)

    def _look(self) -> None:
        now, self._timer, self._timer_for = self._clock(), None, inf
        for key in [key for key, (_, deadline) in self._waiting.items() if deadline <= now]:
            called, _ = self._waiting.pop(key)
            self.intake.withdraw(key)
            self._turned_out(called)
        self._call()
        self._watch(min((deadline for _, deadline in self._waiting.values()), default=inf))

    def _of(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work in this loop. Who waits or works in one that has ended never says so."""
        if self._loop is loop:
            return
        if self._loop is not None and self._loop.is_running():
            raise RuntimeError("This Admission is of another event loop, which is running. Make one for each loop.")
        if self._timer is not None:
            self._timer.cancel()
        self._loop, self._timer, self._timer_for = loop, None, inf
        left, self._waiting = self._waiting, {}
        for key, (called, _) in left.items():
            self.intake.withdraw(key)
            self._turned_out(called)
        begun, self._begun = self._begun, set()
        for key in begun:
            self.intake.done(key, self._clock())
