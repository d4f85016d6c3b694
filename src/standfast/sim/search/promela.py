"""The same system as a Promela model, for a search by somebody else's program.

The model is written by walking: what every rule answered to every combination that a complete search met becomes a
table in C; nothing of any protocol is written by hand. How states are made canonical is written a second time, in
another way: the least of the rows under *all* exchanges of interchangeable places. If the model gets to a combination
that the walk did not meet, it stops with an error.
"""

from collections.abc import Iterable, Sequence
from itertools import permutations, product
from typing import Final, NamedTuple

from .product import System
from .successors import Successors
from .tables import Tables

MISSING: Final = "a combination that the walk did not meet"
"""What a model says when its tables have a gap."""


class Model(NamedTuple):
    """The texts of `model.pml` and of the `tables.h` that it includes; `octets` of a state's row."""

    promela: str
    tables: str
    octets: int


def model(graph: Successors, symbols: int) -> Model:
    """The system of a complete search, with the same reductions; no row of it has more than so many `symbols`.

    Its first step writes the initial state: one state and one step more than the system has.
    """
    tables, cells = graph.tables, graph.cells
    start = [cells.shapes[cell] for cell in graph.start()]
    places = len(start)
    start += [one for cell in graph.start() for one in cells.symbols[cell]]
    most = [0] * len(tables.rules)
    for rule, _, _, moves in tables.answers():
        most[rule] = max(most[rule], len(moves))
    options = [
        _option(rule, number) for rule in range(len(tables.rules)) for number in range(most[tables.shared[rule]])
    ]
    promela = [
        "c_decl {",
        '\\#include "tables.h"',
        "};",
        f'c_state "unsigned short row[{places + symbols}]" "Global";',
        "active proctype system() {",
        "  c_code { begin(now.row); };",
        "  do",
        *(options or ["  :: false"]),
        "  od",
        "}",
    ]
    orders = _orders(tables.system, graph.reductions.symmetry)
    header = [
        *_definitions(tables, symbols),
        _array("orders", [one for order in orders for one in order]),
        _array("start", start),
        _PROGRAM,
    ]
    return Model("\n".join(promela) + "\n", "\n".join(header), 2 * (places + symbols))


def _option(rule: int, number: int) -> str:
    """One outcome of a rule. Spin takes `name(` for a side effect; `may` has none, and the parentheses hide it."""
    chosen = f"(now.row, {rule}, {number})"
    return f"  :: d_step {{ c_expr {{ (may){chosen} }} -> c_code {{ take{chosen}; }} }}"


