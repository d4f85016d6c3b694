"""The door, in whatever weather: who is admitted finishes in time, tenants are treated alike, budgets hold."""

import heapq
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.recovery.admission import OVERBOOKED, Fair, Intake, Pace, RetryBudget, SlowStart, pause_s

LOTS = settings(max_examples=300, deadline=None)
ARRIVALS = st.lists(
    st.tuples(st.floats(0, 0.5), st.floats(0.01, 4.0), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=120
)


@dataclass
class Shop:
    """Does what an intake gives it; `took` is how long each thing takes, in shares of what the pace says."""

    intake: Intake[int]
    took: float = 1.0
    running: list[tuple[float, int]] = field(default_factory=list)
    begun: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)
    out: list[int] = field(default_factory=list)

    def until(self, now: float) -> None:
        """Everything that is finished by `now`, and what begins then."""
        while self.running and self.running[0][0] <= now:
            at, key = heapq.heappop(self.running)
            self.ended[key] = at
            self.intake.done(key, at)
            self.fill(at)

    def fill(self, now: float) -> None:
        while True:
            work, out = self.intake.begin(now)
            self.out.extend(one.key for one in out)
            if work is None:
                return
            self.begun[work.key] = now
            each = self.intake.workers / self.intake.pace.rate
            heapq.heappush(self.running, (now + each * self.took, work.key))


@LOTS
@given(ARRIVALS, st.integers(1, 4), st.sampled_from([1.0, 7.0, 50.0]), st.floats(0.05, 1.0), st.booleans())
def test_who_is_admitted_finishes_in_time_in_whatever_order(
    arrivals: list[tuple[float, float, str]], workers: int, rate: float, took: float, newest_first: bool
) -> None:
    shop = Shop(Intake(Pace(rate, measured=False), workers, interval_s=0.0 if newest_first else 1e9, target_s=-1), took)
    now, deadlines = 0.0, {}
    for key, (pause, patience, tenant) in enumerate(arrivals):
        now += pause
        shop.until(now)
        offer = shop.intake.offer(key, now, now + patience, tenant)
        if offer.admitted:
            deadlines[key] = now + patience
        else:
            assert offer.retry_after_s >= 1.0
            assert offer.why
        shop.fill(now)
    shop.until(1e9)
    assert not shop.out
    assert shop.ended.keys() == deadlines.keys()
    for key, deadline in deadlines.items():
        assert shop.ended[key] <= deadline + 1e-6
    assert shop.intake.waiting == shop.intake.running == 0


@LOTS
@given(ARRIVALS, st.floats(1.0, 6.0))
def test_slower_than_measured_nothing_is_begun_that_cannot_finish(
    arrivals: list[tuple[float, float, str]], took: float
) -> None:
    shop = Shop(Intake(Pace(10.0, measured=False)), took)
    now, deadlines = 0.0, {}
    for key, (pause, patience, tenant) in enumerate(arrivals):
        now += pause
        shop.until(now)
        if shop.intake.offer(key, now, now + patience, tenant).admitted:
            deadlines[key] = now + patience
        shop.fill(now)
    shop.until(1e9)
    for key, at in shop.begun.items():
        assert at + 0.1 <= deadlines[key] + 1e-6
    assert set(shop.out) | shop.ended.keys() == deadlines.keys()


def test_under_ten_times_the_load_goodput_is_the_capacity() -> None:
    shop = Shop(Intake(Pace(100.0)))
    deadlines = {}
    for key in range(20_000):  # 1,000 a second for 20 s, each patient for one second
        now = key / 1000
        shop.until(now)
        if shop.intake.offer(key, now, now + 1.0).admitted:
            deadlines[key] = now + 1.0
        shop.fill(now)
    shop.until(30.0)
    good = sum(at <= deadlines[key] + 1e-6 for key, at in shop.ended.items())
    assert good == len(deadlines) == pytest.approx(2000, rel=0.05)


def test_a_slower_server_is_measured_and_admits_less() -> None:
    shop = Shop(Intake(Pace(100.0)), took=4.0)
    for key in range(20_000):
        shop.until(key / 1000)
        shop.intake.offer(key, key / 1000, key / 1000 + 1.0)
        shop.fill(key / 1000)
    assert shop.intake.pace.rate == pytest.approx(100.0 * 0.25, rel=0.1) or shop.intake.pace.rate < 30
    assert shop.out


def test_what_was_taken_for_slow_is_found_to_be_quick_again_in_short_rows() -> None:
    shop, key = Shop(Intake(Pace(3.0))), 0
    for second in range(60):  # fifty at once each second, and then nobody
        shop.until(float(second))
        for _ in range(50):
            key += 1
            shop.intake.offer(key, float(second), second + 1.0)
            shop.took = shop.intake.pace.rate / 100.0  # 10 ms each
            shop.fill(float(second))
    assert shop.intake.pace.rate == pytest.approx(100.0, rel=0.2)


