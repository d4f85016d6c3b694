"""The inner loop of the compiled search: expand states of one level and keep the rows that are new.

What is not in the tables yet is noted and the state is left for later: no rule is ever asked from here. A state is
expanded completely or left to be done again; doing it again changes nothing but work.
"""

import numpy as np

from .arrays import (
    CELLS,
    COMPARISONS,
    DONE,
    ENTRIES,
    LIMIT,
    NO_ROOM,
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
    Known,
    Longs,
    Octets,
    Scheme,
    Words,
    Work,
)
from .kernel_rows import answered, apply_move, canonical, load, mixed
from .machine import borrowed, compiled, inner

_SEED = np.uint64(0x9E3779B97F4A7C15)
_OTHER_SEED = np.uint64(0xD1B54A32D192ED03)
_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_OTHER_FACTOR = np.uint64(0x94D049BB133111EB)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)
_EIGHT = np.uint64(8)


@compiled
def hashes_of(shapes: Ints, order: Ints, symbols: Octets, total: int) -> tuple[np.uint64, np.uint64]:
    """Two independent hashes of a row: one says where to look, the other is compared."""
    where, what = _SEED, _OTHER_SEED
    for place in order:
        word = np.uint64(shapes[place])
        where, what = mixed(where, word, _FACTOR), mixed(what, word, _OTHER_FACTOR)
    at = 0
    while at < total:
        word = np.uint64(0)
        for octet in range(at, min(at + 8, total)):
            word = (word << _EIGHT) | np.uint64(symbols[octet])
        where, what = mixed(where, word, _FACTOR), mixed(what, word, _OTHER_FACTOR)
        at += 8
    return mixed(where, where >> _HALF, _OTHER_FACTOR), mixed(what, what >> _HALF, _FACTOR)


@inner
def _same(kept: Kept, row: int, work: Work, total: int) -> bool:
    for place in range(len(work.best_order)):
        if kept.shapes[row, place] != work.after_shapes[work.best_order[place]]:
            return False
    same = True
    for at in range(total):
        same = same and kept.symbols[row, at] == work.best[at]
    return same


@inner
def _is_new(kept: Kept, work: Work, total: int, counts: Longs) -> bool:
    """Whether the canonical row in `work` was never met; if so its slot is taken."""
    where, what = hashes_of(work.after_shapes, work.best_order, work.best, total)
    mask = np.uint64(len(kept.slots) - 1)
    slot = where & mask
    mark = (what & ~_LOW) if kept.exact else (what | _ONE if what == 0 else what)
    while kept.slots[slot]:
        counts[COMPARISONS] += 1
        if kept.exact:
            if kept.slots[slot] & ~_LOW == mark and _same(
                kept, int(np.int64(kept.slots[slot] & _LOW)) - 1, work, total
            ):
                return False
        elif kept.slots[slot] == mark:
            return False
        slot = (slot + _ONE) & mask
    kept.slots[slot] = mark | np.uint64(counts[STATES] + 1) if kept.exact else mark
    return True


@compiled
def keep(kept: Kept, work: Work, total: int, counts: Longs, parent: int, ordinal: int) -> None:
    """Store the canonical row in `work` if it is new."""
    if not _is_new(kept, work, total, counts):
        return
    state = counts[STATES]
    counts[STATES] += 1
    row = state - kept.base
    for place in range(len(work.best_order)):
        kept.shapes[row, place] = work.after_shapes[work.best_order[place]]
    for at in range(total):
        kept.symbols[row, at] = work.best[at]
    for at in range(total, kept.symbols.shape[1]):
        kept.symbols[row, at] = 0
    kept.parents[state] = parent
    kept.ordinals[state] = ordinal


@inner
def _is_roomy(scheme: Scheme, known: Known, kept: Kept, found: Found, work: Work) -> bool:
    """Whether one more state can be expanded without any array running over."""
    counts = found.counts
    states = counts[STATES] + SUCCESSORS_MAX
    return (
        counts[CELLS] + len(work.cells) <= len(known.cell_shapes)
        and counts[ENTRIES] + len(scheme.shared) + len(scheme.judged_counts) <= len(known.first)
        and states - kept.base <= len(kept.shapes)
        and states <= len(kept.parents)
        and (not kept.exact or states * 3 <= len(kept.slots) * 2)
    )


@compiled
def expand(
    scheme: Scheme,
    known: Known,
    kept: Kept,
    found: Found,
    work: Work,
    todo: Longs,
    begin: int,
    states_max: int,
) -> tuple[int, int]:
    """Expand `todo[begin:]`; returns why it stopped, and where to go on."""
    scheme, known, kept, found, work = (
        borrowed(scheme),
        borrowed(known),
        borrowed(kept),
        borrowed(found),
        borrowed(work),
    )
    counts = found.counts
    for position in range(begin, len(todo)):
        if not _is_roomy(scheme, known, kept, found, work):
            return NO_ROOM, position
        state = int(todo[position])
        load(known, kept, work, counts, state)
        if not answered(scheme, known, work, found, state):
            found.retry[counts[RETRY]] = state
            counts[RETRY] += 1
            continue
        ordinal = 0
        for rule in range(len(scheme.shared)):
            entry = work.entries[rule]
            for move in range(known.first[entry], known.first[entry] + known.many[entry]):
                breaks = known.moves[known.starts[move]]
                if breaks and found.broken[breaks, 0] < 0:
                    found.broken[breaks, 0], found.broken[breaks, 1] = state, ordinal
                apply_move(scheme, known, work, rule, move)
                total = canonical(scheme, known, work)
                if total > len(work.best):
                    return TOO_WIDE, position
                keep(kept, work, total, counts, state, ordinal)
                if counts[STATES] > states_max:
                    return LIMIT, position
                ordinal += 1
                if ordinal == SUCCESSORS_MAX:
                    return TOO_MANY, position
        for rule in range(len(scheme.shared)):
            found.fired[rule] += known.many[work.entries[rule]]
        counts[TRANSITIONS] += ordinal
        if ordinal == 0:
            counts[TERMINAL] += 1
    return DONE, len(todo)


@compiled
def rehash(new: Words, shapes: Ints, symbols: Octets, arities: Ints, states: int) -> None:
    """Enter the exact rows into a larger set."""
    mask = np.uint64(len(new) - 1)
    order = np.arange(shapes.shape[1]).astype(np.int32)
    for state in range(states):
        total = 0
        for place in range(shapes.shape[1]):
            total += arities[shapes[state, place]]
        where, what = hashes_of(shapes[state], order, symbols[state], total)
        slot = where & mask
        while new[slot]:
            slot = (slot + _ONE) & mask
        new[slot] = (what & ~_LOW) | np.uint64(state + 1)
