"""The same search without a single idea in it: plain values, every exchange of places tried. For comparison only."""

from collections.abc import Iterator
from itertools import permutations, product

from standfast.sim.search.product import FRESH, System, Value

State = tuple[Value, ...]


def numbered(system: System, state: State) -> State:
    """Symbols renamed in order of first appearance."""
    names: dict[str, str] = {}
    for value in state:
        for one in system.symbols(value):
            names.setdefault(one, f"{len(names):016x}")
    return tuple(system.renamed(value, names) for value in state)


def representative(system: System, state: State) -> State:
    """The least of all states that differ only in names and in who is who."""
    found = []
    for orders in product(*(permutations(group) for group in system.interchangeable)):
        other = list(state)
        for group, order in zip(system.interchangeable, orders, strict=True):
            for place, source in zip(group, order, strict=True):
                other[place] = state[source]
        found.append(numbered(system, tuple(other)))
    return min(found, key=repr)


def after(system: System, state: State) -> Iterator[tuple[State, str]]:
    """What may follow, and what is violated by it."""
    for rule in system.rules:
        for outcome in rule.fire(*(state[place] for place in rule.reads)):
            following = list(state)
            for place, value in zip(rule.writes, outcome.values, strict=True):
                following[place] = system.renamed(value, {FRESH: "fresh" + "0" * 11})
            yield tuple(following), outcome.violation


def count(system: System) -> tuple[int, int, int, dict[str, int]]:
    """States, transitions, depth, and the length of the shortest way to each broken property."""
    level, depth, transitions = [representative(system, system.start)], 0, 0
    seen: set[State] = set(level)
    found: dict[str, int] = {}
    while level:
        following: list[State] = []
        for state in level:
            for asked in system.properties:
                if asked.broken(*(state[place] for place in asked.reads)):
                    found.setdefault(asked.name, depth)
            for other, violation in after(system, state):
                transitions += 1
                if violation:
                    found.setdefault(violation.partition(":")[0], depth + 1)
                if (canonical := representative(system, other)) not in seen:
                    seen.add(canonical)
                    following.append(canonical)
        depth, level = depth + bool(following), following
    return len(seen), transitions, depth, found
