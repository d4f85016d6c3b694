"""What is wrong with the state directory: a store that can't be read, a full disk, a directory of somebody else's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from standfast.ports.provider import Unknown
from standfast.runtime.observing import open_existing
from standfast.runtime.place import Place

from .findings import Finding

FREE_MIN: Final = 16 << 20
"""Octets. A store of 10,000 endpoints and a day of journal need about as much."""


def state_findings(place: Place) -> Iterator[Finding]:
    """Only what is wrong or worth a note; nothing is made and nothing is written."""
    store = open_existing(place)
    if not isinstance(store, Unknown):
        store.close()
    elif place.has_store:
        remedy = "Enactors go on with their own copies; nothing new is planned until it is mended or moved aside."
        yield Finding("problem", "state", "plan store", f"{store.why.rstrip('.')}.", remedy)
    folder = _existing(place.root)
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"This user may not write {folder}."
        yield Finding("note", "state", "state directory", text, "Run Standfast as the user to whom it belongs.")
        return
    try:
        free = os.statvfs(folder)
    except OSError:
        return
    octets = free.f_bavail * free.f_frsize
    if octets < FREE_MIN:
        text = f"Only {octets / 1024:,.0f} KiB are free in {folder}: without room nothing new is planned or journalled."
        yield Finding(
            "problem", "state", "state directory", text, "Make room there; everything goes on by itself then."
        )


def _existing(folder: Path) -> Path:
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder
