"""Every reachable state, breadth first, so that the first counterexample is a shortest one."""

import resource
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from .canonical import FULL, Reductions, Row
from .product import Bounds, Finding, Progress, Result, System, Value
from .successors import Successors
from .tables import Move, pattern_of
from .tracing import trace

PROGRESS_SECONDS = 0.1
NO_PARENT = 0xFFFFFFFF


def explore(
    system: System,
    *,
    states_max: int,
    seconds_max: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    until: Callable[[str], bool] | None = None,
    reductions: Reductions = FULL,
) -> Result:
    """Search all states reachable from the start, and go on after a finding.

    `until` is told the name of each property when it is first broken; true ends the search there. A search that was
    ended by it, by `states_max`, by `seconds_max` or by Ctrl-C is not complete, and its bounds say so.
    Raises ContractError if the system is not what `product.py` asks for.
    """
    return survey(
        system, states_max=states_max, seconds_max=seconds_max, progress=progress, until=until, reductions=reductions
    ).result


def survey(
    system: System,
    *,
    states_max: int,
    seconds_max: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    until: Callable[[str], bool] | None = None,
    reductions: Reductions = FULL,
) -> "Exploration":
    """As `explore`, and keep the states for further questions."""
    exploration = Exploration(system, reductions)
    exploration.run(states_max, seconds_max, progress, until)
    return exploration


class Exploration:
    """The states found so far, numbered in the order of finding, which is that of their distance from the start."""

    def __init__(self, system: System, reductions: Reductions = FULL) -> None:
        self.system = system
        self.graph = Successors(system, reductions)
        self.result: Result
        self.depth = 0
        self.transitions = 0
        self._rows: list[Row] = []
        self._numbers: dict[Row, int] = {}
        self._parents = array("I")
        self._fired: Counter[int] = Counter()
        self._terminal = 0
        self._findings: dict[str, Finding] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, state: int) -> Row:
        """The canonical row of a state."""
        return self._rows[state]

    def values(self, state: int) -> tuple[Value, ...]:
        """A state as plain values; its symbols are named in the order of first appearance."""
        cells = self.graph.cells
        pattern, _ = pattern_of(one for cell in self._rows[state] for one in cells.symbols[cell])
        return self.graph.tables.values([cells.shapes[cell] for cell in self._rows[state]], pattern)

    def number(self, values: Sequence[Value]) -> int:
        """The state that plain values are, up to names and exchanges. Raises KeyError if it was not found."""
        return self._numbers[self.graph.row_of(values)]

    def successors(self, state: int) -> Iterator[int]:
        """The states that may follow this one. Raises KeyError if the search did not get there."""
        for _, following in self.moves(state):
            yield following

    def moves(self, state: int) -> Iterator[tuple[Move, int]]:
        """What may happen in a state, and what follows. Raises KeyError if the search did not get there."""
        for _, move, row in self.graph.after(self._rows[state]):
            yield move, self._numbers[row]

    def symbols_max(self) -> int:
        """How many symbols the state with the most of them has, each counted at every place where it stands."""
        symbols = self.graph.cells.symbols
        return max(sum(len(symbols[cell]) for cell in row) for row in self._rows)

    def path(self, state: int) -> list[Row]:
        """A shortest way from the start to this state."""
        rows = []
        while state != NO_PARENT:
            rows.append(self._rows[state])
            state = self._parents[state]
        return rows[::-1]

    def run(
        self,
        states_max: int,
        seconds_max: float | None = None,
        progress: Callable[[Progress], None] | None = None,
        until: Callable[[str], bool] | None = None,
    ) -> None:
        """Search until all is seen or a limit is met; `result` says which."""
        begun = told = time.monotonic()
        seen = 0
        complete = False
        try:
            ended = self._add(self.graph.start(), NO_PARENT, until)
            level_ends = 1
            while not ended:
                if seen == len(self._rows):
                    complete = True
                    break
                if seen == level_ends:
                    self.depth, level_ends = self.depth + 1, len(self._rows)
                if seen % 64 == 0:
                    now = time.monotonic()
                    if seconds_max is not None and now - begun > seconds_max:
                        break
                    if progress is not None and now - told >= PROGRESS_SECONDS:
                        told = now
                        progress(
                            Progress(len(self._rows), self.transitions, self.depth, len(self._rows) - seen, now - begun)
                        )
                ended = self._expand(seen, states_max, until)
                seen += 1
            self.graph.check()
        except KeyboardInterrupt:
            complete = False
        self.result = Result(self._bounds(complete, time.monotonic() - begun), tuple(self._findings.values()))

    def _expand(self, state: int, states_max: int, until: Callable[[str], bool] | None) -> bool:
        """Everything that follows one state; whether the search is to end."""
        happened = 0
        for rule, move, row in self.graph.after(self._rows[state]):
            happened += 1
            self._fired[rule] += 1
            if move.violation:
                name = move.violation.partition(":")[0]
                if name not in self._findings:
                    self._findings[name] = trace(self.graph, [*self.path(state), row], name, move.violation, move)
                    if until is not None and until(name):
                        self.transitions += happened
                        return True
            if row not in self._numbers:
                if len(self._rows) >= states_max:
                    self.transitions += happened
                    return True
                if self._add(row, state, until):
                    self.transitions += happened
                    return True
        self.transitions += happened
        self._terminal += not happened
        return False

    def _add(self, row: Row, parent: int, until: Callable[[str], bool] | None) -> bool:
        self._numbers[row] = len(self._rows)
        self._rows.append(row)
        self._parents.append(parent)
        for number, why in self.graph.broken(row):
            name = self.graph.tables.properties[number].name
            if name not in self._findings:
                self._findings[name] = trace(self.graph, self.path(len(self._rows) - 1), name, why)
                if until is not None and until(name):
                    return True
        return False

    def _bounds(self, complete: bool, seconds: float) -> Bounds:
        names: Counter[str] = Counter()
        for rule, times in self._fired.items():
            names[self.graph.tables.rules[rule].name] += times
        return Bounds(
            states=len(self._rows),
            transitions=self.transitions,
            depth=self.depth,
            seconds=seconds,
            memory_octets=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            complete=complete,
            fired=dict(sorted(names.items())),
            terminal=self._terminal,
        )
