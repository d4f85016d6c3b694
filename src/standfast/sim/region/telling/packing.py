"""Days packed for the page: series as slots of two characters each, so that dozens of days fit in one file."""

import json
from collections.abc import Sequence
from typing import Final

from ..day import Day
from ..protections import SWITCHES
from ..published import DAY_ENDS_S, clock_of
from ..scoring import Score, Scored
from .slots import BEGINS_S, availability_of, others_of, peak, slots
from .wording import asked, clear, error, mark, named, off, outage

SLOTS: Final = 304
"""Three minutes each."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MOST: Final = len(_LETTERS) ** 2 - 1


def packed(values: Sequence[float], most: float) -> str:
    """Each value as a share of `most` in 4,096 steps."""
    steps = (min(_MOST, max(0, round(value / most * _MOST))) if most > 0 else 0 for value in values)
    return "".join(_LETTERS[step // 64] + _LETTERS[step % 64] for step in steps)


def key(day: Day) -> str:
    """What a day is found by: its protections in the order in which they are listed."""
    return ",".join(day.protections)


def peaks(days: Sequence[Day]) -> dict[str, float]:
    """The highest value of each series in any of the days; shares of 1."""
    first = days[0]
    return {
        name: 1.0 if measure.unit == "share" else max(peak(day, name) for day in days if name in day.series)
        for name, measure in first.measures.items()
    }


def values(day: Day, name: str) -> list[float]:
    """Of a series, one a slot: availability as its mean, everything else as its highest."""
    found = slots(day.series[name], BEGINS_S, day.until, SLOTS)
    share = day.measures[name].unit == "share"
    return [slot.mean if share else slot.high for slot in found]


def data(days: Sequence[Day], score: Score, command: str) -> str:
    """Everything the page's script draws from, as JSON that may stand in a script element."""
    first, most = days[0], peaks(days)
    services = [{"name": service, "series": series_of(first, service)} for service in first.services]
    told = {
        "begins": BEGINS_S,
        "ends": first.until,
        "slots": SLOTS,
        "command": command,
        "services": services,
        "series": {
            name: {"title": one.title, "unit": one.unit, "peak": most[name]} for name, one in first.measures.items()
        },
        "families": {one.protection: one.family for one in SWITCHES},
        "looked": list(first.milestones),
        "stops": [_stop(line) for line in stops(score)],
        "runs": {key(day): _run(day, most) for day in days},
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def stops(score: Score) -> list[Scored]:
    """What the day's scrubber stops at: what was published of the replayed day, in order of time."""
    return [line for line in score.lines if BEGINS_S <= line.milestone.seconds <= DAY_ENDS_S]


def series_of(day: Day, service: str) -> list[str]:
    """All series of a service, its availability first."""
    return [name for name in (availability_of(day, service), *others_of(day, service)) if name]


def _run(day: Day, most: dict[str, float]) -> dict[str, object]:
    return {
        "label": named(day.protections),
        "asked": ",".join(asked(day.protections)),
        "says": f"{outage(day)}; {clear(day)}",
        "milestones": {id: clock_of(at) for id, at in day.milestones.items() if at is not None},
        "series": {name: packed(values(day, name), most[name]) for name in day.series if name in most},
    }


def _stop(line: Scored) -> dict[str, object]:
    one = line.milestone
    return {
        "id": one.id,
        "at": one.seconds,
        "clock": one.clock,
        "service": one.service,
        "what": one.what,
        "kind": one.kind,
        "source": one.source,
        "observed": one.observed,
        "mark": mark(line),
        "half": line.half or "",
        "because": line.because,
        "off": off(line),
        "error": error(line),
    }
