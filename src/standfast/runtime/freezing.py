"""Freeze and thaw, carried out; and who froze what, why and since when, for whoever looks.

The zone itself says *that* it is frozen, and by whom (the markers' writer). The reason stands in the operator's journal
and, if it can be reached, in the store, so that other machines know it too. Nothing is decided by either.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from standfast.config import ZoneConfig
from standfast.core.direct import Ended
from standfast.core.freezer import Freezing, Verb
from standfast.model.marker import EMERGENCY, Floor, Marker
from standfast.model.name import first_name
from standfast.ports.provider import Unknown
from standfast.ports.store import ReadSource, SourceRead

from .commanding import Desk, Known, writer_of
from .journal_files import read_journal
from .observing import open_existing
from .phrases import listed
from .place import Place
from .sharing import Board
from .times import clock, span

if TYPE_CHECKING:
    from .observing import Seen

FREEZES: Final = "freezes"
"""The source of a store in which frozen zones and endpoints are told of."""
DONE: Final = frozenset({"sealed", "frozen", "thawed"})
_TRIES: Final = 3


class Freeze(Struct, frozen=True):
    """What is said of one freeze. `target` is a zone or an endpoint, `at` seconds since the epoch by the clock of
    whoever gave the order, None if nobody knows."""

    target: str
    by: str
    at: float | None
    reason: str


class Frozen(Struct, frozen=True):
    """How a zone's freeze stands, by its records. `live` are endpoints whose marker is not frozen yet: as long as there
    are any the freeze is requested, not sealed. `by` is the writer of the first entry's marker."""

    zone: str
    live: tuple[str, ...]
    by: str

    @property
    def sealed(self) -> bool:
        """Whether nothing at all is written any more."""
        return not self.live


def carry_out(place: Place, zone: ZoneConfig, verb: Verb, known: Known, reason: str, endpoint: str = "") -> Ended:
    """Freeze or thaw a zone, or one endpoint of it. Raises JournalError before anything is done."""
    target = endpoint or zone.name
    with Desk(place, zone, verb, (target,), reason) as desk:
        order = Freezing(verb, desk.stream, zone.name, writer_of(desk.who), known.names, endpoint, known.generation)
        ended = desk.obeyed(order)
        desk.concluded(ended.result, ended.why or f"{target}: {ended.result}")
    if ended.result in DONE:
        _share(place, verb, target, desk.who, reason)
    return ended


def _share(place: Place, verb: Verb, target: str, who: str, reason: str) -> None:
    """Tell the other machines by way of the store, if it is there. That it is not is no reason to fail."""
    store = open_existing(place)
    if isinstance(store, Unknown):
        return
    try:
        board = Board(store, FREEZES)
        for _ in range(_TRIES):
            if not board.read():
                return
            told = [one for one in _decoded(board.body) if one.target != target]
            if verb == "freeze":
                told.append(Freeze(target, who, time.time(), reason))
            if board.put(msgspec.json.encode(told)) != "overtaken":
                return
    finally:
        store.close()


def told_freezes(place: Place) -> tuple[Freeze, ...]:
    """What is known of freezes from the journals of this machine and from the store, the newest of each target."""
    found: dict[str, Freeze] = {}
    for one in sorted([*_from_store(place), *_from_journals(place.journal)], key=lambda one: one.at or 0.0):
        found[one.target] = one
    return tuple(found.values())


def _from_store(place: Place) -> tuple[Freeze, ...]:
    store = open_existing(place)
    if isinstance(store, Unknown):
        return ()
    try:
        reply = store.perform(ReadSource(FREEZES))
    finally:
        store.close()
    return _decoded(reply.body) if isinstance(reply, SourceRead) else ()


def _decoded(body: bytes) -> tuple[Freeze, ...]:
    try:
        return msgspec.json.decode(body, type=tuple[Freeze, ...]) if body else ()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


def _from_journals(folder: Path) -> Iterator[Freeze]:
    """By the orders given on this machine."""
    for line in read_journal(folder, events=("operator",), roles=("operator",)):
        if line.get("action") == "freeze" and line.get("stage") == "asked":
            by, reason = str(line.get("by", "")), str(line.get("reason", ""))
            for name in line.get("names") or ():
                yield Freeze(str(name), by, _moment(line.get("at")), reason)


def _moment(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None


def frozen_by(stream: str, zone: str, floor: object, markers: Iterable[tuple[str, object]]) -> Frozen | None:
    """How the zone's freeze stands; None: its floor is not frozen, or can't be read."""
    if not isinstance(floor, Floor) or not floor.frozen:
        return None
    first, by, live = first_name(stream, zone), "", []
    for name, marker in markers:
        if isinstance(marker, Marker) and marker.stream == stream:
            if name == first:
                by = marker.writer
            if not marker.frozen and marker.state != "retired":
                live.append(name)
        elif not isinstance(marker, Marker | Unknown):
            live.append(name)
    return Frozen(zone, tuple(live), by)


def zone_freezes(seen: "Seen") -> Iterator[tuple[Frozen, str]]:
    """Every frozen zone with the sentence on it."""
    for zone in seen.zones:
        markers = [(one.entry.name, one.marker) for one in zone.endpoints]
        frozen = frozen_by(seen.stream, zone.zone, zone.floor, markers)
        if frozen is None:
            continue
        count = sum(one.entry.kind != "first" for one in zone.endpoints)
        many = f"its {count} endpoints" if count != 1 else "its endpoint"
        text = (
            f"{zone.zone} is FROZEN{_told(seen, zone.zone, frozen.by)} Failover is OFF for {many}, and so are repairs."
        )
        if not frozen.sealed:
            some = listed(frozen.live, 3)
            text = (
                f"{zone.zone}: a freeze is requested and NOT sealed: {some} not yet{_told(seen, zone.zone, frozen.by)}"
                f" Nothing new is written; `standfast freeze {zone.zone}` seals it."
            )
        yield frozen, text


def endpoint_freeze(seen: "Seen", name: str, short: str, marker: object) -> str:
    """The sentence on one endpoint that is frozen alone."""
    by = marker.writer if isinstance(marker, Marker) else ""
    return f"{short} is FROZEN{_told(seen, name, by)} Nothing is written to it, and failover is OFF for it."


def unplanned(marker: object, short: str) -> str:
    """The sentence on an endpoint that was published without a plan, while no plan has taken that over."""
    if not isinstance(marker, Marker) or marker.plan != EMERGENCY or marker.state != "live":
        return ""
    who = f"g{marker.since}, by {marker.writer}"
    return f"{short} is HELD as published in an emergency ({who}): failover is OFF. A planner takes that over, held."


def _told(seen: "Seen", target: str, by: str) -> str:
    """Since when, by whom and why, as far as it is known, up to the full stop. The zone's word on whom comes first."""
    told = next((one for one in seen.freezes if one.target == target and (not by or writer_of(one.by) == by)), None)
    if told is None:
        return f" by {by} (why and since when is told on the machine it was done on)." if by else "."
    when = f" since {clock(told.at, seen.at)} ({span(seen.at - told.at)})" if told.at is not None else ""
    return f"{when} by {told.by}" + (f': "{told.reason}".' if told.reason else ", without a reason.")
