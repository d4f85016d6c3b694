"""When to plan: at once for what can't wait, seldom for what can. Pure; `now` is any clock that only goes forward.

fast  health, evacuation, drains, whatever leaves, what people order, what time alone allows, and every try again
slow  capacity, load balancers that are new to the fleet, turns of a rotation: at most one generation in `coalesce_s`
      is made for their sake. The first after a quiet time goes at once; others that come meanwhile go together.

A pass plans everything it knows, so slow news that waits goes along with the next fast one. Nothing is ever planned
from a fleet that is half old: two planners, one of which has made a generation for it and one not, would alternate.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.fleet import LoadBalancer

Lane: TypeAlias = Literal["fast", "slow"]


class Lanes(Struct, frozen=True):
    """When the next pass is due, and why it may have to wait.

    `waits`: slow news that no pass has taken up yet. `made_at` is when the last generation was seen, ours or another
    planner's.
    """

    coalesce_s: float = 60.0
    at: float | None = None
    waits: bool = False
    made_at: float | None = None

    def stirred(self, at: float, lane: Lane = "fast") -> "Lanes":
        """There is news at that moment."""
        when = at
        if lane == "slow" and self.made_at is not None:
            when = max(at, self.made_at + self.coalesce_s)
        return replace(self, at=when if self.at is None else min(when, self.at), waits=self.waits or lane == "slow")

    def looked(self, now: float) -> "Lanes":
        """A pass is due by routine: not before slow news may go, or waiting would have been for nothing."""
        return self if self.waits else self.stirred(now)

    def taken(self) -> "Lanes":
        """A pass takes up all that there is."""
        return replace(self, at=None, waits=False)

    def made(self, now: float) -> "Lanes":
        """A generation was made."""
        return replace(self, made_at=now)

    def due(self, now: float) -> bool:
        """Whether a pass is."""
        return self.at is not None and now >= self.at


def lane_of(before: Iterable[LoadBalancer], after: Iterable[LoadBalancer]) -> Lane | None:
    """How urgent it is that this fleet follows that one; None: nothing that a plan rests on has changed."""
    was, now = {one.id: one for one in before}, {one.id: one for one in after}
    if was == now:
        return None
    for name, one in was.items():
        if name not in now or replace(now[name], capacity=one.capacity) != one:
            return "fast"
    return "slow"
