"""Where the fleet comes from. A source that can't say is *unknown*, which changes nothing; never empty (G6).

This is also the contract for sources of third parties: see `docs/sources.md`.
"""

from typing import Protocol, TypeAlias

from msgspec import Struct

from standfast.config import LoadBalancerConfig
from standfast.errors import StandfastError
from standfast.model.fleet import Verdict


class SourceError(StandfastError):
    """A source can't be opened as it is configured or installed: with the remedy."""


class FleetSeen(Struct, frozen=True):
    """All load balancers as the source has them now.

    `revision` is how the source itself names this state, for people. `unsure` are (id, why) of load balancers that
    exist and of which the source can't say all: what was known of them stays. `told` are (id, verdict): what the
    source thinks of their health, which is an opinion and no membership.
    """

    load_balancers: tuple[LoadBalancerConfig, ...]
    revision: str = ""
    unsure: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, Verdict], ...] = ()


class FleetUnknown(Struct, frozen=True):
    """The source says nothing that may be believed; `why` with the remedy. What was known before stays."""

    why: str


Sighting: TypeAlias = FleetSeen | FleetUnknown


class FleetSource(Protocol):
    """A source of the fleet. `look` and `wait` are called in turns by one thread; `close` by any."""

    def look(self) -> Sighting:
        """All that the source says now. Ends within its own time-outs; raises nothing for what can't be read."""

    def wait(self, at_most_s: float) -> None:
        """Until something may have changed, until `at_most_s` seconds are over, or until it is closed."""

    def close(self) -> None:
        """Let go of everything; a `wait` that is under way ends soon."""
