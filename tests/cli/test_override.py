"""`override`: recorded with owner and end, listed, ended; asks where a guard would refuse; works with planner down."""

import re
import time
from pathlib import Path

import pytest

from cli.stage import CLOCK, DOWN, LOAD_BALANCERS, ZONE, Stage
from standfast.model.override import Override
from standfast.ports.store import PutSource
from standfast.runtime.overriding import OVERRIDES, Change, record
from standfast.runtime.sharing import SharedPolicy, encode

WWW = (ZONE, f"www.{ZONE}")


def served(stage: Stage) -> list[str]:
    entry = stage.plan.entry(WWW) if stage.plan else None
    return [one.load_balancer for one in entry.members if one.served] if entry else []


def test_given_listed_obeyed_explained_and_ended(served_by: Stage) -> None:
    stage = served_by
    assert stage.run("override").out.strip() == "No override is in force: health and the file decide."
    said = stage.run("override", "lb-c1", "down", "--for", "30m", "--reason", "smoke")
    assert said.code == 0, said
    assert re.search(rf"\d\d:\d\d:\d\d  operator  \S+@\S+ override lb-c1 down until {CLOCK}: \"smoke\"", said.out)
    listed = stage.run("override")
    line = rf"lb-c1  down  until {CLOCK} \(29 min\)  \S+@\S+  smoke  ends it: standfast override lb-c1 --clear"
    assert re.search(line, listed.out), listed.out
    (one,) = stage.run("override", "--json").json["overrides"]
    assert (one["target"], one["state"], one["end_with"]) == ("lb-c1", "down", "standfast override lb-c1 --clear")
    stage.publish()
    assert served(stage) == ["lb-a1", "lb-b1", "lb-c2"]
    explained = " ".join(stage.run("explain", "www", "lb-c1").out.split())
    assert "is not in the answer of www" in explained.replace("are not", "is not")
    assert re.search(
        rf"taken down by \S+@\S+: smoke\. .*ends at {CLOCK}; to end it now: standfast override lb-c1 --clear\.",
        explained,
    )
    status = stage.run("status").out
    assert "override: lb-c1 down until" in status
    assert "lb-c1 taken down" in status
    ended = stage.run("override", "lb-c1", "--clear")
    assert ended.code == 0
    assert "health and the file decide again" in ended.out
    stage.publish()
    assert "lb-c1" in served(stage)
    stages = [(one["action"], one["stage"], one["target"]) for one in stage.journalled("operator")]
    assert stages == [("override", stage_, "lb-c1") for stage_ in ("asked", "recorded") * 2]
    assert stage.run("override", "lb-c1", "--clear").code == 1


@pytest.fixture
def served_by(stage: Stage) -> Stage:
    """Everybody is at work, and one plan is published; nobody serves the zone."""
    stage.publish()
    stage.everybody()
    return stage


def test_up_by_az_beats_health_and_status_says_so(served_by: Stage) -> None:
    stage = served_by
    stage.publish(lb_b1=DOWN)
    assert "lb-b1" not in served(stage)
    assert stage.run("override", "az", "b", "up", "--reason", "false alarm").code == 0
    stage.publish(lb_b1=DOWN)
    assert "lb-b1" in served(stage)
    assert "lb-b1 counts as up by order of" in stage.run("status").out or "override: az b up" in stage.run("status").out


def test_up_is_asked_of_nobody_even_if_a_guard_keeps_it(served_by: Stage) -> None:
    """Its check fails, the budget is used up, and an operator says that the check lies: nothing is taken out."""
    stage = served_by
    stage.publish(lb_c1=DOWN)
    stage.share(lb_c1=DOWN, lb_c2=DOWN)
    assert "lb-c2 is kept" in stage.run("explain", "www", "lb-c2").out
    said = stage.run("override", "lb-c2", "up", "--for", "1h", "--reason", "false alarm")
    assert (said.code, said.err) == (0, "")
    ended = stage.run("override", "lb-c2", "--end")
    assert (ended.code, "health and the file decide again" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("lb-zz", "up", "--reason", "x"), "There is no load balancer lb-zz. Did you mean lb-"),
        (("c", "up", "--reason", "x"), "c is no load balancer. Did you mean `az c`?"),
        (("az", "z", "up", "--reason", "x"), "There is no AZ z. There are: a, b, c"),
        (("lb-a1", "up"), "An override needs a reason."),
        (("lb-a1", "sideways", "--reason", "x"), "Give TARGET and one of up, down, drain"),
        (("lb-a1", "up", "--reason", "a\nb"), "The reason must be one line"),
        (("lb-a1", "up", "--reason", "x", "--for", "8d"), "is out of range. Give from 1s to 7d"),
        (("--clear",), "Which one shall end?"),
    ],
)
def test_what_is_wrong_is_said(served_by: Stage, words: tuple[str, ...], text: str) -> None:
    said = served_by.run("override", *words)
    assert said.code == 1
    assert text in " ".join(said.err.split())
    assert not served_by.overrides[0]


