"""A series cut into equal slots of time, as rows of characters, bars and curves need it.

A slot keeps the lowest and the highest value in it, so that nothing short is lost however few slots there are.
"""

import math
from typing import Final

from msgspec import Struct

from ..day import Day, Points

BEGINS_S: Final = -600.0
"""23:38: pictures begin a little before the fault, so that its edge is seen."""
GOOD: Final = 0.99
POOR: Final = 0.90
"""From GOOD up a service is well; below POOR most of its users notice."""


BEHIND: Final = {"s of work": " of work", "× normal": " × normal"}
"""What is said behind a number: in how long a time as much is asked on a usual day; how many times what is usual."""


class Slot(Struct, frozen=True):
    """What a series did in a stretch of time."""

    low: float
    high: float
    mean: float


def slots(points: Points, begins: float, ends: float, count: int) -> tuple[Slot, ...]:
    """So many equal slots between the two moments. Before its first point a series has its first value.

    Raises ValueError for a series without points, no slots, or no time.
    """
    if not points or count < 1 or ends <= begins:
        raise ValueError("a series needs points, and slots need time")
    wide, place, value = (ends - begins) / count, 0, points[0][1]
    while place < len(points) and points[place][0] <= begins:
        value, place = points[place][1], place + 1
    found = []
    for number in range(count):
        start, end = begins + number * wide, begins + (number + 1) * wide
        low = high = value
        at, area = start, 0.0
        while place < len(points) and points[place][0] < end:
            moment, then = points[place]
            area += value * (moment - at)
            at, value, place = moment, then, place + 1
            low, high = min(low, value), max(high, value)
        found.append(Slot(low, high, (area + value * (end - at)) / wide))
    return tuple(found)


def availability_of(day: Day, service: str) -> str | None:
    """The name of the series that says how much of what it is asked a service answers; None if it has none."""
    return next((name for name, one in day.measures.items() if one.service == service and _is_share(name)), None)


def _is_share(name: str) -> bool:
    return name.endswith(".availability")


def others_of(day: Day, service: str) -> tuple[str, ...]:
    """Its other series: queues, leases, latencies, addresses."""
    return tuple(name for name, one in day.measures.items() if one.service == service and not _is_share(name))


def peak(day: Day, name: str) -> float:
    """The highest value of a series."""
    return max(value for _, value in day.series[name])


def amount(value: float, unit: str) -> str:
    """A value for people: "97.5 %", "1.2 M", "34 min", "4.6 h of work", "1.3 × normal"."""
    return f"{on_axis(value, unit)}{BEHIND.get(unit, '')}"


def on_axis(value: float, unit: str) -> str:
    """The same without the words behind it, for an axis whose title has them."""
    if unit == "share":
        return f"{100 * value:.3g} %" if value >= 0.0005 else "0 %"
    if unit in ("s", "s of work"):
        return (
            f"{value / 3600:.1f} h" if value >= 7200 else f"{value / 60:.0f} min" if value >= 120 else f"{value:.0f} s"
        )
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= 0.9995 * size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.0f}" if math.isclose(value, round(value)) or abs(value) >= 10 else f"{value:.2g}"
