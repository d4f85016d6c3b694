"""Global tables: replication to and from the region.

As built (published): other regions served; replication lagged until 02:32.
"""

from .day import Account, Measure
from .flow import Flow
from .reaching import Reaching
from .world import World


class GlobalTables(Reaching):
    """What is written elsewhere and has to come here."""

    name, key, needs = "Global tables", "tables", ("dynamodb",)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.writes = Flow("replicated writes")

    @property
    def lag_s(self) -> float:
        """The age of the oldest write that is not replicated."""
        return self.writes.oldest_s(self.world.now)

    def step(self) -> None:
        """Writes of other regions in; out as the endpoint is reached."""
        dt = self.world.tick
        self.writes.take_in(self.world.now, self.world.demand * dt)
        self.writes.work(self.world.parameters.replication_headroom * self.reach() * dt)
        self.availability = 1.0 if self.lag_s <= 60.0 else 0.0

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """The lag."""
        return {
            "lag": (Measure(self.name, "oldest write not replicated", "s"), self.lag_s),
            "writes": (Measure(self.name, "writes that wait", "s of work"), self.writes.waiting),
        }

    def accounts(self) -> list[Account]:
        """Writes."""
        return [self.writes.account]

    def to_work_off(self) -> dict[str, tuple[float, float]]:
        """Writes."""
        rate = self.world.parameters.replication_headroom - self.world.demand
        return {"replicated writes": (self.writes.waiting, rate)}

    @property
    def backlog(self) -> float:
        """Writes that wait."""
        return self.writes.waiting
