"""The compiled search against the one in Python: every count, every length, both ways of remembering states."""

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sim.search.naive import after, numbered
from sim.search.toys import Toy, ToyProperty, ToyRule, lock, outcome, register, ring
from standfast.errors import StandfastError
from standfast.sim.search import arrays, compiled_search, growing
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.compiled import explore_compiled
from standfast.sim.search.exploring import explore
from standfast.sim.search.product import FRESH, Outcome, Progress, Result


def pool(places: int, draws: int) -> Toy:
    """Interchangeable places, each a bag of up to `draws` nonces, given away between neighbours: many symbols."""

    def draw(bag: Any) -> Iterator[Outcome]:
        if len(bag) < draws:
            yield outcome("bag", "draws", (*bag, FRESH))

    def give(bag: Any, other: Any) -> Iterator[Outcome]:
        if bag and len(other) < draws:
            yield outcome("bag", "gives", bag[1:], (*other, bag[0]))

    def drop(bag: Any) -> Iterator[Outcome]:
        if len(bag) == draws:
            yield outcome("bag", "drops all", ())

    def copy(bag: Any, other: Any) -> Iterator[Outcome]:
        if len(bag) > len(other):
            yield outcome("bag", "is copied", bag, bag)

    rules = [ToyRule("draw", (place,), (place,), draw) for place in range(places)]
    rules += [ToyRule("drop", (place,), (place,), drop) for place in range(places)]
    for place in range(places):
        for other in range(places):
            if other != place:
                rules.append(ToyRule("give", (place, other), (place, other), give))
                rules.append(ToyRule("copy", (place, other), (place, other), copy))
    full = ToyProperty("full", tuple(range(places)), lambda *bags: "all full" if min(map(len, bags)) == draws else "")
    names = tuple(f"bag-{place}" for place in range(places))
    return Toy(f"pool {places} x {draws}", names, ((),) * places, tuple(rules), (full,), (tuple(range(places)),))


TOYS = [
    ring(7),
    ring(4, careless=True),
    lock(3),
    lock(4, fenced=False),
    lock(3, distinct=True),
    register(3, versions=False),
    register(3, versions=True, values=3, private=False),
    pool(3, 2),
    pool(2, 4),
    pool(1, 40),
]


def told(result: Result) -> tuple[Any, ...]:
    bounds = result.bounds
    return (
        *(bounds.states, bounds.transitions, bounds.depth, bounds.terminal, bounds.complete, dict(bounds.fired)),
        sorted((finding.property, finding.what, len(finding.steps)) for finding in result.findings),
    )


@pytest.mark.parametrize("reductions", [Reductions(), Reductions(symmetry=False), Reductions(fusion=False)])
@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.title)
def test_counts_and_lengths_are_those_of_the_search_in_python(toy: Toy, reductions: Reductions) -> None:
    expected = told(explore(toy, states_max=10**6, reductions=reductions))
    exact = explore_compiled(toy, states_max=10**6, reductions=reductions)
    marks = explore_compiled(toy, states_max=10**6, reductions=reductions, exact=False)
    assert told(exact) == expected
    assert told(marks) == expected
    assert exact.bounds.omission == 0
    assert 0 < marks.bounds.omission < 1e-12


@pytest.mark.parametrize("exact", [True, False])
def test_a_finding_is_a_walk_of_the_system_from_the_start(exact: bool) -> None:
    toy = pool(3, 2)
    (finding,) = explore_compiled(toy, states_max=10**6, exact=exact).findings
    assert finding.states[0] == toy.start
    for state, following in zip(finding.states, finding.states[1:], strict=False):
        assert numbered(toy, following) in {numbered(toy, other) for other, _ in after(toy, state)}


@pytest.mark.parametrize("exact", [True, False])
def test_arrays_that_start_too_small_grow(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "ROOM", 64)
    monkeypatch.setattr(compiled_search, "CHUNK", 8)
    monkeypatch.setattr(compiled_search, "WIDTH", 1)
    monkeypatch.setattr(compiled_search, "SLOTS", 64)
    toy = pool(2, 4)
    assert told(explore_compiled(toy, states_max=10**6, exact=exact)) == told(explore(toy, states_max=10**6))


