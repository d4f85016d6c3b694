"""The planner as a process: checks, fleet and store in; plans out, by way of `core.publisher`.

It wakes at once when a verdict changes, somebody leaves the fleet, or somebody else writes to the store (an operator's
rollback); when a limit allows the next step; slowly for new capacity (`core.lanes`) and what zones say. What it can't
read changes nothing: it tries again with growing pauses.

Any number may run. They share fleet, health and configuration through the store (`sharing.py`), and each publishes by
compare-and-set, so that they agree or one of them loses.

The very first plan of a stream waits until every load balancer was checked once, at most a time-out and a second, and
takes those that passed; nothing serves yet, so a warm-up would protect nobody. Newcomers after that warm up.
"""

import random
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from standfast.config import Config, LoadBalancerConfig
from standfast.core.lanes import Lane, Lanes, lane_of
from standfast.core.publisher import Assignment, Done, Outcome, Phase, PublisherReply, PublisherRequest, publish
from standfast.core.resting import NOTHING
from standfast.model.fleet import Fleet, Verdict
from standfast.model.plan import Head, Plan
from standfast.ports.provider import Read, Readings, Unknown
from standfast.ports.store import HeadRead, PlanRead, Publish, ReadHead, ReadPlan
from standfast.recovery.slowstart import SlowStart, eased

from .checkkeeping import CheckKeeper
from .checks import Checks, beat_s, checks_of, facts_of, tell_news, tell_verdicts
from .checkworking import Desk
from .consenting import Consents
from .enacting import Provider, Store
from .fleetkeeping import FleetKeeper
from .journal import Journal
from .overriding import OverrideBoard
from .place import load_balancer_of, news_of_file, policy_of, prefixes_of
from .presence import Presence
from .probing import target_of
from .recording import plan_facts
from .sharing import POLICY, Board, HealthBoard, SharedPolicy, encode, policy_on
from .sourcing import Sources
from .tidings import Tell, Tidings, silent

POLL_S: Final = 0.01
LOOK_S: Final = 30.0
SURVEY_S: Final = 600.0
"""How often all markers are read: an enactor may have enacted a plan that was lost with a store, above ours."""
BEAT_S: Final = 1.0
JUDGE_S: Final = 0.25
"""How often silence is looked for: everything else wakes us."""
RETRY_S: Final = 0.05
RETRY_MAX_S: Final = 5.0
SILENT_S: Final = 3.0
SILENT_TIMES: Final = 10
"""A zone's server that did not answer is not asked again for 10 times as long as that took, at most 3 s: other zones
must not wait for its time-outs, and one that refused at once may be back at once."""
DUE_AGAIN_S: Final = 1.0
_PASSING: Final = frozenset({"unreadable", "presence"})
"""Refusals that end when a server answers again."""


