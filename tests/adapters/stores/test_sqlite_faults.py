"""The SQLite store among hostile events: contention, kill -9, full disk, collection during publication.

Processes are forked while this one has no connection open. Seeds are fixed and part of every message.
"""

import os
import random
import resource
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from conformance.store_kit import publish_all, same_reply, sample_entry, sample_plan
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model.entry import Entry
from standfast.model.plan import Plan
from standfast.model.shards import Shards
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    Collected,
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
)

FORK = get_context("fork")


def in_child(act: Callable[[], str]) -> str:
    """What `act` returns (or how it failed) in a process of its own."""
    receiving, sending = FORK.Pipe(duplex=False)

    def run() -> None:
        try:
            sending.send(act())
        except BaseException as error:
            sending.send(f"{type(error).__name__}: {error}")

    child = FORK.Process(target=run)
    child.start()
    answer = receiving.recv()
    child.join()
    assert isinstance(answer, str)
    return answer


def head_plan(store: SqliteStore) -> Plan | None:
    """The head's plan, which must read whole."""
    reply = store.perform(ReadHead())
    assert isinstance(reply, HeadRead), reply
    if reply.head is None:
        return None
    plan = store.perform(ReadPlan(reply.head.digest))
    assert isinstance(plan, PlanRead), plan
    return plan.plan


def count_up(path: Path, writer: int, times: int) -> str:
    """Publish a plan whose counter is one above the head's, `times` times; the generations that were published."""
    store, won = SqliteStore(path), list[int]()
    while len(won) < times:
        before = head_plan(store)
        generation = before.generation + 1 if before else 1
        counted = int(before.record.policy) + 1 if before else 1
        shards = (before.shards if before else Shards.of([])).updated([sample_entry(writer, generation)])
        record = sample_plan(generation, shards).record
        plan = Plan(
            type(record)("main", generation, shards.digest, (), (), f"w{writer}", "", 0.0, str(counted)), shards
        )
        reply = store.perform(Publish(before.head if before else None, plan))
        if reply == Published():
            won.append(generation)
        elif not isinstance(reply, HeadMoved):
            return f"{reply}"
    store.close()
    return " ".join(map(str, won))


def test_head_is_compared_and_set_among_four_processes(tmp_path: Path) -> None:
    path = tmp_path / "plans.db"
    with FORK.Pool(4) as pool:
        answers = pool.starmap(count_up, [(path, writer, 50) for writer in range(4)], chunksize=1)
    won = sorted(int(generation) for answer in answers for generation in answer.split())
    assert won == list(range(1, 201))
    store = SqliteStore(path)
    last = head_plan(store)
    assert last is not None
    assert last.record.policy == "200", "an update was lost"
    plans = store.perform(ListPlans())
    assert isinstance(plans, PlanList)
    assert [plan.generation for plan in plans.plans] == list(range(200, 0, -1))
    assert store.check() == []
    store.close()


def publish_for_ever(path: Path, versions: list[Shards], acknowledge: int) -> None:
    """Publish whole new plans and collect old ones, telling each generation that was acknowledged."""
    store = SqliteStore(path)
    reply = store.perform(ReadHead())
    assert isinstance(reply, HeadRead)
    head = reply.head
    while True:
        generation = head.generation + 1 if head else 1
        plan = sample_plan(generation, versions[generation % len(versions)])
        assert store.perform(Publish(head, plan)) == Published()
        os.write(acknowledge, struct.pack("<Q", generation))
        head = plan.head
        store.perform(CollectPlans(tuple(range(max(1, generation - 8), generation - 1))))


def test_kill_9_in_mid_publish_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    seed, kills, path = 20251020, 24, tmp_path / "plans.db"
    generator = random.Random(seed)
    versions = [Shards.of(sample_entry(n, version) for n in range(2000)) for version in range(1, 6)]
    for version in versions:
        assert all(node.digest for node in version.nodes())  # computed before the fork, so that kills hit the writing
    acknowledged, published = 0, 0
    for kill in range(kills):
        reading, writing = os.pipe()
        child = FORK.Process(target=publish_for_ever, args=(path, versions, writing))
        child.start()
        os.close(writing)
        first = os.read(reading, 8) if kill % 2 else b""  # every other child has surely begun when it is killed
        time.sleep(generator.uniform(0.005, 0.06))
        assert child.is_alive(), "it must be the kill that ends it"
        child.kill()
        child.join()
        with os.fdopen(reading, "rb") as pipe:
            told = [generation for (generation,) in struct.iter_unpack("<Q", first + pipe.read())]
        acknowledged, published = max([acknowledged, *told]), published + len(told)
        store = SqliteStore(path)
        plan = head_plan(store)
        found = plan.generation if plan else 0
        where = f"seed {seed}, kill {kill}: head {found}, acknowledged {acknowledged}"
        assert acknowledged <= found <= acknowledged + 1, where
        assert plan is None or list(plan.shards) == list(versions[found % len(versions)]), where
        assert store.check() == [], where
        acknowledged = found
        store.close()
    assert published >= kills // 2, (
        f"seed {seed}: only {published} generations were published; the kills came too early"
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a disk of 3 MB where this process may mount one, else an ordinary one."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "standfast-test", str(tmp_path)], check=False)
    yield tmp_path
    if mounted.returncode == 0:
        subprocess.run(["umount", str(tmp_path)], check=True)


