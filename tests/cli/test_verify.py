"""`standfast verify`: tables, exit codes, counterexamples saved, and bad input."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from standfast.cli import commands
from standfast.cli.verifying import searching
from standfast.core import judgement
from standfast.sim.story.story import load
from standfast.sim.world import running, scopes


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["verify", *arguments], standalone_mode=False)


def test_a_run_is_searched_and_its_bounds_are_told() -> None:
    result = verify("--run", "delayed-writes")
    assert result.return_value == 0, result.output
    assert "16,068" in result.output
    assert "2 enactors × 3 plans × 2 endpoints; 1 late request under way; crash and restart" in result.output
    assert "Not covered" in result.output
    assert "no guarantee is broken within these bounds" in result.output


def test_json_tells_the_same() -> None:
    result = verify("--run", "delayed-writes", "--json")
    found = json.loads(result.stdout)
    assert found["ok"]
    assert found["complete"]
    (run,) = found["runs"]
    told = (run["run"], run["states"], run["transitions"], run["broken"])
    assert told == ("delayed-writes", 16_068, 113_224, [])
    assert sum(run["fired"].values()) == 113_224


def test_a_broken_guarantee_is_told_saved_and_exits_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(judgement, "entry_violations", lambda entry: ("mended nothing",))
    result = verify("--run", "memory", "--save", str(tmp_path / "found"))
    assert result.return_value == 2, result.output
    (file,) = (tmp_path / "found").iterdir()
    assert f"standfast replay {file}" in result.output
    assert load(file).title == "G4 broken in run memory"
    assert "■ A guarantee is broken" in result.output


def test_what_was_not_finished_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"quick": replace(scopes.SCOPES["quick"], states_max=100)}
    monkeypatch.setitem(scopes.LAYOUTS, "flat", {**scopes.SCOPES, **small})
    result = verify("--run", "memory")
    assert result.return_value == 1
    assert "NOT ALL" in result.output
    assert "Not finished" in result.output


def test_runs_that_were_not_begun_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = running.search

    def stopped(*arguments: Any, **more: Any) -> Any:
        found = real(*arguments, **{**more, "states_max": 100})
        return replace(found, bounds=replace(found.bounds, states=99))

    monkeypatch.setattr(searching, "search", stopped)
    result = verify("--run", "memory", "--run", "delayed-writes")
    assert result.return_value == 1
    assert "nothing broken in them; not begun: delayed-writes." in result.output


def test_a_folder_that_can_t_be_made_is_told_before_the_search(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for more in ((), ("--as-built",)):
        result = verify(*more, "--save", str(tmp_path / "file"))
        assert "Name a directory" in str(result.exception)


def test_the_list_searches_nothing() -> None:
    result = verify("--list", "--scope", "standard")
    assert result.exit_code == 0
    assert "damaged zones" in result.output
    for run in scopes.SCOPES["standard"].runs:
        assert run.name in result.output
    named = json.loads(verify("--list", "--json").stdout)
    assert [run["run"] for run in named["runs"]] == [run.name for run in scopes.SCOPES["quick"].runs]


def test_a_run_that_does_not_exist_is_named_with_those_that_do() -> None:
    result = verify("--run", "nonsense")
    assert result.exit_code != 0
    assert "--run nonsense: there is no such run. They are: delayed-writes," in str(result.exception)


def test_the_runs_of_all_scopes_have_names_of_their_own() -> None:
    named = [run for scope in scopes.SCOPES.values() for run in scope.runs]
    assert len({run.name for run in named}) == len({id(run) for run in named})


@pytest.mark.slow
def test_the_quick_scope_is_complete() -> None:
    result = verify("--json")
    found = json.loads(result.stdout)
    assert found["ok"], found
    brief = [run["states"] for run in found["runs"] if run["run"] != "memory"]
    assert brief == [16_068, 254_954, 30_022]
    assert [one["zones"] for one in found["damaged"]] == [625]
