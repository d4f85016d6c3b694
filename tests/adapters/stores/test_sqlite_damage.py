"""The SQLite store on files that are damaged, cut off, replaced or somebody else's: Unknown or refused, never wrong."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.store_kit import publish_all, same_reply, sample_entry, sample_plan
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.errors import StoreError
from standfast.model.plan import Plan
from standfast.model.shards import Shards
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    CollectPlans,
    HeadRead,
    ListPlans,
    Pin,
    Publish,
    PutSource,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceStored,
    StoreReply,
    StoreRequest,
)


class Filled:
    """The octets of a sound file, and the truth about each question."""

    def __init__(self, directory: Path) -> None:
        path = directory / "sound.db"
        store = SqliteStore(path)
        shards, plans = Shards.of(sample_entry(n, 0) for n in range(250)), list[Plan]()
        for generation in range(1, 21):
            shards = shards.updated([sample_entry(generation * 7, generation)])
            plans.append(sample_plan(generation, shards))
        publish_all(store, plans)
        store.perform(Pin(3, "kept"))
        store.perform(PutSource("fleet", 4, bytes(range(256)) * 40))
        store.perform(CollectPlans((1, 2, 5)))
        asked: list[StoreRequest] = [ReadHead(), ListPlans(), ReadSource("fleet"), ReadSource("none")]
        asked.extend(ReadPlan(plan.digest) for plan in (plans[0], plans[2], plans[9], plans[19]))
        self.truth: list[tuple[StoreRequest, StoreReply]] = [(request, store.perform(request)) for request in asked]
        self.head = plans[-1]
        store.close()
        self.octets = path.read_bytes()

    def verdict(self, path: Path, octets: bytes) -> str:
        """How a store on these octets answers: "sound", "unknown" or "refused"; fails if it answers wrongly."""
        path.write_bytes(octets)
        try:
            store = SqliteStore(path)
        except StoreError as error:
            return "refused" if error.remedy else "refused without a remedy"
        try:
            replies = [store.perform(request) for request, _ in self.truth]
            for (request, wanted), found in zip(self.truth, replies, strict=True):
                assert isinstance(found, Unknown) or same_reply(found, wanted), f"{request} gave {found}"
            doubtful = any(isinstance(reply, Unknown) for reply in replies)
            problems = store.check()
            assert problems or not doubtful, "what cannot be read must be named by check()"
            assert all(str(path) in problem and "Restore it" in problem for problem in problems), problems
            store.perform(Publish(self.head.head, sample_plan(99, self.head.shards)))
            store.perform(CollectPlans((6, 7)))
            return "unknown" if doubtful else "sound"
        finally:
            store.close()
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)


def damaged(octets: bytes, generator: random.Random) -> bytes:
    """The file with a few bytes changed, a page zeroed or replaced by another, or cut off."""
    changed, pages = bytearray(octets), len(octets) // 4096
    page, other = (generator.randrange(pages) * 4096 for _ in range(2))
    kind = generator.choice(("bytes", "bytes", "bits", "start", "zeroed", "swapped", "cut"))
    if kind == "bytes":
        for _ in range(generator.randrange(1, 20)):
            changed[generator.randrange(len(changed))] = generator.randrange(256)
    elif kind == "bits":
        changed[page + generator.randrange(4096)] ^= 1 << generator.randrange(8)
    elif kind == "start":
        changed[page + generator.randrange(110)] ^= 1 << generator.randrange(8)
    elif kind == "zeroed":
        changed[page : page + 4096] = bytes(4096)
    elif kind == "swapped":
        changed[page : page + 4096] = octets[other : other + 4096]
    else:
        del changed[generator.randrange(len(changed)) :]
    return bytes(changed)


def test_a_damaged_file_is_unknown_or_refused_and_never_wrong(tmp_path: Path) -> None:
    filled = Filled(tmp_path)
    assert filled.verdict(tmp_path / "intact.db", filled.octets) == "sound"
    verdicts: dict[str, int] = {}
    for seed in range(250):
        try:
            verdict = filled.verdict(tmp_path / f"{seed}.db", damaged(filled.octets, random.Random(seed)))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    assert verdicts.keys() == {"sound", "unknown", "refused"}, verdicts
    assert verdicts["unknown"] > 50, verdicts
    assert verdicts["refused"] > 10, verdicts


@pytest.mark.parametrize(
    ("statement", "request_"),
    [
        ("DELETE FROM plans WHERE generation = 3", ListPlans()),
        ("DELETE FROM plans WHERE generation = 10", CollectPlans((6,))),
        ("DELETE FROM plans", ReadPlan("0" * 32)),
        ("DELETE FROM pins", CollectPlans((3,))),
        ("DELETE FROM pins", ListPlans()),
        ("DELETE FROM sources", ReadSource("fleet")),
        ("DELETE FROM sources", PutSource("fleet", 1, b"older")),
        ("DELETE FROM meta", ReadHead()),
        ("UPDATE meta SET generation = 19", ReadHead()),
        ("UPDATE plans SET reason = 'another' WHERE generation = 3", ListPlans()),
        ("UPDATE sources SET revision = 3", ReadSource("fleet")),
    ],
)
def test_a_row_that_is_gone_or_changed_is_not_taken_for_the_truth(
    tmp_path: Path, statement: str, request_: StoreRequest
) -> None:
    path = tmp_path / "plans.db"
    path.write_bytes(Filled(tmp_path).octets)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()
    store = SqliteStore(path)
    reply = store.perform(request_)
    assert isinstance(reply, Unknown), reply
    assert "Restore it" in reply.why
    assert store.check()
    store.close()


def test_a_file_cut_to_nothing_is_not_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "plans.db").touch()
    with pytest.raises(StoreError, match=r"is empty: it was cut off.*Restore it"):
        SqliteStore(tmp_path / "plans.db")


def test_a_log_without_its_file_is_not_played_into_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "plans.db-wal").write_bytes(b"frames")
    with pytest.raises(StoreError, match=r"of an earlier file is still there"):
        SqliteStore(tmp_path / "plans.db")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["plans.db-wal"]


def make_text(path: Path) -> None:
    path.write_text("zones:\n  example.com\n" * 100)


def make_foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (data)")
    connection.close()


def make_newer(path: Path) -> None:
    SqliteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=2")
    connection.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (make_text, "is not a plan store"),
        (make_foreign, "database of another application"),
        (make_newer, "schema version 2; this program knows version 1"),
        (Path.mkdir, "cannot be opened|cannot be read"),
    ],
)
def test_what_is_not_ours_is_refused_and_left_alone(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    path = tmp_path / "plans.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=message) as caught:
        SqliteStore(path)
    assert caught.value.remedy
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_missing_directory_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Check that its directory exists"):
        SqliteStore(tmp_path / "nowhere" / "plans.db")


def test_a_lock_held_too_long_is_unknown(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "plans.db", busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "plans.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    reply = store.perform(PutSource("fleet", 1, b""))
    assert isinstance(reply, Unknown)
    assert "locked by another process" in reply.why
    assert store.perform(ReadHead()) == HeadRead(None)
    other.execute("ROLLBACK")
    assert store.perform(PutSource("fleet", 1, b"")) == SourceStored(1)
    other.close()
    store.close()
    assert isinstance(store.perform(ReadHead()), Unknown)


def test_a_file_replaced_under_us_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "plans.db"
    store = SqliteStore(path)
    store.changed()
    path.rename(tmp_path / "moved.db")
    SqliteStore(tmp_path / "other.db").close()
    (tmp_path / "other.db").rename(path)
    assert store.changed()
    for request in (ReadHead(), PutSource("fleet", 1, b"")):
        reply = store.perform(request)
        assert isinstance(reply, Unknown)
        assert "Start this process again" in reply.why
    assert len(store.check()) == 1
    store.close()
