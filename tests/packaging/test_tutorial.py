"""The tutorial, line by line, as a reader would type it, in a home of its own and on free ports."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.ports import free_port

ROOT = Path(__file__).parent.parent.parent
TUTORIAL = ROOT / "docs/tutorial.md"
LOOKS_AGAIN = re.compile(r"^(dig|standfast (status|explain|history|check|plan)|grep)\b")
"""Commands that only look: a reader who was too quick looks again."""
PATIENCE_S = 60.0
ENDS = "== over"


def lines_of(document: str) -> list[tuple[int, str, list[str]]]:
    """(line, command, lines expected of it) of every console block, in order."""
    found: list[tuple[int, str, list[str]]] = []
    inside, heredoc = False, ""
    for number, line in enumerate(document.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif heredoc:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line}", [])
            heredoc = "" if line == heredoc else heredoc
        elif inside and line.startswith("$ "):
            found.append((number, line[2:], []))
            opened = re.search(r"<<'?(\w+)'?", line)
            heredoc = opened[1] if opened else ""
        elif inside:
            found[-1][2].append(line)
    return found


class Shell:
    """One interactive reader's bash, without a terminal."""

    def __init__(self, home: Path) -> None:
        environment = {**os.environ, "HOME": str(home), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            ["bash", "--norc"], cwd=ROOT, env=environment, text=True, bufsize=1, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, command: str) -> tuple[int, str]:
        """The command's exit code, and what it printed."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{command}\nprintf '\\n{ENDS} %s\\n' $?\n")
        printed = []
        while not (line := self.process.stdout.readline()).startswith(ENDS):
            assert line, f"the shell ended at: {command}"
            printed.append(line)
        return int(line.split()[-1]), "".join(printed)

    def close(self) -> None:
        """End the shell and what it started: all are in its own session."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.process.wait()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    one = Shell(tmp_path)
    yield one
    one.close()


def pattern(expected: list[str]) -> re.Pattern[str]:
    """The lines in that order, … standing for anything, other lines allowed between them."""
    wanted = [re.escape(line.strip()).replace("…", ".*") for line in expected if line.strip(" …")]
    return re.compile(".*".join(re.sub(r"(\\ )+", r"\\s+", line) for line in wanted), re.DOTALL)


@pytest.mark.slow
def test_every_line_does_what_it_says(shell: Shell) -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    for port in ("5353", "8080"):
        assert port in text
        text = text.replace(port, str(free_port()))
    steps = lines_of(text)
    assert len(steps) > 30
    for number, command, expected in steps:
        until = time.monotonic() + PATIENCE_S
        while True:
            code, printed = shell.run(command)
            looks = LOOKS_AGAIN.match(command)
            if pattern(expected).search(printed) and (looks or code == 0):
                break
            where = f"docs/tutorial.md:{number}: {command}\nexpected:\n" + "\n".join(expected)
            assert looks, f"{where}\nprinted:\n{printed}"
            assert time.monotonic() < until, f"{where}\nprinted:\n{printed}"
            time.sleep(0.5)
