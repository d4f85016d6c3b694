"""Waiting, for sources that are asked from time to time."""

import threading


class Pausing:
    """`wait` and `close` of a source that holds nothing open."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def wait(self, at_most_s: float) -> None:
        """Until the time is over or it is closed."""
        self._closed.wait(at_most_s)

    def close(self) -> None:
        """End a wait."""
        self._closed.set()