def test_what_was_taken_for_slow_is_found_to_be_quick_again() -> None:
    shop = Shop(Intake(Pace(100.0)))
    for key in range(40_000):
        now = key / 1000
        shop.took = shop.intake.pace.rate / 100.0  # 10 ms each
        shop.until(now)
        shop.intake.offer(key, now, now + 1.0)
        shop.fill(now)
        if key == 9_999:
            shop.intake.pace.rate = 3.0  # as after a standstill
    assert shop.intake.pace.rate == pytest.approx(100.0, rel=0.15)


def test_an_idle_server_is_not_taken_for_a_slow_one() -> None:
    shop = Shop(Intake(Pace(100.0)))
    for key in range(200):
        shop.until(float(key))
        assert shop.intake.offer(key, float(key), key + 1.0).admitted
        shop.fill(float(key))
    assert shop.intake.pace.rate == pytest.approx(100.0)


def test_refusals_hand_out_one_moment_after_another() -> None:
    intake: Intake[int] = Intake(Pace(10.0, measured=False))
    told = [intake.refused(0.0) for _ in range(600)]
    assert told[440:550] == pytest.approx([(441 + n) / (10 * OVERBOOKED) for n in range(110)])
    assert 1.0 < OVERBOOKED < 1.05
    assert max(told) <= 61.0
    assert min(told) == 1.0
    soon: Intake[int] = Intake(Pace(10.0, measured=False), soonest_s=0.3)
    assert [soon.refused(0.0) for _ in range(5)] == pytest.approx([0.3, 0.3, 0.3, 0.4 / 1.02, 0.5 / 1.02], rel=0.05)
    intake.backlog = 50
    assert max(intake.refused(0.0) for _ in range(1000)) <= 5.2, "no later than everybody who is out there needs"


def test_a_standing_queue_turns_to_the_newest_and_back() -> None:
    intake: Intake[int] = Intake(Pace(10.0, measured=False), target_s=0.25, interval_s=0.45)
    for key in range(10):
        assert intake.offer(key, 0.0, 10.0).admitted
    order, now = [], 0.0
    while (work := intake.begin(now)[0]) is not None:
        order.append(work.key)
        now += 0.1
        intake.done(work.key, now)
    assert order == [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]
    assert not intake.newest_first
    assert intake.offer(10, now, now + 10).admitted
    assert intake.withdraw(10)
    assert not intake.withdraw(10)


def test_a_crowd_of_one_tenant_leaves_room_and_turns_for_another() -> None:
    intake: Intake[int] = Intake(Pace(10.0, measured=False))
    crowd = sum(intake.offer(key, 0.0, 10.0, "crowd").admitted for key in range(500))
    assert 70 <= crowd <= 85
    assert intake.offer(1000, 0.0, 10.0, "other").admitted
    first, second = intake.begin(0.0)[0], None
    assert first is not None
    intake.done(first.key, 0.1)
    second = intake.begin(0.1)[0]
    assert second is not None
    assert {first.tenant, second.tenant} == {"crowd", "other"}


@LOTS
@given(st.lists(st.sampled_from("abcdef"), max_size=200), st.integers(4, 60))
def test_no_tenant_holds_more_than_its_part_of_the_room(asks: list[str], room: int) -> None:
    fair: Fair[str] = Fair(alpha=2.0)
    for tenant in asks:
        free = room - sum(fair.held.values())
        if fair.may_enter(tenant, free):
            fair.entered(tenant)
    assert sum(fair.held.values()) <= room
    assert max(Counter(fair.held).values(), default=0) <= 2 * room / 3 + 1


@LOTS
@given(
    st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=200),
    st.floats(0, 1),
    st.sampled_from([0.1, 1.0]),
)
def test_retries_never_exceed_their_budget(events: list[tuple[float, bool]], share: float, floor: float) -> None:
    budget, now, firsts, retries = RetryBudget(share, floor), 0.0, 0, 0
    for pause, first in events:
        now += pause
        if first:
            budget, firsts = budget.attempted(now), firsts + 1
        elif (less := budget.retried(now)) is not None:
            budget, retries = less, retries + 1
        else:
            assert budget.retried(now + budget.wait_s(now) + 1e-6) is not None
        assert retries <= 1 + share * firsts + floor * now + 1e-6
        assert budget.left <= budget.kept_max


@LOTS
@given(st.integers(0, 100), st.floats(0, 0.999), st.floats(0, 5000))
def test_a_pause_is_no_shorter_than_asked_for_and_bounded(attempt: int, chance: float, asked: float) -> None:
    pause = pause_s(attempt, chance, 0.5, 30.0, asked)
    assert min(asked, 3600.0) <= pause <= 3600.0 + 30.0


@LOTS
@given(st.floats(0, 1000), st.floats(0, 500), st.floats(0, 500))
def test_slow_start_rises_to_the_whole_weight_by_steps(returned: float, first: float, more: float) -> None:
    slow = SlowStart(120.0)
    early, late = slow.share(returned, returned + first), slow.share(returned, returned + first + more)
    assert 0.25 <= early <= late <= 1.0
    assert slow.share(returned, returned + 121.0) == 1.0
    assert slow.share(None, first) == SlowStart(0.0).share(returned, returned) == slow.share(returned, -1.0) == 1.0
    due = slow.next_at(returned, returned + first)
    assert (due is None) == (early == 1.0)
    if due is not None:
        assert slow.share(returned, due + 1e-6) > early
