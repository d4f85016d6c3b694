"""The journal: JSON Lines, one file a process; an intent is on disk before its write is sent (G10).

Schema, version 2, documented in `docs/journal.md`: every line has `v`, `at` (UTC, RFC 3339), `role`, `who`, `event`;
the rest depends on the event. Order between processes is that of the markers' nonces and generations, not of clocks.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

VERSION: Final = 2
"""1: an intent did not tell what it asserts and puts, nor a plan who leaves. Whoever reads 2 reads 1."""
LINE_OCTETS_MAX: Final = 1 << 20
FILE_OCTETS_MAX: Final = 64 << 20
"""A file that has grown beyond this is put aside as `.1`, so that a journal can't fill a disk by itself."""

_encoder: Final = msgspec.json.Encoder(enc_hook=str)


class Journal:
    """One process's journal. Never raises: `broken` says why it can't be written, until it can again.

    `listener` hears each event as well: the terminal.
    """

    def __init__(
        self, folder: Path, role: str, who: str, *, listener: Callable[[Mapping[str, Any]], None] | None = None
    ) -> None:
        self.role, self.who = role, who
        self._listener = listener
        self.path = folder / f"{role}-{who}.jsonl"
        self.broken = ""
        self._file = -1

    def write(self, event: str, *, durable: bool = False, **facts: Any) -> bool:
        """Append one event; `durable` waits until it is on disk. False if it could not be written."""
        return self.write_all(event, (facts,), durable=durable)

    def write_all(self, event: str, several: Sequence[Mapping[str, Any]], *, durable: bool = False) -> bool:
        """Append several events of one kind at once."""
        common = {"v": VERSION, "at": now_text(), "role": self.role, "who": self.who, "event": event}
        lines = [{**common, **facts} for facts in several]
        if self._listener is not None:
            for line in lines:
                self._listener(line)
        octets = b"".join(_encoder.encode(line) + b"\n" for line in lines)
        try:
            file = self._opened()
            if os.write(file, octets) != len(octets):
                raise OSError("only part of a line could be written")
            if durable:
                os.fdatasync(file)
        except OSError as error:
            self.broken = f"the journal {self.path} can't be written: {error.strerror or error}"
            self.close()
            return False
        self.broken = ""
        return True

    def close(self) -> None:
        """Close the file; the next write opens it again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _opened(self) -> int:
        if self._file < 0:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._mend()
        if os.fstat(self._file).st_size > FILE_OCTETS_MAX:
            os.close(self._file)
            self._file = -1
            os.replace(self.path, self.path.with_suffix(".jsonl.1"))
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return self._file

    def _mend(self) -> None:
        """End a line that a crash cut off, so that it spoils only itself."""
        size = os.fstat(self._file).st_size
        if size:
            with open(self.path, "rb") as file:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    os.write(self._file, b"\n")


def now_text() -> str:
    """This machine's wall clock, for people."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_journal(folder: Path, *, events: Iterable[str] = ()) -> Iterator[Mapping[str, Any]]:
    """All events of all processes on this machine, sorted by their own clocks. Broken lines are passed over."""
    wanted = frozenset(events)
    found: list[Mapping[str, Any]] = []
    for path in sorted(folder.glob("*.jsonl*")):
        found.extend(_read_file(path, wanted))
    found.sort(key=lambda line: str(line.get("at", "")))
    yield from found


def _read_file(path: Path, wanted: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    try:
        with open(path, "rb") as file:
            while octets := file.readline(LINE_OCTETS_MAX):
                try:
                    line = json.loads(octets)
                except ValueError:
                    continue
                if isinstance(line, dict) and (not wanted or line.get("event") in wanted):
                    yield line
    except OSError:
        return
