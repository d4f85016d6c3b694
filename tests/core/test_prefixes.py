"""Addresses outside the prefixes: refused by the planner, and by an enactor whatever the plan says."""

import ipaddress
import random

import pytest
from msgspec.structs import replace

from harness.planning import WWW, ZONE, balancer, begun, entry_of, fleet, fleet_of, planned, policy, served, texts
from harness.planning import verdicts_of as all_up
from standfast.adapters.providers.memory import MemoryProvider
from standfast.core.decisions import PlanContext
from standfast.core.enactor import Enactor
from standfast.core.holding import Rollback, command_draft
from standfast.core.judgement import Due, FloorView, Leave, RefillDue, judge
from standfast.core.prefixes import inside, outside, prefix_violations
from standfast.model.fleet import Fleet, LoadBalancer
from standfast.model.marker import ABSENT, Marker, MarkerReading
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import ADDRESS_TYPES, RRset
from standfast.model.shards import Shards
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent
from standfast.ports.provider import Confirm, Read, ReadChanges, Replace
from standfast.ports.store import HeadRead, PlanMissing, PlanRead, ReadHead, ReadPlan

OURS = ("192.0.2.0/24", "2001:db8::/32")
POLICY = replace(policy(min_answers=1, removal_share=1.0), adding_share=1.0, prefixes=OURS)


def stray(number: int, *addresses: str) -> LoadBalancer:
    one = balancer(number)
    four = tuple(a for a in addresses if ":" not in a)
    return LoadBalancer(one.id, one.az, one.pool, four, tuple(a for a in addresses if ":" in a), one.capacity)


def first(some: Fleet, how: EndpointPolicy = POLICY) -> Plan:
    return begun(some, how)


def test_inside_is_what_the_standard_library_says() -> None:
    dice = random.Random(7)
    for _ in range(2000):
        six = dice.random() < 0.5
        rdata = dice.randbytes(16 if six else 4)
        width = dice.randint(0, 8 * len(rdata))
        network = ipaddress.ip_network((dice.choice([rdata, dice.randbytes(len(rdata))]), width), strict=False)
        assert inside(rdata, (str(network),)) == (ipaddress.ip_address(rdata) in network)
    assert outside(["192.0.2.1", "::1"], ()) == ()


def test_a_newcomer_outside_stays_out_and_the_others_go_on() -> None:
    plan = first(fleet(3))
    some = fleet_of([balancer(1), balancer(2), stray(4, "203.0.113.9")])
    draft = planned(some, all_up(some), (POLICY,), plan)
    assert served(entry_of(draft.plan)) == ["lb-1", "lb-2"]
    (refusal,) = draft.refusals
    assert (refusal.key, refusal.rule) == (WWW, "prefixes")
    assert "lb-4 has 203.0.113.9, outside the prefixes" in refusal.reason
    assert "`prefixes:`" in refusal.remedy


def test_who_moves_outside_stays_where_it_was() -> None:
    """A released address that somebody else has by now must not be published; nor is that a load balancer that died."""
    plan = first(fleet(3))
    some = fleet_of([balancer(1), balancer(2), stray(3, "203.0.113.9", "2001:db8::3")])
    draft = planned(some, all_up(some), (POLICY,), plan)
    assert draft.plan is None
    assert [one.rule for one in draft.refusals] == ["prefixes"]
    (decision,) = draft.decisions
    assert {one.load_balancer: one.addresses for one in decision.members if one.served}["lb-3"] == ("192.0.2.3",)


def test_one_that_was_drained_goes_although_its_new_address_is_outside() -> None:
    plan = first(fleet(3))
    drained = replace(stray(3, "203.0.113.9"), admin="drain")
    some = fleet_of([balancer(1), balancer(2), drained])
    assert served(entry_of(planned(some, all_up(some), (POLICY,), plan).plan)) == ["lb-1", "lb-2"]


