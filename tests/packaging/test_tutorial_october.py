"""The tutorial of October 2025, line by line as a reader would type it, and its numbers beside those of the tool.

The day itself runs as it is; whatever only looks at it from another side takes steps of a minute, which is quicker.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.reader import ROOT, Shell, lines_of, pattern
from standfast.cli.october_runs import Job, run_days
from standfast.sim.region.day import Day
from standfast.sim.region.parameters import DEFAULTS
from standfast.sim.region.protections import family
from standfast.sim.region.scoring import score
from standfast.sim.region.telling.comparing import cleared
from standfast.sim.region.telling.wording import judged

TUTORIAL = ROOT / "docs/tutorials/october-2025.md"
DAY = "standfast replay october-2025"
CLAIMS = re.compile(r"[●◐○]")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    one = Shell(tmp_path)
    yield one
    one.close()


@pytest.fixture(scope="module")
def days() -> list[Day]:
    """As built, and with the recovery protections, as the tutorial shows them."""
    return run_days([Job(DEFAULTS, one, 1) for one in (frozenset(), family("recovery"))], lambda share, said: None)


@pytest.mark.slow
def test_every_line_does_what_it_says(shell: Shell) -> None:
    steps = lines_of(TUTORIAL.read_text(encoding="utf-8"))
    assert len(steps) >= 10
    for number, command, expected in steps:
        typed = command if "> day.txt" in command else command.replace(DAY, f"{DAY} --step 60")
        code, printed = shell.run(typed)
        where = f"{TUTORIAL.name}:{number}: {command}\nexpected:\n" + "\n".join(expected)
        assert code == 0, f"{where}\nprinted:\n{printed}"
        assert pattern(expected).search(printed), f"{where}\nprinted:\n{printed}"


def test_its_numbers_are_those_of_the_tool(days: list[Day]) -> None:
    text = " ".join(TUTORIAL.read_text(encoding="utf-8").split())
    built, recovered = days
    assert judged(score(built.milestones)) in text
    assert f"none, as built {cleared(built)} 2 h 37 min" in text
    assert f"all of them {cleared(recovered)} 2 h 37 min" in text


def test_every_paragraph_that_claims_something_says_how_sure_it_is() -> None:
    """A paragraph that gives a time of the day is marked."""
    paragraphs = re.sub(r"```.*?```", "", TUTORIAL.read_text(encoding="utf-8"), flags=re.DOTALL).split("\n\n")
    for one in paragraphs[1:]:
        if re.search(r"\b\d\d:\d\d\b", re.sub(r"`[^`]*`", "", one)) and not one.startswith(("#", "![")):
            assert CLAIMS.search(one), one
