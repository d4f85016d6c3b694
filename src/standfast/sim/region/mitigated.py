"""Those whose hosts people gave another way to the endpoint at 01:15: that let "some internal services" connect again.

Which ones is inferred from who was well within ten minutes: STS, IAM with sign-in, and Redshift's use of IAM.
"""

import math

from .asking import Asking
from .clients import Clients
from .day import Account, Measure
from .world import Service, World


class Mitigated(Service):
    """A service whose hosts are given another way to the endpoint at 01:15."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._clients = Clients(world.resolvers, world.parameters.connection_s)
        self.calls = Asking(f"{self.key} calls", world.parameters.controllers, world.parameters.own_retry_s)

    def reach(self) -> float:
        p, since = self.world.parameters, self.world.since("dynamodb-mitigated")
        self._clients.bypass = 1.0 - math.exp(-since / p.mitigation_s) if since > 0.0 else 0.0
        return self._clients.reach(self.world.now)

    def serve_calls(self, reach: float, capacity: float) -> None:
        """So much of an average second's calls can be served, by hosts of which that share reaches the endpoint."""
        dt = self.world.tick
        asked = self.calls.ask(self.world.demand * dt, dt)
        self.calls.serve(min(asked * reach, capacity * dt))
        self.availability = self.calls.availability

    def accounts(self) -> list[Account]:
        """Calls."""
        return [self.calls.account]

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Who asks again."""
        return {"asking-again": (Measure(self.name, "calls to be retried", "s of work"), self.calls.waiting)}

    @property
    def backlog(self) -> float:
        """Calls that will be made again."""
        return self.calls.waiting
