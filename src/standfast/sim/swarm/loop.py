"""The event loop: what is next in virtual time, from a heap. Two things at one moment happen in the order of asking."""

from collections.abc import Callable
from heapq import heappop, heappush

Act = Callable[[], object]
"""Something that happens; what it returns is of no interest."""


class Circling(Exception):
    """Far more happens than can be meant: somebody wakes himself again and again."""


class Loop:
    """Virtual time in seconds. `events` counts what has happened."""

    __slots__ = ("_asked", "_heap", "events", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self.events = self._asked = 0
        self._heap: list[tuple[float, int, Act]] = []

    def at(self, when: float, act: Act) -> None:
        """Let it happen then, or now if that is over."""
        self._asked += 1
        heappush(self._heap, (when if when > self.now else self.now, self._asked, act))

    def after(self, seconds: float, act: Act) -> None:
        """Let it happen so much later."""
        self.at(self.now + seconds, act)

    def run(self, until: float, most: int) -> None:
        """Everything up to that moment; time is then `until`. Raises Circling after `most` events."""
        heap, last = self._heap, self.events + most
        while heap and heap[0][0] <= until:
            self.now, _, act = heappop(heap)
            self.events += 1
            if self.events > last:
                raise Circling(f"{most} events and it is still {self.now:.3f} s")
            act()
        self.now = max(self.now, until)
