"""EC2: leases on droplets, and launches, which need a droplet with a lease, the endpoint, and from 04:14 on a limit.

As built (published): launches failed while state checks failed; from 02:25 "insufficient capacity", since a droplet
without a lease is no candidate; from 05:28, every droplet having a lease, they began to succeed under "request limit
exceeded"; from 11:23 limits were relaxed. That nothing was let in while leases were being made is inferred from
launches having begun to succeed in the minute in which the last lease was there. Ended instances are a change of state
as well, and were held back just so (published of Network Manager's backlog: new and terminated instances).
"""

import random

from .day import Account, Measure
from .droplets import Leasing, Manager
from .dynamodb import DynamoDB
from .world import HOUR_S, Service, World

WHOLE = 0.999
"""From this share of leases on people call the fleet leased."""


class EC2(Service):
    """Droplets and launches. Counts are whole droplets; launches are rates times seconds."""

    name, key, needs = "EC2", "ec2", ("dynamodb",)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        p = world.parameters
        per = p.droplets // p.managers
        how = Leasing(p.check_s, p.lease_s, p.lease_timeout_s, p.lease_rate * per / 1000.0, p.renewal_cost, p.tick_s)
        self.managers = [Manager(how, per) for _ in range(p.managers)]
        self._cut_at = self._connections(world)
        self.droplets = per * p.managers
        self.normal = p.launches * self.droplets / 1000.0
        self.launched = self.ended = 0.0
        self.asked_again = 0.0
        self.held = 0.0
        self.asked = self.started = self.abandoned = self.ends_asked = self.ends_done = 0.0
        self._limited = False

    def _connections(self, world: World) -> list[float]:
        """How long each manager's connection lasts from the moment on at which it could not be opened again."""
        draw = random.Random(f"{world.seed} managers")
        return [draw.expovariate(1.0 / world.parameters.connection_s) for _ in range(world.parameters.managers)]

    @property
    def leased(self) -> float:
        """The share of droplets with a lease."""
        return sum(one.leased for one in self.managers) / self.droplets

    def _reaches(self, place: int) -> bool:
        resolvers = self.world.resolvers.all
        return self.world.now < resolvers[place % len(resolvers)].dark_since + self._cut_at[place]

    def step(self) -> None:
        """Checks first, then launches and what ends."""
        world = self.world
        if world.done("ec2-throttled") and not self._limited and self.leased < WHOLE:
            self._limited = True
            for one in self.managers:
                one.restart(world.now)
                one.intake = world.parameters.intake * one.how.rate
        for place, one in enumerate(self.managers):
            one.step(world.now, reaches=self._reaches(place))
        self._launch()

    def _launch(self) -> None:
        p, dt = self.world.parameters, self.world.tick
        fresh = self.normal * self.world.demand * dt
        again = min(self.asked_again, self.asked_again * dt / p.retry_s)
        asked = fresh + again
        possible = self._possible(asked)
        self.launched = min(asked, possible)
        failed = asked - self.launched
        self.availability = self.launched / asked
        stays = again / asked + fresh / asked * p.controllers
        self.asked_again += failed * stays - again
        self.asked += fresh
        self.started += self.launched
        self.abandoned += failed * (1.0 - stays)
        self._end(fresh)

    def _possible(self, asked: float) -> float:
        """How many launches may succeed in this tick."""
        dynamodb = self.of("dynamodb")
        assert isinstance(dynamodb, DynamoDB)
        leased = self.leased
        share = leased * dynamodb.reach()
        if not self._limited:
            return asked * share
        if leased < WHOLE and self.started_again is None:
            return 0.0
        return min(asked * share, self.limit * self.normal * self.world.tick)

    started_again: float | None = None

    @property
    def limit(self) -> float:
        """How many launches are let in, in multiples of the average; only after the throttle of 04:14."""
        p = self.world.parameters
        return p.limit + p.relax * max(0.0, self.world.since("ec2-relaxed")) / HOUR_S

    def _end(self, fresh: float) -> None:
        """Instances end as often as they are launched; on a droplet without a lease that waits."""
        self.ends_asked += fresh
        leased = self.leased
        if leased >= WHOLE and self._limited and self.started_again is None:
            self.started_again = self.world.now
        self.held += fresh * (1.0 - leased)
        out = 0.0
        if leased >= WHOLE:
            out = min(self.held, self.world.parameters.held_rate * self.normal * self.world.tick)
        self.held -= out
        self.ended = fresh * leased + out
        self.ends_done += self.ended

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Leases, queues, launches."""
        waits = sum(one.queued for one in self.managers)
        return {
            "leases": (Measure(self.name, "droplets with a lease", "share"), self.leased),
            "lease-queue": (Measure(self.name, "checks that wait", "droplets"), float(waits)),
            "launch-rate": (Measure(self.name, "launches", "× normal"),
                            self.launched / (self.normal * self.world.tick)),
            "launches-waiting": (Measure(self.name, "launches that will be asked for again", "launches"),
                                 self.asked_again),
            "changes-held": (Measure(self.name, "ended instances held back", "changes"), self.held),
        }  # fmt: skip

    def accounts(self) -> list[Account]:
        """Launches and ends."""
        return [
            Account("ec2 launches", self.asked, self.started, self.abandoned, 0.0, self.asked_again),
            Account("ec2 ends", self.ends_asked, self.ends_done, 0.0, 0.0, self.held),
        ]

    @property
    def backlog(self) -> float:
        """What is asked for again and what is held."""
        return (self.asked_again + self.held) / self.normal
