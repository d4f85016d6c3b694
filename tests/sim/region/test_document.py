"""`docs/region.md` says what the model says: its parameters, its protections, and what came out."""

import re
from pathlib import Path

import pytest

from standfast.sim.region.attribution import counterfactual
from standfast.sim.region.day import Day
from standfast.sim.region.engine import run
from standfast.sim.region.parameters import DEFAULTS, SHEET
from standfast.sim.region.protections import SWITCHES
from standfast.sim.region.published import clock_of
from standfast.sim.region.scoring import score
from standfast.sim.region.study import study
from standfast.sim.region.telling.exporting import exported
from standfast.sim.region.telling.studied import exported as exported_study

from .test_attribution import Planted

PAGE = (Path(__file__).parents[3] / "docs" / "region.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def day() -> Day:
    return run()


def rows(head: str) -> list[str]:
    """The lines of the table that begins with that head."""
    lines = PAGE.split(f"{head}\n", 1)[1].splitlines()[1:]
    return lines[: next((place for place, line in enumerate(lines) if not line.startswith("|")), len(lines))]


def test_the_parameters() -> None:
    wanted = [
        f"| `{one.name}` | {getattr(DEFAULTS, one.name):,.10g} | {one.unit} | {one.origin} "
        f"| {one.meaning} | {one.why} |"
        for one in SHEET
    ]
    assert rows("| parameter | value | unit | origin | meaning | why |") == wanted


def test_the_export(day: Day) -> None:
    """Every key of the JSON, with protections and without."""
    listed = [key for row in rows("| key | what it has |") for key in re.findall(r"`(\w+)`", row.split("|")[1])]
    with_some = exported(day, score(day.milestones), DEFAULTS, counterfactual(frozenset({"fence"}), Planted()))
    assert listed == [*dict.fromkeys(listed)]
    assert set(listed) == set(with_some)
    assert set(exported(day, score(day.milestones), DEFAULTS)) < set(listed)
    studied = exported_study(study(DEFAULTS, 2, 1), [day, day])
    assert all(f"`{key}` (" in " ".join(PAGE.split()) for key in studied)


def test_the_protections() -> None:
    wanted = [f"| `{one.protection}` | {one.family} | {one.says} |" for one in SWITCHES]
    assert rows("| protection | family | what it does |") == wanted


def test_what_came_out(day: Day) -> None:
    """To the minute; the error to the per cent."""
    wanted = [
        f"| {line.milestone.clock} | {'–' if line.model_s is None else clock_of(line.model_s)} | "
        f"{'–' if line.error is None else f'{line.error:+.0%}'.replace('-', '−')} | {line.half} | "
        f"{line.milestone.service} | {line.milestone.what} |"
        for line in score(day.milestones).lines
        if line.half is not None
    ]
    assert rows("| published | model | error | half | service | milestone |") == wanted


def test_its_words_of_the_score(day: Day) -> None:
    found = score(day.milestones).held_out
    numbers = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven")
    assert f"**{numbers[found.close]} of seven held-out milestones" in re.sub(r"\s+", " ", PAGE)
