"""A way through canonical rows, told again in plain values: actors keep their places and symbols their names."""

from collections.abc import Iterator, Sequence
from itertools import count

from .alphabet import ContractError, symbol
from .canonical import Row
from .fusion import Fused, is_private
from .product import FRESH, Finding, Outcome, Rule, Step, System, Value
from .successors import Successors
from .tables import Move

State = tuple[Value, ...]
Steps = list[tuple[Step, State]]


def trace(graph: Successors, rows: Sequence[Row], name: str, what: str, last: Move | None = None) -> Finding:
    """The finding whose shortest way is `rows`; with `last`, it is that very step which breaks the property.

    A canonical row has forgotten who is who, so each step is looked for among all that the plain state may do.
    """
    plain = _Plain(graph)
    start = graph.tables.system.start
    told = [(Step("", ""), start), *plain.settled(start)]
    for number, row in enumerate(rows[1:], 2):
        breaks = last.violation.partition(":")[0] if last is not None and number == len(rows) else None
        told += plain.taken(told[-1][1], row, breaks)
    return Finding(name, what, tuple(step for step, _ in told[1:]), tuple(state for _, state in told))


class _Plain:
    """Steps of plain values, with a new name for each symbol made."""

    def __init__(self, graph: Successors) -> None:
        self._graph = graph
        self._system: System = graph.tables.system
        self._rules = graph.tables.rules
        given = {one for value in self._system.start for one in self._system.symbols(value)}
        self._names = (name for number in count() if (name := symbol(number)) not in given)

    def taken(self, state: State, row: Row, breaks: str | None) -> Steps:
        """The first step that leads to a canonical row and breaks what it should, with the private ones after it."""
        for rule in self._rules:
            for outcome in rule.fire(*(state[place] for place in rule.reads)):
                if breaks is None or outcome.violation.partition(":")[0] == breaks:
                    following = self._written(state, rule, outcome)
                    told = [(outcome.step, following), *self.settled(following)]
                    if self._graph.matches(told[-1][1], row):
                        return told
        raise ContractError(
            "A step of the search is not found again in plain values.",
            "A rule's fire() must be pure and must not depend on the names of symbols, and equal rules of "
            "interchangeable actors must do the same.",
        )

    def settled(self, state: State) -> Iterator[tuple[Step, State]]:
        """Private steps, until there are none."""
        if isinstance(self._graph.tables, Fused):
            while (found := self._private(state)) is not None:
                rule, outcome = found
                state = self._written(state, rule, outcome)
                yield outcome.step, state

    def _private(self, state: State) -> tuple[Rule, Outcome] | None:
        for rule in self._rules:
            if is_private(rule):
                outcomes = list(rule.fire(*(state[place] for place in rule.reads)))
                if len(outcomes) == 1 and not outcomes[0].violation:
                    return rule, outcomes[0]
        return None

    def _written(self, state: State, rule: Rule, outcome: Outcome) -> State:
        fresh = any(FRESH in self._system.symbols(value) for value in outcome.values)
        names = {FRESH: next(self._names)} if fresh else {}
        following = list(state)
        for place, value in zip(rule.writes, outcome.values, strict=True):
            following[place] = self._system.renamed(value, names) if names else value
        return tuple(following)
