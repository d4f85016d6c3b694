"""The cleaner of trees as part of the cleaner's process: drives `core.collector` over the zones that hold trees.

Its grace for what clients may have cached: a zone's name servers are asked before each pass, and must all serve the
floor that the primary has; whoever can't be read, or is behind, blocks the zone.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import Config, ZoneConfig
from standfast.core.collector import Charge, CollectorRequest, Gathered, GatheringHead
from standfast.core.unneeded import Unneeded
from standfast.model.name import floor_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent, Unrecorded
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider
from standfast.ports.store import ListPlans, ReadHead, ReadPlan
from standfast.ports.trees import CollectTree, ListTree, TreeProvider

from .enacting import Store
from .journal import Journal
from .recording import intent_facts
from .tidings import Tidings
from .zonesight import name_servers

TREES_KEPT: Final = 2
"""Of each endpoint, besides the trees of root and rollback alias: for people who look back."""
NEGATIVE_S: Final = 900.0
"""How long a resolver may remember that a name was not there: the TTL of a hosted zone's SOA."""
SPREAD_S: Final = 60.0
"""Within this Route 53 brings a change to all its name servers; whoever was asked is only one of each name's many."""
PAGE_PAUSE_S: Final = 1.0
"""Between two pages of a listing: the cleaner is the last whose requests an account should be short of."""
_ASK_S: Final = 1.0


class TreeCleaner:
    """Passes over the zones that hold trees; what it remembers from pass to pass is when trees were first unneeded."""

    def __init__(
        self,
        config: Config,
        store: Store,
        providers: Mapping[str, ZoneProvider],
        journal: Journal,
        tidings: Tidings,
        *,
        grace_s: float = NEGATIVE_S + SPREAD_S,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._store, self._providers = config, store, providers
        self._journal, self._tidings, self._grace_s = journal, tidings, grace_s
        self._pause, self._clock = pause, clock
        self._zones = {zone.name: zone for zone in config.zones if zone.hosted is not None and zone.name in providers}
        self._memory: tuple[Unneeded, ...] = ()

    def gather(self, plan: Plan | None) -> Gathered | None:
        """One pass; None if no endpoint of this plan has or had a tree: then nothing is asked of a provider."""
        grown = {entry.zone for entry in (plan.shards if plan is not None else ()) if entry.knew_tree}
        zones = {name: zone for name, zone in self._zones.items() if name in grown}
        if not zones:
            return None
        waits = tuple((name, self._grace_s) for name, zone in zones.items() if not self._behind(zone))
        charge = Charge(self._config.stream, tuple(zones), self._clock(), waits, TREES_KEPT, self._memory, plan)
        phase: Any = GatheringHead(charge)
        while not isinstance(phase, Gathered):
            phase = phase.heard(self._perform(phase.request))
        gathered: Gathered = phase
        self._memory = gathered.memory
        for zone, name, since in gathered.collected:
            self._tidings.event("tree_collected", zone=zone, name=name, since=since, stream=self._config.stream)
        self._tidings.notes(gathered.told)
        return gathered

    def _perform(self, request: CollectorRequest) -> object:
        match request:
            case ReadHead() | ReadPlan() | ListPlans():
                return self._store.perform(request)
            case DrawNonce():
                return Nonce(secrets.token_hex(8))
            case RecordIntent():
                written = self._journal.write("intent", **intent_facts(request))
                return Recorded() if written else Unrecorded(self._journal.broken)
            case Read():
                return self._providers[request.zone].perform(request)
            case ListTree() | CollectTree():
                if isinstance(request, ListTree) and request.start:
                    self._pause(PAGE_PAUSE_S)
                provider: Any = self._providers[request.zone]
                holder: TreeProvider = provider  # every hosted zone's can
                return holder.perform_tree(request)
        raise AssertionError(f"unknown request {request!r}")

    def _behind(self, zone: ZoneConfig) -> str:
        """Which of the zone's name servers can't be read or serves an older floor; empty if none."""
        primary = self._providers[zone.name]
        floor = self._floor(primary, zone)
        if not isinstance(floor, RRset):
            return "the primary"
        for name, where in name_servers(zone, primary)[1].items():
            if isinstance(where, Unknown):
                return name
            server = Rfc2136Provider(zone.name, where.address, where.port, None, timeout_s=_ASK_S)
            try:
                there = self._floor(server, zone)
            finally:
                server.close()
            if not isinstance(there, RRset) or there.rdata != floor.rdata:
                return name
        return ""

    def _floor(self, provider: ZoneProvider, zone: ZoneConfig) -> RRset | Unknown | None:
        key = floor_owner(self._config.stream, zone.name), int(RRType.TXT)
        reply = provider.perform(Read(zone.name, (key,)))
        return reply.values[0] if isinstance(reply, Readings) else reply
