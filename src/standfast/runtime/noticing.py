"""What an enactor says once and not again and again: troubles until they change or end, and repairs that come back."""

import time
from collections import Counter, deque
from typing import Final

from .journal import Journal

PUT_BACK_WINDOW_S: Final = 600.0
PUT_BACK_OFTEN: Final = 3
_ENDING: Final = frozenset({"store", "provider"})


class Troubles:
    """Each trouble once until it changes, and its end; every plan."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._troubles: dict[str, str] = {}
        self._heard: set[str] = set()

    def noted(self, kind: str, why: str) -> None:
        """Something that people should know."""
        self._heard.add(kind)
        if kind == "plan" or self._troubles.get(kind) != why:
            self._journal.write("notice", kind=kind, why=why)
        if kind != "plan":
            self._troubles[kind] = why

    def relieved(self) -> None:
        """A pass without a trouble that was told before tells its end."""
        for kind in [kind for kind in self._troubles if kind not in self._heard and kind in _ENDING]:
            del self._troubles[kind]
            self._journal.write("notice", kind=kind, why="answers again")
        self._heard.clear()


class PutBack:
    """Endpoints that this enactor repaired."""

    def __init__(self) -> None:
        self._repairs: deque[tuple[float, str]] = deque(maxlen=10_000)

    def add(self, name: str) -> None:
        """It was repaired now."""
        self._repairs.append((time.monotonic(), name))

    @property
    def often(self) -> dict[str, int]:
        """Who was again and again in the last ten minutes, and how often."""
        since = time.monotonic() - PUT_BACK_WINDOW_S
        while self._repairs and self._repairs[0][0] < since:
            self._repairs.popleft()
        counts = Counter(name for _, name in self._repairs)
        return {name: count for name, count in counts.most_common(20) if count >= PUT_BACK_OFTEN}
