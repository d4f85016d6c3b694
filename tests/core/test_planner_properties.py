"""Properties of planning over random histories: fleets that change, health that flaps, clocks that jump."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.planning import AGREED, DOWN, UNKNOWN, UP, WARMING, balancer, fleet_of, policy
from harness.planning_checks import CHECKS, Situation, history
from standfast.core.holding import hold
from standfast.model.fleet import AdminState, Fleet, LoadBalancer, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import AzLoss, EndpointPolicy, OnPanic
from standfast.model.rrset import RRType

ADMIN_STATES: list[AdminState] = ["up", "up", "up", "up", "drain", "down"]
ADMIN = st.sampled_from(ADMIN_STATES)
VERDICT = st.sampled_from([UP, UP, UP, UP, UP, DOWN, AGREED, UNKNOWN, WARMING])
MOMENT = st.sampled_from([0.0, 1.0, 30.0, 60.0, 299.0, 300.0, 600.0, 900.0, 1800.0])


AZ_LOSS: list[AzLoss] = ["auto", "auto", "ask"]
ON_PANIC: list[OnPanic] = ["hold", "hold", "all"]


@st.composite
def load_balancers(draw: st.DrawFn) -> LoadBalancer:
    """One of twelve numbers."""
    return balancer(
        draw(st.integers(1, 12)),
        az=draw(st.sampled_from("abc")),
        capacity=draw(st.sampled_from([1, 1, 1, 3])),
        admin=draw(ADMIN),
        v6=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> tuple[EndpointPolicy, ...]:
    """One or two endpoints on the same fleet."""
    labels = draw(st.sampled_from([("www",), ("www", "api")]))
    return tuple(
        policy(
            label,
            min_answers=draw(st.sampled_from([None, None, 1, 2])),
            max_answers=draw(st.sampled_from([3, 8, 20])),
            azs=draw(st.sampled_from([(), (), ("a", "b")])),
            families=draw(st.sampled_from([(), (), (RRType.A,)])),
            hold_below=draw(st.sampled_from([0.0, 0.5])),
            az_loss=draw(st.sampled_from(AZ_LOSS)),
            on_panic=draw(st.sampled_from(ON_PANIC)),
        )
        for label in labels
    )


def fleets() -> st.SearchStrategy[Fleet]:
    return st.lists(load_balancers(), min_size=1, max_size=12, unique_by=lambda one: one.id).map(fleet_of)


@st.composite
def situations(draw: st.DrawFn) -> list[Situation]:
    """A healthy beginning, then anything; fleet and policies mostly stay."""
    fleet, wanted, now = draw(fleets()), draw(policies()), 1000.0
    row = [Situation(fleet, {one.id: UP for one in fleet.load_balancers}, wanted, now)]
    for _ in range(draw(st.integers(1, 7))):
        fleet = draw(fleets()) if draw(st.integers(0, 3)) == 0 else fleet
        wanted = draw(policies()) if draw(st.integers(0, 5)) == 0 else wanted
        now += draw(MOMENT)
        verdicts: dict[str, Verdict] = {one.id: draw(VERDICT) for one in fleet.load_balancers}
        if az := draw(st.sampled_from(["", "", "a", "b"])):
            seen = draw(st.sampled_from([AGREED, AGREED, DOWN]))
            verdicts = {one.id: seen if one.az == az else UP for one in fleet.load_balancers}
        row.append(Situation(fleet, verdicts, wanted, now))
    return row


@settings(derandomize=True, max_examples=250, deadline=None)
@given(row=situations())
def test_every_check_of_every_history(row: Sequence[Situation]) -> None:
    steps = history(row)
    assert {check.__name__: found for check in CHECKS if (found := check(steps))} == {}


@settings(derandomize=True, max_examples=40, deadline=None)
@given(row=situations())
def test_the_same_after_a_hold(row: Sequence[Situation]) -> None:
    first = history(row[:1])[0].after
    held: Plan | None = None
    if first is not None:
        live = tuple(entry.key for entry in first.shards if entry.kind == "live")
        held = hold(first, live, 2, "alice", "held", 0.0).plan
    steps = history(row[1:], held)
    assert [text for check in CHECKS for text in check(steps)] == []


@settings(derandomize=True, max_examples=60, deadline=None)
@given(row=situations(), jumps=st.lists(st.sampled_from([-1e6, -700.0, -50.0, 0.0, 1e6]), min_size=8, max_size=8))
def test_a_clock_that_jumps_back_loosens_nothing(row: Sequence[Situation], jumps: Sequence[float]) -> None:
    """Only backwards: who sets a clock forward makes windows pass, and nobody can tell that from waiting."""
    back = [
        Situation(one.fleet, one.verdicts, one.policies, one.now + min(0.0, jump))
        for one, jump in zip(row, jumps, strict=False)
    ]
    steps = history(back)
    by_name = {check.__name__: check for check in CHECKS}
    for name in ("never_below_min_answers", "since_tells_changes", "guard_agrees", "asking_again_changes_nothing"):
        assert by_name[name](steps) == []
