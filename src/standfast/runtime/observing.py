"""What there is to see of a running stream: plans, fleet, zones, processes, gathered into one frozen value.

Only reads. Whatever cannot be read is said to be unknown, with the reason: never empty. Status, history, explain and
the web pages all look at the same value.
"""

import os
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.config import Config, LeasesSource
from standfast.errors import StoreError
from standfast.model.entry import Key
from standfast.model.fleet import Fleet, Verdict
from standfast.model.plan import Head, Plan
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    HeadRead,
    ListPlans,
    PlanList,
    PlanMissing,
    PlanRead,
    PlanSummary,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceRead,
)

from .calling import called_alike, short_name
from .hostedsight import checks_known, look_at_checks
from .place import Place, load_balancer_of, policy_of
from .presence import Present, read_presence
from .secondaries import Secondary, followed

if TYPE_CHECKING:
    from standfast.adapters.stores.plan_store import PlanStore
    from standfast.core.decisions import Decision, Load, Refusal
    from standfast.core.spread import Spread
    from standfast.model.override import Override

    from .freezing import Freeze
    from .hostedsight import HostedSight
    from .registry.standing import RegistryStanding
    from .sharing import Judged, SharedPolicy
    from .votes import VantageSight
    from .zonesight import EndpointSight, ZoneSight

STORE_PATIENCE_S: Final = 2.0
LATE_S: Final = 7.0
"""A process that has not beaten for so long is not taken to be at work. The beat is a second, and one question to a DNS
server that is silent takes five."""
LOOKS_MAX: Final = 3
"""A zone may be written after the store was read: then both are looked at again, so often at most."""


class StoreSight(Struct, frozen=True):
    """What the store holds. `trouble` says why it could not be read (then the rest is unknown, not empty), `copy`
    whose copy of the plan is shown in its place. `began` is False if no store was ever made here.

    `fleet` and `verdicts` are what planners last stored, health as seen from `vantage`; None: unknown. `overrides` is
    what operators said, expired ones included; None: unknown. `policy` is the configuration in force. `votes` are those
    of the vantage points that are declared, if any. `hosted` is what is known of Route 53's own health checks; None
    where no zone is there. `registries` are those that ever kept leases here, if leases are anything to us.
    """

    trouble: str = ""
    copy: str = ""
    began: bool = True
    head: Head | None = None
    plan: Plan | None = None
    plans: tuple[PlanSummary, ...] = ()
    fleet: Fleet | None = None
    fleet_revision: int = 0
    verdicts: "tuple[tuple[str, Judged], ...] | None" = None
    vantage: str = ""
    overrides: "tuple[Override, ...] | None" = None
    overrides_revision: int = 0
    policy: "SharedPolicy | None" = None
    votes: "tuple[VantageSight, ...]" = ()
    hosted: "HostedSight | None" = None
    registries: "tuple[RegistryStanding, ...]" = ()

    def in_force(self, at: float) -> "tuple[Override, ...]":
        """The overrides that count at that moment, as far as known."""
        return tuple(one for one in self.overrides or () if one.in_force(at))

    def ruling(self, at: float) -> "dict[str, Override]":
        """The override that decides about each load balancer."""
        from standfast.recovery.override import ruling

        return ruling(self.fleet, self.overrides or (), at) if self.fleet is not None else {}

    def overlaid(self, at: float) -> "tuple[Fleet, dict[str, Verdict]] | None":
        """Fleet and verdicts as the planner takes them: overrides laid over what is seen. None: unknown."""
        from standfast.recovery.override import overlaid

        if self.fleet is None or self.verdicts is None:
            return None
        return overlaid(self.fleet, self.health, self.overrides or (), at)

    @property
    def health(self) -> dict[str, Verdict]:
        """The verdicts that are known."""
        return {name: Verdict(one.state, one.reason, one.outside) for name, one in self.verdicts or ()}

    def judged(self, load_balancer: str) -> "Judged | None":
        """What is thought of its health; None: unknown."""
        return dict(self.verdicts or ()).get(load_balancer)


class Seen(Struct, frozen=True):
    """Everything at one moment (`at`, seconds since the epoch by this machine's clock).

    `decisions` and `refusals` are what the planner's own rules say to what is stored, now; so are `spreads`, by which
    endpoints are answered, and `loads`, what load balancers carry of all that endpoints need.
    """

    at: float
    stream: str
    store: StoreSight
    zones: "tuple[ZoneSight, ...]"
    present: tuple[Present, ...]
    decisions: "tuple[Decision, ...]" = ()
    refusals: "tuple[Refusal, ...]" = ()
    spreads: "tuple[Spread, ...]" = ()
    loads: "tuple[Load, ...]" = ()
    overdue: bool = False
    """Whether by those rules a new plan is called for."""
    absent: tuple[Key, ...] = ()
    """Endpoints of the configuration that are in no plan yet."""
    hidden: bool = False
    """Whether this user may not see who is running."""
    freezes: "tuple[Freeze, ...]" = ()
    """What is said of freezes, if anything is frozen: who, why, since when. The zones tell whether it is."""
    file: str = ""
    """The digest of the configuration at hand, which others may not have read; empty: not looked at."""
    twins: frozenset[str] = frozenset()
    """What endpoints of several zones would be called (see `calling`)."""

    def short(self, key: Key) -> str:
        """What the endpoint is called: a name that every command understands."""
        return short_name(key[1], key[0], self.twins)

    @property
    def endpoints(self) -> "tuple[EndpointSight, ...]":
        """All zones' endpoints, without the synthetic ones."""
        return tuple(one for zone in self.zones for one in zone.endpoints if one.entry.kind != "first")

    @property
    def secondaries(self) -> tuple[Secondary, ...]:
        """The zones' other name servers, as running enactors follow them."""
        return followed(self.running("enactor"))

    def running(self, role: str) -> tuple[Present, ...]:
        """Processes of that role that are at work."""
        return tuple(one for one in self.present if one.role == role and at_work(one))


