"""Journal files on disk: which there are, which belong together, in which order, and how to open them.

`NAME.jsonl` is written to; `NAME.000042.2026-11-28.jsonl` is closed, `.zst` compressed, `NAME.jsonl.1` what versions 1
and 2 had put aside. The number is the order; the date is for people.
"""

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

import zstandard
from msgspec import Struct

from standfast.errors import JournalError

_NAME: Final = re.compile(
    r"(?P<base>.+?)(?:\.(?P<number>\d{6,9})\.\d{4}-\d\d-\d\d)?\.jsonl(?P<packed>\.zst)?(?P<aside>\.1)?"
)


class Journal(Struct, frozen=True):
    """The files of one process, oldest first. `number` is that of the first: 0 if it begins with the first of all."""

    name: str
    files: tuple[Path, ...]


class _File(Struct, frozen=True, order=True):
    """`order`: what was put aside, then what was closed, by number, then what is written to."""

    order: int
    packed: bool
    path: Path
    base: Path


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
    groups: dict[Path, dict[int, _File]] = {}
    for path in found:
        one = _file(path)
        some = groups.setdefault(one.base, {})
        if one.order not in some or not one.packed:
            some[one.order] = one  # not its compressed copy, which may not be whole yet
    names = _names(list(groups))
    return tuple(
        Journal(names[base], tuple(one.path for one in sorted(files.values())))
        for base, files in sorted(groups.items())
    )


def _in(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.1"), *folder.glob("*.jsonl.zst")])


def _file(path: Path) -> _File:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return _File(1 << 40, False, path, path)
    order = int(match["number"]) if match["number"] else 0 if match["aside"] else 1 << 40
    return _File(order, bool(match["packed"]), path, path.with_name(match["base"] + ".jsonl"))


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


def open_lines(path: Path) -> BinaryIO:
    """The file's lines as they were written. Raises OSError; reading may raise zstandard.ZstdError."""
    raw = path.open("rb")
    if path.suffix != ".zst":
        return raw
    unpacked = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True, closefd=True)
    return io.BufferedReader(unpacked)


def shown_name(journal: Journal, path: Path) -> str:
    """The file as places name it: beside the journal's own name."""
    own = path.name.removesuffix(".zst")
    folder = str(Path(journal.name).parent)
    return own if folder == "." else f"{folder}/{own}"
