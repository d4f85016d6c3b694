"""Nonces as symbols: where they stand in the cores' own values, and the same values under other nonces.

A nonce is sixteen hexadecimal digits, and appears by itself or inside the text of a marker or floor. There it is
covered by the record's checksum, so a renamed record is sealed anew for the owner name under which it was right.
What does not check is damage: nobody reads a nonce in it, so it holds no symbol.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.core.agenda import Agenda
from standfast.core.beliefs import TugOfWar, ZoneBelief
from standfast.core.task import Task
from standfast.model.entry import Entry
from standfast.model.marker import Floor, Marker, floor_rdata, marker_rdata, read_floor, read_marker
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRset, RRType
from standfast.model.shards import Shards
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store_spec import StoreState

Collect: TypeAlias = Callable[[Any, dict[str, None]], None]
_NONCE: Final = re.compile(r"[0-9a-f]{16}\Z")
_SHORTEST_RECORD: Final = 40
_WITHOUT: Final = (Plan, PlanRecord, Entry, Shards, Task, Agenda, TugOfWar, StoreState)
"""Values that never hold a nonce."""


class Symbols:
    """Finds and renames nonces in the values of one zone's world. `owners` are all names at which records may stand."""

    def __init__(self, zone: str, owners: Iterable[str]) -> None:
        self._zone = zone
        self._owners = tuple(owners)
        self._records: dict[bytes, tuple[str, Marker | Floor] | None] = {}
        self._sealed: dict[tuple[bytes, str], bytes] = {}
        self._fields: dict[type, tuple[str, ...]] = {}

    def of(self, value: object) -> tuple[str, ...]:
        """The distinct nonces, in an order that does not depend on them."""
        found: dict[str, None] = {}
        self._collect(value, found)
        return tuple(found)

    def renamed(self, value: Any, names: Mapping[str, str]) -> Any:
        """The value with nonces exchanged."""
        match value:
            case None | int() | float():
                return value
            case str():
                return names.get(value, value)
            case bytes():
                return self._resealed(value, names)
            case tuple():
                parts = tuple([self.renamed(part, names) for part in value])
                return value if all(map(_is, parts, value)) else parts
            case ZoneState():
                rrsets = {key: self.renamed(rrset, names) for key, rrset in value.rrsets.items()}
                return ZoneState(value.apex, rrsets, value.serial)
            case ZoneBelief():
                markers = {name: self.renamed(marker, names) for name, marker in value.markers.items()}
                return ZoneBelief(self.renamed(value.floor, names), markers, value.serial)
            case Struct() if not isinstance(value, _WITHOUT):
                fields = self._fields_of(type(value))
                changed = {}
                for field in fields:
                    before = getattr(value, field)
                    after = self.renamed(before, names)
                    if after is not before:
                        changed[field] = after
                return replace(value, **changed) if changed else value
        return value

    def _collect(self, value: Any, found: dict[str, None]) -> None:
        match value:
            case None | int() | float():
                return
            case str():
                if len(value) == 16 and _NONCE.match(value):
                    found[value] = None
            case bytes():
                if (record := self._record(value)) is not None:
                    found[record[1].nonce] = None
            case tuple():
                for part in value:
                    self._collect(part, found)
            case ZoneState():
                for key in sorted(value.rrsets):
                    self._collect(value.rrsets[key], found)
            case ZoneBelief():
                self._collect(value.floor, found)
                for name in sorted(value.markers):
                    self._collect(value.markers[name], found)
            case Struct() if not isinstance(value, _WITHOUT):
                for field in self._fields_of(type(value)):
                    self._collect(getattr(value, field), found)

    def _fields_of(self, kind: type) -> tuple[str, ...]:
        known = self._fields.get(kind)
        if known is None:
            known = self._fields[kind] = tuple(kind.__struct_fields__)  # type: ignore[attr-defined]
        return known

    def _record(self, rdata: bytes) -> tuple[str, Marker | Floor] | None:
        """The owner name for which these bytes are a valid record, and what they say."""
        if len(rdata) < _SHORTEST_RECORD:
            return None
        if rdata not in self._records:
            self._records[rdata] = self._read(RRset(int(RRType.TXT), 0, (rdata,)))
        return self._records[rdata]

    def _read(self, rrset: RRset) -> tuple[str, Marker | Floor] | None:
        for owner in self._owners:
            marker, floor = read_marker(rrset, self._zone, owner), read_floor(rrset, self._zone, owner)
            if isinstance(marker, Marker):
                return owner, marker
            if isinstance(floor, Floor):
                return owner, floor
        return None

    def _resealed(self, rdata: bytes, names: Mapping[str, str]) -> bytes:
        known = self._record(rdata)
        if known is None or known[1].nonce not in names:
            return rdata
        owner, record = known
        nonce = names[record.nonce]
        key = rdata, nonce
        if key not in self._sealed:
            changed = replace(record, nonce=nonce)
            sealed = marker_rdata(changed, self._zone, owner) if isinstance(changed, Marker) else None
            self._sealed[key] = sealed if sealed is not None else floor_rdata(changed, self._zone, owner)  # type: ignore[arg-type]
        return self._sealed[key]


def _is(one: object, other: object) -> bool:
    return one is other
