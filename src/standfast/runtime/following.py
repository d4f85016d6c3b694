"""After each write: when does every other name server of the zone serve it? Watched beside the writing, never in it.

A write is followed by its marker: whoever serves a marker of that `since`, or a later one, serves the write. Between
writes the floor is compared now and then, so that a server that comes back with an old zone is noticed too. Nothing
is decided by any of this: it is told, in the journal, by `status`, and in the sum of `check`.

Bounded: so many names a zone, so many servers at once, a second for each answer, and ever longer pauses.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import ZoneConfig
from standfast.model.entry import Key
from standfast.model.marker import Floor, FloorReading, Marker, MarkerReading, read_floor, read_marker
from standfast.model.name import floor_owner, marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider

from .nameturns import ALONE, Share
from .namewatch import NameWatch, Watching
from .zonesight import NameServer, name_servers, reader

PAUSES_S: Final = ((5.0, 0.25), (30.0, 0.5), (600.0, 5.0))
"""While somebody does not serve a write yet: up to so many seconds after it, so long between two looks."""
IDLE_S: Final = 10.0
"""Between two looks at the floor when there is nothing to wait for."""
BEHIND_S: Final = 30.0
"""Later than this after a write a server is told to be behind: BIND's usual five seconds and a retry are over."""
RENEW_S: Final = 60.0
"""How long the zone's NS records and addresses are believed."""
NAMES_MAX: Final = 500
ASK_S: Final = 1.0
_AT_ONCE: Final = 8
_NEWS_MAX: Final = 1000

News: TypeAlias = tuple[str, Mapping[str, Any]]
"""An event of the journal and its facts."""


class Wanted(Struct, frozen=True):
    """A write that is followed: the endpoint's `since`, and when it was written (monotonic seconds)."""

    since: int
    at: float


class Sight(Struct, frozen=True):
    """What is known of one server: up to which generation it serves, how long the last write took to get there (None:
    none was followed yet), since when it is behind (None: it is not) and why."""

    serves: int = 0
    lag_s: float | None = None
    behind_at: float | None = None
    why: str = ""
    told: bool = False


class _Followed:
    """One zone."""

    def __init__(self, zone: ZoneConfig, stream: str) -> None:
        self.zone, self.stream = zone, stream
        self.missing: dict[str, dict[str, Wanted]] = {}
        self.sights: dict[str, Sight] = {}
        self.servers: dict[str, NameServer | Unknown] = {}
        self.renew_at = self.look_at = 0.0

    def take(self, name: str, wanted: Wanted, now: float) -> None:
        """A write has been made."""
        for server in self.servers:
            some = self.missing.setdefault(server, {})
            some[name] = wanted
            if len(some) > NAMES_MAX:
                del some[next(iter(some))]
        self.look_at = now


class Follower:
    """Follows the writes of one enactor in all its zones, in a thread of its own that nobody waits for."""

    def __init__(self, zones: Iterable[ZoneConfig], stream: str) -> None:
        self._zones = {zone.name: _Followed(zone, stream) for zone in zones if zone.provider != "embedded"}
        self._writes: deque[tuple[str, str, Wanted]] = deque(maxlen=_NEWS_MAX)
        self._news: deque[News] = deque(maxlen=_NEWS_MAX)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        hosted = [one for one in self._zones.values() if one.zone.hosted is not None]
        self._watching = Watching(NameWatch(one.zone, partial(_servers_of, one)) for one in hosted)

    def start(self) -> None:
        """Begin; without zones at a server of other people there is nothing to do."""
        if self._zones:
            self._thread.start()
        self._watching.start()

    def stop(self) -> None:
        """End, without waiting for answers that are due."""
        self._watching.stop()
        self._stop.set()
        self._wake.set()

    def written(self, zone: str, name: str, since: int | None) -> None:
        """An endpoint was written; never waits."""
        if zone in self._zones and since is not None:
            self._writes.append((zone, name, Wanted(since, time.monotonic())))
            self._wake.set()

    def suspects(self, plan: Plan | None, waiting: tuple[Key, ...] = (), share: Share = ALONE) -> list[Key]:
        """Endpoints of hosted zones that don't answer what this plan has, as far as is known since the last time, but
        those that are `waiting` to be written. `share` says who asks for which."""
        found = self._watching.suspects(plan, waiting, share)
        self._news.extend(("notice", {"kind": "names", "why": one.why}) for one in found)
        return [one.key for one in found]

    def news(self) -> list[News]:
        """Events since the last time."""
        found = []
        while self._news:
            found.append(self._news.popleft())
        return found

    @property
    def standing(self) -> dict[str, dict[str, dict[str, Any]]]:
        """For presence: zone, server, and `serves`, `lag_s`, `behind_s`, `why`."""
        now = time.monotonic()
        return {
            zone: {server: _facts(sight, now) for server, sight in dict(one.sights).items()}
            for zone, one in self._zones.items()
            if one.sights
        }

    # In the thread

    def _run(self) -> None:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="secondary") as pool:
            while not self._stop.is_set():
                now = time.monotonic()
                for one in self._zones.values():
                    self._renewed(one, now)
                while self._writes:
                    zone, name, wanted = self._writes.popleft()
                    self._zones[zone].take(name, wanted, now)
                for one in self._zones.values():
                    if now >= one.look_at and not self._stop.is_set():
                        self._look(one, pool.map)
                soonest = min(one.look_at for one in self._zones.values())
                self._wake.wait(max(0.01, soonest - time.monotonic()))
                self._wake.clear()

    def _renewed(self, one: _Followed, now: float) -> None:
        """Who serves the zone, from time to time."""
        if now < one.renew_at:
            return
        primary = reader(one.zone, ASK_S)
        if isinstance(primary, Unknown):
            one.renew_at = now + IDLE_S
            return
        try:
            _, servers = name_servers(one.zone, primary)
        finally:
            primary.close()
        if servers or not one.servers:
            one.servers = servers
            one.sights = {name: one.sights.get(name, Sight()) for name in servers}
            one.missing = {name: one.missing.get(name, {}) for name in servers}
        one.renew_at = now + (RENEW_S if servers else IDLE_S)

    def _look(self, one: _Followed, each: Callable[..., Iterable[Sight]]) -> None:
        """Ask every server for what it lacks; tell who has caught up and who falls behind."""
        before = {name: (one.sights[name], bool(one.missing[name])) for name in one.servers}
        floor = _primary_floor(one)
        names = list(one.servers)
        seen = dict(zip(names, each(lambda name: _seen(one, name, floor), names), strict=True))
        now = time.monotonic()
        arrived = []
        for name, sight in seen.items():
            was, waited = before[name]
            if sight.behind_at is None and (waited or was.told):
                arrived.append(name)
            elif sight.behind_at is not None and not was.told and now - sight.behind_at > BEHIND_S:
                facts = {"zone": one.zone.name, "server": name, "serves": sight.serves, "why": sight.why}
                self._news.append(("secondary_behind", {**facts, "behind_s": round(now - sight.behind_at, 3)}))
                sight = replace(sight, told=True)
            one.sights[name] = sight
        if arrived:
            lags = {name: None if (lag := one.sights[name].lag_s) is None else round(lag, 3) for name in arrived}
            generation = min(one.sights[name].serves for name in arrived)
            facts = {"zone": one.zone.name, "servers": arrived, "generation": generation, "lag_s": lags}
            self._news.append(("secondaries", facts))
        one.look_at = now + _pause(
            [now - sight.behind_at for sight in one.sights.values() if sight.behind_at is not None]
        )


