"""What every service of the region has: time, parameters, people's acts, resolvers, and each other.

A service is a queueing model in a file of its own. `needs` names those it depends on, and only those it may ask: the
engine steps them in that order, so that a dependency of this tick is seen in this tick.
"""

import math
from collections.abc import Mapping
from typing import Final

from standfast.sim.swarm.loop import Loop

from .day import Account, Measure
from .parameters import Parameters
from .protections import Protection
from .resolvers import Resolvers

HOUR_S: Final = 3600.0
_DAY_S: Final = 24 * HOUR_S
_PEAK_S: Final = 13 * HOUR_S + 12 * 60.0
"""13:00 PDT on this clock: demand of the day is highest then."""


class World:
    """One region in virtual time.

    `inputs`: what is done to it, when. Something that people do about a trouble is done only if the trouble is there:
    whoever it concerns asks `done`. `board`: what others further up can see of a service without asking it.
    """

    def __init__(
        self,
        parameters: Parameters,
        protections: frozenset[Protection],
        inputs: Mapping[str, float],
        loop: Loop,
        resolvers: Resolvers,
        seed: int,
    ) -> None:
        self.parameters, self.protections, self.inputs = parameters, protections, dict(inputs)
        self.loop, self.resolvers, self.seed = loop, resolvers, seed
        self.services: dict[str, Service] = {}
        self.board: dict[str, float] = {}

    @property
    def now(self) -> float:
        """Seconds since 23:48."""
        return self.loop.now

    @property
    def tick(self) -> float:
        """Seconds of a step."""
        return self.parameters.tick_s

    @property
    def demand(self) -> float:
        """What is asked for now, 1 on the average of the day."""
        swing = self.parameters.swing
        return 1.0 + swing * math.cos(2 * math.pi * (self.now - _PEAK_S) / _DAY_S)

    def on(self, protection: Protection) -> bool:
        """Whether that is switched on."""
        return protection in self.protections

    def done(self, act: str) -> bool:
        """Whether that has been done by now."""
        return self.now >= self.inputs.get(act, math.inf)

    def since(self, act: str) -> float:
        """For how long it has been done; negative before."""
        return self.now - self.inputs.get(act, math.inf)


class Service:
    """One of the region's services. `availability`: the share of what it is asked now that it answers well."""

    name = ""
    key = ""
    needs: tuple[str, ...] = ()

    def __init__(self, world: World) -> None:
        self.world = world
        self.availability = 1.0

    def of(self, key: str) -> "Service":
        """A dependency."""
        if key not in self.needs:
            raise AssertionError(f"{self.name} asks {key} and does not say that it needs it")
        return self.world.services[key]

    def step(self) -> None:
        """One tick, which ends now."""
        raise NotImplementedError

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """What is to be seen of it besides its availability: by name, with its value now."""
        return {}

    def accounts(self) -> list[Account]:
        """The books of its queues."""
        return []

    def to_work_off(self) -> dict[str, tuple[float, float]]:
        """Backlogs that an outage leaves: how much, and how much of it can be done a second beside what is new."""
        return {}

    @property
    def backlog(self) -> float:
        """What waits and should not, in seconds' worth of an average day."""
        return 0.0
