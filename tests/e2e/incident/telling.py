"""Both timelines side by side, in colour: what happened, and what `dig` said at each step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final, Literal, TypeAlias

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from e2e.incident.account import Dug, Staged, Step, Voice

Side: TypeAlias = Literal[0, 1]
SIDES: Final[tuple[Side, Side]] = (0, 1)
BESIDE_MIN: Final = 100
"""Columns in which two timelines stand side by side; in fewer, one below the other."""
SOURCES: Final = (
    "Told after AWS's post-event summary (message/101925) and DAT453 at re:Invent 2025; the numbers 110 and 145 are "
    "the speaker's invention. On the left the cores as rebuilt from these, on the right production's; both are "
    "processes at a stand-in for Route 53, where a request that is held at the door is an enactor that is slow. "
    "docs/incident.md says more. Seconds count from each run's own first step; an independent prober asks both names "
    "all the time. Ctrl-C ends it."
)
NEXT: Final = (
    "Next: `standfast replay race` goes through the same schedule step by step, `--with fence` (decoupled, "
    "spare-referenced) with one remedy at a time; `make incident ARGS=--json` gives every step as JSON."
)


class Teller:
    """Prints a row as soon as both runs have come so far; each run tells from a thread of its own. On a terminal a last
    line says what each of them is at."""

    def __init__(self, console: Console, titles: tuple[str, str], names: tuple[str, str]) -> None:
        self._console, self._titles, self._names = console, titles, names
        self._steps: tuple[list[Step], list[Step]] = ([], [])
        self._notes = ["", ""]
        self._status: Status | None = None
        self._lock = threading.Lock()
        self._rows = 0

    def voice(self, side: Side) -> Voice:
        """Who tells of one run."""
        return _Side(self, side)

    def begin(self) -> None:
        """Titles, and what is shown."""
        self._console.print(Text(SOURCES, style="dim"))
        self._row(*(Text(title, style="bold underline") for title in self._titles))
        self._row(*(Text(f"$ dig {name} A", style="cyan") for name in self._names))

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While both run, what they are at stands in a last line."""
        with self._console.status("") if self._console.is_terminal else nullcontext() as status:
            self._status = status
            yield
        self._status = None

    def say(self, side: Side, step: Step) -> None:
        """A step of one of them."""
        with self._lock:
            self._steps[side].append(step)
            self._notes[side] = f"after step {len(self._steps[side])}"
            while self._rows < min(map(len, self._steps)):
                left, right = (some[self._rows] for some in self._steps)
                assert left.key == right.key, (left, right)
                self._rows += 1
                self._row(_told(self._rows, left), _told(self._rows, right))
            self._tell()

    def note(self, side: Side, text: str) -> None:
        """What one of them is at."""
        with self._lock:
            self._notes[side] = text
            self._tell()

    def end(self, left: Staged, right: Staged, *, told: bool) -> None:
        """A last line each, and what to look at next."""
        self._row(_outcome(left), _outcome(right))
        self._console.print(Text(NEXT if told else "It went otherwise than told.", style="dim"))

    def _tell(self) -> None:
        if self._status is not None:
            some = (f"{title}: {note}" for title, note in zip(self._titles, self._notes, strict=True) if note)
            self._status.update(Text(" · ".join(some), style="dim"))

    def _row(self, left: Text, right: Text) -> None:
        if self._console.width < BESIDE_MIN:
            for title, text in zip(self._titles, (left, right), strict=True):
                self._console.print(Text(f"{title}:", style="dim") if self._rows else "", text, sep="\n")
            self._console.print()
            return
        grid = Table.grid(expand=True, padding=(0, 2, 1, 0))
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        grid.add_row(left, right)
        self._console.print(grid)


class _Side(Voice):
    """One run's part."""

    def __init__(self, teller: Teller, side: Side) -> None:
        self._teller, self._side = teller, side

    def say(self, step: Step) -> None:
        self._teller.say(self._side, step)

    def note(self, text: str) -> None:
        self._teller.note(self._side, text)


def _told(number: int, step: Step) -> Text:
    text = Text()
    text.append(f"{number}  {step.at:5.1f} s  ", style="dim")
    text.append(f"{step.actor}: ", style="bold")
    text.append(step.text)
    if step.refused:
        text.append(f"\n■ refused: {step.refused}", style="yellow")
    if step.wrong:
        text.append(f"\n✗ {step.wrong}", style="bold red")
    text.append("\n")
    text.append_text(_dug(step.dug))
    return text


def _dug(dug: Dug) -> Text:
    good = bool(dug.addresses)
    return Text(f"dig: {dug}{'' if good else ' ✗'}", style="green" if good else "bold red")


def _outcome(run: Staged) -> Text:
    bad = run.emptied or run.wedged
    return Text(f"{'✗' if bad else '✓'} {run.title}: {run.outcome}", style="bold red" if bad else "bold green")
