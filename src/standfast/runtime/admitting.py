"""Admission for asyncio: `async with admission.turn(...)` around what costs something. Importable on its own.

    admission = Admission(Intake(Pace(500.0), workers=8))
    try:
        async with admission.turn(within_s=2.0, tenant=customer):
            await work()
    except Busy as busy:
        return too_much(retry_after=busy.retry_after_s)

What decides is `recovery.admission.Intake`; this only waits. Of one event loop.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from standfast.recovery.admission import Intake


class Busy(Exception):
    """It could not be done in time, and was not begun. Come again after `retry_after_s` seconds, not before."""

    def __init__(self, retry_after_s: float, why: str) -> None:
        super().__init__(why)
        self.retry_after_s, self.why = retry_after_s, why


class Admission:
    """An intake whose waiting room people wait in. `clock` is monotonic seconds."""

    def __init__(self, intake: Intake[int], clock: Callable[[], float] = time.monotonic) -> None:
        self.intake = intake
        self.refused = 0
        self.admitted = 0
        self._clock = clock
        self._keys = itertools.count()
        self._waiting: dict[int, asyncio.Future[None]] = {}

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
        """Our turn. Raises Busy if what follows could not be finished within `within_s` seconds from now."""
        key, now = next(self._keys), self._clock()
        offer = self.intake.offer(key, now, now + within_s, tenant)
        if not offer.admitted:
            self.refused += 1
            raise Busy(offer.retry_after_s, offer.why)
        called = self._waiting[key] = asyncio.get_running_loop().create_future()
        self._call()
        if not called.done() or called.exception() is not None:
            await self._called(key, called)
        self.admitted += 1
        try:
            yield
        finally:
            self.intake.done(key, self._clock())
            self._call()

    async def _called(self, key: int, called: "asyncio.Future[None]") -> None:
        try:
            await called
        except asyncio.CancelledError:
            if self._waiting.pop(key, None) is not None:
                self.intake.withdraw(key)
            elif called.done() and not called.cancelled() and called.exception() is None:
                self.intake.done(key, self._clock())  # it was called in this very moment
            self._call()
            raise

    def _call(self) -> None:
        """Whoever's turn it is now; and those who can't make it any more are told."""
        while True:
            now = self._clock()
            work, out = self.intake.begin(now)
            for one in out:
                self.refused += 1
                why = "it took longer than expected, and could not be finished in time"
                self._waiting.pop(one.key).set_exception(Busy(self.intake.refused(now), why))
            if work is None:
                return
            called = self._waiting.pop(work.key)
            if called.cancelled():
                self.intake.done(work.key, now)
            else:
                called.set_result(None)
