"""Closed journal files: compressed, and the oldest removed when there are too many. Never in the way of a write.

A copy is written beside the file, put on disk, read back and compared; only then does it get its name, and only then
is the file removed. Whatever a crash leaves is begun anew or finished, and readers prefer the file to its copy.

Whichever process of this machine comes first tidies the whole folder, under a lock.
"""

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import zstandard

from standfast.config import JournalConfig

from .journal_files import Closed, closed_files

LEVEL: Final = 9
PIECE: Final = 1 << 20
TIDY_S: Final = 3600.0
AGED_MAX: Final = 2
"""So many files of a process are removed for their age in one pass: a clock that is days ahead takes no more."""
_DAY_S: Final = 86_400.0


class Shelf:
    """The closed files of a folder. `trouble` says what could not be done in the last pass."""

    def __init__(self, folder: Path, limits: JournalConfig, wall: Callable[[], float] = time.time) -> None:
        self._folder, self._limits, self._wall = folder, limits, wall
        self.trouble = ""
        self.octets = self.files = 0

    def tidy(self) -> None:
        """One pass. Never raises; another process's pass is as good as ours."""
        try:
            file = os.open(self._folder / ".tidying", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self.trouble = f"closed journals in {self._folder} can't be compressed: {error.strerror}"
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.trouble = ""
            self._clear()
            self._pack()
            self._shed()
        except BlockingIOError:
            pass
        except OSError as error:
            self.trouble = f"closed journals in {self._folder} can't be compressed: {error.strerror or error}"
        finally:
            os.close(file)
            self.measure()

    def _clear(self) -> None:
        """Drafts of processes that were killed, and files whose copy is whole already."""
        for path in self._folder.glob("*.part"):
            path.unlink(missing_ok=True)
        for path in self._folder.glob("*.next.*"):
            if path.suffix[1:].isdigit() and not Path(f"/proc/{path.suffix[1:]}").exists():
                path.unlink(missing_ok=True)

    def _pack(self) -> None:
        troubles = []
        for one in closed_files(self._folder):
            if one.packed:
                continue
            try:
                _packed(one.path)
            except FileNotFoundError:
                continue
            except (OSError, zstandard.ZstdError) as error:
                troubles.append(f"{one.path} can't be compressed: {getattr(error, 'strerror', None) or error}")
        self.trouble = "; ".join(troubles[:3])

    def _shed(self) -> None:
        """Remove what is too old or too much, oldest first. What is written to is never removed."""
        closed = [(_octets(one.path), one) for one in closed_files(self._folder)]
        total = sum(_octets(path) for path in self._folder.iterdir())
        aged: dict[str, int] = {}
        for octets, one in sorted(closed, key=lambda pair: (pair[1].day, pair[1].number)):
            old = self._aged(one) and aged.get(one.base, 0) < AGED_MAX
            if old or total > self._limits.total:
                one.path.unlink(missing_ok=True)
                total -= octets
                aged[one.base] = aged.get(one.base, 0) + old
        if total > self._limits.total:
            kept, most = total >> 20, self._limits.total >> 20
            self.trouble = f"the journals take {kept} MiB without one closed file, and `journal: total` is {most} MiB"

    def _aged(self, one: Closed) -> bool:
        return one.day < time.strftime("%Y-%m-%d", time.gmtime(self._wall() - self._limits.days * _DAY_S))

    def measure(self) -> int:
        """How many octets all files have; as known before if they can't be seen."""
        try:
            some = [_octets(path) for path in self._folder.iterdir() if ".jsonl" in path.name]
        except OSError:
            return self.octets
        self.octets, self.files = sum(some), len(some)
        return self.octets


class ShelfKeeper:
    """Tidies in a thread of its own: at once, whenever a file was closed, and hourly."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._due = threading.Event()

    def start(self, tell: Callable[[str], None]) -> None:
        """`tell` hears after each pass what is wrong, if anything. The thread ends with the process: whatever it is
        at can be begun anew."""
        threading.Thread(target=self._run, args=(tell,), name="shelf", daemon=True).start()

    def wake(self) -> None:
        """A file was closed."""
        self._due.set()

    def _run(self, tell: Callable[[str], None]) -> None:
        while True:
            self.shelf.tidy()
            tell(self.shelf.trouble)
            self._due.wait(TIDY_S)
            self._due.clear()


def _packed(path: Path) -> None:
    """The file compressed beside itself, and then only so. Raises OSError, ZstdError."""
    copy = path.with_name(path.name + ".zst")
    draft = path.with_name(copy.name + ".part")
    try:
        written = hashlib.sha256()
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(file, "wb") as target:
            writer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).stream_writer(target, closefd=False)
            with writer, open(path, "rb") as source:
                for piece in _pieces(source):
                    written.update(piece)
                    writer.write(piece)
            target.flush()
            os.fsync(target.fileno())
        _compare(draft, written.digest(), path)
        os.rename(draft, copy)
    except (OSError, zstandard.ZstdError):
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the copy has its name on disk before the file loses its own
        os.unlink(path)
    finally:
        os.close(folder)


def _compare(draft: Path, wanted: bytes, path: Path) -> None:
    read = hashlib.sha256()
    with zstandard.ZstdDecompressor().stream_reader(open(draft, "rb"), closefd=True) as source:
        for piece in _pieces(source):
            read.update(piece)
    if read.digest() != wanted:
        raise OSError(f"the compressed copy of {path.name} reads otherwise than it was written")


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def _pieces(source: _Readable) -> Iterator[bytes]:
    while piece := source.read(PIECE):
        yield piece


def _octets(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
