"""The production enactor broken on purpose: its journals alone give it away, whatever it did to the zone."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.recorded import JournalingWorld
from standfast.audit.judge import audit
from world import test_enactors_in_the_world as histories
from world.test_mutants import MUTANTS

SEEDS = 12
GUILTY = {
    "blind writes": "G2",
    "no endpoint prerequisites": "G2",
    "no floor prerequisite": "G2",
    "no comparison of since": "G2",
    "the floor ignored": "G2",
    "unknown taken for done": "G2",
    "a lost floor at one's own generation": "G2",
    "marker without addresses": "G1",
}
"""The others of the catalogue leave something undone, or do it where no random history leads them."""


@pytest.mark.parametrize("name", GUILTY)
def test_its_journals_give_it_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    mutate, hands = MUTANTS[name]
    mutate(monkeypatch)
    found: set[str] = set()
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found |= guilt(folder, seed, hands, monkeypatch)
        if GUILTY[name] in found:
            return
    pytest.fail(f"{SEEDS} histories of '{name}' show {found or 'nothing'}")


def guilt(folder: Path, seed: int, hands: int, patch: pytest.MonkeyPatch) -> set[str]:
    """What the journals of this history show; what becomes of the zone is not looked at."""
    worlds: list[JournalingWorld] = []

    def world(*given: object, **more: object) -> JournalingWorld:
        worlds.append(JournalingWorld(folder, *given, **more))  # type: ignore[arg-type]  # as a World is made
        return worlds[-1]

    patch.setattr(histories, "World", world)
    patch.setattr(histories.Watch, "check", lambda *given: None)
    try:
        histories.run(seed, hands=hands)
    except AssertionError:
        pass  # it ends badly; the journals are written
    for one in worlds:
        one.close()
    return {str(one.guarantee) for one in audit([folder]).violations}
