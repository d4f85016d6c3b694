"""Zone, markers, plan and journals held against each other: what differs, since when, and whose doing it was.

Nothing is changed and nothing is believed: the zone says what stands there, the store what should, the journals of this
machine who wrote what and when (by the clock of whoever wrote it). What one of them can't say is told as not known.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from standfast.adapters.providers.listing import Listing
from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.config import Config
from standfast.model.marker import EMERGENCY, Absent, Damaged, Floor, Marker, read_floor, read_marker
from standfast.model.name import FLOOR_LABEL, SUBTREE, marker_owner
from standfast.model.plan import Head
from standfast.model.rrset import RRType
from standfast.ports.local import RecallCopy
from standfast.ports.provider import Unknown
from standfast.ports.store import PlanRead

from .commanding import foreign_streams, names_in, transferred
from .freezing import zone_freezes
from .journal_files import read_journal
from .observing import Seen, observe
from .place import Place
from .verdict import Standing, standings

_FINE: Final = frozenset({"ok", "held", "retired", "frozen", "unread"})
_UNPLANNED: Final = frozenset({"none", EMERGENCY})
_EVENTS: Final = ("intent", "planned", "operator")


class Deviation(Struct, frozen=True):
    """Something that differs. `between` says which two; `since` and `who` are clauses, empty where nobody knows;
    `remedy` is a command, or what to do."""

    between: str
    zone: str
    name: str
    what: str
    since: str = ""
    who: str = ""
    remedy: str = ""


class Written(Struct, frozen=True):
    """Who made the change that a nonce names, as a journal here tells."""

    at: str
    role: str
    who: str
    generation: int


class Told(Struct, frozen=True):
    """What the journals of this machine say: changes by nonce, and published plans by generation."""

    changes: Mapping[str, Written]
    plans: Mapping[int, tuple[str, str, str]]
    """generation: (digest, at, who)."""


class Compared(Struct, frozen=True):
    """The outcome. `unread` are sentences on what could not be looked at, `notes` on what is there and is no fault.

    `ends` are the nonces of our markers as they stand, for the audit of the journals."""

    deviations: tuple[Deviation, ...]
    notes: tuple[str, ...]
    unread: tuple[str, ...]
    head: Head | None
    zones: tuple[str, ...]
    endpoints: int
    ends: Mapping[tuple[str, str], str]


def compared(config: Config) -> Compared:
    """Look at everything once and compare."""
    place = Place(config)
    seen = observe(config, secondaries=False)
    told = read_told(place.journal)
    listings = {zone.name: transferred(place, zone) for zone in config.zones}
    deviations = [
        *_floors(seen, told),
        *_endpoints(seen, told),
        *_strays(seen, listings),
        *_store(seen, place, told),
    ]
    unread = [f"{zone.zone} can't be read: {zone.trouble}" for zone in seen.zones if zone.trouble]
    unread += [f"{one.entry.name}: {how.why}" for one, how in standings(seen) if how.state == "unread"]
    if seen.store.trouble:
        shown = f"; compared is the copy of enactor {seen.store.copy}" if seen.store.copy else ""
        unread.append(f"the plan store can't be read: {seen.store.trouble.rstrip('.')}{shown}")
    return Compared(
        tuple(deviations),
        tuple(_notes(seen, listings)),
        tuple(dict.fromkeys(unread)),
        seen.store.head or (seen.store.plan.head if seen.store.plan else None),
        tuple(zone.zone for zone in seen.zones),
        len(seen.endpoints),
        _ends(seen),
    )


def read_told(folder: Path) -> Told:
    """Who wrote what, by the journals in this folder."""
    changes: dict[str, Written] = {}
    plans: dict[int, tuple[str, str, str]] = {}
    for line in read_journal(folder, events=_EVENTS):
        at, who = str(line.get("at", "")), str(line.get("who", ""))
        generation = line.get("generation")
        if line["event"] == "intent":
            number = generation if isinstance(generation, int) else 0
            changes[str(line.get("nonce", ""))] = Written(at, str(line.get("role", "")), who, number)
        elif isinstance(generation, int) and line.get("digest"):
            plans[generation] = (str(line["digest"]), at, who)
    return Told(changes, plans)


def _floors(seen: Seen, told: Told) -> Iterator[Deviation]:
    head = seen.store.head or (seen.store.plan.head if seen.store.plan else None)
    for zone in seen.zones:
        floor = zone.floor
        if isinstance(floor, Absent | Damaged) and seen.store.plan is not None:
            what = "its floor is missing" if isinstance(floor, Absent) else f"its floor can't be believed: {floor.why}"
            remedy = "an enactor at work restores it: standfast status"
            yield Deviation("zone and plan", zone.zone, zone.zone, what, remedy=remedy)
        elif isinstance(floor, Floor) and head is not None and floor.generation > head.generation:
            what = f"its floor is at g{floor.generation} and the newest plan is g{head.generation}"
            yield Deviation(
                "zone and store", zone.zone, zone.zone, what, *_by(told, floor.nonce, ""),
                "a planner at work publishes above it: standfast status",
            )  # fmt: skip


def _endpoints(seen: Seen, told: Told) -> Iterator[Deviation]:
    stored = {one.generation: one.digest for one in seen.store.plans}
    for sight, how in standings(seen):
        entry, marker = sight.entry, sight.marker
        short = seen.short(entry.key)
        since, who = _by(told, marker.nonce, marker.writer) if isinstance(marker, Marker) else ("", "")
        if isinstance(marker, Marker) and marker.plan == EMERGENCY:
            what = f"it was published without a plan (g{marker.since}), and no plan has taken that over"
            yield Deviation("zone and plan", entry.zone, entry.name, what, since, who, "standfast status")
        elif how.state not in _FINE:
            yield _standing(how, entry.zone, entry.name, short, since, who)
        if not isinstance(marker, Marker) or marker.stream != seen.stream or marker.plan in _UNPLANNED:
            continue
        digest = stored.get(marker.generation)
        if digest is not None and not digest.startswith(marker.plan):
            what = f"its marker names another plan g{marker.generation} than the store has ({digest[:8]})"
            yield Deviation("zone and store", entry.zone, entry.name, what, since, who, "standfast history")
        written = told.changes.get(marker.nonce)
        if written is None and told.changes:
            what = f"its marker's change (g{marker.generation}, by {marker.writer}) is in no journal of this machine"
            yield Deviation("zone and journal", entry.zone, entry.name, what, "", "", _ELSEWHERE)


_ELSEWHERE: Final = "give the journals of the other machines: standfast audit --journal FOLDER…"


def _standing(how: Standing, zone: str, name: str, short: str, since: str, who: str) -> Deviation:
    """In words of what was last known to be right."""
    if how.state == "damaged" and since:
        when, since, who = since, "", ""
        how = Standing(how.state, f"{how.why}; changed {when.replace('since', 'after')}, by none of our changes")
    return Deviation("zone and plan", zone, name, how.why, since, who, f"standfast explain {short}")


def _by(told: Told, nonce: str, writer: str) -> tuple[str, str]:
    """Since when and by whom a record stands as it does, as far as it is told here."""
    written = told.changes.get(nonce)
    if written is None:
        return "", f"by {writer}" if writer else ""
    return f"since {written.at}", f"by {written.role} {written.who}"


def _strays(seen: Seen, listings: Mapping[str, Listing | Unknown]) -> Iterator[Deviation]:
    """Markers of ours that no plan names."""
    plan = seen.store.plan
    for zone, found in listings.items():
        if plan is None or isinstance(found, Unknown):
            continue
        planned = {entry.name for entry in plan.by_zone.get(zone, ())}
        for name in names_in(found, zone):
            owner = marker_owner(name, zone)
            marker = read_marker(found.rrsets.get((owner, int(RRType.TXT))), zone, owner)
            if name in planned or (isinstance(marker, Marker) and marker.stream != seen.stream):
                continue
            what = (
                f"a marker of ours (g{marker.since}, by {marker.writer})" if isinstance(marker, Marker) else "a record"
            )
            remedy = "put it into the configuration and retire it, or remove it by hand"
            yield Deviation("zone and plan", zone, name, f"{what} stands at {owner}, in no plan", "", "", remedy)


def _store(seen: Seen, place: Place, told: Told) -> Iterator[Deviation]:
    """The store against the copies that enactors keep, and against the journals."""
    head = seen.store.head
    if head is None:
        return
    zone = seen.zones[0].zone if seen.zones else ""
    for path in place.kept_copies():
        copy = DiskCopy(path)
        reply = copy.perform(RecallCopy())
        copy.close()
        if not isinstance(reply, PlanRead) or reply.plan.record.stream != seen.stream:
            continue
        plan, who = reply.plan, f"enactor {path.stem}"
        if plan.generation > head.generation:
            what = f"{who} keeps plan g{plan.generation}, and the store's newest is g{head.generation}: it was set back"
            yield Deviation("store and copy", zone, "", what, "", "", "a planner at work publishes above it")
        elif plan.generation == head.generation and plan.digest != head.digest:
            what = f"{who} keeps another plan g{plan.generation} than the store: a fork"
            yield Deviation("store and copy", zone, "", what, "", "", "a planner at work publishes above it")
    known = told.plans.get(head.generation)
    if known is not None and known[0] != head.digest:
        what = f"the journal tells of another plan g{head.generation} ({known[0][:8]}) than the store has"
        yield Deviation("store and journal", zone, "", what, f"since {known[1]}", f"by {known[2]}", "standfast history")


def _notes(seen: Seen, listings: Mapping[str, Listing | Unknown]) -> Iterator[str]:
    for _, sentence in zone_freezes(seen):
        yield sentence
    for zone, found in listings.items():
        if isinstance(found, Unknown):
            yield f"{zone}: {found.why}, so markers that no plan names are not seen"
            continue
        for name, stream in foreign_streams(found, zone, seen.stream).items():
            yield f"{name} is under a marker of stream {stream}"
        for stream in _other_floors(found, zone, seen.stream):
            yield f"stream {stream} works in {zone} as well"


def _other_floors(found: Listing, zone: str, stream: str) -> Iterable[str]:
    below = f".{FLOOR_LABEL}.{SUBTREE}.{zone}"
    for owner, rtype in sorted(found.rrsets):
        if rtype == RRType.TXT and owner.endswith(below):
            floor = read_floor(found.rrsets[(owner, rtype)], zone, owner)
            if isinstance(floor, Floor) and floor.stream != stream:
                yield floor.stream


def _ends(seen: Seen) -> dict[tuple[str, str], str]:
    sights = [one for zone in seen.zones for one in zone.endpoints]
    return {
        (one.marker.stream, marker_owner(one.entry.name, one.entry.zone)): one.marker.nonce
        for one in sights
        if isinstance(one.marker, Marker) and one.marker.stream == seen.stream
    }


def json_of(found: Compared) -> dict[str, Any]:
    """For programs."""
    return {
        "head": found.head.generation if found.head else None,
        "zones": list(found.zones),
        "endpoints": found.endpoints,
        "deviations": [
            {
                "between": one.between, "zone": one.zone, "name": one.name or None, "what": one.what,
                "since": one.since.removeprefix("since ") or None, "who": one.who.removeprefix("by ") or None,
                "remedy": one.remedy,
            }
            for one in found.deviations
        ],
        "notes": list(found.notes),
        "unread": list(found.unread),
    }  # fmt: skip
