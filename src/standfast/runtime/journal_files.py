"""Journal files: what they are called, which belong together, and their lines, compressed or not.

`enactor-a.jsonl` is written to; `enactor-a.000042.2026-11-28.jsonl` is closed, the 42nd of that process, and `….zst` is
the same compressed. Files are ordered by their numbers: the date is for people. `….jsonl.1` is how versions 1 and 2
put a file aside.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import zstandard
from msgspec import Struct

LINE_OCTETS_MAX: Final = 4 << 20
_CLOSED: Final = re.compile(r"(?P<base>.+)\.(?P<number>\d{6,9})\.(?P<day>\d{4}-\d\d-\d\d)\.jsonl(?P<packed>\.zst)?")


class Closed(Struct, frozen=True, order=True):
    """A file that is not written to any more. `day` is UTC, as its writer's clock had it when it was closed."""

    number: int
    packed: bool
    base: str
    day: str
    path: Path


def closed_name(base: str, number: int, day: str) -> str:
    """What a file is called once it is closed."""
    return f"{base}.{number:06d}.{day}.jsonl"


def closed_of(path: Path) -> Closed | None:
    """The file as a closed one, if its name says so."""
    if (found := _CLOSED.fullmatch(path.name)) is None:
        return None
    return Closed(int(found["number"]), bool(found["packed"]), found["base"], found["day"], path)


def closed_files(folder: Path, base: str = "") -> list[Closed]:
    """All closed files, or those of one process, by number; of a file and its compressed copy only the file.

    Both are there while one is made from the other: then the copy may be of no use yet.
    """
    found: dict[tuple[str, int], Closed] = {}
    for path in folder.glob("*.jsonl*"):
        one = closed_of(path)
        if one is not None and base in ("", one.base):
            known = found.get((one.base, one.number))
            if known is None or known.packed:
                found[one.base, one.number] = one
    return sorted(found.values())


def open_lines(path: Path) -> BinaryIO:
    """The file's lines as they were written. Raises OSError; reading may raise zstandard.ZstdError."""
    raw = path.open("rb")
    if path.suffix != ".zst":
        return raw
    unpacked = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True, closefd=True)
    return io.BufferedReader(unpacked)


def objects(path: Path, wanted: frozenset[str] = frozenset()) -> Iterator[Mapping[str, Any]]:
    """The events of one file; broken lines are passed over, a file that can't be read has none."""
    marks = tuple(f'"event":"{event}"'.encode() for event in wanted)
    try:
        with open_lines(path) as file:
            while octets := file.readline(LINE_OCTETS_MAX):
                if marks and not any(mark in octets for mark in marks):
                    continue
                try:
                    line = msgspec.json.decode(octets)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if isinstance(line, dict) and (not wanted or line.get("event") in wanted):
                    yield line
    except (OSError, zstandard.ZstdError):
        return


def read_journal(folder: Path, *, events: Iterable[str] = (), roles: Iterable[str] = ()) -> Iterator[Mapping[str, Any]]:
    """All events of all processes on this machine, sorted by their own clocks; of these kinds and roles if given."""
    wanted, prefixes = frozenset(events), tuple(f"{role}-" for role in roles)
    closed = closed_files(folder)
    paths = [*folder.glob("*.jsonl.1"), *(one.path for one in closed)]
    paths += [path for path in folder.glob("*.jsonl") if closed_of(path) is None]
    found: list[Mapping[str, Any]] = []
    for path in sorted(paths):
        if not prefixes or path.name.startswith(prefixes):
            found.extend(objects(path, wanted))
    found.sort(key=lambda line: str(line.get("at", "")))
    yield from found
