"""A second opinion: Spin searches a model of the system, and its counts must be ours to the last state.

Spin 6.5 (https://spinroot.com) is Debian's package `spin`; the model is compiled by gcc.
"""

import re
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from shutil import which
from typing import Final

from msgspec import Struct

from standfast.errors import StandfastError

from .canonical import FULL, Reductions
from .compiled import compiled_search
from .exploring import survey
from .product import System
from .promela import model

BOOKKEEPING_STATES: Final = 1
"""Spin's initial state, in which the row has not been written yet."""
BOOKKEEPING_TRANSITIONS: Final = 2
"""The step that writes it; and Spin counts transitions as states stored and matched, so its initial state is one."""
WORTH_OPTIMIZING: Final = 50_000
"""States from which on gcc's time is won back."""


class Agreement(Struct, frozen=True):
    """States and transitions by our search and by Spin's, without its bookkeeping.

    Seconds are those of a processor, for each search alone; `making`: to write, translate and compile the model.
    """

    title: str
    states: int
    transitions: int
    seconds: float
    spin_states: int
    spin_transitions: int
    spin_seconds: float
    making: float

    @property
    def holds(self) -> bool:
        """Whether both counted the same."""
        return (self.states, self.transitions) == (self.spin_states, self.spin_transitions)


def agreement(
    system: System,
    *,
    states_max: int = 5_000_000,
    reductions: Reductions = FULL,
    seconds_max: float = 600.0,
    compiled: bool = False,
) -> Agreement:
    """Search the system here, in Python or compiled, and with Spin.

    Raises StandfastError if either can't finish, or Spin is not there.
    """
    begun = time.thread_time()
    if compiled:
        search = compiled_search(system, reductions, states_max=states_max)
        ours, graph, symbols = search.run(seconds_max).bounds, search.graph, search.width
    else:
        exploration = survey(system, states_max=states_max, seconds_max=seconds_max, reductions=reductions)
        ours, graph, symbols = exploration.result.bounds, exploration.graph, exploration.symbols_max()
    if not ours.complete:
        raise StandfastError(f"{system.title}: not finished after {ours.states} states.", "Take a smaller scope.")
    searched = time.thread_time() - begun
    begun = time.monotonic()
    text = model(graph, symbols)
    with tempfile.TemporaryDirectory(prefix="standfast-spin-") as name:
        folder = Path(name)
        (folder / "model.pml").write_text(text.promela, encoding="ascii")
        (folder / "tables.h").write_text(text.tables, encoding="ascii")
        _run(["spin", "-a", "model.pml"], folder, seconds_max)
        effort = "-O2" if ours.states > WORTH_OPTIMIZING else "-O0"
        options = [effort, "-w", "-DBFS", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=8192", f"-DVECTORSZ={text.octets + 1024}"]
        _run(["gcc", *options, "-o", "pan", "pan.c"], folder, seconds_max)
        making, before = time.monotonic() - begun, _processor_seconds()
        told = _run(["./pan", "-E", f"-w{max(16, ours.states.bit_length() + 1)}"], folder, seconds_max)
        spin_seconds = _processor_seconds() - before
    states, transitions = _counts(told)
    return Agreement(
        system.title,
        ours.states,
        ours.transitions,
        searched,
        states - BOOKKEEPING_STATES,
        transitions - BOOKKEEPING_TRANSITIONS,
        spin_seconds,
        making,
    )


def _processor_seconds() -> float:
    """What the programs started so far have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(command: list[str], folder: Path, seconds_max: float) -> str:
    if which(command[0], path=None) is None and not (folder / command[0]).exists():
        raise StandfastError(f"{command[0]} is not installed.", "On Debian: apt install spin gcc.")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds_max, check=False)
    except subprocess.TimeoutExpired:
        raise StandfastError(f"{command[0]} did not finish in {seconds_max:g} s.", "Take a smaller scope.") from None
    told = done.stdout + done.stderr
    if done.returncode:
        raise StandfastError(f"{' '.join(command)} failed ({done.returncode}): {told.strip()[-2000:]}")
    return told


def _counts(told: str) -> tuple[int, int]:
    """States stored and transitions, as Spin tells them. Raises StandfastError unless its search was complete."""
    states = re.search(r"^\s*(\d+) states, stored", told, re.MULTILINE)
    transitions = re.search(r"^\s*(\d+) transitions", told, re.MULTILINE)
    complete = re.search(r"errors: 0$", told, re.MULTILINE) and "Search not completed" not in told
    if not (states and transitions and complete):
        raise StandfastError(f"Spin did not finish its search: {told.strip()[-2000:]}")
    return int(states[1]), int(transitions[1])
