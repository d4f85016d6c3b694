"""The plan store is lost, or comes back as it was long ago, under a planner, enactors and a cleaner that go on running:
the planner publishes above what it finds in DNS, and no answer goes back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.plans import v4
from e2e.roles import Process, until
from e2e.stage import Stage
from e2e.test_roles_together import all_plans

CONVERGES_S = 45.0
"""A planner that lost its store ends, is started anew as a supervisor would, reads every zone, and publishes."""


class Region:
    """All roles on one stage, with a fleet file; a role that ends is started again, as its supervisor would."""

    def __init__(self, stage: Stage, enactors: str = "ab", cleaner: bool = True, **more: str) -> None:
        self.stage, self.fleet = stage, stage.folder / "fleet.yaml"
        self.put(1, 2)
        self.config = stage.config(
            "standfast",
            load_balancers=f"{{from: file, path: {self.fleet}}}",
            policy="{adding: 100% in 10s, coalesce: 0s, removal: 100% in 10s}",
            **{"retention": "{plans: 1000, days: 1}", **more},
        )
        self.roles: dict[str, Process] = {"p": stage.role("planner", "p", self.config)}
        for name in enactors:
            self.roles[name] = stage.role("enactor", name, self.config)
        if cleaner:
            self.roles["c"] = stage.role("cleaner", "c", self.config)

    def put(self, *numbers: int) -> None:
        """The fleet file names these load balancers, whole at once."""
        lines = ["load_balancers:"]
        lines += [f"  lb-{number}: {{az: a, ip: 192.0.2.{number}, pool: p}}" for number in numbers]
        draft = self.fleet.with_suffix(".draft")
        draft.write_text("\n".join([*lines, f"count: {len(numbers)}", ""]), encoding="ascii")
        draft.replace(self.fleet)

    def answers(self, *numbers: int, within_s: float = CONVERGES_S) -> None:
        """Wait until both endpoints answer these."""
        until(lambda: self._alive() and self._answer(v4(*numbers)), f"they answer {numbers}", within_s)

    def _answer(self, wanted: tuple[str, ...]) -> bool:
        return all(self.stage.ask(name, "A") == set(wanted) for name in (self.stage.www, self.stage.api))

    def _alive(self) -> bool:
        for name, process in self.roles.items():
            if process.code is not None:
                self.roles[name] = self.stage.started(process.again())
        return True

    def generation(self) -> int:
        """What stands in DNS."""
        marker = self.stage.marker(self.stage.www)
        return int(marker["n"]) if marker else 0


def files(stage: Stage) -> list[Path]:
    """The store's file and what SQLite keeps beside it."""
    return sorted(stage.store_file.parent.glob(f"{stage.store_file.name}*"))


def lost(stage: Stage, copy: Path) -> None:
    """Somebody deletes it."""
    for path in files(stage):
        path.unlink(missing_ok=True)


def put_back(stage: Stage, copy: Path) -> None:
    """Somebody puts last week's back in its place."""
    lost(stage, copy)
    *beside, whole = sorted(copy.iterdir(), key=lambda path: path.name == stage.store_file.name)
    for path in beside:
        shutil.copy(path, stage.store_file.parent / path.name)
    # last, and whole at once: whoever finds it opens it, and would make a -wal of its own
    draft = Path(shutil.copy(whole, stage.folder / "draft"))
    draft.replace(stage.store_file)


@pytest.mark.slow
@pytest.mark.parametrize("happens", [lost, put_back])
def test_a_store_is_lost_or_set_back(stage: Stage, happens: Callable[[Stage, Path], None]) -> None:
    copy = stage.folder / "last-week"
    copy.mkdir()
    region = Region(stage)
    region.answers(1, 2)
    stage.probe((stage.www, "A"), (stage.api, "A"))
    for path in files(stage):
        shutil.copy(path, copy / path.name)
    for extra in range(3, 8):
        region.put(*range(1, extra + 1))
        region.answers(*range(1, extra + 1))
    before, plans = region.generation(), all_plans(stage.plans.store)
    assert before >= 6
    happens(stage, copy)
    with stage.damaged(stage.www):
        stage.hand(f"update delete {stage.www} A")
        region.answers(*range(1, 8))
    region.put(*range(1, 9))
    region.answers(*range(1, 9))
    assert region.generation() > before, "the planner did not publish above what stood in DNS"
    region.put(*range(1, 8))
    region.answers(*range(1, 8))
    stage.assert_nothing_bad([*plans, *all_plans(stage.open_store(stage.store_file))])
