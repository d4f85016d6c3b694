"""`rollback`, `hold`, `resume`: shown, agreed to, published by compare-and-set, journalled, seen in the zone."""

import re
import socket

import pytest

from cli.stage import DOWN, LOAD_BALANCERS, ZONE, Stage
from standfast.config import load
from standfast.core.holding import Hold
from standfast.ports.store import PutSource
from standfast.runtime import operating
from standfast.runtime.journal import Journal
from standfast.runtime.observing import look_at_store

WWW = (ZONE, f"www.{ZONE}")


def _twice(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)


def test_rollback_and_resume(served: Stage) -> None:
    _twice(served)
    served.share()
    with served.enactor():
        served.beat("planner")
        served.settled()
        said = served.run("rollback", "www", "--to", "1", "--reason", "p99 doubled", "--yes")
        assert said.code == 0, said
        assert "www: put back the contents of g1 as g3?" in said.out
        assert re.search(r"\+ lb-b1 +192\.0\.2\.21  2001:db8:b::21 +passes its check now", said.out)
        assert "Guards: pass." in said.out
        assert "will then be HELD" in said.out
        assert re.search(r'operator  \S+@\S+ rollback www to g1: "p99 doubled"', said.out)
        assert "www serves g3 (contents of g1)." in said.out
        assert "Failover is OFF for www" in said.out
        assert "standfast resume www" in said.out.splitlines()[-1]
        assert "❄ HELD" in served.run("status").out
        assert "+ lb-b1, held" in served.run("history", "www").out.splitlines()[1]
        ended = served.run("resume", "www")
    assert ended.code == 0
    assert "no longer held" in ended.out
    plan = served.plan
    assert plan is not None
    entry = plan.entry(WWW)
    assert entry is not None
    assert (plan.generation, entry.since, entry.held) == (4, 3, "")
    stages = [(one["action"], one["stage"], one.get("generation")) for one in served.journalled("operator")]
    assert stages == [
        ("rollback", "asked", None),
        ("rollback", "published", 3),
        ("resume", "asked", None),
        ("resume", "published", 4),
    ]
    assert "@" in str(plan.record.author)


def test_a_rollback_that_nobody_writes_yet_differs(served: Stage) -> None:
    _twice(served)
    served.share()
    served.beat("planner")
    said = served.run("rollback", "www", "--to", "1", "--yes")
    assert said.code == 2
    assert "No enactor is running here, so nobody writes it yet (it has no marker)" in said.out


def test_what_is_ill_now_is_said(served: Stage) -> None:
    _twice(served)
    served.beat("planner")
    said = served.run("rollback", "www", "--to", "1", "--yes")
    assert "FAILS now: failed 3 checks in a row" in said.out
    assert "Take care: lb-b1 would be in the answer" in said.out
    assert (said.code, "--yes needs a --reason here" in said.err) == (3, True)
    assert served.plan is not None
    assert served.plan.generation == 2
    assert served.run("rollback", "www", "--to", "1", "--yes", "--reason", "its checks lie").code == 2


