"""What stands for whom: one record set a load balancer, names among them, and where names can't stand."""

from typing import Literal

import pytest
from msgspec.structs import replace

from harness.planning import (
    DOWN,
    balancer,
    begun,
    entry_of,
    fleet,
    fleet_of,
    planned,
    policy,
    served,
    texts,
    verdicts_of,
)
from standfast.config import check
from standfast.core.layout import layout_of, rrsets_of
from standfast.core.selection import Candidate
from standfast.model.entry import Entry
from standfast.model.fleet import Fleet, alias_address, alias_of, answered_with, reached_at
from standfast.model.routing import Variant, read_variant
from standfast.model.rrset import RRType

ELB = "edge-1.eu-west-1.elb.amazonaws.com"
BASE = """\
zone: {{name: lb.example.com, provider: {provider}}}
health: none
load_balancers:
  lb-1: {{az: a, ip: [192.0.2.1, 192.0.2.11], capacity: 100}}
  lb-2: {{az: b, {second}, capacity: 50}}
endpoints: {{www: {{{endpoint}}}}}
"""


def test_a_name_stands_where_an_address_would() -> None:
    for six in (False, True):
        text = alias_address(ELB, "Z1", six=six)
        assert (":" in text) is six
        assert alias_of(text) == (ELB, "Z1")
        assert (reached_at(text), answered_with(text)) == (ELB, f"{ELB}.")
    assert alias_of("2001:db8::1") is None
    assert reached_at("192.0.2.1") == answered_with("192.0.2.1") == "192.0.2.1"


def test_the_layout_follows_how_many_are_eligible() -> None:
    auto = replace(policy(), layout="auto")
    some = fleet(9).load_balancers
    assert layout_of(auto, some[:8]) == "multivalue"
    assert layout_of(auto, some) == "tree"
    elb = replace(balancer(10), ipv4=(alias_address(ELB, "Z1", six=False),))
    assert layout_of(auto, [*some, elb]) == "multivalue"
    assert layout_of(policy(), some) == "flat"


def test_a_fleet_that_goes_to_and_fro_keeps_its_layout() -> None:
    auto, some = replace(policy(), layout="auto"), fleet(9).load_balancers
    tree, several = (Entry("z", "www.z", 1, layout=one) for one in ("tree", "multivalue"))
    assert [layout_of(auto, some[:count], tree) for count in (9, 8, 7, 6)] == ["tree", "tree", "tree", "multivalue"]
    assert [layout_of(auto, some[:count], several) for count in (6, 8, 9)] == ["multivalue", "multivalue", "tree"]
    retired = replace(tree, kind="retired")
    assert layout_of(auto, some[:8], retired) == "multivalue"
    assert layout_of(replace(auto, layout="multivalue"), some[:8], tree) == "multivalue", "as somebody says"


def variants(some: Fleet) -> dict[str, Variant]:
    """What stands for each load balancer under an endpoint whose layout follows their number."""
    first = entry_of(begun(some, replace(policy(), layout="auto")))
    assert first.layout == "multivalue"
    rrset = first.rrset(RRType.A)
    assert rrset is not None
    assert rrset.rtype == RRType.ROUTED_A
    return {one.identifier: one for one in map(read_variant, rrset.rdata)}


def test_each_load_balancer_has_a_record_set_of_its_own() -> None:
    found = variants(fleet_of([balancer(1), replace(balancer(2), ipv4=("192.0.2.2", "192.0.2.22"))]))
    assert sorted(found) == ["lb-1", "lb-2 192.0.2.2", "lb-2 192.0.2.22"]
    assert {one.policy for one in found.values()} == {"multivalue"}
    assert {(one.ttl, one.weight) for one in found.values()} == {(60, 0)}


def test_a_dead_one_leaves_and_the_layout_stays() -> None:
    some, asked = fleet(3), replace(policy(), layout="auto", removal_share=1.0)
    before = begun(some, asked)
    after = planned(some, verdicts_of(some, lb_2=DOWN), (asked,), before).plan
    entry = entry_of(after)
    assert (entry.layout, entry.since) == ("multivalue", 2)
    assert served(entry) == ["lb-1", "lb-3"]
    assert entry.min_answers == entry_of(before).min_answers == ((RRType.A, 2),)


def test_many_make_a_tree_with_none_left_out() -> None:
    outcome = planned(fleet(12), verdicts_of(fleet(12)), (replace(policy(), layout="auto"),))
    if outcome.plan is not None:
        entry = entry_of(outcome.plan)
        assert (entry.layout, len(texts(entry))) == ("tree", 12)
    else:
        assert [one.rule for one in outcome.refusals] == ["guard"]


def test_a_plan_names_the_trees_before() -> None:
    some, asked = fleet(3), replace(policy(), layout="tree", removal_share=1.0)
    first = begun(some, asked)
    second = planned(some, verdicts_of(some, lb_2=DOWN), (asked,), first, now=1e4).plan
    third = planned(some, verdicts_of(some), (asked, policy("api")), second, now=2e4).plan
    fourth = planned(some, verdicts_of(some), (asked, policy("api"), policy("more")), third, now=3e4).plan
    assert [(entry_of(plan).since, entry_of(plan).trees) for plan in (first, second, third, fourth)] == [
        (1, ()),
        (2, (1,)),
        (3, (2, 1)),
        (3, (2, 1)),
    ]


