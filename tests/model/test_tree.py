"""Names and records of trees: read back, sorted by generation, within Route 53's limits."""

import itertools

import pytest

from standfast.model.entry import Entry, Member
from standfast.model.name import marker_owner, reserved_label, rollback_owner, tree_parent
from standfast.model.routing import VARIANTS_MAX, read_variant
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRType, addresses
from standfast.model.tree import (
    TreeName,
    aliases_in,
    downwards,
    leaf_label,
    read_tree_name,
    records,
    root_rrset,
    simple_target,
    top_of,
    tree_problem,
)

ZONE = "example"


def entry(count: int, name: str = "www.example", since: int = 7, weight: int = 10, check: str = "") -> Entry:
    members = tuple(
        Member(
            f"lb-{n}",
            (f"10.{n // 256}.{n % 256}.1", *((f"2001:db8::{n:x}",) if n % 2 else ())),
            weight,
            True,
            "",
            check and f"{check}-{n}",
        )
        for n in range(1, count + 1)
    )
    rrsets = addresses(60, [text for member in members for text in member.addresses])
    least = tuple((rrset.rtype, 1) for rrset in rrsets)
    return Entry(ZONE, name, since, rrsets=rrsets, min_answers=least, members=members, layout="tree")


def test_a_small_tree_has_leaves_and_a_top_in_both_families() -> None:
    found = dict.fromkeys(owner for owner, _ in records(entry(2)))
    top = "000000000000007.www._tree._standfast.example"
    assert list(found) == [f"lb-1.{top}", f"lb-2.{top}", top]
    tops = {rrset.answers: rrset for owner, rrset in records(entry(2)) if owner == top}
    assert set(tops) == set(ADDRESS_TYPES)
    assert [one.target for one in map(read_variant, tops[RRType.AAAA].rdata)] == [f"lb-1.{top}"]
    assert simple_target(root_rrset(entry(2), RRType.A)) == top == top_of(entry(2))


@pytest.mark.parametrize("count", [1, 100, 101, 250, 1000])
def test_no_name_has_more_record_sets_than_route_53_takes_and_every_alias_comes_after_its_target(count: int) -> None:
    seen: set[tuple[str, int]] = set()
    leaves = set()
    for owner, rrset in records(entry(count)):
        if rrset.rtype in ROUTED_TYPES:
            assert len(rrset.rdata) <= VARIANTS_MAX
        for target in aliases_in(rrset):
            assert (target, rrset.answers) in seen
        seen.add((owner, rrset.answers))
        leaves |= {owner} if rrset.rtype == RRType.A else set()
    assert len(leaves) == count
    assert tree_problem(entry(count)) == ""


@pytest.mark.parametrize("count", [1, 100, 101, 250])
def test_from_the_top_down_each_branch_is_whole_before_the_next(count: int) -> None:
    one = entry(count)
    order = [owner for owner, _ in downwards(one)]
    assert set(downwards(one)) == set(records(one))
    assert len(order) == len(records(one))
    assert order[0] == top_of(one)
    last = {owner: place for place, owner in enumerate(order)}
    middles = [owner for owner in dict.fromkeys(order) if owner.startswith("_m")]
    for branch, following in itertools.pairwise(middles):
        below = {target for owner, rrset in downwards(one) if owner == branch for target in aliases_in(rrset)}
        assert all(order.index(branch) < last[leaf] < order.index(following) for leaf in below)


def test_names_are_read_back_and_sort_by_generation() -> None:
    one = entry(150, "*.example", since=12)
    for owner, _ in records(one):
        assert read_tree_name(owner, ZONE) == TreeName(tree_parent("*.example", ZONE), 12)
    assert top_of(entry(1, since=9)) < top_of(entry(1, since=10)) < top_of(entry(1, since=2**48))
    for strange in (
        "_tree._standfast.example",
        "www._tree._standfast.example",
        "www._standfast.example",
        "www.example",
    ):
        assert read_tree_name(strange, ZONE) is None


def test_names_that_are_too_long_are_hashed_and_stay_apart() -> None:
    long = ".".join(["a" * 60] * 3) + ".example"
    other = ".".join(["a" * 60, "a" * 60, "a" * 59 + "b"]) + ".example"
    parents = {tree_parent(name, ZONE) for name in (long, other)}
    assert len(parents) == 2
    for owner, _ in records(entry(120, long)):
        assert len(owner) <= 253
        assert read_tree_name(owner, ZONE) == TreeName(tree_parent(long, ZONE), 7)


def test_no_endpoint_can_stand_where_trees_and_rollback_aliases_do() -> None:
    assert reserved_label("www._tree.example", ZONE) == "_tree"
    assert reserved_label("www._rollback.example", ZONE) == "_rollback"
    owners = {marker_owner("www.example", ZONE), rollback_owner("www.example", ZONE), tree_parent("www.example", ZONE)}
    assert len(owners) == 3


@pytest.mark.parametrize("strange", ["123456789012345", "A b", "-x", "", "_m00", "x" * 70])
def test_an_id_that_is_no_label_or_looks_like_a_since_has_a_digest(strange: str) -> None:
    assert leaf_label(strange).startswith("_h-")
    assert leaf_label(strange) != leaf_label(strange + "y")


def test_weights_keep_their_shares_within_255_and_nobody_served_gets_nothing() -> None:
    members = (Member("a", ("192.0.2.1",), 10_000, True, ""), Member("b", ("192.0.2.2",), 1, True, ""))
    one = Entry(
        ZONE, "www.example", 1, rrsets=addresses(60, ["192.0.2.1", "192.0.2.2"]), members=members, layout="tree"
    )
    ((_, top),) = [(owner, rrset) for owner, rrset in records(one) if owner == top_of(one)]
    assert sorted(variant.weight for variant in map(read_variant, top.rdata)) == [1, 255]


def test_a_leaf_with_a_health_check_is_a_record_set_that_it_takes_out() -> None:
    leaves = [rrset for owner, rrset in records(entry(2, check="hc")) if owner.startswith("lb-1.")]
    assert {rrset.rtype for rrset in leaves} == set(ROUTED_TYPES)
    assert {read_variant(rdata).health_check for rrset in leaves for rdata in rrset.rdata} == {"hc-1"}


def test_contents_differ_if_a_weight_or_a_member_does() -> None:
    assert entry(2).same_contents(entry(2, since=8))
    assert not entry(2).same_contents(entry(2, weight=11))
    assert not entry(2).same_contents(entry(2, check="hc"))


def test_a_tree_whose_load_balancers_have_other_addresses_than_its_rrset_is_refused() -> None:
    one = entry(2)
    stray = Entry(ZONE, one.name, 7, rrsets=addresses(60, ["192.0.2.9"]), members=one.members, layout="tree")
    assert "other A addresses" in tree_problem(stray)
