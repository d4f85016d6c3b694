"""Time: what happened in six lanes over some hours, as marks at percentages of the width; close ones become one."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from standfast.runtime.tailing import LANES, Event, Lane, Tone, utc_clock

SPAN_S: Final = 6 * 3600.0
SPAN_LEAST_S: Final = 60.0
SPAN_MOST_S: Final = 31 * 86_400.0
WORDS_MAX: Final = 40
MARKS_MAX: Final = 48
"""So many marks a lane has at most: what is closer is one."""
LABEL_APART: Final = 9.0
"""Percent of the width between two labels."""
LETTER: Final = 0.85
"""Percent of the width that a letter of a label takes on a desk."""
_SHAPES: Final[dict[tuple[Lane, Tone], str]] = {
    ("health", "bad"): "×",
    ("health", "good"): "●",
    ("health", "watch"): "·",
    ("plans", "plain"): "◇",
    ("writes", "good"): "│",
    ("writes", "plain"): "┆",
    ("writes", "watch"): "▲",
    ("guards", "bad"): "■",
    ("guards", "watch"): "▲",
    ("guards", "good"): "✓",
    ("people", "plain"): "◆",
    ("deploys", "plain"): "▮",
}
_TICKS: Final = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
_WORST: Final = ("bad", "watch", "good", "plain")


class Mark(Struct, frozen=True):
    """`x` in percent; `at` where a click goes, `label` beside it if there is room, `title` in words."""

    x: float
    at: float
    shape: str
    tone: Tone
    label: str
    title: str


class Row(Struct, frozen=True):
    """One lane."""

    lane: Lane
    marks: tuple[Mark, ...]
    count: int


class Tick(Struct, frozen=True):
    """A moment on the scale."""

    x: float
    text: str


class Lanes(Struct, frozen=True):
    """From `start` to `end`, in seconds since the epoch; `cursor` in percent if the page shows a moment in between.

    `complete_from`: where what is remembered begins, if that is after the start.
    """

    start: float
    end: float
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    cursor: float | None
    complete_from: float | None
    words: tuple[Event, ...] = ()


def lanes(events: Sequence[Event], start: float, end: float, at: float | None, remembered: float | None) -> Lanes:
    """What happened from `start` to `end`."""
    width = max(end - start, SPAN_LEAST_S)
    inside = [event for event in events if start <= event.at <= end and event.lane is not None]
    rows = []
    for lane in LANES:
        some = [event for event in inside if event.lane == lane]
        rows.append(Row(lane, tuple(_marks(lane, some, start, width)), len(some)))
    cursor = round(100 * (at - start) / width, 2) if at is not None and start <= at <= end else None
    begins = remembered if remembered is not None and remembered > start else None
    words = tuple(reversed([event for event in inside if event.text][-WORDS_MAX:]))
    return Lanes(start, end, tuple(rows), _ticks(start, width), cursor, begins, words)


def bounds(start: float | None, end: float | None, now: float, at: float | None) -> tuple[float, float]:
    """What is shown if this was asked for: sane, and no longer than a month."""
    last = end if end is not None else max(at or 0.0, now) if at is None or now - at < SPAN_S else at + SPAN_S / 6
    first = start if start is not None else last - SPAN_S
    first, last = min(first, last), max(first, last)
    if last - first < SPAN_LEAST_S:
        first = last - SPAN_LEAST_S
    return max(first, last - SPAN_MOST_S), last


def _marks(lane: Lane, some: Iterable[Event], start: float, width: float) -> Iterable[Mark]:
    groups: list[list[Event]] = []
    apart = width / MARKS_MAX
    for event in some:
        if groups and event.at - groups[-1][0].at < apart:
            groups[-1].append(event)
        else:
            groups.append([event])
    free = -LABEL_APART
    places = [round(100 * (group[0].at - start) / width, 2) for group in groups]
    for group, x, following in zip(groups, places, [*places[1:], 200.0], strict=False):
        tone = min((event.tone for event in group), key=_WORST.index)
        label = ""
        if x - free >= 0 and x < 100 - LABEL_APART / 2:
            label = _label(lane, group)
            if following - x < LETTER * (len(label) + 2):
                label = ""  # the next mark would stand in it
            free = x + (LABEL_APART if label else 1)
        yield Mark(x, group[-1].at, _SHAPES.get((lane, tone), "·"), tone, label, _title(group))


def _label(lane: Lane, group: Sequence[Event]) -> str:
    facts = group[-1].facts
    match lane:
        case "health":
            told = [event for event in group if event.kind == "verdict"]
            names = list(dict.fromkeys(str(event.facts.get("load_balancer")) for event in told))
            return " ".join(names[:2]) + (f" +{len(names) - 2}" if names[2:] else "")
        case "plans":
            return f"g{facts.get('generation')}"
        case "writes":
            who = sorted({event.who for event in group})
            return f"{who[0][-1:] if len(who) == 1 else ''}×{len(group)}" if len(group) > 1 else who[0][-1:]
        case "guards":
            return str(facts.get("rule") or facts.get("kind") or facts.get("result") or "")
        case "people":
            return f"{str(facts.get('by', '')).partition('@')[0]} {facts.get('action', '')}".strip()
    return str(facts.get("what", ""))[:24]


def _title(group: Sequence[Event]) -> str:
    texts = [f"{utc_clock(event.at)} {event.who}: {event.text}"[:140] for event in group[:3]]
    return "\n".join(texts) + (f"\nand {len(group) - 3} more" if len(group) > 3 else "")


def _ticks(start: float, width: float) -> tuple[Tick, ...]:
    step = next((one for one in _TICKS if width / one <= 7), _TICKS[-1])
    moments = []
    moment = (start // step + 1) * step
    while moment < start + width:
        text = utc_clock(moment)[:5] if step < 86_400 else _date(moment)
        moments.append(Tick(round(100 * (moment - start) / width, 2), text))
        moment += step
    return tuple(moments)


def _date(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%d %b")
