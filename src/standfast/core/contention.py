"""Several enactors in a bulk write: who gives way, and when.

Each change gives the zone's floor a new nonce, so that of two who write at the same time each would spoil the other's
changes for ever. One of them must get on with it; it does not matter which.
"""

from collections.abc import Collection

from msgspec import Struct

from standfast.model.rrset import RRset
from standfast.ports.provider import Prerequisite, Readings, Replace

from .change import Asking, Looking


class Contention(Struct, frozen=True, array_like=True):
    """Conflicts in a row, and what the change of the last one asserted of the floor.

    Where that still stands, nobody writes, and only what was believed of markers was old: the one that gets on with a
    bulk write meets such conflicts wherever the others wrote before they gave way.
    """

    conflicts: int = 0
    spoilt: tuple[Prerequisite, ...] = ()

    def after(self, results: Collection[str], request: object) -> "Contention":
        """After a change with these results, whose last request was this one."""
        if "written" in results or "built" in results:
            return Contention()
        if "conflict" not in results:
            return self
        asserted: tuple[Prerequisite, ...] = request.floor.prerequisites if isinstance(request, Replace) else ()
        moved = not asserted or asserted != self.spoilt
        return Contention(self.conflicts + moved, asserted)

    def shown(self, phase: Asking, reply: object) -> bool:
        """Whether this reading, the first after a conflict, shows that the floor has moved: somebody writes."""
        if not self.spoilt or not isinstance(phase, Looking) or phase.floor is not None:
            return False
        floor = reply.values[0] if isinstance(reply, Readings) else None  # what is not believed is asked for first
        ours = [one for one in self.spoilt if one.owner == phase.task.floor_owner]
        return isinstance(floor, RRset) and bool(ours) and all(floor.rdata != one.rdata for one in ours)
