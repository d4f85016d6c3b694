"""Moments and spans as people read them: this machine's clock, never the epoch. Pure but for its time zone."""

from datetime import datetime
from typing import Final

_STEPS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def clock(at: float, now: float) -> str:
    """HH:MM:SS, with the date in front if it was another day."""
    try:
        moment, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)
    except (OverflowError, ValueError, OSError):
        return "--:--:--"
    return moment.strftime("%H:%M:%S" if moment.date() == today.date() else "%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """0.4 s, 24 s, 6 min, 3 h, 2 d: one figure, rounded down."""
    if seconds < 0:
        return "0 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for step, unit in _STEPS:
        if seconds >= step:
            return f"{int(seconds // step)} {unit}"
    return f"{int(seconds)} s"


def since(at: float | None, now: float) -> str:
    """`since 14:03:21`, or nothing if it is not known."""
    return "" if at is None else f"since {clock(at, now)}"
