"""The journal's files: no line is lost, whatever stops the process and whenever; several may write to one."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from standfast.config import JournalConfig
from standfast.runtime import journal as journal_module
from standfast.runtime.journal import Journal
from standfast.runtime.journal_files import closed_files, objects, read_journal
from standfast.runtime.shelving import Shelf

KIB = 1 << 10
CALLS = ("open", "write", "fsync", "fdatasync", "rename", "link", "unlink", "ftruncate")


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def numbers(folder: Path) -> list[int]:
    """What was written, in the order of the files and their lines."""
    paths = [one.path for one in closed_files(folder)] + [folder / "enactor-a.jsonl"]
    return [int(line["why"]) for path in paths if path.exists() for line in objects(path, frozenset(["notice"]))]


def told(journal: Journal, number: int, pad: int = 0) -> bool:
    return journal.write("notice", kind=f"x{'.' * pad}", why=str(number), durable=True)


def test_a_day_and_a_full_file_close_it(tmp_path: Path) -> None:
    clock, closed = Clock(), list[str]()
    journal = Journal(tmp_path, "enactor", "a", file_octets=4 * KIB, wall=clock, closed=lambda: closed.append("x"))
    journal.write("started", stream="main", observe=False)
    for number in range(3):
        assert told(journal, number)
    clock.now += timedelta(days=1)
    assert told(journal, 3)
    clock.now -= timedelta(days=2)
    assert told(journal, 4), "a clock that is set back closes nothing"
    clock.now += timedelta(days=2)
    for number in range(5, 25):
        assert told(journal, number, pad=400)
    journal.close()
    names = [one.path.name for one in closed_files(tmp_path)]
    assert names[0] == "enactor-a.000001.2026-11-28.jsonl"
    assert names[1] == "enactor-a.000002.2026-11-29.jsonl"
    assert len(names) == len(closed) > 2
    assert numbers(tmp_path) == list(range(25))
    assert all(path.stat().st_size < 6 * KIB and path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())


def test_a_file_begins_with_a_checkpoint_of_those_before(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "enactor", "a", file_octets=KIB)
    journal.write("started", stream="west", observe=False)
    for number in range(12):
        told(journal, number, pad=300)
    journal.close()
    closed = [one.path for one in closed_files(tmp_path)]
    counts = {"started": 0, "notice": 0}
    for number, path in enumerate([*closed, journal.path], start=1):
        lines = list(objects(path))
        if number > 1:
            first = lines.pop(0)
            assert (first["event"], first["file"], first["part"], first["of"]) == ("checkpoint", number, 1, 1)
            assert (first["after"], first["stream"], first["counts"]) == (closed[number - 2].name, "west", counts)
        assert all(line["event"] != "checkpoint" for line in lines)
        for line in lines:
            counts[line["event"]] += 1
    assert counts == {"started": 1, "notice": 12}
    assert len(closed) > 2


def test_a_process_that_begins_again_goes_on_where_it_was(tmp_path: Path) -> None:
    for life in range(6):
        journal = Journal(tmp_path, "enactor", "a", file_octets=KIB)
        for number in range(2):
            assert told(journal, 2 * life + number, pad=300)
        journal.close()
    assert numbers(tmp_path) == list(range(12))
    first = next(iter(objects(tmp_path / "enactor-a.jsonl")))
    assert first["counts"] == {"notice": 12 - len(list(objects(tmp_path / "enactor-a.jsonl", frozenset(["notice"]))))}


def test_a_line_that_was_cut_off_spoils_only_itself(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "enactor", "a")
    told(journal, 1)
    with journal.path.open("ab") as file:
        file.write(b'{"v":3,"event":"noti')
    told(journal, 2)
    assert numbers(tmp_path) == [1, 2]
    assert len(journal.path.read_bytes().splitlines()) == 3


def killed_at(folder: Path, step: int, work: Callable[[Callable[[int], None]], None]) -> tuple[list[int], bool]:
    """Do the work in a process that is killed (SIGKILL) before its `step`th call to the system.

    The numbers it was told to be written, and whether it came to its end.
    """
    near, far = os.pipe()
    if (child := os.fork()) == 0:
        left = step

        def dying(call: Callable[..., object]) -> Callable[..., object]:
            def counted(*arguments: object, **more: object) -> object:
                nonlocal left
                if arguments and arguments[0] == far:
                    return call(*arguments, **more)
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*arguments, **more)

            return counted

        for name in CALLS:
            setattr(os, name, dying(getattr(os, name)))
        code = 1
        try:
            work(lambda number: void(os.write(far, b"%d\n" % number)))
            code = 0
        finally:
            os._exit(code)
    os.close(far)
    with os.fdopen(near, "rb") as pipe:
        acknowledged = [int(line) for line in pipe.read().splitlines()]
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"step {step}: it ended with {status:#x}"
    return acknowledged, status == 0


def void(value: object) -> None:
    """Nothing."""


def test_a_kill_at_any_moment_of_a_rotation_loses_no_line(tmp_path: Path) -> None:
    """Whatever call to the system is the last: what was told to be on disk is there, once and in order."""
    for step in range(200):
        folder = tmp_path / str(step)
        folder.mkdir()

        def work(say: Callable[[int], None], folder: Path = folder) -> None:
            journal = Journal(folder, "enactor", "a", file_octets=KIB)
            for number in range(5):
                if told(journal, number, pad=300):
                    say(number)

        acknowledged, whole = killed_at(folder, step, work)
        again = Journal(folder, "enactor", "a", file_octets=KIB)
        assert told(again, 99), again.broken
        again.close()
        found = numbers(folder)
        assert found[: len(acknowledged)] == acknowledged, f"step {step}"
        assert len(found) <= len(acknowledged) + 2, f"step {step}: {found}"
        assert found[-1] == 99
        checkpoint = next(objects(folder / "enactor-a.jsonl"))
        if closed_files(folder):
            before = sum(len(list(objects(one.path, frozenset(["notice"])))) for one in closed_files(folder))
            assert (checkpoint["event"], checkpoint["counts"]) == ("checkpoint", {"notice": before}), f"step {step}"
        if whole:
            assert step > 20, "fewer calls than a rotation has: nothing was tried"
            return
    pytest.fail("it never came to its end")


def test_a_kill_at_any_moment_of_a_compression_loses_no_line(tmp_path: Path) -> None:
    for step in range(60):
        folder = tmp_path / str(step)
        folder.mkdir()
        journal = Journal(folder, "enactor", "a", file_octets=KIB)
        for number in range(6):
            told(journal, number, pad=300)
        journal.close()
        _, whole = killed_at(folder, step, lambda say, folder=folder: Shelf(folder, JournalConfig()).tidy())  # type: ignore[misc]
        assert numbers(folder) == list(range(6)), f"step {step}, before it was finished"
        shelf = Shelf(folder, JournalConfig())
        shelf.tidy()
        assert (numbers(folder), shelf.trouble) == (list(range(6)), ""), f"step {step}"
        names = sorted(path.name for path in folder.iterdir() if path.name != ".tidying")
        assert all(name.endswith(".zst") for name in names if name != "enactor-a.jsonl"), names
        if whole:
            assert step > 8, "fewer calls than a compression has: nothing was tried"
            return
    pytest.fail("it never came to its end")


class FullDisk:
    """`os.write` on a disk with so much room left."""

    def __init__(self, patch: pytest.MonkeyPatch, room: int) -> None:
        self.room, self._write = room, os.write
        patch.setattr(os, "write", self)

    def __call__(self, file: int, octets: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = self._write(file, octets[: self.room])
        self.room -= done
        return done


def test_a_full_disk_takes_a_line_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, "enactor", "a")
    assert told(journal, 0)
    with monkeypatch.context() as patch:
        disk = FullDisk(patch, room=30)
        assert not told(journal, 1)
        assert journal.broken == f"the journal {journal.path} can't be written: No space left on device"
        disk.room = 10_000
        assert told(journal, 2)
    assert not journal.broken
    assert [json.loads(line)["why"] for line in journal.path.read_bytes().splitlines()] == ["0", "2"]


def test_a_disk_too_full_for_the_next_file_goes_on_with_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "enactor", "a", file_octets=KIB)
    for number in range(2):
        assert told(journal, number, pad=300)
    draft = journal_module.Journal._draft

    def full(*arguments: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(journal_module.Journal, "_draft", full)
    for number in range(2, 6):
        assert told(journal, number, pad=300), "what can't be closed is written on"
    assert not closed_files(tmp_path)
    monkeypatch.setattr(journal_module.Journal, "_draft", draft)
    monkeypatch.setattr(journal_module, "_AGAIN_S", 0.0)
    journal.close()
    again = Journal(tmp_path, "enactor", "a", file_octets=KIB)
    assert told(again, 6)
    assert len(closed_files(tmp_path)) == 1
    assert numbers(tmp_path) == list(range(7))


def test_several_may_write_to_one_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two operators, or threads, at once; files are closed meanwhile."""
    monkeypatch.setattr(journal_module, "_LOCK_S", 60.0)  # where a disk is busy the others hold it nearly all the time
    journals = [Journal(tmp_path, "enactor", "a", file_octets=4 * KIB) for _ in range(3)]

    def write(number: int) -> None:
        for count in range(40):
            assert told(journals[number], 100 * number + count, pad=100)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = numbers(tmp_path)
    assert sorted(found) == sorted(100 * number + count for number in range(3) for count in range(40))
    for number in range(3):
        mine = [one for one in found if one // 100 == number]
        assert mine == sorted(mine)
    last = next(objects(tmp_path / "enactor-a.jsonl"))
    closed = [one.path for one in closed_files(tmp_path)]
    assert last["counts"]["notice"] == sum(len(list(objects(path, frozenset(["notice"])))) for path in closed)


def test_a_journal_that_somebody_holds_is_broken_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_LOCK_S", 0.05)
    first, second = (Journal(tmp_path, "operator", "alice@ops1") for _ in range(2))
    assert first.write("notice", kind="x", why="1")
    journal_module._lock(first._file, 0.0)
    assert not second.write("notice", kind="x", why="2")
    assert "another process holds it" in second.broken
    first.close()
    assert second.write("notice", kind="x", why="3")


def test_readers_take_compressed_files(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "cleaner", "c", file_octets=KIB)
    for number in range(20):
        journal.write("collected", generations=[number], why="x" * 100)
    journal.close()
    Shelf(tmp_path, JournalConfig()).tidy()
    assert len(list(tmp_path.glob("*.zst"))) > 2
    found = read_journal(tmp_path, events=("collected",), roles=("cleaner",))
    assert [line["generations"] for line in found] == [[number] for number in range(20)]
    assert not list(read_journal(tmp_path, roles=("planner",)))


@pytest.mark.parametrize(
    "damaged",
    [
        {"event": "intent"},
        {"event": "intent", "zone": "z", "nonce": "n", "generation": 1, "plan": "", "writes": [7]},
        {"event": "checkpoint", "part": 1},
        {"event": "planned", "planned_at": "yesterday"},
        {"event": "planned", "changes": [1]},
        {"event": "collected", "generations": 5},
        {"event": ["x"], "at": {}},
    ],
)
def test_a_damaged_line_keeps_nobody_from_writing(tmp_path: Path, damaged: dict[str, object]) -> None:
    """It is JSON and no line of ours: whoever begins again with this file must still write its intents (G10)."""
    (tmp_path / "enactor-a.jsonl").write_text(json.dumps(damaged) + "\n")
    journal = Journal(tmp_path, "enactor", "a", file_octets=KIB)
    for number in range(12):
        assert told(journal, number, pad=200)
    journal.close()
    assert numbers(tmp_path) == list(range(12))
    assert closed_files(tmp_path)


def test_what_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    """A path or an error of the system may have octets that are no UTF-8."""
    journal = Journal(tmp_path, "enactor", "a")
    assert journal.write("notice", kind="x", why="no file caf\udce9")
    journal.close()
    (line,) = objects(tmp_path / "enactor-a.jsonl")
    assert line["why"] == "no file caf?"
