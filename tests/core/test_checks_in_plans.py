"""Ids of the provider's health checks in plans: who has one, that they are bytes like any others, and rollbacks."""

from __future__ import annotations

from msgspec.structs import replace

from harness.planning import EMPTY, UP, WWW, ZONE, fleet, policy
from standfast.core.checkcollector import checks_named
from standfast.core.decisions import PlanContext
from standfast.core.holding import Rollback, command_draft
from standfast.core.planner import draft
from standfast.model.check import BalancerCheck
from standfast.model.entry import Entry
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.routing import read_variant
from standfast.model.tree import records

FLEET = fleet(3, v6=True)
VERDICTS = {one.id: UP for one in FLEET.load_balancers}


def check(name: str, number: int) -> BalancerCheck:
    one = next(one for one in FLEET.load_balancers if one.id == name)
    return BalancerCheck(name, (*one.ipv4, *one.ipv6), f"id-{number}", "", ())


def planned(
    checks: tuple[BalancerCheck, ...], previous: Plan | None = None, layout: str = "multivalue"
) -> tuple[Plan | None, EndpointPolicy]:
    wish = replace(policy(), layout=layout)
    number = previous.generation + 1 if previous else 1
    context = PlanContext("main", (ZONE,), number, "p1", present={WWW: EMPTY}, checks={ZONE: checks})
    return draft(FLEET, VERDICTS, (wish,), previous, 1000.0 + number, context).plan, wish


def entry_of(plan: Plan | None) -> Entry:
    entry = plan.entry(WWW) if plan else None
    assert entry is not None
    return entry


def ids(entry: Entry) -> dict[str, str]:
    return {
        variant.identifier: variant.health_check for rrset in entry.rrsets for variant in map(read_variant, rrset.rdata)
    }


def test_a_check_is_in_every_family_and_changes_since() -> None:
    first, _ = planned(())
    assert set(ids(entry_of(first)).values()) == {""}
    second, _ = planned((check("lb-1", 1),), first)
    entry = entry_of(second)
    assert entry.since == 2, "a check is bytes: a delayed older entry must not win over it"
    assert ids(entry) == {"lb-1": "id-1", "lb-2": "", "lb-3": ""}
    assert {one.load_balancer: one.health_check for one in entry.members}["lb-1"] == "id-1"
    third, _ = planned((check("lb-1", 1),), second)
    assert third is None, "nothing changed, no generation is spent"
    assert checks_named(second.shards if second else ()) == {"id-1"}


def test_a_plain_rrset_has_none() -> None:
    plan, _ = planned((check("lb-1", 1),), layout="flat")
    assert {one.health_check for one in entry_of(plan).members} == {""}
    assert checks_named(plan.shards if plan else ()) == frozenset()


def test_one_that_watches_other_addresses_is_not_taken() -> None:
    elsewhere = BalancerCheck("lb-1", ("192.0.2.77",), "id-9", "", ())
    plan, _ = planned((elsewhere,))
    assert ids(entry_of(plan))["lb-1"] == ""


def test_a_rollback_brings_no_dead_check_back() -> None:
    old, _ = planned((check("lb-1", 1), check("lb-2", 2)))
    assert old is not None
    new, _ = planned((check("lb-1", 7),), old)
    assert new is not None
    context = PlanContext("main", (ZONE,), 3, "op", checks={ZONE: (check("lb-1", 7),)})
    back = command_draft(Rollback(old, (WWW,), "test"), new, FLEET, 2000.0, context).plan
    assert ids(entry_of(back)) == {"lb-1": "id-7", "lb-2": "", "lb-3": ""}
    assert checks_named(back.shards if back else ()) == {"id-7"}, "G3: a rollback names a check that may be deleted"


def test_the_leaves_of_a_tree_name_the_checks_of_its_members() -> None:
    plan, _ = planned((check("lb-1", 1),), layout="tree")
    entry = entry_of(plan)
    assert {one.load_balancer: one.health_check for one in entry.members} == {"lb-1": "id-1", "lb-2": "", "lb-3": ""}
    leaves = [rrset for owner, rrset in records(entry) if owner.startswith("lb-1.")]
    assert {read_variant(rdata).health_check for leaf in leaves for rdata in leaf.rdata} == {"id-1"}
    other, _ = planned((check("lb-1", 2),), plan, layout="tree")
    assert entry_of(other).since == 2, "another check is another tree"
    assert checks_named(other.shards if other else ()) == {"id-2"}
