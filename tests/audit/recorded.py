"""Journals of runs in the invented world, as the processes of production would have written them; their doctoring."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from harness.planning import DOWN, UP, fleet, planned, policy
from standfast import config as configuration
from standfast.core.direct import Ended, Phase, begin
from standfast.core.freezer import Freezing
from standfast.core.task import Outcome
from standfast.model.plan import Plan
from standfast.ports import provider_spec, store_spec
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent, Unrecorded
from standfast.ports.provider import ProviderReply, ProviderRequest, Read, Replace, Written
from standfast.ports.store import StoreReply, StoreRequest
from standfast.runtime.cleaning import CleanerProcess
from standfast.runtime.journal import FILE_OCTETS, Journal
from standfast.runtime.recording import intent_facts, outcome_facts, plan_facts
from standfast.runtime.setbacks import SetBacks
from world.invented import STREAM, ZONE, Actor, World

Line = dict[str, Any]


class JournalingWorld(World):
    """The invented world, in which every actor keeps its journal in `folder`."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        plans: list[Plan],
        *,
        enactors: int = 2,
        make: Callable[[str], Actor] = Actor,
        file_octets: int = FILE_OCTETS,
    ) -> None:
        super().__init__(seed, plans, enactors=enactors, make=make)
        self._journals = {
            actor.name: Journal(folder, "enactor", actor.name, file_octets=file_octets) for actor in self.actors
        }
        self._set_backs = {actor.name: SetBacks(STREAM) for actor in self.actors}

    def answer(self, actor: Actor, request: object, *, faults: bool) -> object:
        """An intent is on disk before the change is sent."""
        reply = super().answer(actor, request, faults=faults)
        if isinstance(request, RecordIntent) and not isinstance(reply, Unrecorded):
            self._journals[actor.name].write("intent", **intent_facts(request))
        if isinstance(request, Replace) and isinstance(reply, Written):
            self._set_backs[actor.name].wrote(request)
        if isinstance(request, Read):
            for facts in self._set_backs[actor.name].read(request, reply, actor.core.plan):
                self._journals[actor.name].write("set_back", **facts)
        return reply

    def step(self, actor: Actor, *, faults: bool) -> None:
        """With `started` after each crash, and outcomes."""
        if not actor.started:
            self._journals[actor.name].write("started", stream=STREAM, observe=False)
            self._set_backs[actor.name] = SetBacks(STREAM)
        told = len(self.outcomes)
        super().step(actor, faults=faults)
        if not self.journal_broken:
            facts = [outcome_facts(one, 0.01) for one in self.outcomes[told:] if one.nonce]
            self._journals[actor.name].write_all("outcome", facts)

    def close(self) -> None:
        """All files."""
        for journal in self._journals.values():
            journal.close()


class Doctored:
    """The lines of a folder's journals, to be changed and put back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, list[Line]] = {
            path.name: [json.loads(line) for line in path.read_text().splitlines()]
            for path in sorted(folder.glob("*.jsonl"))
        }

    def lines(self, event: str) -> Iterator[tuple[str, int, Line]]:
        """(file, number from 1, line) of all lines of one event."""
        for name, lines in self.files.items():
            for number, line in enumerate(lines, 1):
                if line["event"] == event:
                    yield name, number, line

    def writes(self, act: str = "write", kind: str = "live") -> Iterator[tuple[str, int, Line, Line]]:
        """(file, number, intent, write) of all endpoints of all intents."""
        for name, number, line in self.lines("intent"):
            for write in line["writes"]:
                if write["act"] == act and write["kind"] == kind:
                    yield name, number, line, write

    def writes_of_version_1(self) -> list[Line]:
        """All endpoints of all intents, which say nothing of their kind."""
        return [write for _, _, line in self.lines("intent") for write in line["writes"]]

    def save(self) -> None:
        """Back to disk; a journal that was taken out is gone."""
        for path in self.folder.glob("*.jsonl"):
            if path.name not in self.files:
                path.unlink()
        for name, lines in self.files.items():
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (self.folder / name).write_text(text, encoding="utf-8")


class _Store:
    """The world's plan store for a process."""

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, request: StoreRequest) -> StoreReply:
        self._world.store, reply = store_spec.apply(self._world.store, request)
        return reply

    def changed(self) -> bool:
        return True


