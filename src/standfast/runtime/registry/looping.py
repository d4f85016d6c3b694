"""The registry's event loop: rounds that are brief, how long it had nothing to do, and no pause while many wait."""

import gc
import selectors
import sys
import time
from asyncio.sslproto import SSLProtocol
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

ROUND_MAX: Final = 32
"""Sockets served in one round: some ten milliseconds of granting."""
LOOK_S: Final = 0.001
"""To look takes less, if something is ready."""
TLS_PIECE_OCTETS: Final = 16 << 10
QUIET_SHARE: Final = 0.5
SWEEP_QUIET_S: Final = 60.0
SWEEP_LATEST_S: Final = 600.0
_NEVER: Final = 1_000_000
_YOUNG: Final = 100_000
_MIDDLE: Final = 10


class BriefRounds(selectors.DefaultSelector):
    """A selector that hands out few sockets at a time.

    An event loop serves every socket that is ready before it looks at anything else. Of a whole fleet thousands are:
    a round took a second, what was written took three rounds to be told, and who waited for it gave up. So the rest of
    them waits here, and what other threads and timers have to say comes in between.

    Of more than can be granted in time (`room`) the latest are handed out first, to be turned away: that is quickly
    done, and at the end of the line they would have given up before they hear it. Who came first keeps his turn.

    `idle_s`: for how long there was nothing to do; the rest is work, or waiting for the processor.
    """

    def __init__(self) -> None:
        super().__init__()
        self.idle_s = 0.0
        self._looked_at = self._looked_before = self._looked_long_before = time.monotonic()
        self._rest: deque[tuple[selectors.SelectorKey, int]] = deque()
        self._surplus: deque[tuple[selectors.SelectorKey, int]] = deque()
        self.room: Callable[[], int] = lambda: sys.maxsize
        """How many of those that are ready can be granted in time."""
        self.turning_away = False
        """Whether those handed out now are more than that."""
        self._fd_to_key: dict[int, selectors.SelectorKey]  # the base class's own; `get_map` costs ten times as much

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As the selector does; each that is ready is handed out once before any is looked at again."""
        if not self._rest and not self._surplus:
            began = time.monotonic()
            ready = super().select(timeout)
            self._looked_long_before, self._looked_before = self._looked_before, self._looked_at
            self._looked_at = time.monotonic()
            self.idle_s += self._looked_at - began
            if self._looked_at - began > LOOK_S:  # nothing was ready when it began to look
                self._looked_before = began
            room = self.room() if len(ready) > ROUND_MAX else len(ready)
            self._rest.extend(ready[:room])
            self._surplus.extend(ready[room:])
        self.turning_away = bool(self._surplus)
        line = self._surplus or self._rest
        now: list[tuple[selectors.SelectorKey, int]] = []
        while line and len(now) < ROUND_MAX:
            key, events = line.popleft()
            if self._known(key):
                now.append((key, events))
        return now

    def waited_s(self) -> float:
        """For how long whoever is handed out now has waited here. Before that it waited at most as long as all those
        took that were handed out before it."""
        return time.monotonic() - self._looked_at

    def came_at(self) -> float:
        """When whoever is handed out now came at the earliest: it was not there when this looked before."""
        return self._looked_before

    def joined_at(self) -> float:
        """When somebody came at the earliest whose connection was accepted in this round or the one before: it stood in
        line there while it may have asked already."""
        return self._looked_long_before

    def _known(self, key: selectors.SelectorKey) -> bool:
        """Whether it is registered as it was: else it is looked at anew."""
        return self._fd_to_key.get(key.fd) is key


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
def frugal_tls() -> Iterator[None]:
    """Meanwhile each TLS connection that is made has a small buffer of its own. asyncio gives it 256 kB before anything
    was said: two gigabytes for the 8,000 that may be open, without a key."""
    before = SSLProtocol.max_size
    SSLProtocol.max_size = TLS_PIECE_OCTETS
    try:
        yield
    finally:
        SSLProtocol.max_size = before


@contextmanager
def swept_by_hand() -> Iterator[None]:
    """Meanwhile only what is young is looked through by itself."""
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
