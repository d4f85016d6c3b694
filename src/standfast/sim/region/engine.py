"""Runs the day: people's acts at their published times, every service tick by tick, everything else as it comes.

Nothing here reads a clock or draws from anything but the seed: equal arguments give equal days, digest and all.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from standfast.sim.swarm.loop import Loop

from . import naming, production
from .balancing import Balancers
from .clearing import Clearing
from .connect import Connect
from .containers import Containers
from .day import Account, Day, Input, digest
from .dynamodb import DynamoDB
from .ec2 import EC2
from .functions import Lambda
from .milestones import watches
from .naming import Hands, History
from .network import NetworkManager
from .parameters import DEFAULTS, Parameters
from .protections import ALL, REMEDIES, Protection
from .published import DAY_ENDS_S, MILESTONES
from .recording import EVERY_S, Recorder
from .redshift import Redshift
from .resolvers import Resolvers
from .signin import SignIn
from .sts import STS
from .support import Support
from .tables import GlobalTables
from .world import Service, World

BEGINS_S: Final = -600.0
"""Ten quiet minutes first."""
_EVENTS_MAX: Final = 5_000_000
PUBLISHED: Final[dict[str, float]] = {
    one.id: float(one.seconds) for one in MILESTONES if one.kind == "intervention" and one.seconds <= DAY_ENDS_S
}
"""What people did, at the times that were published."""

SERVICES: Final[tuple[Callable[[World], Service], ...]] = (
    EC2, NetworkManager, Balancers, Lambda, Containers, STS, SignIn, Redshift, Connect, GlobalTables, Support
)  # fmt: skip


class _Authority:
    """The endpoint's authoritative answer, as its history has it."""

    def __init__(self, loop: Loop, history: History) -> None:
        self.count = [next(count for at, count in reversed(history.changes) if at <= BEGINS_S)]
        self._told: list[Callable[[], None]] = []
        for at, count in history.changes:
            if at > BEGINS_S:
                loop.at(at, lambda count=count: self._becomes(count))  # type: ignore[misc]  # each its own

    def addresses(self) -> int:
        """In the answer now."""
        return self.count[0]

    def on_change(self, told: Callable[[], None]) -> None:
        """Be told of the next change."""
        self._told.append(told)

    def _becomes(self, count: int) -> None:
        self.count[0] = count
        for told in self._told:
            told()


class _Run:
    def __init__(
        self, parameters: Parameters, inputs: Mapping[str, float], on: frozenset[Protection], seed: int, until: float
    ) -> None:
        self.loop = Loop()
        self.loop.now = BEGINS_S
        remedies = frozenset().union(*(REMEDIES.get(one, frozenset()) for one in on))
        hands = Hands(inputs.get("dynamodb-restored"), inputs.get("automation-off"))
        if REMEDIES.keys() <= on:
            self.history = production.history(until, parameters.endpoints)
        else:
            self.history = naming.history(remedies, hands, until, max(1, parameters.balancers // 3))
        authority = _Authority(self.loop, self.history)
        p = parameters
        cache = (p.resolvers, p.ttl_s, p.negative_ttl_s, p.asked_every_s)
        resolvers = Resolvers(self.loop, authority, seed, *cache, keep_last="keep-last" in on)
        self.world = World(parameters, on, inputs, self.loop, resolvers, seed)
        services: list[Service] = [
            DynamoDB(self.world, authority.count, self.history.records),
            *(one(self.world) for one in SERVICES),
        ]
        self.world.services = {one.key: one for one in services}
        self.services = in_order(services)
        self.recorder, self.watches = Recorder(), watches()
        self._until, self._noted_at = until, -1e9
        self.clearing = Clearing(self.services)
        self._answered = authority.count
        self._was_answered = True

    def run(self, passed: Callable[[float], object] | None) -> None:
        whole, told_at = self._until - BEGINS_S, BEGINS_S
        while self.loop.now < self._until:
            self.loop.run(min(self.loop.now + self.world.tick, self._until), _EVENTS_MAX)
            self._tick()
            if passed is not None and self.loop.now - told_at >= 600.0:
                told_at = self.loop.now
                passed((told_at - BEGINS_S) / whole)

    def _tick(self) -> None:
        now = self.loop.now
        for one in self.services:
            one.step()
        for watch in self.watches:
            watch.look(now, self)
        answered = self._answered[0] > 0
        if answered and not self._was_answered:
            self.clearing.back(now)
        self._was_answered = answered
        self.clearing.look(now)
        self.recorder.tick(self.services)
        if now - self._noted_at >= EVERY_S:
            self._noted_at = now
            self.recorder.note(now, self.services)

    def value(self, name: str) -> float:
        """What a series is now."""
        key, _, measure = name.partition(".")
        one = self.world.services[key]
        return one.availability if measure == "availability" else one.measures()[measure][1]

    def accounts(self) -> tuple[Account, ...]:
        return tuple(account for one in self.services for account in one.accounts())


def in_order(services: Iterable[Service]) -> list[Service]:
    """Each after all that it needs. Raises AssertionError if they need one another in a circle."""
    left, found, known = list(services), list[Service](), set[str]()
    while left:
        ready = [one for one in left if known.issuperset(one.needs)]
        if not ready:
            raise AssertionError(f"they need one another in a circle: {', '.join(one.key for one in left)}")
        found += ready
        known |= {one.key for one in ready}
        left = [one for one in left if one.key not in known]
    return found


def run(
    parameters: Parameters = DEFAULTS,
    interventions: Mapping[str, float] = PUBLISHED,
    protections: Iterable[Protection] = (),
    seed: int = 1,
    until: float = float(DAY_ENDS_S),
    passed: Callable[[float], object] | None = None,
) -> Day:
    """The day. `interventions`: seconds by the milestone's id; `passed` hears the share of the day that is over."""
    on = frozenset(protections)
    going = _Run(parameters, interventions, on, seed, until)
    going.run(passed)
    series, milestones = (
        going.recorder.series,
        {watch.id: watch.at for watch in going.watches if not watch.id.endswith("…")},
    )
    what = {one.id: one.what for one in MILESTONES}
    return Day(
        seed=seed,
        protections=tuple(one for one in ALL if one in on),
        until=until,
        inputs=tuple(Input(id, at, what[id]) for id, at in sorted(interventions.items(), key=lambda one: one[1])),
        services=tuple(one.name for one in going.services),
        measures=going.recorder.measures,
        series=series,
        milestones=milestones,
        accounts=going.accounts(),
        outage_s=going.history.outage_s,
        clear_s=going.clearing.clear(until),
        bound_s=going.clearing.bound_s,
        took_s=going.clearing.took_s,
        digest=digest(series, milestones),
        clear_of=going.clearing.clear_of(until),
        lost_s={key: round(lost, 3) for key, lost in going.clearing.lost_s.items()},
    )
