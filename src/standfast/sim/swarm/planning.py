"""A planner's process in virtual time: checks, fleet and store in, plans out, by the production publisher.

As `runtime/planning.py` drives it. Silence of the checks is looked for at each beat of health instead of four times a
second, and who is the only planner repeats itself to nobody; everything else wakes it at once, as there.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from msgspec.structs import replace

from standfast.core.lanes import Lane, Lanes, lane_of
from standfast.core.publisher import Assignment, Done, Outcome, publish
from standfast.core.resting import NOTHING
from standfast.model.defaults import AZ_OBSERVERS
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.override import Override
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.ports.provider import Read, Readings, Unknown
from standfast.ports.store import HeadRead, PlanRead, Publish, ReadHead, ReadPlan
from standfast.recovery.health import Failed, Health, HealthPolicy, Passed, observed, started, verdict
from standfast.recovery.override import consented, overlaid

from . import cadence
from .fleets import Fleets
from .processes import Process, Script, Surroundings
from .scenario import STREAM
from .sharing import Asking, FleetBoard, HealthBoard, OverrideBoard
from .windows import Windows

_POLICY: Final = HealthPolicy()
_PASSED: Final = Passed()
_FAILED: Final = Failed("connection refused")
_FIRST: Final = Verdict("up", "passes its check")
_PASSING: Final = frozenset({"unreadable", "presence"})


class PlannerProcess(Process):
    """One planner. `kept` gives the newest plan that an enactor on the same machine has kept."""

    def __init__(
        self,
        region: Surroundings,
        name: str,
        seed: int,
        fleets: Fleets,
        policies: tuple[EndpointPolicy, ...],
        zones: tuple[str, ...],
        kept: Callable[[], Plan | None],
    ) -> None:
        super().__init__(region, name, seed)
        self._fleets, self._policies, self._zones, self._kept = fleets, policies, zones, kept
        self._longest = max(policy.removal_window_s for policy in policies)
        self._consents = tuple((policy.name, "whoever runs this") for policy in policies)
        self.plan: Plan | None = None

    def born(self) -> None:
        """Knowing nothing."""
        self.plan = None
        self._checks: dict[str, Health] = {}
        self._checked: dict[str, object] = {}
        self._steady: set[str] = set()
        self._unheard: set[str] = set()
        self._fleet: tuple[LoadBalancer, ...] | None = None
        self._seen: tuple[LoadBalancer, ...] | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._begun: tuple[tuple[str, int], ...] = ()
        self._ready = self._first = self._review = False
        self._survey = self._stirred = self._store_stirred = True
        self._silent: dict[str, float] = {}
        self._basis, self._memory, self._windows = cast(object, None), NOTHING, Windows(self._longest)
        self._pause = cadence.PLANNER_RETRY_S
        self._lanes = Lanes()
        self._due: float | None = None
        self._looked_at = self._wake_at = self._surveyed_at = 0.0
        self._fleet_board, self._health_board = FleetBoard(), HealthBoard(self.name, self.life)
        self._overrides, self._in_force = OverrideBoard(), tuple[Override, ...]()
        self.play(self._turn())

    # -- what wakes it ---------------------------------------------------------------------------------------------

    def stir(self, *, store: bool = False) -> None:
        """There is news: it is seen to within a poll, or after what is being done now."""
        if not self.alive:
            return
        self._store_stirred, self._stirred = self._store_stirred or store, True
        if not self.busy:
            self.ring(self.region.loop.now + cadence.PLANNER_POLL_S * self.draw.random(), self._again)

    def _again(self) -> None:
        self.play(self._turn())

    def rested(self) -> None:
        """When to do the next turn."""
        if self._stirred:
            self.stir()
            return
        now = self.region.loop.now
        when = self._looked_at + cadence.PLANNER_LOOK_S
        if len(self._steady) < len(self._checks) or self.region.in_company:
            when = min(when, now + cadence.HEALTH_BEAT_S)
        if not self._ready:
            when = self._wake_at
        if self._lanes.at is not None:
            when = min(when, max(self._lanes.at, now + cadence.PLANNER_POLL_S))
        for due in (*((self._due,) if self._due is not None else ()), *(one.until for one in self._in_force)):
            when = min(when, max(now, now + due - self.wall) + cadence.PLANNER_POLL_S)
        self.ring(when, self._again)

    # -- checks ----------------------------------------------------------------------------------------------------
    # Who passes (or fails) as often as counts, and does so again, is as before but for the moment: such checks are left
    # out, as if each had been made in its time, until something about the load balancer or the planner changes.

    def _watch(self, fleet: tuple[LoadBalancer, ...]) -> None:
        wanted = {one.id: one for one in fleet}
        plan = self.plan if wanted.keys() - self._checked.keys() else None
        there = {m.load_balancer for e in (plan.shards if plan else ()) for m in e.members if m.served}
        first = self._first and self.plan is None
        for gone in self._checked.keys() - wanted.keys():
            for known in (self._checked, self._checks):
                known.pop(gone)
            self._unheard.discard(gone)
            self._steady.discard(gone)
        for name in wanted:
            if name in self._checked:
                continue  # addresses never change here
            newcomer = not first and name not in there
            seed = self._verdicts.get(name)
            self._checked[name] = object()
            self._checks[name] = started(_POLICY, self.monotonic, newcomer=newcomer, seed=seed)
            self._unheard.add(name)
            self._check_later(name, _POLICY.interval_s * self.draw.random() / 5)

    def _check_later(self, name: str, seconds: float) -> None:
        one = self._checked[name]

        def check() -> None:
            if self._checked.get(name) is not one:
                return
            if self._check(name):
                self._steady.add(name)
                return
            jitter = self.draw.uniform(1 - cadence.PROBE_JITTER, 1 + cadence.PROBE_JITTER)
            self._check_later(name, _POLICY.interval_s * jitter)

        self.after(seconds, check)

    def look_again(self, name: str = "") -> None:
        """The next check of this load balancer, or of all, may find something else."""
        if not self.alive:
            return
        for one in [name] if name else sorted(self._steady):
            if one in self._steady:
                self._steady.discard(one)
                self._checks[one] = replace(self._checks[one], heard_at=self.monotonic, checked_at=self.monotonic)
                self._check_later(one, _POLICY.interval_s * self.draw.random())
                self.stir()

    def pause(self, until: float) -> None:
        """While it stands still it checks nobody."""
        self.look_again()
        super().pause(until)

    def _check(self, name: str) -> bool:
        """Whether it found what it found before, and will again."""
        alive = self._fleets.answers(name, self.name)
        if alive is None:
            return False
        if not alive:
            self.region.judge.failed.add(name)
        now, health = self.monotonic, self._checks[name]
        if alive and name in self._unheard and self._first and self.plan is None:
            health = started(_POLICY, now, newcomer=False, seed=_FIRST)
        after = observed(health, _PASSED if alive else _FAILED, now)
        self._checks[name] = after
        if name in self._unheard or verdict(health, now).state != after.state:
            self._unheard.discard(name)
            self.stir()
        return after.state == ("up" if alive else "down") and replace(health, heard_at=now, checked_at=now) == after

    # -- a turn ----------------------------------------------------------------------------------------------------

    def _turn(self) -> Script:
        stirred, self._stirred = self._store_stirred, False
        if not self._ready:
            self._ready = yield from self._begin()
            if not self._ready:
                self._wake_at = self.region.loop.now + self._later()
                return
        now = self.region.loop.now
        slow = now >= self._looked_at + cadence.PLANNER_LOOK_S
        if stirred or slow:
            self._store_stirred = False
            yield from self._look()
        if slow:
            self._looked_at = now
            self._review = now - self._surveyed_at >= cadence.SURVEY_S and not self.region.calm
            if self.due_to_plan:
                self._lanes = self._lanes.looked(now)
        yield from self._sight()
        self._obey()
        yield from self._judge()
        if self._due is not None and self.wall >= self._due:
            self._due = None
            self._plan_at(self.region.loop.now)
        ready = self._fleet is not None and not (self._first and self.plan is None and self._unheard)
        if self._lanes.due(self.region.loop.now) and ready:
            yield from self._pass()

    def _begin(self) -> Asking:
        head = yield ReadHead()
        if not isinstance(head, HeadRead):
            return False
        if head.head is not None:
            read = yield ReadPlan(head.head.digest)
            if isinstance(read, Unknown):
                return False
            self.plan = read.plan if isinstance(read, PlanRead) else None
        kept = self._kept()
        if kept is not None and (self.plan is None or kept.generation >= self.plan.generation):
            self.plan = kept
        if not ((yield from self._fleet_board.read()) and (yield from self._health_board.look(self.monotonic))):
            return False
        if not (yield from self._overrides.read()):
            return False
        self._first = head.head is None and self.plan is None
        self._verdicts = self._health_board.verdicts
        self._looked_at = self._surveyed_at = self.region.loop.now
        self._pause, self._lanes = cadence.PLANNER_RETRY_S, self._lanes.stirred(0.0)
        self._adopt(self._fleet_board.fleet)
        return True

    @property
    def due_to_plan(self) -> bool:
        """Whether a pass could come to something else than the last one did."""
        return self._basis is None or self._basis != self._based_on()

    def plan_now(self) -> None:
        """A pass at the next turn, whatever it may come to."""
        self._plan_at(self.region.loop.now)
        self.stir()

    def _based_on(self) -> object:
        """All that a pass depends on; None while departures are remembered, for then it depends on the hour too."""
        plan = self.plan
        if plan is None or self._survey or self._review or self._lanes.at is not None:
            return None
        calm = self.region.calm
        by_the_hour = self.wall >= self._memory.until if calm else self._windows.open(plan, self.wall)
        if by_the_hour or any(one.rotation_s for one in self._wanted()):
            return None
        serials = () if calm else tuple(one.state.serial for one in self.region.servers.values())
        head = self.region.depot.state.head
        return plan.head, head, self._fleet, self._verdicts, self._in_force, self._begun, serials

    def _look(self) -> Asking:
        head = yield ReadHead()
        if isinstance(head, HeadRead) and head.head != (self.plan.head if self.plan else None):
            self._plan_at(self.region.loop.now)
        yield from self._overrides.read()
        revision = self._fleet_board.revision
        if (yield from self._fleet_board.read()) and self._fleet_board.revision != revision and self._seen is None:
            self._adopt(self._fleet_board.fleet)
        yield from self._health_board.look(self.monotonic)

    def _sight(self) -> Asking:
        """What our own source says, if it is believed, goes to all planners."""
        seen = self._fleets.sighted(self._fleet)
        if seen is not None and seen != self._fleet:
            self._seen = seen
        if self._seen is not None:
            outcome = yield from self._fleet_board.share(self._seen)
            if outcome != "unknown":
                self._seen = None
                self._adopt(self._fleet_board.fleet)

    def _obey(self) -> None:
        """What operators say counts at once, and ends by itself."""
        in_force = tuple(one for one in self._overrides.overrides if one.in_force(self.wall))
        if in_force != self._in_force:
            self._in_force = in_force
            self._plan_at(self.region.loop.now)

    def _adopt(self, fleet: tuple[LoadBalancer, ...] | None) -> None:
        if fleet is None or fleet == self._fleet:
            return
        self._watch(fleet)
        was, self._fleet = self._fleet, fleet
        self._plan_at(self.region.loop.now, "fast" if was is None else lane_of(was, fleet) or "fast")

    def _judge(self) -> Asking:
        """Share what we think, or take over what another says. False if the store said neither."""
        if self._fleet is None:
            return False
        now = self.monotonic
        own = {name: self._verdict(name, health, now) for name, health in self._checks.items()}
        outcome = yield from self._health_board.settle(own, now)
        verdicts = self._health_board.verdicts if outcome == "overtaken" else own
        if verdicts != self._verdicts:
            self._verdicts = verdicts
            self._plan_at(self.region.loop.now)
        return outcome != "unknown"

    def _verdict(self, name: str, health: Health, now: float) -> Verdict:
        found = Verdict(health.state, health.reason) if name in self._steady else verdict(health, now)
        outside = self._fleets.outside(name) if found.state == "down" else 0
        if outside >= AZ_OBSERVERS:
            self.region.judge.agreed.add(name)
        return replace(found, outside=outside) if outside else found

    def _pass(self) -> Asking:
        if not (yield from self._judge()):
            self._lanes = self._lanes.taken().stirred(self.region.loop.now + self._later())
            return
        self._lanes = self._lanes.taken()
        task, over = self._assignment(), None
        self._review = False
        self.region.judge.consented |= task.consented
        phase: Any = publish(task)
        while not isinstance(phase, Done):
            request = phase.request
            over = request.expect if isinstance(request, Publish) else over
            reply = (yield from self._read(request)) if isinstance(request, Read) else (yield request)
            phase = phase.heard(reply)
        if phase.outcome.kind == "published" and phase.outcome.plan is not None:
            self.region.judge.left(over, self.plan, phase.outcome.plan, task.fleet.load_balancers)
        yield from self._conclude(task, phase.outcome)

    def _assignment(self) -> Assignment:
        boards, wall = (self._fleet_board, self._health_board, self._overrides), self.wall
        sources = tuple((board.source, board.revision) for board in boards)
        seen, said = Fleet(self._fleet or (), sources), self._overrides.overrides
        fleet, verdicts = overlaid(seen, self._verdicts, said, wall)
        return Assignment(
            stream=STREAM,
            zones=self._zones,
            fleet=fleet,
            verdicts=tuple(sorted(verdicts.items())),
            policies=self._wanted(),
            now=wall,
            author=self.name,
            sources=sources,
            consents=self._consents,
            held=self.plan,
            begun=self._begun,
            survey=self._survey or self._review,
            consented=consented(seen, said, wall),
            memory=self._memory,
        )

    def _wanted(self) -> tuple[EndpointPolicy, ...]:
        """At the end, when everything is to come to rest, people switch rotations off."""
        if self.region.loop.now < self._fleets.restless_s:
            return self._policies
        return tuple(replace(one, rotation_s=0.0) for one in self._policies)

    def _read(self, request: Read) -> Asking:
        zone, began = request.zone, self.region.loop.now
        if began < self._silent.get(zone, 0.0):
            return Unknown("its server did not answer a moment ago")
        reply = yield request
        if isinstance(reply, Readings) and not all(isinstance(value, Unknown) for value in reply.values):
            return reply
        now = self.region.loop.now
        self._silent[zone] = now + min(cadence.SILENT_S, cadence.SILENT_TIMES * (now - began))
        return reply

    def _conclude(self, task: Assignment, outcome: Outcome) -> Asking:
        now, draft = self.region.loop.now, outcome.draft
        self._basis = None
        self._memory = (draft.memory if draft is not None else None) or self._memory
        self._begun = outcome.begun or self._begun
        match outcome.kind:
            case "published" | "unchanged" | "refused":
                if outcome.plan is not None and outcome.plan != self.plan:
                    self.plan, self._lanes = outcome.plan, self._lanes.made(now)
                self._due = draft.due if draft is not None else None
                if self._due is not None:
                    self._due = max(self._due, self.wall + cadence.DUE_AGAIN_S)
                read = {zone for zone, _ in outcome.begun} >= set(self._zones)
                if task.survey and read and outcome.kind != "refused":
                    self._surveyed_at, self._survey = now, False
                if outcome.kind == "refused":
                    self.region.note(self.name, f"refuses to publish: {outcome.why}")
                if read and not any(one.rule in _PASSING for one in (draft.refusals if draft else ())):
                    self._pause = cadence.PLANNER_RETRY_S
                    self._basis = self._based_on() if outcome.kind == "unchanged" else None
                    return
            case "moved" | "source_moved" | "unknown":
                yield from self._look()
        heard = [until for until in self._silent.values() if until > now]
        self._plan_at(min([now + self._later() * self.draw.uniform(0.5, 1.0), *heard]))

    def _plan_at(self, at: float, lane: Lane = "fast") -> None:
        self._lanes = self._lanes.stirred(at, lane)

    def _later(self) -> float:
        pause, self._pause = self._pause, min(2 * self._pause, cadence.PLANNER_RETRY_MAX_S)
        return pause
