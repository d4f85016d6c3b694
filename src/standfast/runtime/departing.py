"""When has the last answer that held a load balancer passed? Plans, every name server, and then the TTL are followed.

A resolver may have asked any name server just before that one changed, and keeps the answer for its TTL. So the TTL is
counted, on this machine's monotonic clock, from the moment at which *all* name servers were seen without it. A server
that cannot be read may still hold it, and is waited for.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.config import Config
from standfast.errors import StandfastError
from standfast.model.entry import Entry, Key
from standfast.model.marker import Marker
from standfast.model.override import Override
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown

from .archive import Archive
from .calling import called_alike, short_name
from .observing import StoreSight, at_work, look_at_store, open_existing, present
from .ordering import concerned_in, rehearsed
from .phrases import listed
from .place import Place
from .times import clock
from .zonesight import SECONDARY_NAMES_MAX, EndpointSight, look_at_zone

POLL_S: Final = 0.25
HOSTED_POLL_S: Final = 5.0
CONFIRM_S: Final = 5.0
"""How often it is confirmed, while the TTL runs, that it is still gone."""
SETTLE_S: Final = 3.0
"""So long a planner that is at work is given to obey before a guard is taken to keep somebody."""
PLANS_MAX: Final = 20
"""So many of the newest plans are asked for the TTLs that were served."""

Say: TypeAlias = Callable[[str, str], None]
"""Who, and what of it: a line of progress."""


class Held(Struct, frozen=True):
    """The endpoints whose answers hold, or may lately have held, one of them, with the longest TTL it had there."""

    ttls: Mapping[Key, int]

    @property
    def ttl(self) -> int:
        """Seconds after which no resolver that keeps to the TTL has it any more."""
        return max(self.ttls.values(), default=0)


class Ending(Struct, frozen=True):
    """How the waiting ended. `gone`: really. `kept`: a guard keeps it (`why` names it). `late`: patience is over."""

    kind: Literal["gone", "kept", "late"]
    why: str = ""


def held_by(config: Config, sight: StoreSight, names: frozenset[str]) -> Held:
    """Looked up before the override is recorded. Raises StandfastError if the store can't be read."""
    store = open_existing(Place(config))
    if isinstance(store, Unknown):
        raise StandfastError(f"The plan store can't be read: {store.why.rstrip('.')}.")
    ttls: dict[Key, int] = {}
    try:
        archive = Archive(store)
        for summary in sight.plans[:PLANS_MAX]:
            plan = archive.load(summary.digest)
            for entry in plan.shards if plan else ():
                if entry.kind == "live" and any(m.load_balancer in names and m.served for m in entry.members):
                    longest = max((rrset.ttl for rrset in entry.rrsets), default=0)
                    ttls[entry.key] = max(ttls.get(entry.key, 0), longest)
    finally:
        store.close()
    return Held(ttls)


