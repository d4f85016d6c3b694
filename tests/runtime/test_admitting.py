"""Admission under asyncio, by itself: turns, refusals, who gives up, and who is turned out unbegun."""

import asyncio
import math
import threading

import pytest

from standfast.recovery.admission import Intake, Pace
from standfast.runtime.admitting import Admission, Busy


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def admission(rate: float = 10.0) -> tuple[Admission, Clock]:
    clock = Clock()
    return Admission(Intake(Pace(rate, measured=False), workers=1), clock), clock


async def work(door: Admission, name: str, log: list[str], go: asyncio.Event, within_s: float = 5.0) -> None:
    async with door.turn(within_s):
        log.append(name)
        await go.wait()


def test_one_at_a_time_and_a_place_that_is_given_up_is_free() -> None:
    async def scene() -> list[str]:
        door, _ = admission()
        log: list[str] = []
        go = asyncio.Event()
        first, gone, third = (asyncio.create_task(work(door, name, log, go)) for name in ("first", "gone", "third"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert log == ["first"]
        assert (door.intake.waiting, door.intake.running) == (2, 1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert door.intake.waiting == 1
        go.set()
        await asyncio.gather(first, third)
        assert (door.admitted, door.refused, door.intake.waiting, door.intake.running) == (2, 0, 0, 0)
        return log

    assert asyncio.run(scene()) == ["first", "third"]


def test_what_cannot_be_finished_in_time_is_refused_with_a_moment() -> None:
    async def scene() -> None:
        door, _ = admission(rate=1.0)
        with pytest.raises(Busy) as caught:
            async with door.turn(0.5):
                raise AssertionError("it must not be begun")
        assert caught.value.retry_after_s >= 1.0
        assert "in time" in caught.value.why
        assert (door.admitted, door.refused) == (0, 1)
        assert door.full(0.5)
        assert not door.full(5.0)
        assert door.full(5.0, arriving=5)

    asyncio.run(scene())


def test_who_waited_until_it_is_too_late_is_turned_out_unbegun() -> None:
    async def scene() -> None:
        door, clock = admission(rate=10.0)
        log: list[str] = []
        go = asyncio.Event()
        first = asyncio.create_task(work(door, "first", log, go))
        late = asyncio.create_task(work(door, "late", log, go, within_s=1.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        clock.now += 3.0
        go.set()
        _, outcome = await asyncio.gather(first, late, return_exceptions=True)
        assert isinstance(outcome, Busy)
        assert log == ["first"]
        assert (door.intake.waiting, door.intake.running) == (0, 0)

    asyncio.run(scene())


def test_an_error_in_what_was_admitted_frees_the_place() -> None:
    async def scene() -> None:
        door, _ = admission()
        with pytest.raises(ZeroDivisionError):
            async with door.turn(5.0):
                raise ZeroDivisionError
        async with door.turn(5.0):
            assert door.intake.running == 1

    asyncio.run(scene())


def test_who_gives_up_in_the_moment_in_which_it_is_turned_out_spoils_nothing_for_others() -> None:
    async def scene() -> None:
        door, clock = admission(rate=10.0)
        log: list[str] = []
        go = asyncio.Event()
        first, gone, late = (
            asyncio.create_task(work(door, name, log, go, within_s)) for name, within_s in
            (("first", 5.0), ("gone", 1.0), ("late", 1.0))
        )  # fmt: skip
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (door.intake.waiting, door.intake.running) == (2, 1)
        clock.now += 3.0
        go.set()
        gone.cancel()  # `first` turns it out in the next step, before it has heard of its own end
        _, pending = await asyncio.wait([first, gone, late], timeout=30.0)
        assert not pending
        assert first.exception() is None
        assert gone.cancelled()
        assert isinstance(late.exception(), Busy)
        assert (door.intake.waiting, door.intake.running) == (0, 0)

    asyncio.run(scene())


def test_who_waits_is_told_in_time_though_all_who_work_are_stuck() -> None:
    """Nobody ends, so nobody calls the next one: a timer of its own turns out who can't be served any more."""

    async def scene() -> None:
        door = Admission(Intake(Pace(1000.0, measured=False), workers=1))
        log: list[str] = []
        stuck = asyncio.Event()
        names = (("first", math.inf), ("patient", 0.3), ("late", 0.05))
        first, *others = (asyncio.create_task(work(door, name, log, stuck, within_s)) for name, within_s in names)
        done, _ = await asyncio.wait(others, timeout=20.0)
        assert [one for one in others if not isinstance(one.exception(), Busy)] == []
        assert len(done) == 2
        assert (log, door.refused, door.intake.waiting, door.intake.running) == (["first"], 2, 0, 1)
        stuck.set()
        await first
        async with door.turn(math.inf):
            assert door.intake.running == 1

    asyncio.run(scene())


def test_a_loop_that_ended_leaves_nothing_behind_that_another_one_waits_for() -> None:
    """As a door that stands in a module, under tests that each run a loop of their own."""
    door = Admission(Intake(Pace(1000.0, measured=False), workers=1))
    log: list[str] = []

    async def begun(go: asyncio.Event) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(work(door, name, log, go, math.inf)) for name in ("inside", "waits")]
        await asyncio.wait(tasks, timeout=0.01)
        return tasks

    async def second() -> None:
        async with asyncio.timeout(30.0), door.turn(5.0):
            log.append("second")

    go, loop = asyncio.Event(), asyncio.new_event_loop()
    tasks = loop.run_until_complete(begun(go))
    assert (door.intake.waiting, door.intake.running) == (1, 1)
    asyncio.run(second())
    assert (door.intake.waiting, door.intake.running) == (0, 0)
    go.set()
    inside, waits = loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
    assert inside is None
    assert isinstance(waits, Busy)
    assert log == ["inside", "second"]
    assert (door.intake.waiting, door.intake.running) == (0, 0), "what ended late took nothing from anybody"
    asyncio.run(second())


def test_two_loops_at_once_are_refused_in_words() -> None:
    """Futures of one loop that another thread sets wake nobody: it would hang."""
    door, _ = admission()
    raised: list[str] = []

    async def other() -> None:
        async with door.turn(5.0):
            raise AssertionError

    def elsewhere() -> None:
        try:
            asyncio.run(other())
        except RuntimeError as error:
            raised.append(str(error))

    async def scene() -> None:
        async with door.turn(5.0):
            thread = threading.Thread(target=elsewhere, daemon=True)
            thread.start()
            await asyncio.to_thread(thread.join, 20.0)

    asyncio.run(scene())
    assert raised == ["This Admission is of another event loop, which is running. Make one for each loop."]


def test_ten_times_too_much_with_people_who_give_up_and_work_that_fails_leaves_nothing_behind() -> None:
    async def client(door: Admission, number: int) -> None:
        async with door.turn(0.2, f"tenant {number}"):
            await asyncio.sleep(0.002)
            if number % 7 == 0:
                raise ZeroDivisionError

    async def scene() -> tuple[Admission, list[object]]:
        door = Admission(Intake(Pace(1000.0), workers=2))
        tasks = []
        for number in range(2000):
            tasks.append(asyncio.create_task(client(door, number)))
            if number % 50 == 0:
                await asyncio.sleep(0)
                tasks[number // 2].cancel()
                await asyncio.sleep(0.004)
        with pytest.raises(ValueError, match="no number"):
            async with door.turn(math.nan):
                raise AssertionError
        return door, list(await asyncio.gather(*tasks, return_exceptions=True))

    door, ends = asyncio.run(scene())
    kinds = {type(one) for one in ends}
    assert kinds <= {type(None), Busy, ZeroDivisionError, asyncio.CancelledError}
    assert sum(one is None for one in ends) > 20
    intake = door.intake
    left = (
        intake.waiting,
        intake.running,
        intake._inside,
        intake._queues,
        intake._fair.held,
        door._waiting,
        door._begun,
    )
    assert left == (0, 0, {}, {}, {}, {}, set())
