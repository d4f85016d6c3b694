"""`python -m bench.search`: the two engines of the search beside Spin, on the same scopes in the same run.

Spin's model is written by walking the system (`sim/search/promela.py`), so asking the cores is no part of its time;
nor is translating and compiling. What the engines spend on asking is told apart for the same reason.
"""

import platform
import sys
import time
from typing import Final

import click
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from standfast.errors import StandfastError
from standfast.sim.asbuilt.remedies import Built
from standfast.sim.asbuilt.system import AsBuilt, Scope
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.compiled import compiled_search
from standfast.sim.search.exploring import explore
from standfast.sim.search.product import System
from standfast.sim.search.spin import agreement
from standfast.sim.world.scopes import SCOPES
from standfast.sim.world.world import World

AS_BUILT: Final = "as-built"
DEFAULT: Final = ("three-enactors", AS_BUILT)
STATES_MAX: Final = 20_000_000


class Measured(Struct, frozen=True):
    """One scope: processor seconds of each search for all of it; those that the compiled one asked are left out."""

    title: str
    states: int
    transitions: int
    agrees: bool
    python: float
    compiled: float
    asking: float
    spin: float

    def row(self) -> tuple[str, ...]:
        """For the table: thousands of states and of transitions a second, and the ratio to Spin."""

        def rate(seconds: float) -> str:
            return f"{self.states / seconds / 1e3:,.0f} | {self.transitions / seconds / 1e3:,.0f}"

        return (
            self.title,
            f"{self.states:,} | {self.transitions:,}",
            "yes" if self.agrees else "NO",
            rate(self.python),
            f"{rate(self.compiled)} (+ {self.asking:.1f} s asking)",
            rate(self.spin),
            f"{self.spin / self.compiled:.2f}",
        )


def system_of(name: str) -> System:
    """A run of the standard scope, or the system as built. Raises StandfastError for a name that is none."""
    if name == AS_BUILT:
        return AsBuilt(Built(("a.example", "b.example")), Scope(2, 3, 2), fused=False)
    runs = {run.name: run for run in SCOPES["standard"].runs}
    if name not in runs:
        raise StandfastError(f"There is no run {name}.", f"Choose from: {', '.join([AS_BUILT, *runs])}.")
    return World(runs[name])


def measure(name: str, python_seconds: float, reductions: Reductions) -> Measured:
    """Search one scope three times."""
    begun = time.thread_time()
    python = explore(system_of(name), states_max=STATES_MAX, seconds_max=python_seconds, reductions=reductions).bounds
    in_python = time.thread_time() - begun
    search = compiled_search(system_of(name), reductions, states_max=STATES_MAX)
    begun = time.thread_time()
    bounds = search.run().bounds
    compiled = time.thread_time() - begun - search.asking_seconds
    spin = agreement(system_of(name), states_max=STATES_MAX, reductions=reductions, compiled=True)
    return Measured(
        title=name if reductions.symmetry else f"{name}, no symmetry",
        states=bounds.states,
        transitions=bounds.transitions,
        agrees=spin.holds and (bounds.states, bounds.transitions) == (spin.states, spin.transitions),
        python=in_python * bounds.transitions / python.transitions,
        compiled=compiled,
        asking=search.asking_seconds,
        spin=spin.spin_seconds,
    )


@click.command()
@click.argument("names", nargs=-1)
@click.option("--python-seconds", default=20.0, show_default=True, help="the engine in Python is measured for so long")
@click.option("--no-symmetry", is_flag=True, help="search without exchanging interchangeable actors, all three")
def main(names: tuple[str, ...], python_seconds: float, no_symmetry: bool) -> None:
    """Measure the named runs of the standard scope (and `as-built`); exit 1 if Spin counts anything else than we do."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    reductions = Reductions(symmetry=not no_symmetry)
    begun = time.monotonic()
    compiled_search(AsBuilt(Built(("a.example",)), Scope(1, 1, 1)), states_max=1000).run()
    loading = time.monotonic() - begun
    try:
        measured = [measure(name, python_seconds, reductions) for name in names or DEFAULT]
    except StandfastError as error:
        console.print(str(error), style="red")
        sys.exit(error.exit_code)
    table = Table(
        title="Thousands of states | of transitions a second of one processor",
        caption=f"Python {platform.python_version()}; loading (the first time, compiling) the machine code: "
        f"{loading:.1f} s. The engine in Python asks within its time.",
    )
    for title in ("scope", "states | transitions", "Spin agrees", "Python", "compiled", "Spin", "compiled / Spin"):
        table.add_column(title)
    for one in measured:
        table.add_row(*one.row())
    console.print(table)
    sys.exit(0 if all(one.agrees for one in measured) else 1)


if __name__ == "__main__":
    main()
