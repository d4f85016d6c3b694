"""What an enactor remembers between changes: small, immutable, hashable, and never trusted without being asserted."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, structs

from standfast.model.entry import Key
from standfast.model.rrset import RRset

from .reach import Contents

TUG_WINDOW_S: Final = 600.0
"""The same foreign change that comes back within this time is meant (tug-of-war)."""


class ZoneBelief:
    """A zone's floor and markers as last read or written: a wrong belief costs one Conflict.

    Immutable. `serial` is the zone's serial up to which changes have been looked at.
    """

    __slots__ = ("floor", "markers", "serial")

    def __init__(
        self,
        floor: RRset | None = None,
        markers: Mapping[str, RRset | None] | None = None,
        serial: int | None = None,
    ) -> None:
        self.floor = floor
        self.markers: dict[str, RRset | None] = dict(markers or {})
        self.serial = serial

    def among(self, names: Iterable[str]) -> tuple[tuple[str, RRset | None], ...]:
        """The markers believed of these endpoints."""
        return tuple((name, self.markers[name]) for name in names if name in self.markers)

    def learnt(self, floor: RRset | None, markers: tuple[tuple[str, RRset | None], ...]) -> "ZoneBelief":
        """With these, just read or written."""
        return ZoneBelief(floor, {**self.markers, **dict(markers)}, self.serial)

    def doubted(self, names: Iterable[str]) -> "ZoneBelief":
        """Without the floor and these markers: somebody changed them."""
        kept = dict(self.markers)
        for name in names:
            kept.pop(name, None)
        return ZoneBelief(None, kept, self.serial)

    def forgotten(self) -> "ZoneBelief":
        """Believing nothing, but for the serial."""
        return ZoneBelief(serial=self.serial)

    def at(self, serial: int | None) -> "ZoneBelief":
        """Looked at up to this serial."""
        return ZoneBelief(self.floor, self.markers, serial)

    def _parts(self) -> tuple[object, ...]:
        return (self.floor, frozenset(self.markers.items()), self.serial)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ZoneBelief) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())


class ForeignChange(Struct, frozen=True, array_like=True):
    """Damage that was harmless, at one endpoint: what stood there, when (monotonic seconds), whether it was healed
    since."""

    key: Key
    contents: Contents
    at: float
    healed: bool = False


class TugOfWar(Struct, frozen=True):
    """Foreign changes of the last ten minutes. Twice means it: then harmless contents are left."""

    changes: tuple[ForeignChange, ...] = ()

    def repaired(self, key: Key, contents: Contents, now: float) -> "TugOfWar":
        """Harmless damage was seen and a repair was written."""
        kept = tuple(change for change in self.changes if now - change.at <= TUG_WINDOW_S)
        if any(change.key == key and change.contents == contents for change in kept):
            return TugOfWar(kept)
        return TugOfWar((*kept, ForeignChange(key, contents, now)))

    def after(
        self, zone: str, foreign: Iterable[tuple[str, Contents]], healthy: Iterable[str], now: float
    ) -> "TugOfWar":
        """After a change that repaired these harmless ones, and found those as planned."""
        tug = self
        for name, contents in foreign:
            tug = tug.repaired((zone, name), contents, now)
        for name in healthy:
            tug = tug.healed((zone, name))
        return tug

    def healed(self, key: Key) -> "TugOfWar":
        """The endpoint was seen as planned again."""
        if not any(change.key == key and not change.healed for change in self.changes):
            return self
        return TugOfWar(
            tuple(structs.replace(change, healed=True) if change.key == key else change for change in self.changes)
        )

    def insisted(self, zone: str, now: float) -> tuple[tuple[str, Contents], ...]:
        """(endpoint, contents) that were healed once: should they be back, somebody means them."""
        return tuple(
            (change.key[1], change.contents)
            for change in self.changes
            if change.healed and change.key[0] == zone and now - change.at <= TUG_WINDOW_S
        )
