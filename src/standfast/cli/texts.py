"""Words, shapes and columns that the commands share. Colour only repeats what a word and a shape say already.

Colour is left out where the output is no terminal (click strips it) and where NO_COLOR is set (no-color.org).
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import click

from standfast.model.name import is_below, relative

Level: TypeAlias = Literal["ok", "note", "problem"]
Tone: TypeAlias = Literal["good", "watch", "bad", "plain", "faint", "strong"]

_TONES: Final[dict[Tone, dict[str, object]]] = {
    "good": {"fg": "green"},
    "watch": {"fg": "yellow"},
    "bad": {"fg": "red", "bold": True},
    "plain": {},
    "faint": {"dim": True},
    "strong": {"bold": True},
}
_LEVELS: Final[dict[Level, tuple[str, Tone]]] = {
    "ok": ("✓ ok", "good"),
    "note": ("▲ note", "watch"),
    "problem": ("■ WRONG", "bad"),
}
_LEVEL_WIDTH: Final = 9
_WIDTH_MIN: Final = 60
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def paint(text: str, tone: Tone) -> str:
    """The text in that tone's colour."""
    style = _TONES[tone]
    return click.style(text, **style) if style else text  # type: ignore[arg-type]


def say(text: str = "", *, err: bool = False) -> None:
    """One line, or several, for people."""
    click.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)


def say_all(*lines: str) -> None:
    """Lines for people, cut at words for their terminal."""
    for line in fitted(lines):
        say(line)


def width() -> int:
    """Columns to fill; no limit where nobody looks at a terminal."""
    seen = sys.stdout is not None and sys.stdout.isatty()
    return max(_WIDTH_MIN, shutil.get_terminal_size().columns) if seen else 10_000


def fitted(lines: Iterable[str]) -> list[str]:
    """Lines cut at words for the terminal's width; what goes on stands four columns further in."""
    columns, found = width(), []
    for line in lines:
        if len(click.unstyle(line)) <= columns:
            found.append(line)
            continue
        indent = " " * min(len(line) - len(line.lstrip()) + 4, columns // 2)
        found += textwrap.wrap(line, columns, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
    return found


def finding_lines(level: Level, subject: str, text: str, subject_width: int) -> list[str]:
    """A finding in columns; a long text goes on below its own column."""
    word, tone = _LEVELS[level]
    indent = 2 + _LEVEL_WIDTH + subject_width + 2
    lines = textwrap.wrap(text, max(30, width() - indent), break_on_hyphens=False, break_long_words=False) or [""]
    head = f"  {paint(word.ljust(_LEVEL_WIDTH), tone)}{subject.ljust(subject_width)}  {lines[0]}"
    return [head.rstrip(), *(" " * indent + line for line in lines[1:])]


def counted(number: int, one: str, many: str = "") -> str:
    """Such as `1 zone` and `2 zones`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def in_words(number: int) -> str:
    """Small numbers as words: three."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)


def short_name(name: str, zones: Iterable[str]) -> str:
    """An owner name as people call it: without its zone where there is only one."""
    apexes = list(zones)
    if len(apexes) != 1 or not is_below(name, apexes[0]):
        return name
    return relative(name, apexes[0]) or "@"


def folded(addresses: Sequence[str]) -> str:
    """Addresses with what they share said once: 192.0.2.11 .12 .21."""
    parts: list[str] = []
    last = ""
    for address in addresses:
        head, dot, tail = address.rpartition(".")
        parts.append(f".{tail}" if dot and head == last else address)
        last = head if dot else ""
    return " ".join(parts)


def seconds(value: float) -> str:
    """Such as `17 s`, `1.5 s`, `41 ms`."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.3g} s" if value < 100 else f"{value:.0f} s"


def cleaned(text: str, most: int = 60) -> str:
    """A text from the network, fit for one line of a terminal."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
