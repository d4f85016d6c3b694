"""From which states nothing good can ever come again: the permanent wedge, by going backwards over the whole graph."""

from array import array
from collections.abc import Callable
from itertools import accumulate

from msgspec import Struct

from standfast.errors import StandfastError

from .exploring import Exploration
from .product import Finding, Step
from .tables import Pattern, pattern_of
from .tracing import trace


class Lost(Struct, frozen=True):
    """The states from which no path leads to the goal, nearest to the start first, and a shortest way to the first."""

    states: tuple[int, ...]
    finding: Finding | None


def never_again(
    exploration: Exploration,
    what: str,
    *,
    reads: tuple[int, ...] = (),
    holds: Callable[..., bool] | None = None,
    step: Callable[[Step], bool] | None = None,
) -> Lost:
    """The states from which neither a state whose values at `reads` make `holds` true can be reached, nor a `step`.

    Both are asked once for each combination. `what` is told with the trace. Steps that were fused with the one
    before are not asked. Raises StandfastError unless the exploration is complete: what was not looked at may lead
    anywhere.
    """
    if not exploration.result.bounds.complete:
        raise StandfastError(
            "The search was not finished, so nothing can be said of what is never reached again.",
            "Raise the limits or take a smaller scope.",
        )
    good, sources, targets = _edges(exploration, step)
    if holds is not None:
        _mark(exploration, reads, holds, good)
    _spread_backwards(good, sources, targets)
    lost = tuple(state for state, reaches in enumerate(good) if not reaches)
    finding = trace(exploration.graph, exploration.path(lost[0]), "never again", what) if lost else None
    return Lost(lost, finding)


def _edges(
    exploration: Exploration, step: Callable[[Step], bool] | None
) -> tuple[bytearray, "array[int]", "array[int]"]:
    """Which states have a good step, and all transitions."""
    good = bytearray(len(exploration))
    sources, targets = array("I"), array("I")
    asked: dict[int, bool] = {}
    for state in range(len(exploration)):
        for move, following in exploration.moves(state):
            sources.append(state)
            targets.append(following)
            if step is not None and not good[state]:
                if id(move) not in asked:
                    asked[id(move)] = step(move.step)
                good[state] = asked[id(move)]
    return good, sources, targets


def _mark(exploration: Exploration, reads: tuple[int, ...], holds: Callable[..., bool], good: bytearray) -> None:
    cells, tables = exploration.graph.cells, exploration.graph.tables
    asked: dict[tuple[tuple[int, ...], Pattern], bool] = {}
    for state in range(len(exploration)):
        read = [exploration.row(state)[place] for place in reads]
        pattern, _ = pattern_of(one for cell in read for one in cells.symbols[cell])
        key = tuple(cells.shapes[cell] for cell in read), pattern
        if key not in asked:
            asked[key] = holds(*tables.values(*key))
        good[state] = good[state] or asked[key]


def _spread_backwards(good: bytearray, sources: "array[int]", targets: "array[int]") -> None:
    """Mark all states that lead to a marked one."""
    incoming = [0] * (len(good) + 1)
    for target in targets:
        incoming[target + 1] += 1
    ends = list(accumulate(incoming))
    free = ends[:-1]
    before = array("I", bytes(4 * len(sources)))
    for source, target in zip(sources, targets, strict=True):
        before[free[target]] = source
        free[target] += 1
    waiting = [state for state, reaches in enumerate(good) if reaches]
    while waiting:
        state = waiting.pop()
        for source in before[ends[state] : ends[state + 1]]:
            if not good[source]:
                good[source] = 1
                waiting.append(source)
