"""The services of the day as bars over one time axis, and their curves, for the page.

A bar's filled height is the share that a service does *not* answer: full is all of it. So outages are seen without
colour. The script draws the chosen protections into the second half of each bar from the same data.
"""

from collections.abc import Sequence
from typing import Final

from standfast.sim.story.markup import Markup, element, joined

from ..day import Day
from ..published import clock_of, seconds_of
from ..scoring import Score, Scored
from .packing import SLOTS, peaks, series_of, stops, values
from .slots import BEGINS_S, amount, availability_of
from .wording import error, mark, off

TALL: Final = 24
_CHART: Final = 60


def place(seconds: float, day: Day) -> float:
    """Where a moment lies on the axis, in percent."""
    return 100 * (seconds - BEGINS_S) / (day.until - BEGINS_S)


def strips(day: Day, score: Score) -> Markup:
    """Axis and a bar for each service, with what was published of it."""
    axis = element("div", *_hours(day), class_="axis", aria_hidden="true")
    rows = [_strip(day, service, [one for one in stops(score) if one.milestone.service == service])
            for service in day.services if availability_of(day, service)]  # fmt: skip
    return element("div", element("div", class_="cursor", aria_hidden="true"), axis, *rows, class_="strips")


def _hours(day: Day) -> list[Markup]:
    return [element("span", clock_of(moment), class_=f"at {place_class(moment, day)}") for moment in _even_hours(day)]


def _even_hours(day: Day) -> list[int]:
    every = (seconds_of(f"20 Oct {hour:02}:00") for hour in range(0, 24, 2))
    return [moment for moment in every if moment < day.until]


def place_class(seconds: float, day: Day) -> str:
    """The class that puts something there: a page without inline styles needs one for each place."""
    return f"p{round(10 * place(seconds, day))}"


def place_rules(day: Day, score: Score) -> str:
    """The style of the classes that this day uses."""
    moments = [*_even_hours(day), *(line.milestone.seconds for line in stops(score))]
    used = sorted({round(10 * place(moment, day)) for moment in moments})
    return "\n".join(f".p{step} {{ left: {step / 10:g}%; }}" for step in used)


def _strip(day: Day, service: str, own: Sequence[Scored]) -> Markup:
    name = availability_of(day, service)
    if name is None:
        raise ValueError(f"{service} has no availability")
    bars = element(
        "svg",
        element("path", d=lost_path(values(day, name), 0.0), class_="built"),
        element("path", d="", class_="chosen"),
        viewBox=f"0 0 {SLOTS} {TALL}",
        preserveAspectRatio="none",
        class_="bars",
        aria_hidden="true",
    )
    marks = (element("button", mark(line) or "·", **_mark(line, day)) for line in own)
    return element(
        "div",
        element("b", service),
        element("div", bars, *marks, class_="track"),
        class_="strip",
        data_service=service,
        data_series=name,
    )


def _mark(line: Scored, day: Day) -> dict[str, object]:
    one = line.milestone
    kind = "input" if one.is_input else {"held out": "held", "fitted": "fit", None: "more"}[line.half]
    said = " ".join(part for part in (f"{one.clock} {one.service}: {one.what}.", off(line), error(line)) if part)
    return {
        "type": "button",
        "title": said,
        "aria_label": said,
        "class_": f"mark {kind} {place_class(one.seconds, day)}",
        "data_stop": one.id,
    }


def lost_path(shares: Sequence[float], top: float, tall: float = TALL / 2) -> str:
    """Columns up from the bottom of a bar, as high as what is not answered. Empty if all is."""
    parts, start = [], 0
    lost = [round((1.0 - share) * tall, 1) for share in shares]
    for slot in range(1, len(lost) + 1):
        if slot == len(lost) or lost[slot] != lost[start]:
            if lost[start] > 0:
                parts.append(f"M{start} {top + tall:g}v{-lost[start]:g}h{slot - start}v{lost[start]:g}z")
            start = slot
    return "".join(parts)


def curves(day: Day, most: dict[str, float] | None = None) -> Markup:
    """A small chart of every series of every service, each with its own scale."""
    scale = most or peaks([day])
    return element("div", *(_charts(day, service, scale) for service in day.services), class_="curves")


def _charts(day: Day, service: str, scale: dict[str, float]) -> Markup:
    names = series_of(day, service)
    return element("section", element("h3", service), *(_chart(day, name, scale[name]) for name in names))


def _chart(day: Day, name: str, most: float) -> Markup:
    measure = day.measures[name]
    picture = element(
        "svg",
        element("line", class_="now", x1=0, x2=0, y1=0, y2=_CHART),
        element("path", d=curve_path(values(day, name), most), class_="built"),
        element("path", d="", class_="chosen"),
        viewBox=f"0 0 {SLOTS} {_CHART}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    scale = f"0 to {amount(most, measure.unit)}" if most > 0 else "always 0"
    said = element("figcaption", measure.title, element("span", f" {scale}", class_="faint"), element("output", ""))
    return element("figure", said, picture, data_series=name)


def curve_path(shown: Sequence[float], most: float) -> str:
    """A stepped curve, from 0 at the bottom to `most` at the top."""
    parts: list[str] = []
    before: float | None = None
    for slot, value in enumerate(shown):
        y = round(_CHART - 1 - (value / most if most > 0 else 0.0) * (_CHART - 2), 1)
        if y != before:
            parts.append(f"M0 {y:g}" if before is None else f"H{slot}V{y:g}")
            before = y
    return joined(*parts, f"H{len(shown)}")
