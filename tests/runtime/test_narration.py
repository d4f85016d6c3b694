"""What people read on the terminal: each event once, and nothing that is not so."""

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
