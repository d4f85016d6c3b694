"""What a looker hears is believed beside the plan it was heard of, not beside one that is just being replaced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cli.stage import Stage
from harness.planning import entry_of
from standfast.runtime.journal import Journal
from standfast.runtime.monitoring import process
from standfast.runtime.monitoring.answers import Answer
from standfast.runtime.monitoring.meter import Meter


def test_an_answer_of_a_plan_that_is_newer_than_ours_is_not_called_foreign(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = entry_of(stage.publish(), ("lb.example.com", "www.lb.example.com"))
    heard: list[Mapping[str, Any]] = []
    journal = Journal(tmp_path / "journal", "monitor", "ops1", listeners=(heard.append,))
    monitor = process.MonitorProcess("ops1", stage.place, journal, Meter("monitor", "ops1", "main"))
    theirs = Answer("foreign", "5 addresses that no plan has", entry.since + 1)

    def told() -> list[str]:
        return [str(one["state"]) for one in heard if one["event"] == "answer"]

    for _ in range(3):
        monitor._heard("ns1", entry, theirs)
    assert told() == []
    monitor._heard("ns1", replace(entry, since=entry.since + 1), Answer("whole", since=entry.since + 1))
    for _ in range(3):
        monitor._heard("ns1", entry, replace(theirs, since=entry.since))
    assert told() == ["foreign"], "of our own plan it is believed when it was read twice"
    monitor._heard("ns1", entry, Answer("whole", since=entry.since))
    monkeypatch.setattr(process, "LEARN_S", 0.0)
    for _ in range(2):
        monitor._heard("ns1", entry, theirs)
    assert told()[-1] == "foreign", "a marker that stays ahead of every plan excuses nothing"
