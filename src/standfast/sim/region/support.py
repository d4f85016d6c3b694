"""Support: cases.

As built (published): it failed over, but a subsystem answered *invalid* instead of failing, so the bypass was not taken
and legitimate users were blocked, until people mitigated at 02:40. Inferred: right answers would have ended it as well.
"""

from .reaching import Reaching
from .world import World

_WELL = 0.99


class Support(Reaching):
    """Support cases."""

    name, key, needs = "Support", "support", ("dynamodb",)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._blocked = False

    def step(self) -> None:
        """Blocked from the first wrong answers on, until they are right or somebody sees to it."""
        reach = self.reach()
        self._blocked = reach < _WELL and not self.world.done("support-mitigated")
        self.availability = 0.0 if self._blocked else 1.0
