"""A zone that went back: a server says of a marker or floor what this process knows to have been replaced.

No write of ours does that: somebody put an old zone file, a disk or a record back. The core heals it like any other
damage. Here it is seen and told, so that people know, and so that an audit need not take what follows for a lost
update. What is remembered is what the server itself said: of each record the last value and a few before it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict

from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import floor_owner, is_below, marker_owner, relative, subtree
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Read, Readings, Replace

from .times import clock

if TYPE_CHECKING:
    from .presence import Present

EARLIER: Final = 4
"""So many former values of a record are remembered: one of the same since that comes back is known by them."""
ONCE_S: Final = 60.0
"""What goes back within a minute of the first went back with it: a zone is read in several readings."""
TOLD_FOR_S: Final = 3600.0
"""So long `status` tells of it, so that who comes to look finds it; `history` has it for good."""
PART: Final = 1000
"""So many records stand in one line of the journal, a quarter MiB."""
_NAMES: Final = 4
_SHOWN: Final = 20

Data: TypeAlias = tuple[bytes, ...]


class WentBack(Struct, frozen=True):
    """One record that went back: nonce and since (of a floor: generation) that were known last, and those that were
    found. `name` is the endpoint's, empty for the zone's floor."""

    name: str
    knew: str
    was: int
    found: str
    now: int


class _Event(Struct):
    """A zone that went back: when by either clock, which names, and whether its floor did."""

    began: float
    at: float
    names: dict[str, None]
    floor: bool


class SetBacks:
    """What one enactor knows of its zones' markers and floors, and which of them went back."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._known: dict[tuple[str, str], tuple[Data, tuple[Data, ...]]] = {}
        self._events: dict[str, _Event] = {}

    def wrote(self, request: Replace) -> None:
        """The server said that these contents stand."""
        for one in request.contents:
            if one.rtype == RRType.TXT and one.rdata and is_below(one.owner, subtree(request.zone)):
                self._learn((request.zone, one.owner), one.rdata)

    def read(self, request: Read, reply: object, plan: Plan | None) -> Iterator[dict[str, Any]]:
        """The server's answer to a reading; facts for the journal, if something in it went back."""
        if not isinstance(reply, Readings):
            return
        found: list[WentBack] = []
        names: Mapping[str, str] | None = None
        for (owner, rtype), value in zip(request.keys, reply.values, strict=True):
            if rtype != RRType.TXT or not isinstance(value, RRset) or not is_below(owner, subtree(request.zone)):
                continue
            if (gone := self._heard(request.zone, owner, value)) is None:
                continue
            names = names if names is not None else _names(plan, request.zone)
            name = "" if owner == floor_owner(self._stream, request.zone) else names.get(owner)
            if name is not None:
                found.append(WentBack(name, *gone))
        if found:
            self._remember(request.zone, found)
        for start in range(0, len(found), PART):
            yield {"zone": request.zone, "records": [asdict(one) for one in found[start : start + PART]]}

    @property
    def standing(self) -> list[dict[str, Any]]:
        """For presence: what went back within the hour."""
        now = time.monotonic()
        self._events = {zone: one for zone, one in self._events.items() if now - one.began < TOLD_FOR_S}
        return [
            {
                "zone": zone,
                "at": one.at,
                "floor": one.floor,
                "names": list(one.names)[:_SHOWN],
                "count": len(one.names),
            }
            for zone, one in self._events.items()
        ]

    def _learn(self, place: tuple[str, str], data: Data) -> None:
        known = self._known.get(place)
        if known is None:
            self._known[place] = (data, ())
        elif known[0] != data:
            self._known[place] = (data, (known[0], *known[1])[:EARLIER])

    def _heard(self, zone: str, owner: str, value: RRset) -> tuple[str, int, str, int] | None:
        """One record; what was known of it and what was found, if it went back."""
        place, known = (zone, owner), self._known.get((zone, owner))
        if known is not None and known[0] == value.rdata:
            return None
        found = self._read(zone, owner, value)
        if found is None:
            return None  # damage, another stream's, or a freeze over a marker that was gone: nothing is learnt
        self._learn(place, value.rdata)
        was = self._read(zone, owner, RRset(RRType.TXT, value.ttl, known[0])) if known is not None else None
        if known is None or was is None or (value.rdata not in known[1] and found[1] >= was[1]):
            return None
        return *was, *found

    def _read(self, zone: str, owner: str, value: RRset) -> tuple[str, int] | None:
        if owner == floor_owner(self._stream, zone):
            floor = read_floor(value, zone, owner)
            return (floor.nonce, floor.generation) if isinstance(floor, Floor) else None
        marker = read_marker(value, zone, owner)
        if not isinstance(marker, Marker) or marker.stream != self._stream or marker.state == "placeholder":
            return None
        return marker.nonce, marker.since

    def _remember(self, zone: str, found: Iterable[WentBack]) -> None:
        event, now = self._events.get(zone), time.monotonic()
        if event is None or now - event.began > ONCE_S:
            event = self._events[zone] = _Event(now, time.time(), {}, floor=False)
        for one in found:
            if not one.name:
                event.floor = True
            elif "._first." not in one.name:
                event.names[one.name] = None


def _names(plan: Plan | None, zone: str) -> dict[str, str]:
    """Endpoints by the owner names of their markers."""
    entries = plan.by_zone.get(zone, ()) if plan is not None else ()
    return {marker_owner(entry.name, zone): entry.name for entry in entries}


def what_went_back(zone: str, names: Iterable[str], count: int, *, floor: bool) -> str:
    """The subject of every sentence about it: `the zone lb.example.com`, or `www and api`."""
    if floor or not count:
        return f"the zone {zone}"
    some = [relative(name, zone) or "@" for name in names][:_NAMES]
    more = f" and {count - len(some)} more" if count > len(some) else ""
    return f"{', '.join(some)}{more}"


def set_back_text(line: Mapping[str, Any]) -> str:
    """What a `set_back` line of the journal says, for people."""
    zone, floor, names = str(line.get("zone")), "", []
    for one in line.get("records") or ():
        step = f"g{one.get('was')} → g{one.get('now')}"
        if one.get("name"):
            names.append((str(one["name"]), step))
        else:
            floor = step
    names = [pair for pair in names if "._first." not in pair[0]]
    who = what_went_back(zone, [name for name, _ in names], len(names), floor=bool(floor))
    return f"{who}  {floor or (names[0][1] if names else '')}  set back to an older state, by nobody of ours".strip()


def set_back_sentences(enactors: "Iterable[Present]", at: float, unhealed: Iterable[str]) -> Iterator[str]:
    """For the verdict: each zone that went back lately, by whoever saw it first. `unhealed`: zones where something is
    not in step."""
    first: dict[str, Mapping[str, Any]] = {}
    for one in enactors:
        told = one.facts.get("set_back")
        for facts in told if isinstance(told, list) else ():
            if isinstance(facts, dict) and isinstance(facts.get("at"), int | float):
                zone = str(facts.get("zone"))
                if zone not in first or facts["at"] < first[zone]["at"]:
                    first[zone] = facts
    broken = frozenset(unhealed)
    for zone, facts in first.items():
        names = [str(name) for name in facts.get("names") or ()]
        who = what_went_back(zone, names, int(facts.get("count") or 0), floor=bool(facts.get("floor")))
        verb = "was" if facts.get("floor") or len(names) == 1 else "were"
        end = "being repaired" if zone in broken else "repaired"
        yield f"{who[:1].upper() if facts.get('floor') else who[:1]}{who[1:]} {verb} set back to an older state at " + (
            f"{clock(facts['at'], at)}, by nobody of ours; {end}."
        )
