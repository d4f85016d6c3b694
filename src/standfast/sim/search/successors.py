"""The states that follow a state, as rows of cells: look-ups, but for combinations never met before."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from .canonical import FULL, Canonical, Cell, Cells, Reductions, Row
from .fusion import Fused, is_private
from .product import System, Value
from .tables import Move, Tables, pattern_of

FRESH_NUMBER: Final = 1 << 16
"""Numbers from here on are symbols just made, until the row is numbered anew."""


class Successors:
    """A system as a graph over canonical rows."""

    def __init__(self, system: System, reductions: Reductions = FULL) -> None:
        fused = reductions.fusion and any(is_private(rule) for rule in system.rules)
        self.tables = (Fused if fused else Tables)(system, symmetry=reductions.symmetry)
        self.cells = Cells()
        self.reductions = reductions
        self._canonical = Canonical(self.cells, system.interchangeable, reductions)
        self._naming = Canonical(self.cells, system.interchangeable, reductions._replace(numbering=True))
        self._answers: list[dict[Row, tuple[tuple[Move, Row], ...]]] = [{} for _ in self.tables.rules]
        self._judged: list[dict[Row, str]] = [{} for _ in self.tables.properties]
        self._rules = [(number, rule.reads, rule.writes) for number, rule in enumerate(self.tables.rules)]
        self._properties = [(number, asked.reads) for number, asked in enumerate(self.tables.properties)]

    def start(self) -> Row:
        """The initial state, settled."""
        numbers = itertools.count(FRESH_NUMBER)
        row = list(self._row_of(self.tables.system.start))
        if isinstance(self.tables, Fused):
            for place, cell in enumerate(row):
                end = self.tables.settled(place, self.cells.shapes[cell])
                names = (*self.cells.symbols[cell], *itertools.islice(numbers, end.fresh))
                row[place] = self._cell(end.shape, end.symbols, names)
        return self._canonical.row(row)

    def check(self) -> None:
        """Raise ContractError if a reduction that was used is not sound for what was met."""
        if isinstance(self.tables, Fused):
            self.tables.check()

    def _row_of(self, values: Sequence[Value]) -> list[Cell]:
        names: dict[str, int] = {}
        row = []
        for value in values:
            shape, symbols = self.tables.alphabet.split(value)
            row.append(self.cells.cell(shape, tuple(names.setdefault(one, len(names)) for one in symbols)))
        return row

    def row_of(self, values: Sequence[Value]) -> Row:
        """The canonical row of plain values, symbols numbered by first appearance."""
        return self._naming.row(self._row_of(values))

    def matches(self, values: Sequence[Value], row: Row) -> bool:
        """Whether plain values are a state of this canonical row."""
        return self.row_of(values) == self._naming.row(list(row))

    def after(self, row: Row) -> Iterator[tuple[int, Move, Row]]:
        """Everything that may happen: the number of the rule, what it does, and the state that follows."""
        for number, reads, writes in self._rules:
            key = tuple([row[place] for place in reads])
            answers = self._answers[number].get(key)
            if answers is None:
                answers = self._answers[number][key] = self._fired(number, key)
            for move, written in answers:
                following = list(row)
                for place, cell in zip(writes, written, strict=True):
                    following[place] = cell
                if move.fresh and not self.reductions.numbering:
                    self._least_unused(following, row)
                yield number, move, self._canonical.row(following)

    def broken(self, row: Row) -> Iterator[tuple[int, str]]:
        """The properties that do not hold in this state, and why."""
        for number, reads in self._properties:
            key = tuple([row[place] for place in reads])
            why = self._judged[number].get(key)
            if why is None:
                pattern, _ = pattern_of(one for cell in key for one in self.cells.symbols[cell])
                shapes = tuple(self.cells.shapes[cell] for cell in key)
                why = self._judged[number][key] = self.tables.broken(number, shapes, pattern)
            if why:
                yield number, why

    def _fired(self, number: int, key: Row) -> tuple[tuple[Move, Row], ...]:
        pattern, distinct = pattern_of(one for cell in key for one in self.cells.symbols[cell])
        shapes = tuple(self.cells.shapes[cell] for cell in key)
        found = []
        for move in self.tables.moves(number, shapes, pattern):
            numbers = (*distinct, *(FRESH_NUMBER + count for count in range(move.fresh)))
            found.append((move, tuple(self._cell(shape, refs, numbers) for shape, refs in move.writes)))
        return tuple(found)

    def _cell(self, shape: int, refs: tuple[int, ...], numbers: tuple[int, ...]) -> Cell:
        return self.cells.cell(shape, tuple(numbers[ref] for ref in refs))

    def _least_unused(self, following: list[Cell], row: Row) -> None:
        """Without numbering a fresh symbol takes the least number that the state before did not use."""
        used = {one for cell in (*row, *following) for one in self.cells.symbols[cell]}
        fresh = sorted(one for one in used if one >= FRESH_NUMBER)
        unused = (number for number in range(FRESH_NUMBER) if number not in used)
        names = dict(zip(fresh, unused, strict=False))
        for place, cell in enumerate(following):
            symbols = self.cells.symbols[cell]
            if any(one in names for one in symbols):
                following[place] = self.cells.cell(
                    self.cells.shapes[cell], tuple(names.get(one, one) for one in symbols)
                )
