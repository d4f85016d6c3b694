"""What planning decides, case by case, with its words."""

import pytest
from msgspec.structs import replace

from harness.planning import (
    DOWN,
    UNKNOWN,
    UP,
    WARMING,
    WWW,
    ZONE,
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
from standfast.core.decisions import Draft, Presence
from standfast.core.holding import hold, resume, rollback
from standfast.core.planner import draft
from standfast.model.fleet import LoadBalancer, Verdict
from standfast.model.marker import Marker
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType, addresses


def reasons(outcome: Draft, key: tuple[str, str] = WWW) -> dict[str, str]:
    decision = next(one for one in outcome.decisions if one.key == key)
    return {member.load_balancer: member.reason for member in decision.members}


def rules(outcome: Draft) -> list[str]:
    return [refusal.rule for refusal in outcome.refusals]


# First entry


def test_the_first_plan_has_every_address_and_a_first_entry_for_each_zone() -> None:
    plan = begun(fleet(6, v6=True))
    entry = entry_of(plan)
    assert plan.record.zones == (ZONE,)
    assert entry_of(plan, (ZONE, f"main._first.{ZONE}")).kind == "first"
    assert entry.since == 1
    assert len(texts(entry)) == len(texts(entry, RRType.AAAA)) == 6
    assert entry.min_answers == ((RRType.A, 2), (RRType.AAAA, 2))
    assert all(member.reason == "6 checks passed" for member in entry.members)


def test_before_any_check_has_passed_nothing_is_published() -> None:
    some = fleet(3)
    outcome = planned(some, dict.fromkeys(["lb-1", "lb-2", "lb-3"], UNKNOWN), (policy(),))
    assert outcome.plan is None
    assert outcome.refusals[0].reason == "no load balancer has passed its checks yet"


def test_it_enters_with_min_answers_healthy_ones_and_without_the_others() -> None:
    some = fleet(4)
    assert rules(planned(some, {"lb-1": UP, "lb-2": DOWN}, (policy(),))) == ["healthy"]
    outcome = planned(some, {"lb-1": UP, "lb-2": DOWN, "lb-3": UP, "lb-4": WARMING}, (policy(),))
    assert served(entry_of(outcome.plan)) == ["lb-1", "lb-3"]


@pytest.mark.parametrize(
    ("presence", "rule", "remedy"),
    [
        (Presence(addresses(300, ["192.0.2.99"])), "consent", f"--take www.{ZONE}"),
        (Presence((RRset.of(RRType.CNAME, 300, [b"\0"]),)), "consent", f"--take www.{ZONE}"),
        (Presence(None), "presence", "try again; it is tried at each pass"),
        (
            Presence((), Marker("west", 1, 1, "d", "live", "w", "n")),
            "foreign",
            f"take it out of this configuration, or `standfast adopt --take www.{ZONE}`",
        ),
        (
            Presence((), Marker("main", 1, 1, "d", "retired", "w", "n")),
            "retired",
            f"take www.{ZONE} out of the configuration",
        ),
    ],
)
def test_a_name_that_stands_is_not_entered_without_leave(presence: Presence, rule: str, remedy: str) -> None:
    some, policies = fleet(3), (policy(), policy("api"))
    present = {policies[0].key: presence, policies[1].key: Presence(())}
    outcome = draft(some, verdicts_of(some), policies, None, 0.0, context(1, present=present))
    assert [(one.rule, one.remedy) for one in outcome.refusals] == [(rule, remedy)]
    assert outcome.plan is not None
    assert outcome.plan.entry(WWW) is None
    assert outcome.plan.entry(policies[1].key) is not None


def test_consent_is_recorded_and_our_own_marker_needs_none() -> None:
    some, policies = fleet(3), (policy(),)
    taken = context(1, present={WWW: Presence(addresses(300, ["192.0.2.99"]))}, consents={f"www.{ZONE}": "alice"})
    assert entry_of(draft(some, verdicts_of(some), policies, None, 0.0, taken).plan).taken == "alice"
    ours = Presence(addresses(300, ["192.0.2.99"]), Marker("main", 1, 1, "d", "live", "w", "n"))
    assert entry_of(draft(some, verdicts_of(some), policies, None, 0.0, context(1, present={WWW: ours})).plan)


def test_what_was_never_looked_at_is_not_entered() -> None:
    some = fleet(3)
    assert rules(draft(some, verdicts_of(some), (policy(),), None, 0.0, context(1))) == ["presence"]


# Health


@pytest.mark.parametrize(
    ("verdict", "was_in", "is_in", "words"),
    [
        (UP, True, True, "6 checks passed"),
        (UP, False, True, "6 checks passed"),
        (DOWN, True, False, "failed 3 checks in a row: connection refused"),
        (UNKNOWN, True, True, "stays in: not checked yet"),
        (UNKNOWN, False, False, "stays out: not checked yet"),
        (WARMING, True, True, "stays in: "),
        (WARMING, False, False, "stays out: "),
    ],
)
def test_health_says_who_is_in(verdict: Verdict, was_in: bool, is_in: bool, words: str) -> None:
    some = fleet(4)
    plan = planned(some, verdicts_of(some, lb_4=UP if was_in else DOWN), (policy(),)).plan
    outcome = planned(some, verdicts_of(some, lb_4=verdict), (policy(),), plan)
    after = entry_of(outcome.plan or plan)
    assert ("lb-4" in served(after)) == is_in
    assert (outcome.plan is None) == (was_in == is_in)
    assert reasons(outcome)["lb-4"].startswith(words)


def test_a_restarted_planner_that_knows_nothing_changes_nothing() -> None:
    some = fleet(4)
    assert planned(some, {}, (policy(),), begun(some)).plan is None


@pytest.mark.parametrize(
    ("admin", "words"), [("drain", "drained by configuration"), ("down", "taken down by configuration")]
)
def test_an_operator_takes_one_out(admin: str, words: str) -> None:
    some = fleet(4)
    changed = fleet_of([balancer(4, admin="drain" if admin == "drain" else "down"), *some.load_balancers[:3]])
    outcome = planned(changed, verdicts_of(changed), (policy(),), begun(some))
    assert served(entry_of(outcome.plan)) == ["lb-1", "lb-2", "lb-3"]
    assert reasons(outcome)["lb-4"] == words


def test_one_that_left_the_fleet_or_the_policy_leaves_the_answer() -> None:
    some = fleet(4)
    outcome = planned(fleet(3), verdicts_of(fleet(3)), (policy(),), begun(some))
    assert served(entry_of(outcome.plan)) == ["lb-1", "lb-2", "lb-3"]
    assert reasons(outcome)["lb-4"] == "it is not in the fleet any more"
    moved = fleet_of([*some.load_balancers[:3], balancer(4, az="z")])
    outcome = planned(moved, verdicts_of(moved), (policy(azs=("a", "b")),), begun(some))
    assert reasons(outcome)["lb-4"] == "its AZ z is not among azs a, b"


def test_changed_addresses_are_a_departure_and_new_ones_come_at_once() -> None:
    some = fleet(6)
    moved = fleet_of(replace(one, ipv4=(one.ipv4[0].replace("192.0.2", "198.51.100"),)) for one in some.load_balancers)
    outcome = planned(moved, verdicts_of(moved), (policy(max_answers=20),), begun(some, now=0.0), 1.0)
    entry = entry_of(outcome.plan)
    assert len(texts(entry)) == 10
    assert outcome.due == 601.0
    assert sum(text.startswith("192.0.2.") for text in texts(entry)) == 4


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
    assert "34 % per 600 s is used up" in reasons(waiting)["lb-2"]
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


# Plans


def test_since_rises_where_contents_change_and_only_there() -> None:
    some, policies = fleet(4), (policy(), policy("api", azs=("a",)))
    plan = begun(some, *policies)
    moved = (policy(ttl=30), policies[1])
    after = planned(some, verdicts_of(some), moved, plan).plan
    assert after is not None
    assert (after.generation, entry_of(after).since) == (2, 2)
    assert entry_of(after, policies[1].key) == entry_of(plan, policies[1].key)


def test_without_change_no_generation_is_spent_whatever_the_words() -> None:
    some = fleet(4)
    verdicts = {name: Verdict("up", "7 checks passed") for name in verdicts_of(some)}
    assert planned(some, verdicts, (policy(),), begun(some)).plan is None


def test_absence_never_deletes() -> None:
    some, policies = fleet(4), (policy(), policy("api"))
    plan = begun(some, *policies)
    outcome = planned(some, verdicts_of(some, lb_1=DOWN), policies[1:], plan)
    assert entry_of(outcome.plan) == entry_of(plan)
    assert outcome.notes == (f"www.{ZONE} it is in the plan and not in the configuration: carried on unchanged",)


def test_a_zone_that_is_absent_stays_in_the_plan() -> None:
    some, other = fleet(4), policy(zone="other.example")
    first = draft(
        some,
        verdicts_of(some),
        (policy(), other),
        None,
        0.0,
        context(1, (policy(), other), zones=(ZONE, "other.example")),
    ).plan
    after = planned(some, verdicts_of(some, lb_1=DOWN), (policy(),), first).plan
    assert after is not None
    assert after.record.zones == (ZONE, "other.example")
    assert entry_of(after, other.key).since == 1


def test_retired_entries_stay_retired() -> None:
    some = fleet(4)
    plan = begun(some)
    retired = replace(entry_of(plan), kind="retired", rrsets=(), since=2)
    shards = plan.shards.updated([retired])
    plan = Plan(replace(plan.record, generation=2, shards=shards.digest), shards)
    outcome = planned(some, verdicts_of(some), (policy(), policy("api")), plan)
    assert rules(outcome) == ["retired"]
    assert entry_of(outcome.plan) == retired


def test_an_unreadable_zone_stands_still() -> None:
    some, policies = fleet(4), (policy(), policy("api"))
    plan = begun(some, policies[0])
    still = replace(context(2, policies), unreadable=frozenset({ZONE}))
    outcome = draft(some, verdicts_of(some, lb_1=DOWN), policies, plan, 1.0, still)
    assert outcome.plan is None
    assert rules(outcome) == ["unreadable", "unreadable"]


def test_raised_entries_are_new_though_nothing_changed() -> None:
    some = fleet(4)
    plan = begun(some)
    above = replace(context(7, (policy(),)), raised=frozenset({WWW}), above=True)
    after = draft(some, verdicts_of(some), (policy(),), plan, 1.0, above).plan
    assert (entry_of(after).since, entry_of(after, (ZONE, f"main._first.{ZONE}")).since) == (7, 1)


def test_the_guard_has_the_last_word_on_an_entry() -> None:
    some = fleet(4)
    assert rules(planned(some, verdicts_of(some), (policy("_standfast"), policy("x", ttl=0)))) == ["guard", "guard"]


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
