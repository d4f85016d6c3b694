"""DynamoDB as its customers see it: well inside, and reached by whoever has a connection or an answer with addresses.

Published: storage and hosts were well; only new connections failed; clients came back while negative answers expired.
"""

from collections import deque

from .clients import Clients
from .day import Measure
from .world import Service, World


class DynamoDB(Service):
    """The endpoint. `inside` are the region's own services, which keep connections for longer."""

    name, key = "DynamoDB", "dynamodb"

    def __init__(self, world: World, answered: list[int], records: tuple[tuple[float, int], ...]) -> None:
        super().__init__(world)
        self._answered = answered
        self._records = deque(records)
        self.records = 0
        self.customers = Clients(world.resolvers, world.parameters.client_connection_s)
        self.inside = Clients(world.resolvers, world.parameters.connection_s)

    def step(self) -> None:
        """Who gets through now."""
        while self._records and self._records[0][0] <= self.world.now:
            self.records = self._records.popleft()[1]
        self.availability = self.customers.reach(self.world.now)

    def reach(self) -> float:
        """The share of calls of the region's services that get through."""
        return self.inside.reach(self.world.now)

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Addresses in the answer, and who has heard."""
        return {
            "addresses": (Measure(self.name, "addresses answered", "addresses"), float(self._answered[0])),
            "records": (Measure(self.name, "records in the zones", "records"), float(self.records)),
            "resolvers": (Measure(self.name, "resolvers with addresses", "share"),
                          self.world.resolvers.answering),
            "reach": (Measure(self.name, "own calls that get through", "share"),
                      self.reach()),
        }  # fmt: skip
