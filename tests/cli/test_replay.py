"""`standfast replay`: a file or the race; listed, stepped through, as JSON, as SVG, as one page."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.given import run
from sim.story.given import dangling
from standfast.cli.replay import replay_command
from standfast.errors import StandfastError
from standfast.sim.story.story import StoryError, save
from standfast.sim.swarm import scenario

WAIT_S = 60.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(dangling(), tmp_path / "story.json")
    return tmp_path / "story.json"


def test_a_pipe_gets_the_whole_story(file: Path) -> None:
    ran = run(replay_command, file)
    assert ran.code == 0
    assert "  3. quick: deletes plan 1 → zone\n     ✗ G1: www answers nothing\n" in ran.text
    assert "\x1b" not in ran.text
    assert run(replay_command, file, "--all").text == ran.text


def test_the_race_is_told_both_ways() -> None:
    built, ours, both = (
        run(replay_command, "race", *more).text for more in ((), ("--with", "standfast"), ("--with", "both"))
    )
    assert "✗ emptied: the root refers to plan 110, which is gone" in built
    assert "⊘ refused: floor: expected generation 109, found 145" in ours
    assert both == f"{built}\n{ours}"


def test_json(file: Path) -> None:
    found = run(replay_command, file, "--json").json
    (story,) = found["stories"]
    assert (story["run"], story["steps"]) == ("story", 4)
    assert story["violations"] == [{"step": 3, "what": "G1: www answers nothing"}]
    assert [one["step"] for one in story["refusals"]] == [4]
    assert story["story"]["moments"][2]["scene"]["answers"][0]["status"] == "NOERROR"
    both = run(replay_command, "race", "--with", "both", "--json").json
    assert [one["run"] for one in both["stories"]] == ["as-built", "standfast"]


def test_svg_and_page_are_written(file: Path, tmp_path: Path) -> None:
    ran = run(replay_command, file, "--svg", tmp_path / "a.svg", "--html", tmp_path / "a.html", "--json")
    assert ran.code == 0
    assert "deletes plan 1" in (tmp_path / "a.svg").read_text()
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")
    run(replay_command, "race", "--svg", tmp_path / "poster.svg")
    assert "Step 8: enactor C comes back" in (tmp_path / "poster.svg").read_text()
    run(replay_command, "race", "--with", "standfast", "--svg", tmp_path / "lanes.svg")
    assert 'data-step="14"' in (tmp_path / "lanes.svg").read_text()
    run(replay_command, "race", "--with", "as-built", "--html", tmp_path / "race.html")
    assert 'data-view="as-built" data-both="as-built,standfast"' in (tmp_path / "race.html").read_text()


def test_bad_files_say_so(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("[1, 2")
    with pytest.raises(StoryError, match=r"no\.json is not a story.*Make one with"):
        run(replay_command, tmp_path / "no.json")
    with pytest.raises(StandfastError, match=r"There is no file .*none\.json\. .*replay race"):
        run(replay_command, tmp_path / "none.json")
    with pytest.raises(StandfastError, match=r"can't be written: No such file.*existing directory"):
        run(replay_command, "race", "--svg", tmp_path / "no" / "race.svg")


def test_a_run_that_is_not_there_names_those_that_are(file: Path) -> None:
    refused = run(replay_command, "race", "--with", "luck")
    assert "--with luck: there is no such run. There is as-built, standfast, fence, " in refused.text
    refused = run(replay_command, file, "--with", "both")
    assert (refused.code, "a saved story has one" in refused.text) == (2, True)  # click's own; main() makes it 1


def test_a_directory_and_a_scenario_are_told_from_stories(file: Path, tmp_path: Path) -> None:
    with pytest.raises(StandfastError, match=r"is a directory\. There is no story"):
        run(replay_command, tmp_path)
    save(dangling(), tmp_path / "one.story.json")
    with pytest.raises(StandfastError, match=r"is a directory\. Name one of its stories: .*one\.story\.json"):
        run(replay_command, tmp_path)
    scenario.save(scenario.drawn(1, 0.1, 4), file)
    with pytest.raises(StandfastError, match=r"is a scenario, not a story\. `standfast simulate --replay "):
        run(replay_command, file)


def test_the_command_ends_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}")
    for arguments, code, says in (
        ([str(tmp_path / "no.json")], 1, "is not a story"),
        ([str(tmp_path / "none.json")], 1, "There is no file"),
        (["race", "--with", "x"], 1, "There is as-built"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "standfast", "replay", *arguments], capture_output=True, text=True, check=False
        )
        assert (ended.returncode, says in ended.stderr, "Traceback" in ended.stderr) == (code, True, False)


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "50"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "standfast", "replay", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = b""  # a character may come in two parts

    def until(self, words: str) -> None:
        """Read until these words are on the screen; what was there before is forgotten."""
        deadline = time.monotonic() + WAIT_S
        while words not in self.plain():
            assert time.monotonic() < deadline, f"{words!r} is not on the screen:\n{self.plain()}"
            ready, _, _ = select.select([self.ours], [], [], 1.0)
            if ready:
                try:
                    self.seen += os.read(self.ours, 65536)
                except OSError:  # the other end is closed
                    break
        assert words in self.plain()
        self.seen = b""

    def plain(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.seen.decode("utf-8", "replace"))

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def close(self) -> int:
        try:
            return self.process.wait(WAIT_S)
        finally:
            self.process.kill()
            os.close(self.ours)


def test_keys_go_forward_back_and_to_what_is_notable(file: Path) -> None:
    terminal = Terminal(str(file))
    terminal.until("How it begins.")
    for keys, words in (
        (b"n", "1. quick reads plan 2"),
        (b"\x1b[C", "2. slow points www at plan 1"),
        (b"p", "1. quick reads plan 2"),
        (b"j", "✗ G1: www answers nothing"),
        (b"j", "⊘ refused by the precondition"),
        (b"k", "3. quick deletes plan 1"),
        (b"\x1b[H", "How it begins."),
        (b"\x1b[F", "4. slow tries plan 2"),
    ):
        terminal.type(keys)
        terminal.until(words)
    terminal.type(b"q")
    assert terminal.close() == 0


def test_with_all_a_terminal_gets_columns(file: Path) -> None:
    terminal = Terminal(str(file), "--all")
    terminal.until("Again: standfast replay dangling.json")
    assert terminal.close() == 0