def test_a_guard_is_named_before_anything_is_done(served_by: Stage) -> None:
    stage = served_by
    stage.publish(lb_c1=DOWN)
    refused = stage.run("override", "lb-c2", "down", "--reason", "smoke")
    assert refused.code == 3
    assert "A guard would refuse: www keeps lb-c2: 34 % in 10 min is used up, until" in refused.err
    assert "standfast override lb-c2 down --yes --reason TEXT" in refused.err
    assert not stage.overrides[1]
    no = stage.run("override", "lb-c2", "down", "--reason", "smoke", typed="")
    assert no.code == 3
    yes = stage.run("override", "lb-c2", "down", "--reason", "smoke", typed="lb-c2")
    assert yes.code == 0, yes
    assert stage.overrides[1][0].consented
    stage.publish(lb_c1=DOWN)
    assert served(stage) == ["lb-a1", "lb-b1"]


def test_what_nothing_lifts_is_recorded_only_if_agreed_to_and_ends_with_3(served_by: Stage) -> None:
    stage = served_by
    stage.configure(endpoints="  www: {min_answers: 4, removal: 100% in 10m}\n")
    refused = stage.run("override", "az", "c", "down", "--reason", "smoke")
    assert refused.code == 3
    assert "A guard refuses, whatever you agree to: www keeps lb-c1: removing it would leave" in refused.err
    assert not stage.overrides[1]
    assert stage.run("override", "az", "c", "down", "--yes").code == 1, "and a reason"
    agreed = stage.run("override", "az", "c", "down", "--yes", "--reason", "smoke")
    assert agreed.code == 3
    assert "A guard keeps it for now: www keeps lb-c1" in agreed.out
    assert [one.consented for one in stage.overrides[1]] == [False], "nothing that consent could lift"


def test_a_held_name_keeps_it(served_by: Stage) -> None:
    stage = served_by
    assert stage.run("hold", "www", "--reason", "load test").code == 0
    said = stage.run("override", "lb-a1", "down", "--reason", "smoke")
    assert said.code == 3
    assert "www keeps lb-a1: held: load test; `standfast resume www` ends that" in said.err


def test_without_a_planner_it_is_recorded_and_nobody_acts(stage: Stage) -> None:
    stage.publish()
    said = stage.run("override", "lb-a1", "drain", "--reason", "kernel")
    assert said.code == 2
    assert "no planner is running here, so nobody acts on it yet" in said.out
    assert [one.target for one in stage.overrides[1]] == ["lb-a1"]


def test_without_a_store_what_still_works_is_named(stage: Stage) -> None:
    stage.publish()
    stage.store.close()
    Path(stage.config.store_file).write_bytes(b"not a database at all" * 99)
    for words in (("override", "lb-a1", "down", "--reason", "x"), ("drain", "lb-a1"), ("pin", "1", "--reason", "x")):
        said = stage.run(*words)
        assert said.code == 1
        assert "nothing can be recorded" in said.err
        assert "standfast freeze NAME" in said.err


def test_nothing_was_ever_published(stage: Stage) -> None:
    stage.store.close()
    Path(stage.config.store_file).unlink()
    said = stage.run("override")
    assert said.code == 1
    assert "Nothing was ever published here" in said.err


def test_garbage_is_ended_by_all_clear(served_by: Stage) -> None:
    stage = served_by
    stage.store.perform(PutSource(OVERRIDES, 5, b"{half"))
    listed = stage.run("override")
    assert listed.code == 1
    assert "standfast override all --clear" in listed.err
    assert stage.run("override", "all", "--clear").code == 3
    assert stage.run("override", "all", "--clear", "--yes", "--reason", "half a file").code == 0
    assert stage.overrides == (6, ())


def test_a_long_drain_is_announced_before_it_ends(served_by: Stage) -> None:
    stage, now = served_by, time.time()
    for target, at in (("lb-a1", now - 7200.0), ("lb-c1", now - 60.0)):
        one = Override("load_balancer", target, "drain", "kernel", "bob@ops1", at, now + 300.0)
        record(stage.store, Change(one.scope, target, one), now)
    listed = stage.run("status").out
    assert listed.count("override: ") == 2
    from standfast.runtime.observing import observe
    from standfast.runtime.overridden import remarks

    (remark,) = remarks(observe(stage.config, secondaries=False))
    assert remark.kind == "NEEDS YOU"
    assert remark.sentence.startswith("The override of lb-a1 (drained until ")
    assert remark.command == "standfast override lb-a1 drain --for 1h --reason TEXT"


def test_a_target_that_left_the_fleet_can_still_be_ended(served_by: Stage) -> None:
    stage = served_by
    assert stage.run("override", "lb-c2", "down", "--reason", "smoke").code == 0
    stage.configure(load_balancers="".join(LOAD_BALANCERS.splitlines(keepends=True)[:3]))
    stage.share()
    assert stage.run("override", "lb-c2", "--clear").code == 0


def test_who_runs_by_another_file_is_told(served_by: Stage) -> None:
    stage = served_by
    digest = stage.config.digest
    stage.beat("planner", file=digest)
    assert "configuration:" not in stage.run("status").out
    stage.configure(endpoints="  www: {ttl: 30}\n")
    for role in ("planner", "enactor"):
        stage.beat(role, file=digest)
    text = (
        f"enactor a, planner a run by another configuration ({digest[:4]}) than the file has now "
        f"({stage.config.digest[:4]})."
    )
    assert f"configuration: {text}" in stage.run("status").out
    assert stage.run("status", "--json").json["configuration"]["differences"] == [text]
    stage.everybody()
    stage.store.perform(PutSource("policy", 1, encode(SharedPolicy("ops2", digest))))
    assert f"Planner ops2 brought another configuration into force ({digest[:4]})" in stage.run("status").out
