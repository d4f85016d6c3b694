"""What may leave an answer and what is chosen for it, case by case, with its words."""

import random

import pytest
from msgspec.structs import replace

from harness.planning import (
    DOWN,
    UNKNOWN,
    UP,
    WARMING,
    WWW,
    balancer,
    begun,
    context,
    entry_of,
    fleet,
    fleet_of,
    planned,
    policy,
    served,
    texts,
    verdicts_of,
)
from standfast.core.decisions import Draft
from standfast.core.planner import draft
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType


def reasons(outcome: Draft, key: tuple[str, str] = WWW) -> dict[str, str]:
    decision = next(one for one in outcome.decisions if one.key == key)
    return {member.load_balancer: member.reason for member in decision.members}


def rules(outcome: Draft) -> list[str]:
    return [refusal.rule for refusal in outcome.refusals]


# Limits


@pytest.mark.parametrize(
    ("count", "left"),
    [(1, ["lb-1"]), (2, ["lb-2"]), (3, ["lb-2", "lb-3"])],
)
def test_a_dead_one_of_two_or_three_leaves_at_once_and_one_alone_stays(count: int, left: list[str]) -> None:
    some = fleet(count)
    outcome = planned(some, verdicts_of(some, lb_1=DOWN), (policy(),), begun(some))
    plan = outcome.plan or begun(some)
    assert served(entry_of(plan)) == left


def test_one_alone_stays_because_of_min_answers() -> None:
    some = fleet(1)
    outcome = planned(some, verdicts_of(some, lb_1=DOWN), (policy(),), begun(some))
    assert outcome.plan is None
    assert reasons(outcome)["lb-1"] == (
        "kept: removing it would leave 0 A answers, min_answers is 1; failed 3 checks in a row: connection refused"
    )


def test_of_three_the_second_waits_for_the_window() -> None:
    some, wanted = fleet(3), policy(min_answers=1)
    first = planned(some, verdicts_of(some, lb_1=DOWN), (wanted,), begun(some, wanted), 100.0).plan
    both = verdicts_of(some, lb_1=DOWN, lb_2=DOWN)
    waiting = planned(some, both, (wanted,), first, 200.0)
    assert waiting.plan is None
    assert waiting.due == 700.0
    assert "34 % in 10 min is used up" in reasons(waiting)["lb-2"]
    assert planned(some, both, (wanted,), first, 699.9).plan is None
    assert served(entry_of(planned(some, both, (wanted,), first, 700.0).plan)) == ["lb-3"]


def test_of_three_the_second_stays_by_default_min_answers() -> None:
    some = fleet(3)
    first = planned(some, verdicts_of(some, lb_1=DOWN), (policy(),), begun(some), 100.0).plan
    later = planned(some, verdicts_of(some, lb_1=DOWN, lb_2=DOWN), (policy(),), first, 9999.0)
    assert later.plan is None
    assert later.due is None
    assert "removing it would leave 1 A answer, min_answers is 2" in reasons(later)["lb-2"]


def test_a_third_of_six_leaves_at_once_and_the_rest_is_bridged() -> None:
    some, wanted, now = fleet(6), policy(min_answers=1), 0.0
    dead = verdicts_of(some, lb_1=DOWN, lb_2=DOWN, lb_3=DOWN, lb_4=DOWN, lb_5=DOWN)
    plan, sizes = begun(some, wanted), []
    for _ in range(4):
        outcome = planned(some, dead, (wanted,), plan, now)
        plan = outcome.plan or plan
        sizes.append(len(served(entry_of(plan))))
        now = outcome.due or now
    assert sizes == [4, 3, 2, 1]


def test_what_came_back_still_counts() -> None:
    some, wanted = fleet(3), policy(min_answers=1)
    gone = planned(some, verdicts_of(some, lb_1=DOWN), (wanted,), begun(some, wanted), 100.0).plan
    back = planned(some, verdicts_of(some), (wanted,), gone, 200.0).plan
    assert len(served(entry_of(back))) == 3
    assert planned(some, verdicts_of(some, lb_1=DOWN), (wanted,), back, 300.0).plan is None


