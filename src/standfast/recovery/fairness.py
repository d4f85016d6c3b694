"""Fairness between tenants at one door: nobody fills the room, and turns go round. Pure.

Who may enter: a tenant holds at most `alpha` times the places that are still free (dynamic thresholds, Choudhury and
Hahne, 1998). One tenant alone gets alpha/(1 + alpha) of the room, n of them alpha/(1 + n alpha) each; some places are
always free for one that was not there yet, and nobody has to be thrown out for it.
Whose turn it is: round robin over the tenants that wait, so that a long queue delays its own.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

ALPHA: Final = 4.0
T = TypeVar("T", bound=Hashable)


class Fair(Generic[T]):
    """Places held by each tenant, and the order of turns."""

    def __init__(self, alpha: float = ALPHA) -> None:
        if not alpha > 0.0:
            raise ValueError(f"alpha is above 0, not {alpha}")
        self.alpha = alpha
        self.held: dict[T, int] = {}
        self._turns: OrderedDict[T, int] = OrderedDict()  # tenants with somebody waiting, and how many

    def may_enter(self, tenant: T, free: float) -> bool:
        """Whether this tenant may have one more of the places, of which `free` are free."""
        return self.held.get(tenant, 0) < self.alpha * free

    def entered(self, tenant: T) -> None:
        """One of this tenant holds a place, and waits."""
        self.held[tenant] = self.held.get(tenant, 0) + 1
        self._turns[tenant] = self._turns.get(tenant, 0) + 1

    def turn(self) -> T | None:
        """Whose turn it is; None if nobody waits."""
        return next(iter(self._turns), None)

    def took(self, tenant: T) -> None:
        """One of this tenant waits no longer; it is another's turn."""
        waiting = self._turns.pop(tenant) - 1
        if waiting:
            self._turns[tenant] = waiting

    def left(self, tenant: T) -> None:
        """One of this tenant gave up its place."""
        held = self.held[tenant] - 1
        if held:
            self.held[tenant] = held
        else:
            del self.held[tenant]
