"""The tutorial, line by line, as a reader would type it, in a home of its own and on free ports."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.ports import free_port
from harness.reader import ROOT, Shell, lines_of, pattern

TUTORIAL = ROOT / "docs/tutorial.md"
LOOKS_AGAIN = re.compile(r"^(dig|standfast (status|explain|history|check|plan)|grep)\b")
"""Commands that only look: a reader who was too quick looks again."""
PATIENCE_S = 60.0


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    one = Shell(tmp_path)
    yield one
    one.close()


@pytest.mark.slow
def test_every_line_does_what_it_says(shell: Shell) -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    for port in ("5353", "8080"):
        assert port in text
        text = text.replace(port, str(free_port()))
    # Check by check the same, but what a load balancer of a busy machine takes for an answer makes no generation.
    assert "timeout: 500ms" in text
    text = text.replace("timeout: 500ms", "timeout: 950ms")
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
