"""The fleet in a file of its own, read again whenever it changes.

Cut off, broken, missing, or with suspiciously little left: unknown, and the last good fleet stays (G6). Little left
means nobody, or that more than 34 % and more than one load balancer went at once: a query that failed half-way looks
like that. Whoever means it takes them out in steps, or drains them first.
"""

import os
from pathlib import Path
from typing import Final

from standfast.config import LoadBalancerConfig, Unknown, load_fleet

from . import FleetSeen, FleetUnknown, Sighting

SHRINK_MAX: Final = 0.34
_Signature = tuple[int, int, int]


class FileFleet:
    """A watched fleet file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signature: _Signature | None = None
        self._looked = False
        self._revision = ""
        self._why = ""

    def look(self, known: tuple[LoadBalancerConfig, ...] | None, *, fully: bool = False) -> Sighting | None:
        """What the file says if that is new. The same trouble is told once."""
        signature = _signature_of(self.path)
        if self._looked and not fully and signature == self._signature:
            return None
        self._looked, self._signature = True, signature
        reading = load_fleet(self.path)
        if isinstance(reading, Unknown):
            return self._unknown(reading.reason)
        if known and (why := _shrunk(known, reading.known)):
            return self._unknown(f"{self.path} {why}")
        self._why = ""
        if reading.revision == self._revision:
            return None
        self._revision = reading.revision
        return FleetSeen(reading.known)

    def _unknown(self, why: str) -> FleetUnknown | None:
        if why == self._why:
            return None
        self._why, self._revision = why, ""
        return FleetUnknown(why)


def _signature_of(path: Path) -> _Signature | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _shrunk(known: tuple[LoadBalancerConfig, ...], now: tuple[LoadBalancerConfig, ...]) -> str:
    """Why so few are not believed; empty if they are."""
    if not now:
        return f"names no load balancer, where {len(known)} were known. The fleet stays as it was."
    lost = sorted({one.id for one in known} - {one.id for one in now})
    if len(lost) <= 1 or len(lost) / len(known) <= SHRINK_MAX:
        return ""
    some = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
    return (
        f"lacks {len(lost)} of {len(known)} load balancers ({some}), more than {SHRINK_MAX * 100:g} % at once. "
        "The fleet stays as it was. If that is meant, set `admin: drain` for them, or take them out in steps."
    )