class PlannerProcess:
    """One planner. `run` returns when `stop` is set; store and providers are used in its thread only.

    `consents` are pairs of a name that may be taken over and who said so. `tell` gets every event of the journal.
    """

    def __init__(
        self,
        who: str,
        config: Config,
        store: Store,
        providers: Mapping[str, Provider],
        journal: Journal,
        presence: Presence | None = None,
        consents: Collection[tuple[str, str]] = (),
        tell: Tell = silent,
        *,
        kept: Plan | None = None,
        prober: Callable[[Callable[[], None]], Checks] | None = None,
        sources: Sources | None = None,
        desk: Callable[[str], Desk] | None = None,
        look_s: float = LOOK_S,
        poll_s: float = POLL_S,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.plan: Plan | None = None
        self._kept = kept if kept is not None and kept.record.stream == config.stream else None
        self._who, self._config, self._store, self._providers = who, config, store, providers
        self._presence, self._consents, self._wall = presence, Consents(store, consents), wall
        self._journal = journal
        self._tidings = Tidings(journal, tell)
        self._look_s, self._poll_s = look_s, poll_s
        self._woken = threading.Event()
        self._prober = prober(self._woken.set) if prober else checks_of(config, store, self._woken.set)
        self._health = HealthBoard(store, who, secrets.token_hex(8), beat_s(config))
        self._policy_board = Board(store, POLICY)
        self._overrides = OverrideBoard(store, self._tidings)
        self._policies = tuple(policy_of(endpoint) for endpoint in config.endpoints)
        self._keeper = FleetKeeper(who, config, store, self._tidings, self._woken.set, sources, wall)
        self._hosted = CheckKeeper(who, config, store, self._tidings, self._woken.set, desk, wall)
        self._fleet: tuple[LoadBalancerConfig, ...] | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._begun: tuple[tuple[str, int], ...] = ()
        self._first, self._survey, self._review, self._superseded = False, True, False, False
        self._silent: dict[str, float] = {}
        self._hosted_as, self._pause = self._hosted.state, RETRY_S
        self._lanes, self._memory = Lanes(config.policy.coalesce_s), NOTHING
        self._due: float | None = None
        self._began_at = self._looked_at = self._surveyed_at = self._judged_at = self._beaten_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Begin from what the store has, then plan whenever there is news."""
        self._tidings.event("started", stream=self._config.stream, policy=self._config.digest)
        self._prober.start()
        self._keeper.start()
        self._hosted.start()
        try:
            while not stop.is_set() and not self._begin(time.monotonic()):
                self._beat(time.monotonic())
                stop.wait(self._later())
            self._pause, self._lanes = RETRY_S, self._lanes.stirred(0.0)
            while not stop.is_set():
                self._turn(time.monotonic())
                self._woken.wait(self._poll_s)
        finally:
            self._prober.close()
            self._keeper.close()
            self._hosted.close()
            self._health.leave()
            self._tidings.event("stopped")
            self._journal.close()

    def _begin(self, now: float) -> bool:
        """What stands in the store. Until that is known nothing is judged, for silence would look like news."""
        head = self._store.perform(ReadHead())
        if not isinstance(head, HeadRead):
            return self._lost(head)
        if head.head is not None:
            plan = self._store.perform(ReadPlan(head.head.digest))
            if isinstance(plan, Unknown):
                return self._lost(plan)
            self.plan = plan.plan if isinstance(plan, PlanRead) else None
        if self._kept is not None and (self.plan is None or self._kept.generation >= self.plan.generation):
            self.plan = self._kept  # the store was lost or set back: the kept plan speaks for holds, and is passed
        read = self._keeper.begin() and self._policy_board.read() and self._health.look(now)
        read = read and self._overrides.look() and self._hosted.look() and self._prober.look(now)
        if not read or not self._put_policy():
            return self._lost("a source could not be read or put")
        self._first = head.head is None and self.plan is None
        self._verdicts = self._health.verdicts()
        self._fleet = self._keeper.fleet
        if self._fleet is not None:
            self._watch(self._fleet)
        self._sight()
        self._tidings.state("store", "")
        self._looked_at = self._surveyed_at = now
        self._began_at = time.monotonic()  # checks begin now; opening the store may have taken longer than one of them
        return True

    def _lost(self, reply: object) -> bool:
        self._tidings.state("store", f"the plan store says nothing: {getattr(reply, 'why', reply)}")
        return False

    def _later(self) -> float:
        pause, self._pause = self._pause, min(2 * self._pause, RETRY_MAX_S)
        return pause

    def _turn(self, now: float) -> None:
        woken = self._woken.is_set()
        self._woken.clear()
        slow = now - self._looked_at >= self._look_s
        if self._store.changed() or slow:
            self._look(now)
        if slow:
            self._looked_at, self._lanes = now, self._lanes.looked(now)
            self._review = now - self._surveyed_at >= SURVEY_S
        self._sight()
        self._hear_checks(now)
        if self._overrides.turned(self._wall()):
            self._plan_at(now)
        if woken or now - self._judged_at >= JUDGE_S:
            self._judge(now)
        if self._due is not None and self._wall() >= self._due:
            self._due = None
            self._plan_at(now)
        if self._lanes.due(now) and self._ready(now):
            self._pass(now)
        if now - self._beaten_at >= BEAT_S:
            self._beat(now)

    def _plan_at(self, at: float, lane: Lane = "fast") -> None:
        self._lanes = self._lanes.stirred(at, lane)

    def _look(self, now: float) -> None:
        """What have others written?"""
        head = self._store.perform(ReadHead())
        if isinstance(head, HeadRead) and head.head != (self.plan.head if self.plan else None):
            self._plan_at(now)
        if self._policy_board.read():
            self._obey_policy()
        if self._consents.look():
            self._plan_at(now)
        self._overrides.look()
        self._hosted.look()
        if self._keeper.look():
            self._adopt(self._keeper.fleet)
        self._prober.look(now)
        if self._health.look(now):
            self._judge(now)

    def _put_policy(self) -> bool:
        """The planner that starts brings its configuration into force."""
        shared = policy_on(self._policy_board)
        if shared is not None and shared.digest == self._config.digest:
            return True
        said = self._policy_board.put(encode(SharedPolicy(self._who, self._config.digest))) != "unknown"
        self._obey_policy()
        return said

    def _obey_policy(self) -> None:
        shared, why = policy_on(self._policy_board), ""
        if shared is not None and shared.digest != self._config.digest:
            why = (
                f"planner {shared.who} was started later with another configuration ({shared.digest[:8]}, ours is "
                f"{self._config.digest[:8]}), so this one plans nothing. Give both the same file and reload this one."
            )
        self._superseded = bool(why)
        self._tidings.state("policy", why)

    def _sight(self) -> None:
        """Do our own sources say something new? Then so do we, to all planners."""
        if self._keeper.hear(time.monotonic(), may_put=not self._superseded):
            self._adopt(self._keeper.fleet)

    def _hear_checks(self, now: float) -> None:
        """What Route 53's own health checks came to; new ones go into a plan, and nothing waits for them."""
        before, may = self._hosted_as, self._health.speaking and not self._superseded
        self._hosted.hear(self._fleet, self.plan, self._verdicts, may=may)
        self._hosted_as = self._hosted.state
        if before != self._hosted_as:
            self._plan_at(now)

    def _adopt(self, fleet: tuple[LoadBalancerConfig, ...] | None) -> None:
        if fleet is None or fleet == self._fleet:
            return
        self._watch(fleet)
        was, self._fleet = self._fleet, fleet
        lane = lane_of(*(tuple(map(load_balancer_of, some)) for some in (was or fleet, fleet)))
        self._plan_at(time.monotonic(), lane or "fast")

    def _watch(self, fleet: tuple[LoadBalancerConfig, ...]) -> None:
        """Whose target is as it was when last judged keeps that verdict; who is in a plan already is no newcomer."""
        health = self._config.health
        before = None if self._fleet is None else {one.id: target_of(one, health) for one in self._fleet}
        targets = [target_of(one, health) for one in fleet]
        same = {target.id for target in targets if before is None or before.get(target.id) == target}
        there = {m.load_balancer for e in (self.plan.shards if self.plan else ()) for m in e.members if m.served}
        seeds = {name: verdict for name, verdict in self._verdicts.items() if name in same}
        first = self._first and self.plan is None
        self._prober.watch(targets, seeds=seeds, known=there & same, first=first, flaps=self._health.flaps())

    def _judge(self, now: float) -> bool:
        """Share what we think, or take over what another says. False if the store said neither."""
        self._judged_at = now
        if self._fleet is None:
            return False
        tell_news(self._prober, self._tidings)
        own = self._keeper.advised(self._prober.verdicts())
        outcome = self._health.settle(own, now, self._wall(), self._prober.outlooks())
        verdicts = self._health.verdicts() if outcome == "overtaken" else own
        if verdicts != self._verdicts:
            tell_verdicts(self._verdicts, verdicts, self._tidings)
            self._verdicts = verdicts
            self._plan_at(now)
        why = "the plan store does not take what is thought of health" if outcome == "unknown" else ""
        self._tidings.state("sharing", why)
        return not why

    def _ready(self, now: float) -> bool:
        """The very first plan waits until everybody was checked once: who is not yet would be left out of an answer
        that may have held it until now."""
        if self._fleet is None or self._superseded:
            return False
        if not (self._first and self.plan is None) or self._prober.all_heard:
            return True
        health = self._config.health
        return now - self._began_at > (health.interval_s + health.timeout_s if health else 0.0) + 1.0

    def _pass(self, now: float) -> None:
        self._lanes = self._lanes.taken()
        if not self._judge(now):
            self._plan_at(now + self._later())
            return
        self._lanes = self._lanes.taken()
        task = self._assignment()
        self._review = False  # for this pass alone: if a zone is silent, health does not wait for all markers each time
        phase: Phase = publish(task)
        over: Head | None = None
        while not isinstance(phase, Done):
            if isinstance(phase.request, Publish):
                over = phase.request.expect
            phase = phase.heard(self._perform(phase.request))
        self._conclude(task, over, phase.outcome)

    def _assignment(self) -> Assignment:
        config, wall = self._config, self._wall()
        boards = (self._keeper.board, self._health.board, self._policy_board, self._overrides.board)
        sources = tuple((board.source, board.revision) for board in boards) + self._hosted.sources
        seen = Fleet(tuple(load_balancer_of(one) for one in self._fleet or ()), sources)
        fleet, verdicts = self._overrides.overlaid(seen, self._verdicts, wall)
        fleet = eased(fleet, self._health.up_since(), SlowStart(config.policy.slow_start_s), wall)
        return Assignment(
            stream=config.stream,
            zones=tuple(zone.name for zone in config.zones),
            fleet=fleet,
            verdicts=tuple(sorted(verdicts.items())),
            policies=self._policies,
            now=wall,
            reason=news_of_file(config, self.plan),
            author=self._who,
            policy=config.digest,
            sources=sources,
            consents=self._consents.pairs,
            held=self.plan,
            begun=self._begun,
            survey=self._survey or self._review,
            consented=self._overrides.consented(seen, wall),
            prefixes=prefixes_of(config),
            checks=self._hosted.checks(self._overrides.ruling(seen, wall)),
            memory=self._memory,
        )

    def _perform(self, request: PublisherRequest) -> PublisherReply:
        if not isinstance(request, Read):
            stored = self._store.perform(request)
            return stored if isinstance(stored, PublisherReply) else Unknown(f"the store gave {type(stored).__name__}")
        zone, now = request.zone, time.monotonic()
        provider = self._providers.get(zone)
        if provider is None:
            return Unknown(f"this planner has no access to zone {zone}; add it under `zones:`")
        if now < self._silent.get(zone, 0.0):
            return Unknown("its server did not answer a moment ago")
        reply = provider.perform(request)
        if isinstance(reply, Readings) and not all(isinstance(value, Unknown) for value in reply.values):
            return reply
        after = time.monotonic()
        self._silent[zone] = after + min(SILENT_S, SILENT_TIMES * (after - now))
        return reply if isinstance(reply, Readings | Unknown) else Unknown("the provider gave no readings")

    def _conclude(self, task: Assignment, over: Head | None, outcome: Outcome) -> None:
        now, draft = time.monotonic(), outcome.draft
        self._begun = outcome.begun or self._begun
        if draft is not None:
            self._memory = draft.memory or self._memory
            self._tidings.notes((*outcome.notes, *draft.notes))
            self._tidings.refusals(draft.refusals)
        self._tidings.state("store", outcome.why if outcome.kind == "unknown" else "")
        self._tidings.state("planner", outcome.why if outcome.kind == "refused" else "")
        match outcome.kind:
            case "published" | "unchanged" | "refused":
                if outcome.plan is not None and outcome.plan != self.plan:
                    self.plan, self._lanes = outcome.plan, self._lanes.made(now)
                due = draft.due if draft is not None else None
                self._due = None if due is None else max(due, self._wall() + DUE_AGAIN_S)
                read = {zone for zone, _ in outcome.begun} >= {zone.name for zone in self._config.zones}
                if task.survey and read and outcome.kind != "refused":
                    self._surveyed_at, self._survey = now, False
                if outcome.kind == "published" and outcome.plan is not None and draft is not None:
                    verdicts = dict(task.verdicts)
                    facts = plan_facts(outcome.plan, draft.decisions, over, task.policies, verdicts)
                    self._tidings.event("planned", **facts)
                if read and not any(one.rule in _PASSING for one in (draft.refusals if draft else ())):
                    self._pause = RETRY_S
                    return
            case "moved" | "source_moved" | "unknown":
                self._look(now)
        heard = [until for until in self._silent.values() if until > now]
        self._plan_at(min([now + self._later() * random.uniform(0.5, 1.0), *heard]))

    def _beat(self, now: float) -> None:
        self._beaten_at = now
        if self._presence is None:
            return
        states = [verdict.state for verdict in self._verdicts.values()]
        self._presence.beat(
            generation=self.plan.generation if self.plan else 0,
            plan=self.plan.digest if self.plan else "",
            policy=self._config.digest,
            fleet={"all": len(self._fleet or ()), **{state: states.count(state) for state in sorted(set(states))}},
            speaking=self._health.speaking,
            **self._tidings.facts,
            pulses=self._prober.pulses(),
            checks=facts_of(self._prober),
            sources=self._keeper.facts(now),
            route53=self._hosted.facts(),
        )
