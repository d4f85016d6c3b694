"""Every state of a small model whose moves are those of a production automaton. Breadth first, so that what is found
is found by the fewest moves.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct

S = TypeVar("S")


class Broken(Exception):
    """A property does not hold; the argument says which."""


class Model(Struct, Generic[S], frozen=True):
    """`moves` gives (what happens, the state then) of each move, and raises Broken. `key` is equal for states whose
    futures are."""

    name: str
    about: str
    properties: str
    start: Callable[[], S]
    moves: Callable[[S], Iterator[tuple[str, Callable[[], S]]]]
    key: Callable[[S], Hashable]


class Explored(Struct, frozen=True):
    """What was seen. `broken` says which property does not hold and `steps` how that comes about; both empty: none."""

    name: str
    about: str
    properties: str
    states: int
    transitions: int
    complete: bool
    broken: str = ""
    steps: tuple[str, ...] = ()


def explore(model: Model[S], states_max: int = 1_000_000) -> Explored:
    """All of it, unless there are more than `states_max` states."""
    first = model.start()
    came: dict[Hashable, tuple[Hashable, str] | None] = {model.key(first): None}
    todo = deque([first])
    transitions = 0
    while todo:
        state = todo.popleft()
        here = model.key(state)
        for label, make in model.moves(state):
            transitions += 1
            try:
                then = make()
            except Broken as broken:
                return _told(model, len(came), transitions, str(broken), (*_way(came, here), label))
            key = model.key(then)
            if key in came:
                continue
            if len(came) >= states_max:
                return _told(model, len(came), transitions, "", (), complete=False)
            came[key] = (here, label)
            todo.append(then)
    return _told(model, len(came), transitions, "", ())


def _told(
    model: Model[S], states: int, transitions: int, broken: str, steps: tuple[str, ...], *, complete: bool = True
) -> Explored:
    return Explored(
        model.name, model.about, model.properties, states, transitions, complete and not broken, broken, steps
    )  # fmt: skip


def _way(came: dict[Hashable, tuple[Hashable, str] | None], key: Hashable) -> tuple[str, ...]:
    steps: list[str] = []
    while (before := came[key]) is not None:
        key, label = before
        steps.append(label)
    return tuple(reversed(steps))
