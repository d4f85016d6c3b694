"""Where the fleet comes from. A source that can't say is *unknown*, which changes nothing; never empty (G6)."""

from typing import Protocol, TypeAlias

from msgspec import Struct

from standfast.config import LoadBalancerConfig


class FleetSeen(Struct, frozen=True):
    """The fleet as the source has it now, by id in id order."""

    load_balancers: tuple[LoadBalancerConfig, ...]


class FleetUnknown(Struct, frozen=True):
    """The source says nothing that may be believed; `why` with the remedy. What was known before stays."""

    why: str


Sighting: TypeAlias = FleetSeen | FleetUnknown


class FleetSource(Protocol):
    """A source of the fleet."""

    def look(self, known: tuple[LoadBalancerConfig, ...] | None, *, fully: bool = False) -> Sighting | None:
        """What is new since the last look; None: nothing. `known` is the fleet that is believed at present.

        `fully` doesn't trust signs such as a file's time.
        """
