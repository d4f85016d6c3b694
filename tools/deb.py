"""The Debian package: `python -m tools.deb [FOLDER]` builds FOLDER/standfast_VERSION_ARCH.deb (default dist/).

It carries its Python libraries, each as `requirements-run.lock` pins it by hash, under /usr/lib/standfast, so that it
depends on nothing but the Python it was built with, and no other package's libraries can change under it. Built twice
from one commit it is the same to the octet: times are the commit's, order is sorted.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from standfast import __version__

from . import manual

ROOT: Final = Path(__file__).parent.parent
LIBRARIES: Final = "usr/lib/standfast"
DOCUMENTS: Final = "usr/share/doc/standfast"
_SHELLS: Final = {
    "bash": "usr/share/bash-completion/completions/standfast",
    "zsh": "usr/share/zsh/vendor-completions/_standfast",
    "fish": "usr/share/fish/vendor_completions.d/standfast.fish",
}
AWS_SERVICES: Final = frozenset({"elbv2", "sts", "sso", "sso-oidc", "signin"})
"""What we ask of AWS, and what its credential chain may ask; the descriptions of 400 other services take 28 MB."""
_LAUNCHER: Final = '''#!/usr/bin/python3 -Es
"""Starts Standfast with the libraries that came with it."""

import os
import sys

libraries = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "lib", "standfast")
sys.path.insert(0, libraries)
os.environ["PYTHONPATH"] = libraries  # for the processes of the roles, which it starts by `python3 -m standfast`

from standfast.cli import main  # noqa: E402

main()
'''


def build(folder: Path) -> Path:
    """Build the package in `folder`; its path. Raises CalledProcessError with the tool's output."""
    with tempfile.TemporaryDirectory(prefix="standfast-deb-") as scratch:
        tree = Path(scratch) / "tree"
        fill(tree)
        control(tree)
        _same_times(tree)
        folder.mkdir(parents=True, exist_ok=True)
        package = folder / f"standfast_{__version__}_{_architecture()}.deb"
        _run("dpkg-deb", "--build", "--root-owner-group", "-Zzstd", str(tree), str(package))
        return package


def fill(tree: Path) -> None:
    """Everything that is installed, below `tree`."""
    libraries = tree / LIBRARIES
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile")
    target = ("--target", str(libraries))
    _run(*pip, *target, "--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements-run.lock"))
    with _clean_source() as source:
        _run(*pip, *target, "--no-deps", "--no-build-isolation", "--upgrade", str(source))
    shutil.rmtree(libraries / "bin", ignore_errors=True)  # the libraries' own commands
    # What pip needs to uninstall, and where it built ours: dpkg keeps its own account, and paths are the machine's.
    for pattern in ("*.dist-info/RECORD", "*.dist-info/REQUESTED", "*.dist-info/direct_url.json"):
        for left in libraries.glob(pattern):
            left.unlink()
    for service in (libraries / "botocore/data").iterdir():
        if service.is_dir() and service.name not in AWS_SERVICES:
            shutil.rmtree(service)
    _file(tree / "usr/bin/standfast", _LAUNCHER, 0o755)
    for unit in ("standfast.service", "standfast@.service"):
        _file(tree / "lib/systemd/system" / unit, (ROOT / "deploy/systemd" / unit).read_text(encoding="utf-8"))
    _file(tree / "usr/lib/sysusers.d/standfast.conf", (ROOT / "deploy/systemd/standfast.sysusers").read_text())
    manual.write(tree / "usr/share/man/man1", time.strftime("%Y-%m-%d", time.gmtime(_made_at())))
    for shell, path in _SHELLS.items():
        _file(tree / path, completion(shell))
    for document in ("README.md", "CHANGELOG.md", "SECURITY.md"):
        _file(tree / DOCUMENTS / document, (ROOT / document).read_text(encoding="utf-8"))
    _file(tree / DOCUMENTS / "copyright", _copyright())
    shutil.copytree(ROOT / "docs", tree / DOCUMENTS / "docs")
    shutil.copytree(ROOT / "examples", tree / DOCUMENTS / "examples")


def completion(shell: str) -> str:
    """What that shell sources to complete our commands and options."""
    environment = {**os.environ, "_STANDFAST_COMPLETE": f"{shell}_source"}
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'standfast'; from standfast.cli import main; main()"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def control(tree: Path) -> None:
    """What dpkg reads: name, version, dependencies, and what is done after installing and before removing."""
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1024
    python = f"python3 (>= 3.{sys.version_info.minor}), python3 (<< 3.{sys.version_info.minor + 1})"
    text = (ROOT / "deploy/debian/control").read_text(encoding="utf-8")
    text = text.format(version=__version__, architecture=_architecture(), size=size, python=python)
    _file(tree / "DEBIAN/control", text)
    for script in ("postinst", "prerm", "postrm"):
        _file(tree / "DEBIAN" / script, (ROOT / "deploy/debian" / script).read_text(encoding="utf-8"), 0o755)


@contextmanager
def _clean_source() -> Iterator[Path]:
    """What is packaged, by itself: building leaves nothing in the checkout, nor takes anything else along."""
    with tempfile.TemporaryDirectory(prefix="standfast-source-") as scratch:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, scratch)
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / "src", Path(scratch) / "src", ignore=ignored)
        yield Path(scratch)


def _copyright() -> str:
    return (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: standfast\n\nFiles: *\nCopyright: the Standfast authors\nLicense: Apache-2.0\n"
        " On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n"
        "Comment: the libraries under /usr/lib/standfast keep their own licences, each in its dist-info folder.\n"
    )


def _architecture() -> str:
    return _run("dpkg", "--print-architecture").strip()


def _same_times(tree: Path) -> None:
    """Every file and folder is as old as the commit."""
    at = _made_at()
    os.environ["SOURCE_DATE_EPOCH"] = str(at)  # dpkg-deb's own
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (at, at), follow_symlinks=False)


def _made_at() -> int:
    """Seconds since the epoch: SOURCE_DATE_EPOCH, else the commit's; 0 in an unpacked archive without history."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(epoch)
    try:
        return int(_run("git", "-C", str(ROOT), "log", "-1", "--format=%ct"))
    except (subprocess.CalledProcessError, FileNotFoundError):
        return 0


def _file(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _run(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stdout + error.stderr)
        raise


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]) if sys.argv[1:] else ROOT / 'dist')}\n")
