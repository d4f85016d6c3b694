"""Endpoints that follow another, and what kind an endpoint is."""

import pytest
from msgspec.structs import replace

from harness.planning import DOWN, ZONE, begun, context, entry_of, fleet, planned, policy, served, verdicts_of
from standfast.core.decisions import Presence
from standfast.core.guard import plan_violations
from standfast.core.holding import hold
from standfast.core.planner import draft
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import addresses

ACCOUNT = (ZONE, f"4711.{ZONE}")
BOTH = (policy(), policy("4711", follows="www"))


def test_it_is_a_copy_and_changes_in_the_same_generation() -> None:
    some = fleet(12)
    plan = begun(some, *BOTH)
    one, other = entry_of(plan), entry_of(plan, ACCOUNT)
    assert (one.rrsets, one.min_answers, one.members) == (other.rrsets, other.min_answers, other.members)
    assert (other.follows, other.endpoint_kind, one.follows) == (one.name, "account", "")
    gone = served(one)[0].replace("-", "_")
    outcome = planned(some, verdicts_of(some, **{gone: DOWN}), BOTH, plan)
    after = entry_of(outcome.plan, ACCOUNT)
    assert after.rrsets == entry_of(outcome.plan).rrsets != other.rrsets
    assert (after.since, entry_of(outcome.plan).since) == (2, 2)
    assert [len(decision.leaving) for decision in outcome.decisions] == [1, 1]
    assert outcome.decisions[0].why.startswith("4711.lb.example.com follows www.lb.example.com: ")


def test_one_that_follows_what_is_not_there_waits() -> None:
    some = fleet(4)
    outcome = planned(some, verdicts_of(some), (BOTH[1],))
    assert [(one.key, one.rule) for one in outcome.refusals] == [(ACCOUNT, "follows")]
    assert outcome.plan is None
    down = {one.id: DOWN for one in some.load_balancers}
    assert {one.rule for one in planned(some, down, BOTH).refusals} == {"healthy", "follows"}


def test_what_is_refused_for_the_one_is_refused_for_the_other() -> None:
    some = fleet(4)
    plan = begun(some, *BOTH)
    outcome = planned(some, verdicts_of(some), (policy(min_answers=5), BOTH[1]), plan)
    assert outcome.plan is None


def test_consent_is_asked_for_its_own_name() -> None:
    some = fleet(4)
    there = {ACCOUNT: Presence(addresses(60, ["192.0.2.99"])), (ZONE, f"www.{ZONE}"): Presence(())}
    given = context(1, BOTH, present=there)
    outcome = draft(some, verdicts_of(some), BOTH, None, 0.0, given)
    assert [(one.key, one.rule) for one in outcome.refusals] == [(ACCOUNT, "consent")]


def approach(some: tuple[EndpointPolicy, ...], plan: Plan, count: int = 12) -> list[int]:
    """The differences between the two answers, plan by plan, until nothing more is due."""
    all_of, now, found = fleet(count), 5000.0, []
    for _ in range(30):
        outcome = planned(all_of, verdicts_of(all_of), some, plan, now)
        plan = outcome.plan or plan
        one, other = set(served(entry_of(plan))), set(served(entry_of(plan, ACCOUNT)))
        found.append(len(one ^ other))
        if outcome.due is None:
            break
        now = outcome.due
    assert entry_of(plan, ACCOUNT).follows == f"www.{ZONE}"
    return found


def test_one_that_had_another_answer_approaches_within_the_limits() -> None:
    alone = policy("4711", max_answers=4)
    plan = begun(fleet(12), BOTH[0], alone)
    assert set(served(entry_of(plan))) != set(served(entry_of(plan, ACCOUNT)))
    differences = approach(BOTH, plan)
    assert differences[0] > 0
    assert differences[-1] == 0


def test_held_alone_it_stays_and_comes_back_in_steps() -> None:
    some = fleet(6)
    plan = hold(begun(some, *BOTH), (ACCOUNT,), 2, "alice", "to look at", 0.0).plan
    gone = planned(some, verdicts_of(some, lb_1=DOWN), BOTH, plan, 1000.0).plan
    assert (len(served(entry_of(gone))), len(served(entry_of(gone, ACCOUNT)))) == (5, 6)


def test_the_held_answer_of_the_followed_one_is_copied() -> None:
    some = fleet(6)
    plan = hold(begun(some, *BOTH), ((ZONE, f"www.{ZONE}"),), 2, "alice", "to look at", 0.0).plan
    outcome = planned(some, verdicts_of(some, lb_1=DOWN), BOTH, plan, 1000.0)
    assert outcome.plan is None
    assert entry_of(plan, ACCOUNT).held == ""


def test_a_followed_endpoint_cannot_be_retired() -> None:
    some = fleet(4)
    plan = begun(some, *BOTH)

    def without(*keys: tuple[str, str]) -> list[str]:
        retired = [
            replace(entry_of(plan, key), kind="retired", rrsets=(), min_answers=(), members=(), since=2) for key in keys
        ]
        shards = plan.shards.updated(retired)
        return [
            str(one)
            for one in plan_violations(Plan(replace(plan.record, generation=2, shards=shards.digest), shards), plan)
        ]

    www = (ZONE, f"www.{ZONE}")
    assert without(www) == [f"www.{ZONE}: it can't be retired while 4711.{ZONE} follow it"]
    assert without(ACCOUNT) == []
    assert without(www, ACCOUNT) == []


@pytest.mark.parametrize(
    ("v4", "v6", "kind"), [(True, False, "public"), (True, True, "dual-stack"), (False, True, "ipv6-only")]
)
def test_the_kind_is_what_it_serves_unless_it_is_said(v4: bool, v6: bool, kind: str) -> None:
    some = fleet(3, v6=v6)
    some = replace(some, load_balancers=tuple(replace(o, ipv4=o.ipv4 if v4 else ()) for o in some.load_balancers))
    assert entry_of(begun(some)).endpoint_kind == kind
    assert entry_of(begun(some, replace(policy(), kind="fips"))).endpoint_kind == "fips"
