"""New lines of all journals of this machine, as they come, across the closing of files and our own restart.

It only reads. Where it is in each journal is kept in a file, so that what happened while it was away is told when it is
back; without that file it begins at the end.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import zstandard

from ..journal_files import LINE_OCTETS_MAX, closed_files, closed_of, open_lines

AT_ONCE: Final = 4 << 20
"""So many octets of a journal are read in one turn: whoever comes back after long takes many turns."""


class Follower:
    """`lines` gives what is new. `memory` is where it keeps its places."""

    def __init__(self, folder: Path, memory: Path) -> None:
        self._folder, self._memory = folder, memory
        self._places = self._remembered()
        if self._places is None:
            self._places = {path.name: (path.stat().st_ino, path.stat().st_size) for path in self._active()}
            self._remember()

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
        inode, offset = places.get(path.name, (0, 0))
        now = path.stat().st_ino
        if inode not in (0, now):
            yield from self._rest(path, inode, offset)
            offset = 0
        with path.open("rb") as file:
            file.seek(offset)
            octets = file.read(AT_ONCE)
        whole = octets[: octets.rfind(b"\n") + 1]
        if not whole and len(octets) > LINE_OCTETS_MAX - 1:
            whole = octets  # no line of ours is so long
        places[path.name] = (now, offset + len(whole))
        yield from _events(whole)

    def _rest(self, path: Path, inode: int, offset: int) -> Iterator[Mapping[str, Any]]:
        """What the file that was followed has beyond `offset`, and all files closed since: they have names now."""
        closed = closed_files(self._folder, path.name.removesuffix(".jsonl"))
        same = [one.number for one in closed if not one.packed and one.path.stat().st_ino == inode]
        # One that was compressed meanwhile is another file: then it is the newest but those not followed yet.
        first = same[0] if same else closed[-1].number if closed else 0
        for one in closed:
            if one.number >= first:
                with open_lines(one.path) as file:
                    _skip(file, offset if one.number == first else 0)
                    while octets := file.readline(LINE_OCTETS_MAX):
                        yield from _events(octets)

    def _remembered(self) -> dict[str, tuple[int, int]] | None:
        try:
            found = json.loads(self._memory.read_bytes())
            return {str(name): (int(inode), int(offset)) for name, (inode, offset) in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return None

    def _remember(self) -> None:
        draft = self._memory.with_suffix(f".{os.getpid()}")
        try:
            draft.write_text(json.dumps(self._places), encoding="utf-8")
            os.replace(draft, self._memory)
        except OSError:
            return  # what was told may be told again after a restart: receivers know it by its key


def _skip(file: Any, octets: int) -> None:
    while octets > 0 and (piece := file.read(min(octets, 1 << 20))):
        octets -= len(piece)


def _events(octets: bytes) -> Iterator[Mapping[str, Any]]:
    for line in octets.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found
