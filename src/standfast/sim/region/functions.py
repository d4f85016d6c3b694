"""Lambda: calls that wait for an answer, and events that wait to be polled.

As built (published): calls failed while the endpoint could not be reached; the subsystem that polls SQS failed and did
not come back by itself, and was restored by hand at 04:40; from 07:04 on NLB's health checks ended instances of
Lambda's own fleet, which launches were too few to replace, so events were throttled in favour of calls until there was
capacity again. Inferred: what events get goes up with the fleet.
"""

from .balancing import Balancers
from .day import Account, Measure
from .ec2 import EC2
from .flow import Flow
from .network import NetworkManager
from .reaching import Reaching
from .world import World

_DIES = 0.5
"""The pollers' subsystem fails when fewer of its calls to the endpoint get through."""
_WELL = 0.99


class Lambda(Reaching):
    """`fleet` is the share of its instances that run; `polling` what pollers can do, in multiples of an average day."""

    name, key, needs = "Lambda", "lambda", ("dynamodb", "ec2", "nm", "nlb")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.events = Flow("Lambda events")
        self.fleet = self.polling = 1.0
        self._alive_since: float | None = -1e9
        self.throttled = False
        self._asked_for = False

    def step(self) -> None:
        """The fleet, calls, events."""
        reach = self.reach()
        self._change_fleet()
        p = self.world.parameters
        load = p.peak_load * self.world.demand / (1.0 + p.swing)
        self.availability = reach * min(1.0, self.fleet / load)
        self._throttle(load)
        self._poll(reach)

    def _change_fleet(self) -> None:
        """Instances that checks take out are ended after a while; new ones need a launch and a network."""
        balancers, ec2, network = (self.of(key) for key in ("nlb", "ec2", "nm"))
        assert isinstance(balancers, Balancers)
        assert isinstance(ec2, EC2)
        assert isinstance(network, NetworkManager)
        p, dt = self.world.parameters, self.world.tick
        ended = self.fleet * (1.0 - balancers.capacity) * dt / p.ending_s
        launched = (1.0 - self.fleet) * ec2.availability * network.connected * dt / p.retry_s
        self.fleet = min(1.0, max(0.0, self.fleet - ended + launched))

    def _throttle(self, load: float) -> None:
        """People throttle events at 07:04 if the fleet is short, and let go when launches are, and it is not."""
        if self.world.done("lambda-throttled") and not self._asked_for:
            self._asked_for = True
            self.throttled = self.fleet < _WELL
        if self.throttled and self.fleet >= _WELL and self.of("ec2").availability >= _WELL:
            self.throttled = False

    def _poll(self, reach: float) -> None:
        p, now, dt = self.world.parameters, self.world.now, self.world.tick
        if self._alive_since is not None and reach < _DIES:
            self._alive_since = None
        restarts = self.world.on("self-restart") or self.world.done("sqs-polling-restored")
        if self._alive_since is None and reach >= _DIES and restarts:
            self._alive_since = now
        ramp = 0.0 if self._alive_since is None else min(1.0, (now - self._alive_since) / p.poller_ramp_s)
        self.polling = p.headroom * ramp * self.fleet * (p.throttled if self.throttled else 1.0)
        self.events.take_in(now, self.world.demand * dt)
        self.events.work(self.polling * dt)

    @property
    def fresh(self) -> float:
        """The share of an average minute's events that pollers can take."""
        return min(1.0, self.polling / self.world.demand)

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Fleet and events."""
        return {
            "fleet": (Measure(self.name, "instances of its own fleet", "share"), self.fleet),
            "polling": (Measure(self.name, "what pollers can do", "× normal"), self.polling),
            "events": (Measure(self.name, "events that wait", "s of work"), self.events.waiting),
        }

    def accounts(self) -> list[Account]:
        """Events."""
        return [self.events.account]

    def to_work_off(self) -> dict[str, tuple[float, float]]:
        """Events."""
        return {"Lambda events": (self.events.waiting, self.world.parameters.headroom - self.world.demand)}

    @property
    def backlog(self) -> float:
        """Events that wait."""
        return self.events.waiting
