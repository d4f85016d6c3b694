"""New lines of all journals of this machine, as they come, across the closing of files and our own restart.

It only reads. Where it is in each journal is kept in a file, so that what happened while it was away is told when it is
back; without that file it begins at the end.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import zstandard

from ..journal_files import LINE_OCTETS_MAX, closed_files, closed_of, open_lines

AT_ONCE: Final = 4 << 20
"""So many octets of a journal are read in one turn: whoever comes back after long takes many turns."""

_At: TypeAlias = tuple[int, int, int]
"""Inode, number and offset: a file that is closed meanwhile and compressed is known by its number."""
_FIRST: Final = re.compile(rb'.{1,200}"event":"checkpoint","stream":"[^"]*","file":(\d+)')


class Follower:
    """`lines` gives what is new. `memory` is where it keeps its places."""

    def __init__(self, folder: Path, memory: Path) -> None:
        self._folder, self._memory = folder, memory
        self._places = self._remembered()
        if self._places is None:
            self._places = {path.name: end for path in self._active() if (end := self._end(path)) is not None}
            self._remember()

    @staticmethod
    def _end(path: Path) -> _At | None:
        try:
            with path.open("rb") as file:
                there = os.fstat(file.fileno())
                return there.st_ino, _number(file), there.st_size
        except OSError:
            return None  # just closed, or not ours to read: all of what takes its place is new

    def _active(self) -> list[Path]:
        return [path for path in sorted(self._folder.glob("*.jsonl")) if closed_of(path) is None]

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Events that were written since; places are kept when all were taken."""
        assert self._places is not None
        before = dict(self._places)
        for path in self._active():
            try:
                yield from self._new(path)
            except (OSError, zstandard.ZstdError):
                continue  # at the next turn
        if self._places != before:
            self._remember()

    def _new(self, path: Path) -> Iterator[Mapping[str, Any]]:
        places = self._places
        assert places is not None
        inode, number, offset = places.get(path.name, (0, 0, 0))
        with path.open("rb") as file:
            now = os.fstat(file.fileno()).st_ino
            if inode != now:
                if inode:
                    yield from self._rest(path, number, offset)
                number, offset = _number(file), 0
            file.seek(offset)
            octets = file.read(AT_ONCE)
        whole = octets[: octets.rfind(b"\n") + 1]
        if not whole and len(octets) > LINE_OCTETS_MAX - 1:
            whole = octets  # no line of ours is so long
        places[path.name] = (now, number, offset + len(whole))
        yield from _events(whole)

    def _rest(self, path: Path, number: int, offset: int) -> Iterator[Mapping[str, Any]]:
        """What the file that was followed has beyond `offset`, and all files closed since: they have names now."""
        for one in closed_files(self._folder, path.name.removesuffix(".jsonl")):
            if one.number >= number:
                with open_lines(one.path) as file:
                    _skip(file, offset if one.number == number else 0)
                    while octets := file.readline(LINE_OCTETS_MAX):
                        yield from _events(octets)

    def _remembered(self) -> dict[str, _At] | None:
        try:
            found = json.loads(self._memory.read_bytes())
            return {str(name): (int(inode), int(number), int(at)) for name, (inode, number, at) in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return None

    def _remember(self) -> None:
        draft = self._memory.with_suffix(f".{os.getpid()}")
        try:
            draft.write_text(json.dumps(self._places), encoding="utf-8")
            os.replace(draft, self._memory)
        except OSError:
            return  # what was told may be told again after a restart: receivers know it by its key


def _number(file: Any) -> int:
    """Which file of its journal it is: its checkpoint says so, and the first has none."""
    found = _FIRST.match(file.readline(1024))
    return int(found[1]) if found else 1


def _skip(file: Any, octets: int) -> None:
    while octets > 0 and (piece := file.read(min(octets, 1 << 20))):
        octets -= len(piece)


def _events(octets: bytes) -> Iterator[Mapping[str, Any]]:
    for line in octets.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found
