"""Weighted rotation: who is due what, one out and one in, and never in the way of anything else."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.planning import DOWN, ZONE, balancer, entry_of, fleet_of, planned, policy, served, verdicts_of
from standfast.core.rotation import due_shares, period_s
from standfast.core.selection import Candidate
from standfast.model.fleet import Fleet
from standfast.model.plan import Plan, is_rotation
from standfast.model.policy import EndpointPolicy


def some_fleet(capacities: list[int]) -> Fleet:
    return fleet_of(balancer(n, capacity=capacity, az="abc"[n % 3]) for n, capacity in enumerate(capacities, 1))


def turning(label: str = "www", most: int = 4, period: float = 120.0) -> EndpointPolicy:
    return replace(policy(label, max_answers=most), rotation_s=period)


def first(some: Fleet, *policies: EndpointPolicy, now: float = 0.0) -> Plan:
    plan = planned(some, verdicts_of(some), policies, now=now).plan
    assert plan is not None
    return plan


def test_due_shares_follow_weights_and_stop_at_always() -> None:
    some = [Candidate(f"lb-{n}", (f"192.0.2.{n}",), w, w, "in", "") for n, w in enumerate([10, 1, 1, 1, 1], 1)]
    shares = due_shares(some, 2)
    assert shares[some[0].identity] == 1.0
    assert [shares[one.identity] for one in some[1:]] == [0.25] * 4
    assert sum(shares.values()) == pytest.approx(2)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(
    capacities=st.lists(st.sampled_from([1, 1, 2, 3]), min_size=5, max_size=9),
    most=st.integers(2, 4),
    salt=st.integers(0, 9),
)
def test_averaged_over_time_each_has_what_its_weight_asks_for(capacities: list[int], most: int, salt: int) -> None:
    some, one = some_fleet(capacities), turning(f"e{salt}", most)
    plan, served_for, turns = first(some, one), dict.fromkeys((lb.id for lb in some.load_balancers), 0), 300
    key = (ZONE, one.name)
    for step in range(1, turns + 1):
        outcome = planned(some, verdicts_of(some), (one,), plan, 120.0 * step)
        (decision,) = outcome.decisions
        assert len(decision.left) == len(decision.joined) <= 1
        assert {who.cause for who in decision.leaving} <= {"rotation"}
        if outcome.plan is not None:
            assert outcome.plan.entry(key) is None or not entry_of(outcome.plan, key).departures
            plan = outcome.plan
        here = served(entry_of(plan, key))
        assert len(here) == most
        for name in here:
            served_for[name] += 1
    able = [Candidate(lb.id, (lb.ipv4[0],), lb.capacity, None, "in", "") for lb in some.load_balancers]
    due = {name: share for (name, _), share in due_shares(able, most).items()}
    assert {n: abs(served_for[n] / turns - due[n]) < 0.06 for n in due} == dict.fromkeys(due, True)


def test_it_is_off_unless_switched_on_and_where_all_fit() -> None:
    some = some_fleet([1] * 6)
    for one in (policy(max_answers=4), turning(most=6)):
        plan = first(some, one)
        assert entry_of(plan).turn is None
        assert all(planned(some, verdicts_of(some), (one,), plan, 120.0 * n).plan is None for n in range(1, 9))


def test_the_period_is_two_ttls_at_least() -> None:
    assert period_s(turning(period=10.0)) == 120.0
    assert period_s(turning(period=600.0)) == 600.0
    some, one = some_fleet([1] * 8), turning()
    plan, moments, now = first(some, one), [], 0.0
    while now < 3000:
        now += 10.0
        outcome = planned(some, verdicts_of(some), (one,), plan, now)
        if outcome.plan is not None:
            moments.append(now)
            plan = outcome.plan
    assert all(later - earlier >= 120.0 for earlier, later in pairwise(moments))
    assert len(moments) >= 20


def test_endpoints_begin_at_different_moments_and_generations_are_a_minute_apart() -> None:
    some, many = some_fleet([1] * 8), tuple(turning(f"e{n}") for n in range(12))
    plan, changes, now, made = first(some, *many), [], 0.0, []
    while now < 400:
        now += 5.0
        outcome = planned(some, verdicts_of(some), many, plan, now)
        if outcome.plan is not None:
            made.append(now)
            changes.append(sum(bool(one.left) for one in outcome.decisions))
            plan = outcome.plan
    assert len(made) >= 3
    assert min(b - a for a, b in pairwise(made)) >= 60.0
    assert max(changes) < 12


def test_health_comes_first_and_a_turn_uses_none_of_the_budget() -> None:
    some, one = some_fleet([1] * 8), turning()
    plan = first(some, one)
    turned = planned(some, verdicts_of(some), (one,), plan, 300.0)
    assert turned.plan is not None
    assert is_rotation(turned.plan.record.reason)
    assert entry_of(turned.plan).departures == ()
    assert entry_of(turned.plan).arrivals == ()
    here = served(entry_of(turned.plan))
    dead = {here[0].replace("-", "_"): DOWN}
    outcome = planned(some, verdicts_of(some, **dead), (one,), turned.plan, 900.0)
    assert [who.cause for who in outcome.decisions[0].leaving] == ["health"]
    assert outcome.plan is not None
    assert not is_rotation(outcome.plan.record.reason)
    assert len(served(entry_of(outcome.plan))) == 4


def test_nobody_turns_in_a_panic() -> None:
    some, one = some_fleet([1] * 8), replace(turning(), hold_below=0.9)
    plan = first(some, one)
    ill = {f"lb_{n}": DOWN for n in (1, 2, 3)}
    outcome = planned(some, verdicts_of(some, **ill), (one,), plan, 300.0)
    assert [who for who in outcome.decisions[0].leaving if who.cause == "rotation"] == []


def test_switching_it_on_and_off_changes_no_answer_at_once() -> None:
    some = some_fleet([1] * 8)
    plan = first(some, policy(max_answers=4))
    on = planned(some, verdicts_of(some), (turning(),), plan, 10.0).plan
    assert on is not None
    assert entry_of(on).turn is not None
    assert entry_of(on).since == entry_of(plan).since
    off = planned(some, verdicts_of(some), (policy(max_answers=4),), on, 20.0).plan
    assert off is not None
    assert (entry_of(off).turn, entry_of(off).since) == (None, 1)
