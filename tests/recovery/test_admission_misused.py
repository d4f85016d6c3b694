"""The door as people misuse it, and what nobody thought of: no number, a clock that jumps, a crowd that leaves."""

from collections.abc import Callable
from math import inf, nan

import pytest

from standfast.recovery.admission import Fair, Intake, Pace, RetryBudget, SlowStart


class Counted:
    """A key that counts with how many others it is compared."""

    compared = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return isinstance(other, Counted) and self.number == other.number


@pytest.mark.parametrize(
    "made",
    [
        *(lambda rate=rate: Pace(rate) for rate in (0.0, -1.0, nan, inf)),
        *(lambda workers=workers: Intake(Pace(1.0), workers) for workers in (0, -1)),
        *(lambda least=least: Intake(Pace(1.0), least_s=least) for least in (-1.0, nan, inf)),
        lambda: Intake(Pace(1.0), room_max=0),
        lambda: Intake(Pace(1.0), soonest_s=nan),
        *(lambda alpha=alpha: Fair(alpha) for alpha in (0.0, -4.0, nan)),
        *(lambda share=share: RetryBudget(share=share) for share in (-0.1, nan, inf)),
        lambda: RetryBudget(floor_per_s=nan),
        lambda: RetryBudget(left=nan),
        *(lambda window=window: SlowStart(window) for window in (-1.0, nan)),
        lambda: SlowStart(60.0, least=0.0),
        lambda: SlowStart(60.0, steps=0),
        lambda: Intake[str](Pace(1.0)).offer("one", 0.0, nan),
    ],
)
def test_what_makes_no_sense_is_said_at_once(made: Callable[[], object]) -> None:
    """Else a budget of NaN would pay for every retry, and a pace of none divide by it when the first is refused."""
    with pytest.raises(ValueError, match=r"not|no number|or more"):
        made()


def test_infinite_patience_is_allowed_and_fills_no_more_than_the_room() -> None:
    intake: Intake[int] = Intake(Pace(1.0), room_max=10, fair=Fair(inf))
    assert sum(intake.offer(key, 0.0, inf).admitted for key in range(20)) == 10
    assert not intake.offer(99, 0.0, -inf).admitted
    assert RetryBudget(floor_per_s=0.0, left=0.0).wait_s(5.0) == inf
    assert SlowStart(inf).share(0.0, 1e9) == 0.25


def test_a_key_that_is_inside_and_one_that_is_not_begun_are_errors_that_change_nothing() -> None:
    intake: Intake[str] = Intake(Pace(10.0))
    assert intake.offer("one", 0.0, 5.0).admitted
    with pytest.raises(ValueError, match="'one' is inside already"):
        intake.offer("one", 0.0, 5.0)
    for key in ("one", "two"):
        with pytest.raises(KeyError):
            intake.done(key, 0.0)
    work, _ = intake.begin(0.0)
    assert work is not None
    intake.done("one", 0.1)
    assert (intake.waiting, intake.running, intake.begin(0.2)) == (0, 0, (None, ()))


def test_a_crowd_that_gives_up_costs_what_it_is_and_leaves_nothing_behind_a_patient_one() -> None:
    """Ten thousand connections are lost at once; or they come and go for an hour while one waits."""
    intake: Intake[Counted] = Intake(Pace(1e6, measured=False), fair=Fair(inf))
    keys = [Counted(number) for number in range(10_000)]
    assert all(intake.offer(key, 0.0, 1000.0 + key.number).admitted for key in keys)
    Counted.compared = 0
    for key in reversed(keys[1:]):
        assert intake.withdraw(key)
        assert len(intake._deadlines) <= 2 * intake.waiting + 64 + 1
    assert Counted.compared < 20 * len(keys)
    assert (intake.waiting, intake._fair.held) == (1, {"": 1})


@pytest.mark.parametrize("workers", [1, 8])
def test_a_pace_once_taken_for_nothing_shuts_nobody_out_for_ever(workers: int) -> None:
    """What stood behind the door hung for minutes, each thing took that long, and then it is well again."""
    intake: Intake[int] = Intake(Pace(100.0), workers)
    intake.pace.rate = 0.02
    ends: list[tuple[float, int]] = []
    done, tried = 0, 0
    for key in range(30_000):  # a thousand a second, each patient for one second; each takes 20 ms
        now = key / 1000
        while ends and ends[0][0] <= now:
            at, one = ends.pop(0)
            intake.done(one, at)
            done += 1
        admitted = intake.offer(key, now, now + 1.0).admitted
        tried += admitted and intake.pace.rate < 1.0
        while (work := intake.begin(now)[0]) is not None:
            ends.append((now + 0.02, work.key))
    assert intake.pace.rate == pytest.approx(workers / 0.02, rel=0.2)
    assert done > 0.7 * 28 * workers / 0.02
    assert tried <= 3, "and it is tried with one, not with all"


def test_while_it_stays_ill_one_a_second_is_tried_and_no_more() -> None:
    intake: Intake[int] = Intake(Pace(100.0))
    intake.pace.rate = 0.02
    begun, inside = list[float](), -1
    for key in range(100_000):  # ten seconds' work each, for a hundred seconds
        now = key / 1000
        if begun and now >= begun[-1] + 10.0 and intake.running:
            intake.done(inside, now)
        if intake.offer(key, now, now + 1.0).admitted:
            work, _ = intake.begin(now)
            assert work is not None
            begun.append(now)
            inside = work.key
    assert 9 <= len(begun) <= 11
    fixed: Intake[int] = Intake(Pace(0.02, measured=False))
    assert not fixed.offer(1, 0.0, 1.0).admitted, "a pace that is declared is nobody's to try"


def test_a_clock_that_goes_back_or_stands_still_breaks_nothing() -> None:
    intake: Intake[int] = Intake(Pace(100.0))
    key = 0
    for now in (1e9, 1e9 + 1, 5.0, 5.0, 5.0, 1e9, 0.0):
        for _ in range(40):
            key += 1
            if intake.offer(key, now, now + 1.0).admitted and (work := intake.begin(now)[0]) is not None:
                intake.done(work.key, now)
            intake.pace.observed(10, 0.1, now)
        assert intake.running == 0
    assert 0.0 < intake.pace.rate < 1e9
    assert intake.offer(0, 10.0, 11.0).admitted
