"""One account's requests, shared by several who don't talk: by parts, and by what throttling tells each."""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.adapters.providers.route53.pace import SLOWEST, SPARE_PART, Pace
from standfast.laboratory.route53.throttle import Bucket
from standfast.runtime.company import FIRST_PART

fixed = settings(derandomize=True, deadline=None, max_examples=60, database=None)


class Clock:
    """Compressed time: whoever sleeps moves its own clock on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def busy(parts: Sequence[float], rate: float, burst: int, limit: Bucket, limit_clock: Clock, until: float) -> list[int]:
    """Everybody asks as often as its pace lets it; how often each was answered, and last how often AWS throttled. An
    answer takes up to a tenth of a second."""
    draw = random.Random(len(parts))
    clocks = [Clock() for _ in parts]
    paces = [Pace(rate, burst, clock=clock, sleep=clock.sleep) for clock in clocks]
    for pace, part in zip(paces, parts, strict=True):
        pace.allot(part, part)
    line = [(0.0, who) for who in range(len(parts))]
    counts = [0] * (len(parts) + 1)
    asked: list[tuple[float, int]] = []
    while line:
        at, who = heapq.heappop(line)
        if at > until:
            continue
        clocks[who].now = at
        assert paces[who].turn(1e9)
        heapq.heappush(asked, (clocks[who].now, who))
        while asked and (not line or asked[0][0] <= line[0][0]):
            when, asker = heapq.heappop(asked)
            limit_clock.now = when
            clocks[asker].now = when
            if limit.take():
                counts[asker] += 1
                paces[asker].went_well()
            else:
                counts[-1] += 1
                paces[asker].slow_down()
            heapq.heappush(line, (when + draw.uniform(0.001, 0.1), asker))
    return counts


@fixed
@given(st.integers(1, 8), st.floats(0.5, 10), st.integers(1, 50), st.randoms(use_true_random=False))
def test_parts_of_a_whole_stay_within_it(count: int, rate: float, burst: int, draw: random.Random) -> None:
    weights = [draw.uniform(0.2, 1.0) for _ in range(count)]
    parts = [weight / sum(weights) for weight in weights]
    clock = Clock()
    # Each has one turn at once, whatever its part.
    limit = Bucket(rate * 1.0001, burst + count, clock)
    counts = busy(parts, rate, burst, limit, clock, 60.0)
    assert counts[-1] == 0, "nobody was ever throttled"
    assert sum(counts) >= 0.9 * rate * 60.0, "and the whole is used"


def patrolled(parts: Sequence[float], rate: float, burst: int, until: float) -> int:
    """How many requests all of them make that have nothing to do but to patrol, in virtual seconds."""
    clock, made = Clock(), 0
    paces = [Pace(rate, burst, clock=clock, sleep=clock.sleep) for _ in parts]
    for pace, part in zip(paces, parts, strict=True):
        pace.allot(part, 1 / len(parts))
    while clock.now < until:
        clock.now += 0.02
        for pace in paces:
            if pace.spare():
                assert pace.turn(0.0)
                made += 1
    return made


@pytest.mark.parametrize("count", [2, 3, 8])
@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1), (2.0, 10), (10.0, 50)])
def test_several_patrols_ask_no_more_than_one(count: int, rate: float, burst: int) -> None:
    parts = [FIRST_PART, *([(1 - FIRST_PART) / (count - 1)] * (count - 1))]
    alone, together = patrolled([1.0], rate, burst, 120.0), patrolled(parts, rate, burst, 120.0)
    assert together <= 1.05 * alone + count, "each may go at once when it begins; time has steps here"
    assert 0.8 * rate * SPARE_PART * 120.0 <= alone <= rate * SPARE_PART * 120.0 + 1


@fixed
@given(st.integers(2, 6), st.floats(2, 8))
def test_who_knows_of_nobody_learns_it_by_throttling(count: int, rate: float) -> None:
    """Everybody takes the whole for its own: what AWS grants is used all the same, and shared about evenly."""
    clock = Clock()
    limit = Bucket(rate, 10, clock)
    counts = busy([1.0] * count, rate, 10, limit, clock, 600.0)
    answered = counts[:-1]
    grant = rate * 600.0
    assert sum(answered) >= 0.6 * grant
    assert min(answered) > 0
    assert counts[-1] <= 0.5 * (sum(counts)), "throttled requests stay the smaller part"


def test_throttling_halves_and_success_recovers_by_steps() -> None:
    clock = Clock()
    pace = Pace(2.0, 10, clock=clock, sleep=clock.sleep)
    pace.slow_down()
    assert pace.rate == 1.0
    pace.went_well()
    assert pace.rate == 1.1
    for _ in range(20):
        pace.slow_down()
    assert pace.rate == SLOWEST
    for _ in range(20):
        pace.went_well()
    assert pace.rate == 2.0
    pace.slow_down()
    pace.allot(0.25, 0.25)
    assert pace.rate == 0.25, "who is slowed stays so when the parts change"


def test_the_background_leaves_the_burst_alone() -> None:
    clock = Clock()
    pace = Pace(2.0, 10, clock=clock, sleep=clock.sleep)
    spared = 0
    for _ in range(6_000):  # a minute
        clock.now += 0.01
        if pace.spare():
            assert pace.turn(0.0)
            spared += 1
    assert 0.9 * 60 <= spared <= 2.0 * SPARE_PART * 60 + 1
    at = clock.now
    assert all(pace.turn(0.0) for _ in range(9)), "what is urgent finds the bucket full, but for one"
    assert clock.now == at
    assert not pace.spare(), "and goes first"


def test_who_ends_waits_for_no_turn_but_a_change_that_is_written_down_is_sent() -> None:
    pace, stop = Pace(0.1, 1), threading.Event()
    pace.end_with(stop)
    assert pace.turn(1.0), "the first one"
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    assert not pace.turn(60.0), "a turn in 10 s"
    assert time.monotonic() - began < 5
    assert pace.ending
    assert not pace.turn(60.0)
    assert pace.turn(60.0, last=True)
