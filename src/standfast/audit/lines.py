"""Journals on disk: which files there are, which belong together, and their lines one after the other.

A journal that was put aside (`.1`) is the older part of the file beside it. Lines are read one at a time, so a journal
of any size takes the memory of its longest line.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import msgspec
from msgspec import Struct

from standfast.errors import JournalError

from .format import BODIES, VERSIONS, Body, Header

LINE_OCTETS_MAX: Final = 4 << 20
_ASIDE: Final = ".jsonl.1"


class Place(Struct, frozen=True, array_like=True, gc=False):
    """A line of a file, from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Journal(Struct, frozen=True):
    """The files of one process, oldest first."""

    name: str
    files: tuple[Path, ...]


class Told(Struct, frozen=True, gc=False):
    """A line that was understood. `body` is None for events that nothing is concluded from."""

    place: Place
    header: Header
    body: Body | None


class Spoilt(Struct, frozen=True):
    """A line, or the rest of a file, that was not."""

    place: Place
    why: str


Line: TypeAlias = Told | Spoilt
_header = msgspec.json.Decoder(Header)
_bodies = {event: msgspec.json.Decoder(body) for event, body in BODIES.items()}


def find(paths: Iterable[Path]) -> tuple[Journal, ...]:
    """The journals at these paths; of a folder all that lie in it or in its folder `journal`.

    Raises JournalError for a path where there is nothing to read.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = [one for one in _in(path) or _in(path / "journal") if one.is_file()]
            if not inside:
                raise JournalError(f"There is no journal in {path}.", "Give the folder `journal` of a state directory.")
            found.update(dict.fromkeys(one.resolve() for one in inside))
        elif path.is_file():
            found[path.resolve()] = None
        else:
            raise JournalError(f"There is no journal {path}.", "Give a file or a folder that exists.")
    groups: dict[Path, list[Path]] = {}
    for path in found:
        base = path.with_name(path.name.removesuffix(".1")) if path.name.endswith(_ASIDE) else path
        groups.setdefault(base, []).append(path)
    names = _names(list(groups))
    return tuple(
        Journal(names[base], tuple(sorted(files, key=lambda one: not one.name.endswith(_ASIDE))))
        for base, files in sorted(groups.items())
    )


def _in(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.jsonl"), *folder.glob(f"*{_ASIDE}")])


def _names(paths: list[Path]) -> dict[Path, str]:
    """Each path as short as it can be told from the others."""
    names = {path: path.name for path in paths}
    for depth in range(2, 64):
        counts: dict[str, int] = {}
        for name in names.values():
            counts[name] = counts.get(name, 0) + 1
        twins = [path for path, name in names.items() if counts[name] > 1 and depth <= len(path.parts)]
        if not twins:
            break
        names.update({path: str(Path(*path.parts[-depth:])) for path in twins})
    return names


def read(journal: Journal) -> Iterator[Line]:
    """Every line of a journal, oldest first. A file that can't be read is one spoilt line. Never raises."""
    for path in journal.files:
        name = journal.name + (".1" if path.name.endswith(_ASIDE) else "")
        try:
            with path.open("rb") as file:
                yield from _lines(name, file)
        except OSError as error:
            yield Spoilt(Place(name, 0), f"it can't be read: {error.strerror or error}")


def _lines(name: str, file: BinaryIO) -> Iterator[Line]:
    number = 0
    while octets := file.readline(LINE_OCTETS_MAX + 1):
        number += 1
        place = Place(name, number)
        if len(octets) > LINE_OCTETS_MAX:
            while octets and not octets.endswith(b"\n"):
                octets = file.readline(LINE_OCTETS_MAX)
            yield Spoilt(place, f"it has more than {LINE_OCTETS_MAX >> 20} MiB")
        elif octets.strip():
            yield _line(place, octets)


def _line(place: Place, octets: bytes) -> Line:
    try:
        header = _header.decode(octets)
        if header.v not in VERSIONS:
            return Spoilt(place, f"it is of version {header.v}; this Standfast reads {VERSIONS[0]} to {VERSIONS[-1]}")
        decoder = _bodies.get(header.event)
        return Told(place, header, decoder.decode(octets) if decoder else None)
    except msgspec.ValidationError as error:
        return Spoilt(place, f"it is not as docs/journal.md says: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        end = "" if octets.endswith(b"\n") else ", and the file ends there"
        return Spoilt(place, f"it is cut off or garbled{end}")