def test_narrower_prefixes_take_out_who_is_outside_within_the_limits() -> None:
    some = fleet_of([balancer(1), balancer(2), stray(3, "203.0.113.9")])
    plan = begun(some, replace(POLICY, prefixes=()))
    after = planned(some, all_up(some), (POLICY,), plan)
    assert served(entry_of(after.plan)) == ["lb-1", "lb-2"]
    everybody = fleet_of([stray(1, "203.0.113.1"), stray(2, "203.0.113.2")])
    plan = begun(everybody, replace(POLICY, prefixes=()))
    after = planned(everybody, all_up(everybody), (POLICY,), plan)
    assert after.plan is None, "nothing is left to serve: the previous entry is carried on, and said to be refused"
    assert after.refusals


def test_the_first_plan_waits_for_somebody_inside() -> None:
    some = fleet_of([stray(1, "203.0.113.1")])
    draft = planned(some, all_up(some), (POLICY,))
    assert draft.plan is None
    assert draft.refusals[0].key == WWW


def test_a_rollback_puts_nothing_outside_back() -> None:
    some = fleet_of([stray(1, "203.0.113.1"), balancer(2)])
    old = begun(some, replace(POLICY, prefixes=()))
    context = PlanContext("main", (ZONE,), 2, "alice", prefixes={ZONE: OURS})
    draft = command_draft(Rollback(old, (WWW,), "try"), old, some, 0.0, context)
    assert draft.plan is None
    assert "203.0.113.1 is outside the prefixes" in draft.refusals[0].reason


@pytest.mark.parametrize("seed", range(150))
def test_nothing_outside_is_ever_planned(seed: int) -> None:
    """Whatever sources say, from one plan to the next, and nothing leaves because it strayed."""
    dice = random.Random(seed)
    how = replace(POLICY, min_answers=dice.choice([None, 1, 2]), removal_share=dice.choice([0.34, 1.0]))
    count = dice.randint(2, 7)
    some, plan, now = fleet(count, v6=dice.random() < 0.5), None, 0.0
    for _ in range(6):
        draft = planned(some, all_up(some), (how,), plan, now)
        plan, now = draft.plan or plan, now + 700.0
        if plan is not None and (entry := plan.entry(WWW)) is not None:
            assert not prefix_violations(entry, OURS), f"seed {seed}"
            missing = {one.id for one in some.load_balancers} - set(served(entry))
            strayed = {one.id for one in some.load_balancers if outside((*one.ipv4, *one.ipv6), OURS)}
            assert len(served(entry)) >= min(count, 8) - len(missing - strayed), f"seed {seed}"
        some = fleet_of(
            stray(n, dice.choice([f"192.0.2.{n}", f"203.0.113.{n}"]), *(f"2001:db8::{n:x}",) * dice.randint(0, 1))
            for n in range(1, count + 1)
        )


def enacted(plan: Plan, prefixes: tuple[str, ...], zone: MemoryProvider) -> dict[str, str]:
    """One enactor, one pass over a real (specified) zone: result by name."""
    core = Enactor("a", "main", prefixes=((ZONE, prefixes),)).wake("start", 0.0)
    results: dict[str, str] = {}
    nonce = 0
    while (request := core.request) is not None:
        match request:
            case RecallCopy():
                reply: object = PlanMissing()
            case ReadHead():
                reply = HeadRead(plan.head)
            case ReadPlan():
                reply = PlanRead(plan)
            case KeepCopy():
                reply = Kept()
            case DrawNonce():
                nonce += 1
                reply = Nonce(f"{nonce:016x}")
            case RecordIntent():
                reply = Recorded()
            case Read() | Confirm() | Replace() | ReadChanges():
                reply = zone.perform(request)
        core = core.heard(reply)
        results.update({one.name: f"{one.result}: {one.why}" for one in core.outcomes if one.result != "look"})
    return results


