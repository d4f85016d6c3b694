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
from standfast.core.drafting import NO_PLAN
from standfast.core.entering import STOOD_OCTETS
from standfast.core.holding import Retire, command_draft
from standfast.core.planner import draft
from standfast.model.entry import Stood
from standfast.model.fleet import Verdict
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


def test_what_stood_there_stays_with_the_entry() -> None:
    some, policies = fleet(3), (policy(),)
    stood = addresses(300, ["192.0.2.99", "2001:db8::99"])
    taken = context(7, present={WWW: Presence(stood)}, consents={f"www.{ZONE}": "alice"})
    plan = draft(some, verdicts_of(some), policies, None, 0.0, taken).plan
    assert entry_of(plan).stood == Stood(7, stood)
    later = planned(some, verdicts_of(some, lb_3=DOWN), policies, plan).plan
    assert later is not None
    assert entry_of(later).stood == Stood(7, stood)
    gone = command_draft(Retire((WWW,), "over"), later, some, 0.0, context(9)).plan
    assert entry_of(gone).kind == "retired"
    assert entry_of(gone).stood == Stood(7, stood)


def test_of_much_that_stood_there_little_is_kept() -> None:
    some, policies = fleet(3), (policy(),)
    crowd = addresses(300, [f"2001:db8::{n:x}" for n in range(1, 1001)])
    taken = context(1, present={WWW: Presence(crowd)}, consents={f"www.{ZONE}": "alice"})
    stood = entry_of(draft(some, verdicts_of(some), policies, None, 0.0, taken).plan).stood
    assert stood is not None
    assert len(stood.rrsets[0].rdata) == STOOD_OCTETS // 16
    assert stood.left_off == 1000 - STOOD_OCTETS // 16


@pytest.mark.parametrize(
    ("marker", "saved"),
    [
        (Marker("main", 1, 1, "d", "live", "w", "n"), False),
        (Marker("main", 1, 1, NO_PLAN, "live", "alice", "n"), True),
    ],
)
def test_what_we_wrote_ourselves_is_not_saved_as_from_before(marker: Marker, saved: bool) -> None:
    some, policies = fleet(3), (policy(),)
    present = {WWW: Presence(addresses(300, ["192.0.2.99"]), marker)}
    taken = context(2, present=present, consents={f"www.{ZONE}": "alice"})
    assert (entry_of(draft(some, verdicts_of(some), policies, None, 0.0, taken).plan).stood is not None) == saved


def test_a_freeze_of_a_name_that_is_not_ours_is_no_consent() -> None:
    some = fleet(3)
    placeholder = Marker("main", 0, 1, NO_PLAN, "placeholder", "alice", "n")
    present = {WWW: Presence(addresses(300, ["192.0.2.99"]), placeholder)}
    assert rules(draft(some, verdicts_of(some), (policy(),), None, 0.0, context(1, present=present))) == ["consent"]


def test_what_stands_under_a_taken_marker_is_read_before_it_is_planned_over() -> None:
    some = fleet(3)
    taken = Marker("main", 1, 1, NO_PLAN, "live", "alice", "n")
    present = {WWW: Presence(None, taken)}
    assert rules(draft(some, verdicts_of(some), (policy(),), None, 0.0, context(1, present=present))) == ["presence"]


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


def test_changed_addresses_are_a_departure_and_new_ones_an_arrival() -> None:
    some = fleet(6)
    moved = fleet_of(replace(one, ipv4=(one.ipv4[0].replace("192.0.2", "198.51.100"),)) for one in some.load_balancers)
    outcome = planned(moved, verdicts_of(moved), (policy(max_answers=20),), begun(some, now=0.0), 1000.0)
    entry = entry_of(outcome.plan)
    assert len(texts(entry)) == 6
    assert outcome.due == 1060.0
    assert sum(text.startswith("192.0.2.") for text in texts(entry)) == 4


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
