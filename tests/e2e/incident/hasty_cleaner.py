"""The cleaner of production as a process, in a hurry: a pass a second, trees in each, and no grace for clients' caches.

    python tests/e2e/incident/hasty_cleaner.py standfast.yaml

The grace (16 minutes) is for what resolvers may have kept. Safety among ourselves never rests on it, so nothing may go
wrong without it either; and nobody waits that long to see an incident staged.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from standfast import config as configuration
from standfast.runtime.cleaning import CleanerProcess
from standfast.runtime.place import Place
from standfast.runtime.tidings import Tidings
from standfast.runtime.treecleaning import TreeCleaner

NAME = "c1"


def main() -> None:
    """Clean until SIGTERM."""
    file = Path(sys.argv[1])
    found, problems, _ = configuration.check(file.read_text(encoding="utf-8"), str(file))
    assert found is not None, problems
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=stop.set, daemon=True).start())
    place = Place(found)
    store, journal = place.late_store(leave=True), place.open_journal("cleaner", NAME)
    providers = {zone.name: place.open_provider(zone, role="cleaner", who=NAME) for zone in found.zones}
    trees = TreeCleaner(found, store, providers, journal, Tidings(journal), grace_s=0.0, pause=lambda _: None)
    cleaner = CleanerProcess(NAME, found, store, providers, journal, every_s=1.0, trees=trees, trees_every=1)
    cleaner.run(stop)
    store.close()
    for provider in providers.values():
        provider.close()


if __name__ == "__main__":
    main()
