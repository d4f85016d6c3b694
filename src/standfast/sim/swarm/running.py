"""One run of a scenario: the safety phase, then peace, convergence within a bound, and silence after it.

The bound (seconds after the last fault) is the sum of what may have to pass, one after the other:

    900     the latest that a change sent before the end may still arrive
    48      a planner that died begins again: its longest pause (5 s), then a look (30 s), polls and round trips
    108     checks: silence noticed (15 s), a warm-up begun anew (60 s), six passes of at most 5.5 s
    9 × W   velocity: at most eight answers have to leave one after the other, each after a window W of its own
    630     a planner reads all markers again and publishes above what a lost plan left behind
    600     the window of a tug-of-war: what people have done twice is left until it is over
    1,200   two audits of an enactor: what no serial tells is found by the first, what that leaves by the second
    120     conflicts and retries: pauses of at most 2 s
"""

import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from .cadence import AUDIT_S, SURVEY_S
from .judge import Violation
from .loop import Circling
from .mischief import Mischief
from .region import LATE_MAX_S, Region
from .scenario import Scenario, hosted_zones

_SETTLING_S: Final = LATE_MAX_S + 48.0 + 108.0 + SURVEY_S + 30.0 + 600.0 + 2 * AUDIT_S + 120.0
_WINDOWS: Final = 9
SILENCE_S: Final = 2 * AUDIT_S + 100.0
"""How long after convergence nothing may be written: each enactor has audited everything by then."""
_STRIDE_S: Final = 20.0
CRASH: Final = "crash"
"""What is told in place of a property if a core raises: no kill for whoever tests the tester."""
EVENTS_MAX: Final = 500_000
"""More events than this in one stride: somebody runs in circles."""


class Broken(Struct, frozen=True):
    """A property that was broken, when (virtual seconds), and for which endpoint if it was one."""

    rule: str
    what: str
    at: float
    endpoint: str = ""


class Run(Struct, frozen=True):
    """What came of a scenario.

    `converged_s` is when, after the end of faults, the last change was made; `bound_s` when it had to have been.
    `checked` counts the changes that were judged, `requests` what processes asked: the steps of cores.
    """

    scenario: Scenario
    digest: str
    virtual_s: float
    wall_s: float
    events: int
    requests: int
    checked: int
    plans: int
    fired: dict[str, int]
    bound_s: float
    converged_s: float = 0.0
    broken: Broken | None = None


def bound_s(region: Region) -> float:
    """Seconds after the last fault within which everything must stand as it should."""
    return _SETTLING_S + _WINDOWS * max(policy.removal_window_s for policy in region.policies)


def run(scenario: Scenario, passed: Callable[[float], object] | None = None) -> Run:
    """Run it to its end, or to the first thing that is wrong. `passed` hears the share of virtual time that is over."""
    return Simulation(scenario, passed).run()


class Simulation:
    """A run that can be listened to before it begins."""

    def __init__(self, scenario: Scenario, passed: Callable[[float], object] | None = None) -> None:
        self.scenario, self.region, self._passed = scenario, Region(scenario), passed
        self._end_s = scenario.hours * 3600.0
        self._whole_s = self._end_s + bound_s(self.region) + SILENCE_S
        self._converged_s = 0.0

    def run(self) -> Run:
        """Everything."""
        began, broken, region = time.perf_counter(), None, self.region
        try:
            self._phases()
        except Violation as found:
            broken = Broken(found.rule, found.what, region.loop.now, found.endpoint)
            region.note("judge", str(found))
        except Exception as error:  # a core that raises would be a dead process: that is a finding too
            broken = Broken(CRASH, f"{type(error).__name__}: {error}", region.loop.now)
            region.note("judge", f"{CRASH}: {type(error).__name__}")
        return Run(
            scenario=self.scenario,
            digest=region.digest,
            virtual_s=region.loop.now,
            wall_s=time.perf_counter() - began,
            events=region.loop.events,
            requests=region.requests,
            checked=region.judge.checked,
            plans=len(region.judge.plans),
            fired=region.mishaps.fired,
            bound_s=bound_s(region),
            converged_s=self._converged_s,
            broken=broken,
        )

    def _phases(self) -> None:
        region, end = self.region, self._end_s
        Mischief(region, end).arrange()
        for process in (*region.enactors, region.planners[0], region.cleaner, region.operator):
            process.start()
        self._advance(end)
        region.note("judge", "faults stop")
        for process in (*region.enactors, region.planners[0], region.cleaner):
            process.resumes_at = min(process.resumes_at, end)
            if not process.alive:
                process.start()
        region.planners[0].stir()
        self._converge(end + bound_s(region))
        self._stay_silent()
        zones = (region.servers[zone].state for zone in hosted_zones(self.scenario))
        if why := region.judge.uncollected(region.depot.state.head, zones, region.cleaner.trees.keep):
            raise Violation("clean-up", why)

    def _advance(self, until: float) -> None:
        loop = self.region.loop
        while loop.now < until:
            if self._passed is not None:
                self._passed(loop.now / self._whole_s)
            try:
                loop.run(min(loop.now + _STRIDE_S, until), EVENTS_MAX)
            except Circling as why:
                raise Violation("G4", f"somebody runs in circles: {why}") from None

    def _converge(self, deadline: float) -> None:
        """Judged at the deadline, not before it, so that what is undone again is noticed."""
        self._advance(deadline)
        if why := self._wrong():
            raise Violation("G4", f"{bound_s(self.region):g} s after the last fault {why}")
        self._converged_s = max(0.0, self.region.changed_at - self._end_s)

    def _wrong(self) -> str:
        region = self.region
        return region.judge.unconverged(region.depot.state.head, region.zones, region.fleets.truth)

    def _stay_silent(self) -> None:
        region = self.region
        writes = sum(server.writes for server in region.servers.values())
        plans = len(region.judge.plans)
        self._advance(region.loop.now + SILENCE_S)
        more = sum(server.writes for server in region.servers.values()) - writes
        if more or len(region.judge.plans) > plans:
            what = f"{more} changes and {len(region.judge.plans) - plans} plans after everything stood as it should"
            raise Violation("G4", what)