def test_a_departure_from_the_future_counts_as_now_and_a_clock_set_back_is_mended() -> None:
    some, wanted = fleet(3), policy(min_answers=1)
    gone = planned(some, verdicts_of(some, lb_1=DOWN), (wanted,), begun(some, wanted), 1e9).plan
    both = verdicts_of(some, lb_1=DOWN, lb_2=DOWN)
    mended = planned(some, both, (wanted,), gone, 5000.0)
    assert [one.at for one in entry_of(mended.plan).departures] == [5000.0]
    assert entry_of(mended.plan).since == entry_of(gone).since
    assert planned(some, both, (wanted,), mended.plan, 5001.0).plan is None
    assert len(served(entry_of(planned(some, both, (wanted,), mended.plan, 5600.0).plan))) == 1


def test_panic_drops_nothing_and_adds_what_is_healthy() -> None:
    some, wanted = fleet(6), policy(hold_below=0.5)
    plan = planned(some, verdicts_of(some, lb_6=DOWN), (wanted,)).plan
    ill = verdicts_of(some, lb_1=DOWN, lb_2=DOWN, lb_3=DOWN, lb_4=DOWN)
    outcome = planned(some, ill, (wanted,), plan)
    assert len(served(entry_of(outcome.plan))) == 6
    assert outcome.decisions[0].panic
    assert reasons(outcome)["lb-1"].startswith("kept: only 33.3 % of capacity is believed healthy, under 50 %; failed")


def test_drained_ones_and_newcomers_are_no_evidence_for_panic() -> None:
    some = fleet_of(
        [balancer(n, admin="drain" if n > 4 else "up") for n in range(1, 7)] + [balancer(n) for n in range(7, 12)]
    )
    wanted = policy(hold_below=0.5, max_answers=20)
    verdicts = verdicts_of(some, lb_1=DOWN, **{f"lb_{n}": WARMING for n in range(7, 12)})
    outcome = planned(some, verdicts, (wanted,), begun(fleet(4), wanted))
    assert not outcome.decisions[0].panic
    assert served(entry_of(outcome.plan)) == ["lb-2", "lb-3", "lb-4"]


def test_too_small_an_eligible_set_is_refused_and_the_entry_carried_on() -> None:
    some = fleet(4)
    plan = begun(some)
    outcome = planned(some, verdicts_of(some, lb_1=DOWN), (policy(min_answers=5),), plan)
    assert rules(outcome) == ["min_answers"]
    assert outcome.plan is None
    assert rules(planned(some, verdicts_of(some), (policy(azs=("z",)),), plan)) == ["eligible"]


def test_a_raised_min_answers_is_promised_only_as_far_as_it_is_kept() -> None:
    some = fleet(4)
    verdicts = verdicts_of(some, lb_3=DOWN, lb_4=DOWN)
    plan = planned(some, verdicts, (policy(),)).plan
    outcome = planned(some, verdicts, (policy(min_answers=3),), plan)
    assert outcome.plan is None
    assert "min_answers 3 is not reached yet: 2 A" in outcome.decisions[0].why
    reached = planned(some, verdicts_of(some, lb_4=DOWN), (policy(min_answers=3),), plan).plan
    assert entry_of(reached).min_answers == ((RRType.A, 3),)


def test_healthy_ones_are_the_last_to_be_dropped_by_min_answers() -> None:
    some = fleet_of([balancer(1, admin="drain"), balancer(2), balancer(3)])
    outcome = planned(some, verdicts_of(some, lb_2=DOWN), (policy(),), begun(fleet(3)), 1000.0)
    assert served(entry_of(outcome.plan)) == ["lb-1", "lb-3"]


# Families


def dual(v6: set[int], count: int = 4) -> list[LoadBalancer]:
    return [balancer(number, v6=number in v6) for number in range(1, count + 1)]


def test_a_load_balancer_without_ipv6_simply_has_no_aaaa_and_minimums_are_per_family() -> None:
    some = fleet_of(dual({1, 2}))
    entry = entry_of(begun(some))
    assert (len(texts(entry)), len(texts(entry, RRType.AAAA))) == (4, 2)
    assert entry.min_answers == ((RRType.A, 2), (RRType.AAAA, 1))