def fill_until_unknown(store: SqliteStore, start: int) -> tuple[Plan, str]:
    """Publish ever new contents until it fails: the last plan acknowledged, and what was said."""
    last = head_plan(store)
    assert last is not None
    for generation in range(start, start + 400):
        plan = sample_plan(generation, [sample_entry(n, generation) for n in range(200)])
        reply = store.perform(Publish(last.head, plan))
        if isinstance(reply, Unknown):
            return last, reply.why
        assert reply == Published()
        last = plan
    raise AssertionError("the disk never filled")


def test_a_full_disk_is_unknown_loses_nothing_and_heals(small_disk: Path) -> None:
    ballast, path = small_disk / "ballast", small_disk / "plans.db"
    store = SqliteStore(path)
    publish_all(store, [sample_plan(1, [sample_entry(n, 1) for n in range(200)])])
    if os.path.ismount(small_disk):
        ballast.write_bytes(bytes(1_500_000))
    else:
        store._connection.execute("PRAGMA max_page_count=150")
    last, why = fill_until_unknown(store, 2)
    assert "full disk" in why
    assert "Make room" in why
    for _ in range(3):
        assert store.perform(ReadHead()) == HeadRead(last.head)
        assert isinstance(store.perform(PutSource("fleet", 1, bytes(1_000_000))), Unknown)
        assert same_reply(store.perform(ReadPlan(last.digest)), PlanRead(last))
    ballast.unlink(missing_ok=True)
    store._connection.execute("PRAGMA max_page_count=1000000")
    following = sample_plan(1000, [sample_entry(n, 7) for n in range(200)])
    assert store.perform(Publish(last.head, following)) == Published()
    assert store.check() == []
    store.close()


def test_a_file_that_may_not_grow_is_unknown_loses_nothing_and_heals(tmp_path: Path) -> None:
    def act() -> str:
        store = SqliteStore(tmp_path / "plans.db")
        publish_all(store, [sample_plan(1, [sample_entry(n, 1) for n in range(200)])])
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
        last, why = fill_until_unknown(store, 2)
        assert store.perform(ReadHead()) == HeadRead(last.head)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        fresh = SqliteStore(tmp_path / "plans.db")
        assert same_reply(fresh.perform(ReadPlan(last.digest)), PlanRead(last))
        assert store.perform(Publish(last.head, sample_plan(1000, last.shards))) == Published()
        assert fresh.check() == []
        return why

    assert "Check the disk" in in_child(act)


def test_several_processes_may_create_the_file_at_once(tmp_path: Path) -> None:
    for attempt in range(5):
        with FORK.Pool(4) as pool:
            pool.starmap(count_up, [(tmp_path / f"{attempt}.db", writer, 2) for writer in range(4)], chunksize=1)
        store = SqliteStore(tmp_path / f"{attempt}.db")
        plan = head_plan(store)
        assert plan is not None
        assert plan.generation == 8
        store.close()
    assert not [found for found in tmp_path.iterdir() if ".new-" in found.name]


def test_without_permission_to_write_reading_goes_on() -> None:
    def act() -> str:
        if os.getuid() == 0:
            os.setuid(65534)
        store = SqliteStore(path)
        assert same_reply(store.perform(ReadPlan(plan.digest)), PlanRead(plan))
        reply = store.perform(Publish(plan.head, sample_plan(2, plan.shards)))
        assert store.perform(ReadHead()) == HeadRead(plan.head)
        return reply.why if isinstance(reply, Unknown) else f"{reply}"

    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        os.chmod(directory, 0o755)  # noqa: S103 - must be reachable without being root
        path = Path(directory) / "plans.db"
        plan = sample_plan(1, [sample_entry(n, 1) for n in range(50)])
        holder = FORK.Process(target=hold_open, args=(path, plan))
        holder.start()
        while not Path(f"{path}.ready").exists():
            time.sleep(0.005)
        for found in Path(directory).iterdir():
            found.chmod(0o444)
        answer = in_child(act)
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
    assert "cannot be written" in answer
    assert "write permission" in answer


