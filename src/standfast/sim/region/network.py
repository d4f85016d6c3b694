"""Network Manager: each instance that starts or ends is a change of network state, which has to reach other hosts.

As built (published): it takes everything in; from 05:28 a backlog of changes that had been held back; from 06:21 it was
late, so that instances started without connectivity; normal at 10:36. One queue, first come first served.
"""

from standfast.recovery.admission import Intake, Pace

from .day import Account, Measure
from .ec2 import EC2
from .flow import Flow
from .world import Service, World


class NetworkManager(Service):
    """Its queue. `wait_s`: how long the newest instance has to wait for its network state."""

    name, key, needs = "Network Manager", "nm", ("ec2",)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.queue = Flow("network changes")
        ec2 = world.parameters
        self.normal = 2.0 * ec2.launches * ec2.droplets / 1000.0
        self.rate = world.parameters.network_headroom * self.normal
        self.began: float | None = None
        self._door: Intake[int] = Intake(Pace(self.rate, measured=False), room_max=1 << 62)
        world.board["nm.room"] = self._room()

    def _room(self) -> float:
        """How many changes can come in now that go out while an instance starts: the rule of production's door."""
        now = self.world.now
        return max(0.0, self._door.room(now, now + self.world.parameters.boot_s) - self.queue.waiting)

    @property
    def wait_s(self) -> float:
        """Of the newest change."""
        return self.queue.waiting / self.rate

    @property
    def connected(self) -> float:
        """The share of instances starting now that have their network state when they have started."""
        boot_s = self.world.parameters.boot_s
        return min(1.0, boot_s / self.wait_s) if self.wait_s > 0.0 else 1.0

    def step(self) -> None:
        """Changes in, changes out."""
        ec2 = self.of("ec2")
        assert isinstance(ec2, EC2)
        self.queue.take_in(self.world.now, ec2.launched + ec2.ended)
        self.queue.work(self.rate * self.world.tick)
        if self.began is None and self.world.done("dynamodb-restored") and ec2.launched > 0.0:
            self.began = self.world.now + self.wait_s
        self.availability = self.connected
        self.world.board["nm.room"] = self._room()

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """The queue and the wait."""
        return {
            "queue": (Measure(self.name, "changes that wait", "changes"), self.queue.waiting),
            "begun": (Measure(self.name, "new instances get connected", "share"),
                      float(self.began is not None and self.world.now >= self.began)),
            "wait": (Measure(self.name, "wait for network state", "s"), self.wait_s),
        }  # fmt: skip

    def accounts(self) -> list[Account]:
        """The queue's."""
        return [self.queue.account]

    @property
    def backlog(self) -> float:
        """In seconds of an average day."""
        return self.queue.waiting / self.normal
