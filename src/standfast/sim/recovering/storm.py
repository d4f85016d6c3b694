"""A catch-up storm: many enactors come back at one moment to everything out of date, before a provider that throttles.

    N production enactors ──▶ an account's limit ──▶ zones as the executable specification has them
    with CatchUp, or naive     rate, burst; who is turned away costs a part of a request too

As at Amazon's APIs the limit is the account's, so zones compete; and as at many limiters a request that is turned away
uses up some of the limit. So those who ask again at once keep each other from ever being served. `naive` is an enactor
that does so: no turns, no pauses, all at once. Everything is drawn from one seed; equal arguments give equal storms.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any, Final

from msgspec import Struct

from standfast.core.due import NOT_DONE, UNANSWERED
from standfast.core.enactor import Enactor, Occasion
from standfast.core.standing_by import put_aside
from standfast.core.task import Outcome
from standfast.model.entry import Entry, Key
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRType, addresses
from standfast.model.shards import Shards
from standfast.ports import provider_spec
from standfast.ports.local import Admit, Admitted, DrawNonce, KeepCopy, Kept, Nonce, Recorded, RecordIntent
from standfast.ports.provider import Changes, ReadChanges, Replace, Unknown, Written
from standfast.ports.store import HeadRead, PlanRead, ReadHead, ReadPlan
from standfast.recovery.catchup import RETRY_S, CatchUp
from standfast.sim.swarm.cadence import ENDPOINTS_A_SECOND, LOOK_S, PAUSE_MAX_S, PAUSE_S
from standfast.sim.swarm.loop import Loop

STREAM: Final = "main"
TRIP_S: Final = 0.02
"""From an enactor to the provider and back."""
TURNED_AWAY_COSTS: Final = 0.5
"""Of what a request costs."""
EVENTS_MAX: Final = 2_000_000
Doing = Generator[object, Any, None]


class Given(Struct, frozen=True):
    """Who comes back to what. `rate` requests a second of all together, `burst` at once; an endpoint in `urgent` has an
    address that is dead."""

    enactors: int = 6
    zones: int = 2
    endpoints: int = 1_000
    rate: float = 20.0
    burst: float = 20.0
    urgent: int = 10
    batch_octets: int = 30_000
    until_s: float = 600.0
    naive: bool = False
    seed: int = 0


class Storm(Struct, frozen=True):
    """What became of it. `done_at` is when everything stood, None if it did not; `urgent_at` when no dead address was
    left. `written` are endpoints by second, `asked` the requests of all, `throttled` those that were turned away."""

    done_at: float | None
    urgent_at: float | None
    written: tuple[int, ...]
    asked: int
    throttled: int

    def goodput(self, since_s: float, until_s: float) -> float:
        """Endpoints a second between these moments."""
        some = self.written[int(since_s) : int(until_s)]
        return sum(some) / len(some) if some else 0.0


def zone_names(given: Given) -> tuple[str, ...]:
    """The zones' names."""
    return tuple(f"z{number}.example" for number in range(given.zones))


def plans(given: Given) -> tuple[Plan, Plan]:
    """The one that stands, and the newest, in which every endpoint has changed."""
    made = []
    for generation in (1, 2):
        entries = [Entry(zone, first_name(STREAM, zone), 1, kind="first") for zone in zone_names(given)]
        for zone in zone_names(given):
            for number in range(given.endpoints):
                dead = number % given.urgent == 0 if given.urgent else False
                stays = ["192.0.2.1"] if generation == 2 and dead else ["192.0.2.1", "192.0.2.2"]
                more = [] if generation == 1 or dead else ["192.0.2.3"]
                rrsets, least = addresses(60, [*stays, *more]), ((int(RRType.A), 1),)
                entries.append(Entry(zone, f"e{number}.{zone}", generation, rrsets=rrsets, min_answers=least))
        shards = Shards.of(entries)
        record = PlanRecord(STREAM, generation, shards.digest, zone_names(given), (), "storm", "", 0.0)
        made.append(Plan(record, shards))
    return made[0], made[1]


