"""One mapping of the document being read: values, lists and required keys, with every problem collected."""

from collections.abc import Callable
from typing import TypeVar

from standfast.config.document import (
    PROBLEMS_MAX,
    Findings,
    Mapping,
    Mark,
    Node,
    Scalar,
    Sequence,
    join,
    nearest,
    shown,
)
from standfast.config.scalars import BadValue

T = TypeVar("T")
D = TypeVar("D")

_MEANT = {
    "weight": "capacity",
    "addresses": "ip",
    "address": "ip",
    "ips": "ip",
    "zone": "az",
    "availability_zone": "az",
    "key": "tsig",
    "secret": "tsig",
    "primary": "server",
    "nameserver": "server",
    "backends": "load_balancers",
    "names": "endpoints",
    "records": "endpoints",
    "state_dir": "state",
    "panic": "hold_below",
}
"""What people write for a key that is spelled quite differently here."""


class Section:
    """A mapping with a fixed set of keys. Readers report into the findings and give the default instead."""

    def __init__(self, findings: Findings, node: Mapping, path: str, keys: tuple[str, ...], mark: Mark) -> None:
        self.findings = findings
        self.path = path
        self.mark = mark
        self._keys = {key.text: key for key, _ in node.entries}
        self._values = {key.text: value for key, value in node.entries}
        self._misspelt: set[str] = set()
        for key, _ in node.entries:
            if key.text not in keys:
                self._unknown(key, keys)

    @classmethod
    def of(
        cls, findings: Findings, node: Node, path: str, keys: tuple[str, ...], mark: Mark | None = None
    ) -> "Section | None":
        """The node as a section; an empty one is a mapping without entries; anything else is a problem.

        `mark` is where problems of the section as a whole are shown: best at its key.
        """
        if isinstance(node, Scalar) and node.empty:
            node = Mapping((), node.mark)
        if not isinstance(node, Mapping):
            options = ", ".join(keys[:4])
            findings.problem(node.mark, path, "A mapping must stand here.", f"Give keys such as {options}.")
            return None
        return cls(findings, node, path, keys, mark or node.mark)

    def section(self, key: str, keys: tuple[str, ...]) -> "Section | None":
        """The section under `key`; None if absent or (a problem) not a mapping."""
        node = self._values.get(key)
        if node is None:
            return None
        return Section.of(self.findings, node, self.below(key), keys, self._keys[key].mark)

    def children(self, key: str) -> tuple[tuple[Scalar, Node], ...] | None:
        """The entries of the mapping under `key`, whose keys are names; None as in `section`."""
        node = self._values.get(key)
        if node is None or (isinstance(node, Scalar) and node.empty):
            return None if node is None else ()
        if not isinstance(node, Mapping):
            self.problem(key, "A mapping must stand here.", "Give one line for each name: `name: {…}`.")
            return None
        return node.entries

    def _unknown(self, key: Scalar, keys: tuple[str, ...]) -> None:
        meant = _MEANT.get(key.text.lower())
        # Guessing costs time, and beyond these nobody reads the guess.
        if meant not in keys and len(self.findings.problems) > PROBLEMS_MAX:
            meant = None
        elif meant not in keys:
            meant = nearest(key.text, keys)
        remedy = f"Did you mean {meant}?" if meant else f"Known here: {', '.join(keys)}."
        self._misspelt |= {meant} if meant else set()
        if key.text == "<<":
            remedy = "YAML 1.2 has no merge key: write the values out."
        self.findings.problem(key.mark, self.path, f"{shown(key.text)} is not a key here.", remedy)

    @property
    def given(self) -> tuple[str, ...]:
        """The keys that stand here."""
        return tuple(self._values)

    def get(self, key: str) -> Node | None:
        return self._values.get(key)

    def at(self, key: str) -> Mark:
        """Where the key's value stands; the section itself if the key is absent."""
        node = self._values.get(key)
        return node.mark if node else self.mark

    def below(self, key: str) -> str:
        return join(self.path, key)

    def problem(self, key: str, message: str, remedy: str) -> None:
        """A problem with the value of `key`; of the section itself if `key` is empty."""
        self.findings.problem(self.at(key), self.below(key), message, remedy)

    def note(self, key: str, message: str, remedy: str) -> None:
        self.findings.note(self.at(key), self.below(key), message, remedy)

    def missing(self, key: str, remedy: str) -> None:
        """A problem: `key` is not there. Not said again if it is there but misspelt."""
        if key not in self._misspelt:
            self.problem("", f"{key} is missing.", remedy)

    def read(self, key: str, reader: Callable[[str], T], default: D) -> T | D:
        """The value of `key`; the default if it is absent or (a problem) not what it should be."""
        node = self._values.get(key)
        return default if node is None else self._scalar(node, self.below(key), reader, default)

    def require(self, key: str, reader: Callable[[str], T], remedy: str) -> T | None:
        """The value of `key`, which must be there."""
        if key not in self._values:
            self.missing(key, remedy)
        return self.read(key, reader, None)

    def read_list(self, key: str, reader: Callable[[str], T]) -> list[tuple[T, Mark]] | None:
        """The values of a list, or of one value alone, without repetitions; None if absent.

        Values with a problem are left out; an empty list is one.
        """
        node = self._values.get(key)
        if node is None:
            return None
        if node == Sequence((), node.mark) or (isinstance(node, Scalar) and node.empty):
            self.problem(key, "This list is empty.", "Leave the key out, or give at least one value.")
            return []
        found: dict[T, Mark] = {}
        items = node.items if isinstance(node, Sequence) else (node,)
        for index, item in enumerate(items):
            path = f"{self.below(key)}[{index}]" if isinstance(node, Sequence) else self.below(key)
            value = self._scalar(item, path, reader, None)
            if value is not None:
                found.setdefault(value, item.mark)
        return list(found.items())

    def _scalar(self, node: Node, path: str, reader: Callable[[str], T], default: D) -> T | D:
        if not isinstance(node, Scalar):
            kind = "list" if isinstance(node, Sequence) else "mapping"
            self.findings.problem(node.mark, path, f"A {kind} cannot stand here.", "Give a single value.")
            return default
        if node.empty:
            self.findings.problem(node.mark, path, "The value is missing.", "Give one, or leave the key out.")
            return default
        try:
            return reader(node.text)
        except BadValue as bad:
            self.findings.problem(node.mark, path, bad.message, bad.remedy)
            return default