def test_min_answers_holds_in_each_family() -> None:
    some, wanted = fleet_of(dual({1})), policy()
    outcome = planned(some, verdicts_of(some, lb_1=DOWN), (wanted,), begun(some, wanted))
    assert outcome.plan is None
    assert "removing it would leave 0 AAAA answers, min_answers is 1" in reasons(outcome)["lb-1"]


def test_a_new_family_waits_for_enough_that_pass() -> None:
    some = fleet_of(dual({1, 2, 3, 4}))
    plan = begun(fleet_of(dual(set())))
    one_up = dict.fromkeys(["lb-2", "lb-3", "lb-4"], UNKNOWN) | {"lb-1": UP}
    outcome = planned(some, one_up, (policy(),), plan)
    assert not texts(entry_of(outcome.plan or plan), RRType.AAAA)
    full = planned(some, verdicts_of(some), (policy(),), plan)
    assert len(texts(entry_of(full.plan), RRType.AAAA)) == 4


def test_a_family_is_given_up_only_if_that_is_said() -> None:
    some, plain = fleet_of(dual({1, 2, 3, 4})), fleet(4)
    plan = begun(some)
    assert rules(planned(plain, verdicts_of(plain), (policy(),), plan)) == ["family"]
    outcome = planned(plain, verdicts_of(plain), (policy(families=(RRType.A,)),), plan)
    assert not texts(entry_of(outcome.plan), RRType.AAAA)


# Choice


def test_more_than_max_answers_are_chosen_by_weight_and_stay_chosen() -> None:
    some = fleet(12)
    plan = begun(some)
    entry = entry_of(plan)
    assert len(served(entry)) == 8
    passed_over = [m.reason for m in entry.members if not m.served]
    assert passed_over == ["not chosen: 8 of 12 by weight"] * 4
    gone = served(entry)[0].replace("-", "_")
    after = entry_of(planned(some, verdicts_of(some, **{gone: DOWN}), (policy(),), plan).plan)
    assert len(set(served(after)) - set(served(entry))) == 1
    assert len(set(served(entry)) - set(served(after))) == 1


def test_over_many_endpoints_shares_follow_capacity() -> None:
    some = fleet_of(balancer(number, capacity=3 if number <= 4 else 1) for number in range(1, 25))
    policies = tuple(policy(f"e{number}", max_answers=4) for number in range(300))
    outcome = planned(some, verdicts_of(some), policies)
    by_name = {share.load_balancer: share for share in outcome.shares}
    heavy = [by_name[f"lb-{number}"].answers for number in range(1, 5)]
    light = [by_name[f"lb-{number}"].answers for number in range(5, 25)]
    assert min(heavy) > 1.5 * max(light)
    assert sum(share.answers for share in outcome.shares) == pytest.approx(1)
    assert sum(share.deviation for share in outcome.shares) == pytest.approx(0)
    assert all(abs(share.deviation) < 0.03 for share in outcome.shares)


def test_both_families_of_one_go_together_when_some_are_chosen() -> None:
    some = fleet(12, v6=True)
    entry = entry_of(begun(some))
    assert {text.rsplit(".", 1)[1] for text in texts(entry)} == {
        str(int(text.rsplit(":", 1)[1], 16)) for text in texts(entry, RRType.AAAA)
    }


def test_a_family_that_few_have_gets_its_minimum() -> None:
    some = fleet_of(balancer(number, v6=number > 9) for number in range(1, 13))
    entry = entry_of(begun(some, policy(max_answers=4)))
    assert len(texts(entry)) == 4
    assert len(texts(entry, RRType.AAAA)) >= 2


# Consent


def consented(some: Fleet, plan: Plan, wanted: tuple[EndpointPolicy, ...], who: set[str], **states: Verdict) -> Draft:
    given = replace(context(plan.generation + 1, wanted), consented=frozenset(who))
    return draft(some, verdicts_of(some, **states), wanted, plan, 1000.0, given)


def test_consent_goes_beyond_velocity_and_is_the_cause_only_there() -> None:
    some, wanted = fleet(6), (policy(min_answers=1),)
    drained = fleet_of(balancer(n, admin="drain" if n < 6 else "up") for n in range(1, 7))
    outcome = consented(drained, begun(some, *wanted), wanted, {"lb-1", "lb-2", "lb-3"})
    causes = {one.load_balancer: one.cause for one in outcome.decisions[0].leaving}
    assert causes == {"lb-1": "configuration", "lb-2": "configuration", "lb-3": "consent"}
    assert served(entry_of(outcome.plan)) == ["lb-4", "lb-5", "lb-6"]
    assert "34 % in 10 min is used up" in reasons(outcome)["lb-4"]


