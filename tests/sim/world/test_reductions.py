"""What a search leaves out changes nothing that it could find: each reduction against the search without it."""

import pytest
from msgspec.structs import replace

from sim.world.small import explored, small, zones
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.compiled import explore_compiled
from standfast.sim.world.bounds import Run
from standfast.sim.world.world import World

LATE = frozenset({"late"})
LOSSY = frozenset({"late", "lost"})


@pytest.mark.parametrize(
    ("run", "states", "transitions"),
    [
        (small("one enactor", enactors=1, flights=0), 23, 50),
        (small("two enactors", flights=0), 153, 653),
        (small("late and lost", faults=LOSSY), 1_337, 8_407),
        (small("two endpoints", "aa", "ba", faults=LATE), 1_190, 6_833),
        (small("memory", memory=True, patience=3, flights=0), 1_066, 5_163),
    ],
    ids=lambda value: value.name if isinstance(value, Run) else "",
)
def test_counts_of_small_worlds(run: Run, states: int, transitions: int) -> None:
    bounds = explored(run).result.bounds
    assert (bounds.states, bounds.transitions) == (states, transitions)


def test_compiled_and_plain_search_see_the_same() -> None:
    run = small(faults=LOSSY, hands=("addresses",), acts=1)
    plain = explored(run).result.bounds
    compiled = explore_compiled(World(run), states_max=200_000).bounds
    assert (compiled.states, compiled.transitions, compiled.depth) == (plain.states, plain.transitions, plain.depth)


def test_steps_taken_at_once_lead_to_the_zones_that_single_steps_lead_to() -> None:
    for run in (small(faults=LATE, enactors=1), small(faults=frozenset({"blind", "journal"}), flights=0)):
        assert zones(explored(run)) == zones(explored(replace(run, fused=False)))


@pytest.mark.slow
def test_single_steps_beside_a_delayed_write() -> None:
    run = small(faults=LATE)
    assert zones(explored(run)) == zones(explored(replace(run, fused=False)))


def test_plans_published_before_lead_to_the_zones_that_plans_published_at_any_time_lead_to() -> None:
    run = small("published", "a", "b", "a", faults=LATE)
    stepwise = replace(run, publishing="atomic")
    assert zones(explored(run)) == zones(explored(stepwise))


def test_nothing_is_reached_in_single_steps_with_publication_that_is_not_reached_at_once() -> None:
    run = small(flights=0)
    assert zones(explored(run)) == zones(explored(replace(run, fused=False, publishing="atomic")))


def test_interchangeable_enactors_lead_to_the_zones_that_enactors_told_apart_lead_to() -> None:
    run = small(faults=LATE)
    without = explored(run, Reductions(symmetry=False))
    with_symmetry = explored(run)
    assert zones(with_symmetry) == zones(without)
    assert len(with_symmetry) < len(without)


def test_numbering_nonces_leads_to_the_zones_that_named_nonces_lead_to() -> None:
    run = small(flights=0)
    named = explored(run, Reductions(numbering=False))
    numbered = explored(run)
    shapes = {
        tuple(sorted((key, rrset.rtype, rrset.ttl) for key, rrset in zone.rrsets.items())) for zone in zones(named)
    }
    assert shapes == {
        tuple(sorted((key, rrset.rtype, rrset.ttl) for key, rrset in zone.rrsets.items())) for zone in zones(numbered)
    }
    assert len(numbered) < len(named)


def test_passes_of_enactors_just_started_lead_to_the_zones_that_memory_leads_to() -> None:
    brief = small(flights=0)
    assert zones(explored(brief)) == zones(explored(replace(brief, memory=True, patience=3)))
