"""Which faults are on at this moment, and how often each kind has had an effect.

A fault counts when it changed what somebody heard, or what stood somewhere; that it was on is not enough.
"""

import random

from .kinds import FAULTS, KINDS


class _Messages:
    """A fault that hits so many messages, some of those that pass."""

    __slots__ = ("draw", "left")

    def __init__(self, left: int, seed: int) -> None:
        self.left, self.draw = left, random.Random(seed)


class Mishaps:
    """Faults by kind and target. Several of one kind may be on at once."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(KINDS, 0)
        self._spans: dict[tuple[str, str], int] = {}
        self._messages: dict[tuple[str, str], list[_Messages]] = {}

    def fire(self, kind: str) -> None:
        """It had an effect."""
        self.counts[kind] += 1

    @property
    def fired(self) -> dict[str, int]:
        """Effects by kind of fault, what is no fault left out."""
        return {kind: self.counts[kind] for kind in FAULTS}

    def begin(self, kind: str, target: str) -> None:
        """From now on."""
        self._spans[kind, target] = self._spans.get((kind, target), 0) + 1

    def end(self, kind: str, target: str) -> None:
        """One of them is over."""
        left = self._spans.get((kind, target), 0) - 1
        if left > 0:
            self._spans[kind, target] = left
        else:
            self._spans.pop((kind, target), None)

    def on(self, kind: str, target: str) -> bool:
        """Whether one is on."""
        return bool(self._spans) and (kind, target) in self._spans

    def arm(self, kind: str, target: str, messages: int, seed: int) -> object:
        """So many messages shall be hit. Gives what `disarm` takes."""
        one = _Messages(messages, seed)
        self._messages.setdefault((kind, target), []).append(one)
        return one

    def disarm(self, kind: str, target: str, armed: object) -> None:
        """Its time is over."""
        rest = [one for one in self._messages.get((kind, target), []) if one is not armed]
        if rest:
            self._messages[kind, target] = rest
        else:
            self._messages.pop((kind, target), None)

    def hits(self, kind: str, target: str) -> random.Random | None:
        """Whether this message is hit; then the stream to draw the rest from."""
        if not self._messages:
            return None
        for one in self._messages.get((kind, target), ()):
            if one.left and one.draw.random() < 0.5:
                one.left -= 1
                return one.draw
        return None