def test_without_a_planner_it_is_checked_from_here(served: Stage) -> None:
    """What was thought of it when the planner still ran is not what it does now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        some = (("a", "127.0.0.1", port), ("b", "127.0.0.2", 1))
        bound = ", ".join(f"lb-{n}: {{az: {n}, ip: {ip}, port: {p}}}" for n, ip, p in some)
        served.file.write_text(
            f"zone: {{name: {ZONE}, provider: rfc2136, server: 127.0.0.1:{served.port}, tsig: 'file:{served.tsig}'}}\n"
            f"health: {{tcp: {port}, timeout: 1s}}\nload_balancers: {{{bound}}}\nendpoints: {{www: {{}}}}\n"
        )
        served.config = load(served.file)
        served.publish()
        served.publish(lb_b=DOWN)
        said = served.run("rollback", "www", "--to", "1", "--yes")
    assert said.code == 3
    assert "FAILS now: 127.0.0.2:1 connection refused" in said.out
    assert "lb-a" not in said.out, "it stays, and passes"


def test_without_a_terminal_agreement_is_needed(stage: Stage) -> None:
    _twice(stage)
    said = stage.run("rollback", "www", "--to", "1")
    assert said.code == 3
    assert "Add --yes" in said.err
    assert stage.plan is not None
    assert stage.plan.generation == 2
    assert not stage.journalled("operator")


def test_on_a_terminal_the_name_is_typed(served: Stage) -> None:
    _twice(served)
    served.beat("planner")
    no = served.run("rollback", "www", "--to", "1", typed="api")
    assert (no.code, "That is not www; nothing was changed." in no.err) == (3, True)
    assert served.run("rollback", "www", "--to", "1", typed="").code == 3
    assert served.plan is not None
    assert served.plan.generation == 2
    served.share()
    yes = served.run("rollback", "www", "--to", "1", typed="www")
    assert (yes.code, "Type the name" in yes.out) == (2, True)
    assert served.plan.generation == 3


def test_load_balancers_that_are_gone_refuse(served: Stage) -> None:
    _twice(served)
    without = LOAD_BALANCERS.replace("lb-b1", "lb-b9").replace("192.0.2.21", "192.0.2.29")
    served.configure(load_balancers=without)
    served.share()
    said = served.run("rollback", "www", "--to", "1", "--yes")
    assert said.code == 3
    assert said.err.startswith("www: g1 names what is gone: lb-b1.")


def test_an_unknown_fleet_is_not_an_empty_one(served: Stage) -> None:
    _twice(served)
    served.store.perform(PutSource("fleet", 99, b"half a fi"))
    assert served.run("rollback", "www", "--to", "1", "--yes", "--reason", "r").code == 2, "the file says who there is"
    fleet = served.folder / "fleet.yaml"
    fleet.write_text("load_balancers: {}\n")
    served.file.write_text(
        served.file.read_text().partition("load_balancers:")[0]
        + "load_balancers: {from: file, path: fleet.yaml}\nendpoints: {www: {}}\n"
    )
    said = served.run("rollback", "www", "--to", "1", "--yes")
    assert said.code == 1
    assert "unknown" in said.err


def test_generations_that_are_not_there(stage: Stage) -> None:
    _twice(stage)
    assert stage.run("rollback", "www", "--to", "9", "--yes").err.startswith("g9 was not published yet.")
    stage.collect(1)
    said = stage.run("rollback", "www", "--to", "1", "--yes")
    assert (said.code, said.err) == (1, "g1 was collected; its contents are gone. Stored are g2.\n")


def test_hold_twice_and_resume_what_is_not_held(served: Stage) -> None:
    _twice(served)
    assert served.run("resume", "www").code == 3
    held = served.run("hold", "www", "--reason", "load test")
    assert held.code == 0
    again = served.run("hold", "www", "--reason", "x")
    assert (again.code, again.err.startswith("www: it is held already: load test.")) == (3, True)
    assert served.run("hold", "www", "--reason", "  ").code == 1
    assert served.run("hold", "www").code == 1, "a reason is needed"
    assert served.run("resume", "www", "--yes", "--reason", "over").code == 0, "scripts give --yes everywhere"


def test_an_unreadable_zone_refuses_and_says_when_to_try_again(stage: Stage) -> None:
    _twice(stage)
    said = stage.run("rollback", "www", "--to", "1", "--yes", "--reason", "r")
    assert said.code == 3
    assert "try again when its server answers" in said.err.lower()
    assert [one["stage"] for one in stage.journalled("operator")] == ["asked", "refused"]


def test_without_a_journal_nothing_is_done(served: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _twice(served)
    monkeypatch.setattr(Journal, "write", lambda *arguments, **facts: False)
    said = served.run("hold", "www", "--reason", "x")
    assert said.code == 1
    assert "Nothing was done" in said.err
    assert served.plan is not None
    assert served.plan.generation == 2


def test_a_lost_race_is_run_again(served: Stage) -> None:
    _twice(served)
    plan = served.plan
    assert plan is not None
    known = operating.Known(served.fleet, 0)
    moved = iter([True])

    class Racing:
        """Between the first reading of the head and publishing, another publishes."""

        def perform(self, request: object) -> object:
            if type(request).__name__ == "Publish" and next(moved, False):
                served.publish(lb_c1=DOWN, after_s=1200)
            return served.store.perform(request)  # type: ignore[call-overload]

    command = Hold((WWW,), "race")
    result = operating.carry_out(command, served.config, Racing(), plan, known)  # type: ignore[arg-type]
    assert result.kind == "published"
    assert result.plan is not None
    assert result.plan.generation == 4
    assert look_at_store(served.place).head == result.plan.head
