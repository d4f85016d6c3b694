"""`freeze` and `thaw` on the embedded server: with planner and store down, told in status, journalled for the audit."""

import shutil

import pytest

from cli.stage import DOWN, ZONE, Stage
from standfast.audit.judge import audit
from standfast.core.direct import begin
from standfast.core.freezer import Freezing
from standfast.model.marker import Floor, Marker
from standfast.runtime.commanding import Desk
from standfast.runtime.zonesight import look_at_zone


@pytest.fixture
def running(served: Stage) -> Stage:
    """One plan is in the zone, and nobody runs any more."""
    served.publish()
    with served.enactor():
        served.everybody()
        served.settled()
    return served


def states(stage: Stage) -> set[str]:
    """The states of all markers and of the floor."""
    plan = stage.plan
    assert plan is not None
    sight = look_at_zone(stage.config.zones[0], "main", plan.by_zone[ZONE], secondaries=False)
    assert isinstance(sight.floor, Floor)
    return {one.marker.state for one in sight.endpoints if isinstance(one.marker, Marker)} | {sight.floor.state}


def test_a_zone_is_sealed_told_of_and_thawed(running: Stage) -> None:
    said = running.run("freeze", ZONE, "--reason", "registry is being moved")
    assert said.code == 0, said
    assert f"{ZONE} is FROZEN: requested, and sealed (2 endpoints; names from plan g1)" in said.out
    assert f"standfast thaw {ZONE}" in said.out
    assert states(running) == {"frozen"}
    running.everybody()
    status = running.run("status")
    assert status.code == 0
    first = status.out.splitlines()[0]
    assert first.startswith(f"❄ FROZEN    {ZONE} is FROZEN since ")
    assert '"registry is being moved". Failover is OFF for its 2 endpoints' in first
    assert f"standfast thaw {ZONE}" in status.out
    again = running.run("freeze", ZONE, "--json")
    assert (again.code, again.json["zones"][0]["result"]) == (0, "sealed")
    assert running.run("thaw", ZONE).code == 0
    assert states(running) == {"live"}
    running.everybody()
    assert "FROZEN" not in running.run("status").out
    report = audit([running.place.journal])
    assert not report.violated, report.violations


def test_whose_name_is_not_ascii_freezes_too(running: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A marker is ASCII; people are not."""
    monkeypatch.setenv("LOGNAME", "José")
    said = running.run("freeze", ZONE, "--reason", "señal")
    assert said.code == 0, said
    assert states(running) == {"frozen"}
    assert "José@" in running.run("status").out.splitlines()[0]
    assert running.run("thaw", ZONE).code == 0


def test_nothing_is_written_from_sealed_on(running: Stage) -> None:
    assert running.run("freeze", "--all").code == 0
    running.publish(lb_c1=DOWN)
    with running.enactor():
        running.everybody()
        running.run("status")
        assert states(running) == {"frozen"}
        assert running.run("thaw", "--all").code == 0
        running.settled()
    report = audit([running.place.journal])
    assert not report.violated, report.violations
    assert report.judged[0].checked


def test_one_endpoint_by_its_short_name(running: Stage) -> None:
    said = running.run("freeze", "www", "--reason", "load test")
    assert said.code == 0
    assert "www is FROZEN: its marker is" in said.out
    running.everybody()
    first = running.run("status").out.splitlines()[0]
    assert "www is FROZEN since" in first
    assert '"load test"' in first
    assert running.run("freeze", "nosuch").code == 1
    assert running.run("thaw", "www", "--yes", "--reason", "over").code == 0
    assert states(running) == {"live"}


@pytest.mark.parametrize("left", ["copy", "zone", "configuration"])
def test_without_store_and_planner(running: Stage, left: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from an enactor's copy, else from the zone, else from the file."""
    plan = running.plan
    assert plan is not None
    running.store.close()
    running.config.store_file.unlink()
    if left != "copy":
        shutil.rmtree(running.place.copies)
    if left == "configuration":
        monkeypatch.setattr("standfast.runtime.commanding.listing", lambda *a: _refused())
    running.configure(endpoints="  www: {}\n" if left == "zone" else "  www: {}\n  api: {azs: [a, b], ttl: 30}\n")
    said = running.run("freeze", ZONE, "--json")
    assert said.code == 0, said
    told = said.json["zones"][0]
    assert (told["result"], told["endpoints"]) == ("sealed", 2)
    source = {"copy": "enactor a keeps a copy", "zone": "the zone", "configuration": "the configuration alone"}[left]
    assert source in told["names_from"]
    sight = look_at_zone(running.config.zones[0], "main", plan.by_zone[ZONE], secondaries=False)
    assert {one.marker.state for one in sight.endpoints if isinstance(one.marker, Marker)} == {"frozen"}
    assert running.run("thaw", ZONE).code == 0


def _refused() -> object:
    from standfast.ports.provider import Unknown

    return Unknown("REFUSED")


def test_a_freeze_that_was_interrupted_is_requested_and_not_sealed(running: Stage) -> None:
    with Desk(running.place, running.config.zones[0], "freeze", (ZONE,), "half") as desk:
        phase = begin(Freezing("freeze", "main", ZONE, "somebody", ("www." + ZONE, "api." + ZONE)))
        for _ in range(4):
            phase = phase.heard(desk._perform(phase.request))  # type: ignore[union-attr]
    running.everybody()
    status = running.run("status")
    assert status.code == 2
    assert "a freeze is requested and NOT sealed" in status.out
    assert f"standfast freeze {ZONE}" in status.out
    assert running.run("freeze", ZONE).code == 0
    assert running.run("status").code == 0


def test_a_server_that_does_not_answer_and_a_journal_that_cannot_be_written(stage: Stage) -> None:
    stage.publish()
    said = stage.run("freeze", ZONE)
    assert said.code == 1
    assert "Give the same command again" in said.err
    shutil.rmtree(stage.place.journal)
    stage.place.journal.write_text("no folder")
    said = stage.run("freeze", ZONE)
    assert said.code == 1
    assert "state directory" in said.err or "Nothing was done" in said.err


def test_what_is_asked_for_must_be_clear(running: Stage) -> None:
    assert "--all" in running.run("freeze").err
    assert running.run("thaw", "www", "--all").code == 1