def test_where_one_is_a_name_all_are_weighted_by_capacity() -> None:
    elb = replace(balancer(2, capacity=1000), ipv4=(alias_address(ELB, "Z1", six=False),))
    found = variants(fleet_of([balancer(1, capacity=500), elb]))
    assert {name: (one.policy, one.weight) for name, one in found.items()} == {
        "lb-1": ("weighted", 127),
        "lb-2": ("weighted", 255),
    }
    assert (found["lb-2"].target, found["lb-2"].target_zone, found["lb-2"].evaluates) == (ELB, "Z1", True)
    assert (found["lb-1"].answer, found["lb-1"].ttl) == ("192.0.2.1", 60)
    two = replace(balancer(1, capacity=500), ipv4=("192.0.2.1", "192.0.2.11"))
    found = variants(fleet_of([two, elb]))
    assert {name: one.weight for name, one in found.items()} == {
        "lb-1 192.0.2.1": 63,
        "lb-1 192.0.2.11": 63,
        "lb-2": 255,
    }


@pytest.mark.parametrize("layout", ["tree", "multivalue", "flat"])
def test_shares_of_answers_follow_weights_where_there_are_weights(
    layout: Literal["flat", "tree", "multivalue"],
) -> None:
    elb = {"ipv4": (alias_address(ELB, "Z1", six=False),)} if layout == "multivalue" else {}
    some = fleet_of([balancer(1, capacity=500), replace(balancer(2, capacity=1000), **elb), balancer(3, capacity=500)])
    outcome = planned(some, verdicts_of(some), (replace(policy(), layout=layout),))
    shares = {one.load_balancer: one for one in outcome.shares}
    assert [one.capacity for one in shares.values()] == [0.25, 0.5, 0.25]
    if layout == "flat":
        assert shares["lb-2"].answers == pytest.approx(1 / 3)
    else:
        assert [one.deviation for one in shares.values()] == pytest.approx([0.0, 0.0, 0.0])


@pytest.mark.parametrize("layout", ["flat", "tree"])
def test_a_name_is_refused_where_it_cannot_stand(layout: Literal["flat", "tree"]) -> None:
    some = fleet_of([balancer(1), replace(balancer(2), ipv4=(alias_address(ELB, "Z1", six=False),))])
    outcome = planned(some, verdicts_of(some), (replace(policy(), layout=layout),))
    (refusal,) = outcome.refusals
    assert refusal.rule == "alias"
    assert "lb-2 is only a name" in refusal.reason
    assert "layout multivalue" in refusal.remedy


@pytest.mark.parametrize(
    ("provider", "second", "endpoint", "message"),
    [
        ("embedded", f"alias: {{name: {ELB}, zone: Z1}}", "", "is only a name (alias)"),
        ("route53", f"alias: {{name: {ELB}, zone: Z1}}", "layout: tree", "layout is tree"),
        ("route53", f"alias: {{name: {ELB}, zone: here}}", "", "not a hosted zone's id"),
        ("route53", f"alias: {{name: {ELB}}}", "", "zone is missing"),
        ("route53", "alias: {name: 'a b', zone: Z1}", "", "Label"),
        ("route53", f"alias: {{name: {ELB}, zone: Z1}}, ip: 192.0.2.9", "", "a name (alias) and addresses"),
        ("route53", "alias: {name: edge.lb.example.com, zone: Z1}", "", "a name in lb.example.com itself"),
    ],
)
def test_mistakes_with_remedy(provider: str, second: str, endpoint: str, message: str) -> None:
    _, problems, _ = check(BASE.format(provider=provider, second=second, endpoint=endpoint), "f.yaml")
    assert problems
    assert any(message in one.message and one.remedy for one in problems), problems


def test_a_name_is_read_as_one() -> None:
    text = BASE.format(
        provider="route53", second=f"alias: {{name: {ELB}, zone: Z1, families: [ipv4, ipv6]}}", endpoint=""
    )
    config, problems, _ = check(text, "f.yaml")
    assert not problems
    assert config is not None
    second = config.load_balancers[1]
    assert (second.ipv4, second.ipv6) == ((f"{ELB}@Z1",), (f"::{ELB}@Z1",))


def test_whoever_is_served_beside_a_name_has_some_weight_however_little_capacity_it_has() -> None:
    """Weight 0 is never answered: with two addresses, and one per cent of a capacity of 1 while it starts."""
    some = (
        Candidate("lb-1", ("192.0.2.1", "192.0.2.2"), 1, None, "in", "", eased=0.01),
        Candidate("lb-2", (alias_address(ELB, "Z1", six=False),), 1, None, "in", ""),
    )
    (rrset,) = rrsets_of("multivalue", some, (RRType.A,), 60)
    assert all(read_variant(rdata).weight for rdata in rrset.rdata)
    assert rrset.count == 3


def test_an_alias_to_cloudfront_does_not_stand_for_its_health() -> None:
    """AWS refuses that (API reference, AliasTarget, EvaluateTargetHealth)."""
    for zone, evaluates in (("Z2FDTNDATAQYW2", False), ("Z3RFFRIM2A3IF5", False), ("Z1", True)):
        one = Candidate("lb-1", (alias_address("d111.cloudfront.net", zone, six=False),), 1, None, "in", "")
        (rrset,) = rrsets_of("multivalue", (one,), (RRType.A,), 60)
        assert [read_variant(rdata).evaluates for rdata in rrset.rdata] == [evaluates]
