"""What people read on the terminal: each event once, and nothing that is not so."""

from datetime import datetime
from typing import Any

import pytest

from standfast.runtime import narration
from standfast.runtime.narration import Narrator, narrated


def event(which: str, **facts: Any) -> dict[str, Any]:
    return {"at": "2026-11-23T15:00:00.000Z", "role": "enactor", "who": "a", "event": which, **facts}


def outcome(result: str, **facts: Any) -> dict[str, Any]:
    usual = {"name": "www.lb.example.com", "before": 4, "since": 5, "why": "", "took_ms": 2.0}
    return event("outcome", result=result, **{**usual, **facts})


def test_what_repeats_itself_is_told_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    tell = Narrator(said.append)
    away = event("notice", kind="provider", why="no answer within 5 s")
    tell(away)
    tell(event("notice", kind="store", why="unreadable"))
    tell(away)
    assert len(said) == 2
    monkeypatch.setattr(narration, "AGAIN_S", 0.0)
    tell(away)
    assert len(said) == 3


def test_a_refusal_is_told_anew_once_it_was_overcome() -> None:
    said: list[str] = []
    tell = Narrator(said.append)
    for result in ("refused", "refused", "written", "refused"):
        tell(outcome(result, why="NOTAUTH"))
    assert [line.count("REFUSED") for line in said] == [1, 0, 1]


def test_what_was_written_is_told_when_it_was_read_back() -> None:
    said: list[str] = []
    tell = Narrator(said.append)
    zone = {"zone": "lb.example.com"}
    tell(outcome("written", **zone))
    assert not said
    tell(event("stands", **zone, names=["www.lb.example.com", "api.lb.example.com"]))
    assert [line[10:] for line in said] == ["enactor a   www  g4 → g5  written and read back, 2.0 ms"]
    tell(outcome("written", **zone))
    tell(event("stands", **zone, names=["www.lb.example.com"], serial=2026112301))
    assert said.pop().endswith("  written and read back, serial 2026112301, 2.0 ms")
    tell(outcome("written", **zone, before=5, since=6))
    tell(outcome("written", **zone, before=6, since=7))
    tell(event("stopped"))
    assert [line[22:] for line in said[1:]] == [
        "www  g5 → g6  written, 2.0 ms",
        "www  g6 → g7  written, 2.0 ms",
        "stopped; DNS stays as it is",
    ]


def test_a_plan_says_what_it_does_to_capacity_and_budget() -> None:
    leaving = [
        {"load_balancer": "lb-b2", "weight": 100, "installed": 600, "cause": "health", "state": "down", "why": ""}
    ]
    change = {"zone": "lb.example.com", "name": "www.lb.example.com", "added": [], "removed": ["lb-b2"], "served": 5}
    change |= {"of": 6, "leaving": leaving, "window": [100.0, 204.0], "limits": {"share": 0.34, "window_s": 600.0}}
    at = datetime(2026, 11, 23, 14, 3, 21).timestamp()
    line = narrated({**event("planned", generation=2, changes=[change], planned_at=at), "role": "planner"})
    said = "planner     g2 published: www − lb-b2   (5 of 6; 83 % of capacity; 17 of 34 % used until 14:13)"
    assert (line or "")[10:] == said


@pytest.mark.parametrize(
    ("which", "facts", "text"),
    [
        (
            "verdict",
            {"load_balancer": "lb-b2", "state": "down", "reason": "refused"},
            "health      lb-b2  DOWN  refused",
        ),
        (
            "probe",
            {"load_balancer": "lb-b2", "reason": "1 of 3  refused"},
            "health      lb-b2  1 of 3  refused",
        ),
        (
            "answer",
            {"zone": "z", "name": "www.z", "server": "ns2", "state": "empty", "was": "whole", "why": "no A record"},
            "monitor     www  ns2 answers empty (no A record)",
        ),
    ],
)
def test_who_says_what(which: str, facts: dict[str, Any], text: str) -> None:
    assert (narrated({**event(which, **facts), "role": "monitor"}) or "")[10:] == text


def test_observing_nothing_is_told_as_refused() -> None:
    said: list[str] = []
    tell = Narrator(said.append, observe=True)
    tell(outcome("unrecorded", why="the journal can't be written"))
    tell(outcome("refused", why="observing: nothing is written"))
    tell(event("would_write", generation=5, writes=[{"name": "www.lb.example.com"}]))
    assert len(said) == 1
    assert "would write g5" in said[0]


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"result": "written", "before": 5, "why": "its A records are gone"}, "put back as in g5, 2.0 ms  (its A"),
        ({"result": "written", "before": None, "why": "its marker is missing"}, "– → g5  written, 2.0 ms"),
        ({"result": "conflict", "why": "something newer"}, "g4 → g5  refused by the server, which is fine"),
    ],
)
def test_outcomes_in_words(facts: dict[str, Any], text: str) -> None:
    assert text in (narrated(outcome(**facts)) or "")


def test_our_own_first_entry_is_not_told_unless_it_is_in_trouble() -> None:
    assert narrated(outcome("written", name="main._first.lb.example.com")) is None
    assert narrated(outcome("refused", name="main._first.lb.example.com")) is not None