def at_work(one: Present) -> bool:
    """Whether the process is there and has lately said so."""
    return one.alive and one.age_s <= LATE_S


def observe(config: Config, *, secondaries: bool = True, only: Key | None = None) -> Seen:
    """Look at everything once, in the zones at one endpoint `only`. Raises nothing for what cannot be read."""
    from .zonesight import look_at_zone

    place = Place(config)
    store = look_at_store(place)
    for _ in range(LOOKS_MAX):
        entries, zones = store.plan.by_zone if store.plan else {}, []
        for zone in config.zones:
            some = (entry for entry in entries.get(zone.name, ()) if only in (None, entry.key))
            if only is None or only[0] == zone.name:
                zones.append(look_at_zone(zone, config.stream, some, secondaries=secondaries))
        if not any(zone.ahead for zone in zones):
            break
        before, store = store, look_at_store(place)
        if store.head == before.head:
            break  # the zone is ahead of what the store has, not of what we had read
    told = freezes_of(place, zones)
    seen = Seen(time.time(), config.stream, store, tuple(zones), present(place), hidden=hidden(place), freezes=told)
    return replace(judged(seen, config, only), file=config.digest)


def freezes_of(place: Place, zones: "Iterable[ZoneSight]") -> "tuple[Freeze, ...]":
    """Who froze what and why, asked only if something is frozen."""
    from standfast.model.marker import Floor, Marker

    from .freezing import told_freezes

    floors = any(isinstance(zone.floor, Floor) and zone.floor.frozen for zone in zones)
    markers = any(isinstance(one.marker, Marker) and one.marker.frozen for zone in zones for one in zone.endpoints)
    return told_freezes(place) if floors or markers else ()


def present(place: Place) -> tuple[Present, ...]:
    """Who says to be running here, as far as this user may look."""
    try:
        return tuple(read_presence(place.presence))
    except OSError:
        return ()


def hidden(place: Place) -> bool:
    """Whether the directory in which running processes show themselves is closed to this user."""
    try:
        os.listdir(place.presence)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def look_at_store(place: Place, known: Plan | None = None) -> StoreSight:
    """The store's contents; if it cannot be read, the newest plan of which an enactor kept a copy. A plan that is
    `known` is not read again."""
    store = open_existing(place)
    if isinstance(store, Unknown):
        copy, plan = newest_copy(place)
        return StoreSight(store.why, copy, bool(copy) or place.has_store, plan=plan)
    try:
        return _read(store, place, known)
    finally:
        store.close()


def open_existing(place: Place) -> "PlanStore | Unknown":
    """The plan store, if there is one: looking never makes one."""
    from .storing import opened

    try:
        return opened(place.config.store, make=False, patience_s=STORE_PATIENCE_S)
    except StoreError as error:
        return Unknown(str(error))


def _read(store: "PlanStore", place: Place, known: Plan | None) -> StoreSight:
    head = store.perform(ReadHead())
    if not isinstance(head, HeadRead):
        return _troubled(place, head.why)
    if known is not None and known.head == head.head:
        reply: PlanRead | PlanMissing | Unknown = PlanRead(known)
    else:
        reply = store.perform(ReadPlan(head.head.digest)) if head.head else PlanMissing()
    if isinstance(reply, Unknown):
        return _troubled(place, reply.why)
    listed = store.perform(ListPlans())
    plans = listed.plans if isinstance(listed, PlanList) else ()
    revision, fleet = read_fleet(store)
    vantage, verdicts = _read_health(store)
    override_revision, overrides = _read_overrides(store)
    return StoreSight(
        head=head.head,
        plan=reply.plan if isinstance(reply, PlanRead) else None,
        plans=plans,
        fleet=fleet,
        fleet_revision=revision,
        verdicts=verdicts,
        vantage=vantage,
        overrides=overrides,
        overrides_revision=override_revision,
        policy=_read_policy(store),
        votes=_votes(store, place.config),
        registries=_registries(store, place.config),
        hosted=look_at_checks(store, place.config),
    )


