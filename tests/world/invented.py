"""A world for cores: one zone and one store as the specification has them, with delay, loss and repetition.

Everything is drawn from one seed. Requests of an actor are applied at moments the scheduler chooses; a `Replace` may
be applied late (after its sender gave up or died), twice, or have its reply lost.
"""

import random
from collections.abc import Callable

from standfast.core.enactor import Enactor
from standfast.core.task import Outcome
from standfast.model.entry import Entry
from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRset, RRType, addresses
from standfast.model.shards import Shards
from standfast.ports import provider_spec, store_spec
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent, Unrecorded
from standfast.ports.provider import Changes, Confirm, Read, ReadChanges, Readings, Replace, Unknown, Written
from standfast.ports.store import PlanMissing, PlanRead, Publish, Published, ReadHead, ReadPlan

ZONE = "lb.example.com"
STREAM = "main"


def entry(name: str, since: int, *addrs: str, minimum: int = 1) -> Entry:
    """A live entry of A records."""
    return Entry(ZONE, name, since, rrsets=addresses(60, addrs), min_answers=((int(RRType.A), minimum),))


def plan_of(generation: int, entries: list[Entry], *, author: str = "test") -> Plan:
    """A plan with the zone's synthetic first entry."""
    first = Entry(ZONE, first_name(STREAM, ZONE), 1, kind="first")
    shards = Shards.of([first, *entries])
    return Plan(PlanRecord(STREAM, generation, shards.digest, (ZONE,), (), author, "", 0.0), shards)


