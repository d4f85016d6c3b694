"""Make checks when their turn has come, so many at once, and say which results came too late to count.

What is decided here is decided by `recovery/checking.py`; this drives it with a clock, an event loop and chance.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from standfast.recovery.checking import Checking
from standfast.recovery.rota import LATE_TIMES, Stall, too_late

if TYPE_CHECKING:
    from .probing import Target

JITTER: Final = 0.1
TICK_S: Final = 0.1
"""How often the loop looks whether it stood still."""
STALL_S: Final = 0.05
"""A shorter delay is the usual noise of a machine."""
_STALLS_KEPT: Final = 256


class Rounds:
    """The checks of a changing set of targets. It lives on one event loop; `pace_s` may be read anywhere.

    `check` makes one check of a target, `done` hears what came of it, how long it took, and why it
    does not count, if so.
    """

    def __init__(
        self,
        interval_s: float,
        timeout_s: float,
        concurrent: int,
        check: "Callable[[Target], Awaitable[Any]]",
        done: "Callable[[Target, Any, float, str], None]",
    ) -> None:
        self.pace_s = interval_s
        self._interval_s, self._timeout_s, self._concurrent = interval_s, timeout_s, concurrent
        self._check, self._done = check, done
        self._door = Checking(interval_s, LATE_TIMES * timeout_s or interval_s, concurrent)
        self._targets: dict[str, Target] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stalls: deque[Stall] = deque(maxlen=_STALLS_KEPT)
        self._ticked = time.monotonic()
        self._kick = asyncio.Event()

    def keep(self, targets: "Mapping[str, Target]") -> None:
        """Check exactly these."""
        now = time.monotonic()
        for name in self._targets.keys() - targets.keys():
            self._drop(name)
            del self._targets[name]
            self._door.remove(name)
        for name, target in targets.items():
            if self._targets.get(name) is not target:
                self._drop(name)
                self._targets[name] = target
                self._door.add(name, target.az, now)
        if targets:  # a check of a load balancer takes a place for each of its addresses
            mean = sum(max(1, len(target.addresses)) for target in targets.values()) / len(targets)
            self._door.made_at_once(max(1, int(self._concurrent / mean)))
        self._kick.set()

    async def run(self, behind: Callable[[float], None]) -> None:
        """For ever. `behind` hears by how many seconds the checks are late, 0 while they keep up."""
        ticking = asyncio.create_task(self._tick())
        try:
            while True:
                self._kick.clear()
                now = time.monotonic()
                self._start_due(now)
                self.pace_s = self._door.pace_s(now)
                behind(self._door.behind(now))
                when = self._door.next_at()
                pause = TICK_S if when is not None and when <= now else None if when is None else when - now
                # Not wait_for: Python 3.11's forgets a cancellation that comes together with a kick.
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._kick.wait()
        finally:
            tasks = [ticking, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _start_due(self, now: float) -> None:
        for number, name in self._door.begin(now):
            began, pause = time.monotonic(), self._interval_s * random.uniform(1 - JITTER, 1 + JITTER)
            task = self._tasks[name] = asyncio.create_task(self._one(self._targets[name], began))
            task.add_done_callback(partial(self._over, number, began, pause))

    def _over(self, number: int, began: float, pause_s: float, _: object) -> None:
        """It was made, or given up, perhaps before it began."""
        self._door.finished(number, began, pause_s, time.monotonic())
        self._kick.set()

    async def _one(self, target: "Target", began: float) -> None:
        results = await self._check(target)
        now = time.monotonic()
        if self._targets.get(target.id) is target:
            self._done(target, results, now - began, too_late(began, now, self._timeout_s, self._stalled(now)))

    def _stalled(self, now: float) -> list[Stall]:
        """All stalls, the one that is just ending included."""
        late = now - self._ticked - TICK_S
        return [*self._stalls, *([Stall(now, late)] if late > STALL_S else ())]

    async def _tick(self) -> None:
        while True:
            self._ticked = time.monotonic()
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            if (late := now - self._ticked - TICK_S) > STALL_S:
                self._stalls.append(Stall(now, late))

    def _drop(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
