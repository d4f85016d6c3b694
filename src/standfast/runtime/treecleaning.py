"""The cleaner of trees as part of the cleaner's process: drives `core.collector` over the zones that hold trees.

Its grace for what clients may have cached: a zone's name servers are asked before each pass, and must all serve the
floor that the primary has; whoever can't be read, or is behind, blocks the zone. What they serve as SOA says how long a
negative answer is remembered.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import Config, ZoneConfig
from standfast.core.collector import CollectorRequest, GatheringHead
from standfast.core.gathering import Charge, Gathered
from standfast.core.unneeded import Unneeded, seen_until
from standfast.model.defaults import LAG_S, NEGATIVE_S
from standfast.model.name import floor_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent, Unrecorded
from standfast.ports.provider import Key, Read, Readings, Unknown, ZoneProvider
from standfast.ports.store import ListPlans, ReadHead, ReadPlan
from standfast.ports.trees import CollectTree, ListPointers, ListTree, TreeListed, TreeProvider

from .enacting import Store
from .journal import Journal
from .recording import intent_facts
from .tidings import Tidings
from .zonesight import all_name_servers

PAGE_PAUSE_S: Final = 1.0
"""Between two pages of a listing: the cleaner is the last whose requests an account should be short of."""
_ASK_S: Final = 1.0


class TreeCleaner:
    """Passes over the zones that hold trees; what it remembers from pass to pass is when trees were first unneeded.

    `grace_s` stands in place of what name servers say of negative answers, and of their lag."""

    def __init__(
        self,
        config: Config,
        store: Store,
        providers: Mapping[str, ZoneProvider],
        journal: Journal,
        tidings: Tidings,
        *,
        grace_s: float | None = None,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._store, self._providers = config, store, providers
        self._journal, self._tidings, self._grace_s = journal, tidings, grace_s
        self._pause, self._clock = pause, clock
        self._zones = {zone.name: zone for zone in config.zones if zone.hosted is not None and zone.name in providers}
        self._memory: tuple[Unneeded, ...] = ()

    def gather(self, plan: Plan | None) -> Gathered | None:
        """One pass; None if there is no plan, or nothing of a tree in any zone."""
        if plan is None:
            return None
        grown = {entry.zone for entry in plan.shards if entry.knew_tree}
        zones = {name: zone for name, zone in self._zones.items() if name in grown or self._has_trees(name)}
        if not zones:
            return None
        waits = tuple((name, wait) for name, zone in zones.items() if (wait := self._wait_s(zone)) is not None)
        keep = self._config.retention
        least_s, stream = keep.tree_grace_s or 0.0, self._config.stream
        charge = Charge(stream, tuple(zones), self._clock(), waits, keep.trees, self._memory, plan, least_s=least_s)
        phase: Any = GatheringHead(charge)
        while not isinstance(phase, Gathered):
            phase = phase.heard(self._perform(phase.request))
        gathered: Gathered = phase
        self._memory = seen_until(gathered.memory, charge.now, self._clock())
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
            case ListTree() | ListPointers() | CollectTree():
                if not isinstance(request, CollectTree) and request.start:
                    self._pause(PAGE_PAUSE_S)
                provider: Any = self._providers[request.zone]
                holder: TreeProvider = provider  # every hosted zone's can
                return holder.perform_tree(request)
        raise AssertionError(f"unknown request {request!r}")

    def _has_trees(self, zone: str) -> bool:
        """Whether there is anything of one, though no endpoint of the plan ever had any: one request."""
        provider: Any = self._providers[zone]
        holder: TreeProvider = provider
        reply = holder.perform_tree(ListTree(zone, most=1))
        return not isinstance(reply, TreeListed) or bool(reply.records)

    def _wait_s(self, zone: ZoneConfig) -> float | None:
        """What has to pass beyond TTLs; None if a name server can't be read or serves an older floor."""
        primary = self._providers[zone.name]
        floor, servers = self._read(primary, zone, self._floor_key(zone))[0], all_name_servers(zone, primary)
        if not isinstance(floor, RRset) or isinstance(servers, Unknown):
            return None
        negative: list[float] = []
        for where in servers.values():
            if isinstance(where, Unknown):
                return None
            server = Rfc2136Provider(zone.name, where.address, where.port, None, timeout_s=_ASK_S)
            try:
                there, soa = self._read(server, zone, self._floor_key(zone), (zone.name, int(RRType.SOA)))
            finally:
                server.close()
            if not isinstance(there, RRset) or there.rdata != floor.rdata or not isinstance(soa, RRset):
                return None
            negative.append(negative_s(soa))
        return max(negative, default=NEGATIVE_S) + LAG_S if self._grace_s is None else self._grace_s

    def _floor_key(self, zone: ZoneConfig) -> Key:
        return floor_owner(self._config.stream, zone.name), int(RRType.TXT)

    @staticmethod
    def _read(provider: ZoneProvider, zone: ZoneConfig, *keys: Key) -> tuple[RRset | Unknown | None, ...]:
        reply = provider.perform(Read(zone.name, keys))
        return reply.values if isinstance(reply, Readings) else (reply,) * len(keys)


def negative_s(soa: RRset) -> float:
    """How long a negative answer may be remembered: the lesser of the SOA's TTL and its last field (RFC 2308 §5)."""
    return float(min(soa.ttl, *(int.from_bytes(rdata[-4:]) for rdata in soa.rdata)))
