"""The registry of the lease benchmark: the real one, or with `--naive` the same without any admission.

Naive is what most services are: whatever comes is parsed, queued and worked off in its order, however late.
"""

import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from standfast import config as configuration
from standfast.runtime.admitting import Admission
from standfast.runtime.place import Place
from standfast.runtime.presence import Presence
from standfast.runtime.registry.process import RegistryProcess
from standfast.runtime.supervision import listen


class OpenDoor(Admission):
    """Admits everybody."""

    def full(self, within_s: float, arriving: int = 0) -> bool:
        """Never."""
        return False

    @asynccontextmanager
    async def turn(self, within_s: float, tenant: str = "") -> AsyncIterator[None]:
        """At once."""
        self.admitted += 1
        yield


def main() -> None:
    """Serve until SIGTERM."""
    stop: threading.Event = listen().stop
    place = Place(configuration.load(Path(sys.argv[1])))
    place.prepare()
    journal = place.open_journal("registry", "bench")
    process = RegistryProcess("bench", place, journal, Presence(place.presence, "registry", "bench"))
    if "--naive" in sys.argv:
        process.desk.admission = OpenDoor(process.desk.admission.intake)
        process.desk.room = lambda: sys.maxsize  # type: ignore[method-assign]
    process.run(stop)


if __name__ == "__main__":
    main()
