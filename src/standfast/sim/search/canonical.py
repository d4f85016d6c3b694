"""One representative for all states that differ only in the names of symbols and in who is who.

The canonical row of a state is the least of its rows under all exchanges of interchangeable places that sort their
shapes, with symbols numbered by first appearance. It is exact: two states have the same row if and only if an
exchange of places and a renaming make one into the other. So the number of states does not depend on the program
that counts them.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise, permutations, product
from typing import Final, NamedTuple, TypeAlias

from .alphabet import Shape
from .tables import pattern_of

Cell: TypeAlias = int
"""A shape with the numbers of its symbols: an index into `Cells`."""
Row: TypeAlias = tuple[Cell, ...]
"""A state: one cell a place."""


class Reductions(NamedTuple):
    """Which states a search takes for the same one. Switched off only to check the reductions themselves.

    `numbering`: symbols are numbered by first appearance (off: a fresh one takes the least number not in use).
    `symmetry`: interchangeable places are sorted. `fusion`: private steps are taken at once with the step before.
    """

    numbering: bool = True
    symmetry: bool = True
    fusion: bool = True


FULL: Final = Reductions()
"""All of them, as every real search has it."""


class Cells:
    """Shapes with numbered symbols, interned."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []
        self.symbols: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[Shape, tuple[int, ...]], Cell] = {}

    def cell(self, shape: Shape, symbols: tuple[int, ...]) -> Cell:
        """The number of this shape with these symbols."""
        key = shape, symbols
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.shapes)
            self.shapes.append(shape)
            self.symbols.append(symbols)
        return number


class Canonical:
    """Makes rows canonical, and remembers how."""

    def __init__(self, cells: Cells, groups: tuple[tuple[int, ...], ...], reductions: Reductions) -> None:
        self._cells = cells
        self._groups = tuple(group for group in groups if len(group) > 1) if reductions.symmetry else ()
        self._numbering = reductions.numbering
        self._numbered: dict[tuple[int, ...], dict[int, int] | None] = {}

    def row(self, row: list[Cell]) -> Row:
        """The canonical row of this state."""
        if not self._groups:
            return self._renumbered(row) if self._numbering else tuple(row)
        shapes, symbols = self._cells.shapes, self._cells.symbols
        tied = False
        for group in self._groups:
            members = sorted((row[place] for place in group), key=lambda cell: (shapes[cell], symbols[cell]))
            for place, cell in zip(group, members, strict=True):
                row[place] = cell
            tied = tied or any(shapes[one] == shapes[next_] and one != next_ for one, next_ in pairwise(members))
        if not self._numbering:
            return tuple(row)
        if not tied:
            return self._renumbered(row)
        return min(
            (self._renumbered(one) for one in self._exchanges(row)), key=lambda found: [symbols[c] for c in found]
        )

    def _exchanges(self, row: list[Cell]) -> Iterator[list[Cell]]:
        """All ways of placing members of equal shapes."""
        shapes = self._cells.shapes
        choices: list[list[tuple[Cell, ...]]] = []
        for group in self._groups:
            members = [row[place] for place in group]
            classes = [tuple(same) for _, same in groupby(members, key=lambda cell: shapes[cell])]
            orders = [sorted(set(permutations(same))) for same in classes]
            choices.append([tuple(cell for part in chosen for cell in part) for chosen in product(*orders)])
        for chosen in product(*choices):
            other = list(row)
            for group, members_ in zip(self._groups, chosen, strict=True):
                for place, cell in zip(group, members_, strict=True):
                    other[place] = cell
            yield other

    def _renumbered(self, row: list[Cell]) -> Row:
        symbols = self._cells.symbols
        flat: tuple[int, ...] = ()
        for cell in row:
            flat += symbols[cell]
        if flat not in self._numbered:
            pattern, distinct = pattern_of(flat)
            self._numbered[flat] = None if pattern == flat else {old: new for new, old in enumerate(distinct)}
        numbers = self._numbered[flat]
        if numbers is None:
            return tuple(row)
        return tuple(
            self._cells.cell(self._cells.shapes[cell], tuple(numbers[one] for one in symbols[cell]))
            if symbols[cell]
            else cell
            for cell in row
        )
