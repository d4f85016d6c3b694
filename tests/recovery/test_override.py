"""Overrides over fleet and verdicts: what expired does not count, the nearest word wins, and limits stay."""

from hypothesis import example
from hypothesis import given as drawn
from hypothesis import strategies as st

from standfast.core.decisions import PlanContext, Presence
from standfast.core.planner import draft
from standfast.model.fleet import AdminState, Fleet, LoadBalancer, Verdict
from standfast.model.override import Override, Scope, cleared, given
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType
from standfast.recovery.override import consented, overlaid, ruling

NOW = 1_000_000.0
UP = Verdict("up", "6 checks passed")
DOWN = Verdict("down", "failed 3 checks in a row")


def balancer(name: str, az: str, pool: str = "edge", admin: AdminState = "up") -> LoadBalancer:
    return LoadBalancer(name, az, pool, (f"192.0.2.{ord(az) - 96}{name[-1]}",), (), 100, admin)


FLEET = Fleet(tuple(balancer(f"lb-{az}{n}", az, "edge" if n == 1 else "fips") for az in "abc" for n in (1, 2)))
ALL_UP = {one.id: UP for one in FLEET.load_balancers}


def override(
    scope: Scope, target: str, state: AdminState, lasts_s: float = 3600.0, *, at: float = NOW, consent: bool = False
) -> Override:
    return Override(scope, target, state, "kernel", "bob@ops1", at, at + lasts_s, consent)


def test_one_pool_and_az_are_told_by_their_names() -> None:
    for scope, target, some in (
        ("load_balancer", "lb-b1", {"lb-b1"}),
        ("pool", "fips", {"lb-a2", "lb-b2", "lb-c2"}),
        ("az", "b", {"lb-b1", "lb-b2"}),
        ("az", "lb-b1", set()),
    ):
        fleet, _ = overlaid(FLEET, ALL_UP, [override(scope, target, "drain")], NOW)  # type: ignore[arg-type]
        assert {one.id for one in fleet.load_balancers if one.admin == "drain"} == some


def test_what_has_expired_does_not_count() -> None:
    one = override("az", "b", "down", 60.0)
    assert overlaid(FLEET, ALL_UP, [one], NOW + 59.9)[0] != FLEET
    assert overlaid(FLEET, ALL_UP, [one], NOW + 60.0) == (FLEET, ALL_UP)
    assert consented(FLEET, [override("az", "b", "down", 60.0, consent=True)], NOW + 60.0) == frozenset()


def test_nothing_counts_longer_than_seven_days() -> None:
    one = override("az", "b", "down", 30 * 86_400.0)
    assert one.in_force(NOW + 7 * 86_400.0 - 1)
    assert not one.in_force(NOW + 7 * 86_400.0)


def test_up_overrules_health_and_configuration() -> None:
    fleet = Fleet((balancer("lb-a1", "a", admin="drain"),))
    over, verdicts = overlaid(fleet, {"lb-a1": DOWN}, [override("az", "a", "up")], NOW)
    assert over.load_balancers[0].admin == "up"
    assert verdicts["lb-a1"] == Verdict("up", "put in with az a by bob@ops1: kernel")


def test_the_word_about_itself_wins_then_whatever_takes_it_out() -> None:
    some = [override("az", "b", "down"), override("load_balancer", "lb-b1", "up"), override("pool", "fips", "up")]
    ruled = ruling(FLEET, some, NOW)
    assert {name: one.state for name, one in ruled.items()} == {
        "lb-b1": "up",
        "lb-b2": "down",
        "lb-a2": "up",
        "lb-c2": "up",
    }


def test_consent_is_of_those_that_are_taken_out() -> None:
    some = [override("az", "b", "drain", consent=True), override("load_balancer", "lb-b1", "up", consent=True)]
    assert consented(FLEET, some, NOW) == {"lb-b2"}


def test_a_target_has_one_override_and_the_expired_stay_where_they_do_not_count() -> None:
    """A clock that is ahead must not take from others what still counts for them."""
    old = override("load_balancer", "lb-a1", "down", 10.0)
    first = given((old,), override("az", "b", "drain"), NOW)
    second = given(first, override("az", "b", "up"), NOW + 20)
    assert [(one.target, one.state) for one in second] == [("b", "up"), ("lb-a1", "down")]
    assert ruling(FLEET, second, NOW + 20).keys() == {"lb-b1", "lb-b2"}
    assert cleared(second, "az", "b", NOW + 20) == (old,)
    assert cleared(second, "pool", "b", NOW + 20) == second


STATES = st.sampled_from(("up", "down", "drain"))
SCOPED = st.one_of(
    st.tuples(st.just("load_balancer"), st.sampled_from([one.id for one in FLEET.load_balancers])),
    st.tuples(st.just("az"), st.sampled_from("abc")),
    st.tuples(st.just("pool"), st.sampled_from(("edge", "fips"))),
)
OVERRIDES = st.lists(
    st.builds(
        lambda scoped, state, lasts, consent: override(scoped[0], scoped[1], state, lasts, consent=consent),
        SCOPED,
        STATES,
        st.floats(1.0, 7200.0),
        st.booleans(),
    ),
    max_size=6,
)


@drawn(OVERRIDES, st.floats(0, 10_000))
@example([override("az", "a", "down"), override("az", "b", "drain"), override("load_balancer", "lb-c1", "down")], 1.0)
def test_whatever_is_overridden_min_answers_holds(some: list[Override], later: float) -> None:
    policy = EndpointPolicy("www.lb.example.com", "lb.example.com", min_answers=2, removal_share=1.0, hold_below=0.0)
    context = PlanContext("main", ("lb.example.com",), 1, "ops1", present={policy.key: Presence(())})
    first = draft(FLEET, ALL_UP, (policy,), None, NOW, context)
    assert first.plan is not None
    at = NOW + later
    fleet, verdicts = overlaid(FLEET, ALL_UP, some, at)
    second = draft(fleet, verdicts, (policy,), first.plan, at, PlanContext("main", ("lb.example.com",), 2, "ops1"))
    entry = (second.plan or first.plan).entry(policy.key)
    assert entry is not None
    rrset = entry.rrset(RRType.A)
    assert rrset is not None
    assert len(rrset.rdata) >= 2, "G1: an override took the endpoint below min_answers"
    ruled = ruling(FLEET, some, at)
    assert all(one.in_force(at) for one in ruled.values())
    assert set(consented(FLEET, some, at)) <= ruled.keys()
