"""A zone that was set back looks to a judge like a lost update. Journals tell which it was; a claim alone does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.recorded import Doctored, JournalingWorld, Line
from standfast.audit.judge import Report, audit
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRType
from standfast.ports.provider_spec import ZoneState
from world.invented import ZONE, entry, plan_of

WWW = f"www.{ZONE}"
API = f"api.{ZONE}"


def plans(count: int = 6) -> list[Plan]:
    """Each generation changes both endpoints."""
    return [
        plan_of(g, [entry(WWW, g, f"192.0.2.{g}"), entry(API, g, f"192.0.2.{100 + g}")]) for g in range(1, count + 1)
    ]


def advanced(world: JournalingWorld, *names: int) -> None:
    """The next plan, brought about by these enactors in this order: who comes later finds it done."""
    world.publish()
    for name in names:
        world.settle(world.actors[name], passes=2)


def set_back(world: JournalingWorld, old: ZoneState) -> None:
    """Somebody puts an old zone file back; the serial goes back with it."""
    world.zone = old


def history(folder: Path, *, repairs: int, watches: bool = True, marker_alone: bool = False) -> JournalingWorld:
    """Enactor 0 writes three generations, and 1 reads them (if it `watches`); the zone of the second comes back; one of
    them repairs."""
    world = JournalingWorld(folder, 3, plans())
    advanced(world, 0, 1)
    advanced(world, 0, 1)
    old = world.zone
    for _ in range(3):
        advanced(world, 0, 1) if watches else advanced(world, 0)
    if marker_alone:
        key = (marker_owner(WWW, ZONE), int(RRType.TXT))
        world.zone = ZoneState(ZONE, {**world.zone.rrsets, key: old.rrsets[key]}, world.zone.serial + 1)
    else:
        set_back(world, old)
    for place in (repairs, 1 - repairs):
        world.settle(world.actors[place])
    world.close()
    return world


def verdict(report: Report) -> tuple[list[str], list[str]]:
    return sorted({one.guarantee for one in report.violations}), [one.text for one in report.damages]


@pytest.mark.parametrize("repairs", [0, 1])
def test_a_zone_that_was_set_back_is_no_violation(tmp_path: Path, repairs: int) -> None:
    """Whoever repairs it: who wrote what is gone, or who only read it."""
    history(tmp_path, repairs=repairs)
    report = audit([tmp_path])
    guilty, damages = verdict(report)
    assert not guilty, [one.text for one in report.violations]
    assert len(damages) == 1
    assert damages[0].startswith(f"the zone {ZONE} (markers of ")
    assert WWW in damages[0]
    assert API in damages[0]
    assert all(one.verdict == "holds" for one in report.judged if one.guarantee == "G2")


def test_one_marker_put_back_by_hand_is_named(tmp_path: Path) -> None:
    history(tmp_path, repairs=1, marker_alone=True)
    guilty, damages = verdict(audit([tmp_path]))
    assert not guilty
    assert len(damages) == 1
    assert damages[0].startswith(f"{WWW} was set back to an older state at ")


def test_it_is_told_again_when_it_happens_again(tmp_path: Path) -> None:
    """The same copy, put back twice: three changes over one marker, and each pair is told apart."""
    world = JournalingWorld(tmp_path, 3, plans())
    advanced(world, 0, 1)
    old = world.zone
    advanced(world, 0, 1)
    for repairs in (0, 1):
        set_back(world, old)
        for place in (repairs, 1 - repairs):
            world.settle(world.actors[place])
    world.close()
    report = audit([tmp_path])
    assert not verdict(report)[0], [(one.text, one.places) for one in report.violations]


def test_who_had_not_seen_what_was_there_is_not_believed(tmp_path: Path) -> None:
    """To a judge that is the lost update: a change over a marker that another had replaced, by one who did not know."""
    history(tmp_path, repairs=1, watches=False)
    report = audit([tmp_path])
    assert verdict(report)[0] == ["G2"]
    assert any("two changes replaced the marker" in one.text for one in report.violations)
    assert all("people put an old one back" in one.remedy for one in report.violations)


def test_what_stands_now_and_was_not_repaired_yet(tmp_path: Path) -> None:
    """An audit in that very moment: the older marker stands, and somebody found it after he had known the newer."""
    history(tmp_path, repairs=0)
    given = Doctored(tmp_path)
    claims = [line for _, _, line in given.lines("set_back")]
    found = next(one["found"] for line in claims for one in line["records"] if one["name"] == WWW)
    nonces = {line["nonce"] for line in after_the_claim(given)}
    for lines in given.files.values():
        lines[:] = [line for line in lines if line.get("nonce") not in nonces]
    given.save()
    owner = marker_owner(WWW, ZONE)
    guilty, damages = verdict(audit([tmp_path], {("main", owner): found}))
    assert not guilty
    assert damages
    for lines in given.files.values():
        lines[:] = [line for line in lines if line["event"] != "set_back"]
    given.save()
    assert verdict(audit([tmp_path], {("main", owner): found})) == (["G2"], [])


def after_the_claim(given: Doctored) -> list[Line]:
    """The intents after the first line that says that something went back, of whoever says it."""
    name, number, _ = next(iter(given.lines("set_back")))
    return [line for file, place, line in given.lines("intent") if file == name and place > number]


Doctor = Callable[[Doctored], None]


def claimed_by_another(given: Doctored) -> None:
    """Who did not write says that it went back."""
    (name, claims) = _taken(given)
    other = next(file for file in given.files if file != name)
    given.files[other] += [{**line, "who": "enactor-0"} for line in claims]


def claimed_afterwards(given: Doctored) -> None:
    name, claims = _taken(given)
    given.files[name] += claims


def claimed_of_what_came_before(given: Doctored) -> None:
    """It names a marker that came before the first change: that nobody doubts."""
    for _, _, line in given.lines("set_back"):
        for one in line["records"]:
            one["knew"] = _over(given, one["found"], one["name"]) or one["found"]


def claimed_of_an_unknown_nonce(given: Doctored) -> None:
    for _, _, line in given.lines("set_back"):
        for one in line["records"]:
            one["knew"] = "f" * 16


def claimed_of_another_record(given: Doctored) -> None:
    for _, _, line in given.lines("set_back"):
        for one in line["records"]:
            one["name"] = API


def claimed_to_have_found_another(given: Doctored) -> None:
    for _, _, line in given.lines("set_back"):
        for one in line["records"]:
            one["found"] = "e" * 16


def not_claimed(given: Doctored) -> None:
    _taken(given)


def _taken(given: Doctored) -> tuple[str, list[Line]]:
    name = next(iter(given.lines("set_back")))[0]
    claims = [line for line in given.files[name] if line["event"] == "set_back"]
    given.files[name] = [line for line in given.files[name] if line["event"] != "set_back"]
    return name, claims


def _over(given: Doctored, nonce: str, name: str) -> str:
    for _, _, line in given.lines("intent"):
        if line["nonce"] == nonce:
            if not name:
                return str(line["floor"]["over"])
            return next((str(one["over"]) for one in line["writes"] if one["name"] == name), "")
    return ""


@pytest.mark.parametrize(
    "doctor",
    [
        not_claimed,
        claimed_by_another,
        claimed_afterwards,
        claimed_of_what_came_before,
        claimed_of_an_unknown_nonce,
        claimed_of_another_record,
        claimed_to_have_found_another,
    ],
)
def test_what_is_not_believed(tmp_path: Path, doctor: Doctor) -> None:
    history(tmp_path, repairs=1)
    given = Doctored(tmp_path)
    doctor(given)
    given.save()
    report = audit([tmp_path])
    assert "G2" in verdict(report)[0]
    assert not any(WWW in one.text for one in report.damages)


def test_a_lost_update_in_a_zone_that_was_set_back_is_still_seen(tmp_path: Path) -> None:
    """Both had known what was there, and both replaced what came back: one of them was let through that should not."""
    world = JournalingWorld(tmp_path, 3, plans())
    advanced(world, 0, 1)
    old = world.zone
    advanced(world, 0, 1)
    for actor in world.actors:  # the provider loses what the first wrote before the second looked
        set_back(world, old)
        world.settle(actor)
    world.close()
    given = Doctored(tmp_path)
    assert {name for name, _, _ in given.lines("set_back")} == set(given.files), "each saw that it went back"
    report = audit([tmp_path])
    assert verdict(report) == (["G2"], [])
    assert any("two changes replaced the marker" in one.text for one in report.violations)
