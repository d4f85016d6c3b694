"""A checker's door: nobody is left out, nothing old is made when the network is back, a dead AZ holds up no other."""

import heapq
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.recovery.checking import Checking

INTERVAL_S, LONGEST_S = 5.0, 2.0


class Checker:
    """A checker in virtual time. `takes` is how long a check of that one takes which begins now."""

    def __init__(self, fleet: dict[str, str], workers: int, takes: Callable[[str, float], float]) -> None:
        self.door, self.takes, self.now = Checking(INTERVAL_S, LONGEST_S, workers), takes, 0.0
        self.workers = workers
        self.ends: list[tuple[float, int, str, float]] = []
        self.made: dict[str, list[float]] = {name: [] for name in fleet}
        for name, az in fleet.items():
            self.door.add(name, az, 0.0)

    def until(self, end: float) -> None:
        while True:
            for number, name in self.door.begin(self.now):
                heapq.heappush(self.ends, (self.now + self.takes(name, self.now), number, name, self.now))
            assert len(self.ends) <= self.workers, "the load of checks is bounded"
            due = self.door.next_at()
            moments = [at for at in (self.ends[0][0] if self.ends else None, due) if at is not None and at > self.now]
            if not moments or min(moments) > end:
                self.now = end
                return
            self.now = min(moments)
            while self.ends and self.ends[0][0] <= self.now:
                _, number, name, began = heapq.heappop(self.ends)
                self.made[name].append(began)
                self.door.finished(number, began, INTERVAL_S, self.now)

    def longest_gap(self, name: str, since: float = 0.0) -> float:
        moments = [since, *(at for at in self.made[name] if at >= since), self.now]
        return max(b - a for a, b in itertools.pairwise(moments))


def fleet(**azs: int) -> dict[str, str]:
    return {f"{az}-{number}": az for az, count in azs.items() for number in range(count)}


def test_under_overload_everybody_has_the_same_number_of_turns() -> None:
    checker = Checker(fleet(a=30, b=30, c=30), 5, lambda name, now: 1.0)
    checker.until(300.0)
    counts = [len(made) for made in checker.made.values()]
    assert min(counts) >= max(counts) - 2
    assert sum(counts) >= 0.75 * 5 * 300


def test_when_the_network_is_back_each_was_checked_within_one_interval() -> None:
    """A thousand load balancers; each check takes its whole time-out until the network is back, then 20 ms."""
    checker = Checker(fleet(a=334, b=333, c=333), 64, lambda name, now: LONGEST_S if now < 100.0 else 0.02)
    checker.until(100.0)
    assert checker.door.behind(100.0) > INTERVAL_S
    checker.until(100.0 + LONGEST_S + INTERVAL_S)
    assert all(made[-1] >= 100.0 for made in checker.made.values())
    assert checker.door.behind(checker.now) == 0.0


def test_an_az_that_answers_nothing_holds_up_no_other() -> None:
    checker = Checker(fleet(a=200, b=200, c=200), 20, lambda name, now: LONGEST_S if name.startswith("a") else 0.02)
    checker.until(200.0)
    for name, made in checker.made.items():
        assert made, "nobody is left out"
        if not name.startswith("a"):
            assert checker.longest_gap(name, 20.0) <= 2 * INTERVAL_S, name


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_one_az_alone_is_checked_however_few_are_made_at_once(workers: int) -> None:
    checker = Checker(fleet(a=8), workers, lambda name, now: 0.5)
    checker.until(60.0)
    assert all(len(made) >= 8 for made in checker.made.values())


def test_who_was_replaced_is_checked_anew_and_the_old_check_says_nothing_of_it() -> None:
    door = Checking(INTERVAL_S, LONGEST_S, 4)
    door.add("a", "x", 0.0)
    ((number, _),) = door.begin(0.0)
    door.add("a", "x", 1.0)
    ((again, name),) = door.begin(1.0)
    assert (name, again != number) == ("a", True)
    door.finished(number, 0.0, INTERVAL_S, 1.5)
    assert door.next_at() is None, "it is being checked"
    door.remove("a")
    door.finished(again, 1.0, INTERVAL_S, 2.0)
    assert door.next_at() is None


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    workers=st.integers(1, 6),
    times=st.lists(st.floats(0.01, LONGEST_S), min_size=1, max_size=20),
)
def test_nobody_is_left_out_whatever_checks_take(counts: list[int], workers: int, times: list[float]) -> None:
    some = fleet(**{f"az{place}": count for place, count in enumerate(counts)})
    checker = Checker(some, workers, lambda name, now: times[(int(name.split("-")[1]) + int(now)) % len(times)])
    checker.until(240.0)
    bound = 3 * INTERVAL_S + 2 * LONGEST_S * (1 + len(some) / max(1, 0.5 * workers))
    assert max(checker.longest_gap(name) for name in some) <= bound