def hold_open(path: Path, plan: Plan) -> None:
    """Publish the plan and keep the file open until killed."""
    publish_all(SqliteStore(path), [plan])
    Path(f"{path}.ready").touch()
    signal.pause()


def test_collection_leaves_no_unreachable_shard_and_takes_no_needed_one(tmp_path: Path) -> None:
    generator = random.Random(7)
    store = SqliteStore(tmp_path / "plans.db")
    shards, plans = Shards.of(sample_entry(n, 0) for n in range(1000)), list[Plan]()
    for generation in range(1, 101):
        changes = [sample_entry(n, generator.randrange(40)) for n in generator.sample(range(1000), 5)]
        shards = generator.choice([shards, *(plan.shards for plan in plans[-9:])]).updated(changes)
        plans.append(sample_plan(generation, shards))
    publish_all(store, plans)
    kept = {100}
    for round_ in range(4):
        kept |= set(generator.sample(range(1, 101), 3))
        doomed = tuple(g for g in range(1, 101) if g % 4 <= round_ and g not in kept)
        store.perform(CollectPlans(doomed))
        stored = {digest for (digest,) in store._connection.execute("SELECT digest FROM nodes")}
        listed = store.perform(ListPlans())
        assert isinstance(listed, PlanList)
        left = [plans[summary.generation - 1] for summary in listed.plans]
        assert stored == {node.digest for plan in left for node in plan.shards.nodes()}, f"seed 7, round {round_}"
    fresh = SqliteStore(tmp_path / "plans.db")
    for plan in left:
        assert same_reply(fresh.perform(ReadPlan(plan.digest)), PlanRead(plan))
    assert fresh.check() == []
    fresh.close()
    store.close()


def test_collecting_one_plan_reads_what_it_differs_in_and_not_the_rest(tmp_path: Path) -> None:
    store, statements = SqliteStore(tmp_path / "plans.db"), list[str]()
    shards, plans = Shards.of(sample_entry(n, 0) for n in range(3000)), list[Plan]()
    for generation in range(1, 11):
        shards = shards.updated([sample_entry(generation, generation)])
        plans.append(sample_plan(generation, shards))
    publish_all(store, plans)
    store._connection.set_trace_callback(statements.append)
    assert store.perform(CollectPlans((5,))) == Collected((5,))
    read = sum(statement.count('"') // 2 for statement in statements if "json_each" in statement)
    assert 0 < read < 150
    assert len(list(shards.nodes())) > 500
    store.close()


def publish_and_read(path: Path, writer: int, times: int) -> str:
    """Publish contents that come and go, and read each through a new connection; what went wrong."""
    store = SqliteStore(path)
    bases = [Shards.of(sample_entry(n, version) for n in range(150)) for version in range(3)]
    done = 0
    while done < times:
        head = store.perform(ReadHead())
        if not isinstance(head, HeadRead):
            return f"{head}"
        entry: Entry = sample_entry(writer, done % 5)
        generation = head.head.generation + 1 if head.head else 1
        plan = sample_plan(generation, bases[done % 3].updated([entry]), author=f"w{writer}")
        reply = store.perform(Publish(head.head, plan))
        if isinstance(reply, HeadMoved):
            continue
        fresh = SqliteStore(path)
        read = fresh.perform(ReadPlan(plan.digest))
        fresh.close()
        if reply != Published() or not (read == PlanMissing() or same_reply(read, PlanRead(plan))):
            return f"generation {generation}: {reply}, {read}"
        done += 1
    return ""


def collect_for_ever(path: Path) -> None:
    """Collect whatever is not the head, without pause."""
    store = SqliteStore(path)
    while True:
        plans = store.perform(ListPlans())
        assert isinstance(plans, PlanList)
        store.perform(CollectPlans(tuple(plan.generation for plan in plans.plans)))


def test_collection_during_publication_of_the_same_shards_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "plans.db"
    collector = FORK.Process(target=collect_for_ever, args=(path,))
    collector.start()
    with FORK.Pool(2) as pool:
        answers = pool.starmap(publish_and_read, [(path, writer, 60) for writer in range(2)], chunksize=1)
    assert collector.is_alive()
    collector.kill()
    collector.join()
    assert answers == ["", ""]
    store = SqliteStore(path)
    assert head_plan(store) is not None
    assert store.check() == []
    store.close()
