"""The account's state: zones, changes, health checks, tags; and the file that keeps it.

Whatever changes it is an event: applied, and with `--data` appended to the file first, so that a process that is
killed comes back with what it had answered for.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from standfast.laboratory.route53.answers import Elsewhere
from standfast.laboratory.route53.batch import Draft
from standfast.laboratory.route53.checks import Check
from standfast.laboratory.route53.names import within
from standfast.laboratory.route53.sets import RecordSet
from standfast.laboratory.route53.settings import Settings
from standfast.laboratory.route53.zones import Key, Submitted, View, Zone, identifier

NAME_SERVERS = ("ns-1.awsdns-00.com.", "ns-2.awsdns-00.net.", "ns-3.awsdns-00.org.", "ns-4.awsdns-00.co.uk.")


class ZoneCreated(msgspec.Struct, frozen=True, tag="zone"):
    """A hosted zone, still empty."""

    zone: str
    apex: str
    reference: str
    comment: str | None


class ZoneDeleted(msgspec.Struct, frozen=True, tag="zone-deleted"):
    """A hosted zone and all in it."""

    zone: str


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """A batch: for each name and type what stands there afterwards."""

    zone: str
    submitted: Submitted
    groups: tuple[tuple[Key, tuple[RecordSet, ...]], ...]


class CheckPut(msgspec.Struct, frozen=True, tag="check"):
    """A health check as it is now."""

    check: Check


class CheckDeleted(msgspec.Struct, frozen=True, tag="check-deleted"):
    """A health check that is no more; its caller reference stays used."""

    check: str


class Tagged(msgspec.Struct, frozen=True, tag="tagged"):
    """All tags of a resource as they are now."""

    kind: str
    resource: str
    tags: dict[str, str]


class ServiceZone(msgspec.Struct, frozen=True):
    """A hosted zone of an AWS service: names below a suffix, with what they resolve to by type."""

    suffix: str
    names: dict[str, dict[str, Elsewhere]]


Event = ZoneCreated | ZoneDeleted | Changed | CheckPut | CheckDeleted | Tagged


class Account:
    """All state, under one lock that its users take."""

    def __init__(self, settings: Settings, servers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.clock = clock
        self.chance = random.Random(settings.seed)
        self.lock = threading.RLock()
        self.zones: dict[str, Zone] = {}
        self.used: set[str] = set()
        self.references: set[str] = set()
        self.changes: dict[str, tuple[Submitted, float]] = {}
        self.checks: dict[str, Check] = {}
        self.check_references: dict[str, str] = {}
        self.tags: dict[tuple[str, str], dict[str, str]] = {}
        self.lagging: dict[str, Zone] = {}
        self._late: deque[tuple[float, Changed]] = deque()
        self.views = [View() for _ in range(servers)]
        self.propagation = settings.propagation
        self.on_checks: Callable[[], None] = lambda: None
        self.services: dict[str, ServiceZone] = {}
        self._file: IO[bytes] | None = None
        if settings.services:
            self.services = _services(settings.services)
        if settings.data:
            self._restore(settings.data)

    def _restore(self, path: Path) -> None:
        """Raises ValueError for a file that is not one of ours; a last line cut short is what a kill leaves."""
        kept = path.read_bytes() if path.exists() else b""
        whole, _, cut = kept.rpartition(b"\n")
        decoder = msgspec.json.Decoder(Event)
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self._apply(decoder.decode(line), self.clock())
            except (msgspec.DecodeError, KeyError, ValueError) as wrong:
                raise ValueError(f"{path}:{number}: not a line of this stand-in's data ({wrong})") from None
        if cut:
            path.write_bytes(whole + b"\n" if whole else b"")
        self._file = path.open("ab")

    def record(self, event: Event) -> None:
        """Make an event true, on disk first."""
        if self._file:
            self._file.write(msgspec.json.encode(event) + b"\n")
            self._file.flush()
        self._apply(event, None)

    def close(self) -> None:
        """Let the file go."""
        if self._file:
            self._file.close()

    def fresh(self, letter: str) -> str:
        """An id that nothing has."""
        while (one := identifier(self.chance, letter)) in self.used or one in self.changes:
            pass
        return one

    def change(self, zone: Zone, draft: Draft, comment: str | None = None) -> Submitted:
        """Make a judged batch true and let it travel to the servers."""
        submitted = Submitted(self.fresh("C"), time.time(), comment)
        groups = tuple((key, tuple(group.values())) for key, group in draft.changed.items())
        self.record(Changed(zone.id, submitted, groups))
        return submitted

    def listing(self, zone: Zone) -> Zone:
        """A zone as ListResourceRecordSets shows it: as it is, or with `stale_listing` as it was that long ago."""
        if not self.settings.stale_listing:
            return zone
        while self._late and self._late[0][0] <= self.clock():
            event = self._late.popleft()[1]
            late = self.lagging.setdefault(event.zone, Zone(event.zone, zone.apex, zone.reference))
            late.adopt(_draft(late, event))
        return self.lagging.get(zone.id) or Zone(zone.id, zone.apex, zone.reference)

    def in_sync(self, change: str) -> bool:
        """Whether every server has seen a change; KeyError for one that never was."""
        return self.changes[change][1] <= self.clock()

    def service_record(self, zone: str, name: str, kind: str) -> Elsewhere | None:
        """What a name of an AWS service resolves to, or None."""
        found = self.services.get(zone)
        return found.names.get(name, {}).get(kind) if found else None

    def alias_problem(self, zone: str, name: str, kind: str) -> str | None:
        """What is wrong with an alias into another zone, in AWS's words, or None."""
        found = self.services.get(zone)
        if found is None or not within(name, found.suffix):
            return "the alias target name does not lie within the target zone"
        return None if self.service_record(zone, name, kind) else "that target was not found"

    def _apply(self, event: Event, at_once: float | None) -> None:
        if isinstance(event, ZoneCreated):
            self.zones[event.zone] = Zone(event.zone, event.apex, event.reference, event.comment)
            self.used.add(event.zone)
            self.references.add(event.reference)
        elif isinstance(event, ZoneDeleted):
            zone = self.zones.pop(event.zone)
            self.tags.pop(("hostedzone", event.zone), None)
            self._publish(zone, (("", ""), ()), at_once)
        elif isinstance(event, Changed):
            zone = self.zones[event.zone]
            due = max(self._publish(zone, group, at_once) for group in event.groups)
            zone.adopt(_draft(zone, event))
            if self.settings.stale_listing:
                self._late.append((self.clock() + self.settings.stale_listing * (at_once is None), event))
            self.changes[event.submitted.id] = (event.submitted, due)
        elif isinstance(event, CheckPut):
            self.checks[event.check.id] = event.check
            self.check_references[event.check.reference] = event.check.id
            self.on_checks()
        elif isinstance(event, CheckDeleted):
            del self.checks[event.check]
            self.on_checks()
            self.tags.pop(("healthcheck", event.check), None)
        else:
            self.tags[event.kind, event.resource] = event.tags

    def _publish(self, zone: Zone, what: tuple[Key, tuple[RecordSet, ...]], at_once: float | None) -> float:
        """Send what stands at a name and type to every server; gives when the last one has it."""
        now = self.clock()
        latest = now
        for number, view in enumerate(self.views):
            delay = self.propagation[min(number, len(self.propagation) - 1)]
            due = view.expect(now + delay if at_once is None else at_once, (zone.id, zone.apex, *what))
            latest = max(latest, due)
        return latest


def _services(path: Path) -> dict[str, ServiceZone]:
    """Raises ValueError naming the file and what is wrong in it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, ServiceZone])
    except (OSError, msgspec.DecodeError) as wrong:
        raise ValueError(f"{path}: {wrong}") from None


def _draft(zone: Zone, event: Changed) -> Draft:
    draft = Draft(zone.groups)
    for key, sets in event.groups:
        draft.changed[key] = {one.identifier: one for one in sets}
    return draft
