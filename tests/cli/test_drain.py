"""`drain`, `evacuate`: out of every answer, and --wait returns when really nobody has it any more."""

import re
import time

import pytest

from cli.stage import CLOCK, DOWN, ZONE, Stage
from standfast.runtime.observing import look_at_store

FAST = "  www: {ttl: 1}\n  api: {azs: [a, b], ttl: 1}\n"


@pytest.fixture
def working(served: Stage) -> Stage:
    """Two endpoints with a short TTL, in the zone."""
    served.configure(endpoints=FAST)
    served.publish()
    served.everybody()
    return served


def test_wait_returns_when_the_last_answer_has_passed(working: Stage) -> None:
    with working.enactor(), working.obeying():
        working.settled()
        began = time.monotonic()
        said = working.run("drain", "lb-a1", "--wait", "--timeout", "60s", "--for", "30m", "--reason", "kernel")
        took = time.monotonic() - began
        assert said.code == 0, said
        assert took >= 1.0, "the TTL has passed"
        lines = said.out.splitlines()
        assert lines[0].split() == ["api", "−", "lb-a1", "1", "load", "balancer", "stays", "50%", "of", "capacity"]
        assert re.search(rf'operator  \S+@\S+ drain lb-a1 until {CLOCK}: "kernel"', said.out)
        assert re.search(r"planner   g2 published: ", said.out)
        assert re.search(r"ns1       serves g2", said.out)
        assert "resolvers that keep to the TTL (1 s) hand it out until" in said.out
        assert "no resolver that keeps to the TTL hands out lb-a1 any more" in said.out
        assert lines[-1].endswith("To end it before: standfast drain lb-a1 --end")
        again = working.run("drain", "lb-a1", "--wait", "--timeout", "60s")
        assert again.code == 0, "a second time is no harm"
        assert "drained by" in working.run("explain", "www", "lb-a1").out
        assert working.run("drain", "lb-a1", "--end").code == 0
        end = time.monotonic() + 60
        while not _everybody_serves(working) and time.monotonic() < end:
            time.sleep(0.05)
    assert _everybody_serves(working)


def _somebody_serves(stage: Stage, name: str) -> bool:
    plan = look_at_store(stage.place).plan
    return plan is None or any(m.served and m.load_balancer == name for entry in plan.shards for m in entry.members)


def _everybody_serves(stage: Stage) -> bool:
    plan = look_at_store(stage.place).plan
    return plan is not None and all(one.served for entry in plan.shards for one in entry.members)


def test_wait_does_not_believe_the_plan_alone(working: Stage) -> None:
    """The plan has let it go, and nobody writes: the zone still answers with it."""
    with working.enactor():
        working.settled()
    working.everybody()
    with working.obeying():
        assert working.run("drain", "lb-a1").code == 0
        end = time.monotonic() + 60
        while _somebody_serves(working, "lb-a1") and time.monotonic() < end:
            time.sleep(0.05)
        said = working.run("drain", "lb-a1", "--wait", "--timeout", "3s")
    assert said.code == 1
    assert "Not gone after 3 s: ns1: " in said.err
    assert "still answers with" in said.err or "is at g1 there" in said.err
    assert "The drain stays recorded." in said.out


def test_wait_without_a_planner_is_late(working: Stage) -> None:
    working.place.presence.joinpath("planner-a.json").unlink()
    said = working.run("drain", "lb-a1", "--wait", "--timeout", "1s")
    assert said.code == 1
    assert "nobody acts on it yet" in said.out
    assert "no planner is running here" in said.err


def test_a_guard_that_keeps_it_is_named(working: Stage) -> None:
    working.configure(endpoints="  www: {ttl: 1, min_answers: 4, removal: 100% in 10m}\n")
    refused = working.run("drain", "lb-a1", "--wait", "--timeout", "60s")
    assert refused.code == 3
    assert "A guard refuses, whatever you agree to: www keeps lb-a1: removing it would leave 3 A answers" in refused.err
    assert not working.overrides[1]
    with working.enactor(), working.obeying():
        kept = working.run("drain", "lb-a1", "--wait", "--timeout", "60s", "--yes", "--reason", "kernel")
    assert kept.code == 3
    assert "A guard keeps it: www keeps lb-a1: removing it would leave 3 A answers, min_answers is 4" in kept.err


def test_evacuation_shows_what_remains_and_asks_where_the_budget_is_used_up(working: Stage) -> None:
    refused = working.run("evacuate", "az", "c")
    assert refused.code == 3
    assert "www keeps lb-c2: 34 % in 10 min is used up, until" in refused.err
    with working.enactor(), working.obeying():
        done = working.run("evacuate", "az", "c", "--wait", "--timeout", "60s", "--yes", "--reason", "smoke")
    assert done.code == 0, done
    assert re.search(r"www +− lb-c1, lb-c2 +2 load balancers stay +50% of capacity", done.out)
    assert "az c is drained until" in done.out
    assert [(one.scope, one.target, one.consented) for one in working.overrides[1]] == [("az", "c", True)]
    assert working.run("evacuate", "az", "c", "--end").code == 0
    assert not working.overrides[1]
    assert working.run("evacuate", "pool", "c").code == 1


def test_a_frozen_name_keeps_it(working: Stage) -> None:
    with working.enactor(), working.obeying():
        working.settled()
        assert working.run("freeze", "www", "--reason", "test").code == 0
        said = working.run("drain", "lb-a1", "--wait", "--timeout", "60s")
    assert said.code == 3
    assert "A guard keeps it: www is FROZEN, so nothing is written to it; `standfast thaw www` ends that." in said.err


def test_who_serves_nowhere_is_gone_when_the_ttl_of_older_answers_has_passed(working: Stage) -> None:
    working.publish(lb_a1=DOWN)
    with working.enactor(), working.obeying(lb_a1=DOWN):
        working.settled()
        began = time.monotonic()
        assert working.run("drain", "lb-a1", "--wait", "--timeout", "60s").code == 0
        assert time.monotonic() - began >= 1.0


def test_a_plan_that_came_before_the_first_look_is_told_of(working: Stage) -> None:
    from standfast.model.override import Override
    from standfast.runtime.departing import Departure, Held

    working.publish(lb_a1=DOWN)
    order = Override("load_balancer", "lb-a1", "drain", "kernel", "bob@ops1", 0.0, 1e12)
    told: list[str] = []
    departure = Departure(working.config, order, Held({}), lambda who, text: told.append(f"{who} {text}"), known=1)
    assert departure.follow(60.0).kind == "gone"
    assert [one for one in told if one.startswith("planner g2 published: ")]


def test_addresses_written_by_hand_are_seen(working: Stage) -> None:
    from standfast.model.entry import Entry, Member
    from standfast.model.marker import ABSENT
    from standfast.model.override import Override
    from standfast.model.rrset import RRset, RRType, address_rdata
    from standfast.runtime.departing import Departure, Held
    from standfast.runtime.zonesight import EndpointSight

    entry = Entry(ZONE, f"www.{ZONE}", 1, members=(Member("lb-a1", ("192.0.2.11",), 1, False, "drained"),))
    order = Override("load_balancer", "lb-a1", "drain", "kernel", "bob@ops1", 0.0, 1e12)
    departure = Departure(working.config, order, Held({}), lambda who, text: None)
    foreign = RRset.of(RRType.A, 60, [address_rdata("192.0.2.11")])
    sight = EndpointSight(entry, ABSENT, (foreign, None, None), (("primary", ABSENT),))
    said = departure._servers_say([sight], look_at_store(working.place))
    assert said == "primary: www still answers with 192.0.2.11"
