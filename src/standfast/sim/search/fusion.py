"""Private steps taken at once with the step before them, and the proof that nothing is lost by it.

A rule is *private* if it says so (`private = True`) and reads and writes one place only. Where it is enabled with
exactly one outcome, which violates nothing, the state is not kept: the value is *settled* first. That is sound if in
every value passed over, every rule can do nothing that it can't do (up to settling) in the settled one, and every
property broken there is broken in the settled one, too. `check` asks the rules themselves, for every combination
that the search met; it trusts no declaration.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple, TypeAlias

from .alphabet import ContractError, Shape
from .product import Rule, Step, System
from .tables import Move, Pattern, Tables, pattern_of

Numbered: TypeAlias = tuple[tuple[Shape, tuple[int, ...]], ...]
"""Values read, as shapes with numbered symbols."""
Result: TypeAlias = tuple[str, tuple[tuple[int, Shape, tuple[int, ...]], ...]]
"""What a step did: the property it broke, and place, shape and symbols of what it read and wrote."""

_NOTHING: Final = Step("", "")
_FRESH: Final = -1


class Settled(NamedTuple):
    """Where private steps lead: symbols as in a `Move`, those of the value itself being known."""

    shape: Shape
    symbols: Pattern
    fresh: int


class Passed(NamedTuple):
    """A value passed over on the way to a settled one.

    `symbols`: where the settled value has them; those that it no longer has are -1, -2, …
    `drawn`: where the settled value has the symbols that were drawn on the way.
    """

    shape: Shape
    symbols: tuple[int, ...]
    drawn: tuple[int, ...]


def is_private(rule: Rule) -> bool:
    """Whether a rule may be fused. The attribute is optional."""
    return bool(getattr(rule, "private", False))


class Fused(Tables):
    """Tables whose moves end in settled values."""

    def __init__(self, system: System, *, symmetry: bool = True) -> None:
        super().__init__(system, symmetry=symmetry)
        self._private: dict[int, list[int]] = {}
        for number, rule in enumerate(self.rules):
            if is_private(rule):
                if len(rule.reads) != 1 or rule.reads != rule.writes:
                    raise ContractError(f"Rule {rule.name} is private and must read and write one and the same place.")
                if self.shared[number] == number:
                    self._private.setdefault(rule.reads[0], []).append(number)
        self._settled: dict[tuple[int, Shape], Settled] = {}
        self._passed: dict[tuple[int, Shape], set[Passed]] = {}
        self._fused: dict[tuple[int, tuple[Shape, ...], Pattern], tuple[Move, ...]] = {}

    def moves(self, rule: int, shapes: tuple[Shape, ...], pattern: Pattern) -> tuple[Move, ...]:
        """What the rule may do, private steps included. A private step taken already is none of them."""
        key = self.shared[rule], shapes, pattern
        known = self._fused.get(key)
        if known is None:
            known = self._fused[key] = self._settled_moves(*key)
        return known

    def answers(self) -> Iterator[tuple[int, tuple[Shape, ...], Pattern, tuple[Move, ...]]]:
        """As in `Tables`, with private steps included."""
        for (rule, shapes, pattern), moves in self._fused.items():
            yield rule, shapes, pattern, moves

    def settled(self, place: int, shape: Shape) -> Settled:
        """The value that private steps lead to. Raises ContractError if they go round."""
        place = self.place_class[place]
        known = self._settled.get((place, shape))
        if known is None:
            known = self._settled[place, shape] = self._settle(place, shape)
        return known

    def check(self) -> None:
        """Raise ContractError if, in any combination met, private steps don't commute or hide a violation.

        What is passed over grows while checking, because a rule fired in such a value may lead to another one.
        """
        checked = -1
        while checked != (count := sum(map(len, self._passed.values()))):
            checked = count
            for key in list(self._fused):
                self._check_rule(*key)
        for number, shapes, pattern in list(self._broken):
            judged = self.properties[number]
            for earlier, _ in self._passed_over(judged.reads, shapes, pattern):
                asked, order, _ = _normal(earlier)
                if self.broken(number, asked, order) and not self.broken(number, shapes, pattern):
                    raise ContractError(
                        f"{judged.name} is broken in a state that private steps pass over, but not after them.",
                        "A rule is private only if no property tells its two ends apart.",
                    )

    def _settle(self, place: int, shape: Shape) -> Settled:
        known = self.alphabet.arities[shape]
        symbols, fresh = tuple(range(known)), 0
        chain = [(shape, symbols, fresh)]
        while (move := self._private_move(place, shape)) is not None:
            ((shape, refs),) = move.writes
            symbols = tuple((*symbols, *range(known + fresh, known + fresh + move.fresh))[ref] for ref in refs)
            fresh += move.fresh
            if shape in [earlier for earlier, _, _ in chain]:
                raise ContractError(f"Private steps of {self.system.places[place]} go round ({move.step.text}).")
            chain.append((shape, symbols, fresh))
        for earlier, had, drawn_before in chain[:-1]:
            lost = [one for one in had if one not in symbols]
            where = tuple(-1 - lost.index(one) if one in lost else symbols.index(one) for one in had)
            drawn = tuple(at for at, one in enumerate(symbols) if one >= known + drawn_before)
            self._passed.setdefault((place, shape), set()).add(Passed(earlier, where, drawn))
        return Settled(shape, symbols, fresh)

    def _private_move(self, place: int, shape: Shape) -> Move | None:
        """The step to be taken at once: the only outcome of the first private rule that has only one."""
        for rule in self._private.get(place, ()):
            found = super().moves(rule, (shape,), tuple(range(self.alphabet.arities[shape])))
            if len(found) == 1 and not found[0].violation:
                return found[0]
        return None

    def _settled_moves(self, rule: int, shapes: tuple[Shape, ...], pattern: Pattern) -> tuple[Move, ...]:
        found = []
        for move in super().moves(rule, shapes, pattern):
            writes, fresh = [], move.fresh
            for place, (shape, symbols) in zip(self.rules[rule].writes, move.writes, strict=True):
                end = self.settled(place, shape)
                numbers = (*symbols, *range(move.known + fresh, move.known + fresh + end.fresh))
                writes.append((end.shape, tuple(numbers[ref] for ref in end.symbols)))
                fresh += end.fresh
            found.append(move._replace(writes=tuple(writes), fresh=fresh))
        return tuple(found)

    def _check_rule(self, rule: int, shapes: tuple[Shape, ...], pattern: Pattern) -> None:
        reads, writes = self.rules[rule].reads, self.rules[rule].writes
        settled = self._numbered(shapes, pattern)
        for earlier, drawn in self._passed_over(reads, shapes, pattern):
            asked, order, names = _normal(earlier)
            allowed = {
                _result(reads, writes, settled, move, tuple(range(move.known)), drawn)
                for move in self.moves(rule, shapes, pattern)
            }
            if set(writes) <= set(reads):
                allowed.add(_result(reads, (), settled, Move((), 0, 0, _NOTHING), (), drawn))
            for move in self._settled_moves(rule, asked, order):
                if _result(reads, writes, settled, move, names, drawn) not in allowed:
                    raise ContractError(
                        f"Rule {self.rules[rule].name} does not commute with a private rule: {move.step.text!r} leads "
                        "elsewhere before the private step than after it.",
                        "Either may not be private, or the private step must not matter to the other.",
                    )

    def _numbered(self, shapes: tuple[Shape, ...], pattern: Pattern) -> Numbered:
        found, start = [], 0
        for shape in shapes:
            end = start + self.alphabet.arities[shape]
            found.append((shape, pattern[start:end]))
            start = end
        return tuple(found)

    def _passed_over(
        self, places: tuple[int, ...], shapes: tuple[Shape, ...], pattern: Pattern
    ) -> Iterator[tuple[Numbered, frozenset[int]]]:
        """All combinations that settle to this one, but itself; with the symbols drawn on the way."""
        settled = self._numbered(shapes, pattern)
        choices: list[list[Passed | None]] = [
            [None, *sorted(self._passed.get((self.place_class[place], shape), ()))]
            for place, shape in zip(places, shapes, strict=True)
        ]
        for chosen in product(*choices):
            drawn = [
                symbols[at]
                for passed, (_, symbols) in zip(chosen, settled, strict=True)
                for at in (passed.drawn if passed else ())
            ]
            if any(passed is not None for passed in chosen) and all(pattern.count(one) == 1 for one in drawn):
                for earlier in _earlier(chosen, settled, sorted(set(pattern) - set(drawn))):
                    yield earlier, frozenset(drawn)


def _earlier(chosen: tuple[Passed | None, ...], settled: Numbered, known: list[int]) -> Iterator[Numbered]:
    """The values passed over, with every possible identity of the symbols that they had and the settled ones lost."""
    lost = [(at, one) for at, passed in enumerate(chosen) if passed for one in passed.symbols if one < 0]
    unseen = max((one for _, symbols in settled for one in symbols), default=-1) + 1
    for names in product(*([*known, *range(unseen, unseen + place + 1)] for place in range(len(lost)))):
        identity = dict(zip(lost, names, strict=True))
        values = tuple(
            value
            if passed is None
            else (passed.shape, tuple(value[1][one] if one >= 0 else identity[at, one] for one in passed.symbols))
            for at, (passed, value) in enumerate(zip(chosen, settled, strict=True))
        )
        if all(len(set(symbols)) == len(symbols) for _, symbols in values):
            yield values


def _normal(values: Numbered) -> tuple[tuple[Shape, ...], Pattern, tuple[int, ...]]:
    """Shapes and pattern, as tables want them, and which number each symbol of the pattern has."""
    pattern, names = pattern_of(one for _, symbols in values for one in symbols)
    return tuple(shape for shape, _ in values), pattern, names


def _result(
    reads: tuple[int, ...],
    writes: tuple[int, ...],
    settled: Numbered,
    move: Move,
    names: tuple[int, ...],
    drawn: frozenset[int],
) -> Result:
    """What a move did, with the symbols drawn before or by it named by first appearance: -1, -2, …"""
    after = dict(zip(reads, settled, strict=True))
    new = [_FRESH - count for count in range(move.fresh)]
    for place, (shape, refs) in zip(writes, move.writes, strict=True):
        after[place] = shape, tuple((*names, *new)[ref] for ref in refs)
    renamed: dict[int, int] = {}
    found = []
    for place, (shape, symbols) in sorted(after.items()):
        told = (renamed.setdefault(one, -1 - len(renamed)) if one in drawn or one < 0 else one for one in symbols)
        found.append((place, shape, tuple(told)))
    return move.violation.partition(":")[0], tuple(found)
