"""A region: servers, store, load balancers, processes, and the messages between them, in virtual time.

A request takes effect at one moment and its reply takes a while. A change travels: between being sent and arriving it
may be lost, repeated, overtaken, or be so late that its sender has given up, gone on, or died. What a process asks of
its own machine (journal, disk copy, nonce) takes a moment too, in which it may be paused or killed: between having
decided and sending, above all.
"""

import hashlib
import random
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from standfast.model.entry import Layout
from standfast.model.fleet import LoadBalancer
from standfast.model.plan import Plan
from standfast.model.policy import AzLoss, EndpointPolicy, OnPanic
from standfast.model.rrset import RRType
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent, Unrecorded
from standfast.ports.provider import Confirm, Read, ReadChanges, Replace, Unknown
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import PlanMissing, PlanRead
from standfast.ports.store_spec import StoreState
from standfast.ports.trees import CollectTree, ListPointers, ListTree

from .cadence import PROVIDER_TIMEOUT_S
from .cleaning import CleanerProcess
from .depot import Depot
from .enacting import EnactorProcess
from .fleets import Fleets
from .judge import Judge
from .loop import Loop
from .mishaps import Mishaps
from .operating import OperatorProcess
from .planning import PlannerProcess
from .processes import Process
from .scenario import Scenario, endpoint_names, hosted_zones, zone_names
from .server import Server

LATE_MAX_S: Final = 900.0
"""The latest that a request may arrive after it was sent."""
_LOST_OR_LATE: Final = (("request lost", "late"), ("collection lost", "collection late"))
"""How a change fares badly, and how a deletion of trees does."""
_LATENCY_S: Final = (0.0005, 0.02)
_DISK_S: Final = (0.0002, 0.005)
_STORE_S: Final = (0.0002, 0.003)


