"""Many enactors come back at one moment to everything out of date, before a provider that throttles them all."""

import pytest
from msgspec.structs import replace

from standfast.sim.recovering.storm import Given, Storm, prepared, storm
from standfast.sim.swarm.cadence import LOOK_S

GIVEN = Given(enactors=5, endpoints=500)
READY = prepared(GIVEN)
CAPACITY = GIVEN.rate - GIVEN.enactors * GIVEN.zones / LOOK_S
"""Requests a second beside the looks that all of them make in peace as well."""
LEAST_S = READY[3] / CAPACITY
"""Backlog ÷ capacity: what one enactor alone would ask for, at that pace."""


@pytest.fixture(scope="module")
def came_back() -> Storm:
    return storm(GIVEN, READY)


def test_they_are_back_in_little_more_than_backlog_by_capacity(came_back: Storm) -> None:
    assert came_back.done_at is not None
    assert came_back.done_at <= 2.0 * LEAST_S, (came_back.done_at, LEAST_S)


def test_few_requests_are_turned_away(came_back: Storm) -> None:
    assert came_back.throttled <= 0.45 * came_back.asked


def test_it_does_not_get_slower_while_it_lasts(came_back: Storm) -> None:
    assert came_back.done_at is not None
    half = came_back.done_at / 2
    assert came_back.goodput(0, 2 * half) >= 0.3 * came_back.goodput(0, half)
    assert all(any(came_back.written[at : at + 4]) for at in range(int(half))), "no four seconds without one"


def test_dead_addresses_are_gone_first(came_back: Storm) -> None:
    assert came_back.done_at is not None
    assert came_back.urgent_at is not None
    assert came_back.urgent_at <= 0.3 * came_back.done_at


def test_who_asks_again_at_once_keeps_all_from_being_served() -> None:
    naive = storm(replace(GIVEN, naive=True, until_s=8.0), READY)
    assert naive.done_at is None
    assert sum(naive.written[3:]) == 0, "goodput is nothing, and stays so"
    assert naive.throttled > 0.95 * naive.asked


def test_equal_seeds_give_equal_storms() -> None:
    small = replace(GIVEN, enactors=3, zones=1, endpoints=120)
    ready = prepared(small)
    assert storm(small, ready) == storm(small, ready) != storm(replace(small, seed=1), ready)
