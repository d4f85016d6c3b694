"""Rollback, hold and resume."""

import pytest
from msgspec.structs import replace

from harness.planning import (
    DOWN,
    WWW,
    ZONE,
    begun,
    entry_of,
    fleet,
    fleet_of,
    planned,
    policy,
    served,
    verdicts_of,
)
from standfast.core.decisions import Draft
from standfast.core.holding import hold, resume, rollback


def reasons(outcome: Draft, key: tuple[str, str] = WWW) -> dict[str, str]:
    decision = next(one for one in outcome.decisions if one.key == key)
    return {member.load_balancer: member.reason for member in decision.members}


def rules(outcome: Draft) -> list[str]:
    return [refusal.rule for refusal in outcome.refusals]


# Hold, rollback, resume


def test_a_held_entry_is_carried_on_exactly_until_resumed() -> None:
    some = fleet(4)
    plan = begun(some)
    held = hold(plan, (WWW,), 2, "alice", "looking into it", 1.0).plan
    assert held is not None
    assert (entry_of(held).since, entry_of(held).held) == (1, "looking into it")
    ill = verdicts_of(some, lb_1=DOWN)
    outcome = planned(some, ill, (policy(ttl=30),), held)
    assert outcome.plan is None
    assert outcome.decisions[0].action == "held"
    resumed = resume(held, (WWW,), 3, "alice", "done", 2.0).plan
    assert entry_of(resumed).since == 1
    assert len(served(entry_of(planned(some, ill, (policy(),), resumed).plan))) == 3


def test_rollback_gives_old_contents_a_new_since_and_holds_them() -> None:
    some = fleet(4)
    plan = begun(some)
    after = planned(some, verdicts_of(some, lb_1=DOWN), (policy(),), plan).plan
    assert after is not None
    outcome = rollback(after, plan, (WWW,), 3, "alice", "p99 doubled", some, 5.0)
    back = entry_of(outcome.plan)
    assert back.same_contents(entry_of(plan))
    assert (back.since, back.held) == (3, "p99 doubled")
    assert outcome.plan is not None
    assert outcome.plan.record.reason == "rollback to g1: p99 doubled"
    again = rollback(outcome.plan, plan, (WWW,), 4, "alice", "again", some, 6.0)
    assert entry_of(again.plan).since == 4


def test_rollback_to_what_is_gone_is_refused_by_name() -> None:
    some = fleet(4)
    plan = begun(some)
    moved = fleet_of([*some.load_balancers[:2], replace(some.load_balancers[2], ipv4=("192.0.2.33",))])
    outcome = rollback(plan, plan, (WWW, (ZONE, "nobody")), 2, "alice", "why", moved, 5.0)
    assert outcome.plan is None
    by_rule = {refusal.rule: refusal.reason for refusal in outcome.refusals}
    assert by_rule["gone"] == "g1 names what is gone: lb-3 (no longer at 192.0.2.3), lb-4"
    assert by_rule["absent"] == "no plan has such an endpoint"


def test_what_leaves_by_rollback_counts_for_velocity_afterwards() -> None:
    some, wanted = fleet(4), policy(min_answers=1)
    small = planned(some, verdicts_of(some, lb_1=DOWN), (wanted,)).plan
    full = planned(some, verdicts_of(some), (wanted,), small, 1.0).plan
    assert small is not None
    assert full is not None
    back = rollback(full, small, (WWW,), 3, "alice", "why", some, 2.0).plan
    assert [one.load_balancer for one in entry_of(back).departures] == ["lb-1"]
    assert back is not None
    resumed = resume(back, (WWW,), 4, "alice", "done", 3.0).plan
    outcome = planned(some, verdicts_of(some, lb_1=DOWN, lb_2=DOWN), (wanted,), resumed, 4.0)
    assert outcome.due == 602.0


@pytest.mark.parametrize("verb", ["hold", "resume"])
def test_doing_it_twice_is_refused(verb: str) -> None:
    plan = begun(fleet(4))
    if verb == "hold":
        plan = hold(plan, (WWW,), 2, "alice", "x", 1.0).plan or plan
        outcome = hold(plan, (WWW,), 3, "alice", "x", 1.0)
    else:
        outcome = resume(plan, (WWW,), 2, "alice", "x", 1.0)
    assert outcome.plan is None
    assert rules(outcome) == ["held"]
