"""Sources of the fleet at work, each in a thread of its own: whatever one of them does, the planner does not wait.

A source that hangs, raises or says nonsense is unknown; a thread that never comes back is told by its silence.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from standfast.adapters.sources import FleetSeen, FleetSource, FleetUnknown, Sighting
from standfast.adapters.sources.opening import opened
from standfast.adapters.sources.vetting import vetted
from standfast.config import DeclaredSource, FileSource, SourceConfig
from standfast.errors import StandfastError

FIRST_S: Final = 1.0
"""How long a planner waits at its start for the first word of each source."""
LOCAL_EVERY_S: Final = 30.0
AGAIN_S: Final = 0.5
SILENT_S: Final = 60.0
"""A look that takes longer is unknown: every source has time-outs, plug-ins may have none."""


class Said(Struct, frozen=True):
    """What a source said, and when (monotonic seconds). `repeated`: as before, and alive."""

    name: str
    sighting: Sighting
    at: float
    repeated: bool


class _Watch(threading.Thread):
    def __init__(self, source: SourceConfig, wake: Callable[[], None], open_: Callable[[SourceConfig], FleetSource]):
        super().__init__(name=f"source {source.name}", daemon=True)
        self.source = source
        self.answered = threading.Event()
        self._wake, self._open = wake, open_
        self._every_s = LOCAL_EVERY_S if isinstance(source, DeclaredSource | FileSource) else source.every_s
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._at_work: FleetSource | None = None
        self._said: Sighting | None = None
        self._told: Sighting | None = None
        self._said_at, self._told_at = 0.0, 0.0
        self._looking_since: float | None = None

    def run(self) -> None:
        failures = 0
        while not self._ended.is_set():
            with self._lock:
                self._looking_since = time.monotonic()
            sighting = self._look()
            self._keep(sighting)
            if isinstance(sighting, FleetSeen):
                failures = 0
                self._wait(self._every_s)
            else:
                failures += 1
                self._wait(min(self._every_s, AGAIN_S * 2.0 ** min(failures - 1, 10)) * random.uniform(0.8, 1.2))
        self._close()

    def _look(self) -> Sighting:
        try:
            if self._at_work is None:
                self._at_work = self._open(self.source)
            return vetted(self._at_work.look())
        except StandfastError as error:
            return FleetUnknown(" ".join(str(error).split()))
        except Exception as error:
            # Somebody else's code, or a slip of ours: the fleet stays as it was, and the planner goes on.
            text = " ".join(str(error).split())[:300]
            return FleetUnknown(f"it failed ({type(error).__name__}: {text}); this is a fault of the source, report it")

    def _wait(self, at_most_s: float) -> None:
        """As the source waits; never less than a moment, for a source that does not wait would be asked in a loop."""
        began = time.monotonic()
        try:
            if self._at_work is not None:
                self._at_work.wait(at_most_s)
        except Exception:
            self._ended.wait(AGAIN_S)
        if self._at_work is None:
            self._ended.wait(at_most_s)
        elif not isinstance(self.source, FileSource) and time.monotonic() - began < 0.01:
            self._ended.wait(0.05)

    def _keep(self, sighting: Sighting) -> None:
        with self._lock:
            news = sighting != self._said
            self._said, self._said_at, self._looking_since = sighting, time.monotonic(), None
        self.answered.set()
        if news:
            self._wake()

    def news(self, now: float) -> Said | None:
        """What was said since this was last asked."""
        with self._lock:
            since = self._looking_since
            if since is not None and now - since > SILENT_S:
                silent = FleetUnknown(f"it has not answered for {now - since:.0f} s")
                first = not isinstance(self._told, FleetUnknown)
                self._told = silent
                return Said(self.source.name, silent, now, False) if first else None
            if self._said is None or self._said_at == self._told_at:
                return None
            repeated = self._said == self._told
            self._told, self._told_at = self._said, self._said_at
            return Said(self.source.name, self._said, self._said_at, repeated)

    def end(self) -> None:
        self._ended.set()
        self._close()

    def _close(self) -> None:
        try:
            if self._at_work is not None:
                self._at_work.close()
        except Exception:
            return


class Sources:
    """All sources of a configuration, in its order. `wake` is called, from their threads, whenever one says news."""

    def __init__(
        self,
        sources: tuple[SourceConfig, ...],
        wake: Callable[[], None],
        *,
        open_: Callable[[SourceConfig], FleetSource] = opened,
    ) -> None:
        self.configured = sources
        self._watches = [_Watch(source, wake, open_) for source in sources]

    def start(self) -> None:
        """Begin to look."""
        for watch in self._watches:
            watch.start()

    def settle(self, at_most_s: float = FIRST_S) -> None:
        """Until each has said something, or the time is over."""
        end = time.monotonic() + at_most_s
        for watch in self._watches:
            watch.answered.wait(max(0.0, end - time.monotonic()))

    def news(self, now: float) -> Iterator[Said]:
        """What was said since this was last asked, a word a source."""
        for watch in self._watches:
            if (said := watch.news(now)) is not None:
                yield said

    def close(self) -> None:
        """End all; one that hangs is left behind."""
        for watch in self._watches:
            watch.end()
        end = time.monotonic() + FIRST_S
        for watch in self._watches:
            if watch.is_alive():
                watch.join(max(0.0, end - time.monotonic()))
