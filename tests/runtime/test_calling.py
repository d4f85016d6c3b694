"""What endpoints are called where several zones have one of that name: so that every command we print works."""

from __future__ import annotations

import pytest

from standfast.cli.wording import endpoint_named
from standfast.core.decisions import Decision
from standfast.errors import StandfastError
from standfast.model.entry import Member
from standfast.runtime.calling import said_of, short_name, twins_of
from standfast.runtime.keeping import guarded
from standfast.runtime.narration import Narrator
from standfast.runtime.observing import Seen, StoreSight

LB, EDGE = "lb.example.com", "edge.example.net"
KEYS = [(LB, f"www.{LB}"), (EDGE, f"www.{EDGE}"), (EDGE, f"img.{EDGE}"), (LB, LB)]


def test_short_where_no_doubt_is_left() -> None:
    twins = twins_of([*KEYS, KEYS[0]])
    assert twins == {"www"}
    called = [short_name(name, zone, twins) for zone, name in KEYS]
    assert called == [f"www.{LB}", f"www.{EDGE}", "img", LB]
    for key, name in zip(KEYS, called, strict=True):
        assert endpoint_named(name, KEYS) == key, "what we print is understood"
    with pytest.raises(StandfastError, match="There is no endpoint ww") as raised:
        endpoint_named("ww", KEYS)
    assert "www or www" not in str(raised.value.remedy), "two suggestions are two names"


def test_sentences_and_their_commands_name_the_one_that_is_meant() -> None:
    ill = Member("lb-b1", (), 1, True, "kept: it is the last; failed 3 checks in a row")
    decisions = tuple(Decision(key, "kept", "", (ill,)) for key in KEYS[:3])
    seen = Seen(1000.0, "main", StoreSight(), (), (), decisions=decisions, twins=twins_of(KEYS))
    commands = [one.command for one in guarded(seen)]
    assert commands == [f"standfast explain {name} lb-b1" for name in (f"www.{LB}", f"www.{EDGE}", "img")]


def test_lines_of_a_process_do_too() -> None:
    said: list[str] = []
    change = {"added": ["lb-a1"], "removed": []}
    event = {
        "event": "planned", "role": "planner", "at": "2026-11-28T12:00:00.000Z", "generation": 2,
        "changes": [{"zone": zone, "name": name, **change} for zone, name in KEYS[:3]],
    }  # fmt: skip
    Narrator(said.append, twins=twins_of(KEYS))(event)
    assert said[0].endswith(f"g2 published: www.{LB} + lb-a1; www.{EDGE} + lb-a1; img + lb-a1")


def test_what_a_plan_says_of_one_is_not_cut_within_brackets() -> None:
    reason = f"www.{LB} addresses, weights or TTL changed (1 of 10; AZs (a, b)); img.{EDGE} + lb-a1 (2 of 2); …"
    assert said_of(f"www.{LB}", reason) == ["addresses, weights or TTL changed (1 of 10; AZs (a, b))"]
    assert said_of(f"img.{EDGE}", reason) == ["+ lb-a1 (2 of 2)"]
    assert said_of("img.edge", reason) == []
