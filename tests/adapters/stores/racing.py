"""Several processes on one plan store: what each publishes and reads, what is killed, what must stand at the end."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from conformance.store_kit import same_reply, sample_entry, sample_plan
from standfast.adapters.stores.plan_store import PlanStore
from standfast.model.plan import Head
from standfast.model.shards import Shards
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    CollectPlans,
    HeadMoved,
    HeadRead,
    ListPlans,
    PlanList,
    PlanMissing,
    PlanRead,
    Publish,
    Published,
    PutSource,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceMoved,
    SourceRead,
    SourceStored,
)

SPAWN = multiprocessing.get_context("spawn")
Open = Callable[[], PlanStore]
PATIENCE_S = 60.0


def started(act: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process of its own."""
    process = SPAWN.Process(target=act, args=arguments, daemon=True)
    process.start()
    return process


def publish_times(opened: Open, writer: int, times: int, results: Any) -> None:
    """Publish contents that come and go over whatever head there is; names a source that others raise.

    Tells (generation, digest) of each that it was told is published, or a text if anything is not as it must be.
    """
    store = opened()
    bases = [Shards.of(sample_entry(n, version) for n in range(120)) for version in range(3)]
    done, until = 0, time.monotonic() + PATIENCE_S
    while done < times:
        if time.monotonic() > until:
            results.put(f"writer {writer} came to {done} of {times}")
            return
        head, source = store.perform(ReadHead()), store.perform(ReadSource("count"))
        if not isinstance(head, HeadRead) or not isinstance(source, SourceRead):
            results.put(f"{head} {source}")
            return
        shards = bases[done % 3].updated([sample_entry(writer, done % 5)])
        generation = head.head.generation + 1 if head.head else 1
        plan = sample_plan(generation, shards, (("count", source.revision),), f"w{writer}")
        reply = store.perform(Publish(head.head, plan))
        if isinstance(reply, HeadMoved | SourceMoved):
            continue
        if isinstance(reply, Unknown):  # somebody else was faster for too long, or it is done: the next look says
            results.put(("unknown", plan.digest))
            continue
        read = store.perform(ReadPlan(plan.digest))
        if reply != Published() or not (read == PlanMissing() or same_reply(read, PlanRead(plan))):
            results.put(f"generation {generation}: {reply}, {read}")
            return
        results.put((generation, plan.digest))
        done += 1
    results.put(None)


def race_for_a_source(opened: Open, rounds: int) -> None:
    """Two writers put the same revision with bodies of their own at the same moment, round after round: one is taken,
    both find it there at once, and it is never put over."""
    gate, found = threading.Barrier(2, timeout=PATIENCE_S), list[list[bytes]]([[], []])
    troubles: list[str] = []

    def write(number: int) -> None:
        try:
            store = opened()
            for revision in range(1, rounds + 1):
                gate.wait()
                reply = store.perform(PutSource("raced", revision, f"{number} in {revision}".encode()))
                at_once = store.perform(ReadSource("raced"))
                gate.wait()
                if reply != SourceStored(revision) or at_once != store.perform(ReadSource("raced")):
                    troubles.append(f"{reply}; {at_once} at once, then {store.perform(ReadSource('raced'))}")
                found[number].append(at_once.body if isinstance(at_once, SourceRead) else b"")
            store.close()
        except threading.BrokenBarrierError:
            pass
        except Exception as error:
            troubles.append(repr(error))
            gate.abort()

    writers = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(2)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert not troubles, troubles
    assert len(found[0]) == rounds
    assert found[0] == found[1]


def collect_for_ever(opened: Open) -> None:
    """Collect whatever is not the head, again and again; and raise the source that plans name."""
    store, turn = opened(), 0
    while True:
        turn += 1
        if turn % 3 == 0:
            read = store.perform(ReadSource("count"))
            if isinstance(read, SourceRead):
                store.perform(PutSource("count", read.revision + 1, f"{turn}".encode()))
        plans = store.perform(ListPlans())
        if isinstance(plans, PlanList):
            store.perform(CollectPlans(tuple(plan.generation for plan in plans.plans)))
        time.sleep(0.05)


def publish_for_ever(opened: Open, writer: int) -> None:
    """Publish large and small plans until killed."""
    store, generator = opened(), random.Random(writer)
    while True:
        head = store.perform(ReadHead())
        if isinstance(head, HeadRead):
            shards = Shards.of(sample_entry(n, generator.randrange(9)) for n in range(generator.choice((5, 300))))
            generation = head.head.generation + 1 if head.head else 1
            store.perform(Publish(head.head, sample_plan(generation, shards, author=f"killed {writer}")))


def whole_head(store: PlanStore) -> Head | None:
    """The head, whose plan must be readable; as a process that was just started finds it."""
    reply = store.perform(ReadHead())
    for _ in range(20):
        if not isinstance(reply, Unknown):
            break
        time.sleep(0.3)
        reply = store.perform(ReadHead())
    assert isinstance(reply, HeadRead), reply
    if reply.head is not None:
        plan = store.perform(ReadPlan(reply.head.digest))
        assert isinstance(plan, PlanRead), plan
        assert plan.plan.head == reply.head
        assert len(list(plan.plan.shards)) == len(plan.plan.shards)
    return reply.head


def race(opened: Open, writers: int, times: int, *, collectors: int = 1) -> list[tuple[int, str]]:
    """Writers beside collectors, who also raise a source; what was published, by generation.

    Each plan's number is one above the head it replaced, so a lost update is a number that two have, or one too few.
    """
    results = SPAWN.Queue()
    collecting = [started(collect_for_ever, opened) for _ in range(collectors)]
    working = [started(publish_times, opened, writer, times, results) for writer in range(writers)]
    told: list[tuple[int, str]] = []
    try:
        ended = 0
        unknown = 0
        while ended < writers:
            one = results.get(timeout=2 * PATIENCE_S)
            assert not isinstance(one, str), one
            if one is None:
                ended += 1
            elif one[0] == "unknown":
                unknown += 1
            else:
                told.append(one)
        assert all(process.is_alive() for process in collecting)
    finally:
        for process in (*collecting, *working):
            process.kill()
            process.join()
    numbers = [generation for generation, _ in told]
    head = whole_head(opened())
    assert head is not None
    assert len(set(numbers)) == len(numbers) == writers * times, "two publications had one number"
    assert len(numbers) <= head.generation <= len(numbers) + unknown, "a publication was lost"
    if head.generation == max(numbers):
        assert (head.generation, head.digest) in told
    return sorted(told)
