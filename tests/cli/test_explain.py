"""`standfast explain`: why each address is (not) in the answer, since when, and who decided."""

import dataclasses
import re
import time

import pytest

from cli.stage import CLOCK, DOWN, ENDPOINTS, LOAD_BALANCERS, ZONE, Stage
from standfast.config import DeclaredSource
from standfast.model.rrset import RRType, address_rdata
from standfast.ports.provider import Content, Replace, Write, Written
from standfast.runtime.times import clock


def test_why_one_is_out(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    said = stage.run("explain", "www", "lb-b1")
    assert said.code == 0
    assert re.match(
        rf"192\.0\.2\.21 and 2001:db8:b::21 are not in the answer of www since {CLOCK} \(g2, by planner ops1\) because "
        r"lb-b1 failed 3 checks in a row: connection refused, seen from ops1\. "
        r"Its checks fail since .*\. It returns by itself after 6 passed checks \(30 s\)\.",
        said.out,
    )
    assert "whether DNS answers so is unknown" in said.out
    assert stage.run("explain", "www", "192.0.2.21").out == said.out
    assert stage.run("explain", "www", "2001:DB8:B:0::21").out == said.out


def test_why_one_is_in_and_since_when(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    stage.publish(after_s=1200)
    out = stage.run("explain", "www", "lb-b1").out
    assert re.match(
        r"192\.0\.2\.21 and \S+ are in the answer of www since .*\(g3, by planner ops1\)\. lb-b1: 6 checks", out
    )
    assert "(g1, by planner ops1)" in stage.run("explain", "www", "lb-a1").out


def test_older_plans_that_are_gone_make_it_inexact(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    stage.collect(1)
    assert "(g2) or longer: older plans are gone" in stage.run("explain", "www", "lb-a1").out


def test_all_of_an_endpoint(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    said = stage.run("explain", "www")
    assert re.match(
        r"www\.lb\.example\.com: 3 of 4 load balancers are in the answer; it is so since .*, g2\.\n", said.out
    )
    assert re.search(rf"○ out +lb-b1 +192\.0\.2\.21 2001:db8:b::21 +since {CLOCK} g2 planner ops1 +failed 3", said.out)
    assert re.search(r"● in +lb-a1 ", said.out)


def test_a_drain_that_an_agent_asked_for_names_it_with_its_words(served: Stage) -> None:
    declared = served.config.load_balancers
    asked = tuple(
        dataclasses.replace(one, admin="drain", why="drained by its agent: new kernel") if one.id == "lb-b1" else one
        for one in declared
    )
    served.config = dataclasses.replace(served.config, sources=(DeclaredSource("declared", asked),))
    served.publish()
    out = served.run("explain", "www", "lb-b1").out
    assert "lb-b1: drained by its agent: new kernel." in out
    assert "It returns when who asked for that ends it." in out
    assert "standfast override lb-b1 up --for 1h" in out
    assert "in the file" not in out


def test_policy_admin_and_hold_are_reasons(served: Stage) -> None:
    served.publish()
    said = served.run("explain", "api", "lb-c1")
    assert "lb-c1: its AZ c is not among azs a, b." in said.out
    served.configure(LOAD_BALANCERS.replace("{az: b,", "{az: b, admin: drain,"), ENDPOINTS)
    served.publish()
    out = served.run("explain", "www", "lb-b1").out
    assert "lb-b1: drained by configuration." in out
    assert "take `admin: drain` away" in out
    assert "◐ out" in served.run("explain", "www").out
    assert served.run("hold", "www", "--reason", "exam week").code == 0
    out = served.run("explain", "www", "lb-a1").out
    assert "www is HELD since" in out
    assert '"exam week"' in out
    assert "standfast resume www" in out


def test_a_guard_that_keeps_one(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    stage.share(lb_b1=DOWN, lb_a1=DOWN)
    out = stage.run("explain", "api", "lb-a1").out
    assert "lb-a1: kept: " in out
    assert "⊘ in" in stage.run("explain", "api").out
    stage.share(lb_b1=DOWN, lb_c1=DOWN)
    out = stage.run("explain", "www", "lb-c1").out
    assert "lb-c1 is kept (velocity): 34 % in 10 min is used up" in out
    assert "Not to wait: standfast drain lb-c1 --yes --reason TEXT" in out


def test_what_dns_says_otherwise(served: Stage) -> None:
    served.publish()
    with served.enactor():
        served.beat("planner")
        served.settled()
    assert "DNS" not in served.run("explain", "www", "lb-a1").out
    provider = served.place.open_provider(served.config.zones[0])
    owner = f"www.{ZONE}"
    rdata = (address_rdata("192.0.2.99"),)
    write = Write(owner, (), (Content(owner, RRType.A, 60, rdata),))
    assert provider.perform(Replace(ZONE, Write(owner, (), ()), (write,))) == Written()
    provider.close()
    out = served.run("explain", "www", "lb-a1").out
    assert "DNS differs now: its A rrset was changed." in out
    assert "somebody else wrote it" in served.run("explain", "www", "192.0.2.99").out


def test_strangers(stage: Stage) -> None:
    assert stage.run("explain", "www").code == 1
    stage.publish()
    assert "belongs to no load balancer that is known" in stage.run("explain", "www", "198.51.100.7").out
    said = stage.run("explain", "www", "lb-a9")
    assert (said.code, said.err.startswith("There is no load balancer lb-a9. Did you mean lb-")) == (1, True)
    assert stage.run("explain", "nope").code == 1


def test_json(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    report = stage.run("explain", "www", "lb-b1", "--json").json
    (one,) = report["load_balancers"]
    assert (one["in_answer"], one["since"]["generation"], one["since"]["exact"]) == (False, 2, True)
    assert (one["kept"], one["health"]["state"]) == (False, "down")
    assert one["health"]["since"] > 0
    assert report["state"] == "unread"


def test_what_is_in_no_plan_yet_says_what_keeps_it_out(stage: Stage) -> None:
    stage.publish()
    stage.configure(endpoints="  www: {}\n  new: {}\n")
    stage.beat("planner", refusals=[f"new.{ZONE}: it belongs to stream other: its marker says so"])
    said = stage.run("explain", "new")
    assert said.code == 1
    assert said.err.startswith(f"new.{ZONE} is in no plan yet: it belongs to stream other: its marker says so.")
    assert "standfast plan" in said.err


def test_who_is_asked_while_no_planner_is_at_work_is_told_so(stage: Stage) -> None:
    stage.publish()
    assert "No planner is at work here" in stage.run("explain", "www").out
    stage.beat("planner")
    assert "No planner is at work here" not in stage.run("explain", "www").out


def test_budgets_limits_loads_and_shares_are_fields(stage: Stage) -> None:
    weighted = LOAD_BALANCERS.replace("lb-c2: {", "lb-c2: {capacity: 200, ")
    stage.configure(weighted, "  www: {need: 80}\n  api: {azs: [a, b], need: 20}\n")
    stage.publish()
    stage.publish(lb_b1=DOWN)
    until = stage.now + 600
    report = stage.run("explain", "www", "--json").json
    assert report["budget"] == {"used": 0.2, "of": 0.34, "until": until}
    assert report["adding"] == {"used": 0.0, "of": 0.34, "until": None}
    assert report["held_back"] == []
    assert report["limits"]["removal"] == {"share": 0.34, "window_s": 600.0}
    assert (report["limits"]["max_answers"], report["limits"]["need"], report["limits"]["az_loss"]) == (8, 80, "auto")
    loads = {one["load_balancer"]: one["load"] for one in report["loads"]}
    assert loads == {"lb-a1": pytest.approx(46.6667), "lb-c1": 26.6667, "lb-c2": 26.6667}, "api's 20 counts too"
    shares = {one["load_balancer"]: (one["answers"], one["capacity"]) for one in report["shares"]}
    assert shares == {"lb-a1": (0.333333, 0.25), "lb-c1": (0.333333, 0.25), "lb-c2": (0.333333, 0.5)}
    said = stage.run("explain", "www").out
    assert f"Removal budget: 20 of 34 % used until {clock(until, time.time())}." in said
    assert "Share of answers for share of capacity: lb-c2 33.3 for 50 % (-17), lb-a1 33.3 for 25 % (+8.3)" in said


def test_where_they_take_turns_shares_are_those_over_time(stage: Stage) -> None:
    """Two of four at a time, one of them twice as heavy: 2/5 of the places, as of the capacity."""
    weighted = LOAD_BALANCERS.replace("lb-c2: {", "lb-c2: {capacity: 200, ")
    stage.configure(weighted, "  www: {max_answers: 2, rotation: 2m}\n")
    stage.publish()
    report = stage.run("explain", "www", "--json").json
    assert {one["load_balancer"]: one["answers"] for one in report["shares"]} == {
        "lb-a1": 0.2,
        "lb-b1": 0.2,
        "lb-c1": 0.2,
        "lb-c2": 0.4,
    }
    assert {one["deviation"] for one in report["shares"]} == {0.0}
    assert "Share of answers" not in stage.run("explain", "www").out
