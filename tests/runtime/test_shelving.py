"""Closed journals: compressed, bounded, and a disk or a clock that misbehaves."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from runtime.staging import eventually
from standfast.config import JournalConfig
from standfast.runtime import shelving
from standfast.runtime.journal_files import closed_files, closed_name, objects
from standfast.runtime.shelving import AGED_MAX, Shelf, ShelfKeeper

NOON = 1_795_867_200.0
"""2026-11-28 12:00 UTC."""


def closed(folder: Path, number: int, day: str = "2026-11-27", octets: int = 1000, base: str = "enactor-a") -> Path:
    """A closed file."""
    path = folder / closed_name(base, number, day)
    path.write_bytes(b'{"event":"notice"}\n' * (octets // 19))
    return path


def shelf(folder: Path, now: float = NOON, **limits: int) -> Shelf:
    return Shelf(folder, JournalConfig(**limits), wall=lambda: now)


def test_closed_files_are_compressed_and_say_the_same(tmp_path: Path) -> None:
    path = closed(tmp_path, 1, octets=1 << 20)
    before = list(objects(path))
    one = shelf(tmp_path)
    one.tidy()
    packed = path.with_name(path.name + ".zst")
    assert (path.exists(), packed.exists(), one.trouble) == (False, True, "")
    assert packed.stat().st_size < (1 << 20) / 10
    assert list(objects(packed)) == before
    assert (one.files, one.octets) == (1, packed.stat().st_size)


def test_what_is_too_old_goes_but_a_clock_that_jumps_takes_little(tmp_path: Path) -> None:
    for number in range(1, 7):
        closed(tmp_path, number, day=f"2026-08-{20 + number:02}")
    (tmp_path / "enactor-a.jsonl").write_text("")
    shelf(tmp_path, days=90).tidy()
    kept = [one.number for one in closed_files(tmp_path)]
    assert kept == [1 + AGED_MAX, *range(2 + AGED_MAX, 7)], "90 days before 28 November is 30 August"
    shelf(tmp_path, days=99).tidy()
    assert [one.number for one in closed_files(tmp_path)] == kept, "21 August is 99 days ago"
    shelf(tmp_path, now=NOON + 1000 * 86_400, days=3650).tidy()
    assert len(closed_files(tmp_path)) == len(kept)
    shelf(tmp_path, now=NOON + 5000 * 86_400, days=3650).tidy()
    assert len(closed_files(tmp_path)) == len(kept) - AGED_MAX
    assert (tmp_path / "enactor-a.jsonl").exists()


def test_all_files_together_stay_within_the_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelving, "_packed", lambda path: None)
    for number in range(1, 11):
        closed(tmp_path, number, octets=1 << 20, day=f"2026-11-{10 + number}")
        closed(tmp_path, number, octets=1 << 20, day=f"2026-11-{10 + number}", base="planner-p")
    (tmp_path / "enactor-a.jsonl").write_bytes(b"x" * (4 << 20))
    one = shelf(tmp_path, total=16 << 20)
    one.tidy()
    assert one.octets <= 16 << 20
    assert {found.number for found in closed_files(tmp_path)} == set(range(5, 11))
    shelf(tmp_path, total=2 << 20).tidy()
    assert not closed_files(tmp_path)
    last = shelf(tmp_path, total=2 << 20)
    last.tidy()
    assert last.trouble == "the journals take 4 MiB without one closed file, and `journal: total` is 2 MiB"
    assert (tmp_path / "enactor-a.jsonl").stat().st_size == 4 << 20


def test_a_disk_too_full_to_compress_keeps_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = closed(tmp_path, 1)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        one = shelf(tmp_path)
        one.tidy()
    assert one.trouble == f"{path} can't be compressed: No space left on device"
    assert [found.name for found in tmp_path.glob("*.jsonl*")] == [path.name]
    one.tidy()
    assert (one.trouble, path.exists()) == ("", False)


def test_a_copy_that_reads_otherwise_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = closed(tmp_path, 1)
    with monkeypatch.context() as patch:
        patch.setattr(shelving, "_pieces", lambda source: iter([os.urandom(20)]))
        one = shelf(tmp_path)
        one.tidy()
    assert "reads otherwise than it was written" in one.trouble
    assert path.exists()
    assert not list(tmp_path.glob("*.zst*"))


def test_one_process_at_a_time_tidies_and_drafts_of_the_dead_go(tmp_path: Path) -> None:
    path = closed(tmp_path, 1)
    (tmp_path / "enactor-a.next.999999999").write_text("draft of a process that is gone")
    mine = tmp_path / f"enactor-a.next.{os.getpid()}"
    mine.write_text("draft of one that lives")
    first, second = shelf(tmp_path), shelf(tmp_path)
    descriptor = os.open(tmp_path / ".tidying", os.O_WRONLY | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    first.tidy()
    assert (path.exists(), first.trouble) == (True, "")
    os.close(descriptor)
    second.tidy()
    assert not path.exists()
    assert [one.name for one in tmp_path.glob("*.next.*")] == [mine.name]


def test_the_keeper_tidies_when_a_file_was_closed(tmp_path: Path) -> None:
    heard: list[str] = []
    keeper = ShelfKeeper(shelf(tmp_path))
    keeper.start(heard.append)
    path = closed(tmp_path, 1)

    def tidied() -> bool:
        keeper.wake()
        return not path.exists()

    eventually(tidied, "it is tidied")
    assert set(heard) == {""}
