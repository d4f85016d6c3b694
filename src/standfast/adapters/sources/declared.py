"""The fleet as the configuration declares it: seen once, and it does not change while the process runs."""

from standfast.config import LoadBalancerConfig

from . import FleetSeen


class DeclaredFleet:
    """The load balancers of a configuration. How fast they may leave is for velocity to say."""

    def __init__(self, load_balancers: tuple[LoadBalancerConfig, ...]) -> None:
        self._seen: FleetSeen | None = FleetSeen(tuple(sorted(load_balancers, key=lambda one: one.id)))

    def look(self, known: tuple[LoadBalancerConfig, ...] | None, *, fully: bool = False) -> FleetSeen | None:
        """All of them at the first look."""
        seen, self._seen = self._seen, None
        return seen