class Actor:
    """One enactor process: it can be crashed, and woken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.copy: Plan | None = None
        self.cut_off = False
        """Whether the store is out of its reach."""
        self.core = Enactor(name, STREAM)
        self.started = False

    def crash(self, copy: Plan | None) -> None:
        """Everything is gone but the copy on its disk, which may be any it ever kept."""
        self.copy = copy
        self.core = Enactor(self.name, STREAM)
        self.started = False


class World:
    """Zone, store, actors, and what is under way."""

    def __init__(
        self, seed: int, plans: list[Plan], *, enactors: int = 2, make: Callable[[str], Actor] = Actor
    ) -> None:
        self.draw = random.Random(seed)
        self.zone = provider_spec.ZoneState(ZONE, {})
        self.store = store_spec.StoreState()
        self.unpublished = list(plans)
        self.plans = {plan.digest: plan for plan in plans}
        self.actors = [make(f"enactor-{place}") for place in range(enactors)]
        self.late: list[Replace] = []
        self.nonces = 0
        self.now = 0.0
        self.journal_broken = False
        self.trace: list[str] = []
        self.applied: set[str] = set()
        """Nonces of changes that the zone has taken."""
        self.outcomes: list[Outcome] = []
        self.meddle: Callable[[Actor, object], object] = lambda actor, request: None
        """What a schedule has an actor hear instead of the truth; None: the truth."""
        self.moments: dict[int, provider_spec.ZoneState] = {}
        """The zone at each serial that an actor may have heard of."""
        self.on_write: Callable[[provider_spec.ZoneState, provider_spec.ZoneState, Replace], None] = lambda a, b, c: (
            None
        )

    def publish(self) -> None:
        """The next plan becomes the head."""
        if self.unpublished:
            plan = self.unpublished.pop(0)
            self.store, reply = store_spec.apply(self.store, Publish(self.store.head, plan))
            assert isinstance(reply, Published)
            self.trace.append(f"published g{plan.generation}")

    def send(self, change: Replace) -> object:
        """The change arrives at the provider."""
        before = self.zone
        self.zone, reply = provider_spec.apply(self.zone, change)
        if self.zone != before:
            self.on_write(before, self.zone, change)
        if isinstance(reply, Written):
            self.applied.update(nonces(change))
        self.trace.append(f"change {[w.name for w in change.writes]} {type(reply).__name__}")
        return reply

    def answer(self, actor: Actor, request: object, *, faults: bool) -> object:
        """What the actor hears."""
        self.moments[self.zone.serial] = self.zone
        if (instead := self.meddle(actor, request)) is not None:
            return instead
        match request:
            case DrawNonce():
                self.nonces += 1
                return Nonce(f"{self.nonces:016x}")
            case RecordIntent():
                return Unrecorded("the disk is full") if self.journal_broken else Recorded()
            case KeepCopy(plan):
                actor.copy = plan
                return Kept()
            case RecallCopy():
                return PlanRead(actor.copy) if actor.copy else PlanMissing()
            case ReadHead() | ReadPlan():
                if actor.cut_off or (faults and self.draw.random() < 0.05):
                    return Unknown("the store is away")
                return store_spec.apply(self.store, request)[1]
            case Replace():
                return self._replace(request, faults=faults)
            case Read() | Confirm() | ReadChanges():
                return self._look(request, faults=faults)
        raise AssertionError(f"unexpected request {request}")

    def _look(self, request: Read | Confirm | ReadChanges, *, faults: bool) -> object:
        if faults and self.draw.random() < 0.04:
            return Unknown("time-out")
        reply = provider_spec.apply(self.zone, request)[1]
        if faults and isinstance(reply, Readings) and self.draw.random() < 0.04:
            values = list(reply.values)
            values[self.draw.randrange(len(values))] = Unknown("SERVFAIL")
            return Readings(tuple(values))
        if isinstance(request, ReadChanges) and (not faults or self.draw.random() < 0.5):
            return self._differences(request)
        return reply

    def _differences(self, request: ReadChanges) -> Changes:
        """The very owner names that changed, as an incremental transfer tells them."""
        then = self.moments.get(request.serial) if request.serial is not None else None
        if then is None:
            return Changes(self.zone.serial, None)
        was, now = then.rrsets, self.zone.rrsets
        changed = {key[0] for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
        return Changes(self.zone.serial, tuple(sorted(changed)))

    def _replace(self, change: Replace, *, faults: bool) -> object:
        fate = self.draw.random() if faults else 1.0
        if fate < 0.15:
            self.late.append(change)
            return Unknown("time-out; it may arrive later")
        reply = self.send(change)
        if fate < 0.25:
            self.late.append(change)
        if fate < 0.35:
            return Unknown("the reply was lost")
        return reply

    def step(self, actor: Actor, *, faults: bool) -> None:
        """One request of one actor, or its next pass."""
        core = actor.core
        if core.request is None:
            occasion = "look" if actor.started else "start"
            if actor.started and self.draw.random() < 0.2:
                occasion = "audit"
            actor.started = True
            actor.core = core.wake(occasion, self.now)  # type: ignore[arg-type]
            return
        actor.core = core.heard(self.answer(actor, core.request, faults=faults))
        self.outcomes.extend(actor.core.outcomes)
        for outcome in actor.core.outcomes:
            self.trace.append(f"{actor.name} {outcome.name} {outcome.result} {outcome.why}")

    def look(self, actor: Actor, times: int = 4) -> None:
        """So many looks of this actor, without faults but those of `meddle`; what is left is tried again once after
        each, as the process does."""
        self._rest(actor)
        for occasion in ("look", "news") * times:
            if occasion == "news" and actor.core.agenda.empty:
                continue
            self.now += 1.0
            actor.core = actor.core.wake(occasion if actor.started else "start", self.now)
            actor.started = True
            self._rest(actor)

    def _rest(self, actor: Actor) -> None:
        for _ in range(4000):
            if actor.core.request is None:
                return
            self.step(actor, faults=False)
        raise AssertionError(f"{actor.name} does not come to rest")

    def settle(self, actor: Actor, passes: int = 6) -> None:
        """Without faults, this actor alone, start and looks, until it is idle; bounded."""
        self.journal_broken = actor.cut_off = False
        for place in range(passes):
            if actor.core.request is None:
                actor.core = actor.core.wake("start" if not actor.started else "audit", self.now)
                actor.started = True
            for _ in range(4000):
                if actor.core.request is None:
                    break
                self.step(actor, faults=False)
            else:
                raise AssertionError(f"{actor.name} does not come to rest in pass {place}")


def nonces(change: Replace) -> set[str]:
    """The nonces that a change writes into markers and floor."""
    texts = (
        rdata.decode("latin-1") for part in (change.floor, *change.writes) for c in part.contents for rdata in c.rdata
    )
    return {text.partition(" x=")[2][:16] for text in texts if " x=" in text}


def marker(zone: provider_spec.ZoneState, name: str) -> object:
    """What the endpoint's marker says."""
    owner = marker_owner(name, ZONE)
    return read_marker(zone.rrsets.get((owner, int(RRType.TXT))), ZONE, owner)


def floor(zone: provider_spec.ZoneState) -> object:
    """What the floor says."""
    owner = floor_owner(STREAM, ZONE)
    return read_floor(zone.rrsets.get((owner, int(RRType.TXT))), ZONE, owner)


def served(zone: provider_spec.ZoneState, name: str) -> tuple[str, ...]:
    """The A answer."""
    rrset = zone.rrsets.get((name, int(RRType.A)))
    return rrset.texts() if rrset else ()


__all__ = ["Floor", "Marker", "RRset"]
