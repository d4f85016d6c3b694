"""A way through canonical rows, told again in plain values: actors keep their places and symbols their names."""

from collections.abc import Mapping, Sequence

from .alphabet import ContractError, symbol
from .canonical import Row
from .product import FRESH, Finding, Outcome, Step, Value
from .successors import Successors
from .tables import Move


def trace(graph: Successors, rows: Sequence[Row], name: str, what: str, last: Move | None = None) -> Finding:
    """The finding whose shortest way is `rows`; with `last`, it is that very step which breaks the property.

    A canonical row has forgotten who is who, so each step is looked for among all that the plain state may do.
    """
    state = graph.tables.system.start
    steps: list[Step] = []
    states = [state]
    made = len({one for value in state for one in graph.tables.system.symbols(value)})
    for number, row in enumerate(rows[1:], 2):
        wanted = last.violation if last is not None and number == len(rows) else None
        step, state = _taken(graph, state, row, wanted, _unused(graph, state, made))
        made += 1
        steps.append(step)
        states.append(state)
    return Finding(name, what, tuple(steps), tuple(states))


def _taken(
    graph: Successors, state: tuple[Value, ...], row: Row, violation: str | None, fresh: str
) -> tuple[Step, tuple[Value, ...]]:
    """The first step from a plain state that leads to a canonical row, breaking what it should break."""
    for rule in graph.tables.rules:
        for outcome in rule.fire(*(state[place] for place in rule.reads)):
            if violation is None or outcome.violation.partition(":")[0] == violation.partition(":")[0]:
                following = _written(graph, state, rule.writes, outcome, {FRESH: fresh})
                if graph.matches(following, row):
                    return outcome.step, following
    raise ContractError(
        "A step of the search is not found again in plain values.",
        "A rule's fire() must be pure, and must not depend on the names of symbols.",
    )


def _written(
    graph: Successors,
    state: tuple[Value, ...],
    writes: tuple[int, ...],
    outcome: Outcome,
    names: Mapping[str, str],
) -> tuple[Value, ...]:
    following = list(state)
    system = graph.tables.system
    for place, value in zip(writes, outcome.values, strict=True):
        following[place] = system.renamed(value, names) if FRESH in system.symbols(value) else value
    return tuple(following)


def _unused(graph: Successors, state: tuple[Value, ...], made: int) -> str:
    """A name that no symbol of this state has; names are never taken twice along a trace."""
    used = {one for value in state for one in graph.tables.system.symbols(value)}
    return next(name for number in range(made, made + len(used) + 1) if (name := symbol(number)) not in used)
