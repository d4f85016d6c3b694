"""When planning happens: the fast lane at once, the slow one seldom."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.planning import balancer, fleet
from standfast.core.lanes import Lane, Lanes, lane_of
from standfast.model.fleet import LoadBalancer

FLEET = fleet(4).load_balancers
LANES: list[Lane] = ["fast", "slow"]


def changed(**fields: object) -> tuple[LoadBalancer, ...]:
    return (replace(FLEET[0], **fields), *FLEET[1:])


def test_what_leaves_is_urgent_and_what_comes_is_not() -> None:
    assert lane_of(FLEET, FLEET) is None
    assert lane_of(FLEET, FLEET[1:]) == "fast"
    assert lane_of(FLEET, changed(admin="drain")) == "fast"
    assert lane_of(FLEET, changed(ipv4=("192.0.2.99",))) == "fast"
    assert lane_of(FLEET, changed(az="z")) == "fast"
    assert lane_of(FLEET, changed(capacity=7)) == "slow"
    assert lane_of(FLEET, (*FLEET, balancer(9))) == "slow"
    assert lane_of(FLEET, (*changed(capacity=7)[:3], balancer(9))) == "fast"


def test_the_first_after_a_quiet_time_goes_at_once_and_others_go_together() -> None:
    lanes = Lanes(60.0).stirred(100.0, "slow")
    assert lanes.due(100.0)
    lanes = lanes.taken().made(100.0).stirred(101.0, "slow").stirred(130.0, "slow")
    assert not lanes.due(159.9)
    assert lanes.due(160.0)


def test_health_never_waits_and_takes_along_what_does() -> None:
    lanes = Lanes(60.0).made(100.0).stirred(101.0, "slow").stirred(105.0)
    assert lanes.due(105.0)
    assert lanes.taken().at is None
    assert not lanes.taken().waits


def test_routine_does_not_shorten_the_wait() -> None:
    waiting = Lanes(60.0).made(100.0).stirred(101.0, "slow")
    assert not waiting.looked(130.0).due(130.0)
    assert Lanes(60.0).made(100.0).looked(130.0).due(130.0)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(news=st.lists(st.tuples(st.floats(0, 20), st.sampled_from(LANES)), min_size=1, max_size=60))
def test_fast_news_is_planned_at_its_moment_and_slow_news_within_the_time(news: list[tuple[float, Lane]]) -> None:
    """A clock in steps; every pass makes a generation. Slow news alone never makes two within 60 s."""
    lanes, now, generations, waiting = Lanes(60.0), 0.0, list[tuple[float, bool]](), list[tuple[float, Lane]]()
    moments = [(now := now + after, lane) for after, lane in news]
    ticks = sorted({moment for moment, _ in moments} | {t / 2 for t in range(2 * int(now) + 140)})
    for tick in ticks:
        for moment, lane in moments:
            if moment == tick:
                lanes = lanes.stirred(tick, lane)
                waiting.append((moment, lane))
        if lanes.due(tick):
            fast = any(lane == "fast" for _, lane in waiting)
            assert fast or not generations or tick - generations[-1][0] >= 60.0
            assert all(tick == moment for moment, lane in waiting if lane == "fast")
            assert all(tick - moment <= 60.5 for moment, _ in waiting)
            generations.append((tick, fast))
            lanes, waiting = lanes.taken().made(tick), []
    assert not waiting
