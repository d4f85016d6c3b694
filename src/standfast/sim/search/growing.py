"""Answers of rules and properties, put into arrays for the compiled search as it asks for them."""

import time
from collections.abc import Sequence
from itertools import accumulate, permutations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from standfast.errors import StandfastError

from .arrays import CELLS, ENTRIES, FRESH_FROM, NAMES_MAX, Ints, Known, Longs, Octets, Scheme
from .kernel_rows import reenter
from .tables import Move, Tables, pattern_of

ROOM: Final = 1024
"""Cells and entries to begin with; doubled as needed."""


def enlarged(old: NDArray[Any], length: int) -> NDArray[Any]:
    """A longer copy; what is new is zero, and takes no memory before it is used."""
    new = np.zeros((length, *old.shape[1:]), old.dtype)
    new[: len(old)] = old
    return new


class Pool:
    """A list of integers that lives in an array."""

    def __init__(self, kind: type[np.int32] | type[np.int64]) -> None:
        self._room: NDArray[Any] = np.zeros(ROOM, kind)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def array(self) -> NDArray[Any]:
        """The integers, and room for more after them."""
        return self._room

    def add(self, values: Sequence[int]) -> None:
        """Append."""
        while self._used + len(values) > len(self._room):
            self._room = enlarged(self._room, 2 * len(self._room))
        self._room[self._used : self._used + len(values)] = values
        self._used += len(values)


def padded(rows: list[tuple[int, ...]]) -> Ints:
    """Rows of unequal length as a rectangle, filled up with -1."""
    found = np.full((len(rows), max(map(len, rows), default=0) or 1), -1, np.int32)
    for number, row in enumerate(rows):
        found[number, : len(row)] = row
    return found


def numbers(values: list[int]) -> Ints:
    """A list as an array."""
    return np.array(values, np.int32)


def scheme_of(tables: Tables, groups: tuple[tuple[int, ...], ...]) -> Scheme:
    """Rules, properties and groups of interchangeable places as arrays."""
    grouped = {place for group in groups for place in group}
    orders = [list(permutations(range(len(group)))) for group in groups]
    return Scheme(
        shared=numbers(tables.shared),
        reads=padded([rule.reads for rule in tables.rules]),
        read_counts=numbers([len(rule.reads) for rule in tables.rules]),
        writes=padded([rule.writes for rule in tables.rules]),
        write_counts=numbers([len(rule.writes) for rule in tables.rules]),
        judged=padded([judged.reads for judged in tables.properties]),
        judged_counts=numbers([len(judged.reads) for judged in tables.properties]),
        groups=padded(list(groups)),
        group_sizes=numbers([len(group) for group in groups]),
        orders=padded([order for several in orders for order in several]),
        order_starts=numbers(list(accumulate(map(len, orders), initial=0))),
        stays=np.array([place not in grouped for place in range(len(tables.system.places))], np.uint8),
    )


