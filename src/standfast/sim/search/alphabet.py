"""Values as a shape and its symbols: equal shapes differ in nothing but names, so a search needs only integers."""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

from standfast.errors import StandfastError

from .product import System, Value

Shape: TypeAlias = int
"""A value up to the names of its symbols: an index into what an alphabet has met."""


class ContractError(StandfastError):
    """A system breaks the contract of `product.py`; the message names place, rule or value."""


@cache
def symbol(number: int) -> str:
    """The canonical name of a symbol: sixteen hexadecimal digits, as a nonce has."""
    return f"{number:016x}"


class Alphabet:
    """The shapes met so far, numbered in the order of meeting; with how many symbols each has."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.arities: list[int] = []
        self._canonical: list[Value] = []
        self._numbers: dict[Value, Shape] = {}
        self._split: dict[Value, tuple[Shape, tuple[str, ...]]] = {}

    def __len__(self) -> int:
        return len(self._canonical)

    def split(self, value: Value) -> tuple[Shape, tuple[str, ...]]:
        """The shape of a value and the names of its symbols. Raises ContractError if their order depends on names."""
        known = self._split.get(value)
        if known is None:
            names = self.system.symbols(value)
            known = self._split[value] = self._shape(value, names), names
        return known

    def join(self, shape: Shape, names: Sequence[str]) -> Value:
        """The value of this shape with these symbols."""
        renaming = {symbol(number): name for number, name in enumerate(names) if symbol(number) != name}
        return self.system.renamed(self._canonical[shape], renaming) if renaming else self._canonical[shape]

    def _shape(self, value: Value, names: tuple[str, ...]) -> Shape:
        ordered = tuple(symbol(number) for number in range(len(names)))
        canonical = value if names == ordered else self.system.renamed(value, dict(zip(names, ordered, strict=True)))
        shape = self._numbers.get(canonical)
        if shape is None:
            if len(set(names)) != len(names):
                raise ContractError(f"symbols() names a symbol twice in {value!r}: {names}.")
            if self.system.symbols(canonical) != ordered:
                raise ContractError(
                    f"The order of the symbols of {value!r} changes when they are renamed.",
                    "symbols() must go through the value in an order that does not depend on their names.",
                )
            shape = self._numbers[canonical] = len(self._canonical)
            self._canonical.append(canonical)
            self.arities.append(len(names))
        return shape
