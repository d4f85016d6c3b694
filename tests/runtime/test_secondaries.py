"""Several enactors follow the same name servers: the least content of them is told, and when people must look."""

from __future__ import annotations

from typing import Any

from standfast.runtime.presence import Present
from standfast.runtime.secondaries import NEEDS_YOU_S, followed, staying_behind


def enactor(who: str, **servers: dict[str, Any]) -> Present:
    return Present("enactor", who, 1, 0.0, True, {"secondaries": {"lb.example.com": servers}})


def facts(serves: int, lag: float | None = None, behind: float | None = None, why: str = "") -> dict[str, Any]:
    return {"serves": serves, "lag_s": lag, "behind_s": behind, "why": why or None}


def test_the_least_content_is_told() -> None:
    one = enactor("a", ns2=facts(5, 1.5), ns3=facts(5, 0.4))
    two = enactor("b", ns2=facts(4, 6.0, 31.0, "it serves g4"), ns3=facts(5))
    ns2, ns3 = followed([one, two])
    assert (ns2.serves, ns2.lag_s, ns2.behind_s) == (4, 6.0, 31.0)
    assert ns2.text == "ns2 BEHIND for 31 s (it serves g4)"
    assert ns3.text == "ns3 g5, 0.4 s after a write"
    assert list(staying_behind([ns2, ns3])) == []


def test_who_stays_behind_needs_people() -> None:
    (ns2,) = followed([enactor("a", ns2=facts(4, None, NEEDS_YOU_S + 61, "no answer"))])
    assert list(staying_behind([ns2])) == [
        "ns2 has been behind in lb.example.com for 3 min (no answer): whoever asks it gets what was true before."
    ]


def test_nonsense_of_others_is_nothing() -> None:
    assert followed([Present("enactor", "a", 1, 0.0, True, {"secondaries": ["x"]})]) == ()
    assert followed([Present("enactor", "a", 1, 0.0, True, {"secondaries": {"z": {"ns2": 7}}})]) == ()
