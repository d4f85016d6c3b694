"""What each fault of a scenario does when its moment has come, and how it ends."""

import random
from collections.abc import Callable
from typing import Final

from standfast.model.fleet import AdminState
from standfast.model.override import Scope
from standfast.ports.store_spec import StoreState

from .fleets import Fleets
from .hands import RESTORING, hand, without_wildcard
from .kinds import KINDS, Aim
from .loop import Act
from .planning import PlannerProcess
from .region import Region
from .scenario import Fault, endpoint_names

_SCOPES: Final[dict[Aim, Scope]] = {"balancer": "load_balancer", "az": "az"}


class Mischief:
    """Lets the faults of a region's scenario happen. After `until` (seconds) no fault is on."""

    def __init__(self, region: Region, until: float) -> None:
        self._region, self._until = region, until
        self._zone_of = {name: zone for zone, name in endpoint_names(region.scenario)}

    def arrange(self) -> None:
        """Put every fault on the agenda."""
        for fault in self._region.scenario.faults:
            if fault.at < self._until:
                self._region.loop.at(fault.at, lambda fault=fault: self._happen(fault))  # type: ignore[misc]
        if any(KINDS[fault.kind].name.startswith("override") for fault in self._region.scenario.faults):
            # A store that was set back may have brought back what was taken away.
            self._region.loop.at(self._until, self._region.operator.clear_all)

    def _happen(self, fault: Fault) -> None:
        region, kind = self._region, KINDS[fault.kind]
        region.note("fault", f"{fault.kind} {fault.target} {fault.lasts_s:g}".rstrip())
        draw = random.Random(fault.seed)
        if kind.messages:
            armed = region.mishaps.arm(fault.kind, fault.target, fault.messages, fault.seed)
            self._end(fault, lambda: region.mishaps.disarm(fault.kind, fault.target, armed))
        elif kind.name.startswith("hand: "):
            self._by_hand(fault, draw)
        else:
            self._DOERS.get(fault.kind, Mischief._span)(self, fault, draw)

    def _end(self, fault: Fault, act: Act) -> None:
        self._region.loop.at(min(fault.at + fault.lasts_s, self._until), act)

    def _fire(self, fault: Fault) -> None:
        self._region.fired(fault.kind)

    # -- one by one ------------------------------------------------------------------------------------------------

    def _span(self, fault: Fault, draw: random.Random) -> None:
        """It is on for a while; whoever meets it counts it."""
        region = self._region
        if fault.kind == "source stale":
            region.fleets.grow_stale(draw.randrange(64))
        region.mishaps.begin(fault.kind, fault.target)
        self._stir()

        def over() -> None:
            region.mishaps.end(fault.kind, fault.target)
            self._stir()

        self._end(fault, over)

    def _stir(self) -> None:
        for planner in self._region.planners:
            planner.look_again()
            planner.stir()

    def _pause(self, fault: Fault, draw: random.Random) -> None:
        process = self._region.processes[fault.target]
        if process.alive:
            process.pause(min(fault.at + fault.lasts_s, self._until))

    def _crash(self, fault: Fault, draw: random.Random) -> None:
        process = self._region.processes[fault.target]
        if process.alive:
            self._fire(fault)
            process.kill()
            life = process.life
            self._end(fault, lambda: process.start() if process.life == life else None)

    def _two_planners(self, fault: Fault, draw: random.Random) -> None:
        second = self._region.planners[1]
        if not second.alive:
            self._fire(fault)
            second.start()
            self._region.planners[0].stir()
            life = second.life

            def over() -> None:
                if second.life == life or second.alive:
                    second.kill()

            self._end(fault, over)

    def _skew(self, fault: Fault, draw: random.Random) -> None:
        clock = self._region.processes[fault.target].clock
        clock.skew_s += draw.choice((-1, 1)) * 3600.0 * draw.random() ** 2
        clock.jump(0.0)
        self._clock(fault)

    def _jump(self, fault: Fault, draw: random.Random) -> None:
        seconds = draw.choice((-1, 1)) * 7200.0 * draw.random() ** 2
        self._region.processes[fault.target].clock.jump(seconds)
        self._clock(fault)

    def _clock(self, fault: Fault) -> None:
        process = self._region.processes[fault.target]
        self._fire(fault)
        if isinstance(process, PlannerProcess):
            self._region.judge.clocks_agree = False
            process.stir()

    def _set_back(self, fault: Fault, draw: random.Random) -> None:
        depot = self._region.depot
        if depot.copies:
            self._fire(fault)
            self._region.judge.forget_departures()
            depot.replace(draw.choice(tuple(depot.copies)))

    def _lost(self, fault: Fault, draw: random.Random) -> None:
        if self._region.depot.state != StoreState():
            self._fire(fault)
            self._region.judge.forget_departures()
            self._region.depot.replace(StoreState())

    def _by_hand(self, fault: Fault, draw: random.Random) -> None:
        region = self._region
        whole = KINDS[fault.kind].aim == "zone"
        zone, name = fault.target if whole else self._zone_of[fault.target], fault.target
        server = region.servers[zone]
        after = hand(fault.kind, server.state, name, tuple(server.past), draw)
        if after is None:
            return
        self._fire(fault)
        region.judge.restored |= fault.kind in RESTORING
        region.by_hand(after)
        if fault.kind == "hand: wildcard" and draw.random() < 0.5:  # the others stay for ever
            self._end(fault, lambda: self._wildcard_goes(zone))

    def _wildcard_goes(self, zone: str) -> None:
        after = without_wildcard(self._region.servers[zone].state)
        if after is not None:
            self._region.by_hand(after)

    def _dies(self, fault: Fault, draw: random.Random) -> None:
        self._down(fault, [fault.target])

    def _az(self, fault: Fault, draw: random.Random) -> None:
        self._down(fault, self._region.fleets.in_az(fault.target))

    def _down(self, fault: Fault, names: list[str]) -> None:
        fleets = self._region.fleets
        self._fire(fault)
        _all_down(fleets, names, 1)
        self._end(fault, lambda: _all_down(fleets, names, -1))

    def _flaps(self, fault: Fault, draw: random.Random) -> None:
        """Down and up again, each for some seconds, until its time is over."""
        region, end = self._region, min(fault.at + fault.lasts_s, self._until)
        self._fire(fault)

        def turn(by: int) -> None:
            region.fleets.down(fault.target, by)
            now = region.loop.now
            if by > 0:
                region.loop.at(min(now + draw.uniform(3.0, 40.0), end), lambda: turn(-1))
            elif now < end:
                region.loop.at(
                    min(now + draw.uniform(3.0, 60.0), end), lambda: turn(1) if region.loop.now < end else None
                )

        turn(1)

    def _freeze(self, fault: Fault, draw: random.Random) -> None:
        operator = self._region.operator
        whole = KINDS[fault.kind].aim == "zone"
        zone, name = (fault.target, "") if whole else (self._zone_of[fault.target], fault.target)
        self._fire(fault)
        operator.freeze(zone, name)
        self._end(fault, lambda: operator.thaw(zone, name))

    def _drained(self, fault: Fault, draw: random.Random) -> None:
        self._fire(fault)
        self._alter(fault, admin=draw.choice(("drain", "down")))
        self._end(fault, lambda: self._alter(fault, admin="up"))

    def _capacity(self, fault: Fault, draw: random.Random) -> None:
        self._fire(fault)
        self._alter(fault, capacity=draw.choice((50, 100, 150, 200)))

    def _override(self, fault: Fault, draw: random.Random) -> None:
        """Ends by itself, or is taken away before; some are left to both."""
        operator, scope = self._region.operator, _SCOPES[KINDS[fault.kind].aim]
        state: AdminState = draw.choice(("drain", "drain", "down", "up"))
        lasts_s = fault.lasts_s * draw.choice((0.5, 1.0, 4.0))
        self._fire(fault)
        operator.override(scope, fault.target, state, lasts_s, consented=draw.random() < 0.3)
        self._stir()
        self._end(fault, lambda: operator.clear(scope, fault.target))

    def _alter(self, fault: Fault, **fields: object) -> None:
        self._region.fleets.alter(fault.target, **fields)
        self._stir()

    _DOERS: Final[dict[str, Callable[["Mischief", Fault, random.Random], None]]] = {
        "pause": _pause,
        "crash of an enactor": _crash,
        "crash of a planner": _crash,
        "crash of a cleaner": _crash,
        "two planners": _two_planners,
        "clock skew": _skew,
        "clock jump": _jump,
        "store set back": _set_back,
        "store lost": _lost,
        "load balancer dies": _dies,
        "load balancer flaps": _flaps,
        "AZ lost": _az,
        "freeze of an endpoint": _freeze,
        "freeze of a zone": _freeze,
        "change: drained": _drained,
        "change: capacity": _capacity,
        "override of a load balancer": _override,
        "override of an AZ": _override,
    }


def _all_down(fleets: Fleets, names: list[str], by: int) -> None:
    for name in names:
        fleets.down(name, by)
