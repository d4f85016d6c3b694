"""Colour, shape and word for every state: each alone is enough."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Tone: TypeAlias = Literal["good", "watch", "bad", "cold", "blind", "plain"]
"""The colour, by its meaning: fine, handled, needs you, held by people, unknown, none."""


class Sign(Struct, frozen=True):
    """A shape, its colour and its word."""

    shape: str
    tone: Tone
    word: str


GOOD: Final = Sign("✓", "good", "OK")
WATCH: Final = Sign("▲", "watch", "handled")
BAD: Final = Sign("■", "bad", "needs you")
BLIND: Final = Sign("?", "blind", "unknown")

VERDICTS: Final[Mapping[str, Tone]] = {
    "FINE": "good",
    "HANDLED": "watch",
    "NEEDS YOU": "bad",
    "HELD": "cold",
    "FROZEN": "cold",
    "BLIND": "blind",
}
STANDINGS: Final[Mapping[str, Sign]] = {
    "ok": GOOD,
    "held": Sign("❄", "cold", "HELD"),
    "frozen": Sign("❄", "cold", "FROZEN"),
    "behind": Sign("▲", "watch", "BEHIND"),
    "damaged": Sign("▲", "watch", "DAMAGED"),
    "ahead": Sign("▲", "watch", "AHEAD"),
    "refused": Sign("■", "bad", "REFUSED"),
    "retired": Sign("–", "plain", "RETIRED"),
    "unread": Sign("?", "blind", "UNKNOWN"),
}
HEALTH: Final[Mapping[str, Sign]] = {
    "up": Sign("✓", "good", "up"),
    "down": Sign("■", "bad", "down"),
    "unknown": Sign("?", "blind", "unknown"),
    "warming": Sign("▲", "watch", "warming"),
    "drain": Sign("◐", "cold", "drained"),
    "taken": Sign("◐", "cold", "taken down"),
}
IN: Final = Sign("●", "good", "in")
OUT: Final = Sign("○", "bad", "out")
REST: Final = Sign("○", "plain", "not chosen")
DRAINED: Final = Sign("◐", "cold", "drained")
KEPT: Final = Sign("⊘", "bad", "kept by a guard")
"""Places in an answer."""