class Region:
    """Everything there is. `on_note` is told who did what, `on_change` each change that arrived and its reply.

    Policies of the scenario's endpoints, load balancers and the size of an enactor's changes are drawn from its seed
    where they are not given. `calm`: nothing befalls anybody, and nobody but our processes writes; then audits,
    surveys and passes that would find nothing are left out (a test compares).
    """

    def __init__(
        self,
        scenario: Scenario,
        policies: tuple[EndpointPolicy, ...] = (),
        fleet: tuple[LoadBalancer, ...] = (),
        batch_octets: int = 0,
        *,
        calm: bool = False,
    ) -> None:
        self.scenario, self.calm = scenario, calm
        self.loop = Loop()
        self.mishaps = Mishaps()
        self.policies = policies or _policies(scenario)
        self.judge = Judge(scenario, self.policies)
        self.servers = {zone: Server(zone, self.mishaps) for zone in zone_names(scenario)}
        self.depot = Depot(self.mishaps, self._stored, self._store_changed)
        self.fleets = Fleets(scenario, self.mishaps, self._balancer_changed, fleet)
        self.requests = 0
        self.changed_at = 0.0
        self.on_note: Callable[[str, str], None] | None = None
        self.on_change: Callable[[str, Replace, object, ZoneState, ZoneState], None] | None = None
        self._nonces = 0
        self._digest = hashlib.blake2b(digest_size=16)
        seed = scenario.seed
        self.enactors = [
            EnactorProcess(self, f"enactor-{place}", seed, batch_octets) for place in range(scenario.enactors)
        ]
        self.planners = [self._planner(place) for place in (0, 1)]
        self.cleaner = CleanerProcess(self, "cleaner", seed, hosted_zones(scenario))
        names: dict[str, tuple[str, ...]] = {}
        for zone, name in endpoint_names(scenario):
            names[zone] = (*names.get(zone, ()), name)
        self.operator = OperatorProcess(self, seed, names)
        processes: list[Process] = [*self.enactors, *self.planners, self.cleaner, self.operator]
        self.processes = {process.name: process for process in processes}

    def _planner(self, place: int) -> PlannerProcess:
        neighbour = self.enactors[place % len(self.enactors)]

        def kept() -> Plan | None:
            return neighbour.copies[-1] if neighbour.copies else None

        zones = tuple(self.servers)
        return PlannerProcess(self, f"planner-{place}", self.scenario.seed, self.fleets, self.policies, zones, kept)

    @property
    def zones(self) -> dict[str, ZoneState]:
        """What every zone holds."""
        return {apex: server.state for apex, server in self.servers.items()}

    @property
    def digest(self) -> str:
        """Of everything that happened, in order."""
        return self._digest.hexdigest()

    def fired(self, kind: str) -> None:
        """A fault had an effect."""
        self.mishaps.fire(kind)

    def note(self, actor: str, text: str) -> None:
        """Something happened."""
        self._digest.update(f"{self.loop.now:.6f} {actor} {text}\n".encode())
        if self.on_note is not None:
            self.on_note(actor, text)

    # -- requests --------------------------------------------------------------------------------------------------

    def perform(self, process: Process, request: Any, heard: Callable[[Any], None]) -> None:
        """Let it take effect, and its reply be heard."""
        self.requests += 1
        reply: Any
        match request:
            case Replace() | CollectTree():
                self._send(process, request, heard)
                return
            case ListTree() | ListPointers():
                reply = self.servers[request.zone].list(request)
                took = PROVIDER_TIMEOUT_S if isinstance(reply, Unknown) else process.draw.uniform(*_LATENCY_S)
            case Read() | Confirm() | ReadChanges():
                reply = self.servers[request.zone].look(request, self.loop.now)
                took = PROVIDER_TIMEOUT_S if isinstance(reply, Unknown) else process.draw.uniform(*_LATENCY_S)
            case DrawNonce() | RecordIntent() | KeepCopy() | RecallCopy():
                reply, took = self._local(process, request), process.draw.uniform(*_DISK_S)
            case _:
                reply, took = self.depot.perform(process.name, request), process.draw.uniform(*_STORE_S)
        self._trace(process.name, request, reply)
        process.after(took, lambda: heard(reply))

    def _trace(self, who: str, request: object, reply: object) -> None:
        line = f"{self.loop.now:.6f} {who} {type(request).__name__} {type(reply).__name__}\n"
        self._digest.update(line.encode())

    def _local(self, process: Process, request: DrawNonce | RecordIntent | KeepCopy | RecallCopy) -> object:
        match request:
            case DrawNonce():
                self._nonces += 1
                return Nonce(f"{self._nonces:016x}")
            case RecordIntent():
                if self.mishaps.on("journal's disk full", process.name):
                    self.fired("journal's disk full")
                    return Unrecorded("the disk is full")
                return Recorded()
        if not isinstance(process, EnactorProcess):
            raise AssertionError(f"{process.name} has no disk copy")
        if isinstance(request, RecallCopy):
            return PlanRead(process.copies[-1]) if process.copies else PlanMissing()
        if self.mishaps.on("copy's disk full", process.name):
            self.fired("copy's disk full")
            return Kept()
        process.copies = [*process.copies[-1:], request.plan]
        return Kept()

    def _send(self, process: Process, change: Replace | CollectTree, heard: Callable[[Any], None]) -> None:
        """A change goes out; how it fares depends on the faults that are on."""
        name, life, sent = process.name, process.life, self.loop.now
        server, hits = self.servers[change.zone], self.mishaps.hits
        transit, gives_up = process.draw.uniform(*_LATENCY_S), sent + PROVIDER_TIMEOUT_S
        silence = Unknown(f"{change.zone}: no answer within {PROVIDER_TIMEOUT_S:g} s")
        lost, delayed = _LOST_OR_LATE[isinstance(change, CollectTree)]

        def given_up() -> None:
            self._trace(name, change, silence)
            heard(silence)

        if self.mishaps.on("outage", change.zone):
            self.fired("outage")
            process.after(PROVIDER_TIMEOUT_S, given_up)
            return
        if hits(lost, name):
            self.fired(lost)
            process.after(PROVIDER_TIMEOUT_S, given_up)
            return
        if draw := hits(delayed, name):
            late = PROVIDER_TIMEOUT_S + (LATE_MAX_S - PROVIDER_TIMEOUT_S) * draw.random() ** 3
            self.loop.at(sent + late, lambda: self._arrives(name, change, delayed))
            process.after(PROVIDER_TIMEOUT_S, given_up)
            return
        if draw := hits("reordered", name):
            transit, writes = draw.uniform(0.2, 0.9 * PROVIDER_TIMEOUT_S), server.writes
            self.loop.at(sent + transit, lambda: self.fired("reordered") if server.writes > writes else None)
        if draw := hits("duplicated", name):
            again = transit + LATE_MAX_S * draw.random() ** 3
            self.loop.at(sent + again + 0.001, lambda: self._arrives(name, change, "duplicated"))
        unheard = hits("reply lost", name) is not None

        def arrive() -> None:
            reply = self._arrives(name, change, "")
            if unheard:
                self.fired("reply lost")
                process.at(gives_up, life, given_up)
            else:
                process.at(self.loop.now + process.draw.uniform(*_LATENCY_S), life, lambda: heard(reply))

        self.loop.at(sent + transit, arrive)

    def _arrives(self, name: str, change: Replace | CollectTree, how: str) -> object:
        """At the server; whoever sent it may be gone."""
        server = self.servers[change.zone]
        if how and isinstance(change, CollectTree):
            change = asserting_what_stands(change)
        if how:
            self.fired(how)
        reply: object = server.refusal(self.loop.now)
        before = after = server.state
        if reply is None:
            before, after, reply = server.take(change)
        self._trace(f"{name} {how}", change, reply)
        if self.on_change is not None:
            told = change.change if isinstance(change, CollectTree) else change
            self.on_change(f"{name} {how}".strip(), told, reply, before, after)
        if after is not before:
            if isinstance(change, CollectTree):
                self.judge.tree_gone(before, after)
            else:
                self.changed_at = self.loop.now
                self.judge.written(before, after, change, operator=name == self.operator.name)
            self.zone_changed()
        return reply

    # -- what has changed ------------------------------------------------------------------------------------------

    def zone_changed(self) -> None:
        """Whoever looks for changes will find one."""
        for enactor in self.enactors:
            enactor.zone_changed()

    def by_hand(self, state: ZoneState) -> None:
        """People change a zone."""
        self.servers[state.apex].put(state)
        self.judge.damaged(state)
        self.zone_changed()

    def _balancer_changed(self, name: str) -> None:
        for planner in self.planners:
            planner.look_again(name)

    @property
    def in_company(self) -> bool:
        """Whether two planners are alive."""
        return all(planner.alive for planner in self.planners)

    def _stored(self, before: StoreState, after: StoreState) -> None:
        if after.head != before.head and after.head is not None:
            self.changed_at = self.loop.now
            self.note("store", f"the head is {after.head.generation} {after.head.digest[:8]}")
        self.judge.stored(before, after, self.zones.values())

    def _store_changed(self, what: str) -> None:
        for planner in self.planners:
            if what in ("head", "all", "fleet", "overrides") or self.planners[1].alive:
                planner.stir(store=True)
        if what in ("head", "all"):
            for enactor in self.enactors:
                enactor.head_changed()


