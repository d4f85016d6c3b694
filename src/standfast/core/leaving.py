"""The way out of a zone: every marker and the floor are taken away, every address stays.

    floor renewed ─▶ one marker away, and a while to see whether it comes back ─▶ marker, marker, … ─▶ first entry
                                                                                   and floor, in one change

Rule 1.  The floor gets a fresh nonce before anything is taken away and with everything that is: whatever was sent
         before asserts a floor that is gone. The floor itself goes last, together with the first entry's marker.
Rule 2.  Each marker is asserted as it was read. If the floor or a marker that was taken away is seen otherwise than
         we left it, somebody of ours is at work: the order ends there, and whoever it is puts its markers back.
Rule 3.  Nothing is taken away under a freeze. Another stream's markers are passed over, and stay.

After the last change nothing in the zone remembers what was there. An enactor that still runs somewhere would take the
zone over again by the plan it has, so all must be stopped for good before.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Absent, Floor, Marker
from standfast.model.name import first_name, floor_owner
from standfast.ports.local import IntendedWrite
from standfast.ports.provider import Replace

from .direct import PATIENCE, Change, Ended, Sights
from .drafting import NO_PLAN, Mark
from .emergency import NO_FLOOR

BATCH: Final = 50
"""Markers of one change, as in a freeze."""


class Leave(Struct, frozen=True):
    """Take `names`' markers away. `canary`: only those, in one change, and the floor stays.

    `left` is the floor of our last change (none before the first), `at` how many markers were seen to, `gone` where
    nothing of ours may stand any more: what this order took away or found absent, and a canary before it.
    """

    stream: str
    zone: str
    writer: str
    names: tuple[str, ...]
    canary: bool = False
    left: tuple[bytes, ...] = ()
    at: int = 0
    gone: tuple[str, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()
    size: int = BATCH
    patience: int = PATIENCE

    @property
    def first(self) -> str:
        """The zone's own entry."""
        return first_name(self.stream, self.zone)

    @property
    def order(self) -> tuple[str, ...]:
        """Every endpoint whose marker goes, without the first entry's."""
        return tuple(sorted(set(self.names) - {self.first}))

    @property
    def batch(self) -> tuple[str, ...]:
        """The markers of the next step: what is already gone is looked at once more at the end."""
        if not self.left:
            return (*self.order, self.first)
        return self.order[self.at : self.at + self.size] or (*self.gone, self.first)

    def decide(self, sights: Sights) -> Change | Ended:
        """The next change, by what stands there."""
        floor = sights.floor_read
        if floor is None:
            return self._without_floor(sights)
        if floor.frozen:
            return Ended("refused", f"the zone {self.zone} is frozen: thaw it first")
        for name, marker in sights.markers:
            if isinstance(marker, Marker) and marker.stream == self.stream and marker.frozen:
                return Ended("refused", f"{name} is frozen: thaw it first")
        if back := self._came_back(sights):
            return back
        if not self.left:
            return Change(sights, floor.generation, NO_PLAN, (), floor, ())
        if sights.floor is None or sights.floor.rdata != self.left:
            return Ended("moved", f"somebody else changed the floor of {self.zone} meanwhile")
        return self._taken(sights, floor)

    def _taken(self, sights: Sights, floor: Floor) -> Change | Ended:
        last = self.at >= len(self.order)
        some = [self.first] if last else [name for name, _ in sights.marks]
        going = [name for name in some if self._ours(sights, name)]
        parts = tuple(Mark(name, dict(sights.marks)[name], None) for name in going)
        intended = tuple(self._intended(sights, name) for name in going)
        if last:
            return Change(sights, floor.generation, NO_PLAN, intended, None, parts, floor_goes=True)
        return Change(sights, floor.generation, NO_PLAN, intended, floor, parts)

    def _came_back(self, sights: Sights) -> Ended | None:
        """Whether a marker that was taken away is there again."""
        gone = set(self.gone)
        for name, marker in sights.markers:
            if name in gone and not isinstance(marker, Absent):
                return Ended("moved", f"the marker of {name} came back: something of ours is still running")
        return None

    def _ours(self, sights: Sights, name: str) -> bool:
        marker = sights.marker(name)
        if isinstance(marker, Absent):
            return False
        return not isinstance(marker, Marker) or marker.stream == self.stream

    def _intended(self, sights: Sights, name: str) -> IntendedWrite:
        marker = sights.marker(name)
        since, over = (marker.since, marker.nonce) if isinstance(marker, Marker) else (None, "")
        return IntendedWrite(name, since, since or 0, "leave", over, act="leave")

    def _without_floor(self, sights: Sights) -> Ended:
        if not self.left and all(isinstance(marker, Absent) for _, marker in sights.markers):
            return Ended("done", "nothing of ours is there")
        if self.left:
            return Ended("moved", f"the floor of {self.zone} was taken away meanwhile")
        return Ended("refused", NO_FLOOR.format(floor_owner(self.stream, self.zone)))

    def written(self, change: Change, made: Replace) -> "Leave | Ended":
        """On to the next markers, or to the end."""
        if change.floor_goes:
            return Ended("done", "", change.generation, self.passed_over)
        left = made.floor.contents[0].rdata
        if not self.left:
            return replace(self, left=left)
        gone = tuple(
            name
            for name, marker in change.sights.markers
            if not isinstance(marker, Marker) or marker.stream == self.stream
        )
        foreign = tuple(
            (name, f"{name} belongs to stream {marker.stream}")
            for name, marker in change.sights.markers
            if isinstance(marker, Marker) and marker.stream != self.stream
        )
        after = replace(
            self,
            left=left,
            at=self.at + len(change.sights.marks),
            gone=tuple(dict.fromkeys((*self.gone, *gone))),
            passed_over=(*self.passed_over, *foreign),
        )
        if self.canary:
            return Ended("done", "", change.generation, after.passed_over)
        return after

    def refused(self, why: str) -> Ended:
        """By the provider."""
        return Ended("refused", why)