def _troubled(place: Place, why: str) -> StoreSight:
    copy, plan = newest_copy(place)
    return StoreSight(why, copy, plan=plan)


def newest_copy(place: Place) -> tuple[str, Plan | None]:
    """Which enactor of this machine keeps the newest plan, and that plan."""
    from standfast.adapters.stores.diskcopy import DiskCopy
    from standfast.ports.local import RecallCopy

    best: tuple[str, Plan | None] = ("", None)
    for path in place.kept_copies():
        copy = DiskCopy(path)
        reply = copy.perform(RecallCopy())
        copy.close()
        if isinstance(reply, PlanRead) and (best[1] is None or reply.plan.generation > best[1].generation):
            best = (path.stem, reply.plan)
    return best


def read_fleet(store: "PlanStore") -> tuple[int, Fleet | None]:
    """The fleet as the planner last stored it, with its revision; None: unknown."""
    from .sharing import FLEET, read_fleet

    reply = store.perform(ReadSource(FLEET))
    shared = read_fleet(reply.body) if isinstance(reply, SourceRead) else None
    if shared is None or not isinstance(reply, SourceRead):
        return 0, None
    return reply.revision, Fleet(tuple(load_balancer_of(one) for one in shared.load_balancers))


def _read_health(store: "PlanStore") -> "tuple[str, tuple[tuple[str, Judged], ...] | None]":
    from .sharing import HEALTH, read_health

    reply = store.perform(ReadSource(HEALTH))
    shared = read_health(reply.body) if isinstance(reply, SourceRead) else None
    if shared is None:
        return "", None
    return shared.who, tuple(sorted(shared.verdicts.items()))


def _read_overrides(store: "PlanStore") -> "tuple[int, tuple[Override, ...] | None]":
    from .overriding import OVERRIDES, Unreadable, overrides_in

    reply = store.perform(ReadSource(OVERRIDES))
    known = overrides_in(reply.body) if isinstance(reply, SourceRead) else Unreadable("")
    revision = reply.revision if isinstance(reply, SourceRead) else 0
    return revision, None if isinstance(known, Unreadable) else known


def _read_policy(store: "PlanStore") -> "SharedPolicy | None":
    from .sharing import POLICY, read_policy

    reply = store.perform(ReadSource(POLICY))
    return read_policy(reply.body) if isinstance(reply, SourceRead) else None


def _votes(store: "PlanStore", config: Config) -> "tuple[VantageSight, ...]":
    if not config.vantage:
        return ()
    from .checks import beat_s
    from .votes import look_at_votes

    return look_at_votes(store, config.vantage, beat_s(config), time.time())


def _registries(store: "PlanStore", config: Config) -> "tuple[RegistryStanding, ...]":
    if config.registry is None and not any(isinstance(one, LeasesSource) for one in config.sources):
        return ()
    from .registry.standing import registries_in

    return registries_in(store, time.time())


def judged(seen: Seen, config: Config, only: Key | None = None) -> Seen:
    """With what the planner's rules say now of the endpoints that are in the plan."""
    plan, known = seen.store.plan, seen.store.overlaid(seen.at)
    seen = replace(seen, twins=called_alike(config, plan))
    if plan is None:
        unknown = bool(seen.store.trouble) and seen.store.began
        return replace(seen, absent=() if unknown else tuple((one.zone, one.name) for one in config.endpoints))
    policies = tuple(policy_of(one) for one in config.endpoints)
    absent = tuple(one.key for one in policies if plan.entry(one.key) is None)
    if known is None:
        return replace(seen, absent=absent)
    fleet, health = known
    from standfast.core.decisions import PlanContext
    from standfast.core.planner import draft
    from standfast.recovery.override import consented

    beyond = consented(fleet, seen.store.overrides or (), seen.at)
    zones, number, checks = plan.record.zones, plan.generation + 1, checks_known(seen.store, seen.at)
    context = PlanContext(seen.stream, zones, number, "status", consented=beyond, checks=checks)
    followed = {(one.zone, one.follows) for one in policies if one.key == only}
    some = tuple(
        one
        for one in policies
        if plan.entry(one.key) is not None and (only in (None, one.key) or one.key in followed or one.need)
    )
    drawn = draft(fleet, health, some, plan, seen.at, context)
    return replace(
        seen,
        decisions=drawn.decisions,
        refusals=drawn.refusals,
        spreads=drawn.spreads,
        loads=drawn.loads,
        overdue=drawn.plan is not None,
        absent=absent,
    )


def declared_fleet(config: Config) -> Fleet | None:
    """The fleet as the sources of the configuration have it now; None if any of them is unknown."""
    from .asking import asked_fleet

    found = asked_fleet(config).load_balancers
    return None if found is None else Fleet(tuple(load_balancer_of(one) for one in found))


def azs_of(seen: Seen, config: Config) -> Mapping[str, str]:
    """The AZ of each load balancer, as far as known."""
    some = (seen.store.fleet, declared_fleet(config))
    return {one.id: one.az for fleet in reversed(some) if fleet is not None for one in fleet.load_balancers}
