"""The loss of a whole AZ, case by case, with its words."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from harness.planning import (
    AGREED,
    DOWN,
    UP,
    WARMING,
    WWW,
    balancer,
    begun,
    context,
    entry_of,
    fleet_of,
    planned,
    policy,
    served,
)
from standfast.core.decisions import Draft
from standfast.core.planner import draft
from standfast.model.fleet import Fleet, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy

PER_AZ = 4
AZS = "abc"


def region(per_az: int = PER_AZ, azs: str = AZS) -> Fleet:
    """lb-1 … in AZ a, then b, then c."""
    return fleet_of(balancer(n, az=azs[(n - 1) // per_az]) for n in range(1, per_az * len(azs) + 1))


def with_azs(some: Fleet, **azs: Verdict) -> dict[str, Verdict]:
    return {one.id: azs.get(one.az, UP) for one in some.load_balancers}


def without(some: Fleet, plan: Plan | None) -> dict[str, int]:
    """How many of each AZ are out of the answer."""
    here = set(served(entry_of(plan)))
    azs = sorted({one.az for one in some.load_balancers})
    return {az: sum(one.az == az and one.id not in here for one in some.load_balancers) for az in azs}


def wanted(**others: object) -> EndpointPolicy:
    return replace(policy(max_answers=20, hold_below=0.5, min_answers=2), **others)


def after(some: Fleet, verdicts: Mapping[str, Verdict], one: EndpointPolicy, plan: Plan, now: float) -> Draft:
    return planned(some, verdicts, (one,), plan, now)


def test_half_goes_at_once_and_the_rest_after_a_confirmation() -> None:
    some, one = region(), wanted()
    dead, plan = with_azs(some, a=AGREED), begun(region(), wanted())
    first = after(some, dead, one, plan, 1000.0)
    assert without(some, first.plan) == {"a": 2, "b": 0, "c": 0}
    assert (first.due, first.refusals) == (1030.0, ())
    assert {held.rule for held in first.decisions[0].held_back} == {"az_loss"}
    assert first.plan is not None
    assert after(some, dead, one, first.plan, 1029.9).plan is None
    rest = after(some, dead, one, first.plan, 1030.0)
    assert without(some, rest.plan) == {"a": 4, "b": 0, "c": 0}
    assert {gone.cause for gone in rest.decisions[0].leaving} == {"az"}


def test_who_is_back_before_the_confirmation_stays() -> None:
    some, one = region(), wanted()
    first = after(some, with_azs(some, a=AGREED), one, begun(some, one), 1000.0).plan
    assert first is not None
    back = after(some, with_azs(some), one, first, 1030.0)
    assert without(some, back.plan) == {"a": 0, "b": 0, "c": 0}


@pytest.mark.parametrize(
    ("changed", "seen", "why"),
    [
        ({"az_loss": "ask"}, AGREED, "az_loss is ask"),
        ({}, DOWN, "no vantage point outside it sees all of it down, 2 must"),
        ({}, Verdict("down", "refused", 1), "one vantage point outside it sees all of it down, 2 must"),
    ],
)
def test_else_it_asks_and_half_stays(changed: Mapping[str, object], seen: Verdict, why: str) -> None:
    some, one = region(), wanted(**changed)
    dead = with_azs(some, a=seen)
    outcome = after(some, dead, one, begun(some, one), 1000.0)
    assert without(some, outcome.plan) == {"a": 2, "b": 0, "c": 0}
    (refusal,) = outcome.refusals
    assert (refusal.key, refusal.rule) == (WWW, "az_loss")
    assert refusal.reason == f"AZ a would be gone by health alone: {why}"
    assert refusal.remedy == "if AZ a is really down: `standfast evacuate az a`"
    assert outcome.plan is not None
    later = after(some, dead, one, outcome.plan, 100_000.0)
    assert later.plan is None
    assert later.refusals == outcome.refusals


def test_consent_lets_the_rest_go() -> None:
    some, one = region(), wanted(az_loss="ask")
    dead = with_azs(some, a=DOWN)
    plan = after(some, dead, one, begun(some, one), 1000.0).plan
    assert plan is not None
    given = replace(context(3, (one,)), consented=frozenset({"lb-1", "lb-2", "lb-3", "lb-4"}))
    outcome = draft(some, dead, (one,), plan, 1010.0, given)
    assert without(some, outcome.plan) == {"a": 4, "b": 0, "c": 0}
    assert outcome.refusals == ()


def test_one_that_no_observer_sees_down_keeps_the_az() -> None:
    some, one = region(), wanted()
    dead = {**with_azs(some, a=AGREED), "lb-3": DOWN}
    outcome = after(some, dead, one, begun(some, one), 1000.0)
    assert outcome.refusals != ()
    healthy = {**with_azs(some, a=AGREED), "lb-3": UP}
    outcome = after(some, healthy, one, begun(some, one), 1000.0)
    assert (without(some, outcome.plan), outcome.refusals) == ({"a": 3, "b": 0, "c": 0}, ())


def test_who_died_long_ago_is_no_part_of_the_two_steps() -> None:
    some, one = region(), wanted()
    plan = begun(some, one)
    plan = after(some, {**with_azs(some), "lb-1": AGREED}, one, plan, 1000.0).plan or plan
    outcome = after(some, with_azs(some, a=AGREED), one, plan, 9000.0)
    assert without(some, outcome.plan)["a"] == 2
    assert outcome.due == 9030.0
    assert outcome.plan is not None
    assert without(some, after(some, with_azs(some, a=AGREED), one, outcome.plan, 9030.0).plan)["a"] == 4


def test_a_second_az_waits_for_half_an_hour() -> None:
    some, one = region(azs="abcde"), wanted()
    plan = begun(some, one)
    for now in (1000.0, 1030.0):
        plan = after(some, with_azs(some, a=AGREED), one, plan, now).plan or plan
    both = with_azs(some, a=AGREED, b=AGREED)
    outcome = after(some, both, one, plan, 2000.0)
    assert [refusal.reason for refusal in outcome.refusals] == [
        "AZ b would be gone by health alone: AZ a went less than 30 min ago"
    ]
    plan = outcome.plan or plan
    assert without(some, plan)["b"] == 2
    for now in (2829.9, 2830.0, 2861.0):
        plan = after(some, both, one, plan, now).plan or plan
    assert without(some, plan) == {"a": 4, "b": 4, "c": 0, "d": 0, "e": 0}


def test_two_azs_at_once_go_one_after_the_other_even_in_different_endpoints() -> None:
    some = region(azs="abcde")
    here, there = wanted(azs=("a", "c", "d")), replace(wanted(azs=("b", "d", "e")), name="api.lb.example.com")
    plan = begun(some, here, there)
    both = with_azs(some, a=AGREED, b=AGREED)
    for now in (1000.0, 1030.0, 1060.0):
        outcome = planned(some, both, (here, there), plan, now)
        plan = outcome.plan or plan
    refused = [refusal.reason for refusal in outcome.refusals]
    assert refused == ["AZ a would be gone by health alone: AZ b went less than 30 min ago"]


def test_enough_must_be_healthy_besides() -> None:
    some, one = region(), wanted()
    dead = {**with_azs(some, a=AGREED), "lb-5": DOWN}
    outcome = after(some, dead, one, begun(some, one), 1000.0)
    assert [refusal.reason for refusal in outcome.refusals] == [
        "AZ a would be gone by health alone: only 58.3 % of capacity would be healthy without it, 60 % must be"
    ]


def test_an_az_of_one_is_a_load_balancer_like_any_other() -> None:
    some, one = region(per_az=1), wanted()
    outcome = after(some, with_azs(some, a=DOWN), one, begun(some, one), 1000.0)
    assert (without(some, outcome.plan), outcome.refusals) == ({"a": 1, "b": 0, "c": 0}, ())


def test_drained_ones_and_newcomers_make_no_az() -> None:
    some = fleet_of([*region(per_az=2).load_balancers, balancer(9, az="a")])
    drained = fleet_of(replace(one, admin="drain") if one.id == "lb-1" else one for one in some.load_balancers)
    dead = {**with_azs(some), "lb-2": DOWN, "lb-9": WARMING}
    outcome = after(drained, dead, wanted(), begun(region(per_az=2), wanted()), 1000.0)
    assert (without(some, outcome.plan), outcome.refusals) == ({"a": 3, "b": 0, "c": 0}, ())


def test_an_az_beyond_the_share_goes_where_enough_is_healthy() -> None:
    """Of five load balancers an AZ of two is 40 %: more than velocity lets go, and 60 % stay."""
    some = fleet_of(balancer(n, az="a" if n < 3 else "b" if n < 5 else "c") for n in range(1, 6))
    one = wanted(hold_below=0.3)
    plan, dead = begun(some, one), with_azs(some, a=AGREED)
    for now in (1000.0, 1030.0):
        plan = after(some, dead, one, plan, now).plan or plan
    assert served(entry_of(plan)) == ["lb-3", "lb-4", "lb-5"]
    held = after(some, {**dead, "lb-3": DOWN}, one, plan, 1031.0)
    assert held.plan is None
    assert held.due == 1630.0


def test_on_panic_all_answers_with_whoever_was_ever_admitted() -> None:
    some, one = region(per_az=2), wanted(on_panic="all", max_answers=8, azs=())
    plan = after(some, with_azs(some, a=AGREED), one, begun(some, one), 0.0).plan
    assert plan is not None
    newcomer = fleet_of([*some.load_balancers, balancer(9, az="a")])
    dark = {**with_azs(some, a=DOWN, b=DOWN), "lb-9": WARMING}
    outcome = after(newcomer, dark, one, plan, 10.0)
    assert served(entry_of(outcome.plan)) == [one.id for one in some.load_balancers]
    assert "panic: 33% believed healthy, so all are answered; failed 3" in outcome.decisions[0].members[0].reason
    held = after(newcomer, dark, wanted(), plan, 10.0)
    assert held.plan is None
