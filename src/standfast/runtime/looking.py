"""Looking again and again at everything `observing` sees, at the cost of what changed: for the page.

Each look asks every zone's primary for its serial, and reads again what changed since; everything is read again after
a while, for edits in a database leave the serial alone. How old a sign of life is is measured here, on a monotonic
clock: the clocks of the processes that give them, or ours, may be days off, which is found out and told.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.config import Config, SqliteStoreConfig, ZoneConfig
from standfast.model.entry import Entry
from standfast.model.marker import Marker
from standfast.model.name import marker_owner
from standfast.ports.provider import Changes, ReadChanges, Unknown

from .answering import Answer, answers
from .freezing import Freeze
from .observing import LATE_S, Seen, StoreSight, freezes_of, hidden, judged, look_at_store, open_existing, present
from .place import Place
from .presence import Present
from .zonesight import SECONDARY_NAMES_MAX, EndpointSight, ZoneSight, look_at_zone, reader, unread_zone

SLOW_S: Final = 10.0
"""How often the store is read whether or not it says that it changed, and secondaries are asked about a few names."""
JUDGE_S: Final = 5.0
"""How often the planner's rules are asked again if nothing changed: time alone may let them go on."""
JUDGE_SHARE: Final = 20.0
"""And not more often than after so many times as long as that takes: with 10,000 names it is seconds."""
FULLY_S: Final = 60.0
FULLY_LARGE_S: Final = 600.0
LARGE: Final = 500
"""Zones with more endpoints than this are read whole each ten minutes, others each minute."""
SAMPLE: Final = 10
"""So many names are asked for at every name server, at most each `ANSWERS_S` seconds."""
ANSWERS_S: Final = 5.0
SKEW_S: Final = 10.0
"""Clocks closer than this are taken to agree."""


class Watched(Struct, frozen=True):
    """One look. `answers` are those of a few names, `ages` how long ago each zone was read, in seconds.

    `skews` are processes whose clock differs from what most say, `own_skew` is ours, ahead if positive; in seconds.
    """

    seen: Seen
    answers: tuple[Answer, ...] = ()
    answers_age_s: float = 0.0
    skews: tuple[tuple[str, float], ...] = ()
    own_skew: float = 0.0


class _Beat(Struct, frozen=True):
    """Somebody's newest sign of life: when by its own clock, and when by ours that never jumps. How far its clock is
    ahead of ours is known of one that came between two looks."""

    at: float
    heard_at: float
    skew: float | None = None


class _Zone(Struct):
    sight: ZoneSight
    serial: int | None
    fully_at: float
    elsewhere_at: float


