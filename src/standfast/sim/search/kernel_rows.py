"""One row: its cells, what is known to happen to it, what it is after a move, and its canonical form. Compiled.

The canonical form is that of `canonical.py`, worked out on plain arrays.
"""

import numpy as np

from .arrays import CELLS, ENTRIES, NOT_FIXED, Found, Ints, Kept, Known, Longs, Octets, Scheme, Work
from .machine import compiled, inner

_A = np.uint64(0x9E3779B97F4A7C15)
_B = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(29)
_HALF = np.uint64(32)


@inner
def mixed(state: np.uint64, word: np.uint64, factor: np.uint64) -> np.uint64:
    state = (state ^ word) * factor
    return state ^ (state >> _SHIFT)


@inner
def _cell_slot(known: Known, shape: int, symbols: Octets) -> int:
    """Where to begin to look for a cell."""
    word = mixed(_A, np.uint64(shape), _B)
    for at in range(known.arities[shape]):
        word = mixed(word, np.uint64(symbols[at]), _A)
    return int(np.int64((word >> _HALF) & np.uint64(len(known.cell_slots) - 1)))


@inner
def _cell(known: Known, counts: Longs, shape: int, symbols: Octets, place: int) -> int:
    """The number of a shape with these symbols; a new one if it was never met."""
    arity = known.arities[shape]
    mask = len(known.cell_slots) - 1
    slot = _cell_slot(known, shape, symbols[place])
    while known.cell_slots[slot]:
        cell = int(known.cell_slots[slot]) - 1
        if known.cell_shapes[cell] == shape:
            same = True
            for at in range(arity):
                if known.cell_symbols[cell, at] != symbols[place, at]:
                    same = False
                    break
            if same:
                return cell
        slot = (slot + 1) & mask
    cell = int(counts[CELLS])
    counts[CELLS] += 1
    known.cell_slots[slot] = cell + 1
    known.cell_shapes[cell] = shape
    for at in range(arity):
        known.cell_symbols[cell, at] = symbols[place, at]
    return cell


@inner
def _entry_slot(known: Known, key: Ints, many: int) -> int:
    """Where to begin to look for an entry: `key` has what is asked, and then as many cells."""
    word = _B
    for at in range(many + 1):
        word = mixed(word, np.uint64(key[at]), _A)
    return int(np.int64((word >> _HALF) & np.uint64(len(known.entry_slots) - 1)))


@compiled
def reenter(known: Known, counts: Longs, read_counts: Ints) -> None:
    """Fill the larger sets of cells and entries again. `read_counts`: of rules, then of properties."""
    for cell in range(counts[CELLS]):
        slot = _cell_slot(known, known.cell_shapes[cell], known.cell_symbols[cell])
        while known.cell_slots[slot]:
            slot = (slot + 1) & (len(known.cell_slots) - 1)
        known.cell_slots[slot] = cell + 1
    for entry in range(counts[ENTRIES]):
        key = known.entry_keys[entry]
        slot = _entry_slot(known, key, read_counts[key[0]])
        while known.entry_slots[slot]:
            slot = (slot + 1) & (len(known.entry_slots) - 1)
        known.entry_slots[slot] = entry + 1


@inner
def _entry(known: Known, counts: Longs, work: Work, asked: int, reads: Ints, many: int) -> int:
    """The entry of a rule or property and the cells it reads; a new, unanswered one if it was never met."""
    cells, key = work.cells, work.key
    key[0] = asked
    for at in range(many):
        key[at + 1] = cells[reads[at]]
    mask = len(known.entry_slots) - 1
    slot = _entry_slot(known, key, many)
    while known.entry_slots[slot]:
        entry = int(known.entry_slots[slot]) - 1
        if known.entry_keys[entry, 0] == asked:
            same = True
            for at in range(many):
                if known.entry_keys[entry, at + 1] != key[at + 1]:
                    same = False
                    break
            if same:
                return entry
        slot = (slot + 1) & mask
    entry = int(counts[ENTRIES])
    counts[ENTRIES] += 1
    known.entry_slots[slot] = entry + 1
    for at in range(many + 1):
        known.entry_keys[entry, at] = key[at]
    known.many[entry] = -1
    return entry


