"""Going through a story by keys, in both directions. Reading keys is apart from what they mean."""

import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal, TypeAlias

from msgspec import Struct, structs

Key: TypeAlias = Literal["next", "back", "first", "last", "notable", "notable_back", "quit", ""]
KEYS: Final[dict[bytes, Key]] = {
    b"n": "next",
    b" ": "next",
    b"\r": "next",
    b"\n": "next",
    b"\x1b[C": "next",
    b"\x1b[B": "next",
    b"\x1bOC": "next",
    b"\x1bOB": "next",
    b"p": "back",
    b"\x7f": "back",
    b"\x1b[D": "back",
    b"\x1b[A": "back",
    b"\x1bOD": "back",
    b"\x1bOA": "back",
    b"\x1b[H": "first",
    b"\x1bOH": "first",
    b"\x1b[1~": "first",
    b"\x1b[7~": "first",
    b"g": "first",
    b"\x1b[F": "last",
    b"\x1bOF": "last",
    b"\x1b[4~": "last",
    b"\x1b[8~": "last",
    b"G": "last",
    b"j": "notable",
    b"k": "notable_back",
    b"q": "quit",
    b"\x03": "quit",
    b"\x04": "quit",
    b"\x1b": "quit",
}
"""What terminals send: letters, and the sequences of xterm, rxvt and the Linux console."""
_LONGEST: Final = 8


class Position(Struct, frozen=True):
    """Where a reader is: `step` of `last` (0 is the beginning). `notable` are steps with a refusal or violation."""

    last: int
    notable: tuple[int, ...]
    step: int = 0
    left: bool = False

    def pressed(self, key: Key) -> "Position":
        """Where that key leads; at an end it stays."""
        match key:
            case "next":
                return self._at(self.step + 1)
            case "back":
                return self._at(self.step - 1)
            case "first":
                return self._at(0)
            case "last":
                return self._at(self.last)
            case "notable":
                return self._at(next((one for one in self.notable if one > self.step), self.step))
            case "notable_back":
                return self._at(next((one for one in reversed(self.notable) if one < self.step), self.step))
            case "quit":
                return structs.replace(self, left=True)
        return self

    def _at(self, step: int) -> "Position":
        return structs.replace(self, step=min(self.last, max(0, step)))


def split(octets: bytes) -> Iterator[Key]:
    """The keys in what a terminal sent at once; what is not known is passed over."""
    while octets:
        size = next((n for n in range(min(_LONGEST, len(octets)), 0, -1) if octets[:n] in KEYS), 0)
        if octets[:1] == b"\x1b" and size <= 1 and len(octets) > 1:  # a sequence that means nothing here
            end = next((n for n in range(2, len(octets)) if 0x40 <= octets[n] <= 0x7E), len(octets) - 1)
            octets = octets[end + 1 :]
            continue
        yield KEYS[octets[:size]] if size else ""
        octets = octets[max(1, size) :]


def walk(position: Position, show: Callable[[Position], None], keys: Iterator[Key]) -> Position:
    """Show each position that is reached, until the reader leaves or there are no more keys."""
    show(position)
    for key in keys:
        position = position.pressed(key)
        if position.left:
            break
        if key:
            show(position)
    return position


@contextmanager
def typed() -> Iterator[Iterator[Key]]:
    """Keys as they are typed on standard input, which must be a terminal; it is put right again at the end."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield _read(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read(descriptor: int) -> Iterator[Key]:
    while octets := os.read(descriptor, 64):
        yield from split(octets)
