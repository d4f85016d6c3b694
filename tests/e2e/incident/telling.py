"""Both timelines side by side, in colour: what happened, and what `dig` said at each step."""

from __future__ import annotations

import threading
from typing import Final, Literal, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from e2e.incident.account import Dug, Staged, Step

Side: TypeAlias = Literal[0, 1]
SOURCES: Final = (
    "Told after AWS's post-event summary (message/101925) and DAT453 at re:Invent 2025; the numbers 110 and 145 are "
    "the speaker's invention. On the left the cores as rebuilt from these, on the right production's; both are "
    "processes at a stand-in for Route 53, where a request that is held at the door is an enactor that is slow. "
    "docs/incident.md says more."
)


class Teller:
    """Prints a row as soon as both runs have come so far; each run tells from a thread of its own."""

    def __init__(self, console: Console, titles: tuple[str, str], names: tuple[str, str]) -> None:
        self._console, self._titles, self._names = console, titles, names
        self._steps: tuple[list[Step], list[Step]] = ([], [])
        self._shown = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Titles, and what is shown."""
        self._console.print(Text(SOURCES, style="dim"))
        self._row(*(Text(title, style="bold underline") for title in self._titles))
        self._row(*(Text(f"$ dig {name}", style="cyan") for name in self._names))

    def say(self, side: Side, step: Step) -> None:
        """A step of one of them."""
        with self._lock:
            self._steps[side].append(step)
            while self._shown < min(map(len, self._steps)):
                left, right = (some[self._shown] for some in self._steps)
                assert left.key == right.key, (left, right)
                self._shown += 1
                self._row(_told(self._shown, left), _told(self._shown, right))

    def end(self, left: Staged, right: Staged) -> None:
        """A last line each."""
        self._row(_outcome(left), _outcome(right))

    def _row(self, left: Text, right: Text) -> None:
        grid = Table.grid(expand=True, padding=(0, 2, 1, 0))
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        grid.add_row(left, right)
        self._console.print(grid)


def _told(number: int, step: Step) -> Text:
    text = Text()
    text.append(f"{number}  {step.at:5.1f} s  ", style="dim")
    text.append(f"{step.actor} ", style="bold")
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