def _definitions(tables: Tables, symbols: int) -> Iterable[str]:
    """All tables. Of an entry: where its key begins in `keys`, its first move and how many there are."""
    keys: list[int] = []
    entries: list[int] = []
    moves: list[int] = []
    starts: list[int] = []
    for rule, shapes, pattern, answers in tables.answers():
        key = [rule, *shapes, *pattern]
        entries += [len(keys), len(key), len(starts), len(answers)]
        keys += key
        for move in answers:
            starts.append(len(moves))
            moves.append(move.known)
            for shape, refs in move.writes:
                moves += [shape, *refs]
    places = len(tables.system.places)
    reads = [rule.reads for rule in tables.rules]
    writes = [rule.writes for rule in tables.rules]
    slots = 1 << (len(entries) // 4 + 1).bit_length() + 1
    yield f"#define PLACES {places}\n#define WIDTH {places + symbols}\n#define SLOTS {slots}"
    yield f"#define RULES {len(tables.rules)}\n#define ENTRIES {len(entries) // 4}\n#define NO_SYMBOL {_NO_SYMBOL}"
    yield f'#define SYMBOLS_MAX {places * max(tables.alphabet.arities, default=0) + 1}\n#define MISSING "{MISSING}"'
    yield _array("arity", tables.alphabet.arities)
    yield _array("shared", tables.shared)
    yield from (_ragged("reads", reads), _ragged("writes", writes))
    yield from (_array("keys", keys), _array("entries", entries), _array("starts", starts), _array("moves", moves))


def _orders(system: System, symmetry: bool) -> list[tuple[int, ...]]:
    """All exchanges of places: which place's value goes to each place."""
    groups = system.interchangeable if symmetry else ()
    found = []
    for chosen in product(*(permutations(group) for group in groups)):
        order = list(range(len(system.places)))
        for group, members in zip(groups, chosen, strict=True):
            for place, member in zip(group, members, strict=True):
                order[place] = member
        found.append(tuple(order))
    return found


def _array(name: str, values: Sequence[int]) -> str:
    """A table in C; its length is known to nobody, so an empty one gets one entry."""
    return f"static const int {name}[] = {{{','.join(map(str, values or [0]))}}};"


def _ragged(name: str, rows: Sequence[Sequence[int]]) -> str:
    """Rows of unequal length: where each begins, and all of them in a row."""
    begins = [0]
    for row in rows:
        begins.append(begins[-1] + len(row))
    return _array(f"{name}_at", begins) + "\n" + _array(name, [one for row in rows for one in row])


_NO_SYMBOL: Final = 65535
_PROGRAM: Final = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define ORDERS ((int)(sizeof(orders) / sizeof(int) / PLACES))

static int slots[SLOTS], ready;
static unsigned short seen[WIDTH];
static int entry_of[RULES + 1];          /* of the row last seen; -1: not looked up yet */

static unsigned hash_of(const int *key, int length) {
    unsigned long long h = 1469598103934665603ULL;
    for (int i = 0; i < length; i++) h = (h ^ (unsigned)key[i]) * 1099511628211ULL;
    return (unsigned)(h ^ h >> 32) & (SLOTS - 1);
}

static void fill(void) {
    for (int e = 0; e < ENTRIES; e++) {
        unsigned s = hash_of(keys + entries[4 * e], entries[4 * e + 1]);
        while (slots[s]) s = (s + 1) & (SLOTS - 1);
        slots[s] = e + 1;
    }
    ready = 1;
}

/* Where the symbols of each place begin in a row. */
static void spread(const unsigned short *row, int *at) {
    at[0] = PLACES;
    for (int p = 0; p < PLACES; p++) at[p + 1] = at[p] + arity[row[p]];
}

/* The pattern of the symbols that a rule reads; names get the symbols in order of first appearance. */
static int pattern_of(const unsigned short *row, int rule, int *pattern, int *names) {
    int at[PLACES + 1], n = 0, known = 0;
    spread(row, at);
    for (int i = reads_at[rule]; i < reads_at[rule + 1]; i++)
        for (int j = at[reads[i]]; j < at[reads[i] + 1]; j++) {
            int number = 0;
            while (number < known && names[number] != row[j]) number++;
            if (number == known) names[known++] = row[j];
            pattern[n++] = number;
        }
    return n;
}

static int look_up(const unsigned short *row, int rule) {
    int key[1 + PLACES + SYMBOLS_MAX], names[SYMBOLS_MAX], n = 0;
    key[n++] = shared[rule];
    for (int i = reads_at[rule]; i < reads_at[rule + 1]; i++) key[n++] = row[reads[i]];
    n += pattern_of(row, rule, key + n, names);
    if (!ready) fill();
    for (unsigned s = hash_of(key, n); slots[s]; s = (s + 1) & (SLOTS - 1)) {
        const int *e = entries + 4 * (slots[s] - 1);
        if (e[1] == n && !memcmp(keys + e[0], key, n * sizeof(int))) return slots[s] - 1;
    }
    printf("%s: rule %d\n", MISSING, rule);
    exit(9);
}

static int entry(const unsigned short *row, int rule) {
    if (memcmp(seen, row, sizeof(seen))) {
        memcpy(seen, row, sizeof(seen));
        for (int r = 0; r < RULES; r++) entry_of[r] = -1;
    }
    if (entry_of[rule] < 0) entry_of[rule] = look_up(row, rule);
    return entry_of[rule];
}

static int may(const unsigned short *row, int rule, int number) {
    return number < entries[4 * entry(row, rule) + 3];
}

/* A row with its places in this order and symbols numbered by first appearance. */
static void arrange(const int *shapes, const int symbols[][SYMBOLS_MAX], const int *order, unsigned short *row) {
    int names[SYMBOLS_MAX], known = 0, n = PLACES;
    for (int p = 0; p < PLACES; p++) {
        row[p] = shapes[order[p]];
        for (int j = 0; j < arity[row[p]]; j++) {
            int number = 0;
            while (number < known && names[number] != symbols[order[p]][j]) number++;
            if (number == known) names[known++] = symbols[order[p]][j];
            if (n >= WIDTH) { printf("%s: too many symbols\n", MISSING); exit(9); }
            row[n++] = number;
        }
    }
    while (n < WIDTH) row[n++] = NO_SYMBOL;
}

static int precedes(const unsigned short *one, const unsigned short *other) {
    int i = 0;
    while (i < WIDTH && one[i] == other[i]) i++;
    return i < WIDTH && one[i] < other[i];
}

static void take(unsigned short *row, int rule, int number) {
    int shapes[PLACES], symbols[PLACES][SYMBOLS_MAX], at[PLACES + 1], pattern[SYMBOLS_MAX], names[SYMBOLS_MAX];
    const int *move = moves + starts[entries[4 * entry(row, rule) + 2] + number];
    unsigned short least[WIDTH], other[WIDTH];
    spread(row, at);
    for (int p = 0; p < PLACES; p++) {
        shapes[p] = row[p];
        for (int j = at[p]; j < at[p + 1]; j++) symbols[p][j - at[p]] = row[j];
    }
    pattern_of(row, rule, pattern, names);
    int known = *move++;
    for (int i = writes_at[rule]; i < writes_at[rule + 1]; i++) {
        int p = writes[i];
        shapes[p] = *move++;
        for (int j = 0; j < arity[shapes[p]]; j++, move++)
            symbols[p][j] = *move < known ? names[*move] : 100000 + *move - known;
    }
    arrange(shapes, symbols, orders, least);
    for (int o = 1; o < ORDERS; o++) {
        arrange(shapes, symbols, orders + o * PLACES, other);
        if (precedes(other, least)) memcpy(least, other, sizeof(least));
    }
    memcpy(row, least, sizeof(least));
}

static void begin(unsigned short *row) {
    int shapes[PLACES], symbols[PLACES][SYMBOLS_MAX], n = PLACES;
    unsigned short other[WIDTH];
    for (int p = 0; p < PLACES; p++) {
        shapes[p] = start[p];
        for (int j = 0; j < arity[start[p]]; j++) symbols[p][j] = start[n++];
    }
    for (int o = 0; o < ORDERS; o++) {
        arrange(shapes, symbols, orders + o * PLACES, other);
        if (!o || precedes(other, row)) memcpy(row, other, sizeof(other));
    }
}
"""
