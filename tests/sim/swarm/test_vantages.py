"""Vantage points that are absent, blind, late or lie: nobody who serves is taken out, and the dead leave."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from standfast.recovery import quorum, sight
from standfast.recovery.health import PLAIN
from standfast.sim.swarm.vantages import Ill, Wrong, wrong_with

SEEDS = range(60)
ANY: tuple[Ill, ...] = ("absent", "blind", "lies", "late")
HONEST: tuple[Ill, ...] = ("absent", "blind", "late")


def first_wrong(ills: tuple[Ill, ...], at_once: int) -> tuple[int, Wrong] | None:
    for seed in SEEDS:
        if (wrong := wrong_with(seed, ills, at_once)) is not None:
            return seed, wrong
    return None


@pytest.mark.parametrize(("ills", "at_once"), [(ANY, 1), (HONEST, 3)], ids=["one of any kind", "all but liars"])
def test_nobody_who_serves_is_down_and_the_dead_are(ills: tuple[Ill, ...], at_once: int) -> None:
    assert first_wrong(ills, at_once) is None


def test_two_liars_are_a_majority() -> None:
    assert first_wrong(("lies",), 2) is not None, "the judge would notice"


def _absent_is_down(patch: pytest.MonkeyPatch) -> None:
    real = quorum.concluded

    def eager(votes: Any, *rest: Any) -> Any:
        return real([replace(one, state="down") if one.state == "unknown" else one for one in votes], *rest)

    patch.setattr(quorum, "concluded", eager)


def _of_those_heard(patch: pytest.MonkeyPatch) -> None:
    real = quorum.concluded

    def hasty(votes: Any, *rest: Any) -> Any:
        return real([one for one in votes if one.state != "unknown"] or votes, *rest)

    patch.setattr(quorum, "concluded", hasty)


def _blind_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sight, "evidence", lambda *rest: PLAIN)


@pytest.mark.parametrize(
    ("broken", "ills", "at_once"),
    [(_absent_is_down, HONEST, 3), (_of_those_heard, ANY, 2), (_blind_is_believed, HONEST, 3)],
    ids=["absent is down", "majority of those heard", "blind is believed"],
)
def test_a_broken_rule_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None],
    ills: tuple[Ill, ...],
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(monkeypatch)
    found = first_wrong(ills, at_once)
    assert found is not None
    assert "serves, and is down" in found[1].what