def test_consent_never_goes_beyond_min_answers_or_panic() -> None:
    some, everybody = fleet(6), {f"lb-{n}" for n in range(1, 7)}
    drained = fleet_of(balancer(n, admin="drain") for n in range(1, 7))
    kept = consented(drained, begun(some), (policy(),), everybody)
    assert len(served(entry_of(kept.plan))) == 2
    wanted = (policy(hold_below=0.5),)
    ill = {f"lb_{n}": DOWN for n in range(1, 5)}
    assert consented(some, begun(some, *wanted), wanted, everybody, **ill).plan is None


def test_what_left_by_consent_counts_for_those_after_it() -> None:
    some, wanted = fleet(6), (policy(min_answers=1),)
    drained = fleet_of(balancer(n, admin="drain" if n < 4 else "up") for n in range(1, 7))
    first = consented(drained, begun(some, *wanted), wanted, {"lb-1", "lb-2", "lb-3"}).plan
    later = planned(drained, verdicts_of(some, lb_4=DOWN), wanted, first, 1100.0)
    assert later.plan is None
    assert later.due == 1600.0


def test_who_stands_in_an_answer_twice_leaves_for_good() -> None:
    """It had another address until lately, and is in the answer as it was and as it is. What leaves first changes no
    address; were that no news, it would leave anew in each draft, use the limit up, and never be gone."""
    how = policy(min_answers=1, removal_share=0.34)
    some = fleet_of(balancer(number, v6=True) for number in (1, 2, 3))
    plan = begun(some, how)
    entry = entry_of(plan)
    (whole,) = (one for one in entry.members if one.load_balancer == "lb-3")
    twice = replace(entry, members=(*entry.members, replace(whole, addresses=whole.addresses[:1])))
    plan = Plan(plan.record, plan.shards.updated([twice]))
    rest = fleet_of(some.load_balancers[:2])
    for turn in range(1, 4):
        plan = planned(rest, verdicts_of(rest), (how,), plan, 1000.0 + 700.0 * turn).plan or plan
    entry = entry_of(plan)
    assert served(entry) == ["lb-1", "lb-2"]
    assert texts(entry) == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize("seed", range(150))
def test_no_limit_is_a_reason_to_stand_still_for_ever(seed: int) -> None:
    """Whatever happened before, addresses that came and went included: once all is well, everything is as it should."""
    dice = random.Random(seed)
    count = dice.randint(2, 9)
    how = replace(
        policy(min_answers=1, removal_share=dice.choice([0.1, 0.34, 1.0]), on_panic=dice.choice(["hold", "all"])),
        max_answers=dice.choice([2, 3, 8]),
        adding_share=dice.choice([0.1, 0.34, 1.0]),
        hold_below=dice.choice([0.0, 0.3, 0.5]),
        families=(RRType.A,) if dice.random() < 0.5 else (),
    )

    def region() -> Fleet:
        there = [number for number in range(1, count + 1) if dice.random() < 0.9] or [1]
        return fleet_of(
            balancer(
                n, az=dice.choice("abc"), capacity=dice.choice([1, 10, 100]), v6=dice.random() < 0.4 or n == there[0]
            )
            for n in there
        )

    some, plan, now = region(), None, 1000.0
    for _ in range(12):
        states = {one.id: dice.choice([UP, DOWN, UNKNOWN, WARMING]) for one in some.load_balancers}
        plan = planned(some, states, (how,), plan, now).plan or plan
        now += dice.choice([-500.0, 1.0, 30.0, 700.0])
        some = region() if dice.random() < 0.3 else some
    for _ in range(60):
        now += 700.0
        plan = planned(some, verdicts_of(some), (how,), plan, now).plan or plan
    last = planned(some, verdicts_of(some), (how,), plan, now + 700.0)
    if not last.refusals:
        assert not last.decisions[0].held_back, f"seed {seed}"
        assert set(served(entry_of(plan))) <= {one.id for one in some.load_balancers}, f"seed {seed}"
