"""Overrides in the store: recorded by compare-and-set, obeyed at once, ended by their time, kept over a lost store."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.ports import free_port
from runtime.staging import Stage, eventually, stage
from standfast.model.fleet import AdminState
from standfast.model.override import EXPIRED_MAX, OVERRIDES_MAX, Override, Scope, cleared, given
from standfast.ports.store import PutSource, StoreReply, StoreRequest
from standfast.ports.store_spec import StoreState
from standfast.recovery import health
from standfast.runtime.journal import Journal
from standfast.runtime.overriding import (
    OVERRIDES,
    Change,
    OverrideBoard,
    Recorded,
    Unrecorded,
    forget_all,
    overrides_in,
    record,
)
from standfast.runtime.tidings import Tidings

ALL = ["lb-1", "lb-2", "lb-3", "lb-4"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(health, "SILENT_INTERVALS", 500)  # else a machine that stands still for 0.6 s is silence
    with stage(tmp_path, free_port()) as standing:
        yield standing


def override(target: str, state: AdminState, lasts_s: float = 60.0, scope: Scope = "load_balancer") -> Override:
    now = time.time()
    return Override(scope, target, state, "kernel", "bob@ops1", now, now + lasts_s)


def put(world: Stage, one: Override) -> None:
    assert isinstance(record(world.store.seat(), Change(one.scope, one.target, one), time.time()), Recorded)


def an_hour_later() -> float:
    """The clock by which what lasts a minute is over."""
    return time.time() + 3_600.0


def there(world: Stage) -> list[str]:
    known = overrides_in(world.store.state.source(OVERRIDES)[1])
    assert isinstance(known, tuple)
    return [one.target for one in known]


def test_a_drain_is_obeyed_at_once_told_and_ends_by_itself(world: Stage) -> None:
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    planner.process._look_s = 3_600.0  # no look finds it
    put(world, override("lb-2", "drain", 60.0))
    eventually(lambda: world.served() == ["lb-1", "lb-3", "lb-4"], "lb-2 out")
    assert [one["stage"] for one in planner.of("override")] == ["in force"]
    eventually(lambda: len(planner.of("planned")) == 2, "it is told, after it is in the store")
    (change,) = planner.of("planned")[-1]["changes"]
    assert [(one["load_balancer"], one["cause"], one["why"]) for one in change["leaving"]] == [
        ("lb-2", "configuration", "drained by bob@ops1: kernel")
    ]
    assert dict(world.store.published[-1].record.sources)[OVERRIDES] == 1
    planner.process._wall = an_hour_later
    eventually(lambda: world.served() == ALL, "lb-2 back by itself")
    assert there(world) == ["lb-2"], "it is kept, for whose clock may be ahead must not take it from others"
    assert [one["stage"] for one in planner.of("override")] == ["in force", "expired"]


def test_up_overrules_a_check_that_fails(world: Stage) -> None:
    world.balancers["lb-3"].kill()
    world.planner()
    eventually(lambda: world.served() == ["lb-1", "lb-2", "lb-4"], "a first plan without lb-3")
    put(world, override("lb-3", "up"))
    eventually(lambda: world.served() == ALL, "lb-3 in, by order")


def test_min_answers_holds_whatever_operators_say(world: Stage) -> None:
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    put(world, override("a", "down", scope="az"))
    eventually(lambda: len(world.served()) == 1, "all but one out")
    time.sleep(0.2)
    assert len(world.served()) == 1
    assert planner.process.plan is not None


def test_garbage_in_the_store_is_unknown_and_not_empty(world: Stage) -> None:
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    put(world, override("lb-1", "drain"))
    eventually(lambda: world.served() == ALL[1:], "lb-1 out")
    world.store.perform(PutSource(OVERRIDES, 9, b"{half"))
    eventually(lambda: [one for one in planner.of("notice") if one["kind"] == "override"], "it is told")
    world.balancers["lb-2"].kill()
    eventually(lambda: world.served() == ["lb-3", "lb-4"], "lb-1 is still drained")
    seat = world.store.seat()
    refused = record(seat, Change("load_balancer", "lb-1"), time.time())
    assert isinstance(refused, Unrecorded)
    assert "make no sense" in refused.why
    assert isinstance(forget_all(seat), Recorded)
    eventually(lambda: "lb-1" in world.served(), "lb-1 back")


def test_a_store_that_was_lost_gets_them_back(world: Stage) -> None:
    world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    put(world, override("lb-1", "drain"))
    eventually(lambda: world.served() == ALL[1:], "lb-1 out")
    with world.store.lock:
        world.store.state = StoreState()
    eventually(lambda: there(world) == ["lb-1"], "put back")
    eventually(lambda: world.store.state.head is not None, "published again")
    assert world.served() == ALL[1:]


def test_two_who_write_at_once_both_get_theirs_in(world: Stage) -> None:
    seat = world.store.seat()

    class Slow:
        """Somebody else puts something between our reading and our putting."""

        def __init__(self) -> None:
            self.meddled = False

        def changed(self) -> bool:
            return False

        def perform(self, request: StoreRequest) -> StoreReply:
            if isinstance(request, PutSource) and not self.meddled:
                self.meddled = True
                put(world, override("lb-4", "drain"))
            return seat.perform(request)

    one = override("lb-1", "drain")
    done = record(Slow(), Change(one.scope, one.target, one), time.time())
    assert isinstance(done, Recorded)
    assert there(world) == ["lb-1", "lb-4"]


def test_what_is_not_there_cannot_be_ended_and_there_are_not_endlessly_many(world: Stage) -> None:
    seat = world.store.seat()
    nothing = record(seat, Change("az", "b"), time.time())
    assert isinstance(nothing, Unrecorded)
    assert nothing.kind == "none"
    body = b"[" + b",".join(b'["az"]' for _ in range(OVERRIDES_MAX)) + b"]"
    assert not isinstance(overrides_in(body), tuple)
    assert not isinstance(overrides_in(b" " * (2 << 20)), tuple)
    world.store.away = True
    lost = record(seat, Change("az", "b"), time.time())
    assert isinstance(lost, Unrecorded)
    assert lost.kind == "unknown"


def test_what_cannot_be_understood_is_not_written_over_when_another_ends(world: Stage) -> None:
    """A newer version may have put it: it is unknown, and it is not for us to take it away."""
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    put(world, override("lb-2", "drain", 60.0))
    eventually(lambda: world.served() == ["lb-1", "lb-3", "lb-4"], "lb-2 out")
    revision = world.store.state.source(OVERRIDES)[0]
    newer = b'{"overrides":[{"scope":"rack","target":"r1"}]}'
    world.store.perform(PutSource(OVERRIDES, revision + 1, newer))
    planner.process._wall = an_hour_later
    eventually(lambda: world.served() == ALL, "lb-2 back by itself")
    assert world.store.state.source(OVERRIDES) == (revision + 1, newer)


def test_a_clock_that_is_days_ahead_takes_nothing_from_others(world: Stage) -> None:
    """It does not count there, and counts again when the clock is right; what stands in the store stays."""
    put(world, override("lb-2", "drain", 3600.0))
    told: list[Mapping[str, Any]] = []
    journal = Journal(world.folder, "planner", "ahead", listeners=(told.append,))
    board = OverrideBoard(world.store.seat(), Tidings(journal))
    now = time.time()
    assert board.look()
    assert board.turned(now)
    assert board.turned(now + 3 * 86_400.0)
    assert there(world) == ["lb-2"]
    assert board.turned(now), "the clock was set right"
    assert not board.turned(now + 1.0)
    stages = [one["stage"] for one in told if one["event"] == "override"]
    assert stages == ["in force", "expired", "in force"]


def test_what_has_expired_is_kept_in_bounds() -> None:
    """Those that ended last; what is in force is never touched for their sake."""
    lasting = tuple(override(f"lb-{n}", "drain", 3600.0) for n in range(5))
    over = tuple(override(f"old-{n:03}", "drain", -float(n + 1)) for n in range(EXPIRED_MAX + 50))
    after = given((*lasting, *over), override("new", "down"), time.time())
    names = {one.target for one in after}
    assert names >= {"new", *(one.target for one in lasting)}
    assert names & {one.target for one in over} == {f"old-{n:03}" for n in range(EXPIRED_MAX)}
    assert {one.target for one in cleared(after, "load_balancer", "new", time.time())} == names - {"new"}
