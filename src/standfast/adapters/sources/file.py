"""The fleet in a file of its own, read again whenever it changes. Cut off, broken or missing: unknown."""

import os
import time
from pathlib import Path
from typing import Final

from standfast.config import Unknown, load_fleet

from . import FleetSeen, FleetUnknown, Sighting
from .pausing import Pausing

POLL_S: Final = 0.02
FULLY_S: Final = 30.0
"""How often a file is read although its time says that nothing changed."""
_Signature = tuple[int, int, int]


class FileFleet(Pausing):
    """A watched fleet file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._signature: _Signature | None = None
        self._sighting: Sighting | None = None
        self._read_at = 0.0

    def look(self) -> Sighting:
        """What the file says."""
        signature, now = _signature_of(self.path), time.monotonic()
        if self._sighting is None or signature != self._signature or now - self._read_at >= FULLY_S:
            self._signature, self._read_at = signature, now
            reading = load_fleet(self.path)
            if isinstance(reading, Unknown):
                self._sighting = FleetUnknown(reading.reason)
            else:
                self._sighting = FleetSeen(reading.known, reading.revision[:12])
        return self._sighting

    def wait(self, at_most_s: float) -> None:
        """Until the file's time, size or number changes."""
        end = time.monotonic() + at_most_s
        while (left := end - time.monotonic()) > 0 and not self._closed.wait(min(POLL_S, left)):
            if _signature_of(self.path) != self._signature:
                return


def _signature_of(path: Path) -> _Signature | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)