def _servers_of(one: _Followed) -> Mapping[str, NameServer | Unknown]:
    return one.servers


def _pause(waited_s: list[float]) -> float:
    """Until the next look, by how long the youngest of those that are behind has been so."""
    youngest = min(waited_s, default=PAUSES_S[-1][0])
    return next((pause for until, pause in PAUSES_S if youngest < until), IDLE_S)


def _primary_floor(one: _Followed) -> FloorReading | Unknown:
    if one.zone.by_api:
        return Unknown("each look would be a request to its API")  # the writes alone tell what a server lacks
    primary = reader(one.zone, ASK_S)
    if isinstance(primary, Unknown):
        return primary
    try:
        return _floor_at(primary, one)
    finally:
        primary.close()


def _floor_at(provider: ZoneProvider, one: _Followed) -> FloorReading | Unknown:
    owner = floor_owner(one.stream, one.zone.name)
    reply = provider.perform(Read(one.zone.name, ((owner, int(RRType.TXT)),)))
    value = reply.values[0] if isinstance(reply, Readings) else reply
    return value if isinstance(value, Unknown) else read_floor(value, one.zone.name, owner)


def _seen(one: _Followed, name: str, floor: FloorReading | Unknown) -> Sight:
    """One server, asked now: for the markers of the writes that it lacks, and its floor."""
    was, where, missing = one.sights[name], one.servers[name], one.missing[name]
    now = time.monotonic()
    if isinstance(where, Unknown):
        return _behind(was, missing, now, where.why)
    provider = Rfc2136Provider(one.zone.name, where.address, where.port, None, timeout_s=ASK_S)
    try:
        markers = _markers_at(provider, one.zone.name, missing)
        its_floor = _floor_at(provider, one)
    finally:
        provider.close()
    if isinstance(markers, Unknown) or isinstance(its_floor, Unknown):
        why = markers.why if isinstance(markers, Unknown) else its_floor.why if isinstance(its_floor, Unknown) else ""
        return _behind(was, missing, now, why)
    arrived = [
        endpoint
        for endpoint, wanted in missing.items()
        if isinstance(marker := markers.get(endpoint), Marker) and marker.since >= wanted.since
    ]
    took = max((now - missing.pop(endpoint).at for endpoint in arrived), default=was.lag_s)
    serves = its_floor.generation if isinstance(its_floor, Floor) else 0
    newest = floor.generation if isinstance(floor, Floor) else 0
    if missing or serves < newest:
        return replace(
            _behind(was, missing, now, f"it serves g{serves}" if serves else "it serves nothing of ours"), serves=serves
        )
    return Sight(serves, took)


def _markers_at(provider: ZoneProvider, zone: str, names: Mapping[str, Wanted]) -> dict[str, MarkerReading] | Unknown:
    owners = {name: marker_owner(name, zone) for name in names}
    reply = provider.perform(Read(zone, tuple((owner, int(RRType.TXT)) for owner in owners.values())))
    if isinstance(reply, Unknown):
        return reply
    found: dict[str, MarkerReading] = {}
    for (name, owner), value in zip(owners.items(), reply.values, strict=True):
        if isinstance(value, Unknown):
            return value
        if isinstance(value, RRset):
            found[name] = read_marker(value, zone, owner)
    return found


def _behind(was: Sight, missing: Mapping[str, Wanted], now: float, why: str) -> Sight:
    """Since the oldest write that it lacks; without one, since it was first seen to be."""
    since = min((wanted.at for wanted in missing.values()), default=now)
    return Sight(was.serves, was.lag_s, since if was.behind_at is None else was.behind_at, why, was.told)


def _facts(sight: Sight, now: float) -> dict[str, Any]:
    return {
        "serves": sight.serves,
        "lag_s": None if sight.lag_s is None else round(sight.lag_s, 3),
        "behind_s": None if sight.behind_at is None else round(now - sight.behind_at, 3),
        "why": sight.why or None,
    }
