"""A plan that was just made answers everything: with nothing new there is no second one.

Histories wilder than those of `test_planner_properties`: families and addresses that move, few answers, turns, other
limits. Only this one check holds over them, for the others know fewer policies. The histories below were found so.
"""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.planning import (
    AGREED,
    DOWN,
    UNKNOWN,
    UP,
    WARMING,
    balancer,
    entry_of,
    fleet_of,
    planned,
    policy,
    served,
    verdicts_of,
)
from harness.planning_checks import Situation, asking_again_changes_nothing, history
from standfast.core.selection import Candidate, choose
from standfast.model.fleet import AdminState, Fleet, LoadBalancer, Verdict
from standfast.model.policy import AzLoss, EndpointPolicy, OnPanic
from standfast.model.rrset import RRType

ADMIN: list[AdminState] = ["up", "up", "up", "up", "up", "drain", "down"]
VERDICTS = [UP, UP, UP, DOWN, AGREED, UNKNOWN, WARMING]
AZ_LOSS: list[AzLoss] = ["auto", "auto", "ask"]
ON_PANIC: list[OnPanic] = ["hold", "hold", "all"]
FAMILIES: list[tuple[RRType, ...]] = [(), (), (RRType.A,), (RRType.AAAA,)]
MOMENTS = [0.0, 1.0, 29.0, 30.0, 59.0, 60.0, 120.0, 299.0, 600.0, 1800.0]


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    def one(number: int) -> LoadBalancer:
        families = draw(st.sampled_from(["4", "4", "6", "46", "46"]))
        return balancer(
            number,
            az=draw(st.sampled_from("abc")),
            capacity=draw(st.sampled_from([1, 1, 2, 3, 5])),
            admin=draw(st.sampled_from(ADMIN)),
            v4="4" in families,
            v6="6" in families,
        )

    return fleet_of(one(n) for n in draw(st.lists(st.integers(1, 9), min_size=1, max_size=9, unique=True)))


@st.composite
def policies(draw: st.DrawFn) -> tuple[EndpointPolicy, ...]:
    def one(label: str) -> EndpointPolicy:
        some = policy(
            label,
            min_answers=draw(st.sampled_from([None, 1, 2, 3])),
            max_answers=draw(st.sampled_from([1, 2, 3, 4, 8])),
            azs=draw(st.sampled_from([(), (), ("a", "b"), ("c",)])),
            families=draw(st.sampled_from(FAMILIES)),
            hold_below=draw(st.sampled_from([0.0, 0.5])),
            removal_share=draw(st.sampled_from([0.34, 0.34, 0.1, 1.0])),
            az_loss=draw(st.sampled_from(AZ_LOSS)),
            on_panic=draw(st.sampled_from(ON_PANIC)),
        )
        rotation, adding = draw(st.sampled_from([0.0, 120.0])), draw(st.sampled_from([0.34, 0.34, 1.0]))
        return replace(some, rotation_s=rotation, adding_share=adding)

    some = tuple(one(label) for label in draw(st.sampled_from([("www",), ("www", "api")])))
    return some + draw(st.sampled_from([(), (policy("acc", follows="www"),)]))


@st.composite
def situations(draw: st.DrawFn) -> list[Situation]:
    fleet, wanted, now = draw(fleets()), draw(policies()), 1000.0
    row = [Situation(fleet, verdicts_of(fleet), wanted, now)]
    for _ in range(draw(st.integers(1, 6))):
        fleet = draw(fleets()) if draw(st.integers(0, 2)) == 0 else fleet
        wanted = draw(policies()) if draw(st.integers(0, 3)) == 0 else wanted
        now += draw(st.sampled_from(MOMENTS))
        verdicts: dict[str, Verdict] = {one.id: draw(st.sampled_from(VERDICTS)) for one in fleet.load_balancers}
        if az := draw(st.sampled_from(["", "", "a", "b"])):
            seen = draw(st.sampled_from([AGREED, AGREED, DOWN]))
            verdicts = {one.id: seen if one.az == az else UP for one in fleet.load_balancers}
        row.append(Situation(fleet, verdicts, wanted, now))
    return row


@settings(derandomize=True, max_examples=200, deadline=None)
@given(row=situations())
def test_with_nothing_new_there_is_no_second_plan(row: Sequence[Situation]) -> None:
    assert asking_again_changes_nothing(history(row)) == []


