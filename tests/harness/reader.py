"""A reader of a tutorial: types each line of its console blocks, and looks whether it says what stands there."""

import os
import re
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
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


def pattern(expected: list[str]) -> re.Pattern[str]:
    """The lines in that order, … standing for anything, other lines allowed between them."""
    wanted = [re.escape(line.strip()).replace("…", ".*") for line in expected if line.strip(" …")]
    return re.compile(".*".join(re.sub(r"(\\ )+", r"\\s+", line) for line in wanted), re.DOTALL)
