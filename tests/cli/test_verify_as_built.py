"""`standfast verify --as-built`: exit codes, the table, saved stories, and mistakes in the command."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from standfast.cli import commands
from standfast.cli.verifying import asbuilt
from standfast.errors import StandfastError
from standfast.sim.asbuilt import verdicts
from standfast.sim.asbuilt.remedies import SWITCHES
from standfast.sim.asbuilt.system import Scope
from standfast.sim.story.story import load


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["verify", *arguments], catch_exceptions=False)


@pytest.fixture
def _short_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """As built, and fence with clean-up that asserts: two searches of a second each."""
    known = {one.remedies: one for one in verdicts.TABLE}
    short = (known[frozenset()], known[frozenset({"fence", "assert-referenced"})])
    monkeypatch.setattr(verdicts, "TABLE", short)


@pytest.mark.usefixtures("_short_table")
def test_that_the_system_as_built_fails_is_what_is_expected() -> None:
    result = verify("--as-built")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines() if "2×3×1" in line]
    assert rows == [
        ["as", "built", "2×3×1", "3,603", "13,954", "12", "15", "15", "15", "15"],
        ["assert-referenced", "+", "fence", "2×3×1", "3,013", "11,755", *"–" * 5],
    ]
    assert "lost replies" in result.output


@pytest.mark.usefixtures("_short_table")
def test_the_table_fits_a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asbuilt, "width", lambda: 80)
    lines = verify("--as-built").output.split("\n\n")[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert "assert-referenced + fence" in lines


@pytest.mark.usefixtures("_short_table")
def test_an_outcome_that_is_not_the_stated_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = verdicts.Stated(frozenset(), frozenset({"emptied"}))
    monkeypatch.setattr(verdicts, "TABLE", (wrong,))
    result = verify("--as-built", "--json")
    assert result.exit_code == 2
    told = json.loads(result.output)
    assert not told["ok"]
    assert not told["runs"][0]["as_stated"]


def test_a_set_that_leaves_a_failure_exits_2_and_its_stories_are_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asbuilt, "_scope", lambda *_: Scope(2, 3, 1))
    result = verify("--as-built", "--with", "repair,velocity", "--json", "--save", str(tmp_path))
    assert result.exit_code == 2
    told = json.loads(result.output)
    (run,) = told["runs"]
    assert run["with"] == ["repair", "velocity"]
    assert run["complete"]
    assert run["steps"]["emptied"] == 15
    assert "wedged" not in run["steps"]
    assert run["lost"] == 0
    for path in told["saved"]:
        story = load(Path(path))
        assert story.replayed_by == f"standfast replay {path}"
        assert story.moments[-1].violation
    assert len(told["saved"]) == len(run["steps"])


def test_a_set_that_leaves_none_exits_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asbuilt, "_scope", lambda *_: Scope(2, 3, 1))
    result = verify("--as-built", "--with", "ours")
    assert result.exit_code == 0
    assert "With all of ours nothing is left to find in this scope." in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--with", "fence"), "use it with --as-built"),
        (("--as-built", "--run", "x"), "no --run"),
        (("--as-built", "--engine", "python"), "no --run, --engine"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], said: str) -> None:
    result = verify(*arguments)
    assert result.exit_code != 0
    assert said in result.output


def test_an_unknown_remedy() -> None:
    with pytest.raises(StandfastError, match="no such remedy"):
        verify("--as-built", "--with", "hope")


def test_the_remedies_are_listed() -> None:
    told = json.loads(verify("--as-built", "--list", "--json").output)
    assert [one["remedy"] for one in told["remedies"]] == [switch.remedy for switch in SWITCHES]
    assert "fence" in verify("--as-built", "--list").output
