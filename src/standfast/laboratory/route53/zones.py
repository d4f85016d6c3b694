"""Hosted zones, their changes on the way to the servers, and what each server has seen of them."""

from __future__ import annotations

import bisect
import random
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence

import msgspec

from standfast.laboratory.route53 import names
from standfast.laboratory.route53.batch import Draft
from standfast.laboratory.route53.sets import RecordSet

Key = tuple[str, str]
SetKey = tuple[str, str, str]
"""What listings sort by: the name's order, the type, the set identifier or nothing."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def identifier(chance: random.Random, letter: str) -> str:
    """A fresh id as Route 53 makes them: Z… for zones, C… for changes."""
    return letter + "".join(chance.choice(_ALPHABET) for _ in range(20))


class Submitted(msgspec.Struct, frozen=True):
    """A change batch that was made; `at` is Unix time in seconds."""

    id: str
    at: float
    comment: str | None = None


class Zone:
    """One hosted zone: its sets now, in Route 53's order."""

    def __init__(self, zone: str, apex: str, reference: str, comment: str | None = None) -> None:
        self.id = zone
        self.apex = apex
        self.reference = reference
        self.comment = comment
        self.groups: dict[Key, dict[str | None, RecordSet]] = {}
        self.sorted: list[SetKey] = []
        self.tags: dict[str, str] = {}

    def adopt(self, draft: Draft) -> None:
        """Make a judged batch the zone's contents."""
        for (name, kind), group in draft.changed.items():
            before = self.groups.get((name, kind), {})
            order = names.order(name)
            for key in before.keys() - group.keys():
                del self.sorted[bisect.bisect_left(self.sorted, (order, kind, key or ""))]
            for key in group.keys() - before.keys():
                bisect.insort(self.sorted, (order, kind, key or ""))
            if group:
                self.groups[name, kind] = group
            else:
                self.groups.pop((name, kind), None)

    def records(self) -> int:
        """How many record sets it holds."""
        return len(self.sorted)

    def listed(self, start: SetKey, most: int) -> tuple[list[RecordSet], RecordSet | None]:
        """A page of at most `most` sets from a position, and the set that the next page begins with.

        Source: API Reference, ListResourceRecordSets, "Sort order" and "Specifying where to start listing records".
        """
        first = bisect.bisect_left(self.sorted, start)
        page = [self._found(key) for key in self.sorted[first : first + most + 1]]
        return page[:most], page[most] if len(page) > most else None

    def _found(self, key: SetKey) -> RecordSet:
        name = ".".join(reversed(key[0].rstrip(".").split("."))) + "."
        group = self.groups[name, key[1]]
        return group[key[2] or None]


def born(zone: Zone, servers: Sequence[str]) -> Draft:
    """The SOA and NS that Route 53 makes with a public zone.

    Source: Developer Guide, "NS and SOA records that Route 53 creates for a public hosted zone": four name servers,
    TTL 172800; the SOA's serial number 1, refresh 7200, retry 900, expire 1209600, minimum 86400, TTL 900.
    """
    draft = Draft(zone.groups)
    soa = f"{servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    draft.put(RecordSet(name=zone.apex, type="NS", ttl=172_800, values=tuple(servers)))
    draft.put(RecordSet(name=zone.apex, type="SOA", ttl=900, values=(soa,)))
    return draft


Published = tuple[str, str, Key, tuple[RecordSet, ...]]
"""Zone id, apex, name and type, and the sets that now stand there; an empty name: the zone is gone."""


class View:
    """What one DNS server has seen of all zones; changes reach it when their time has come."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # of its own, so that no question waits for a batch that is being judged
        self.zones: dict[str, dict[Key, tuple[RecordSet, ...]]] = {}
        self.apexes: dict[str, str] = {}
        self.names: dict[str, Counter[str]] = {}
        self.coming: deque[tuple[float, Published]] = deque()
        self._latest = float("-inf")

    def expect(self, due: float, published: Published) -> float:
        """Let a change arrive at `due` (monotonic seconds), but never before one made earlier; gives when it does."""
        with self.lock:
            self._latest = max(due, self._latest)
            self.coming.append((self._latest, published))
            return self._latest

    def refresh(self, now: float) -> None:
        """Take in what has arrived by now; its caller holds the lock."""
        while self.coming and self.coming[0][0] <= now:
            self._take(self.coming.popleft()[1])

    def _take(self, published: Published) -> None:
        zone, apex, key, sets = published
        if not key[0]:
            for held in (self.zones, self.names):
                held.pop(zone, None)
            self.apexes = {one: of for one, of in self.apexes.items() if of != zone}
            return
        self.apexes.setdefault(apex, zone)
        contents = self.zones.setdefault(zone, {})
        count = self.names.setdefault(zone, Counter())
        change = bool(sets) - (key in contents)
        if sets:
            contents[key] = sets
        else:
            contents.pop(key, None)
        for name in _upwards(key[0], apex) if change else ():
            count[name] += change
            if not count[name]:
                del count[name]


def _upwards(name: str, apex: str) -> Iterator[str]:
    """A name and the names above it down to the apex's: all of them exist (RFC 4592 §2.2.2)."""
    while True:
        yield name
        if name == apex or "." not in name.rstrip("."):
            return
        name = name.partition(".")[2]