@inner
def load(known: Known, kept: Kept, work: Work, counts: Longs, state: int) -> None:
    """Unpack a row and find its cells."""
    row, start = state - kept.from_base, 0
    for place in range(len(work.cells)):
        shape = kept.from_shapes[row, place]
        work.shapes[place] = shape
        for at in range(known.arities[shape]):
            work.symbols[place, at] = kept.from_symbols[row, start + at]
        start += known.arities[shape]
        work.cells[place] = _cell(known, counts, shape, work.symbols, place)


@inner
def answered(scheme: Scheme, known: Known, work: Work, found: Found, state: int) -> bool:
    """Look up all rules and properties; whether all are known. Notes which properties are broken."""
    all_known = True
    for rule in range(len(scheme.shared)):
        asked = scheme.shared[rule]
        entry = _entry(known, found.counts, work, asked, scheme.reads[rule], scheme.read_counts[rule])
        work.entries[rule] = entry
        if known.many[entry] < 0:
            all_known = False
    for number in range(len(scheme.judged_counts)):
        asked = len(scheme.shared) + number
        entry = _entry(known, found.counts, work, asked, scheme.judged[number], scheme.judged_counts[number])
        if known.many[entry] < 0:
            all_known = False
        elif known.first[entry] and found.broken[known.first[entry], 0] < 0:
            found.broken[known.first[entry], 0] = state
            found.broken[known.first[entry], 1] = -1
    return all_known


@inner
def apply_move(scheme: Scheme, known: Known, work: Work, rule: int, move: int) -> None:
    """The row after a move, before it is made canonical."""
    for place in range(len(work.shapes)):
        work.after_shapes[place] = work.shapes[place]
        for at in range(known.arities[work.shapes[place]]):
            work.after_symbols[place, at] = work.symbols[place, at]
    position = known.starts[move] + 1
    for number in range(scheme.write_counts[rule]):
        place, shape = scheme.writes[rule, number], known.moves[position]
        work.after_shapes[place] = shape
        for at in range(known.arities[shape]):
            work.after_symbols[place, at] = known.moves[position + 1 + at]
        position += 1 + known.arities[shape]


@inner
def number_symbols(known: Known, work: Work, order: Ints, into: Octets) -> int:
    """Write the symbols of the places in this order, numbered by first appearance; returns how many."""
    total, fresh = 0, 0
    work.names[:] = 255
    for place in order:
        for at in range(known.arities[work.after_shapes[place]]):
            symbol = work.after_symbols[place, at]
            if work.names[symbol] == 255:
                work.names[symbol] = fresh
                fresh += 1
            if total < len(into):
                into[total] = work.names[symbol]
            total += 1
    return total


@inner
def _fixed(scheme: Scheme, known: Known, work: Work) -> None:
    """Number the symbols of the places that stay where they are (`fixed`), and count in how many places each is."""
    work.fixed[:] = NOT_FIXED
    work.times[:] = 0
    count = 0
    for place in range(len(work.after_shapes)):
        for at in range(known.arities[work.after_shapes[place]]):
            symbol = work.after_symbols[place, at]
            work.times[symbol] += 1
            if scheme.stays[place] and work.fixed[symbol] == NOT_FIXED:
                work.fixed[symbol] = count
                count += 1


@inner
def _are_alike(scheme: Scheme, known: Known, work: Work) -> bool:
    """Whether two members of a group have one shape and symbols in it: only then more than shapes is to be compared."""
    for group in range(len(scheme.group_sizes)):
        places = scheme.groups[group]
        for at in range(1, scheme.group_sizes[group]):
            shape = work.after_shapes[places[at]]
            for before in range(at):
                if work.after_shapes[places[before]] == shape and known.arities[shape] > 0:
                    return True
    return False


