"""How much may leave an endpoint's answer, and when (G7). Pure.

In any window no more capacity leaves than a share of what was installed when the window's first departure happened,
or one load balancer, whichever is more. There is no size below which this is off: one of two leaves at once, and
the next only when the window has passed.

What left counts until its window is over even if it has come back: a load balancer that flaps would else empty its
own account each time. A departure dated in the future (a clock was set back) counts as now; one dated more than a
window ahead would count for ever, so the planner rewrites it as now (`misdated`).
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from standfast.model.entry import Departure

_ROUNDING: Final = 1e-9


def remembered(departures: Iterable[Departure], now: float, window_s: float) -> tuple[Departure, ...]:
    """Those of the present window, none dated later than now."""
    clamped = (one if one.at <= now else replace(one, at=now) for one in departures)
    return tuple(one for one in clamped if one.at + window_s > now)


def misdated(departures: Iterable[Departure], now: float, window_s: float) -> bool:
    """Whether one is dated so far ahead that only rewriting it makes it pass."""
    return any(one.at > now + window_s for one in departures)


def limit(departures: Iterable[Departure], share: float, installed: int) -> float:
    """The capacity that may leave in the window these departures open, beside the rule of one load balancer."""
    oldest = min(departures, key=lambda one: one.at, default=None)
    return share * ((oldest.installed if oldest else 0) or installed)


def used(departures: Iterable[Departure]) -> int:
    """The capacity that left."""
    return sum(one.weight for one in departures)


def allows(departures: tuple[Departure, ...], weight: int, share: float, installed: int) -> bool:
    """Whether one more load balancer of that weight may leave now, after these.

    `installed` is the capacity in the answer before any of this plan's changes.
    """
    if not departures:
        return True
    return used(departures) + weight <= limit(departures, share, installed) + _ROUNDING


def possible_at(
    departures: tuple[Departure, ...], weight: int, share: float, installed: int, window_s: float
) -> float | None:
    """The first moment at which `allows` will hold, as departures pass out of the window; None: it holds already."""
    if allows(departures, weight, share, installed):
        return None
    for moment in sorted(one.at + window_s for one in departures):
        if allows(remembered(departures, moment, window_s), weight, share, installed):
            return moment
    return None
