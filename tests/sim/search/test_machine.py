"""Where machine code is kept: the user's own folder, one for each version of the sources, or nowhere."""

from pathlib import Path

import pytest

from standfast.sim.search import machine


def test_each_version_of_the_sources_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    here = machine.cache_directory()
    assert here is not None
    assert here.parent == tmp_path / "standfast"
    assert here.stat().st_mode & 0o077 == 0
    assert machine.cache_directory() == here
    monkeypatch.setattr(machine, "SOURCES", machine.SOURCES[:-1])
    assert machine.cache_directory() not in (here, None)


def test_every_compiled_source_counts() -> None:
    folder = Path(machine.__file__).parent
    used = {path.name for path in folder.glob("*.py") if "from .machine import" in path.read_text()}
    assert used | {"arrays.py", "machine.py"} == set(machine.SOURCES)


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert machine.cache_directory() is None
