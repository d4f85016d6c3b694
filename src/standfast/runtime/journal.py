"""The journal: JSON Lines, one file a process; an intent is on disk before its write is sent (G10).

Schema, version 3, in `standfast.journal.schema.json` and `docs/journal.md`: every line has `v`, `at` (UTC, RFC 3339),
`role`, `who`, `event`; the rest depends on the event. Order between processes is that of the markers' nonces and
generations, not of clocks.

A file is closed when a new day begins (UTC) or when it is full, by two renames: it gets its number and day for a name,
and the next one, whose first lines are a checkpoint already, takes its place. A crash between the two leaves no file
to write to; then the next one is begun from the closed one, so no line is ever lost. What can't be closed (a full
disk) is written on. Closed files are compressed by somebody else (`shelving.py`).
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from .checkpoint import Tally
from .journal_files import Closed, closed_files, closed_name, objects

VERSION: Final = 3
"""1: an intent did not tell what it asserts and puts, nor a plan who leaves. 2: no checkpoints. Whoever reads 3 reads
all three."""
FILE_OCTETS: Final = 64 << 20
_LOCK_S: Final = 2.0
_POLL_S: Final = 0.005
_AGAIN_S: Final = 60.0
"""So long nothing is closed after it could not be."""

Listener: TypeAlias = Callable[[Mapping[str, Any]], None]
_encoder: Final = msgspec.json.Encoder(enc_hook=str)


class Journal:
    """One process's journal. Never raises: `broken` says why it can't be written, until it can again.

    `listeners` hear each event as well: the terminal, the metrics. `file_octets` is how large a file may grow;
    `closed` is called when one was closed. Several processes may write to one journal (operators do).
    """

    def __init__(
        self,
        folder: Path,
        role: str,
        who: str,
        *,
        listeners: Sequence[Listener] = (),
        file_octets: int = FILE_OCTETS,
        closed: Callable[[], None] = lambda: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.role, self.who = role, who
        self._listeners, self._limit, self._closed, self._wall = listeners, file_octets, closed, wall
        self._base, self._folder = f"{role}-{who}", folder
        self.path = folder / f"{self._base}.jsonl"
        self.broken = ""
        self._file, self._end, self._begins = -1, 0, 0
        self._tally = Tally()
        self._not_before = 0.0
        self._turn = threading.Lock()

    def write(self, event: str, *, durable: bool = False, **facts: Any) -> bool:
        """Append one event; `durable` waits until it is on disk. False if it could not be written."""
        return self.write_all(event, (facts,), durable=durable)

    def write_all(self, event: str, several: Sequence[Mapping[str, Any]], *, durable: bool = False) -> bool:
        """Append several events of one kind at once."""
        lines = self._lines(event, several)
        for line in lines:
            for listener in self._listeners:
                listener(line)
        with self._turn:
            try:
                self._append(lines, durable)
            except OSError as error:
                self.broken = f"the journal {self.path} can't be written: {error.strerror or error}"
                self._shut()
                return False
            self.broken = ""
            return True

    def settle(self) -> bool:
        """Wait until all that was written is on disk, others writing meanwhile. False if it could not be brought there.

        A file that was closed for its size or day meanwhile was brought to disk then.
        """
        with self._turn:
            if self.broken:
                return False
            file = os.dup(self._file) if self._file >= 0 else -1
        if file < 0:
            return True
        try:
            os.fdatasync(file)
        except OSError as error:
            with self._turn:
                self.broken = f"the journal {self.path} can't be written: {error.strerror or error}"
                self._shut()
            return False
        finally:
            os.close(file)
        return True

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        with self._turn:
            self._shut()

    def _lines(self, event: str, several: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        at = self._wall().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        common = {"v": VERSION, "at": at, "role": self.role, "who": self.who, "event": event}
        return [{**common, **facts} for facts in several]

    def _append(self, lines: Sequence[Mapping[str, Any]], durable: bool) -> None:
        octets = b"".join(encoded(line) for line in lines)
        self._take()
        try:
            self._rotate(len(octets), str(lines[0]["at"])[:10] if lines else "")
            _put(self._file, octets, self._end)
            self._end += len(octets)
            for line in lines:
                self._tally.heard(line)
            if durable:
                os.fdatasync(self._file)
        finally:
            if self._file >= 0:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take(self) -> None:
        """The file, open and locked, and all that is in it known. Raises OSError."""
        patience = time.monotonic() + _LOCK_S
        while True:
            if self._file < 0:
                self._open()
            _lock(self._file, patience)
            try:
                here = os.stat(self.path)
            except FileNotFoundError:
                here = None
            mine = os.fstat(self._file)
            if here is not None and (here.st_ino, here.st_dev) == (mine.st_ino, mine.st_dev):
                break
            self._shut()  # another process has closed it, or somebody took it away
        if mine.st_size != self._end:
            self._recall(mine.st_size)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(self.path, flags)
        except FileNotFoundError:
            self._begin(closed_files(self._folder, self._base))
            self._file = os.open(self.path, flags | os.O_CREAT, 0o600)
            _settle(self._folder)
        self._end = -1

    def _begin(self, closed: Sequence[Closed]) -> None:
        """There is no file. If one was closed, the next begins where it ended."""
        if closed:
            tally = Tally()
            for line in objects(closed[-1].path):
                tally.heard(line)
            draft = self._draft(tally, closed[-1].number + 1, closed[-1].path.name.removesuffix(".zst"))
            _into_place(draft, self.path)

    def _recall(self, size: int) -> None:
        """Hear what is in the file, and end a line that a crash cut off, so that it spoils only itself."""
        self._tally = Tally()
        for line in objects(self.path):
            self._tally.heard(line)
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            _put(self._file, b"\n", size)
            size += 1
        self._end = size
        self._begins = _checkpoint_octets(self.path)

    def _rotate(self, more: int, day: str) -> None:
        """Close the file if a new day has begun or it is full. A clock that was set back closes nothing."""
        full = self._end - self._begins + more > self._limit and self._end > self._begins
        new_day = bool(self._tally.day) and day > self._tally.day
        if not (full or new_day) or time.monotonic() < self._not_before:
            return
        try:
            self._rotated()
        except OSError:
            self._not_before = time.monotonic() + _AGAIN_S
            if self._file < 0:
                raise
            return
        self._closed()

    def _rotated(self) -> None:
        os.fsync(self._file)
        known = closed_files(self._folder, self._base)
        number = max(self._tally.file, known[-1].number + 1 if known else 1)
        name = closed_name(self._base, number, self._tally.day)
        draft = self._draft(self._tally, number + 1, name)
        os.rename(self.path, self._folder / name)
        self._shut()  # and with it the lock: whoever waits for it sees that the file has another name
        _into_place(draft, self.path)
        _settle(self._folder)
        self._take()

    def _draft(self, tally: Tally, number: int, after: str) -> Path:
        """The next file, on disk under another name."""
        draft = self.path.with_suffix(f".next.{os.getpid()}")
        lines = self._lines("checkpoint", tally.checkpoint(number, after))
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _put(file, b"".join(encoded(line) for line in lines), 0)
            os.fsync(file)
        except OSError:
            os.unlink(draft)
            raise
        finally:
            os.close(file)
        return draft

    def _shut(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._end = -1, -1


def encoded(line: Mapping[str, Any]) -> bytes:
    """One line of the file. What is no Unicode (of a path, of an error of the system) becomes question marks."""
    try:
        return _encoder.encode(line) + b"\n"
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(line, enc_hook=str), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"


def _put(file: int, octets: bytes, end: int) -> None:
    """All of it, or nothing: what was written of a line that did not fit is cut off again. Raises OSError."""
    done = 0
    try:
        while done < len(octets):
            done += os.write(file, octets[done:])
    except OSError:
        os.ftruncate(file, end)
        raise


def _lock(file: int, patience: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > patience:
                raise OSError("another process holds it") from None
            time.sleep(_POLL_S)


def _into_place(draft: Path, path: Path) -> None:
    """The next file under its name, but not over one that another process has just begun there."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    os.unlink(draft)


def _settle(folder: Path) -> None:
    """Names are on disk once their directory is."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _checkpoint_octets(path: Path) -> int:
    """How much of a file is its checkpoint."""
    octets = 0
    with open(path, "rb") as file:
        while (line := file.readline()) and b'"event":"checkpoint"' in line[:200]:
            octets += len(line)
    return octets
