"""The cleaner of trees in virtual time: the production core, over the zones that are as Route 53's.

It is a part of the cleaner's process, and remembers from pass to pass what `runtime/treecleaning.py` does.
"""

import random
from typing import Any, Final

from standfast.core.collector import GatheringHead
from standfast.core.gathering import Charge, Gathered
from standfast.core.unneeded import Unneeded, seen_until

from . import cadence
from .processes import Process, Script
from .scenario import STREAM

_WAITS_S: Final = (0.0, 60.0, 300.0)
"""Beyond TTLs. Production waits longer; safety rests on none of it, so the shorter ones are the harder ones."""
_ELEMENTS: Final = (1, 3, 900)
_PAGES: Final = (3, 300)


class Gathering:
    """What one cleaner knows of trees. `keep` are so many of each endpoint's, besides root's and the rollback's; one of
    `every` passes over plans looks at trees, in production one of ten."""

    def __init__(self, process: Process, zones: tuple[str, ...], seed: int) -> None:
        draw = random.Random(f"{seed} trees of {process.name}")
        self.keep, self.every = draw.choice((0, 1, 2)), draw.choice((1, 3, cadence.TREES_EVERY))
        self._wait_s = draw.choice(_WAITS_S)
        self._process, self._zones = process, zones
        self._elements, self._page = draw.choice(_ELEMENTS), draw.choice(_PAGES)
        self._memory: tuple[Unneeded, ...] = ()

    def forget(self) -> None:
        """The process was started again."""
        self._memory = ()

    def script(self) -> Script:
        """One pass; nothing in a region without such zones."""
        if not self._zones:
            return
        began, waits = self._process.monotonic, tuple((zone, self._wait_s) for zone in self._zones)
        charge = Charge(
            STREAM, self._zones, began, waits, self.keep, self._memory, elements=self._elements, page=self._page
        )
        phase: Any = GatheringHead(charge)
        while not isinstance(phase, Gathered):
            phase = phase.heard((yield phase.request))
        self._memory = seen_until(phase.memory, began, self._process.monotonic)
        for zone, name, since in phase.collected:
            self._process.region.note(self._process.name, f"collected the tree of since {since} of {name} in {zone}")
