"""What is no system is refused with a message that names the culprit."""

from collections.abc import Mapping
from typing import Any

import pytest

from sim.search.toys import Toy, ToyProperty, ToyRule, outcome
from standfast.sim.search.alphabet import Alphabet, ContractError, symbol
from standfast.sim.search.exploring import explore
from standfast.sim.search.product import FRESH, Symbol, Value
from standfast.sim.search.tables import Tables, pattern_of

A, B = "a" * 16, "b" * 16


def one_rule(*values: Value, writes: tuple[int, ...] = (0,)) -> Toy:
    rule = ToyRule("only", (0,), writes, lambda read: (outcome("actor", "acts", *values),))
    return Toy("system", ("here", "there"), (("start", A), 0), (rule,))


def test_a_value_is_a_shape_and_its_symbols() -> None:
    alphabet = Alphabet(one_rule(0))
    shape, names = alphabet.split(("pair", B, A, B))
    assert names == (B, A)
    assert alphabet.split(("pair", A, B, A)) == (shape, (A, B))
    assert alphabet.split(("pair", A, A, A))[0] != shape
    assert alphabet.join(shape, (symbol(1), symbol(0))) == ("pair", symbol(1), symbol(0), symbol(1))
    assert pattern_of((7, 3, 7, 9)) == ((0, 1, 0, 2), (7, 3, 9))


def test_a_rule_is_asked_once_for_each_combination_up_to_names() -> None:
    asked: list[Value] = []

    def note(read: Value) -> Any:
        asked.append(read)
        yield outcome("actor", "acts", ("start", FRESH))

    tables = Tables(Toy("system", ("here",), (("start", A),), (ToyRule("note", (0,), (0,), note),)))
    shape, _ = tables.alphabet.split(("start", A))
    assert tables.moves(0, (shape,), (0,)) is tables.moves(0, (shape,), (0,))
    assert asked == [("start", symbol(0))]
    (move,) = tables.moves(0, (shape,), (0,))
    assert (move.writes, move.known, move.fresh) == (((shape, (1,)),), 1, 1)


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (one_rule(B), "made up the symbol b{16}"),
        (one_rule(0, 1), "writes 1 places and gave 2 values"),
        (one_rule(0, writes=(2,)), "only names place 2 of 2"),
        (Toy("system", ("here",), (0, 0), ()), "1 places and 2 values"),
        (Toy("system", ("here",), (0,), (), (ToyProperty("P", (1,), str),)), "P names place 1 of 1"),
        (Toy("system", ("a", "b", "c"), (0, 0, 0), (), (), ((0, 1), (1, 2))), "stands in two groups"),
    ],
)
def test_what_breaks_the_contract_is_named(system: Toy, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        explore(system, states_max=100)


class Sorting(Toy, frozen=True):
    """Its values keep their symbols sorted, so that their order depends on their names."""

    def renamed(self, value: Value, names: Mapping[Symbol, Symbol]) -> Value:
        plain = super().renamed(value, names)
        return (plain[0], *sorted(plain[1:], key=repr)) if isinstance(plain, tuple) else plain

    def symbols(self, value: Value) -> tuple[Symbol, ...]:
        return tuple(sorted(super().symbols(value), reverse=True))


def test_symbols_whose_order_depends_on_their_names_are_refused() -> None:
    with pytest.raises(ContractError, match="order of the symbols"):
        explore(Sorting("sorting", ("here",), (("set", A, B),), ()), states_max=10)


def test_rules_of_one_name_and_the_same_places_are_not_taken_for_the_same() -> None:
    def goes_to(target: int) -> ToyRule:
        return ToyRule("go", (0,), (0,), lambda read: (outcome("actor", f"goes to {target}", target),))

    assert explore(Toy("system", ("here",), (0,), (goes_to(1), goes_to(2))), states_max=10).bounds.states == 3


def test_rules_of_one_name_at_interchangeable_places_are_asked_once_for_all() -> None:
    asked: list[int] = []

    def step(read: Any) -> Any:
        asked.append(read)
        yield outcome("actor", "steps", (read + 1) % 3)

    rules = tuple(ToyRule("step", (place,), (place,), step) for place in range(3))
    assert (
        explore(Toy("system", ("a", "b", "c"), (0, 0, 0), rules, (), ((0, 1, 2),)), states_max=99).bounds.states == 10
    )
    assert sorted(asked) == [0, 1, 2]
    asked.clear()
    assert explore(Toy("system", ("a", "b", "c"), (0, 0, 0), rules), states_max=99).bounds.states == 27
    assert len(asked) == 9