class Watcher:
    """Looks. For one thread. `wall` is this machine's clock."""

    def __init__(self, config: Config, wall: Callable[[], float] = time.time) -> None:
        self._config, self._place, self._wall = config, Place(config), wall
        self._store: StoreSight | None = None
        self._stored: tuple[object, ...] = ()
        self._stored_at = 0.0
        self._peek = open_existing(self._place)
        self._zones: dict[str, _Zone] = {}
        self._beats: dict[tuple[str, str, int], _Beat] = {}
        self._looked = False
        self._noted_at = 0.0
        self._frozen: tuple[tuple[ZoneSight, ...], tuple[Freeze, ...]] = ((), ())
        self._judged: tuple[StoreSight, float, Seen] | None = None
        self._judging_s = 0.0
        self._answers: tuple[Answer, ...] = ()
        self._answers_at = float("-inf")
        self._cursor = 0

    def look(self) -> Watched:
        """Everything, as it is now. Raises nothing for what cannot be read."""
        now = time.monotonic()
        store = self._look_at_store(now)
        entries = store.plan.by_zone if store.plan else {}
        zones = tuple(self._look_at_zone(zone, entries.get(zone.name, ()), now) for zone in self._config.zones)
        there, skews = self._look_around()
        own = -statistics.median([0.0, *skews.values()]) if skews else 0.0
        own = own if abs(own) > SKEW_S else 0.0
        if zones != self._frozen[0]:
            self._frozen = (zones, freezes_of(self._place, zones))
        at, told = self._wall() - own, self._frozen[1]
        seen = Seen(at, self._config.stream, store, zones, there, hidden=hidden(self._place), freezes=told)
        seen = self._judge(seen, now)
        self._ask(seen, now)
        others = tuple((who, skew + own) for who, skew in skews.items() if abs(skew + own) > SKEW_S)
        return Watched(seen, self._answers, time.monotonic() - self._answers_at, others, own)

    def close(self) -> None:
        """Let go of the store."""
        if not isinstance(self._peek, Unknown):
            self._peek.close()

    # Store

    def _look_at_store(self, now: float) -> StoreSight:
        there, peek = self._signature(), self._peek
        changed = there != self._stored or (not isinstance(peek, Unknown) and peek.changed())
        if self._store is not None and not changed and now - self._stored_at < SLOW_S:
            return self._store
        self._store = look_at_store(self._place, self._store.plan if self._store and not self._store.copy else None)
        self._stored, self._stored_at = there, now
        self.close()
        self._peek = open_existing(self._place)
        if not isinstance(self._peek, Unknown):
            self._peek.changed()
        return self._store

    def _signature(self) -> tuple[object, ...]:
        """The store's file, and while it can't be read the copies in its place."""
        found: list[object] = []
        copies = self._place.kept_copies() if isinstance(self._peek, Unknown) else ()
        store = self._config.store
        own = (store.path,) if isinstance(store, SqliteStoreConfig) else ()
        for path in (*own, *copies):
            try:
                stat = os.stat(path)
                found.append((stat.st_dev, stat.st_ino, stat.st_mode, stat.st_uid))
            except OSError as error:
                found.append(error.errno)
        return tuple(found)

    # Zones

    def _look_at_zone(self, zone: ZoneConfig, entries: tuple[Entry, ...], now: float) -> ZoneSight:
        known = self._zones.get(zone.name)
        changes = _changes(zone, known.serial if known and not known.sight.trouble else None)
        if isinstance(changes, Unknown) and known is not None:
            known.sight, known.serial = unread_zone(zone, zone.where, entries, changes), None
            return known.sight
        owners = changes.owners if isinstance(changes, Changes) else None
        if known is None or self._fully(known, owners is None, len(entries), now):
            sight = look_at_zone(zone, self._config.stream, entries, secondaries=True)
            serial = changes.serial if isinstance(changes, Changes) else None
            self._zones[zone.name] = _Zone(sight, serial, now, now)
            return sight
        due = self._due(known, entries, frozenset(owners or ()))
        if now - known.elsewhere_at >= SLOW_S:
            due |= {entry.key for entry in sorted(entries, key=lambda entry: -entry.since)[:SAMPLE]}
            known.elsewhere_at = now
        known.serial = changes.serial if isinstance(changes, Changes) else None
        same = len(entries) == len(known.sight.endpoints)
        if due or not same or owners:
            some = [entry for entry in entries if entry.key in due]
            fresh = look_at_zone(zone, self._config.stream, some, secondaries=0 < len(some) <= SECONDARY_NAMES_MAX)
            if fresh.trouble:
                known.serial, fresh = None, look_at_zone(zone, self._config.stream, entries, secondaries=False)
            known.sight = fresh if fresh.trouble else _merged(known.sight, fresh, entries)
        return known.sight

    @staticmethod
    def _fully(known: _Zone, changed: bool, count: int, now: float) -> bool:
        """Whether everything is to be read. `changed`: something is new, and the server can't tell what: in a large
        zone what the plan changed is looked at, and everything a minute after it last was."""
        if known.sight.trouble or (changed and count <= LARGE):
            return True
        every = FULLY_S if changed or count <= LARGE else FULLY_LARGE_S
        return now - known.fully_at >= every

    def _due(self, known: _Zone, entries: Iterable[Entry], owners: frozenset[str]) -> set[tuple[str, str]]:
        """Whose entry or records changed, and who was not in step everywhere."""
        before = {one.entry.key: one for one in known.sight.endpoints}
        found = set()
        for entry in entries:
            was = before.get(entry.key)
            touched = entry.name in owners or marker_owner(entry.name, entry.zone) in owners if owners else False
            if touched or was is None or was.entry != entry or was.unread or _late(was):
                found.add(entry.key)
        return found

    # Processes

    def _look_around(self) -> tuple[tuple[Present, ...], dict[str, float]]:
        """Who is here, with ages measured by ourselves, and the skew of each clock against ours."""
        found = present(self._place)
        wall, now = self._wall(), time.monotonic()
        if now - self._noted_at > LATE_S:  # nobody looked for a while: when a beat came since then is not known
            self._beats, self._looked = {}, False
        if not self._looked and any(one.alive and not 0 <= wall - one.at <= LATE_S for one in found):
            self._note(found, wall, now)
            time.sleep(1.2)  # is it dead, or are the clocks off? Who lives shows itself again within a second
            found = present(self._place)
            wall, now = self._wall(), time.monotonic()
        self._looked, self._noted_at = True, now
        skews = self._note(found, wall, now)
        return tuple(replace(one, age_s=max(0.0, now - self._beats[_identity(one)].heard_at)) for one in found), skews

    def _note(self, found: tuple[Present, ...], wall: float, now: float) -> dict[str, float]:
        skews = {}
        kept = {}
        for one in found:
            beat = self._beats.get(_identity(one))
            if beat is None:
                beat = _Beat(one.at, now - max(0.0, wall - one.at))
            elif beat.at != one.at:
                beat = _Beat(one.at, now, one.at - wall)
            kept[_identity(one)] = beat
            if beat.skew is not None and now - beat.heard_at <= LATE_S:  # who did not beat since the last look, too
                skews[f"{one.role} {one.who}"] = beat.skew
        self._beats = kept
        return skews

    # The planner's rules, and the answers

    def _judge(self, seen: Seen, now: float) -> Seen:
        again = max(JUDGE_S, JUDGE_SHARE * self._judging_s)
        if self._judged is None or self._judged[0] != seen.store or now - self._judged[1] >= again:
            began = time.monotonic()
            self._judged = (seen.store, now, judged(seen, self._config))
            self._judging_s = time.monotonic() - began
        last = self._judged[2]
        ruled = {name: getattr(last, name) for name in ("decisions", "refusals", "overdue", "absent", "twins")}
        return replace(seen, file=self._config.digest, **ruled)

    def _ask(self, seen: Seen, now: float) -> None:
        well = all(one.standing == "same" for one in self._answers)
        if seen.store.plan is None or (well and now - self._answers_at < ANSWERS_S):
            return
        found: list[Answer] = []
        for zone in self._config.zones:
            entries = [one for one in seen.store.plan.by_zone.get(zone.name, ()) if one.kind == "live"]
            if entries:
                newest = sorted(entries, key=lambda entry: -entry.since)[: SAMPLE // 2]
                turn = [entries[(self._cursor + place) % len(entries)] for place in range(SAMPLE - len(newest))]
                some = {entry.key: entry for entry in (*newest, *turn)}
                found += answers(zone, list(some.values()))
        self._cursor += SAMPLE // 2
        self._answers, self._answers_at = tuple(found), time.monotonic()


def _changes(zone: ZoneConfig, serial: int | None) -> Changes | Unknown:
    primary = reader(zone)
    if isinstance(primary, Unknown):
        return primary
    try:
        return primary.perform(ReadChanges(zone.name, serial))
    finally:
        primary.close()


def _identity(one: Present) -> tuple[str, str, int]:
    return one.role, one.who, one.pid


def _late(sight: EndpointSight) -> bool:
    """Whether it is not in step with its entry at every server that was asked."""
    since = sight.entry.since
    return any(not isinstance(marker, Marker) or marker.since != since for _, marker in sight.servers)


def _merged(before: ZoneSight, fresh: ZoneSight, entries: tuple[Entry, ...]) -> ZoneSight:
    """The zone as before but for what was read again."""
    again = {one.entry.key: one for one in fresh.endpoints}
    known = {one.entry.key: one for one in before.endpoints}
    sights = tuple(again.get(entry.key) or known[entry.key] for entry in entries)
    notes = fresh.notes or before.notes
    return replace(fresh, endpoints=sights, notes=notes)
