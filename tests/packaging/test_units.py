"""The systemd units and the container file: valid, hardened, and about files and commands that exist."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
EXPOSURE_MOST = 20
"""Of 100, as systemd-analyze counts; a plain service has 96."""


def offline(unit: Path, folder: Path) -> Path:
    """The unit as a machine without our user, package and manual can check it."""
    text = unit.read_text(encoding="utf-8").replace("/usr/bin/standfast ", "/bin/true ")
    text = re.sub(r"^(User|Group|Documentation)=.*\n", "", text, flags=re.MULTILINE)
    copy = folder / unit.name
    copy.write_text(text, encoding="utf-8")
    return copy


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(offline(unit, tmp_path))], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_it_may_do_little(unit: Path, tmp_path: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MOST}"]
    done = subprocess.run([*command, str(offline(unit, tmp_path))], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_all_units_are_hardened_alike() -> None:
    first, *others = (unit.read_text(encoding="utf-8").split("[Service]")[1] for unit in UNITS)
    for other in others:
        differ = [(a, b) for a, b in zip(first.splitlines(), other.splitlines(), strict=True) if a != b]
        assert [a.split("=")[0] for a, _ in differ if not a.startswith("#")] == ["ExecStart"]


def test_the_container_file_passes_its_linter() -> None:
    done = subprocess.run(
        ["hadolint", str(ROOT / "deploy/Containerfile")], capture_output=True, text=True, check=False,
        env={"PATH": f"{ROOT / '.venv/bin'}:/usr/bin:/bin"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_the_container_copies_what_is_there_and_allowed() -> None:
    text = (ROOT / "deploy/Containerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for name in line.split()]
    assert copied
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    assert re.search(r"^USER [1-9]", text, re.MULTILINE), "it must not run as root"
