"""What an operator says about load balancers beside configuration and health: for a while, with a reason and a name."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from .fleet import AdminState, LoadBalancer

Scope: TypeAlias = Literal["load_balancer", "pool", "az"]
LASTS_DEFAULT_S: Final = 4 * 3600.0
"""Forgotten drains are the commonest cause of "why only five?": each ends by itself."""
LASTS_MAX_S: Final = 7 * 86_400.0
OVERRIDES_MAX: Final = 1000
"""So many may be in force at a time."""
EXPIRED_MAX: Final = 200
"""So many that have expired are kept: whose clock is days ahead must not forget what counts for all others."""


class Override(Struct, frozen=True):
    """One load balancer, or all of a pool or an AZ, are `up`, `down` or to be drained, whatever health and
    configuration say.

    `by` is user@host. `at` and `until` are seconds since the epoch by the clock of who gave it; it is in force before
    `until`. `consented`: those that leave for it may go beyond the velocity limit, never beyond min_answers or panic.
    """

    scope: Scope
    target: str
    state: AdminState
    reason: str
    by: str
    at: float
    until: float
    consented: bool = False

    def concerns(self, one: LoadBalancer) -> bool:
        """Whether it speaks of this load balancer."""
        return self.target == {"load_balancer": one.id, "pool": one.pool, "az": one.az}[self.scope]

    def in_force(self, now: float) -> bool:
        """Whether it still counts at `now`; whatever the store says, no longer than 7 days."""
        return now < min(self.until, self.at + LASTS_MAX_S)

    @property
    def subject(self) -> str:
        """As people type it: lb-a1, pool edge, az b."""
        return self.target if self.scope == "load_balancer" else f"{self.scope} {self.target}"

    @property
    def why(self) -> str:
        """What stands beside a load balancer that it concerns. Without its end: plans must not differ by that."""
        verb = {"up": "put in", "down": "taken down", "drain": "drained"}[self.state]
        where = "" if self.scope == "load_balancer" else f" with {self.subject}"
        return f"{verb}{where} by {self.by}: {self.reason}"


def given(overrides: tuple[Override, ...], new: Override, now: float) -> tuple[Override, ...]:
    """With `new` in place of what was said of the same target."""
    kept = _bounded(overrides, new.scope, new.target, now)
    return tuple(sorted((*kept, new), key=lambda one: (one.scope, one.target)))


def cleared(overrides: tuple[Override, ...], scope: Scope, target: str, now: float) -> tuple[Override, ...]:
    """Without what was said of that target."""
    return _bounded(overrides, scope, target, now)


def _bounded(overrides: tuple[Override, ...], scope: Scope, target: str, now: float) -> tuple[Override, ...]:
    """All others. Of those that have expired by our clock, which may be wrong, the last to end are kept."""
    others = [one for one in overrides if (one.scope, one.target) != (scope, target)]
    expired = sorted((one for one in others if not one.in_force(now)), key=lambda one: one.until)
    gone = set(expired[:-EXPIRED_MAX])
    return tuple(one for one in others if one not in gone)
