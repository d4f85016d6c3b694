"""Random histories of the production enactor, undoctored: the audit of their journals finds nothing to blame."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.recorded import Doctored, JournalingWorld, operate
from standfast.audit.judge import Report, audit
from standfast.core.freezer import Freezing
from world import test_enactors_in_the_world as histories
from world.invented import STREAM, ZONE

SEEDS = range(40)


def journalled(folder: Path, seed: int, hands: int, patch: pytest.MonkeyPatch) -> Report:
    """A random history, and the audit of its journals."""
    patch.setattr(histories, "World", lambda *given, **more: JournalingWorld(folder, *given, **more))
    world = histories.run(seed, hands=hands)
    assert isinstance(world, JournalingWorld)
    world.close()
    return audit([folder])


@pytest.mark.parametrize("hands", [0, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_happened_is_not_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, hands: int) -> None:
    report = journalled(tmp_path, seed, hands, monkeypatch)
    blamed = "\n".join(f"{one.guarantee} {one.text} {[str(p) for p in one.places]}" for one in report.violations)
    assert not report.violated, f"seed={seed} hands={hands}\n{blamed}"
    assert report.landed > 0
    assert report.chains == report.endpoints == 3
    verdicts = {one.guarantee: one.verdict for one in report.judged}
    assert {verdicts["G1"], verdicts["G5"], verdicts["G8"]} == {"holds"}
    assert verdicts["G7"] == "cannot tell"


@pytest.mark.parametrize("endpoint", ["", histories.NAMES[0]])
def test_a_freeze_and_a_thaw_are_marks_and_no_writes(tmp_path: Path, endpoint: str) -> None:
    """What is due waits; after the thaw it is written, and nothing of it is blamed."""
    plans = histories.plans(5)
    world = JournalingWorld(tmp_path, 5, plans)
    world.publish()
    actor, other = world.actors
    world.settle(actor)
    frozen = Freezing("freeze", STREAM, ZONE, "alice", histories.NAMES, endpoint)
    assert operate(world, tmp_path, frozen).result == ("frozen" if endpoint else "sealed")
    while world.unpublished:
        world.publish()
    world.settle(other)
    assert (
        operate(world, tmp_path, Freezing("thaw", STREAM, ZONE, "alice", histories.NAMES, endpoint)).result == "thawed"
    )
    world.settle(actor)
    world.close()
    report = audit([tmp_path])
    assert not report.violated, report.violations
    verdicts = {one.guarantee: one.verdict for one in report.judged}
    assert {verdicts[one] for one in ("G1", "G2", "G5", "G8", "G10")} == {"holds"}, report.judged
    given = Doctored(tmp_path)
    marks = [write["puts"]["state"] for _, _, _, write in given.writes("mark", kind="")]
    assert {"frozen", "live"} <= set(marks)
    thaw = [write for _, _, _, write in given.writes("mark", kind="") if write["puts"]["state"] == "live"]
    for write in thaw:
        write["puts"]["state"] = "frozen"
    given.save()
    assert {one.guarantee for one in audit([tmp_path]).violations} == {"G8"}, "a thaw that never was"
