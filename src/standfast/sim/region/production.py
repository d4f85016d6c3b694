"""The endpoint's DNS through the day by production's own cores: planner, three enactors, cleaner, on the same schedule.

They run as in `sim/swarm`, in a region of theirs without any fault but the one of that night: what an enactor sent for
an old plan is on its way for twenty-six minutes and arrives at 23:48, and its process stands still as long. Load
balancers are drained and come back every two minutes, so that there are as many plans in between.
"""

from functools import lru_cache
from typing import Final

from standfast.model.rrset import ADDRESS_TYPES
from standfast.ports.provider import Conflict, Replace
from standfast.ports.provider_spec import ZoneState
from standfast.sim.swarm.region import Region
from standfast.sim.swarm.scenario import Scenario, endpoint_names

from .naming import BEGINS_S, DISTANCE, PLAN_EVERY_S, History

SLEEPER: Final = "enactor-2"
ENDPOINTS: Final = 2
LOAD_BALANCERS: Final = 6
_SENT_S: Final = -DISTANCE * PLAN_EVERY_S
_SETTLE_S: Final = 600.0
"""Before `BEGINS_S`: load balancers warm up, and the first plan is enacted."""
_EVENTS_MAX: Final = 50_000_000


class _Driving:
    """Production's region; its own clock began `offset` seconds before this one's zero."""

    def __init__(self, until: float, endpoints: int) -> None:
        hours = (until - BEGINS_S + _SETTLE_S) / 3600.0
        scenario = Scenario(1, hours, endpoints, 1, 3, LOAD_BALANCERS, ())
        self.region = Region(scenario)
        self.offset = _SETTLE_S - BEGINS_S
        self._until = until
        self.zone, self.name = endpoint_names(scenario)[0]
        self.late: Replace | None = None
        self.refused = 0
        self._last: tuple[int, int, int] = (-1, -1, -1)
        self.series: tuple[list[tuple[float, int]], ...] = ([], [], [])

    def at(self, when: float, act: object) -> None:
        self.region.loop.at(when + self.offset, act)  # type: ignore[arg-type]  # an Act

    def run(self) -> History:
        """Everything."""
        region = self.region
        region.on_change = self._changed
        for process in (*region.enactors, region.planners[0], region.cleaner):
            process.start()
        moment, turn = BEGINS_S, 0
        while moment < self._until:
            self.at(moment, lambda turn=turn: self._drain(turn))
            moment, turn = moment + PLAN_EVERY_S, turn + 1
        self.at(BEGINS_S, self._note)
        self.at(0.0, self._arrive)
        region.loop.run(self._until + self.offset, _EVENTS_MAX)
        changes, generations, records = (tuple(points) for points in self.series)
        return History(changes, generations, records)

    def _drain(self, turn: int) -> None:
        """One load balancer goes and another one is back: a plan."""
        fleets = self.region.fleets
        names = [one.id for one in fleets.truth]
        fleets.alter(names[(turn - 1) % len(names)], admin="up")
        fleets.alter(names[turn % len(names)], admin="drain")

    def _changed(self, who: str, change: Replace, reply: object, before: ZoneState, after: ZoneState) -> None:
        now = self.region.loop.now - self.offset
        if who == SLEEPER and self.late is None and now >= _SENT_S and change.zone == self.zone:
            self.late = change
            self.region.processes[SLEEPER].pause(self.offset)
        if now >= BEGINS_S:
            self._note()

    def _arrive(self) -> None:
        """What was sent twenty-six minutes ago."""
        if self.late is None:
            raise AssertionError(f"{SLEEPER} has sent nothing that could be late")
        _, _, reply = self.region.servers[self.zone].take(self.late)
        self.refused += isinstance(reply, Conflict)
        self._note()

    def _note(self) -> None:
        zone, head = self.region.servers[self.zone].state, self.region.depot.state.head
        found = [zone.rrsets.get((self.name, int(rtype))) for rtype in ADDRESS_TYPES]
        addresses = sum(len(rrset.rdata) for rrset in found if rrset is not None)
        seen = (addresses, head.generation if head else 0, sum(len(one.rdata) for one in zone.rrsets.values()))
        now = self.region.loop.now - self.offset
        for place, points in enumerate(self.series):
            if seen[place] != self._last[place]:
                points.append((now, seen[place]))
        self._last = seen


@lru_cache(maxsize=8)
def history(until: float, endpoints: int = ENDPOINTS) -> History:
    """The answer over the day, by production's cores. The same each time."""
    return _Driving(until, endpoints).run()
