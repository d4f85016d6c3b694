"""An enactor's own copy of the newest plan: whole or not at all, and never a reason to stop."""

import random
import sqlite3
from pathlib import Path

import pytest

from conformance.store_kit import sample_entry, sample_plan
from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.errors import StoreError
from standfast.model.plan import Plan
from standfast.model.shards import Shards
from standfast.ports.local import KeepCopy, Kept, RecallCopy
from standfast.ports.provider import Unknown
from standfast.ports.store import PlanMissing, PlanRead


def recalled(path: Path) -> Plan | None:
    """The plan that a process started anew finds."""
    copy = DiskCopy(path)
    reply = copy.perform(RecallCopy())
    copy.close()
    assert isinstance(reply, PlanRead | PlanMissing), reply
    return reply.plan if isinstance(reply, PlanRead) else None


def chain(count: int, size: int = 300) -> list[Plan]:
    """Plans that differ in one entry each."""
    shards, plans = Shards.of(sample_entry(number, 0) for number in range(size)), list[Plan]()
    for generation in range(1, count + 1):
        shards = shards.updated([sample_entry(generation, generation)])
        plans.append(sample_plan(generation, shards))
    return plans


def test_nothing_was_kept_at_first_and_asking_makes_no_file(tmp_path: Path) -> None:
    assert recalled(tmp_path / "copy.db") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "generations",
    [
        pytest.param([1, 2, 3, 4, 5], id="rising"),
        pytest.param([3, 3, 3], id="the same again"),
        pytest.param([5, 2], id="lower, after a change of store"),
        pytest.param([1, 2, 1, 2, 1], id="to and fro"),
    ],
)
def test_the_plan_kept_last_is_recalled_whole(tmp_path: Path, generations: list[int]) -> None:
    plans, copy = chain(5), DiskCopy(tmp_path / "copy.db")
    for generation in generations:
        plan = plans[generation - 1]
        assert copy.perform(KeepCopy(plan)) == Kept()
        assert copy.last_error == ""
        found = recalled(tmp_path / "copy.db")
        assert found == plan
        assert list(found.shards) == list(plan.shards)
    copy.close()


def test_of_two_plans_of_one_generation_the_one_kept_last_stays(tmp_path: Path) -> None:
    first, fork = sample_plan(4, [sample_entry(1, 1)]), sample_plan(4, [sample_entry(1, 2)])
    copy = DiskCopy(tmp_path / "copy.db")
    for plan in (first, fork, first):
        copy.perform(KeepCopy(plan))
        assert copy.last_error == ""
        assert recalled(tmp_path / "copy.db") == plan
    copy.close()


def test_it_holds_the_last_two_plans_and_writes_only_what_differs(tmp_path: Path) -> None:
    copy, plans = DiskCopy(tmp_path / "copy.db"), chain(60, size=2000)
    for plan in plans:
        copy.perform(KeepCopy(plan))
    copy.close()
    connection = sqlite3.connect(tmp_path / "copy.db")
    assert connection.execute("SELECT generation FROM plans ORDER BY generation").fetchall() == [(59,), (60,)]
    stored = {digest for (digest,) in connection.execute("SELECT digest FROM nodes")}
    assert stored == {node.digest for plan in plans[-2:] for node in plan.shards.nodes()}
    (newest,) = connection.execute("SELECT max(rowid) FROM nodes").fetchone()
    connection.close()
    assert newest < len(stored) + 60 * 6, "shards that were there were written again"


def test_failing_to_keep_is_remembered_and_heals(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    (plan,) = chain(1)
    copy = DiskCopy(directory / "copy.db")
    assert copy.perform(KeepCopy(plan)) == Kept()
    assert "Check that its directory exists" in copy.last_error
    directory.mkdir()
    assert copy.perform(KeepCopy(plan)) == Kept()
    assert copy.last_error == ""
    assert recalled(directory / "copy.db") == plan
    copy.close()


def test_a_plan_store_is_not_taken_for_a_copy_nor_a_copy_for_a_store(tmp_path: Path) -> None:
    (plan,) = chain(1)
    SqliteStore(tmp_path / "plans.db").close()
    before = (tmp_path / "plans.db").read_bytes()
    copy = DiskCopy(tmp_path / "plans.db")
    assert copy.perform(KeepCopy(plan)) == Kept()
    assert "database of another application or purpose" in copy.last_error
    assert isinstance(copy.perform(RecallCopy()), Unknown)
    assert (tmp_path / "plans.db").read_bytes() == before
    DiskCopy(tmp_path / "copy.db").perform(KeepCopy(plan))
    with pytest.raises(StoreError, match="of another application or purpose"):
        SqliteStore(tmp_path / "copy.db")


def test_a_damaged_copy_is_never_a_wrong_plan_and_the_next_is_whole(tmp_path: Path) -> None:
    plans = chain(4)
    sound = DiskCopy(tmp_path / "sound.db")
    for plan in plans[:3]:
        sound.perform(KeepCopy(plan))
    sound.close()
    octets = (tmp_path / "sound.db").read_bytes()
    unknown = healed = 0
    for seed in range(100):
        generator, path = random.Random(seed), tmp_path / f"{seed}.db"
        changed = bytearray(octets)
        for _ in range(generator.randrange(1, 30)):
            changed[generator.randrange(100, len(changed))] = generator.randrange(256)
        if seed % 4 == 0:
            del changed[generator.randrange(len(changed)) :]
        path.write_bytes(changed)
        copy = DiskCopy(path)
        reply = copy.perform(RecallCopy())
        if isinstance(reply, Unknown):
            unknown += 1
        else:
            assert isinstance(reply, PlanRead), f"seed {seed}: {reply}"
            assert reply.plan == plans[2], f"seed {seed}"
            assert list(reply.plan.shards) == list(plans[2].shards), f"seed {seed}"
        copy.perform(KeepCopy(plans[3]))
        healed += not copy.last_error
        if not copy.last_error:
            found = DiskCopy(path).perform(RecallCopy())
            assert found == PlanRead(plans[3]), f"seed {seed}: {found}"
        copy.close()
    assert unknown > 30
    assert healed > 90
