"""A line of progress while a search runs: on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from standfast.sim.search.product import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID

Telling: TypeAlias = Callable[[str], None]


@contextmanager
def progress_line(*, quiet: bool) -> Iterator[Telling]:
    """Whoever is told a text shows it in place of the one before, on standard error."""
    if quiet or not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(bar_width=20), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task: TaskID = bar.add_task("starting", total=None)
        yield lambda text: bar.update(task, description=text)


def far(name: str, seen: Progress) -> str:
    """How far the search of that name is."""
    rate = seen.states / seen.seconds if seen.seconds > 0 else 0.0
    return f"{name}: {seen.states:,} states, depth {seen.depth}, {seen.frontier:,} to look at, {rate:,.0f} states/s"
