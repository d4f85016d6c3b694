"""The Debian package: what is in it starts, is documented, completes, and is the same when built again."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools import deb

from standfast.cli import commands

ROOT = Path(__file__).parent.parent.parent
CONTEXT = click.Context(commands)
COMMANDS = tuple(commands.list_commands(CONTEXT))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deb.build(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def tree(package: Path) -> Path:
    """What dpkg would unpack, with its control files."""
    tree = package.parent / "tree"
    subprocess.run(["dpkg-deb", "-R", str(package), str(tree)], check=True)
    return tree


def started(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The launcher as installed, under the interpreter that the tests have; no path of ours leads it to the source."""
    command = [sys.executable, "-BEs", str(tree / "usr/bin/standfast"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd="/", check=False)


def test_it_starts_with_its_own_libraries(tree: Path) -> None:
    assert started(tree, "--version").stdout.startswith("standfast, version ")
    told = started(tree, "check", "--config", "/nowhere/standfast.yaml")
    assert told.returncode == 1
    assert "/nowhere/standfast.yaml" in told.stdout
    assert told.stderr == ""


def test_it_can_ask_aws_for_load_balancers(tree: Path) -> None:
    """What it carries of AWS's descriptions is enough for the source, and for the credentials."""
    code = "import boto3; [boto3.client(s, region_name='eu-central-1') for s in ('elbv2', 'sts', 'sso', 'sso-oidc')]"
    environment = {"PYTHONPATH": str(tree / deb.LIBRARIES), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-BsSc", code], env=environment, check=True, timeout=240)


def test_every_command_is_documented_and_completed(tree: Path) -> None:
    pages = {page.name for page in (tree / "usr/share/man/man1").iterdir()}
    assert pages == {"standfast.1", *(f"standfast-{name}.1" for name in (*COMMANDS, *below()))}
    first = (tree / "usr/share/man/man1/standfast.1").read_text(encoding="utf-8")
    assert all(re.search(rf"\b{name}\b", first.replace("\\-", "-")) for name in COMMANDS)
    offered = subprocess.run(
        [sys.executable, "-BEs", str(tree / "usr/bin/standfast")],
        env={"_STANDFAST_COMPLETE": "bash_complete", "COMP_WORDS": "standfast ", "COMP_CWORD": "1"},
        capture_output=True, text=True, timeout=240, check=True,
    ).stdout  # fmt: skip
    assert set(COMMANDS) <= {line.removeprefix("plain,") for line in offered.splitlines()}


def below() -> Iterator[str]:
    """Commands of commands, as their pages are named."""
    for name in COMMANDS:
        command = commands.get_command(CONTEXT, name)
        if isinstance(command, click.Group):
            yield from (f"{name}-{one}" for one in command.list_commands(CONTEXT))


@pytest.mark.parametrize("shell", deb._SHELLS)
def test_completion_is_there_for_each_shell(tree: Path, shell: str) -> None:
    assert "_STANDFAST_COMPLETE" in (tree / deb._SHELLS[shell]).read_text(encoding="utf-8")


def test_it_names_what_it_needs_and_starts_nothing(package: Path, tree: Path) -> None:
    told = subprocess.run(["dpkg-deb", "-f", str(package)], capture_output=True, text=True, check=True).stdout
    assert f"python3 (>= 3.{sys.version_info.minor})" in told
    assert re.search(r"^Installed-Size: [1-9]\d{3,}$", told, re.MULTILINE)
    for script in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", str(tree / "DEBIAN" / script)], check=True)
    enables = re.compile(r"systemctl\s+(enable|start|restart)\b")
    assert not enables.search((tree / "DEBIAN/postinst").read_text(encoding="utf-8"))


def test_nobody_else_may_write_what_is_installed(package: Path) -> None:
    listed = subprocess.run(["dpkg-deb", "-c", str(package)], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        mode, owner, *_ = line.split()
        assert owner == "root/root", line
        assert mode.startswith("l") or (mode[5] != "w" and mode[8] != "w"), line


def test_nothing_of_the_machine_it_was_built_on_is_in_it(tree: Path) -> None:
    for path in (tree / deb.LIBRARIES / "standfast").rglob("*.py"):
        assert str(ROOT) not in path.read_text(encoding="utf-8"), path
    assert not [*tree.rglob("direct_url.json"), *tree.rglob("__pycache__")]


def test_built_again_it_is_the_same(package: Path, tmp_path: Path) -> None:
    again = deb.build(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()


def test_it_carries_the_very_versions_that_are_tested() -> None:
    tested, carried = (pins(ROOT / name) for name in ("requirements.lock", "requirements-run.lock"))
    assert carried.items() <= tested.items()
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("dependencies = [")[1].split("]")[0]
    for line in re.findall(r'"([^"]+)"', declared):
        assert canonicalize_name(Requirement(line).name) in carried


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