def test_an_enactor_refuses_what_its_own_configuration_does_not_allow() -> None:
    """The plan is from a planner, or a store, that somebody else controls."""
    some = fleet_of([stray(1, "203.0.113.1"), balancer(2)])
    free, api = replace(POLICY, prefixes=()), replace(policy("api", min_answers=1), azs=("b",))
    plan = begun(fleet_of([*some.load_balancers, balancer(7, az="b")]), replace(free, azs=("a",)), api)
    zone = MemoryProvider(ZONE)
    results = enacted(plan, OURS, zone)
    assert results[WWW[1]] == f"unsafe: {WWW[1]}: 203.0.113.1 is outside the prefixes that may be published"
    assert results[f"api.{ZONE}"].startswith("in_step"), "the others are written"
    assert all(zone.perform(Read(ZONE, ((WWW[1], int(t)),))).values == (None,) for t in ADDRESS_TYPES)  # type: ignore[union-attr]
    assert enacted(plan, (), zone)[WWW[1]].startswith("in_step"), "without prefixes everything may be published"


def test_a_repair_and_a_refill_obey_too() -> None:
    some = fleet_of([stray(1, "203.0.113.1"), balancer(2)])
    plan = begun(some, replace(POLICY, prefixes=()))
    entry = entry_of(plan)
    marker = Marker("main", entry.since, plan.generation, plan.digest, "live", "x", "0" * 16)
    gone = (None,) * len(ADDRESS_TYPES)
    cases: list[tuple[MarkerReading, FloorView, type]] = [
        (marker, FloorView(plan.generation, False, ()), Due),
        (ABSENT, FloorView(9, False, ()), RefillDue),
    ]
    for reading, floor, kind in cases:
        assert isinstance(judge(entry, plan, reading, floor, gone), kind)
        refused = judge(entry, plan, reading, floor, gone, prefixes=OURS)
        assert isinstance(refused, Leave)
        assert (refused.standing, "203.0.113.1 is outside" in refused.why) == ("unsafe", True)


@pytest.mark.parametrize("rdata", [b"", b"abc", b"x" * 5, b"x" * 16, b"x" * 300])
def test_what_is_no_address_keeps_nobody_from_the_others(rdata: bytes) -> None:
    """A plan that somebody made by hand, or that a store gives out: one endpoint is refused, the rest goes on."""
    good = begun(fleet(1), replace(POLICY, prefixes=()), policy("api", min_answers=1))
    entries = [replace(e, rrsets=(RRset(1, 60, (rdata,)),)) if e.key == WWW else e for e in good.shards]
    shards = Shards.of(entries)
    results = enacted(Plan(replace(good.record, shards=shards.digest), shards), OURS, MemoryProvider(ZONE))
    assert results[WWW[1]].startswith(f"unsafe: {WWW[1]}: A rdata of {len(rdata)} octets")
    assert results[f"api.{ZONE}"].startswith("in_step")


@pytest.mark.parametrize("seed", range(60))
def test_no_plan_makes_an_enactor_write_outside(seed: int) -> None:
    dice = random.Random(seed)
    some = fleet_of(stray(n, dice.choice([f"192.0.2.{n}", f"203.0.113.{n}", f"198.51.100.{n}"])) for n in range(1, 6))
    names = [replace(policy(label, min_answers=1), prefixes=()) for label in ("www", "api", "m")]
    plan = begun(some, *(replace(one, max_answers=dice.randint(1, 3)) for one in names))
    zone = MemoryProvider(ZONE)
    enacted(plan, OURS, zone)
    for entry in plan.shards:
        seen = zone.perform(Read(ZONE, tuple((entry.name, int(t)) for t in ADDRESS_TYPES)))
        written = [rdata for value in seen.values if value is not None for rdata in value.rdata]  # type: ignore[union-attr]
        assert all(inside(rdata, OURS) for rdata in written), f"seed {seed}"
        if entry.kind == "live":
            assert bool(written) == (not prefix_violations(entry, OURS)), f"seed {seed}: {texts(entry)}"
