"""What a pass over trees is given, what it holds while it goes on, and what it gives back. Values only."""

from typing import Final, TypeAlias

from msgspec import Struct

from standfast.model.name import floor_owner, marker_owner, rollback_owner
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.model.tree import TreeName
from standfast.ports.provider import Key

from .unneeded import Suspect, Unneeded

ELEMENTS: Final = 900
"""Record elements deleted by one change; Route 53 takes 1,000, and what is asserted needs some."""
Sights: TypeAlias = tuple[tuple[str, int, RRset | None], ...]
"""(owner name, type, what was read there)."""


class Charge(Struct, frozen=True):
    """What one pass is to do.

    `keep`: so many of an endpoint's newest unneeded trees stay, for people who look back. `now` is monotonic seconds of
    this machine. `wait_s` is for each zone what must pass beyond TTLs (negative answers, secondaries); a zone that is
    not in it has a secondary that can't be read, and nothing is taken there; `least_s` must have passed in any case.
    `memory` is what the last pass left.
    """

    stream: str
    zones: tuple[str, ...]
    now: float
    wait_s: tuple[tuple[str, float], ...]
    keep: int = 2
    memory: tuple[Unneeded, ...] = ()
    held: Plan | None = None
    elements: int = ELEMENTS
    page: int = 300
    least_s: float = 0.0


class Gathered(Struct, frozen=True):
    """The pass is over. `collected` are (zone, endpoint, since) of trees that went whole, `told` why others stay."""

    collected: tuple[tuple[str, str, int], ...]
    told: tuple[str, ...]
    memory: tuple[Unneeded, ...]


class Combed(Struct, frozen=True):
    """What a whole zone was seen to have: (owner name, target) of what leads to trees of endpoints that are in no plan,
    and the streams with floors there. `start`: where the next page begins."""

    zone: str
    parents: frozenset[str]
    pointers: tuple[tuple[str, str], ...] = ()
    streams: frozenset[str] = frozenset()
    start: str = ""


class Progress(Struct, frozen=True):
    """The part of a pass that is the same for every endpoint, and how far it has come. `combed` are the zones that were
    looked through for what leads to trees of endpoints that are in no plan."""

    charge: Charge
    plan: Plan
    kept: frozenset[TreeName]
    suspects: tuple[Suspect, ...]
    collected: tuple[tuple[str, str, int], ...] = ()
    told: tuple[str, ...] = ()
    memory: tuple[Unneeded, ...] = ()
    combed: tuple[Combed, ...] = ()

    def combed_of(self, zone: str) -> Combed | None:
        """What was seen of this zone, if it was looked through."""
        return next((one for one in self.combed if one.zone == zone), None)

    @property
    def references(self) -> tuple[Key, ...]:
        """Where the first suspect's floor, marker, root and rollback alias are read; the floor in front."""
        suspect = self.suspects[0]
        zone, name = suspect.zone, suspect.name
        texts = (floor_owner(self.charge.stream, zone), marker_owner(name, zone))
        names = (name, rollback_owner(name, zone))
        addresses = tuple((owner, int(rtype)) for owner in names for rtype in ADDRESS_TYPES)
        return (*((owner, int(RRType.TXT)) for owner in texts), *addresses)
