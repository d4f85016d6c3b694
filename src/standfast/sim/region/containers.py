"""ECS, EKS and Fargate: tasks to be started, each on an instance that EC2 launches and the network reaches.

As built (published): launches failed and scaling was late from 23:45 to 14:20. Inferred: a part of those who
want a task are controllers, which never give up.
"""

from .asking import Asking
from .day import Account, Measure
from .network import NetworkManager
from .reaching import Reaching
from .world import World


class Containers(Reaching):
    """Tasks to be started, each on an instance that EC2 launches and the network reaches."""

    name, key, needs = "ECS, EKS, Fargate", "ecs", ("dynamodb", "ec2", "nm")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.tasks = Asking("ECS tasks", world.parameters.controllers, world.parameters.retry_s)

    def step(self) -> None:
        """Tasks asked for, tasks started."""
        p, dt, network = self.world.parameters, self.world.tick, self.of("nm")
        assert isinstance(network, NetworkManager)
        asked = self.tasks.ask(self.world.demand * dt, dt)
        able = self.reach() * self.of("ec2").availability * network.connected
        self.tasks.serve(min(asked * able, p.headroom * dt))
        self.availability = self.tasks.availability

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Tasks that wait."""
        return {"tasks": (Measure(self.name, "tasks waiting to start", "s of work"), self.tasks.waiting)}

    def accounts(self) -> list[Account]:
        """Tasks."""
        return [self.tasks.account]

    def to_work_off(self) -> dict[str, tuple[float, float]]:
        """Tasks."""
        return {"ECS tasks": (self.tasks.waiting, self.world.parameters.headroom - self.world.demand)}

    @property
    def backlog(self) -> float:
        """Tasks that wait."""
        return self.tasks.waiting