@inner
def _compare(known: Known, work: Work, one: int, other: int) -> int:
    """The order of two places by shape, then by those symbols that places which stay have, too."""
    shape = int(work.after_shapes[one])
    if shape != work.after_shapes[other]:
        return shape - int(work.after_shapes[other])
    for at in range(known.arities[shape]):
        left, right = work.fixed[work.after_symbols[one, at]], work.fixed[work.after_symbols[other, at]]
        if left != right:
            return -1 if left < right else 1
    return 0


@inner
def _matters(known: Known, work: Work, one: int, other: int) -> bool:
    """Whether the order of two members that compare equal can matter: they differ, and share symbols with others."""
    differ, shared = False, False
    for at in range(known.arities[work.after_shapes[one]]):
        left, right = work.after_symbols[one, at], work.after_symbols[other, at]
        differ = differ or left != right
        shared = shared or (work.fixed[left] == NOT_FIXED and work.times[left] > 1)
        shared = shared or (work.fixed[right] == NOT_FIXED and work.times[right] > 1)
    return differ and shared


@inner
def _sort_group(known: Known, work: Work, places: Ints, size: int) -> bool:
    """Sort the members of one group, into `order`; whether the order of some is still open, and matters."""
    for at in range(1, size):
        back = at
        while back > 0:
            before, here = work.order[places[back - 1]], work.order[places[back]]
            if _compare(known, work, before, here) <= 0:
                break
            work.order[places[back - 1]], work.order[places[back]] = here, before
            back -= 1
    for at in range(1, size):
        here = work.order[places[at]]
        back = at - 1
        while back >= 0 and _compare(known, work, work.order[places[back]], here) == 0:
            if _matters(known, work, work.order[places[back]], here):
                return True
            back -= 1
    return False


@inner
def _sort_groups(scheme: Scheme, known: Known, work: Work) -> bool:
    """Sort the members of all groups, into `order`; whether the order of some is still open, and matters."""
    for place in range(len(work.order)):
        work.order[place] = place
    if len(scheme.group_sizes) == 0:
        return False
    if not _are_alike(scheme, known, work):
        for group in range(len(scheme.group_sizes)):
            _sort_group(known, work, scheme.groups[group], scheme.group_sizes[group])
        return False
    _fixed(scheme, known, work)
    tied = False
    for group in range(len(scheme.group_sizes)):
        tied = _sort_group(known, work, scheme.groups[group], scheme.group_sizes[group]) or tied
    return tied


@inner
def _exchanged(scheme: Scheme, known: Known, work: Work) -> bool:
    """The next candidate: members of each group in the chosen order; false if that exchanges unequal members."""
    for place in range(len(work.order)):
        work.candidate[place] = work.order[place]
    for group in range(len(scheme.group_sizes)):
        places = scheme.groups[group]
        chosen = scheme.orders[scheme.order_starts[group] + work.choice[group]]
        for at in range(scheme.group_sizes[group]):
            member = work.order[places[chosen[at]]]
            if _compare(known, work, member, work.order[places[at]]) != 0:
                return False
            work.candidate[places[at]] = member
    return True


@inner
def _next_choice(scheme: Scheme, work: Work) -> bool:
    """Go on to the next order of the groups' members; false after the last one."""
    for group in range(len(scheme.group_sizes)):
        work.choice[group] += 1
        if scheme.order_starts[group] + work.choice[group] < scheme.order_starts[group + 1]:
            return True
        work.choice[group] = 0
    return False


@inner
def canonical(scheme: Scheme, known: Known, work: Work) -> int:
    """Leave the canonical symbols in `best` and the places in `best_order`; returns how many symbols."""
    tied = _sort_groups(scheme, known, work)
    if not tied:
        work.best_order[:] = work.order
        return number_symbols(known, work, work.order, work.best)
    total = -1
    work.choice[:] = 0
    while True:
        if _exchanged(scheme, known, work):
            count = number_symbols(known, work, work.candidate, work.flat)
            if count > len(work.flat):
                return count
            less = total < 0
            if not less:
                for at in range(count):
                    if work.flat[at] != work.best[at]:
                        less = work.flat[at] < work.best[at]
                        break
            if less:
                total = count
                work.best[:] = work.flat
                work.best_order[:] = work.candidate
        if not _next_choice(scheme, work):
            return total