def test_a_rotation_begins_as_it_goes_on() -> None:
    """It began where more are able than fit, and chose without the credits by which the next draft chose."""
    some = fleet_of(balancer(n, v4=n != 3, v6=n == 3, capacity=2 if n == 8 else 1) for n in range(1, 10))
    turning = (replace(policy(max_answers=1), rotation_s=120.0),)
    ill = verdicts_of(some, lb_1=DOWN, lb_2=DOWN, lb_5=DOWN, lb_6=DOWN, lb_7=DOWN, lb_8=DOWN)
    steps = history(
        [
            Situation(some, verdicts_of(some), turning, 1000.0),
            Situation(some, verdicts_of(some, lb_6=DOWN), turning, 1000.0),
            Situation(some, ill, turning, 1000.0),
            Situation(some, verdicts_of(some, lb_9=DOWN), turning, 1600.0),
        ]
    )
    assert [step.drawn.plan is not None for step in steps] == [True] * 4
    assert asking_again_changes_nothing(steps) == []


def test_nobody_of_unknown_health_is_turned_out() -> None:
    """It was, and then stayed out as unknown; for the rest fitted, a second plan said that nobody turns any more."""
    some = fleet_of(balancer(n) for n in (7, 8))
    turning = (replace(policy(max_answers=1), rotation_s=120.0),)
    (first,) = history([Situation(some, verdicts_of(some), turning, 1000.0)])
    (there,) = served(entry_of(first.after))
    unsure = verdicts_of(some, **{there.replace("-", "_"): UNKNOWN})
    steps = history([Situation(some, unsure, turning, 1000.0 + n) for n in (120.0, 240.0, 360.0)], first.after)
    assert [step.drawn.plan for step in steps] == [None] * 3
    assert planned(some, verdicts_of(some), turning, first.after, 1120.0).plan is not None


def test_a_rotation_that_pauses_spends_no_generation() -> None:
    """Two of three are left, and they fit; the third was not in the answer."""
    some = fleet_of(balancer(n) for n in (1, 2, 3))
    turning = (replace(policy(max_answers=2), rotation_s=120.0),)
    (first,) = history([Situation(some, verdicts_of(some), turning, 1000.0)])
    (out,) = {one.id for one in some.load_balancers} - set(served(entry_of(first.after)))
    ill = Situation(some, verdicts_of(some, **{out.replace("-", "_"): DOWN}), turning, 1030.0)
    assert [step.drawn.plan for step in history([ill], first.after)] == [None]


def test_the_superfluous_go_though_the_other_family_is_short() -> None:
    """Three of IPv4 were taken where two fit, for IPv6 had one of the two it wants; turns then took one away again."""
    some = fleet_of([balancer(5), balancer(6, v6=True), balancer(7)])
    least = {RRType.A: 2, RRType.AAAA: 2}
    able = tuple(
        Candidate(one.id, (*one.ipv4, *one.ipv6), 1, 1 if one.id == "lb-7" else None, "in", "")
        for one in some.load_balancers
    )
    places = {one.identity: 10.0 if one.present else 0.0 for one in able}
    chosen = choose("www", able, (RRType.A, RRType.AAAA), least, 1, places)
    assert [one.load_balancer for one in chosen] == ["lb-6", "lb-7"]


def test_half_of_an_az_is_half_where_addresses_changed() -> None:
    """lb-2 left with its new address and stayed with the old one: it counted as present, so more of the AZ went."""
    before = fleet_of(balancer(n, v4=n != 2, v6=n == 2, capacity=2 if n == 3 else 1) for n in range(1, 10))
    capacities = {7: 2, 8: 5}
    after = fleet_of(
        balancer(
            n,
            az="a" if n < 7 else "b",
            v4=n != 3,
            v6=n == 3,
            capacity=capacities.get(n, 1),
            admin="drain" if n == 6 else "up",
        )
        for n in range(1, 10)
    )
    lost = {one.id: AGREED if one.az == "a" else UP for one in after.load_balancers}
    one = (policy(max_answers=1),)
    steps = history(
        [
            Situation(before, verdicts_of(before), one, 1000.0),
            Situation(after, verdicts_of(after), one, 1000.0),
            Situation(after, lost, one, 1000.0),
        ]
    )
    (decision,) = steps[-1].drawn.decisions
    assert {who.cause for who in decision.leaving} == {"az"}
    assert "az_loss" in {held.rule for held in decision.held_back}
    assert asking_again_changes_nothing(steps) == []
