"""What can befall an UPDATE on its way, and the record of what did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from standfast.laboratory import wire
from standfast.laboratory.wire import Rcode

Match = Callable[[bytes], bool]


class Fate(Enum):
    """What the proxy does with one UPDATE."""

    PASSED = "passed"
    HELD = "held"
    REPLY_DROPPED = "reply dropped"
    REQUEST_DROPPED = "request dropped"
    DUPLICATED = "duplicated"


@dataclass
class SeenUpdate:
    """One UPDATE as it passed, with the rcode of each reply that the server gave to these bytes.

    `rcodes` holds first the reply to the original, then one per release, repetition or resend, in order; None
    stands for a reply that never came. `at` is `time.time()` of arrival.
    """

    number: int
    at: float
    transport: str
    message: bytes
    fate: Fate
    rcodes: list[Rcode | None] = field(default_factory=list)


@dataclass
class Rule:
    """What to do with the next `left` messages that match."""

    fate: Fate
    left: int
    match: Match | None = None
    close: bool = False
    copies: int = 1
    delay: float = 0.0


def mentions(name: str) -> Match:
    """A match for UPDATEs in which `name` owns a record or a prerequisite, whatever the case and compression."""
    wanted = name.rstrip(".").lower()
    return lambda message: wanted in wire.owners(message)
