"""Small systems whose states can be counted by hand: values are nested tuples, symbols are strings of 16 digits."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from standfast.sim.search.product import FRESH, Outcome, Property, Rule, Step, Symbol, Value


class ToyRule(Struct, frozen=True):
    """A rule whose `fire` is a function of the values read."""

    name: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    happens: Callable[..., Iterable[Outcome]]
    private: bool = False

    def fire(self, *values: Value) -> Iterable[Outcome]:
        return self.happens(*values)


class ToyProperty(Struct, frozen=True):
    """A property that is a function of the values read."""

    name: str
    reads: tuple[int, ...]
    judge: Callable[..., str]

    def broken(self, *values: Value) -> str:
        return self.judge(*values)


class Toy(Struct, frozen=True):
    """A system over nested tuples."""

    title: str
    places: tuple[str, ...]
    start: tuple[Value, ...]
    rules: tuple[Rule, ...]
    properties: tuple[Property, ...] = ()
    interchangeable: tuple[tuple[int, ...], ...] = ()

    def symbols(self, value: Value) -> tuple[Symbol, ...]:
        return tuple(dict.fromkeys(leaf for leaf in leaves(value) if is_symbol(leaf)))

    def renamed(self, value: Value, names: Mapping[Symbol, Symbol]) -> Value:
        if isinstance(value, tuple):
            return tuple(self.renamed(part, names) for part in value)
        return names.get(value, value) if isinstance(value, str) else value


def leaves(value: Hashable) -> Iterator[Any]:
    """What stands in a nested tuple, from left to right."""
    if isinstance(value, tuple):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def is_symbol(leaf: object) -> bool:
    """Nonces look like nonces: sixteen hexadecimal digits."""
    return isinstance(leaf, str) and len(leaf) == 16


def outcome(actor: str, text: str, *values: Value, violation: str = "") -> Outcome:
    """An outcome, written briefly."""
    return Outcome(Step(actor, text), values, violation)


def lock(clients: int, *, fenced: bool = True, distinct: bool = False) -> Toy:
    """A lock whose holder is a nonce. A client may be robbed of it; without fencing a robbed one still unlocks.

    Places: lock, then clients. A client is ("idle",) or ("holds", nonce).
    """

    def take(held: Any, client: Any) -> Iterator[Outcome]:
        if held == ("free",) and client == ("idle",):
            yield outcome("client", "takes the lock", ("held", FRESH), ("holds", FRESH))

    def release(held: Any, client: Any) -> Iterator[Outcome]:
        if client[0] == "holds":
            mine = held == ("held", client[1])
            if mine or not fenced:
                wrong = "" if mine or held == ("free",) else "exclusion: unlocked what another one holds"
                yield outcome("client", "unlocks", ("free",), ("idle",), violation=wrong)
            else:
                yield outcome("client", "is refused", held, ("idle",))

    def expire(held: Any) -> Iterator[Outcome]:
        if held != ("free",):
            yield outcome("clock", "lets the lock expire", ("free",))

    rules = [ToyRule("expire", (0,), (0,), expire)]
    for client in range(1, clients + 1):
        rules += [ToyRule("take", (0, client), (0, client), take), ToyRule("unlock", (0, client), (0, client), release)]
    return Toy(
        f"lock of {clients}",
        ("lock", *(f"client-{number}" for number in range(clients))),
        (("free",), *((("idle",),) * clients)),
        tuple(rules),
        interchangeable=() if distinct else (tuple(range(1, clients + 1)),),
    )


def ring(nodes: int, *, careless: bool = False) -> Toy:
    """A token goes round; who has it may work. The careless ring lets node 0 make a token when it has waited.

    Places: one a node: "none", "token" or "busy".
    """

    def work(node: Any) -> Iterator[Outcome]:
        if node != "none":
            yield outcome("node", "works" if node == "token" else "rests", "busy" if node == "token" else "token")

    def give(node: Any, following: Any) -> Iterator[Outcome]:
        if node == "token" and following == "none":
            yield outcome("node", "gives the token away", "none", "token")

    def make(node: Any) -> Iterator[Outcome]:
        if node == "none":
            yield outcome("node-0", "makes a token", "token")

    def alone(*all_nodes: Any) -> str:
        return "two work at a time" if all_nodes.count("busy") > 1 else ""

    rules = [ToyRule("work", (node,), (node,), work) for node in range(nodes)]
    rules += [ToyRule("give", (node, (node + 1) % nodes), (node, (node + 1) % nodes), give) for node in range(nodes)]
    if careless:
        rules.append(ToyRule("make", (0,), (0,), make))
    places = tuple(range(nodes))
    return Toy(
        f"ring of {nodes}",
        tuple(f"node-{number}" for number in places),
        ("token", *(("none",) * (nodes - 1))),
        tuple(rules),
        (ToyProperty("alone", places, alone),),
    )


def register(writers: int, *, versions: bool, values: int = 2, private: bool = True) -> Toy:
    """Writers read a register, prepare, and write the next value if it has not changed: ABA unless versions count.

    Places: the register (value, version), then writers: ("idle",), ("read", value, version),
    ("drawn", value, version, new version). Preparing is private: it draws a nonce.
    """

    def read(cell: Any, writer: Any) -> Iterator[Outcome]:
        if writer == ("idle",):
            yield outcome("writer", "reads", cell, ("read", *cell))

    def draw(writer: Any) -> Iterator[Outcome]:
        if writer[0] == "read":
            yield outcome("writer", "draws a nonce", ("drawn", *writer[1:], FRESH))

    def write(cell: Any, writer: Any) -> Iterator[Outcome]:
        if writer[0] == "drawn":
            _, value, version, new = writer
            if cell[1] == version if versions else cell[0] == value:
                stale = "" if cell[1] == version else "ABA: wrote over a value that only looks like the one read"
                yield outcome("writer", "writes", ((value + 1) % values, new), ("idle",), violation=stale)
            else:
                yield outcome("writer", "is refused", cell, ("idle",))

    rules = []
    for writer in range(1, writers + 1):
        rules += [
            ToyRule("read", (0, writer), (0, writer), read),
            ToyRule("draw", (writer,), (writer,), draw, private=private),
            ToyRule("write", (0, writer), (0, writer), write),
        ]
    return Toy(
        f"register of {writers}",
        ("register", *(f"writer-{number}" for number in range(writers))),
        ((0, "0123456789abcdef"), *((("idle",),) * writers)),
        tuple(rules),
        interchangeable=(tuple(range(1, writers + 1)),),
    )
