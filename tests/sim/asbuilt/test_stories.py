"""The race on its schedule, and counterexamples as stories."""

from pathlib import Path

import pytest

from standfast.sim.asbuilt import plans
from standfast.sim.asbuilt.driving import ScheduleError
from standfast.sim.asbuilt.narrating import narrated
from standfast.sim.asbuilt.race import ACTORS, NAME, race
from standfast.sim.asbuilt.remedies import Built
from standfast.sim.asbuilt.system import Scope
from standfast.sim.asbuilt.verdicts import verdict
from standfast.sim.story.story import Scene, load, save


def pointed(scene: Scene, what: str = NAME) -> str:
    return next(record.points_to.split(".")[0] for record in scene.zone if record.owner == what)


def owners(scene: Scene) -> set[str]:
    return {record.owner for record in scene.zone}


def test_the_race_has_fourteen_moments_each_with_its_source() -> None:
    story = race()
    assert len(story.moments) == 14
    assert {moment.actor for moment in story.moments} == set(ACTORS)
    for moment in story.moments:
        assert moment.caption
        assert moment.source
        assert moment.certainty in ("published", "inferred")


def test_the_race_goes_as_the_talk_tells_it() -> None:
    moments = race().moments
    assert [pointed(moment.scene) for moment in moments] == [
        *("plan-109", "plan-109", "plan-127", "plan-127", "plan-128", "plan-145", "plan-145"),
        *("plan-110",) * 7,
    ]
    assert pointed(moments[7].scene, plans.rollback_name(NAME)) == "plan-145"
    assert [moment.scene.answers[0].addresses != () for moment in moments] == [True] * 8 + [False] * 6
    assert {moment.scene.answers[0].status for moment in moments} == {"NOERROR"}
    assert plans.tree_name(NAME, 110) in owners(moments[7].scene)
    assert plans.tree_name(NAME, 110) not in owners(moments[8].scene)
    assert [number for number, moment in enumerate(moments, 1) if moment.refused] == [4, 10, 11, 13]
    assert [number for number, moment in enumerate(moments, 1) if moment.violation] == [8, 9, 14]
    stale = "holds 110; checked at step 1"
    assert all(dict(moment.scene.beliefs)["enactor C"].startswith(stale) for moment in moments[1:9])


def test_the_schedule_notices_if_the_cores_do_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    fenced = Built(plans.ENDPOINTS[:2], 30, frozenset({"fence"}))
    monkeypatch.setattr("standfast.sim.asbuilt.race.Built", lambda *_: fenced)
    with pytest.raises(ScheduleError):
        race()


def test_a_wedge_is_told_to_the_plan_after_it(tmp_path: Path) -> None:
    found = verdict((), Scope(2, 3, 1))
    finding = next(one for one in found.findings if one.property == "wedged")
    story = narrated(found.system, finding, "standfast replay wedge.story.json")
    told = story.moments[: len(finding.steps)]
    assert [moment.text for moment in told] == [step.text for step in finding.steps]
    assert told[-1].violation.startswith("wedged: ")
    assert told[-1].scene.answers[0].addresses == ()
    after = story.moments[len(finding.steps) :]
    assert after[0].text == "publishes plan 4"
    assert after[-1].refused == "target for rollback: expected plan 1, to which the root refers, found nothing"
    save(story, tmp_path / "wedge.story.json")
    assert load(tmp_path / "wedge.story.json") == story


def test_beliefs_say_at_which_step_they_were_checked() -> None:
    found = verdict((), Scope(2, 3, 1))
    story = narrated(found.system, next(one for one in found.findings if one.property == "backwards"))
    last = story.moments[-1]
    checked = next(n for n, m in enumerate(story.moments, 1) if m.actor == last.actor and m.text.startswith("checks"))
    held = dict(story.moments[-2].scene.beliefs)[last.actor]
    assert held == f"holds 1; checked at step {checked}; holds the lock"