def test_limits_leave_the_search_incomplete_and_say_so() -> None:
    toy = pool(3, 2)
    everything = explore(toy, states_max=10**6).bounds.states
    assert explore_compiled(toy, states_max=everything).bounds.complete
    cut = explore_compiled(toy, states_max=everything - 1).bounds
    assert (cut.states, cut.complete) == (everything - 1, False)
    assert not explore_compiled(toy, states_max=10**6, seconds_max=0.0).bounds.complete
    ended = explore_compiled(toy, states_max=10**6, until=lambda name: name == "full")
    assert [finding.property for finding in ended.findings] == ["full"]
    assert not ended.bounds.complete


def test_interrupted_from_the_keyboard_it_reports_what_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_search, "PROGRESS_SECONDS", 0.0)

    def interrupt(seen: Progress) -> None:
        if seen.depth == 2:
            raise KeyboardInterrupt

    result = explore_compiled(pool(3, 2), states_max=10**6, progress=interrupt)
    assert not result.bounds.complete
    assert result.bounds.states > 1


def test_more_successors_than_there_is_room_for_are_refused() -> None:
    def burst(count: Any) -> Iterator[Outcome]:
        if count == 0:
            yield from (outcome("actor", "goes", number) for number in range(1, arrays.SUCCESSORS_MAX + 2))

    with pytest.raises(StandfastError, match="more than 4096 successors"):
        explore_compiled(Toy("burst", ("actor",), (0,), (ToyRule("go", (0,), (0,), burst),)), states_max=10**6)


def test_properties_without_end_are_refused() -> None:
    def count(number: Any) -> Iterator[Outcome]:
        yield outcome("actor", "counts", (number + 1) % 300, violation=f"too much {number}: it goes on")

    with pytest.raises(StandfastError, match="More than 255 different properties"):
        explore_compiled(Toy("counting", ("actor",), (0,), (ToyRule("count", (0,), (0,), count),)), states_max=10**6)


def test_more_symbols_than_an_octet_can_name_are_refused() -> None:
    with pytest.raises(StandfastError, match="more than 192 symbols"):
        explore_compiled(pool(1, 200), states_max=10**6)


def test_symbols_without_numbers_are_left_to_the_search_in_python() -> None:
    with pytest.raises(StandfastError, match="always numbers symbols"):
        explore_compiled(ring(2), states_max=10, reductions=Reductions(numbering=False))


@pytest.mark.parametrize("exact", [True, False])
def test_where_nothing_can_happen_there_is_one_state(exact: bool) -> None:
    result = explore_compiled(Toy("still", ("here",), ("0" * 16,), ()), states_max=1, exact=exact)
    assert (result.bounds.states, result.bounds.terminal, result.bounds.complete) == (1, 1, True)


def test_without_numba_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **more: Any) -> Any:
        if name.endswith("compiled_search"):
            raise ImportError("No module named 'numba'")
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(StandfastError, match=r"pip install 'standfast\[verify\]'"):
        explore_compiled(ring(2), states_max=10)


def test_two_hashes_of_many_rows_do_not_collide() -> None:
    """Rows that differ in one bit only (shapes tell how many symbols there are): both hashes, and their halves."""
    from standfast.sim.search.kernel import hashes_of

    rows = [(shape, symbol, last) for shape in range(40) for symbol in range(40) for last in range(4)]
    where, what = set(), set()
    for shape, symbol, last in rows:
        symbols = np.full(16, symbol, np.uint8)
        total = shape % 8 + 2
        symbols[total - 1] = 100 + last
        one, other = hashes_of(np.array([shape, 1], np.int32), np.arange(2, dtype=np.int32), symbols, total)
        where.add(one)
        what.add(other)
    assert len(where) == len(what) == len(rows)
    assert len({int(one) & 0xFFFF_FFFF for one in where}) > len(rows) - 10
    assert len({int(one) >> 32 for one in what}) > len(rows) - 10
