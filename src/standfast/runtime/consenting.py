"""Consents to take over names, on their way from an operator to whoever plans: a source of the store.

Consent is given once, when a name first enters a plan, and is recorded in that plan; here it waits until then.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from .enacting import Store
from .sharing import Board

CONSENTS: Final = "consents"
"""The source of a store in which operators' consents to take over names wait for a planner."""
_TRIES: Final = 3


class Consent(Struct, frozen=True):
    """Somebody agreed that `name` be taken over. `at` is seconds since the epoch by their clock."""

    name: str
    by: str
    at: float
    reason: str


def record_consent(board: Board, consent: Consent) -> str:
    """Put it where the planner looks; empty, or why that was not possible."""
    for _ in range(_TRIES):
        if not board.read():
            return "the plan store can't be read"
        told = [one for one in read_consents(board.body) if one.name != consent.name]
        outcome = board.put(msgspec.json.encode([*told, consent]))
        if outcome == "put":
            return ""
    return "the plan store did not take it"


def read_consents(body: bytes) -> tuple[Consent, ...]:
    """What stands there; nothing if it can't be understood."""
    try:
        return msgspec.json.decode(body, type=tuple[Consent, ...]) if body else ()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


class Consents:
    """Those that a planner was started with, and those that wait in the store."""

    def __init__(self, store: Store, given: Iterable[tuple[str, str]]) -> None:
        self._board, self._given = Board(store, CONSENTS), tuple(given)

    def look(self) -> bool:
        """Whether the store has others than before. What can't be read changes nothing."""
        before = self._board.body
        return self._board.read() and self._board.body != before

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names that may be taken over, each with who agreed; if the store can't be read, as it was when it could."""
        self._board.read()
        return (*self._given, *((one.name, one.by) for one in read_consents(self._board.body)))