class _Zone:
    """The world's zone for a process that reads."""

    def __init__(self, world: World) -> None:
        self._world = world

    def prepare(self, request: Replace) -> None:
        raise AssertionError("a cleaner writes no zone")

    def post(self, request: Replace) -> bool:
        raise AssertionError("a cleaner writes no zone")

    def perform(self, request: ProviderRequest) -> ProviderReply:
        return provider_spec.apply(self._world.zone, request)[1]


CONFIG = f"""
zone: {{name: {ZONE}, provider: embedded, server: 127.0.0.1}}
load_balancers: {{lb-1: {{az: a, ip: [192.0.2.1]}}}}
health: none
endpoints: {{www: {{}}, api: {{}}}}
retention: {{plans: 1, days: 0}}
"""
POLICIES = (policy("www", min_answers=2), policy("api", min_answers=1))
FLEET = fleet(6)


def planned_history(folder: Path, seed: int, count: int = 12, file_octets: int = FILE_OCTETS) -> list[Plan]:
    """What a planner makes of load balancers that fail and come back, and its journal."""
    draw, now, plan = random.Random(seed), 1000.0, None
    down: set[str] = set()
    plans: list[Plan] = []
    journal = Journal(folder, "planner", "p", file_octets=file_octets)
    journal.write("started", stream=STREAM)
    while len(plans) < count:
        down ^= {draw.choice(FLEET.load_balancers).id} if plans else set()
        verdicts = {one.id: DOWN if one.id in down else UP for one in FLEET.load_balancers}
        drawn = planned(FLEET, verdicts, POLICIES, plan, now)
        now += draw.choice([30.0, 200.0, 700.0])
        if drawn.plan is None:
            continue
        record = replace(drawn.plan.record, sources=(("fleet", 1), ("health", len(plans) + 1)))
        over, plan = plan.head if plan else None, Plan(record, drawn.plan.shards)
        journal.write("planned", **plan_facts(plan, drawn.decisions, over, POLICIES, verdicts))
        plans.append(plan)
    journal.close()
    return plans


def record_run(folder: Path, seed: int, file_octets: int = FILE_OCTETS) -> JournalingWorld:
    """A planner, two enactors under delay, loss and repetition, and a cleaner; everything converges.

    Their files are closed when they have `file_octets`.
    """
    (folder / "journal").mkdir()
    plans = planned_history(folder / "journal", seed, file_octets=file_octets)
    world = JournalingWorld(folder / "journal", seed, plans, file_octets=file_octets)
    world.publish()
    while world.unpublished:
        if world.draw.random() < 0.03:
            world.publish()
        if world.late and world.draw.random() < 0.05:
            world.send(world.late.pop(0))
        world.step(world.draw.choice(world.actors), faults=True)
    for actor in world.actors:
        world.settle(actor)
    config, problems, _ = configuration.check(CONFIG, str(folder / "standfast.yaml"))
    assert config is not None, problems
    journal = Journal(folder / "journal", "cleaner", "c")
    zones: Any = {ZONE: _Zone(world)}  # as much of a provider as is asked here
    swept = CleanerProcess("c", config, _Store(world), zones, journal).sweep()
    assert swept.collected, swept.why
    journal.close()
    world.close()
    return world


def operate(world: World, folder: Path, command: Freezing) -> Ended:
    """Carry out a freeze or thaw on the world's zone, with a journal of its own."""
    journal = Journal(folder, "operator", command.writer)
    phase: Phase = begin(command)
    while not isinstance(phase, Ended):
        request = phase.request
        match request:
            case DrawNonce():
                world.nonces += 1
                reply: object = Nonce(f"{world.nonces:016x}")
            case RecordIntent():
                intent = request
                journal.write("intent", **intent_facts(request))
                reply = Recorded()
            case _:
                world.zone, reply = provider_spec.apply(world.zone, request)
        phase = phase.heard(reply)  # type: ignore[arg-type]  # paired with its request
        if isinstance(reply, Written):
            told = [Outcome(command.zone, one.name, "written", "", nonce=intent.nonce) for one in intent.writes]
            journal.write_all("outcome", [outcome_facts(one, 0.01) for one in told])
    journal.close()
    return phase
