"""The fleet as the configuration declares it: it does not change while the process runs."""

from standfast.config import DeclaredSource

from . import FleetSeen
from .pausing import Pausing


class DeclaredFleet(Pausing):
    """The load balancers of a configuration. How fast they may leave is for velocity to say."""

    def __init__(self, source: DeclaredSource) -> None:
        super().__init__()
        self._seen = FleetSeen(source.load_balancers, "as configured")

    def look(self) -> FleetSeen:
        """All of them."""
        return self._seen
