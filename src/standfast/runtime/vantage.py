"""A vantage point as a process (`standfast run --role prober`): it checks the fleet and puts its votes into the store.

It decides nothing about answers and writes no zone. Which load balancers there are it learns from the store, where the
planner puts them. While the store is away it goes on checking; its votes are then silent, and count as unknown.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from standfast.config import Config, LoadBalancerConfig, VantageConfig
from standfast.errors import StandfastError
from standfast.model.fleet import Verdict
from standfast.ports.store import HeadRead, PlanRead, ReadHead, ReadPlan

from .checks import beat_s, facts_of, tell_news, tell_verdicts
from .enacting import Store
from .journal import Journal
from .presence import Presence
from .probing import Prober, target_of
from .sharing import FLEET, HEALTH, Board, fleet_on, read_health
from .tidings import Tell, Tidings, silent
from .votes import VoteBoard, target_key

POLL_S: Final = 0.01
JUDGE_S: Final = 0.25
LOOK_S: Final = 5.0
BEAT_S: Final = 1.0
RETRY_S: Final = 1.0
RIVAL_S: Final = 30.0
"""So long after another process voted in our name it is said that there is one."""


def vantage_of(config: Config, name: str, az: str = "") -> VantageConfig:
    """The vantage point of that name. Raises StandfastError unless the configuration declares it, with that AZ if any.

    Who votes must be known to all planners: the majority is one of all that are declared.
    """
    known = {one.name: one for one in config.vantage}
    if config.health is None:
        raise StandfastError("health: none leaves nothing to check.", "Give health: {http: /healthz} first.")
    if not known:
        message = "The configuration declares no vantage points, so the planner looks for itself."
        raise StandfastError(message, f"Add to {config.file}: vantage: {{{name}: {{az: {az or 'a'}}}, …}}.")
    if name not in known:
        message = f"The configuration declares no vantage point {name}."
        raise StandfastError(message, f"Take one of {', '.join(known)} with --name, or add {name} under vantage.")
    if az and known[name].az != az:
        message = f"Vantage point {name} stands in {known[name].az or 'no AZ'} by the configuration, not in {az}."
        raise StandfastError(message, "Leave --az out, or correct vantage in the configuration.")
    return known[name]


class VantageProcess:
    """One prober. `run` returns when `stop` is set; the store is used in its thread only."""

    def __init__(
        self,
        vantage: VantageConfig,
        config: Config,
        store: Store,
        journal: Journal,
        presence: Presence | None = None,
        tell: Tell = silent,
        *,
        prober: Callable[[Callable[[], None]], Prober] | None = None,
        poll_s: float = POLL_S,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._vantage, self._config, self._store = vantage, config, store
        self._journal, self._presence, self._wall, self._poll_s = journal, presence, wall, poll_s
        self._tidings = Tidings(journal, tell)
        self._woken = threading.Event()
        self._prober = prober(self._woken.set) if prober else Prober(config.health, self._woken.set)
        self._fleet_board = Board(store, FLEET)
        self._votes = VoteBoard(store, vantage, secrets.token_hex(8), config.digest, beat_s(config))
        self._fleet: tuple[LoadBalancerConfig, ...] | None = None
        self._keys: dict[str, str] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._looked_at = float("-inf")
        self._judged_at = self._beaten_at = 0.0
        self._retry_at, self._rival_at = 0.0, float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Check and vote until `stop` is set."""
        vantage, config = self._vantage, self._config
        self._tidings.event("started", stream=config.stream, policy=config.digest, vantage=vantage.name, az=vantage.az)
        self._prober.start()
        try:
            while not stop.is_set():
                self._turn(time.monotonic())
                self._woken.wait(self._poll_s)
        finally:
            self._prober.close()
            self._tidings.event("stopped")
            self._journal.close()

    def _turn(self, now: float) -> None:
        woken = self._woken.is_set()
        self._woken.clear()
        if self._store.changed() or now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._look()
        if woken or now - self._judged_at >= JUDGE_S:
            self._judged_at = now
            self._judge(now)
        if now - self._beaten_at >= BEAT_S:
            self._beaten_at = now
            self._beat()

    def _look(self) -> None:
        """Whom shall we check?"""
        read = self._fleet_board.read() and (self._fleet is not None or self._votes.look())
        fleet = fleet_on(self._fleet_board) if read else None
        why = "" if read else "the plan store can't be read: nobody hears these votes, and the fleet is the last known"
        self._tidings.state("store", why)
        if fleet is not None and fleet != self._fleet:
            self._watch(fleet)

    def _watch(self, fleet: tuple[LoadBalancerConfig, ...]) -> None:
        """Who is in a plan already, or was judged before, is no newcomer. Not before the plan could be read.

        Beyond that nothing is taken from what we said before a restart: it may be old, and two of three that say old
        things after a roll-out would be a majority. Until its own checks tell, a vantage point votes unknown.
        """
        head = self._store.perform(ReadHead())
        if not isinstance(head, HeadRead):
            return
        served: set[str] = set()
        if head.head is not None:
            plan = self._store.perform(ReadPlan(head.head.digest))
            if not isinstance(plan, PlanRead):
                return
            served = {one.load_balancer for entry in plan.plan.shards for one in entry.members if one.served}
            served |= self._judged_before()
        health = self._config.health
        before = {one.id: target_of(one, health) for one in self._fleet or ()}
        targets = [target_of(one, health) for one in fleet]
        same = {one.id for one in targets if before.get(one.id, one) == one}
        said, flaps = self._votes.said_of(targets)
        known = (served & same) | {name for name, state in said.items() if state != "warming"}
        self._prober.watch(targets, known=known, first=head.head is None, flaps=flaps)
        self._fleet = fleet
        self._keys = {one.id: target_key(one) for one in targets}

    def _judged_before(self) -> set[str]:
        """Whom planners have a conclusion about: it warmed up before this vantage point was there."""
        board = Board(self._store, HEALTH)
        shared = read_health(board.body) if board.read() else None
        return {name for name, one in shared.verdicts.items() if one.state != "warming"} if shared else set()

    def _judge(self, now: float) -> None:
        if self._fleet is None:
            return
        tell_news(self._prober, self._tidings)
        verdicts = self._prober.verdicts()
        if verdicts != self._verdicts:
            tell_verdicts(self._verdicts, verdicts, self._tidings)
            self._verdicts = verdicts
        if now < self._retry_at:
            return
        condition = self._prober.condition or self._prober.overload
        outcome = self._votes.settle(verdicts, self._prober.outlooks(), self._keys, condition, now, self._wall())
        self._retry_at = 0.0 if outcome == "put" else now + RETRY_S
        self._tidings.state("sharing", "the plan store does not take our votes" if outcome == "unknown" else "")
        why = f"another process votes as {self._vantage.name} too, so neither counts: stop one, or give it another name"
        self._rival_at = now if outcome == "overtaken" or self._votes.rival else self._rival_at
        self._tidings.state("vantage", why if now - self._rival_at < RIVAL_S else "")

    def _beat(self) -> None:
        if self._presence is None:
            return
        states = [one.state for one in self._verdicts.values()]
        self._presence.beat(
            vantage=self._vantage.name,
            az=self._vantage.az,
            policy=self._config.digest,
            fleet={"all": len(self._fleet or ()), **{state: states.count(state) for state in sorted(set(states))}},
            checks=facts_of(self._prober),
            late=self._prober.late,
            pulses=self._prober.pulses(),
            troubles=self._tidings.troubles[:20],
        )
