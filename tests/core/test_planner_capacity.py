"""Shared capacity with its reserve."""

from msgspec.structs import replace

from harness.planning import (
    DOWN,
    balancer,
    begun,
    entry_of,
    fleet_of,
    planned,
    policy,
    served,
    verdicts_of,
)
from standfast.model.fleet import Fleet
from standfast.model.policy import EndpointPolicy

AZS = "aabbcc"


def region(**drained: str) -> Fleet:
    """Six of capacity 100 in three AZs."""
    every = (balancer(n, az=AZS[n - 1], capacity=100) for n in range(1, 7))
    return fleet_of(replace(one, admin="drain") if one.id.replace("-", "_") in drained else one for one in every)


def wanted(label: str, need: int, **others: object) -> EndpointPolicy:
    return replace(policy(label, removal_share=1.0), need=need, **others)


def test_endpoints_that_share_load_balancers_are_planned_once() -> None:
    """360 of six are 60 each; without one 72, without two 90: more than 80 of 100. Two endpoints make the sum."""
    both = (wanted("api", 160), wanted("www", 200))
    plan = begun(region(), *both)
    one = planned(region(lb_1="x"), verdicts_of(region()), both, plan, 10.0)
    assert [load.load for load in one.loads] == [72.0] * 5
    assert all(load.within for load in one.loads)
    two = region(lb_1="x", lb_2="x")
    outcome = planned(two, verdicts_of(two), both, plan, 10.0)
    for key in (both[0].key, both[1].key):
        assert served(entry_of(outcome.plan, key)) == ["lb-2", "lb-3", "lb-4", "lb-5", "lb-6"]
    (held,) = outcome.decisions[0].held_back
    assert (held.load_balancer, held.rule, held.asked) == ("lb-2", "reserve", True)
    assert held.why == "lb-3 would carry 90 of 100, and 20 % are to stay free"


def test_the_reserve_is_kept_where_somebody_strayed_too() -> None:
    """Another load balancer with an address outside the prefixes must not undo what protects the rest."""
    ours = ("192.0.2.0/24",)
    both = (wanted("api", 160, prefixes=ours), wanted("www", 200, prefixes=ours))
    plan = begun(region(), *both)
    two = region(lb_1="x", lb_2="x")
    moved = fleet_of(replace(one, ipv4=("203.0.113.9",)) if one.id == "lb-6" else one for one in two.load_balancers)
    outcome = planned(moved, verdicts_of(moved), both, plan, 10.0)
    for key in (both[0].key, both[1].key):
        assert served(entry_of(outcome.plan, key)) == ["lb-2", "lb-3", "lb-4", "lb-5", "lb-6"]
    assert {one.rule for decision in outcome.decisions for one in decision.held_back} == {"reserve"}


def test_the_dead_and_the_gone_are_not_kept_for_the_reserve() -> None:
    both = (wanted("api", 220), wanted("www", 220))
    plan = begun(region(), *both)
    outcome = planned(region(), verdicts_of(region(), lb_1=DOWN), both, plan, 10.0)
    assert len(served(entry_of(outcome.plan, both[1].key))) == 5
    dead = region(lb_1="x")
    outcome = planned(dead, verdicts_of(dead, lb_1=DOWN), both, plan, 10.0)
    assert len(served(entry_of(outcome.plan, both[1].key))) == 5
    gone = fleet_of(region().load_balancers[1:])
    outcome = planned(gone, verdicts_of(gone), both, plan, 10.0)
    assert len(served(entry_of(outcome.plan, both[1].key))) == 5


def test_without_need_nothing_is_reserved() -> None:
    both = (wanted("api", 0), wanted("www", 0))
    some = region(lb_1="x", lb_2="x", lb_3="x")
    outcome = planned(some, verdicts_of(some), both, begun(region(), *both), 10.0)
    assert len(served(entry_of(outcome.plan))) == 3
    assert outcome.loads == ()
