"""Slow start in the weights of aliases: who came back gets its part by steps, and no guarantee notices."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.planning import DOWN, UNKNOWN, balancer, begun, entry_of, fleet_of, planned, policy, served, verdicts_of
from standfast.model.entry import Entry, Layout
from standfast.model.fleet import Fleet, alias_address
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.routing import read_variant
from standfast.model.rrset import RRType
from standfast.model.tree import records, top_of
from standfast.recovery.slowstart import SlowStart, eased

SLOW = SlowStart(300.0)
FOUR = fleet_of(balancer(number, capacity=100) for number in range(1, 5))
TREE = replace(policy(removal_share=1.0), layout="tree")


def weights(entry: Entry) -> dict[str, int]:
    """The weights that a tree's top has, by load balancer."""
    (top,) = [rrset for owner, rrset in records(entry) if owner == top_of(entry) and rrset.answers == RRType.A]
    return {one.identifier: one.weight for one in map(read_variant, top.rdata)}


def came_back(name: str, at: float, now: float, some: Fleet = FOUR) -> Fleet:
    up = {one.id: -1e6 for one in some.load_balancers} | {name: at}
    return eased(some, up, SLOW, now)


def test_a_tree_gives_who_came_back_its_part_by_steps() -> None:
    plan: Plan | None = begun(came_back("lb-4", 0.0, 0.0), TREE)
    seen = [weights(entry_of(plan))]
    for now in (80.0, 160.0, 240.0, 320.0):
        plan = planned(came_back("lb-4", 0.0, now), verdicts_of(FOUR), (TREE,), plan, now=now).plan
        seen.append(weights(entry_of(plan)))
    assert [one["lb-4"] for one in seen] == [64, 112, 158, 207, 100]
    assert [one["lb-1"] for one in seen] == [255, 255, 255, 255, 100], "in whole capacities again when all is over"
    assert entry_of(plan).since == 5, "each step is a change"


def test_between_two_steps_nothing_changes() -> None:
    plan = begun(came_back("lb-4", 0.0, 0.0), TREE)
    again = planned(came_back("lb-4", 0.0, 70.0), verdicts_of(FOUR), (TREE,), plan, now=70.0).plan
    assert again is None or entry_of(again) == entry_of(plan)


def test_people_are_told() -> None:
    (told,) = [one.reason for one in entry_of(begun(came_back("lb-4", 0.0, 0.0), TREE)).members if one.eased < 100]
    assert told == "starts slowly, 25 % of its weight: 6 checks passed"


def test_names_at_a_provider_follow_it_too() -> None:
    elb = replace(balancer(4, capacity=100), ipv4=(alias_address("edge.elb.amazonaws.com", "Z1", six=False),))
    some = fleet_of([*FOUR.load_balancers[:3], elb])
    asked = replace(policy(), layout="auto")
    rrset = entry_of(begun(came_back("lb-1", 0.0, 0.0, some), asked)).rrset(RRType.A)
    assert rrset is not None
    assert {one.identifier: one.weight for one in map(read_variant, rrset.rdata)} == {
        "lb-1": 63, "lb-2": 255, "lb-3": 255, "lb-4": 255,
    }  # fmt: skip


@pytest.mark.parametrize("layout", ["flat", "multivalue"])
def test_where_addresses_have_no_weights_nobody_is_eased(layout: Layout) -> None:
    asked = replace(policy(), layout=layout)
    assert entry_of(begun(came_back("lb-4", 0.0, 0.0), asked)) == entry_of(begun(FOUR, asked))


def test_who_came_back_with_everybody_has_its_whole_weight() -> None:
    some = eased(FOUR, {one.id: 0.0 for one in FOUR.load_balancers}, SLOW, 0.0)
    assert entry_of(begun(some, TREE)) == entry_of(begun(FOUR, TREE))


@pytest.mark.parametrize(("verdict", "hold_below"), [(UNKNOWN, 0.0), (DOWN, 0.9)])
def test_nobody_is_spared_at_the_cost_of_one_that_may_be_dead(verdict: object, hold_below: float) -> None:
    """lb-1 is not believed well and stays, for nothing is known of it, or in a panic."""
    asked = replace(TREE, hold_below=hold_below)
    plan = begun(FOUR, asked)
    verdicts = verdicts_of(FOUR, lb_1=verdict)  # type: ignore[arg-type]
    after = planned(came_back("lb-4", 999.0, 1000.0), verdicts, (asked,), plan).plan
    entry = entry_of(after) if after is not None else entry_of(plan)
    assert "lb-1" in served(entry)
    assert {one.eased for one in entry.members} == {100}


SHARES = st.sampled_from([0.25, 0.4375, 0.625, 0.8125, 1.0])


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(1, 2_000), SHARES), min_size=2, max_size=9),
    down=st.sets(st.integers(1, 9), max_size=3),
)
def test_no_limit_and_no_guarantee_notices(parts: list[tuple[int, float]], down: set[int]) -> None:
    """Whoever is served is served, and every budget is the same, with slow start and without; nobody gets nothing."""
    plain = fleet_of(balancer(number, capacity=one) for number, (one, _) in enumerate(parts, 1))
    slow = Fleet(tuple(replace(one, eased=parts[int(one.id[3:]) - 1][1]) for one in plain.load_balancers))
    asked: EndpointPolicy = replace(policy(), layout="tree")
    fell = {f"lb_{number}": DOWN for number in down}
    drafts = []
    for some in (plain, slow):
        before = begun(some, asked)
        drafts.append((before, planned(some, verdicts_of(some, **fell), (asked,), before)))
    for (before, draft), (eased_before, eased_draft) in [(drafts[0], drafts[1])]:
        entry = entry_of(draft.plan or before)
        other = entry_of(eased_draft.plan or eased_before)
        assert served(entry) == served(other)
        assert [(one.load_balancer, one.weight) for one in entry.departures] == [
            (one.load_balancer, one.weight) for one in other.departures
        ]
        assert {one.load_balancer: one.weight for one in entry.members} == {
            one.load_balancer: one.weight for one in other.members
        }
        found = weights(other)
        assert set(found) == set(served(other))
        assert all(1 <= one <= 255 for one in found.values())


def test_who_counts_most_counts_whole() -> None:
    shares = (0.25, 0.5, 0.5, 0.5)
    some = [replace(one, eased=share) for one, share in zip(FOUR.load_balancers, shares, strict=True)]
    plan = begun(Fleet(tuple(some)), TREE)
    assert {one.load_balancer: one.eased for one in entry_of(plan).members} == {
        "lb-1": 50, "lb-2": 100, "lb-3": 100, "lb-4": 100,
    }  # fmt: skip
