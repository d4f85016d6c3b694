"""Whose turn it is: fairness under any load and churn, and what is too late to count."""

import pytest

from standfast.recovery.rota import Rota, Stall, too_late


def served(rota: Rota, now: float, free: int) -> list[str]:
    """Start whoever's turn it is, so many."""
    found: list[str] = []
    while len(found) < free and (name := rota.next(now)) is not None:
        rota.started(name)
        found.append(name)
    return found


def test_everybody_is_due_at_once_and_then_an_interval_after_the_check_before_began() -> None:
    rota = Rota(5.0)
    for name in "abc":
        rota.add(name, 10.0)
    assert served(rota, 10.0, 9) == ["a", "b", "c"]
    rota.finished("a", began=10.0, pause_s=5.2, now=10.5)
    assert rota.next(15.1) is None
    assert rota.next_at() == 15.2
    assert rota.next(15.2) == "a"


def test_under_overload_nobody_starves() -> None:
    """A tenth of what would be needed: everybody is checked, every time in the same order."""
    rota, names = Rota(5.0), [f"lb-{number:03}" for number in range(100)]
    for name in names:
        rota.add(name, 0.0)
    counts = dict.fromkeys(names, 0)
    for second in range(500):
        for name in served(rota, float(second), 2):
            counts[name] += 1
            rota.finished(name, float(second), 5.0, second + 1.0)
    assert set(counts.values()) == {10}
    assert rota.behind(500.0) > 40.0
    assert rota.pace_s(500.0) == 20.0, "the interval is stretched four times, not for ever"
    assert rota.waiting(500.0) > 80


def test_churn_takes_no_turn_from_anybody_and_queues_nothing_twice() -> None:
    """Half of the fleet is replaced every second, and the others are checked as often as if it were not."""
    rota, steady = Rota(5.0), [f"steady-{number}" for number in range(20)]
    for name in steady:
        rota.add(name, 0.0)
    counts = dict.fromkeys(steady, 0)
    for second in range(400):
        for number in range(20):
            rota.add(f"new-{number}", float(second))
        for name in served(rota, float(second), 4):
            counts[name] = counts.get(name, 0) + 1
            rota.finished(name, float(second), 5.0, second + 0.5)
    assert min(counts[name] for name in steady) >= 70
    assert max(counts[name] for name in steady) <= min(counts[name] for name in steady) + 1
    assert rota.waiting(400.0) <= 40


def test_who_is_gone_is_not_checked_and_its_last_check_queues_nothing() -> None:
    rota = Rota(5.0)
    rota.add("a", 0.0)
    assert served(rota, 0.0, 1) == ["a"]
    rota.remove("a")
    rota.finished("a", 0.0, 5.0, 1.0)
    assert rota.next_at() is None


def test_the_check_of_an_earlier_target_does_not_count_for_the_later_one() -> None:
    rota = Rota(5.0)
    rota.add("a", 0.0)
    served(rota, 0.0, 1)
    rota.add("a", 1.0)
    rota.finished("a", 0.0, 5.0, 1.5)
    assert served(rota, 1.5, 9) == ["a"]


def test_falling_behind_is_told_from_half_an_interval_until_it_has_caught_up() -> None:
    rota = Rota(10.0)
    rota.add("a", 0.0)
    assert [rota.behind(at) for at in (4.9, 5.1, 1.5, 0.9, 4.9)] == [0.0, 5.1, 1.5, 0.0, 0.0]
    rota = Rota(10.0)
    assert rota.behind(100.0) == 0.0


@pytest.mark.parametrize(
    ("began", "finished", "stalls", "late"),
    [
        (0.0, 2.4, [], False),
        (0.0, 3.1, [], True),
        (0.0, 2.0, [Stall(1.9, 1.2)], True),
        (0.0, 2.0, [Stall(0.5, 0.4), Stall(1.0, 0.4), Stall(1.9, 0.4)], True),
        (0.0, 2.0, [Stall(1.9, 0.9)], False),
        (10.0, 12.0, [Stall(9.9, 5.0)], False),
        (10.0, 12.0, [Stall(12.5, 5.0)], True),
    ],
)
def test_a_check_that_this_machine_delayed_says_nothing(
    began: float, finished: float, stalls: list[Stall], late: bool
) -> None:
    assert bool(too_late(began, finished, 2.0, stalls)) is late
