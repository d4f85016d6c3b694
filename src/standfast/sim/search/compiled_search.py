"""Drives the compiled kernel: level by level, answering what it asks and making room for what it finds."""

import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from standfast.errors import StandfastError

from .arrays import (
    COMPARISONS,
    DONE,
    LIMIT,
    NAMES_MAX,
    RETRY,
    STATES,
    SUCCESSORS_MAX,
    TERMINAL,
    TOO_MANY,
    TOO_WIDE,
    TRANSITIONS,
    Found,
    Ints,
    Kept,
    Longs,
    Octets,
    Words,
    Work,
)
from .canonical import Reductions, Row
from .exploring import NO_PARENT, PROGRESS_SECONDS
from .growing import Growing, enlarged, scheme_of
from .kernel import expand, keep, rehash
from .product import Bounds, Finding, Progress, Result, System
from .successors import Successors
from .tracing import trace

CHUNK: Final = 1 << 14
"""States expanded between two looks at the clock."""
SLOTS: Final = 1 << 18
"""Places for exact rows to begin with, a power of two."""
WIDTH: Final = 16
"""Symbols a row has room for to begin with."""


class _Ended(Exception):
    """The search is to end before everything was seen."""


class CompiledSearch:
    """One search. `asking_seconds` afterwards: how long rules and properties were asked."""

    def __init__(self, system: System, reductions: Reductions, *, states_max: int, exact: bool) -> None:
        self.graph = Successors(system, reductions)
        groups = tuple(group for group in system.interchangeable if len(group) > 1) if reductions.symmetry else ()
        self.scheme = scheme_of(self.graph.tables, groups)
        self._exact, self._states_max = exact, states_max
        self._counts: Longs = np.zeros(RETRY + 1, np.int64)
        self._growing = Growing(self.graph.tables, self.scheme, self._counts)
        self._found = Found(
            self._counts,
            np.zeros(len(self.graph.tables.rules), np.int64),
            np.full((NAMES_MAX, 2), -1, np.int64),
            np.zeros(CHUNK, np.int64),
        )
        places, room = len(system.places), 2 * SUCCESSORS_MAX
        self._width = WIDTH
        self._parents: NDArray[np.uint32] = np.zeros(room, np.uint32)
        self._ordinals: NDArray[np.uint16] = np.zeros(room, np.uint16)
        self._shapes: Ints = np.zeros((room, places), np.int32)
        self._symbols: Octets = np.zeros((room, self._width), np.uint8)
        self._base = self._from_base = 0
        self._from_shapes, self._from_symbols = self._shapes, self._symbols
        slots = SLOTS if exact else 1 << max(6, (states_max + states_max // 4).bit_length())
        self._slots: Words = np.zeros(slots, np.uint64)
        self._work = self._new_work()
        self._findings: dict[str, Finding] = {}
        self._told = 0.0
        self.depth = 0

    @property
    def width(self) -> int:
        """At least as many symbols as any row has."""
        return self._width

    @property
    def asking_seconds(self) -> float:
        """How long rules and properties were asked."""
        return self._growing.asking_seconds

    def run(
        self,
        seconds_max: float | None = None,
        progress: Callable[[Progress], None] | None = None,
        until: Callable[[str], bool] | None = None,
    ) -> Result:
        """Search until all is seen or a limit is met."""
        begun = time.monotonic()
        complete = False
        try:
            for frontier in self._levels(until):
                self._look(begun, frontier, seconds_max, progress)
            complete = True
        except _Ended:
            pass
        except KeyboardInterrupt:
            return Result(self._bounds(False, time.monotonic() - begun), tuple(self._findings.values()))
        self.graph.check()
        return Result(self._bounds(complete, time.monotonic() - begun), tuple(self._findings.values()))

    def _look(
        self, begun: float, frontier: int, seconds_max: float | None, progress: Callable[[Progress], None] | None
    ) -> None:
        seconds = time.monotonic() - begun
        if seconds_max is not None and seconds > seconds_max:
            raise _Ended
        if progress is not None and seconds - self._told >= PROGRESS_SECONDS:
            self._told = seconds
            progress(Progress(int(self._counts[STATES]), int(self._counts[TRANSITIONS]), self.depth, frontier, seconds))

    def _levels(self, until: Callable[[str], bool] | None) -> Iterator[int]:
        """Expand level after level; gives the number of states not expanded yet, from time to time."""
        self._enter_start()
        begin, end = 0, 1
        while begin < end:
            if not self._exact:
                self._turn_level(end)
            for first in range(begin, end, CHUNK):
                todo = np.arange(first, min(first + CHUNK, end))
                while len(todo):
                    todo = self._expand(todo, until)
                yield int(self._counts[STATES]) - min(first + CHUNK, end)
            begin, end = end, int(self._counts[STATES])
            self.depth += begin < end

    def _expand(self, todo: Longs, until: Callable[[str], bool] | None) -> Longs:
        """Expand these states; returns those for which something had to be asked first."""
        self._counts[RETRY] = 0
        position, status = 0, -1
        while status != DONE:
            status, position = expand(
                self.scheme,
                self._growing.known,
                self._kept(),
                self._found,
                self._work,
                todo,
                position,
                self._states_max,
            )
            self._judge(until)
            if status == LIMIT:
                self._counts[STATES] = self._states_max
                raise _Ended
            if status == TOO_MANY:
                raise StandfastError(f"A state has more than {SUCCESSORS_MAX} successors.", "Take a smaller scope.")
            if status == TOO_WIDE:
                self._widen()
            self._growing.answer()
            if self._growing.arity_max > self._work.symbols.shape[1]:
                self._work = self._new_work()
            self._make_room()
        return self._found.retry[: self._counts[RETRY]].copy()

    def _kept(self) -> Kept:
        return Kept(
            self._from_shapes,
            self._from_symbols,
            self._from_base,
            self._shapes,
            self._symbols,
            self._base,
            self._parents,
            self._ordinals,
            self._slots,
            self._exact,
        )

    def _new_work(self) -> Work:
        places, arity = self._shapes.shape[1], self._growing.arity_max
        rules, reads = len(self.graph.tables.rules), self._growing.known.entry_keys.shape[1]
        groups = len(self.scheme.group_sizes)
        return Work(
            cells=np.zeros(places, np.int32),
            shapes=np.zeros(places, np.int32),
            symbols=np.zeros((places, arity), np.uint8),
            after_shapes=np.zeros(places, np.int32),
            after_symbols=np.zeros((places, arity), np.uint8),
            flat=np.zeros(self._width, np.uint8),
            best=np.zeros(self._width, np.uint8),
            order=np.arange(places, dtype=np.int32),
            candidate=np.zeros(places, np.int32),
            best_order=np.arange(places, dtype=np.int32),
            choice=np.zeros(groups, np.int32),
            names=np.zeros(256, np.uint8),
            fixed=np.zeros(256, np.uint8),
            times=np.zeros(256, np.uint8),
            entries=np.zeros(rules, np.int32),
            key=np.zeros(reads, np.int32),
        )

    def _enter_start(self) -> None:
        row, cells = self.graph.start(), self.graph.cells
        flat = [one for cell in row for one in cells.symbols[cell]]
        while len(flat) > self._width:
            self._widen()
        self._growing.answer()
        self._work = self._new_work()
        self._work.after_shapes[:] = [cells.shapes[cell] for cell in row]
        self._work.best[: len(flat)] = flat
        keep(self._kept(), self._work, len(flat), self._counts, NO_PARENT, 0)

    def _turn_level(self, end: int) -> None:
        """Fingerprints only: the rows found become those to be expanded, and the old ones go."""
        count = end - self._base
        self._from_shapes, self._from_symbols = self._shapes[:count].copy(), self._symbols[:count].copy()
        self._from_base, self._base = self._base, end

    def _widen(self) -> None:
        """Room for twice as many symbols in a row."""
        self._width *= 2
        shared = self._from_symbols is self._symbols
        self._symbols = _wider(self._symbols, self._width)
        self._from_symbols = self._symbols if shared else _wider(self._from_symbols, self._width)
        self._work = self._new_work()

    def _make_room(self) -> None:
        states = int(self._counts[STATES]) + SUCCESSORS_MAX
        if states > len(self._parents):
            size = len(self._parents) * 3 // 2 + SUCCESSORS_MAX
            self._parents, self._ordinals = enlarged(self._parents, size), enlarged(self._ordinals, size)
        if states - self._base > len(self._shapes):
            size = len(self._shapes) * 3 // 2 + SUCCESSORS_MAX
            shared = self._from_shapes is self._shapes
            self._shapes, self._symbols = enlarged(self._shapes, size), enlarged(self._symbols, size)
            if shared:
                self._from_shapes, self._from_symbols = self._shapes, self._symbols
        if self._exact and states * 3 > len(self._slots) * 2:
            self._slots = np.zeros(2 * len(self._slots), np.uint64)
            arities = self._growing.known.arities
            rehash(self._slots, self._shapes, self._symbols, arities, int(self._counts[STATES]))

    def _path(self, state: int) -> list[Row]:
        """A shortest way to a state, found again by taking the same steps from the start."""
        ordinals = []
        while int(self._parents[state]) != NO_PARENT:
            ordinals.append(int(self._ordinals[state]))
            state = int(self._parents[state])
        rows = [self.graph.start()]
        for ordinal in reversed(ordinals):
            _, _, row = next(islice(self.graph.after(rows[-1]), ordinal, None))
            rows.append(row)
        return rows

    def _judge(self, until: Callable[[str], bool] | None) -> None:
        """Tell the first way to each property broken since the last time."""
        for number in np.flatnonzero(self._found.broken[:, 0] >= 0):
            name = self._growing.names[number]
            if name in self._findings:
                continue
            state, ordinal = (int(one) for one in self._found.broken[number])
            rows = self._path(state)
            if ordinal < 0:
                judged = {self.graph.tables.properties[one].name: why for one, why in self.graph.broken(rows[-1])}
                self._findings[name] = trace(self.graph, rows, name, judged[name])
            else:
                _, move, row = next(islice(self.graph.after(rows[-1]), ordinal, None))
                self._findings[name] = trace(self.graph, [*rows, row], name, move.violation, move)
            if until is not None and until(name):
                raise _Ended

    def _bounds(self, complete: bool, seconds: float) -> Bounds:
        names: Counter[str] = Counter()
        for rule, times in zip(self.graph.tables.rules, self._found.fired, strict=True):
            if times:
                names[rule.name] += int(times)
        return Bounds(
            states=int(self._counts[STATES]),
            transitions=int(self._counts[TRANSITIONS]),
            depth=self.depth,
            seconds=seconds,
            memory_octets=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            complete=complete,
            fired=dict(sorted(names.items())),
            terminal=int(self._counts[TERMINAL]),
            omission=0.0 if self._exact else float(self._counts[COMPARISONS]) * 2.0**-64,
        )


def _wider(symbols: Octets, width: int) -> Octets:
    found = np.zeros((len(symbols), width), np.uint8)
    found[:, : symbols.shape[1]] = symbols
    return found
