"""Admission under asyncio, by itself: turns, refusals, who gives up, and who is turned out unbegun."""

import asyncio

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
