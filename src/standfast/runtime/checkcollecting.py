"""The cleaner's part in Route 53's health checks: passes of `core.checkcollector`, zone by zone.

A pass costs a page or two unless something may go. Whole zones are read only then, at the zone's pace.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.checks import CheckDesk
from standfast.config import Config
from standfast.core.checkcollector import ChecksSwept, CollectTask, Doom, Doomed, Finding
from standfast.model.check import BalancerCheck
from standfast.ports.checks import DeleteCheck, ListChecks, ListUses, ReadTags, TagCheck
from standfast.ports.provider import Read, Unknown

from .checkboards import CHECKS, DOOMED, SharedDoomed, hosted_zones, read_checks, read_doomed
from .checkworking import Desk
from .enacting import Provider, Store
from .sharing import Board
from .tidings import Tidings

TIMES: Final = 10.0
"""So many of the cleaner's own intervals pass between two looks."""


class CheckCollector:
    """In the cleaner's thread. Without a zone at Route 53 it does nothing."""

    def __init__(
        self,
        who: str,
        config: Config,
        store: Store,
        providers: Mapping[str, Provider],
        tidings: Tidings,
        every_s: float,
        desk: Callable[[str], Desk | None] | None = None,
    ) -> None:
        self._config, self._store, self._providers, self._tidings = config, store, providers, tidings
        self._who, self._every_s = who, TIMES * every_s
        self._zones = hosted_zones(config)
        self._shared, self._doomed = Board(store, CHECKS), Board(store, DOOMED)
        self._desk = desk or self._hosted_desk
        self._named: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {}
        self._spare: dict[str, frozenset[str]] = {}
        self._looked_at = float("-inf")
        self.why: dict[str, str] = {}

    def sweep(self, now: float) -> dict[str, ChecksSwept]:
        """One pass over every zone, if it is time."""
        if not self._zones or not self._shared.read() or not self._doomed.read():
            return {}
        if now - self._looked_at < self._every_s:
            return {}
        self._looked_at = now
        return {zone: self._swept(zone) for zone in self._zones}

    def _swept(self, zone: str) -> ChecksSwept:
        shared, doomed = read_checks(self._shared.body), read_doomed(self._doomed.body)
        if shared is None or doomed is None:
            return self._told(zone, ChecksSwept((), "what the store has of health checks can't be understood"))
        if zone not in shared:
            return self._told(zone, ChecksSwept((), "no planner has said yet which health checks it keeps"))
        task = CollectTask(
            stream=self._config.stream,
            zone=zone,
            zones=self._zones,
            shared=_ids(shared, zone),
            doomed=frozenset(doomed.get(zone, ())),
            named=self._named.get(zone, ()),
            seen=self._spare.get(zone, frozenset()),
        )
        desks: dict[str, Desk | None] = {}
        phase = Finding(task)
        while not isinstance(phase, ChecksSwept):
            phase = phase.heard(self._perform(zone, phase.request, desks))  # type: ignore[assignment, arg-type]
        self._named[zone], self._spare[zone] = phase.named, phase.spare
        return self._told(zone, phase)

    def _told(self, zone: str, swept: ChecksSwept) -> ChecksSwept:
        if swept.deleted:
            self._tidings.event("health_checks", zone=zone, made=0, mended=[], deleted=list(swept.deleted), why="")
        self.why[zone] = swept.why
        return swept

    def _perform(self, zone: str, request: object, desks: dict[str, Desk | None]) -> object:
        if isinstance(request, Doom):
            return self._doom(zone, request)
        if isinstance(request, Read):
            provider = self._providers.get(request.zone)
            if provider is None:
                return Unknown(f"this cleaner has no access to zone {request.zone}; add it under `zones:`")
            return provider.perform(request)
        if isinstance(request, ListChecks | ReadTags | TagCheck | ListUses | DeleteCheck):
            if request.zone not in desks:
                desks[request.zone] = self._desk(request.zone)
            desk = desks[request.zone]
            return desk.perform(request) if desk else Unknown(f"this cleaner has no access to zone {request.zone}")
        return self._store.perform(request)  # type: ignore[arg-type]

    def _doom(self, zone: str, request: Doom) -> Doomed | Unknown:
        """Put by compare-and-set, then read back together with what planners share by then."""
        if not self._doomed.read():
            return Unknown("the board of doomed health checks can't be read")
        known = read_doomed(self._doomed.body)
        if known is None:
            return Unknown("the board of doomed health checks can't be understood")
        after = {**known, zone: tuple(sorted(request.ids))}
        if known.get(zone, ()) != after[zone] and self._doomed.put(msgspec.json.encode(SharedDoomed(after))) != "put":
            return Unknown("another cleaner was quicker, or the store does not say")
        shared = read_checks(self._shared.body) if self._shared.read() else None
        there = read_doomed(self._doomed.body) if self._doomed.read() else None
        if shared is None or there is None:
            return Unknown("the store does not say what planners share")
        return Doomed(frozenset(there.get(zone, ())), _ids(shared, zone))

    def _hosted_desk(self, zone: str) -> Desk | None:
        provider = self._providers.get(zone)
        return CheckDesk(zone, provider.calls, provider.zone_id) if isinstance(provider, Route53Provider) else None


def _ids(shared: Mapping[str, tuple[BalancerCheck, ...]], zone: str) -> frozenset[str]:
    return frozenset().union(*(one.ids for one in shared.get(zone, ())))