class Growing:
    """`known` as arrays, and the meaning of its numbers. `names` of broken properties count from 1."""

    def __init__(self, tables: Tables, scheme: Scheme, counts: Longs) -> None:
        self.tables = tables
        self.names: list[str] = [""]
        self.asking_seconds = 0.0
        self._counts = counts
        self._read_counts = np.concatenate((scheme.read_counts, scheme.judged_counts))
        self._answered = 0
        self._arities, self._moves, self._starts = Pool(np.int32), Pool(np.int32), Pool(np.int64)
        self._shapes: Ints = np.zeros(ROOM, np.int32)
        self._symbols: Octets = np.zeros((ROOM, 8), np.uint8)
        self._keys: Ints = np.zeros((ROOM, 1 + int(self._read_counts.max(initial=1))), np.int32)
        self._first: Ints = np.zeros(ROOM, np.int32)
        self._many: Ints = np.zeros(ROOM, np.int32)
        self.known = self._arranged()

    @property
    def arity_max(self) -> int:
        """How many symbols a cell can have."""
        return int(self._symbols.shape[1])

    def answer(self) -> None:
        """Ask rules and properties whatever the search has met since, and make room for more."""
        begun = time.thread_time()
        for entry in range(self._answered, int(self._counts[ENTRIES])):
            asked = int(self._keys[entry, 0])
            cells = self._keys[entry, 1 : 1 + self._read_counts[asked]]
            shapes = tuple(int(self._shapes[cell]) for cell in cells)
            arities = [self.tables.alphabet.arities[shape] for shape in shapes]
            symbols = [
                int(one) for cell, arity in zip(cells, arities, strict=True) for one in self._symbols[cell, :arity]
            ]
            pattern, distinct = pattern_of(symbols)
            if asked < len(self.tables.rules):
                moves = self.tables.moves(asked, shapes, pattern)
                self._first[entry], self._many[entry] = len(self._starts), len(moves)
                for move in moves:
                    self._add(move, distinct)
            else:
                number = asked - len(self.tables.rules)
                why = self.tables.broken(number, shapes, pattern)
                self._first[entry] = self.name(self.tables.properties[number].name) if why else 0
                self._many[entry] = 0
        self._answered = int(self._counts[ENTRIES])
        self._make_room()
        self.asking_seconds += time.thread_time() - begun

    def name(self, name: str) -> int:
        """The number of a broken property. Raises StandfastError if there are too many."""
        if name not in self.names:
            if len(self.names) == NAMES_MAX:
                raise StandfastError(
                    f"More than {NAMES_MAX - 1} different properties are broken ({name!r}).",
                    "What stands before the colon of a violation is the property's name, not what happened.",
                )
            self.names.append(name)
        return self.names.index(name)

    def _add(self, move: Move, distinct: tuple[int, ...]) -> None:
        names = (*distinct, *range(FRESH_FROM, FRESH_FROM + move.fresh))
        if max(names, default=0) >= 255 or max(distinct, default=0) >= FRESH_FROM:
            raise StandfastError(
                f"A state has more than {FRESH_FROM} symbols at once.", "Search it without the compiled engine."
            )
        self._starts.add([len(self._moves)])
        self._moves.add([self.name(move.violation.partition(":")[0])])
        for shape, refs in move.writes:
            self._moves.add([shape, *(names[ref] for ref in refs)])

    def _make_room(self) -> None:
        """Double what is more than half full, and enter everything new."""
        arities = self.tables.alphabet.arities
        asked = len(self._read_counts)
        cells, entries = int(self._counts[CELLS]), int(self._counts[ENTRIES])
        grown = False
        while 2 * cells + 256 > len(self._shapes):
            self._shapes, self._symbols = (enlarged(old, 2 * len(old)) for old in (self._shapes, self._symbols))
            grown = True
        while 2 * entries + 2 * asked > len(self._first):
            size = 2 * len(self._first)
            self._keys, self._first, self._many = (enlarged(old, size) for old in (self._keys, self._first, self._many))
            grown = True
        if max(arities, default=0) > self.arity_max:
            wider = np.zeros((len(self._symbols), max(arities) + 4), np.uint8)
            wider[:, : self.arity_max] = self._symbols
            self._symbols, grown = wider, True
        self._arities.add(arities[len(self._arities) :])
        if grown:
            self.known = self._arranged()
        else:
            self.known = self.known._replace(
                arities=self._arities.array, moves=self._moves.array, starts=self._starts.array
            )

    def _arranged(self) -> Known:
        known = Known(
            self._arities.array,
            np.zeros(2 * len(self._shapes), np.int32),
            self._shapes,
            self._symbols,
            np.zeros(2 * len(self._first), np.int32),
            self._keys,
            self._first,
            self._many,
            self._starts.array,
            self._moves.array,
        )
        reenter(known, self._counts, self._read_counts)
        return known
