"""`audit` with a configuration: zone, markers, plan and journals against each other, on the embedded server."""

import re

import pytest
from msgspec.structs import replace

from cli.stage import DOWN, ZONE, Stage
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.config import Config
from standfast.model.marker import Marker, marker_rdata
from standfast.model.name import floor_owner, marker_owner
from standfast.ports.provider import Content, Replace, Write, Written

WWW, API = f"www.{ZONE}", f"api.{ZONE}"
PUBLISH = ("emergency", "publish", "www", "--address", "192.0.2.11", "--yes", "--reason", "r")


@pytest.fixture
def running(served: Stage) -> Stage:
    """One plan is in the zone, and nobody runs any more."""
    served.publish()
    with served.enactor():
        served.everybody()
        served.settled()
    return served


def by_hand(stage: Stage, *contents: Content) -> None:
    """People change the zone, with no precondition."""
    provider = stage.place.open_provider(stage.config.zones[0])
    try:
        assert isinstance(provider.perform(Replace(ZONE, Write(WWW, (), contents), ())), Written)
    finally:
        provider.close()


def found(stage: Stage) -> dict[str, str]:
    """What differs, by name."""
    return {one["name"]: one["what"] for one in stage.run("audit", "--json").json["deviations"]}


def test_a_zone_as_planned_has_nothing_to_tell(running: Stage) -> None:
    said = running.run("audit")
    assert said.code == 0, said
    assert "✓ Zone, markers, plan and journals agree" in said.out
    assert said.out.rstrip().endswith("✓ Nothing differs and nothing is violated.")
    told = running.run("audit", "--json").json
    assert (told["ok"], told["head"], told["endpoints"], told["deviations"]) == (True, 1, 2, [])
    assert told["journal"]["ok"]


def test_what_people_did_is_told_with_what_was_last_right(running: Stage) -> None:
    by_hand(running, Content(WWW, 1, 60, (b"\xc0\x00\x02\x63",)))
    said = running.run("audit")
    assert said.code == 2
    assert "■ www.lb.example.com: its A rrset was changed; changed after " in said.out
    assert "by none of our changes" in said.out
    assert not re.search(r"\dT\d\d:\d\d", said.out), "people are told by the clock"
    assert "standfast explain www" in said.out


def test_markers_without_plan_and_lost_floors(running: Stage) -> None:
    stray = f"old.{ZONE}"
    owner = marker_owner(stray, ZONE)
    text = marker_rdata(Marker("main", 1, 1, "abcd", "live", "enactor-x", "0011" * 4), ZONE, owner)
    by_hand(running, Content(owner, 16, 60, (text,)), Content(floor_owner("main", ZONE), 16, 0, ()))
    differs = found(running)
    assert differs[ZONE] == "its floor is missing"
    assert differs[stray] == f"a marker of ours (g1, by enactor-x) stands at {owner}, in no plan"


def test_an_emergency_is_told_until_a_plan_has_it(running: Stage) -> None:
    assert running.run(*PUBLISH).code == 0
    differs = found(running)
    assert differs[WWW] == "it was published without a plan (g2), and no plan has taken that over"
    assert differs[ZONE] == "its floor is at g2 and the newest plan is g1"
    with running.enactor():
        assert running.run("hold", "api", "--reason", "plans above").code == 0
        running.everybody()
        running.settled()
    assert found(running) == {}


def test_a_store_that_was_set_back_is_seen_by_the_copies(running: Stage) -> None:
    kept = running.config.store_file
    running.store.close()
    before = kept.read_bytes()
    running.store = SqliteStore(kept)
    running.publish(lb_c1=DOWN, after_s=1200)
    with running.enactor():
        running.everybody()
        running.settled()
    running.store.close()
    for path in kept.parent.glob(kept.name + "*"):
        path.unlink()
    kept.write_bytes(before)
    running.store = SqliteStore(kept)
    told = running.run("audit", "--json").json
    between = {one["between"]: one["what"] for one in told["deviations"]}
    assert "enactor a keeps plan g2, and the store's newest is g1: it was set back" in between["store and copy"]
    assert "zone and store" in between


def test_frozen_is_no_fault_and_is_noted(running: Stage) -> None:
    assert running.run("freeze", ZONE, "--reason", "moving").code == 0
    told = running.run("audit", "--json")
    assert (told.code, told.json["deviations"]) == (0, [])
    assert any('"moving"' in note for note in told.json["notes"])


def test_what_cannot_be_read_is_not_taken_for_fine(stage: Stage) -> None:
    stage.publish()
    said = stage.run("audit")
    assert said.code == 1
    assert "can't be read" in said.out
    assert "▲ Nothing differs in what could be read." in said.out


def test_a_change_in_the_midst_of_the_audit_is_no_violation(running: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zone is looked at, then a plan is published and written, then the journals and copies are read."""
    from standfast.runtime import auditing

    compare = auditing.compared
    looks: list[object] = []

    def compared(config: Config) -> auditing.Compared:
        seen = compare(config)
        looks.append(seen.head)
        if len(looks) == 1:
            running.publish(lb_c1=DOWN, after_s=1200)
            with running.enactor():
                running.settled()
        return seen

    monkeypatch.setattr(auditing, "compared", compared)
    monkeypatch.setattr("standfast.cli.auditing.PAUSE_S", 0.0)
    said = running.run("audit")
    assert (said.code, len(looks)) == (0, 2), said.out
    assert "✓ Nothing differs and nothing is violated." in said.out


def test_what_differs_while_all_goes_on_changing_is_told_if_it_was_seen_twice(
    running: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from standfast.runtime import auditing

    compare = auditing.compared
    looks: list[object] = []

    def compared(config: Config) -> auditing.Compared:
        looks.append(len(looks))
        seen = compare(config)
        once = replace(seen.deviations[0], what=f"something of the moment {looks[-1]}")
        return replace(seen, deviations=(*seen.deviations, once), ends={**seen.ends, (ZONE, API): f"{looks[-1]:016x}"})

    by_hand(running, Content(WWW, 1, 60, (b"\xc0\x00\x02\x63",)))
    monkeypatch.setattr(auditing, "compared", compared)
    monkeypatch.setattr("standfast.cli.auditing.PAUSE_S", 0.0)
    said = running.run("audit", "--json")
    assert said.code == 2
    assert [one["name"] for one in said.json["deviations"]] == [WWW]
    assert "moment" not in said.out
    assert said.json["journal"]["ok"], "markers that change meanwhile are no evidence against journals"
