"""`standfast status`: the five verdicts, what is shown of names, servers and processes, and exit codes."""

import os
import re
import time

import pytest
from msgspec.structs import replace

from cli.stage import CLOCK, DOWN, LOAD_BALANCERS, ZONE, Stage
from harness.planning import entry_of
from standfast.cli.status import status_json, status_lines
from standfast.model.fleet import Verdict, VerdictState
from standfast.model.marker import ABSENT
from standfast.model.rrset import RRType
from standfast.ports.provider import Content, Replace, Unknown, Write, Written
from standfast.ports.store import Pin
from standfast.runtime.observing import observe
from standfast.runtime.sharing import Judged
from standfast.runtime.times import clock, span
from standfast.runtime.verdict import verdict
from standfast.runtime.votes import VantageSight
from standfast.web.fleetview import columns


def test_nothing_was_ever_published(stage: Stage) -> None:
    stage.store.close()
    stage.config.store_file.unlink()
    said = stage.run("status")
    first, second, *_ = said.out.splitlines()
    assert first.startswith("■ NEEDS YOU Nothing was published yet")
    assert second.strip() == "standfast run"
    assert "not in a plan yet: api.lb.example.com, www.lb.example.com" in said.out
    assert not stage.config.store_file.exists(), "looking makes no store"


def test_fine(served: Stage) -> None:
    served.publish()
    served.beat("planner")
    served.beat("cleaner")
    with served.enactor():
        served.settled()
        said = served.run("status")
    assert said.code == 0
    assert said.out.splitlines()[0] == "✓ FINE      Both endpoints are in step at g1. Nobody needs to act."
    assert re.search(r"www\.lb\.example\.com   OK   g1 for \d+ (s|min)   4 of 4   A 4  AAAA 4  TTL 60\n", said.out)
    assert "   a  ● lb-a1 up     b  ● lb-b1 up     c  ● lb-c1 up  ● lb-c2 up\n" in said.out
    assert "   ns1 g1\n" in said.out
    assert re.search(
        r"planner \d\.\d s ago   enactor a \d\.\d s ago   cleaner \d\.\d s ago   no monitor   store ok", said.out
    )
    assert "no guard is holding anything" in said.out


def test_handled_when_one_left(served: Stage) -> None:
    served.publish()
    served.publish(lb_b1=DOWN)
    served.beat("planner")
    with served.enactor():
        served.settled()
        said = served.run("status")
        told = served.run("status", "--json")
    assert said.code == told.code == 0
    assert re.match(rf"▲ HANDLED   api serves 1 of 2 since {CLOCK} \(g2\): lb-b1 failed 3 checks in a row", said.out)
    assert "standfast explain api lb-b1" in said.out.splitlines()[1]
    assert "b  ○ lb-b1 down" in said.out
    report = told.json
    assert report["verdict"]["kind"] == "HANDLED"
    www = next(one for one in report["endpoints"] if one["name"] == f"www.{ZONE}")
    assert (www["state"], www["served"], www["of"], www["since"]) == ("ok", 3, 4, 2)
    assert {one["id"]: one["health"] for one in www["load_balancers"]}["lb-b1"] == "down"
    assert report["processes"][0]["at_work"] is True
    assert (report["processes"][0]["alive"], report["processes"][0]["stopped"]) == (True, False)
    assert not any(one["kept"] for one in www["load_balancers"])


def test_damage_and_a_head_not_written_differ(served: Stage) -> None:
    served.publish()
    with served.enactor():
        served.beat("planner")
        served.settled()
    served.everybody()
    provider = served.place.open_provider(served.config.zones[0])
    owner = f"www.{ZONE}"
    change = Replace(ZONE, Write(owner, (), ()), (Write(owner, (), (Content(owner, RRType.A, 0, ()),)),))
    assert provider.perform(change) == Written()
    provider.close()
    said = served.run("status")
    assert said.code == 2
    assert said.out.startswith("▲ HANDLED   www is being put back: its A records are gone.")
    assert f"{owner}   DAMAGED" in said.out
    served.publish(lb_c1=DOWN)
    said = served.run("status")
    assert said.code == 2
    assert f"{owner}   BEHIND" in said.out
    assert "1 → 2" in said.out


