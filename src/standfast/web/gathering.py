"""One gatherer for all viewers: it looks while somebody watches, no more often than the zones are looked at anyway."""

import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.config import Config
from standfast.errors import StandfastError
from standfast.model.entry import Entry
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown
from standfast.runtime.answering import Answer, answers
from standfast.runtime.archive import Archive
from standfast.runtime.hindsight import recalled, seen_at
from standfast.runtime.looking import Watched, Watcher
from standfast.runtime.observing import Seen, open_existing
from standfast.runtime.place import Place
from standfast.runtime.tailing import Event, Follower
from standfast.runtime.verdict import Each, Verdict, standings, verdict

IDLE_S: Final = 30.0
"""So long after the last viewer left it goes on looking."""
LOOK_LEAST_S: Final = 1.0
SHARE: Final = 3.0
"""A look that took long is followed by a pause of so many times as long."""
STALE_S: Final = 15.0
"""A look older than this is no longer called live."""
PAST_MAX: Final = 32
"""So many moments of the past are kept, for people go back and forth."""


class Look(Struct, frozen=True):
    """Everything at one moment. `number` rises with every look; `looked_at` is monotonic seconds."""

    number: int
    watched: Watched
    events: tuple[Event, ...]
    found: Verdict
    each: Each
    looked_at: float

    @property
    def seen(self) -> Seen:
        """What was seen."""
        return self.watched.seen


class Gatherer:
    """Looks in a thread of its own. Everything else is for other threads."""

    def __init__(self, config: Config, wall: Callable[[], float] = time.time) -> None:
        self.config, self.place = config, Place(config)
        self.trouble = ""
        """Why the last look failed; empty if it did not."""
        self._wall = wall
        self.look_s = max(LOOK_LEAST_S, min(zone.look_seconds for zone in config.zones))
        self._follower = Follower(self.place.journal)
        self._changed = threading.Condition()
        self._latest: Look | None = None
        self._wanted_at = time.monotonic()
        self._stop = threading.Event()
        self._asked: dict[tuple[str, str, int], tuple[float, tuple[Answer, ...]]] = {}
        self._asking = threading.Lock()
        self._past: dict[tuple[int, float], Look] = {}
        self._thread = threading.Thread(target=self._run, name="gathering", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def now(self, patience_s: float = 10.0) -> Look | None:
        """The newest look; waits for one if the last is old. None: none was ever finished."""
        self.wanted()
        deadline = time.monotonic() + patience_s
        fresh = 2 * self.look_s + 1
        with self._changed:
            while not self._stop.is_set():
                latest, now = self._latest, time.monotonic()
                if (latest is not None and now - latest.looked_at <= fresh) or self.trouble or now >= deadline:
                    break
                self._changed.wait(min(0.5, deadline - now))
            return self._latest

    def wanted(self) -> None:
        """Somebody watches."""
        with self._changed:
            idle = time.monotonic() - self._wanted_at > IDLE_S
            self._wanted_at = time.monotonic()
            if idle:
                self._changed.notify_all()

    @property
    def age_s(self) -> float:
        """How old the newest look is."""
        latest = self._latest
        return time.monotonic() - latest.looked_at if latest else float("inf")

    @property
    def number(self) -> int:
        """That of the newest look."""
        return self._latest.number if self._latest else 0

    def answers_of(self, entry: Entry) -> tuple[Answer, ...]:
        """Every name server's word on one endpoint, asked at most once in a look."""
        key = (*entry.key, entry.since)
        with self._asking:
            at, found = self._asked.get(key, (0.0, ()))
            if not found or time.monotonic() - at > self.look_s:
                zone = next((one for one in self.config.zones if one.name == entry.zone), None)
                found = answers(zone, [entry]) if zone else ()
                self._asked = dict([*self._asked.items(), (key, (time.monotonic(), found))][-PAST_MAX:])
            return found

    def then(self, now: Look, moment: float) -> Look:
        """How things stood at a moment that is past. Raises StandfastError if the plan store can't be read."""
        key = (len(now.events), moment)
        if known := self._past.get(key):
            return known
        seen = seen_at(moment, now.seen, now.events, self.load)
        look = Look(now.number, Watched(seen), now.events, verdict(seen), standings(seen), now.looked_at)
        self._past = dict([*self._past.items(), (key, look)][-PAST_MAX:])
        return look

    def load(self, digest: str) -> Plan | None:
        """A stored plan; None if it is gone, or if there is no store to ask."""
        store = open_existing(self.place)
        if isinstance(store, Unknown):
            return None
        try:
            return Archive(store).load(digest)
        except StandfastError:
            return None
        finally:
            store.close()

    def _run(self) -> None:
        watcher = Watcher(self.config, self._wall)  # here, for a store belongs to its thread
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                if self._latest is not None and began - self._wanted_at > IDLE_S:
                    with self._changed:
                        self._changed.wait(IDLE_S)
                    continue
                self._look(watcher)
                took = time.monotonic() - began
                self._stop.wait(max(self.look_s - took, min(SHARE * took, 10 * self.look_s), 0.2))
        finally:
            watcher.close()

    def _look(self, watcher: Watcher) -> None:
        try:
            watched = watcher.look()
            events = self._follower.look()
            if watched.seen.store.trouble:
                store = recalled(watched.seen.store, events)
                watched = replace(watched, seen=replace(watched.seen, store=store))
            seen, last = watched.seen, self._latest
            same = last is not None and seen.zones == last.seen.zones and seen.store is last.seen.store
            each = last.each if same and last is not None else standings(seen)
            look = Look((last.number if last else 0) + 1, watched, events, verdict(seen), each, time.monotonic())
        except Exception as error:  # whatever it is, the page must say that it is stale and why
            self.trouble = f"looking failed here ({type(error).__name__}: {error})"
        else:
            self.trouble = ""
            self._latest = look
        with self._changed:
            self._changed.notify_all()
