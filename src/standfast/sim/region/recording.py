"""Writes down what every service shows, minute by minute."""

from typing import Final

from .day import Measure, Points
from .world import Service

EVERY_S: Final = 60.0


class Recorder:
    """Series by name. A value has six digits, and is not written again while it stays the same."""

    def __init__(self) -> None:
        self.measures: dict[str, Measure] = {}
        self._sums: dict[str, float] = {}
        self._ticks = 0
        self._points: dict[str, list[tuple[float, float]]] = {}

    def tick(self, services: list[Service]) -> None:
        """Availability is shown as its mean since the last note."""
        self._ticks += 1
        for one in services:
            self._sums[one.key] = self._sums.get(one.key, 0.0) + one.availability

    def note(self, now: float, services: list[Service]) -> None:
        """Everything as it is now."""
        for one in services:
            mean = self._sums[one.key] / self._ticks
            self._write(now, f"{one.key}.availability", Measure(one.name, "availability", "share"), mean)
            for name, (measure, value) in one.measures().items():
                self._write(now, f"{one.key}.{name}", measure, value)

        self._sums, self._ticks = {}, 0

    def _write(self, now: float, name: str, measure: Measure, value: float) -> None:
        shown = float(f"{value:.6g}")
        points = self._points.setdefault(name, [])
        if not points:
            self.measures[name] = measure
        if not points or shown != points[-1][1]:
            points.append((now, shown))

    @property
    def series(self) -> dict[str, Points]:
        """All of them."""
        return {name: tuple(points) for name, points in sorted(self._points.items())}