def test_what_is_written_while_we_look_is_not_ahead_of_the_plan(served: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is read before the zone: a plan that is published and written in between is looked at again."""
    from standfast.runtime import observing

    served.publish()
    with served.enactor():
        served.beat("planner")
        served.settled()
        look, before = observing.look_at_store, [observing.look_at_store(served.place)]
        served.publish(lb_c1=DOWN, after_s=1200)
        served.settled()
        monkeypatch.setattr(observing, "look_at_store", lambda *given: before.pop() if before else look(*given))
        said = served.run("status")
    assert before == []
    assert "AHEAD" not in said.out
    assert f"www.{ZONE}   OK   g2" in said.out


def test_on_a_terminal_the_kind_has_a_colour_and_only_there(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("standfast.cli.status.as_text", lambda lines: told.extend(lines))
    stage.run("status")
    assert told[0].startswith("\x1b[31m\x1b[1m■ NEEDS YOU \x1b[0m"), told[0]
    assert not [line for line in told[1:] if "\x1b" in line]
    monkeypatch.undo()
    assert "\x1b" not in stage.run("status").out, "what is piped on is plain"


def test_nobody_is_running(served: Stage) -> None:
    served.publish()
    with served.enactor():
        served.beat("planner")
        served.settled()
    for path in served.place.presence.iterdir():
        path.unlink()
    said = served.run("status")
    assert said.code == 2
    assert said.out.startswith("■ NEEDS YOU Nobody is running: DNS stays as it is")
    assert "standfast run" in said.out.splitlines()[1]
    assert "no planner   no enactor   no cleaner" in said.out
    served.share(lb_b1=DOWN)
    assert "What is stored calls for another plan already." in served.run("status").out
    served.beat("enactor")
    assert served.run("status").out.startswith("■ NEEDS YOU No planner is running: a load balancer that dies stays")


def test_a_process_that_is_gone_is_not_at_work(served: Stage) -> None:
    served.publish()
    served.everybody()
    path = served.place.presence / "planner-a.json"
    gone = max(int(name) for name in os.listdir("/proc") if name.isdigit()) + 4_000_000
    path.write_text(path.read_text().replace(f'"pid": {os.getpid()}', f'"pid": {gone}'))
    said = served.run("status")
    assert "No planner is running" in said.out
    assert "(its process is gone)" in said.out


def test_a_guard_that_holds_needs_you(served: Stage) -> None:
    served.publish()
    served.publish(lb_b1=DOWN)
    served.share(lb_b1=DOWN, lb_a1=DOWN)
    served.everybody()
    said = served.run("status")
    assert said.code == 3
    assert said.out.startswith("■ NEEDS YOU api: a guard keeps lb-a1 in the answer")
    assert "⊘ lb-a1 down" in said.out
    assert "guard: api: lb-a1 kept: " in said.out
    assert served.run("status", "--json").json["guards"]


def test_what_a_planner_refuses_and_enactors_are_stuck_at(served: Stage) -> None:
    served.publish()
    served.everybody()
    served.beat("enactor", troubles=["www.lb.example.com: left: somebody insists on 192.0.2.99"])
    said = served.run("status")
    assert (said.code, "somebody insists on 192.0.2.99" in said.out) == (3, True)
    served.everybody()
    served.configure(endpoints="  www: {}\n  new: {}\n")
    served.beat("planner", refusals=["new.lb.example.com: it exists in DNS and nobody consented to take it over"])
    said = served.run("status")
    assert said.code == 3
    assert said.out.startswith("■ NEEDS YOU Not in a plan: new.lb.example.com: it exists in DNS")


def test_held(served: Stage) -> None:
    served.publish()
    with served.enactor():
        served.beat("planner")
        served.settled()
        assert served.run("hold", "www", "--reason", "load test").code == 0
        said = served.run("status")
    assert said.code == 0
    assert re.match(
        rf'❄ HELD      www is HELD since {CLOCK} \(g2\) by \S+@\S+: "load test"\. Failover is OFF', said.out
    )
    assert "standfast resume www" in said.out.splitlines()[1]
    assert "www.lb.example.com   HELD   g1 for" in said.out


def test_blind_when_the_server_is_away(stage: Stage) -> None:
    stage.publish()
    stage.everybody()
    said = stage.run("status")
    assert said.code == 1
    assert said.out.startswith("? BLIND     lb.example.com can't be read (cannot connect to 127.0.0.1")
    assert "www.lb.example.com   UNKNOWN   g1" in said.out
    assert "4 of 4   A 4  AAAA 4" in said.out, "the plan is known all the same"


def test_blind_when_the_store_cannot_be_read(served: Stage) -> None:
    served.publish()
    with served.enactor():
        served.beat("planner")
        served.settled()
    served.everybody()
    served.beat("planner", troubles=["the plan store does not take what is thought of health"])
    served.store.close()
    for path in (served.config.store_file, *served.folder.rglob("store.sqlite-*")):
        path.unlink(missing_ok=True)
    served.config.store_file.write_bytes(b"this is not a store" * 100)
    said = served.run("status")
    assert said.code == 1
    assert said.out.startswith("? BLIND     The plan store can't be read")
    assert "Shown is the copy that enactor a keeps" in said.out
    assert "www.lb.example.com   OK   g1" in said.out
    assert "what guards hold is unknown" in said.out


def test_many_names_are_folded(served: Stage) -> None:
    served.configure(endpoints="".join(f"  n{number}: {{}}\n" for number in range(20)))
    served.publish()
    served.beat("planner")
    with served.enactor():
        served.settled()
        assert "… 8 more names are in step and whole (--all shows them)" in served.run("status").out
        assert served.run("status", "--all").out.count("   OK   g1") == 20


def test_a_secondary_that_lags_is_named(served: Stage) -> None:
    served.publish()
    served.beat("planner")
    with served.enactor():
        served.settled()
        seen = observe(served.config)
    zone = seen.zones[0]
    ends = tuple(
        replace(one, servers=(*one.servers, ("ns2", ABSENT), ("ns3", Unknown("no answer")))) for one in zone.endpoints
    )
    seen = replace(seen, zones=(replace(zone, endpoints=ends),))
    found = verdict(seen)
    assert (found.kind, found.exit_code) == ("HANDLED", 2)
    assert found.sentence.startswith("ns2 does not serve g1 of api yet.")
    text = "\n".join(status_lines(seen, found, served.config))
    assert "   ns1 g1   ns2 no marker   ns3 ? (no answer)" in text


def test_unknown_health_is_no_conclusion(stage: Stage) -> None:
    stage.publish()
    stage.everybody()
    unknown = Verdict("unknown", "not checked yet")
    stage.share(lb_a1=unknown, lb_b1=unknown, lb_c1=unknown, lb_c2=unknown)
    assert "lb-a1 unknown" in stage.run("status").out


def test_bad_configurations_are_no_tracebacks(stage: Stage) -> None:
    stage.file.write_text("zone: 7\n")
    said = stage.run("status")
    assert said.code == 1
    assert "standfast.yaml:1" in said.err
    stage.file.unlink()
    assert "does not exist" in stage.run("history").err
    assert stage.run("status", "--no-such-option").code == 1


def test_times_are_for_people() -> None:
    assert [span(one) for one in (-1, 0.42, 24, 90, 7200, 200_000)] == ["0 s", "0.4 s", "24 s", "1 min", "2 h", "2 d"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d", clock(1_000_000.0, 1_000_001.0))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", clock(1_000_000.0, 9_000_000.0))
    assert clock(1e30, 0.0) == "--:--:--"


def test_a_pinned_generation_is_no_trouble(stage: Stage) -> None:
    stage.publish()
    stage.store.perform(Pin(1, "post-mortem"))
    assert "[pinned: post-mortem]" in stage.run("history").out


def test_votes_are_shown_where_somebody_sees_it_otherwise(served: Stage) -> None:
    def judged(state: VerdictState) -> Judged:
        return Judged(state, f"{state} it is", 0.0)

    served.publish()
    served.beat("planner", checks={"overload": "", "vantages": {"a": "", "c": "", "office": "it is silent"}})
    votes = (
        VantageSight("a", "a", 1.0, False, "", (("lb-a1", judged("up")), ("lb-b1", judged("down")))),
        VantageSight("c", "c", 1.0, False, "", (("lb-a1", judged("up")), ("lb-b1", judged("down")))),
        VantageSight("office", "", 90.0, True, "", (("lb-a1", judged("down")),)),
    )
    with served.enactor():
        served.settled()
        seen = observe(served.config)
    seen = replace(seen, store=replace(seen.store, votes=votes))
    found = verdict(seen)
    assert (found.kind, found.exit_code) == ("HANDLED", 0)
    assert "office (it is silent) does not vote; the majority of all 3 decides." in found.sentence
    lines = status_lines(seen, found, served.config)
    assert "lb-b1 seen from  a ✗  c ✗  office ?" in lines
    assert "vantage points   a seen   c seen   office silent" in lines
    assert not [line for line in lines if line.startswith("lb-a1 seen")], "whoever is heard agrees"
    told = status_json(seen, found, served.config)["vantages"]
    assert [(one["name"], one["az"], one["silent"]) for one in told] == [
        ("a", "a", False),
        ("c", "c", False),
        ("office", None, True),
    ]
    assert told[0]["votes"]["lb-b1"] == {"state": "down", "reason": "down it is"}


def test_an_overloaded_checker_needs_you(served: Stage) -> None:
    served.publish()
    served.beat("planner")
    with served.enactor():
        served.settled()
        served.beat("planner", checks={"overload": "9 load balancers can't all be checked within 1 s.", "vantages": {}})
        said = served.run("status")
    assert said.code == 2
    assert said.out.startswith("■ NEEDS YOU Planner ")
    assert ": 9 load balancers can't all be checked within 1 s." in said.out.splitlines()[0]


def test_handled_while_keys_are_rotated(served: Stage) -> None:
    served.publish()
    served.beat("planner")
    with served.enactor():
        served.settled()
    told = "lb.example.com: key next is refused (NOTAUTH (BADKEY)); key lb-enactor is used"
    served.beat("enactor", keys=[told])
    said = served.run("status")
    assert said.code == 0
    assert said.out.splitlines()[:2] == [f"▲ HANDLED   {told}. Nobody needs to act.", "            standfast check"]


def test_budgets_and_who_waits_are_shown_with_each_name(stage: Stage) -> None:
    """One of four left: 25 of 34 %; of api's pair the other waits for the window."""
    stage.publish()
    stage.publish(lb_b1=DOWN)
    until = stage.now + 600
    stage.share(lb_b1=DOWN, lb_a1=DOWN)
    out = stage.run("status").out
    assert f"   Removal budget: 25 of 34 % used until {clock(until, time.time())}.\n" in out
    assert "   Removal budget: 50 of 34 % used" in out
    waits = f"lb-a1 is kept (velocity): 34 % in 10 min is used up; until {clock(until, time.time())}. Not to wait: "
    assert f"   {waits}standfast drain lb-a1 --yes --reason TEXT\n" in out
    assert "   lb-a1 is kept (panic): " in out
    told = {one["name"]: one for one in stage.run("status", "--json").json["endpoints"]}
    assert told[f"www.{ZONE}"]["budget"] == {"used": 0.25, "of": 0.34, "until": until}
    assert told[f"www.{ZONE}"]["adding"] == {"used": 0.0, "of": 0.34, "until": None}
    assert [one["load_balancer"] for one in told[f"api.{ZONE}"]["held_back"]] == ["lb-a1"]


def test_adding_is_a_budget_too(stage: Stage) -> None:
    stage.now -= 800
    stage.publish()
    stage.publish(lb_b1=DOWN)
    stage.publish(700.0, lb_b1=DOWN, lb_c1=DOWN)
    plan = stage.publish(170.0)
    (came,) = (one for one in entry_of(plan, (ZONE, f"www.{ZONE}")).arrivals)
    other = {"lb-b1": "lb-c1", "lb-c1": "lb-b1"}[came.load_balancer]
    out = stage.run("status").out
    until = clock(came.at + 60, time.time())
    assert f"   Adding budget: 25 of 34 % used until {until}.\n" in out
    assert f"   {other} waits to join (adding): 34 % in 60 s has just joined; until {until}.\n" in out


def test_what_shared_load_balancers_carry_and_how_far_answers_are_from_weights(stage: Stage) -> None:
    """Both ask lb-a1: 90 of four is 22.5 each, 60 of two 30 each."""
    heavy = LOAD_BALANCERS.replace("lb-c2: {", "lb-c2: {capacity: 200, ").replace("lb-a1: {", "lb-a1: {capacity: 50, ")
    stage.configure(heavy, "  www: {need: 90}\n  api: {azs: [a, b], need: 60}\n")
    stage.publish()
    said = stage.run("status").out
    assert "\nLoad of what endpoints need: lb-a1 52.5 of 50 (uses its reserve), " in said
    assert "; 20 % stay free.\n" in said
    (az_a, *_) = columns(observe(stage.config), stage.config)
    assert az_a.balancers[0].load == "lb-a1 52.5 of 50 (uses its reserve)", "as on the page"
    told = stage.run("status", "--json").json
    (first,) = (one for one in told["loads"] if one["load_balancer"] == "lb-a1")
    assert first == {"load_balancer": "lb-a1", "load": 52.5, "capacity": 50, "reserve": 0.2, "within": False}
    shares = {one["load_balancer"]: one for one in told["shares"]}
    assert shares["lb-c2"]["answers"] == 0.125
    assert shares["lb-c2"]["deviation"] == round(0.125 - shares["lb-c2"]["capacity"], 6)
    assert sum(one["answers"] for one in told["shares"]) == pytest.approx(1)
