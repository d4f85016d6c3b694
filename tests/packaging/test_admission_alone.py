"""Admission as a library, as an outsider meets it: the program of its page runs, is typed, and drags nothing in."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "admission.md").read_text(encoding="utf-8")
OURS = {"recovery.admission", "recovery.fairness", "recovery.retrying", "recovery.slowstart", "runtime.admitting"}
ALLOWED = {"standfast", "standfast.recovery", "standfast.runtime", "standfast.model", "standfast.model.fleet"}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The page's one program."""
    (text,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    path = tmp_path / "program.py"
    path.write_text(text, encoding="utf-8")
    return path


def ran(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=240, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_program_of_the_page_does_what_it_says(program: Path) -> None:
    told = ran("-W", "error", str(program), cwd=program.parent)
    found = re.fullmatch(r"(\d+) of 600 done, (\d+) of them late, (\d+) times refused\n", told)
    assert found, told
    done, late, refused = map(int, found.groups())
    assert done >= 500
    assert late <= 60, "what is begun can be finished"
    assert refused > 0


def test_the_program_of_the_page_is_typed(program: Path) -> None:
    ran("-m", "mypy", "--strict", "--cache-dir", str(program.parent / "cache"), str(program), cwd=program.parent)


def test_nothing_heavy_is_imported_with_it() -> None:
    script = (
        "import sys, asyncio, msgspec; before = set(sys.modules)\n"
        "import standfast.recovery.admission, standfast.runtime.admitting\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    new = set(ran("-c", script, cwd=ROOT).split())
    foreign = {name for name in new if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == ALLOWED | {f"standfast.{name}" for name in OURS}


def test_the_page_has_every_public_name() -> None:
    from standfast.recovery import admission
    from standfast.runtime import admitting

    assert all(f"`{name}" in PAGE for name in admission.__all__ if name not in ("Offer", "Work"))
    assert "`Offer(" in PAGE
    assert "next `Work`" in PAGE
    assert all(f"`{name}" in PAGE for name in admitting.__all__)