class Departure:
    """The way of one override's load balancers out of every answer. Only reads. `known` is the generation that was the
    newest when the override was not given yet; 0: the first that is seen."""

    def __init__(self, config: Config, override: Override, held: Held, say: Say, known: int = 0) -> None:
        self._config, self._override, self._held, self._say = config, override, held, say
        self._told: set[str] = set()
        self._told_plan = known
        self._twins = called_alike(config, None)
        self._frozen = ""

    def follow(self, patience_s: float, wait: Callable[[float], None] = time.sleep) -> Ending:
        """Until the last answer that held them has passed, a guard keeps one, or `patience_s` seconds are over."""
        began = time.monotonic()
        clear_at: float | None = None
        ending = Ending("late", "no look was taken")
        while True:
            now = time.monotonic()
            why, kept = self._plan_says(now - began)
            if kept:
                return Ending("kept", why)
            why = why or self._zones_say()
            if self._frozen:
                return Ending("kept", self._frozen)
            if why:
                clear_at, ending = None, Ending("late", why)
            else:
                clear_at = self._cleared(clear_at)
                left = clear_at + self._held.ttl - time.monotonic()
                if left <= 0:
                    return Ending("gone")
                until = clock(time.time() + left, time.time())
                ending = Ending("late", f"resolvers may still hand it out until {until}")
            left = began + patience_s - time.monotonic()
            if left <= 0:
                return ending
            pause = self._pause if clear_at is None else min(CONFIRM_S, clear_at + self._held.ttl - time.monotonic())
            wait(max(0.01, min(pause, left)))

    @property
    def _pause(self) -> float:
        """Between two looks: an API counts requests, Route 53 those of a whole account."""
        return HOSTED_POLL_S if any(zone.by_api for zone in self._config.zones) else POLL_S

    def _cleared(self, since: float | None) -> float:
        if since is not None:
            return since
        if self._held.ttl:
            wall = time.time()
            until = clock(wall + self._held.ttl, wall)
            self._say("caches", f"resolvers that keep to the TTL ({self._held.ttl} s) hand it out until {until}")
        return time.monotonic()

    def _plan_says(self, waited_s: float) -> tuple[str, bool]:
        """Why it is not out of every planned answer yet, and whether a guard keeps it there; empty: it is out."""
        sight = look_at_store(Place(self._config))
        if sight.trouble or sight.plan is None:
            return f"the plan store can't be read: {sight.trouble or 'nothing was published'}", False
        self._tell_plan(sight.plan)
        serving = [short_name(e.name, e.zone, self._twins) for e in sight.plan.shards if self._serves(e, sight)]
        if not serving:
            return "", False
        some = listed(serving, 4)
        running = any(one.role == "planner" and at_work(one) for one in present(Place(self._config)))
        obeyed = dict(sight.plan.record.sources).get("overrides", 0) >= sight.overrides_revision
        if (running and waited_s > SETTLE_S) or obeyed:
            rehearsal = rehearsed(self._config, sight, self._override, time.time())
            if kept := (*rehearsal.refuses, *(() if self._override.consented else rehearsal.asks)):
                return "; ".join(one.text for one in kept[:4]), True
        nobody = "" if running else "; no planner is running here"
        return f"the plan still has it in {some}{nobody}", False

    def _tell_plan(self, plan: Plan) -> None:
        if plan.generation > self._told_plan:
            if self._told_plan:
                self._say("planner", f"g{plan.generation} published: {plan.record.reason or 'no change'}")
            self._told_plan = plan.generation

    def _serves(self, entry: Entry, sight: StoreSight) -> bool:
        return entry.kind == "live" and any(m.served and m.load_balancer in self._names(sight) for m in entry.members)

    def _names(self, sight: StoreSight) -> frozenset[str]:
        return frozenset(concerned_in(sight.fleet, self._override)) or frozenset({self._override.target})

    def _zones_say(self) -> str:
        """Why some name server may still answer with it; empty: none does."""
        sight = look_at_store(Place(self._config))
        if sight.plan is None:
            return "the plan store can't be read"
        for zone in self._config.zones:
            entries = [e for e in sight.plan.by_zone.get(zone.name, ()) if e.key in self._held.ttls]
            for at in range(0, len(entries), SECONDARY_NAMES_MAX):
                some = entries[at : at + SECONDARY_NAMES_MAX]
                seen = look_at_zone(zone, self._config.stream, some, secondaries=True)
                if seen.trouble:
                    return f"{zone.name} can't be read: {seen.trouble}"
                if seen.notes:
                    return seen.notes[0]
                why = self._servers_say(seen.endpoints, sight)
                if why:
                    return why
        return ""

    def _servers_say(self, sights: Iterable[EndpointSight], sight: StoreSight) -> str:
        late: dict[str, str] = {}
        reached: dict[str, int] = {}
        for one in sights:
            name = short_name(one.entry.name, one.entry.zone, self._twins)
            if still := self._addresses_left(one, sight):
                late[one.servers[0][0] if one.servers else "the primary"] = f"{name} still answers with {still}"
            for server, marker in one.servers:
                if isinstance(marker, Unknown):
                    late.setdefault(server, f"{name} can't be read there: {marker.why}")
                elif not isinstance(marker, Marker):
                    late.setdefault(server, f"{name} has no marker there")
                elif marker.since < one.entry.since:
                    late.setdefault(server, f"{name} is at g{marker.since} there")
                    if marker.frozen:
                        self._frozen = (
                            f"{name} is FROZEN, so nothing is written to it; `standfast thaw {name}` ends that"
                        )
                else:
                    reached[server] = max(reached.get(server, 0), marker.since)
        for server, generation in reached.items():
            if server not in late and (text := f"serves g{generation}") and f"{server} {text}" not in self._told:
                self._told.add(f"{server} {text}")
                self._say(server, text)
        return "; ".join(f"{server}: {why}" for server, why in list(late.items())[:4])

    def _addresses_left(self, one: EndpointSight, sight: StoreSight) -> str:
        """Its addresses at the primary, where people may have written them whatever the marker says."""
        if one.seen is None:
            return "an answer that can't be read"
        names = self._names(sight)
        theirs = {a for m in one.entry.members if m.load_balancer in names for a in m.addresses}
        standing = {text for rrset in one.seen if rrset is not None for text in rrset.texts()}
        wanted = {text for rrset in one.entry.rrsets for text in rrset.texts()}
        return ", ".join(sorted(theirs & standing - wanted))
