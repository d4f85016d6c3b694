"""Until when a plan remembers who left and who joined: so long a pass may come to something else by the hour alone."""

import math

from standfast.model.defaults import ADDING, AZ_AGAIN_S
from standfast.model.plan import Plan


class Windows:
    """Those of the newest plan, looked for once. `longest_s` is the longest of all removals."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s, self._digest, self._end = longest_s, "", -math.inf

    def open(self, plan: Plan, wall: float) -> bool:
        """Whether anybody's departure or arrival still counts, by the planner's wall clock."""
        if self._digest != plan.digest:
            ends = [one.at + (AZ_AGAIN_S if one.az else self._longest_s) for e in plan.shards for one in e.departures]
            ends += [one.at + ADDING[1] for entry in plan.shards for one in entry.arrivals]
            self._digest, self._end = plan.digest, max(ends, default=-math.inf)
        return wall <= self._end
