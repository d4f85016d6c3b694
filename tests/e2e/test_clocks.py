"""A process whose clock is days off: its signed messages are refused, it says so and writes nothing; others go on."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import Stage

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
WRITES = 5


@pytest.mark.slow
@pytest.mark.parametrize("off", ["+3d", "-3d"])
def test_a_clock_that_is_days_off(stage: Stage, off: str) -> None:
    assert LIBRARIES, "libfaketime is not installed: make setup"
    false = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    stage.enactor("right")
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    wrong = stage.role("enactor", "wrong", environment=false)
    until(lambda: stage.journal("wrong", "started"), "it starts")
    until(lambda: _tempted(stage), "it tries to write, and says what is wrong")
    assert _tells_of_its_clock(stage), _troubles(stage)
    for step in range(WRITES):
        stage.publish_and_wait(www=both(20 + step, 40), api=v4(50 + step, 60))
    stage.heals(stage.www, [f"update delete {stage.www} A"])
    assert not stage.journal("wrong", "outcome", result="written")
    assert len(stage.journal("right", "outcome", result="written", name=stage.www)) >= WRITES
    assert wrong.code is None
    stage.assert_nothing_bad()


def _tempted(stage: Stage) -> bool:
    """Publish once more; whether the wrong one got to it before the right one did. It may have other troubles too."""
    number = 100 + stage.plans.generation
    stage.publish(www=both(number, number + 1))
    time.sleep(0.1)
    return _tells_of_its_clock(stage)


def _tells_of_its_clock(stage: Stage) -> bool:
    return any("clock" in trouble or "BADTIME" in trouble for trouble in _troubles(stage))


def _troubles(stage: Stage) -> list[str]:
    lines = stage.journal("wrong", "notice") + stage.journal("wrong", "outcome")
    told = [str(one["why"]) for one in lines if one.get("kind") != "plan"]
    presence = stage.state / "presence" / "enactor-wrong.json"
    if presence.exists():
        told += json.loads(presence.read_text(encoding="utf-8"))["troubles"]
    return [one for one in told if one]
