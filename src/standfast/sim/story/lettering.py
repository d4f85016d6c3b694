"""How much room text needs in a drawing: SVG breaks no lines by itself.

Widths are estimated for DejaVu Sans and Verdana, the widest of the usual sans-serif fonts, so that every narrower one
fits as well. Sizes are in the drawing's own units.
"""

from typing import Final

_NARROW: Final = frozenset("iljtfrI.,:;'|!()[]/ ·-")
_WIDE: Final = frozenset("mwMW@%—→…")
_NARROW_EM: Final = 0.40
_WIDE_EM: Final = 0.97
_CAPITAL_EM: Final = 0.71
_OTHER_EM: Final = 0.615


def width(text: str, size: float) -> float:
    """Of one line, in that size of type."""
    return size * sum(_em(character) for character in text)


def _em(character: str) -> float:
    if character in _NARROW:
        return _NARROW_EM
    if character in _WIDE:
        return _WIDE_EM
    if ord(character) > 0x2E80:  # ideographs and the like fill a square
        return 1.0
    return _CAPITAL_EM if character.isupper() else _OTHER_EM


def wrapped(text: str, room: float, size: float) -> list[str]:
    """Lines that fit the room, broken at spaces; a word that is too long for a line is broken anywhere."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        for piece in _pieces(word, room, size):
            longer = f"{line} {piece}" if line else piece
            if line and width(longer, size) > room:
                lines.append(line)
                line = piece
            else:
                line = longer
    return [*lines, line] if line else lines


def _pieces(word: str, room: float, size: float) -> list[str]:
    pieces: list[str] = []
    while width(word, size) > room and len(word) > 1:
        cut = next((n for n in range(len(word) - 1, 1, -1) if width(word[:n], size) <= room), 1)
        for mark in ".-_/":  # rather behind a dot of a long name
            place = word.rfind(mark, 1, cut) + 1
            if place > cut // 2:
                cut = place
                break
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]
