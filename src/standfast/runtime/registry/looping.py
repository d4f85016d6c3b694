"""The registry's event loop: rounds that are brief, how long it had nothing to do, and no pause while many wait."""

import gc
import selectors
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

ROUND_MAX: Final = 32
"""Sockets served in one round: some ten milliseconds of granting."""
QUIET_SHARE: Final = 0.5
SWEEP_QUIET_S: Final = 60.0
SWEEP_LATEST_S: Final = 600.0
_NEVER: Final = 1_000_000
_YOUNG: Final = 10_000
_MIDDLE: Final = 50


class BriefRounds(selectors.DefaultSelector):
    """A selector that hands out few sockets at a time.

    An event loop serves every socket that is ready before it looks at anything else. Of a whole fleet thousands are:
    a round took a second, what was written took three rounds to be told, and who waited for it gave up. So the rest of
    them waits here, and what other threads and timers have to say comes in between.

    `idle_s`: for how long there was nothing to do; the rest is work, or waiting for the processor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.idle_s = 0.0
        self._looked_at = time.monotonic()
        self._rest: deque[tuple[selectors.SelectorKey, int]] = deque()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As the selector does; each that is ready is handed out once before any is looked at again."""
        if not self._rest:
            began = time.monotonic()
            self._rest.extend(super().select(timeout))
            self._looked_at = time.monotonic()
            self.idle_s += self._looked_at - began
        now: list[tuple[selectors.SelectorKey, int]] = []
        while self._rest and len(now) < ROUND_MAX:
            key, events = self._rest.popleft()
            if self._known(key):
                now.append((key, events))
        return now

    def waited_s(self) -> float:
        """For how long whoever is handed out now has waited here. Before that it waited at most as long as all those
        took that were handed out before it."""
        return time.monotonic() - self._looked_at

    def _known(self, key: selectors.SelectorKey) -> bool:
        """Whether it is registered as it was: else it is looked at anew."""
        there: Any = self.get_map()
        return there is not None and there.get(key.fd) is key


class Sweeps:
    """When to look for garbage among all that lives.

    Python does so while objects grow more, and a hundred thousand leases take a third of a second each time: just when
    all of them come back. Here it is done in a quiet second, once a minute, or at the latest after ten minutes.
    """

    def __init__(self, now: float) -> None:
        self._at = now

    def due(self, now: float, idle_share: float) -> bool:
        """Whether now is the time; if so, it is taken as done. `idle_share` of the time there was nothing to do."""
        wait = SWEEP_QUIET_S if idle_share >= QUIET_SHARE else SWEEP_LATEST_S
        if now - self._at < wait:
            return False
        self._at = now
        return True


@contextmanager
def swept_by_hand() -> Iterator[None]:
    """Meanwhile only what is young is looked through by itself."""
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
