"""Leases in whatever weather: registries that are away, stand still, restart, hear few; holders that fall silent."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.recovery.holding import UNHEARD_MOST_S, beginning
from standfast.recovery.lease import Book, paced

LOTS = settings(max_examples=300, deadline=None)
HOLDERS = ["a", "b", "c", "d"]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("renew"), st.sampled_from(HOLDERS)),
        st.tuples(st.just("tick"), st.sampled_from(["", "", "", "the store is away"])),
        st.tuples(st.just("stall"), st.floats(5, 10_000).map(str)),
        st.tuples(st.just("restart"), st.just("")),
        st.tuples(st.just("forget"), st.sampled_from(HOLDERS)),
    ),
    max_size=120,
)
TERM = 5.0


@LOTS
@given(STEPS)
def test_nobody_loses_a_lease_for_time_in_which_the_registry_could_not_be_reached(steps: list[tuple[str, str]]) -> None:
    book: Book[str] = Book(TERM)
    now, could = 0.0, {}
    book.tick(now)
    for what, which in steps:
        match what:
            case "renew":
                book.renew(which, "", now)
                could[which] = 0.0
            case "forget":
                book.forget(which)
                could.pop(which, None)
            case "stall":
                now += float(which)
                assert book.tick(now) == ()
            case "restart":
                known = tuple(book)
                book = Book(TERM)
                book.tick(now)
                book.restore(known)
                could = dict.fromkeys(could, 0.0)
            case "tick":
                now += 1.0
                holders = len(book)
                ended = book.tick(now, which)
                if not which:
                    could = {name: silent + 1.0 for name, silent in could.items()}
                assert not (which and ended)
                for lease in ended:
                    assert could.pop(lease.holder) >= TERM
                    assert book.heard >= 0.5 * holders
        assert {lease.holder for lease in book} == could.keys()
        assert book.heard + book.silent == len(book)


def test_who_falls_silent_among_others_loses_its_lease_after_a_term() -> None:
    book: Book[str] = Book(60.0)
    book.tick(0.0)
    for name in ("a", "b", "c"):
        assert book.renew(name, "x", 0.0).granted
    ended: dict[str, float] = {}
    for second in range(1, 200):
        if second % 15 == 0:
            assert not book.renew("a", "x", float(second)).granted
            book.renew("b", "x", float(second))
        for lease in book.tick(float(second)):
            ended[lease.holder] = float(second)
    assert ended == {"c": 60.0}


def test_a_whole_fleet_that_falls_silent_is_kept_and_told() -> None:
    book: Book[str] = Book(60.0)
    book.tick(0.0)
    for name in HOLDERS:
        book.renew(name, "x", 0.0)
    for second in range(1, 4 * 3600):
        assert book.tick(float(second)) == ()
    assert book.reach.why == "only 0 of 4 holders are heard"
    for name in HOLDERS[:3]:
        book.renew(name, "x", 4 * 3600.0)
    for second in range(4 * 3600, 4 * 3600 + 55):
        for name in HOLDERS[:3]:
            book.renew(name, "x", float(second))
        ended = book.tick(float(second))
        assert ended == (), "a whole term is counted only from now on"
    assert book.silent == 1
    assert [one.holder for second in range(10) for one in book.tick(4 * 3600.0 + 55 + second)] == ["d"]


def test_numbers_rise_and_stay_with_who_renews() -> None:
    book: Book[str] = Book(60.0)
    first = book.renew("a", "x", 0.0)
    again = book.renew("a", "y", 1.0)
    assert (first.granted, first.changed, again.granted, again.changed) == (True, True, False, True)
    assert first.lease.number == again.lease.number == 1
    book.forget("a")
    assert book.renew("a", "y", 2.0).lease.number == 2
    book.restore([first.lease])
    assert book.highest == 2


@LOTS
@given(st.integers(0, 2_000_000), st.floats(1, 100_000), st.floats(5, 3600))
def test_renewals_leave_half_of_a_registry_for_those_who_come_back(holders: int, rate: float, term: float) -> None:
    pause, whole = paced(holders, rate, term)
    assert holders / pause <= rate * 0.5 * (1 + 1e-9)
    assert whole >= term
    assert whole >= 4 * pause * (1 - 1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("term", [5.0, 15.0, 60.0])
def test_after_a_long_outage_everybody_has_time_to_come_again_however_short_the_term(term: float, seed: int) -> None:
    """A registry hangs for 20 minutes. When it goes on it finds in its sockets what holders asked long ago, so all seem
    to be heard; they have given that up, and ask again at a moment of their own."""
    chances, away_s, timeout_s = Random(seed), 1200.0, 5.0
    book: Book[str] = Book(term, 1.0, UNHEARD_MOST_S)
    holders = {f"lb-{number}": beginning(0.0, chances.random()) for number in range(20)}
    began, now, stale = 300.0, 0.0, set(holders)
    while now < began + away_s + 300.0:
        hangs = began < now < began + away_s
        for name, holder in holders.items():
            if holder.due > now or (name == "lb-0" and now >= began):  # it dies meanwhile
                continue
            if hangs:
                holders[name] = holder.failed(now + timeout_s, chances.random())
            else:
                book.renew(name, "x", now)
                holders[name] = holder.renewed(now, term / 4, chances.random())
        if not hangs:
            if now >= began + away_s:
                while stale:
                    book.renew(stale.pop(), "x", now)
            ended = book.tick(now)
            assert {one.holder for one in ended} <= {"lb-0"}, f"at {now - began - away_s} s"
        now += 0.5
    assert "lb-0" not in book, "whoever is gone is gone in the end"


def test_after_a_short_pause_no_term_is_much_longer() -> None:
    book: Book[str] = Book(5.0, 1.0, UNHEARD_MOST_S)
    for now in (0.0, 1.0, 2.0, 3.0):
        for name in HOLDERS:
            book.renew(name, "x", now)
        book.tick(now)
    for second in (8.0, 9.0):  # it stood still for 5 s, longer than the pause between two renewals
        for name in HOLDERS[:3]:
            book.renew(name, "x", second)
        assert book.tick(second) == ()
    ended: dict[str, int] = {}
    for second in range(10, 60):
        for name in HOLDERS[:3]:
            book.renew(name, "x", float(second))
        ended |= {one.holder: second for one in book.tick(float(second))}
    assert set(ended) == {"d"}
    assert ended["d"] <= 9 + 5 * 6 + 1