class Account:
    """All zones of one provider, and the limit on requests to all of them."""

    def __init__(self, given: Given, zones: dict[str, provider_spec.ZoneState], newest: Plan) -> None:
        self.zones, self.newest, self._given = zones, newest, given
        self.asked = self.throttled = 0
        self.written: Counter[int] = Counter()
        self._left, self._at = given.burst, 0.0
        self._changed: dict[str, list[tuple[int, frozenset[str]]]] = {zone: [] for zone in zones}
        self.stale = {entry.key for entries in newest.by_zone.values() for entry in entries if entry.kind != "first"}
        self.dead = {key for key in self.stale if given.urgent and int(key[1].split(".")[0][1:]) % given.urgent == 0}
        self.done_at: float | None = None
        self.urgent_at: float | None = None

    def answer(self, request: Any, now: float) -> object:
        """What comes of a request that arrives now."""
        self.asked += 1
        self._left = min(self._given.burst, self._left + (now - self._at) * self._given.rate)
        self._at = now
        if self._left < 1.0:
            self._left = max(-self._given.burst, self._left - TURNED_AWAY_COSTS)
            self.throttled += 1
            return Unknown("Throttling: Rate exceeded")
        self._left -= 1.0
        return self.served(request, now)

    def served(self, request: Any, now: float) -> object:
        """The same without a limit."""
        zone = self.zones[request.zone]
        if isinstance(request, ReadChanges):
            return self._differences(request, zone)
        self.zones[request.zone], reply = provider_spec.apply(zone, request)
        if isinstance(request, Replace) and isinstance(reply, Written):
            self._wrote(request, zone, now)
        return reply

    def _wrote(self, request: Replace, before: provider_spec.ZoneState, now: float) -> None:
        after = self.zones[request.zone]
        keys = before.rrsets.keys() | after.rrsets.keys()
        owners = frozenset(key[0] for key in keys if before.rrsets.get(key) is not after.rrsets.get(key))
        self._changed[request.zone].append((after.serial, owners))
        fresh: set[Key] = set()
        for owner in owners:
            key = (request.zone, owner)
            entry = self.newest.entry(key)
            if key in self.stale and entry is not None and after.rrsets.get((owner, int(RRType.A))) == entry.rrsets[0]:
                fresh.add(key)
        self.stale -= fresh
        self.dead -= fresh
        self.written[int(now)] += len(fresh)
        self.urgent_at = now if not self.dead and self.urgent_at is None else self.urgent_at
        self.done_at = now if not self.stale and self.done_at is None else self.done_at

    def _differences(self, request: ReadChanges, zone: provider_spec.ZoneState) -> Changes:
        if request.serial is None:
            return Changes(zone.serial, ())
        some = [owners for serial, owners in self._changed[request.zone] if serial > request.serial]
        return Changes(zone.serial, tuple(sorted(frozenset[str]().union(*some))))


