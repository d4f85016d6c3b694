"""Load balancers as they are, as the source tells them, and as checks find them."""

import random
from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from standfast.model.fleet import LoadBalancer

from . import cadence
from .mishaps import Mishaps
from .scenario import AZS, Scenario, load_balancer_name

COPIES: Final = 8


class Fleets:
    """The truth about the fleet, and who is told what of it. `changed` hears who dies or is back."""

    def __init__(
        self,
        scenario: Scenario,
        mishaps: Mishaps,
        changed: Callable[[str], None],
        given: tuple[LoadBalancer, ...] = (),
    ) -> None:
        self._mishaps, self._changed = mishaps, changed
        self.truth = given or tuple(_load_balancer(place) for place in range(scenario.load_balancers))
        self.truth = tuple(sorted(self.truth, key=lambda one: one.id))
        self.older: deque[tuple[LoadBalancer, ...]] = deque([self.truth], maxlen=COPIES)
        self.restless_s = scenario.hours * 3600.0
        """When faults are over, and everything is to come to rest."""
        self._down: dict[str, int] = {}
        self.observers = random.Random(f"observers {scenario.seed}").choice((0, 1, 2, 3))
        """Vantage points outside every AZ, which see what is so."""
        self._stale: tuple[LoadBalancer, ...] | None = None

    def down(self, name: str, by: int) -> None:
        """One more (or less) reason why it does not serve."""
        served = self.serves(name)
        self._down[name] = self._down.get(name, 0) + by
        if self.serves(name) != served:
            self._changed(name)

    def serves(self, name: str) -> bool:
        """Whether it really does."""
        return self._down.get(name, 0) <= 0

    def outside(self, name: str) -> int:
        """How many vantage points outside its AZ see it down."""
        return 0 if self.serves(name) else self.observers

    def in_az(self, az: str) -> list[str]:
        """Who stands there."""
        return [one.id for one in self.truth if one.az == az]

    def alter(self, name: str, **fields: object) -> None:
        """Its configuration is changed, rightly."""
        self.older.append(self.truth)
        self.truth = tuple(replace(one, **fields) if one.id == name else one for one in self.truth)

    def answers(self, name: str, observer: str) -> bool | None:
        """What a check by that planner finds; None: it can't be made from there."""
        if self._mishaps.on("checks blind", observer):
            self._mishaps.fire("checks blind")
            return None
        return self._down.get(name, 0) <= 0

    def sighted(self, known: tuple[LoadBalancer, ...] | None) -> tuple[LoadBalancer, ...] | None:
        """What the source says, as its adapter lets it through; None: nothing that can be believed."""
        said = self._said()
        if said is None:
            return None
        if known:
            lost = len({one.id for one in known} - {one.id for one in said})
            if not said or (lost > 1 and lost / len(known) > cadence.SHRINK_MAX):
                return None
        return said

    def _said(self) -> tuple[LoadBalancer, ...] | None:
        mishaps = self._mishaps
        if mishaps.on("source garbage", "source"):
            mishaps.fire("source garbage")
            return None
        if mishaps.on("source empty", "source"):
            mishaps.fire("source empty")
            return ()
        if mishaps.on("source stale", "source") and self._stale not in (None, self.truth):
            mishaps.fire("source stale")
            return self._stale
        if mishaps.on("source shrunk", "source"):
            mishaps.fire("source shrunk")
            return self.truth[: max(1, len(self.truth) * 3 // 4)]
        return self.truth

    def grow_stale(self, copy: int) -> None:
        """From now on a stale source tells this older copy."""
        self._stale = self.older[copy % len(self.older)]


def _load_balancer(place: int) -> LoadBalancer:
    """Every third has no IPv6, so that families differ."""
    ipv4, ipv6 = (f"192.0.2.{place + 1}",), (f"2001:db8::{place + 1:x}",)
    if place >= 250:
        ipv4 = (f"198.18.{place // 250}.{place % 250 + 1}",)
    return LoadBalancer(
        load_balancer_name(place),
        AZS[place % len(AZS)],
        "main",
        ipv4,
        ipv6 if place % 5 else (),
        100 + 25 * (place % 3),
    )
