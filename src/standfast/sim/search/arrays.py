"""What the compiled search holds in arrays. The meaning of a shape, a move and a name is known to `tables.py` alone."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Octets = NDArray[np.uint8]
Words = NDArray[np.uint64]

DONE: Final = 0
NO_ROOM: Final = 1
"""Some array is nearly full: make all of them larger."""
TOO_WIDE: Final = 2
"""A row has more symbols than rows are wide."""
LIMIT: Final = 3
"""One more state than `states_max` was found."""
TOO_MANY: Final = 4
"""A state has more than `SUCCESSORS_MAX` successors."""

FRESH_FROM: Final = 192
"""Symbols from here on were made by the move itself. A row holds fewer symbols than this."""
NOT_FIXED: Final = 254
"""The rank of a symbol that none of the places that stay where they are has."""
SUCCESSORS_MAX: Final = 4096
NAMES_MAX: Final = 256
"""Different names of broken properties, the empty one included."""

STATES, TRANSITIONS, TERMINAL, COMPARISONS, CELLS, ENTRIES, RETRY = range(7)
"""Places in `counts`."""


class Scheme(NamedTuple):
    """What never changes: who reads and writes what, and which places may be exchanged."""

    shared: Ints
    reads: Ints
    read_counts: Ints
    writes: Ints
    write_counts: Ints
    judged: Ints
    judged_counts: Ints
    groups: Ints
    group_sizes: Ints
    orders: Ints
    order_starts: Ints
    stays: Octets


class Known(NamedTuple):
    """Tables that grow: cells, and what each rule and property answers to which cells.

    `first` of a rule's entry is its first move, of a property's the name that it breaks (0: none); `many` is the
    number of moves, -1 while it has not been answered. A move starts at `moves[starts[m]]`: name of the property it
    breaks or 0, then for each place written the shape and its symbols.
    """

    arities: Ints
    cell_slots: Ints
    cell_shapes: Ints
    cell_symbols: Octets
    entry_slots: Ints
    entry_keys: Ints
    first: Ints
    many: Ints
    starts: Longs
    moves: Ints


class Kept(NamedTuple):
    """States: rows of those being looked at and of those found, and how each was reached."""

    from_shapes: Ints
    from_symbols: Octets
    from_base: int
    shapes: Ints
    symbols: Octets
    base: int
    parents: NDArray[np.uint32]
    ordinals: NDArray[np.uint16]
    slots: Words
    exact: bool


class Found(NamedTuple):
    """Counters, the first place where each property broke, and what has to be asked.

    `broken` by name: the state, and the ordinal of the move that broke it or -1 if it is the state itself.
    """

    counts: Longs
    fired: Longs
    broken: Longs
    retry: Longs


class Work(NamedTuple):
    """Room for one state and one successor."""

    cells: Ints
    shapes: Ints
    symbols: Octets
    after_shapes: Ints
    after_symbols: Octets
    flat: Octets
    best: Octets
    order: Ints
    candidate: Ints
    best_order: Ints
    choice: Ints
    names: Octets
    fixed: Octets
    times: Octets
    entries: Ints
    key: Ints
