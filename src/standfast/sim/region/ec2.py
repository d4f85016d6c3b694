"""EC2: leases on droplets, and launches, which need a droplet with a lease, the endpoint, and from 04:14 on a limit.

As built (published): launches failed while state checks failed; from 02:25 "insufficient capacity", since a droplet
without a lease is no candidate; from 05:28, every droplet having a lease, they began to succeed under "request limit
exceeded"; from 11:23 limits were relaxed. Inferred: a launch waits in its manager's queue like any other work, so that
none succeeds in the collapse; nothing was let in while leases were being made, since launches began to succeed in the
minute in which the last lease was there; instances that ended were held back as well (published of Network Manager's
backlog: new and terminated instances), and go out as fast as the managers can work beside renewals.
"""

import random

from .aging import Aging, Graced
from .asking import Asking
from .day import Account, Measure
from .door import Door
from .droplets import Leasing, Manager
from .dynamodb import DynamoDB
from .flow import Flow
from .world import HOUR_S, Service, World

WHOLE = 0.99
"""From this share of leases on people call the fleet leased."""


class EC2(Service):
    """Droplets and launches. Counts are whole droplets; launches are rates times seconds."""

    name, key, needs = "EC2", "ec2", ("dynamodb",)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        p = world.parameters
        per = p.droplets // p.managers
        how = Leasing(
            p.check_s, p.lease_timeout_s, p.lease_rate * per / 1000.0, p.renewal_cost, p.tick_s
        )  # fmt: skip
        self.managers = [self._manager(how, per) for _ in range(p.managers)]
        draw = random.Random(f"{world.seed} managers")
        self._lasts = [draw.expovariate(1.0 / p.connection_s) for _ in self.managers]
        self.droplets = per * p.managers
        self.normal = p.launches * self.droplets / 1000.0
        self.launches = Asking("ec2 launches", p.controllers, p.retry_s)
        self.ends = Flow("ec2 ends")
        self.launched = self.ended = 0.0
        self.limited = self.begun = False

    def _manager(self, how: Leasing, droplets: int) -> Manager:
        """With production's leases and admission, or as built."""
        term_s, world = self.world.parameters.lease_s, self.world
        aging = Graced(term_s, how.tick_s, droplets) if world.on("lease-grace") else Aging(term_s)
        door = Door(how.rate, how.tick_s, how.timeout_s) if world.on("admission") else None
        return Manager(how, droplets, aging, door)

    @property
    def leased(self) -> float:
        """The share of droplets with a lease."""
        return sum(one.leased for one in self.managers) / self.droplets

    def _reaches(self, place: int) -> bool:
        """A manager's connection lasts for a while after it could not be opened again."""
        resolvers = self.world.resolvers.all
        return self.world.now < resolvers[place % len(resolvers)].dark_since + self._lasts[place]

    def step(self) -> None:
        """Checks first, then launches and what ends."""
        world = self.world
        if world.done("ec2-throttled") and not self.limited and self.leased < WHOLE:
            self._throttle()
        for place, one in enumerate(self.managers):
            one.step(world.now, reaches=self._reaches(place))
        leased = self.leased
        self.begun = self.begun or (self.limited and leased >= WHOLE)
        self._change(leased)

    def _throttle(self) -> None:
        """People restart the managers and let work in slowly."""
        self.limited = True
        for one in self.managers:
            one.restart(self.world.now)
            one.intake = self.world.parameters.intake * one.how.rate

    def _change(self, leased: float) -> None:
        """Launches first, then what ends, with what the managers can do beside leases."""
        dt, fresh = self.world.tick, self.normal * self.world.demand * self.world.tick
        asked = self.launches.ask(fresh, dt)
        self.ends.take_in(self.world.now, fresh)
        room = self._room(leased)
        if self.world.on("throttled-propagation"):
            room = min(room, self.world.board["nm.room"])
        let_in = min(room, asked * self._candidates())
        if self.limited:
            let_in = min(let_in, self.limit * self.normal * dt) if self.begun else 0.0
        self.launched = self.launches.serve(let_in)
        self.availability = self.launches.availability
        before = self.ends.done
        if not self.limited or self.begun:
            self.ends.work(min(room - self.launched, self.ends.waiting * self._candidates()))
        self.ended = self.ends.done - before

    def _room(self, leased: float) -> float:
        """How many changes the managers can make in this tick beside renewing what is leased."""
        p = self.world.parameters
        rate = p.lease_rate - leased * 1000.0 * p.renewal_cost / p.check_s
        return max(0.0, rate) * self.droplets / 1000.0 * self.world.tick / p.change_cost

    def _candidates(self) -> float:
        """The share of droplets on which something can be changed now."""
        dynamodb = self.of("dynamodb")
        assert isinstance(dynamodb, DynamoDB)
        able = sum(one.leased for one in self.managers if one.in_time) / self.droplets
        return able * dynamodb.reach()

    @property
    def limit(self) -> float:
        """How many launches are let in, in multiples of the average; only after the throttle of 04:14."""
        p = self.world.parameters
        return p.limit + p.relax * max(0.0, self.world.since("ec2-relaxed")) / HOUR_S

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Leases, queues, launches."""
        return {
            "leases": (Measure(self.name, "droplets with a lease", "share"), self.leased),
            "lease-queue": (Measure(self.name, "checks that wait", "droplets"),
                            float(sum(one.queued for one in self.managers))),
            "launch-rate": (Measure(self.name, "launches", "× normal"),
                            self.launched / (self.normal * self.world.tick)),
            "launches-waiting": (Measure(self.name, "launches to be retried", "launches"),
                                 self.launches.waiting),
            "changes-held": (Measure(self.name, "ended instances held back", "changes"), self.ends.waiting),
        }  # fmt: skip

    def accounts(self) -> list[Account]:
        """Launches and ends."""
        return [self.launches.account, self.ends.account]

    def to_work_off(self) -> dict[str, tuple[float, float]]:
        """Leases to make, beside renewing half of the fleet on average; and changes to make once they are there."""
        p, world = self.world.parameters, self.world
        thousands = self.droplets / 1000.0
        leases = (p.lease_rate - 500.0 * p.renewal_cost / p.check_s) * thousands
        fresh = 2.0 * self.normal * world.demand
        changes = min(self._room(1.0) / world.tick, p.network_headroom * 2.0 * self.normal) - fresh
        return {
            "leases": (self.droplets * (1.0 - self.leased), leases),
            "launches and ends": (self.launches.waiting + self.ends.waiting, changes),
        }

    @property
    def backlog(self) -> float:
        """What is asked for again and what is held."""
        return (self.launches.waiting + self.ends.waiting) / self.normal
