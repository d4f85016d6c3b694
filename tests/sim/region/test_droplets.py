"""Cohorts are individual leases: the same counts come out, droplet for droplet, and of production's own book."""

import random

import pytest

from standfast.recovery.lease import Book
from standfast.sim.region.aging import Aging, Graced
from standfast.sim.region.door import Door
from standfast.sim.region.droplets import Leasing, Manager

DROPLETS = 10_000
TICK_S = 5.0
HOW = Leasing(check_s=300.0, timeout_s=60.0, rate=3.0, renewal=0.02, tick_s=TICK_S)
TERM_S = 900.0
DARK = (600.0, 3_000.0)
RESTART_S, END_S = 6_000.0, 10_500.0


def reaches(now: float) -> bool:
    return not DARK[0] <= now < DARK[1]


def both(aging: type[Aging] | None) -> tuple[Manager, Manager]:
    def one(apart: bool) -> Manager:
        ages = Aging(TERM_S) if aging is Aging else Graced(TERM_S, TICK_S, DROPLETS)
        return Manager(HOW, DROPLETS, ages, apart=apart)

    return one(False), one(True)


@pytest.mark.parametrize("aging", [Aging, Graced])
def test_cohorts_equal_ten_thousand_leases_kept_one_by_one(aging: type[Aging]) -> None:
    cohorts, singly = both(aging)
    seen, now = set(), 0.0
    while now < END_S:
        now += TICK_S
        if now == RESTART_S:
            for one in (cohorts, singly):
                one.restart(now)
                one.intake = 0.9 * HOW.rate
        for one in (cohorts, singly):
            one.step(now, reaches=reaches(now))
        assert (cohorts.leased, cohorts.queued, cohorts.done, cohorts.wasted, cohorts.calm) == (
            singly.leased, singly.queued, singly.done, singly.wasted, singly.calm
        ), now  # fmt: skip
        seen.add(cohorts.leased)
    assert (len(seen) > 100) == (aging is Aging), "as built leases go and come; with grace none is lost"


def test_with_grace_a_cohort_ages_as_productions_book_has_it() -> None:
    """Each droplet a holder in `Book`, the cohort of all in `Graced`: through silence of the store, and of droplets."""
    draw = random.Random(5)
    book: Book[int] = Book(TERM_S, TICK_S)
    ages = Graced(TERM_S, TICK_S, DROPLETS)

    class Cohort:
        def __init__(self, count: int) -> None:
            self.count, self.heard_at, self.heard = count, 0.0, 0.0

    cohorts = [Cohort(size) for size in (6_000, 3_000, 1_000)]
    names = [[f"{place} {number}" for number in range(one.count)] for place, one in enumerate(cohorts)]
    ages.begin(0.0)
    book.tick(-TICK_S)
    ended: set[int] = set()
    silent_from = {2: 1_000.0}
    for tick in range(1, 1_600):
        now = tick * TICK_S
        why = "the store is away" if 2_000.0 <= now < 5_000.0 or draw.random() < 0.02 else ""
        for place, one in enumerate(cohorts):
            if tick % 60 == place and now < silent_from.get(place, 1e9) and place not in ended and not why:
                one.heard_at, one.heard = now, ages.counted
                for name in names[place]:
                    book.renew(name, 1, now)
        gone = {lease.holder for lease in book.tick(now, why)}
        ages.tick(now, why, [one for place, one in enumerate(cohorts) if place not in ended])
        mine = {p for p, one in enumerate(cohorts) if p not in ended and one.heard_at and ages.ended(one, now)}
        assert gone == {name for place in mine for name in names[place]}, now
        ended |= mine
    assert ended == {2}, "only who was really silent, and only in time that counted"


def test_no_droplet_is_lost_in_any_line() -> None:
    manager = Manager(HOW, 5_000, Aging(TERM_S))
    now = 0.0
    while now < END_S:
        now += TICK_S
        if now == RESTART_S:
            manager.restart(now)
            manager.intake = 0.9 * HOW.rate
        manager.step(now, reaches=reaches(now))
        assert manager.count == 5_000
        assert 0 <= manager.leased <= 5_000


def collapse(door: Door | None, until: float) -> Manager:
    manager, now = Manager(HOW, DROPLETS, Aging(TERM_S), door), 0.0
    while now < until:
        now += TICK_S
        manager.step(now, reaches=reaches(now))
        assert manager.count == DROPLETS
    return manager


def test_as_built_leasing_the_fleet_anew_never_gets_anywhere() -> None:
    manager = collapse(None, DARK[1] + 12 * 3600.0)
    assert manager.leased < 0.05 * DROPLETS
    assert manager.wasted > 10 * DROPLETS


def test_with_admission_it_takes_no_longer_than_its_backlog_needs() -> None:
    needs_s = DROPLETS / (HOW.rate - DROPLETS / 2 * HOW.renewal / HOW.check_s)
    manager = collapse(Door(HOW.rate, TICK_S, HOW.timeout_s), DARK[1] + 1.2 * needs_s)
    assert manager.leased == DROPLETS
    assert manager.wasted == 0
