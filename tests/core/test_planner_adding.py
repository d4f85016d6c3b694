"""How quickly others join an answer, and that every jump is bridged."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.planning import DOWN, UP, balancer, begun, entry_of, fleet, fleet_of, planned, policy, served, verdicts_of
from standfast.model.fleet import Fleet
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy


def sizes(some: Fleet, one: EndpointPolicy, plan: Plan, now: float, moments: Sequence[float]) -> list[int]:
    found = []
    for moment in moments:
        plan = planned(some, verdicts_of(some), (one,), plan, now + moment).plan or plan
        found.append(len(served(entry_of(plan))))
    return found


def test_what_returns_together_joins_in_steps() -> None:
    some, one = fleet(9), replace(policy(max_answers=20), removal_share=1.0)
    dead = {f"lb-{n}": DOWN if n < 7 else UP for n in range(1, 10)}
    plan = planned(some, dead, (one,), begun(some, one), 100.0).plan
    assert plan is not None
    assert sizes(some, one, plan, 1000.0, (0, 59, 60, 119, 120)) == [6, 6, 9, 9, 9]


def test_the_reason_and_the_moment_are_told() -> None:
    some, one = fleet(6), replace(policy(max_answers=20), removal_share=1.0)
    dead = {f"lb-{n}": DOWN if n < 4 else UP for n in range(1, 7)}
    plan = planned(some, dead, (one,), begun(some, one), 100.0).plan
    outcome = planned(some, verdicts_of(some), (one,), plan, 1000.0)
    assert outcome.due == 1060.0
    (held,) = outcome.decisions[0].held_back
    assert (held.rule, held.due, held.why) == ("adding", 1060.0, "34 % in 60 s has just joined")
    reason = next(m.reason for m in outcome.decisions[0].members if m.load_balancer == held.load_balancer)
    assert reason == "waits: 34 % in 60 s has just joined"


def test_one_of_a_pair_returns_at_once_and_min_answers_never_waits() -> None:
    pair, one = fleet(2), policy()
    gone = planned(pair, verdicts_of(pair, lb_1=DOWN), (one,), begun(pair, one), 100.0).plan
    assert gone is not None
    assert sizes(pair, one, gone, 200.0, (0,)) == [2]
    some, many = fleet(6), replace(policy(max_answers=20), removal_share=1.0, min_answers=1)
    dead = planned(some, {f"lb-{n}": DOWN if n > 1 else UP for n in range(1, 7)}, (many,), begun(some, many), 0.0).plan
    assert dead is not None
    assert sizes(some, replace(many, min_answers=5), dead, 1000.0, (0,)) == [5]


def test_in_the_window_in_which_it_entered_stragglers_join_at_once() -> None:
    some, one = fleet(6), policy(max_answers=20)
    heard = {f"lb-{n}": UP for n in (1, 2)}
    first = planned(some, heard, (one,), now=0.0).plan
    assert served(entry_of(first)) == ["lb-1", "lb-2"]
    assert first is not None
    assert sizes(some, one, first, 0.0, (5,)) == [6]
    assert sizes(some, one, first, 0.0, (60,)) == [4]


def test_who_would_take_the_place_of_one_that_waits_does_not_displace_anybody() -> None:
    """More than max_answers: as long as the better ranked may not join, those they would displace stay."""
    some, one = fleet(12), replace(policy(max_answers=6), removal_share=1.0)
    first = served(entry_of(begun(some, one)))
    dead = {load.id: DOWN if load.id in first[:4] else UP for load in some.load_balancers}
    plan: Plan | None = begun(some, one)
    for now in (100.0, 200.0, 300.0):
        plan = planned(some, dead, (one,), plan, now).plan or plan
    assert len(served(entry_of(plan))) == 6
    assert plan is not None
    assert sizes(some, one, plan, 1000.0, (0, 30, 60, 90, 120)) == [6, 6, 6, 6, 6]


def converged(some: Fleet, one: EndpointPolicy, plan: Plan) -> tuple[list[str], list[str]]:
    """Who serves when nothing more is due, and who would in a plan from nothing. The clock goes from due to due."""
    now, up = 10_000.0, verdicts_of(some)
    for _ in range(400):
        outcome = planned(some, up, (one,), plan, now)
        plan = outcome.plan or plan
        if outcome.due is None:
            break
        assert outcome.due > now, "a moment that never comes"
        now = outcome.due
    return served(entry_of(plan)), served(entry_of(begun(some, one)))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    old=st.integers(1, 12),
    new=st.integers(1, 12),
    shared=st.integers(0, 6),
    most=st.sampled_from([2, 5, 20]),
    share=st.sampled_from([0.1, 0.34, 1.0]),
    capacities=st.lists(st.sampled_from([1, 1, 1, 3]), min_size=12, max_size=12),
)
def test_a_configuration_that_replaces_the_fleet_converges(
    old: int, new: int, shared: int, most: int, share: float, capacities: list[int]
) -> None:
    one = replace(policy(max_answers=most, removal_share=share), hold_below=0.5)
    before = fleet_of(balancer(n + 1, az="abc"[n % 3]) for n in range(old))
    begin = max(0, old - shared)
    now = fleet_of(balancer(begin + n + 1, az="abc"[n % 3], capacity=capacities[n]) for n in range(new))
    served_now, wanted = converged(now, one, begun(before, one))
    assert served_now == wanted


def test_replacing_ten_by_ten_takes_as_many_generations_as_the_windows_ask_for() -> None:
    one = policy(max_answers=20)
    plan, now, steps = begun(fleet(10), one), 1000.0, []
    some = fleet_of(balancer(n) for n in range(11, 21))
    for _ in range(20):
        outcome = planned(some, verdicts_of(some), (one,), plan, now)
        plan = outcome.plan or plan
        steps.append((now, len(served(entry_of(plan)))))
        if outcome.due is None:
            break
        now = outcome.due
    assert steps[0] == (1000.0, 10)  # three of ten leave, three join
    assert steps[-1][1] == 10
    assert served(entry_of(plan)) == [one.id for one in some.load_balancers]
    assert steps[-1][0] == 2200.0
