"""A search that mutants are put to: a run, and the plan that is enacted when it begins."""

from typing import Final

from msgspec import Struct

from standfast.sim.search.product import System
from standfast.sim.world.bounds import Run
from standfast.sim.world.reaching import lone_enactor
from standfast.sim.world.world import World

STATES_MAX: Final = 250_000


class Scope(Struct, frozen=True):
    """A run that begins with a zone in which plan `begun` is enacted; 0: an empty one.

    A mutant that is not noticed within `states_max` states of it is left to other judges, unless it is to be proved
    that nothing can notice it.
    """

    run: Run
    begun: int = 1
    states_max: int = STATES_MAX

    def system(self) -> System:
        """What is explored."""
        world = World(self.run)
        if self.begun:
            plan = next(plan for plan in self.run.plans if plan.generation == self.begun)
            place = world.places.index("zone")
            zone, why = lone_enactor(world.start[place], plan)  # type: ignore[arg-type]
            if not why:  # a mutant may fail at that already, which the other runs will tell
                world.start = (*world.start[:place], zone, *world.start[place + 1 :])
        return world
