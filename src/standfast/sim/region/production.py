"""The endpoint's DNS through the day by production's own cores: planner, three enactors, cleaner, on the same schedule.

They run as in `sim/swarm`, in a region of theirs without any fault but the one of that night: what an enactor sent for
an old plan is on its way for twenty-six minutes and arrives at 23:48, and its process stands still as long. Load
balancers are drained and come back every two minutes, so that there are as many plans in between.

A region may have as many endpoints as it likes. The first is the regional one; all of its load balancers answer, and
they are drained in turn throughout, so that every plan changes it. The others share load balancers in cells of
`IN_A_CELL`, each endpoint with eight addresses; at every plan one load balancer of the next cell is drained as well. A
zone holds no more than `IN_A_ZONE` endpoints: Route 53 takes ten thousand record sets a hosted zone.
"""

import gc
import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from standfast.core.agenda import BATCH_OCTETS
from standfast.core.cleaner import Retention
from standfast.model.fleet import LoadBalancer
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import ADDRESS_TYPES
from standfast.ports.provider import Conflict, Replace
from standfast.ports.provider_spec import ZoneState
from standfast.sim.swarm.region import Region
from standfast.sim.swarm.scenario import AZS, Scenario, endpoint_names

from .naming import BEGINS_S, DISTANCE, PLAN_EVERY_S, History

SLEEPER: Final = "enactor-2"
ENDPOINTS: Final = 2
LOAD_BALANCERS: Final = 6
"""In a cell: with four answers in each family an endpoint has eight records whoever of them is drained."""
ANSWERS: Final = 4
_WINDOW_S: Final = PLAN_EVERY_S / 2
"""Of what may leave at a time: who is drained goes at once, and nobody waits for the next plan."""
IN_A_CELL: Final = 100
IN_A_ZONE: Final = 1_000
CALM: Final = True
"""But for that one message nothing befalls anybody."""
_PLANS_KEPT: Final = DISTANCE
"""Clean-up keeps as many as the one as built does."""
_CLEANED_EVERY_S: Final = 600.0
_SENT_S: Final = -DISTANCE * PLAN_EVERY_S
_SETTLE_S: Final = 600.0
"""Before `BEGINS_S`: load balancers warm up, and the first plan is enacted."""
_EVENTS_MAX: Final = 50_000_000


def _cell_of(place: int) -> int:
    """The first `ENDPOINTS` stand by themselves."""
    return 0 if place < ENDPOINTS else 1 + (place - ENDPOINTS) // IN_A_CELL


def _balancer(cell: int, place: int) -> LoadBalancer:
    number = cell * LOAD_BALANCERS + place
    addresses = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",), (f"2001:db8::{number + 1:x}",)
    return LoadBalancer(
        f"{AZS[place % len(AZS)]}-{cell}-{place}", AZS[place % len(AZS)], f"cell-{cell}", *addresses, 100
    )


def _region(scenario: Scenario) -> Region:
    """One with the endpoints of that scenario, in cells."""
    policies = tuple(
        EndpointPolicy(
            name,
            zone,
            max_answers=ANSWERS if _cell_of(place) else LOAD_BALANCERS,
            removal_window_s=_WINDOW_S,
            pools=(f"cell-{_cell_of(place)}",),
        )
        for place, (zone, name) in enumerate(endpoint_names(scenario))
    )
    cells = range(1 + _cell_of(scenario.endpoints - 1))
    fleet = tuple(_balancer(cell, place) for cell in cells for place in range(LOAD_BALANCERS))
    return Region(scenario, policies, fleet, BATCH_OCTETS, calm=CALM)


class _Driving:
    """Production's region; its own clock began `offset` seconds before this one's zero."""

    def __init__(self, until: float, endpoints: int) -> None:
        hours = (until - BEGINS_S + _SETTLE_S) / 3600.0
        zones = max(1, math.ceil(endpoints / IN_A_ZONE))
        cells = 1 + _cell_of(endpoints - 1)
        scenario = Scenario(1, hours, endpoints, zones, 3, cells * LOAD_BALANCERS, ())
        self.region = _region(scenario)
        self.offset = _SETTLE_S - BEGINS_S
        self._until = until
        self._cells = itertools.cycle(range(1, cells)) if cells > 1 else None
        self.zone, self.name = endpoint_names(scenario)[0]
        self.late: Replace | None = None
        self.refused = 0
        self._drained: list[str] = []
        self._records: dict[str, int] = {}
        self._last: tuple[int, int, int] = (-1, -1, -1)
        self.series: tuple[list[tuple[float, int]], ...] = ([], [], [])

    def at(self, when: float, act: object) -> None:
        self.region.loop.at(when + self.offset, act)  # type: ignore[arg-type]  # an Act

    def run(self) -> History:
        """Everything."""
        region = self.region
        region.on_change = self._changed
        region.cleaner.retention, region.cleaner.every_s = Retention(plans=_PLANS_KEPT, days=0.0), _CLEANED_EVERY_S
        for process in (*region.enactors, region.planners[0], region.cleaner):
            process.start()
        moment, turn = BEGINS_S, 0
        while moment < self._until:
            self.at(moment, lambda turn=turn: self._drain(turn))
            moment, turn = moment + PLAN_EVERY_S, turn + 1
        self.at(BEGINS_S, self._note)
        self.at(0.0, self._arrive)
        with _rarely_collected():
            region.loop.run(self._until + self.offset, _EVENTS_MAX)
        changes, generations, records = (tuple(points) for points in self.series)
        return History(changes, generations, records)

    def _drain(self, turn: int) -> None:
        """One load balancer goes and another one is back, in the regional endpoint's cell and in another: a plan."""
        fleets, cells = self.region.fleets, [0, *([next(self._cells)] if self._cells else [])]
        for one in self._drained:
            fleets.alter(one, admin="up")
        self._drained = [_balancer(cell, turn % LOAD_BALANCERS).id for cell in cells]
        for one in self._drained:
            fleets.alter(one, admin="drain")

    def _changed(self, who: str, change: Replace, reply: object, before: ZoneState, after: ZoneState) -> None:
        now = self.region.loop.now - self.offset
        regional = change.zone == self.zone and any(write.name == self.name for write in change.writes)
        if who == SLEEPER and self.late is None and now >= _SENT_S and regional:
            self.late = change
            self.region.processes[SLEEPER].pause(self.offset)
        if after is not before:
            touched = {(one.owner, one.rtype) for write in change.writes for one in write.contents}
            there = (state.rrsets.get(key) for key in touched for state in (after,))
            were = (state.rrsets.get(key) for key in touched for state in (before,))
            self._records[change.zone] = (
                self._records.get(change.zone, 0)
                + sum(len(one.rdata) for one in there if one is not None)
                - sum(len(one.rdata) for one in were if one is not None)
            )
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
        seen = (addresses, head.generation if head else 0, sum(self._records.values()))
        now = self.region.loop.now - self.offset
        for place, points in enumerate(self.series):
            if seen[place] != self._last[place]:
                points.append((now, seen[place]))
        self._last = seen


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Plans and zones live all day, and none of them is in a circle: going through them is most of the garbage
    collector's work."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@lru_cache(maxsize=8)
def history(until: float, endpoints: int = ENDPOINTS) -> History:
    """The answer over the day, by production's cores. The same each time."""
    return _Driving(until, endpoints).run()
