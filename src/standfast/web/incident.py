"""An incident to take away: one JSON with everything that is remembered of a span of time, one SVG of its lanes."""

from typing import Any, Final

from markupsafe import escape

from standfast.runtime.tailing import LANES
from standfast.runtime.verdict import by

from . import lanes
from .gathering import Gatherer, Look
from .moments import utc

EVENTS_MAX: Final = 50_000
_WIDTH, _ROW, _LEFT = 1200, 30, 90
_COLOURS: Final = {"good": "#2e8b57", "watch": "#b8860b", "bad": "#c0392b", "plain": "#44515f"}


def report(gatherer: Gatherer, look: Look, start: float, end: float) -> dict[str, Any]:
    """How it stood at the start and at the end, what was published, and every line of every journal in between."""
    some = [event.facts for event in look.events if start <= event.at <= end]
    sides = {"start": gatherer.then(look, start), "end": look if end >= look.seen.at else gatherer.then(look, end)}
    return {
        "standfast": "incident",
        "version": 1,
        "stream": look.seen.stream,
        "from": utc(start),
        "to": utc(end),
        "exported_at": utc(look.seen.at),
        **{
            side: {
                "verdict": one.found.kind,
                "sentence": one.found.sentence,
                "generation": one.seen.store.plan.generation if one.seen.store.plan else None,
                "endpoints": [
                    {
                        "name": sight.entry.name,
                        "state": how.state,
                        "why": how.why or None,
                        "since": sight.entry.since,
                        "in_answer": sorted({m.load_balancer for m in sight.entry.members if m.served}),
                        "out": {m.load_balancer: m.reason for m in sight.entry.members if not m.served},
                    }
                    for sight, how in one.each
                ],
            }
            for side, one in sides.items()
        },
        "plans": [
            {"generation": one.generation, "at": utc(one.at), "by": by(one.author), "reason": one.reason}
            for one in look.seen.store.plans
            if start <= one.at <= end
        ],
        "events": some[:EVENTS_MAX],
        "left_out": max(0, len(some) - EVENTS_MAX),
    }


def drawing(look: Look, start: float, end: float) -> str:
    """The lanes as a picture that stands alone."""
    shown = lanes.lanes(look.events, start, end, None, None)
    height = _ROW * (len(LANES) + 2) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="ui-monospace, monospace" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="20" fill="#111">{escape(look.seen.stream)}: {utc(start)} to {utc(end)}</text>',
    ]
    for number, row in enumerate(shown.rows):
        y = 50 + _ROW * number
        parts.append(f'<text x="10" y="{y}" fill="#44515f">{row.lane}</text>')
        parts.append(f'<path d="M{_LEFT} {y + 6}H{_WIDTH - 10}" stroke="#d5dae0"/>')
        for mark in row.marks:
            text = f"{mark.shape} {mark.label}".strip()
            title = f"<title>{escape(mark.title)}</title>"
            parts.append(
                f'<text x="{_x(mark.x):.1f}" y="{y}" fill="{_COLOURS[mark.tone]}">{escape(text)}{title}</text>'
            )
    for tick in shown.ticks:
        parts.append(f'<text x="{_x(tick.x):.1f}" y="{height - 10}" fill="#44515f">{escape(tick.text)}</text>')
        parts.append(f'<path d="M{_x(tick.x):.1f} 34V{height - 26}" stroke="#eceff2"/>')
    return "".join([*parts, "</svg>\n"])


def _x(percent: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - 10) * percent / 100