class _Coming:
    """One enactor that comes back."""

    def __init__(self, given: Given, loop: Loop, account: Account, held: Plan, number: int) -> None:
        self._given, self._loop, self._account = given, loop, account
        self._draw = random.Random(given.seed * 1_000 + number)
        self._number, self._nonces = number, 0
        self.core = Enactor(f"e{number}", STREAM, plan=held, batch_octets=given.batch_octets, admission=not given.naive)
        self._catch_up = CatchUp()
        self._looked = 0.0
        loop.at(self._draw.random() * TRIP_S, lambda: self._play(self._pass("news")))

    def _play(self, doing: Doing, reply: object = None) -> None:
        try:
            request = doing.send(reply)
        except StopIteration:
            self._loop.at(self._next_at(), self._wake)
            return
        account, loop = self._account, self._loop

        def arrives() -> None:
            answer = account.answer(request, loop.now)
            loop.after(TRIP_S / 2, lambda: self._play(doing, answer))

        loop.after(TRIP_S / 2, arrives)

    def _pass(self, occasion: Occasion) -> Doing:
        now = self._loop.now
        self._catch_up.begin(now)
        self.core = self.core.wake(occasion, now, () if self._given.naive else self._catch_up.closed(now))
        while (request := self.core.request) is not None:
            now = self._loop.now
            if isinstance(request, ReadHead) and not self._given.naive:
                if self._catch_up.over(now):
                    return
                self.core = put_aside(self.core, self._catch_up.closed(now))
            local = self._local(request, now)
            reply = local if local is not None else (yield request)
            self.core = self.core.heard(reply)
            if self.core.outcomes:
                self._learn(self.core.outcomes)

    def _local(self, request: object, now: float) -> object:
        match request:
            case ReadHead():
                return HeadRead(self._account.newest.head)
            case ReadPlan():
                return PlanRead(self._account.newest)
            case DrawNonce():
                self._nonces += 1
                return Nonce(f"{self._number:04x}{self._nonces:012x}")
            case RecordIntent():
                return Recorded()
            case KeepCopy():
                return Kept()
            case Admit():
                return self._catch_up.admit(request, now)
        return None

    def _learn(self, outcomes: tuple[Outcome, ...]) -> None:
        zone, results = outcomes[0].zone, {one.result for one in outcomes}
        if results & UNANSWERED:
            self._catch_up.unanswered(zone, self._loop.now, self._draw.random())
        elif done := [(one.zone, one.name) for one in outcomes if one.result not in NOT_DONE]:
            self._catch_up.heard(zone, done, self._loop.now, self._draw.random())

    def _next_at(self) -> float:
        now, agenda = self._loop.now, self.core.agenda
        if self._given.naive:
            return now if not agenda.empty else max(now, self._looked + LOOK_S)
        if agenda.empty:
            return max(now, self._looked + LOOK_S)
        if self.core.contention.conflicts:
            left = len(agenda.due) + len(agenda.queued) + sum(map(len, agenda.groups))
            return now + min(PAUSE_MAX_S, PAUSE_S + left / ENDPOINTS_A_SECOND) * self._draw.uniform(0.5, 1.0)
        opens_at = self._catch_up.opens_at({zone for zone, _ in (*agenda.queued, *agenda.aside)})
        if opens_at > now:
            return opens_at
        return now if self._catch_up.over(now) else now + RETRY_S

    def _wake(self) -> None:
        occasion: Occasion = "news"
        if self._loop.now >= self._looked + LOOK_S:
            self._looked, occasion = self._loop.now, "look"
        self._play(self._pass(occasion))


def prepared(given: Given) -> tuple[dict[str, provider_spec.ZoneState], Plan, Plan, int]:
    """The zones with the old plan in them, both plans, and the requests that one enactor alone needs for the newest."""
    old, new = plans(given)
    zones = {zone: provider_spec.ZoneState(zone, {}) for zone in zone_names(given)}
    account = Account(given, zones, old)
    _alone(given, account, old, None)
    before = dict(account.zones)
    lone = Account(given, dict(before), new)
    _alone(given, lone, new, old)
    return before, old, new, lone.asked


def _alone(given: Given, account: Account, plan: Plan, held: Plan | None) -> None:
    core = Enactor("alone", STREAM, plan=held, batch_octets=given.batch_octets).wake("news", 0.0)
    drawn = 0
    while (request := core.request) is not None:
        reply: object
        match request:
            case ReadHead():
                reply = HeadRead(plan.head)
            case ReadPlan():
                reply = PlanRead(plan)
            case DrawNonce():
                drawn += 1
                reply = Nonce(f"{plan.generation:04d}f{drawn:011x}")
            case RecordIntent():
                reply = Recorded()
            case KeepCopy():
                reply = Kept()
            case Admit():
                reply = Admitted((*request.urgent, *request.rest))
            case _:
                account.asked += 1
                reply = account.served(request, 0.0)
        core = core.heard(reply)


def storm(given: Given, ready: tuple[dict[str, provider_spec.ZoneState], Plan, Plan, int] | None = None) -> Storm:
    """Run it, until everything stands or `until_s` is over. `ready` is what `prepared` gave for the same zones."""
    zones, old, new, _ = ready or prepared(given)
    loop, account = Loop(), Account(given, dict(zones), new)
    for number in range(given.enactors):
        _Coming(given, loop, account, old, number)
    step: Callable[[float], None] = lambda end: loop.run(end, EVENTS_MAX)  # noqa: E731
    while loop.now < given.until_s and account.done_at is None:
        step(loop.now + 1.0)
    last = int(loop.now)
    written = tuple(account.written[second] for second in range(last + 1))
    return Storm(account.done_at, account.urgent_at, written, account.asked, account.throttled)
