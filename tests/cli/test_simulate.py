"""`standfast simulate`: what it prints, saves and returns."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from standfast.cli.simulate import simulate_command
from standfast.core import writing
from standfast.errors import StandfastError
from standfast.ports.provider import ReplaceReply, Unknown, Written
from standfast.sim.story import story
from standfast.sim.swarm import running
from standfast.sim.swarm.scenario import Scenario, load

SMALL = ("--hours", "0.1", "--endpoints", "4")


def invoke(*arguments: str) -> tuple[int, str]:
    """Exit code and standard output."""
    done = CliRunner().invoke(simulate_command, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def test_one_seed_tells_hours_faults_convergence_and_digest() -> None:
    code, text = invoke("--seed", "3", *SMALL)
    assert code == 0
    for wanted in ("seed 3: 4 endpoints", "virtual hours in", "events", "bound", "trace digest"):
        assert wanted in text


def test_the_same_seed_has_the_same_digest() -> None:
    _, one = invoke("--seed", "4", *SMALL, "--json")
    _, same = invoke("--seed", "4", *SMALL, "--json")
    _, other = invoke("--seed", "5", *SMALL, "--json")
    digests = [json.loads(text)["digest"] for text in (one, same, other)]
    assert digests[0] == digests[1] != digests[2]


def test_several_seeds_are_told_together() -> None:
    code, text = invoke("--seed", "10", "--seeds", "3", *SMALL)
    assert code == 0
    assert "3 seeds from 10" in text
    assert "trace digest" not in text


def test_without_a_seed_one_is_drawn_and_printed() -> None:
    code, text = invoke(*SMALL, "--json")
    found = json.loads(text)
    assert code == 0
    assert found["ok"] is True
    assert len(found["seeds"]) == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--hours", "0"), "--hours 0 is out of range"),
        (("--endpoints", "1"), "--endpoints 1 is out of range"),
        (("--hours", "nan"), "--hours nan is out of range"),
    ],
)
def test_what_is_out_of_range_is_refused(arguments: tuple[str, ...], why: str) -> None:
    done = CliRunner().invoke(simulate_command, list(arguments))
    assert done.exit_code != 0
    assert why in done.stderr


def test_a_failure_is_shrunk_saved_told_and_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = writing.Replacing.heard

    def trusting(self: writing.Replacing, reply: ReplaceReply) -> object:
        return real(self, Written() if isinstance(reply, Unknown) else reply)

    monkeypatch.setattr(writing.Replacing, "heard", trusting)
    code, text = invoke("--seed", "0", "--seeds", "40", "--hours", "0.2", "--endpoints", "4", "--save", str(tmp_path))
    assert code == 2
    assert "G10" in text
    (file,) = (path for path in tmp_path.iterdir() if not path.name.endswith(".story.json"))
    assert f"standfast simulate --replay {file}" in text
    assert load(file).faults
    (tale,) = tmp_path.glob("*.story.json")
    assert f"standfast replay {tale}" in text
    assert "G10" in story.load(tale).outcome
    again, told = invoke("--replay", str(file), "--json", "--save", str(tmp_path))
    assert again == 2
    assert json.loads(told)["broken"]["property"] == "G10"
    monkeypatch.undo()
    assert invoke("--replay", str(file), "--json")[0] == 0


def test_a_file_that_is_no_scenario_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    done = CliRunner().invoke(simulate_command, ["--replay", str(tmp_path / "x.json")])
    assert "x.json is not a scenario" in str(done.exception)


@pytest.mark.parametrize(
    ("option", "why"), [("--replay", "There is no file .*gone"), ("--save", "--save .*: .* Name a directory")]
)
def test_names_are_looked_at_before_the_work(tmp_path: Path, option: str, why: str) -> None:
    (tmp_path / "file").touch()
    named = tmp_path / ("gone" if option == "--replay" else "file")
    done = CliRunner().invoke(simulate_command, [*SMALL, option, str(named)])
    assert isinstance(done.exception, StandfastError)
    assert re.search(why, str(done.exception))


def test_ctrl_c_keeps_what_is_over_and_names_the_next_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = running.run

    def interrupted(scenario: Scenario, *more: Any) -> running.Run:
        if scenario.seed == 12:
            raise KeyboardInterrupt
        return real(scenario, *more)

    monkeypatch.setattr(running, "run", interrupted)
    done = CliRunner().invoke(simulate_command, ["--seed", "10", "--seeds", "9", *SMALL, "--json"])
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["seeds"], found["stopped_before_seed"]) == ([10, 11], 12)
    assert found["ok"] is False
    assert "go on with --seed 12 --seeds 7." in done.stderr
