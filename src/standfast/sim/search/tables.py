"""Rules and properties as tables of integers: each is asked once per combination of shapes and equalities."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from .alphabet import Alphabet, ContractError, Shape, symbol
from .product import FRESH, Outcome, Rule, Step, System, Value

Pattern: TypeAlias = tuple[int, ...]
"""Which of the symbols read are equal: all of them in a row, numbered by first appearance."""


class Move(NamedTuple):
    """An outcome in integers. `writes`: for each place written, shape and symbols.

    A symbol below `known` is that of the pattern; `known + n` is the n-th fresh one.
    """

    writes: tuple[tuple[Shape, Pattern], ...]
    known: int
    fresh: int
    step: Step
    violation: str = ""


class Tables:
    """What rules and properties answered so far. `fired` counts how often the system itself was asked."""

    def __init__(self, system: System, *, symmetry: bool = True) -> None:
        _check_places(system)
        self.system = system
        self.alphabet = Alphabet(system)
        self.rules: tuple[Rule, ...] = tuple(system.rules)
        self.properties = tuple(system.properties)
        self.fired = 0
        self._moves: dict[tuple[int, tuple[Shape, ...], Pattern], tuple[Move, ...]] = {}
        self._broken: dict[tuple[int, tuple[Shape, ...], Pattern], str] = {}
        self.place_class = list(range(len(system.places)))
        if symmetry:
            for group in system.interchangeable:
                for place in group:
                    self.place_class[place] = group[0]
        self.shared = self._shared()

    def moves(self, rule: int, shapes: tuple[Shape, ...], pattern: Pattern) -> tuple[Move, ...]:
        """What the rule may do given these shapes, with symbols equal as in the pattern."""
        rule = self.shared[rule]
        key = rule, shapes, pattern
        known = self._moves.get(key)
        if known is None:
            self.fired += 1
            symbols = max(pattern, default=-1) + 1
            outcomes = self.rules[rule].fire(*self.values(shapes, pattern))
            known = self._moves[key] = tuple(self._move(rule, outcome, symbols) for outcome in outcomes)
        return known

    def answers(self) -> Iterator[tuple[int, tuple[Shape, ...], Pattern, tuple[Move, ...]]]:
        """All that rules have been asked so far, in the order of asking: rule, shapes, pattern and moves."""
        for (rule, shapes, pattern), moves in self._moves.items():
            yield rule, shapes, pattern, moves

    def broken(self, number: int, shapes: tuple[Shape, ...], pattern: Pattern) -> str:
        """Why the property does not hold there; empty if it does."""
        key = number, shapes, pattern
        known = self._broken.get(key)
        if known is None:
            self.fired += 1
            known = self._broken[key] = self.properties[number].broken(*self.values(shapes, pattern))
        return known

    def values(self, shapes: Sequence[Shape], pattern: Sequence[int]) -> tuple[Value, ...]:
        """Plain values of these shapes whose symbols, put in a row, are equal as in the pattern."""
        found, start = [], 0
        for shape in shapes:
            end = start + self.alphabet.arities[shape]
            found.append(self.alphabet.join(shape, [symbol(number) for number in pattern[start:end]]))
            start = end
        return tuple(found)

    def _shared(self) -> list[int]:
        """For each rule the first of those that are the same rule of interchangeable actors: it is asked for all.

        They have the same name and, place by place, the same class. Rules that share a name and even their places
        are different rules, and none of that name is shared.
        """
        taken = Counter((rule.name, rule.reads, rule.writes) for rule in self.rules)
        several = {name for (name, _, _), times in taken.items() if times > 1}
        first: dict[Hashable, int] = {}
        return [
            number if rule.name in several else first.setdefault(self._class_of(rule), number)
            for number, rule in enumerate(self.rules)
        ]

    def _class_of(self, rule: Rule) -> Hashable:
        """Equal for rules that an exchange of places makes one of the other."""
        places = (*rule.reads, *rule.writes)
        same, _ = pattern_of(places)
        return rule.name, len(rule.reads), same, tuple(self.place_class[place] for place in places)

    def _move(self, rule: int, outcome: Outcome, known: int) -> Move:
        asked = self.rules[rule]
        if len(outcome.values) != len(asked.writes):
            raise ContractError(
                f"Rule {asked.name} writes {len(asked.writes)} places and gave {len(outcome.values)} values."
            )
        numbers = {symbol(number): number for number in range(known)} | {FRESH: known}
        writes, fresh = [], 0
        for value in outcome.values:
            shape, names = self.alphabet.split(value)
            if unknown := [name for name in names if name not in numbers]:
                raise ContractError(
                    f"Rule {asked.name} made up the symbol {unknown[0]} ({outcome.step.text}).",
                    "An outcome may hold symbols of the values read, and FRESH.",
                )
            fresh = 1 if FRESH in names else fresh
            writes.append((shape, tuple(numbers[name] for name in names)))
        return Move(tuple(writes), known, fresh, outcome.step, outcome.violation)


def pattern_of(symbols: Iterable[int]) -> tuple[Pattern, tuple[int, ...]]:
    """Symbols numbered by first appearance, and the distinct ones in that order."""
    numbers: dict[int, int] = {}
    pattern = tuple(numbers.setdefault(one, len(numbers)) for one in symbols)
    return pattern, tuple(numbers)


def _check_places(system: System) -> None:
    count = len(system.places)
    if len(system.start) != count:
        raise ContractError(f"{system.title}: {count} places and {len(system.start)} values at the start.")
    named = [(rule.name, place) for rule in system.rules for place in (*rule.reads, *rule.writes)]
    named += [(judged.name, place) for judged in system.properties for place in judged.reads]
    for name, place in named:
        if not 0 <= place < count:
            raise ContractError(f"{system.title}: {name} names place {place} of {count}.")
    members = [place for group in system.interchangeable for place in group]
    if len(set(members)) != len(members):
        raise ContractError(f"{system.title}: a place stands in two groups of interchangeable places.")
