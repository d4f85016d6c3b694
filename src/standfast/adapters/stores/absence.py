"""A service that can't be reached is not waited for at each request: enactors have other work."""

import time
from typing import Final

PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""So long it is left alone, each time that it does not answer."""


class Absence:
    """Whether a service may be asked now."""

    def __init__(self) -> None:
        self._times, self._until, self._why = 0, 0.0, ""

    @property
    def why(self) -> str:
        """Why it is not asked now; empty if it may be."""
        return self._why if time.monotonic() < self._until else ""

    def begins(self, why: str) -> None:
        """It could not be reached."""
        self._until = time.monotonic() + PAUSES_S[min(self._times, len(PAUSES_S) - 1)]
        self._times, self._why = self._times + 1, why

    def ends(self) -> None:
        """It answered."""
        self._times = 0