_LAYOUTS: Final[tuple[Layout | Literal["auto"], ...]] = ("tree", "tree", "auto", "multivalue", "flat")


def asserting_what_stands(change: CollectTree) -> CollectTree:
    """As it travels: that something is absent can't be said to Route 53, and was looked at before it was sent."""
    floor, *rest = change.asserted
    return msgspec.structs.replace(change, asserted=(floor, *(one for one in rest if one.rdata)))


def _policies(scenario: Scenario) -> tuple[EndpointPolicy, ...]:
    """Endpoints that differ in what they promise: families, AZs, how many answers, how quickly they may shrink."""
    draw, ways = random.Random(f"policies {scenario.seed}"), random.Random(f"ways {scenario.seed}")
    layouts, hosted = random.Random(f"layouts {scenario.seed}"), hosted_zones(scenario)
    az_loss: tuple[AzLoss, ...] = ("auto", "auto", "ask")
    on_panic: tuple[OnPanic, ...] = ("hold", "hold", "all")
    found = []
    for zone, name in endpoint_names(scenario):
        fate = draw.random()
        found.append(
            EndpointPolicy(
                name,
                zone,
                min_answers=None if fate < 0.15 else draw.choice((None, None, 1, 2)),
                max_answers=draw.choice((8, 8, 4, 3)),
                azs=(draw.choice("abc"),) if fate < 0.15 else (),
                families=(RRType.A,) if draw.random() < 0.4 else (),
                removal_window_s=draw.choice((60.0, 120.0, 300.0)),
                az_loss=ways.choice(az_loss),
                on_panic=ways.choice(on_panic),
                rotation_s=ways.choice((0.0, 0.0, 0.0, 120.0)),
                layout=layouts.choice(_LAYOUTS) if zone in hosted else "flat",
            )
        )
    return tuple(found)
