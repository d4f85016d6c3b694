"""Random histories of the production enactor, undoctored: the audit of their journals finds nothing to blame."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.recorded import JournalingWorld
from standfast.audit.judge import Report, audit
from world import test_enactors_in_the_world as histories

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
