"""A story as a sequence diagram: lanes per actor, a box a step, arrows to what it reads or writes.

Waiting is hatched; a refused write ends in a stop sign with what was expected and found; a broken property is red and
named. Text stays text: it can be selected, searched and read aloud.
"""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

from msgspec import Struct

from .frames import Frame, common_zone, frames, lane_label, lanes
from .lettering import wrapped
from .markup import Markup, element, joined
from .story import Moment, Story

LANE: Final = 172.0
GUTTER: Final = 38.0
SIZE: Final = 12.5
SMALL: Final = 11.0
_BOLD: Final = 13.8
"""Bold type of SIZE takes as much room as plain type of this size."""
_LINE: Final = 16.0
_SMALL_LINE: Final = 14.0
_PAD: Final = 8.0
_GAP: Final = 14.0
_TITLE: Final = 58.0
_BREADTH_MIN: Final = 420.0


class Sheet(Struct, frozen=True):
    """Which lanes are drawn, and how wide each is. `zone` is the domain left out of short names."""

    named: tuple[str, ...]
    lane: float = LANE
    zone: str = ""

    @property
    def breadth(self) -> float:
        """The drawing's width."""
        return max(_BREADTH_MIN, GUTTER + self.lane * len(self.named) + _PAD)

    def middle(self, name: str) -> float:
        """Where that lane's line runs."""
        return GUTTER + self.lane * (self.named.index(name) + 0.5)


class Drawn(Struct, frozen=True):
    """A piece of a drawing and its height."""

    markup: Markup
    height: float


@cache
def stylesheet() -> str:
    """The colours and lines of every drawing, for light and dark."""
    return resources.files(__package__).joinpath("diagram.css").read_text(encoding="utf-8")


def diagram(story: Story) -> str:
    """The whole story as one SVG document."""
    shown, sheet = frames(story), Sheet(lanes(story), zone=common_zone(story))
    head = heads(sheet, shown[0])
    body = rows(sheet, shown[1:], top=_TITLE + head.height)
    wide = sheet.breadth
    outcome = wrapped(story.outcome, wide - 2 * _PAD, _BOLD)
    height = _TITLE + head.height + body.height + _LINE * len(outcome) + 2 * _PAD
    inside = (
        element("rect", class_="paper", width=wide, height=height),
        text_lines(
            wrapped(story.title, wide - 2 * _PAD, 18.5)[:2], _PAD + 4, 26.0, size=17.0, class_="strong", line=21
        ),
        element("g", head.markup, transform=f"translate(0 {_TITLE:g})"),
        body.markup,
        text_lines(outcome, _PAD + 4, _TITLE + head.height + body.height + _LINE, class_="strong"),
    )
    return document(wide, height, story.title, plain(story), *inside)


def document(wide: float, height: float, title: str, description: str, *inside: Markup) -> str:
    """An SVG document of its own, with title and description for those who do not see it."""
    return (
        element(
            "svg",
            element("title", title, id="title"),
            element("desc", description, id="desc"),
            Markup(f"<style>\n{stylesheet()}</style>"),
            hatching(),
            *inside,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {wide:g} {height:g}",
            width=wide,
            height=height,
            class_="story",
            role="img",
            aria_labelledby="title desc",
        )
        + "\n"
    )


def hatching() -> Markup:
    """The pattern of waiting; a document needs it once."""
    stroke = element("line", class_="wait", x1=0, y1=0, x2=0, y2=7)
    fields = {"id": "hatch", "width": 7, "height": 7, "patternUnits": "userSpaceOnUse"}
    return element("defs", element("pattern", stroke, **fields, patternTransform="rotate(45)"))


def heads(sheet: Sheet, frame: Frame) -> Drawn:
    """The lanes' names, with what each actor believes at that step as a small tag below."""
    held, lane = {belief.actor: belief.text for belief in frame.beliefs}, sheet.lane
    tags = {name: wrapped(held.get(name, ""), lane - 10, SMALL) for name in sheet.named}
    drawn = []
    for name in sheet.named:
        x = sheet.middle(name)
        drawn.append(element("rect", class_="head", x=x - lane / 2 + 4, y=4, width=lane - 8, height=26, rx=5))
        drawn.append(
            text_lines(
                wrapped(lane_label(name, sheet.zone), lane - 12, _BOLD)[:1],
                x,
                21.5,
                class_="strong",
                text_anchor="middle",
            )
        )
        drawn.append(_tag(tags[name], x, 45.0))
    return Drawn(joined(*drawn), 38.0 + _SMALL_LINE * max([1, *map(len, tags.values())]))


def rows(sheet: Sheet, shown: Iterable[Frame], top: float = 0.0) -> Drawn:
    """Each of these steps below the other, beginning at `top`."""
    drawn, y = [], top + _GAP / 2
    for frame in shown:
        row = _row(sheet, frame, y)
        drawn.append(row.markup)
        y += row.height
    lines = (element("line", class_="life", x1=x, x2=x, y1=top, y2=y) for x in map(sheet.middle, sheet.named))
    return Drawn(joined(*lines, *drawn), y - top)


def _row(sheet: Sheet, frame: Frame, y: float) -> Drawn:
    moment, lane = frame.moment, sheet.lane
    if moment is None:
        raise ValueError("the beginning has no row")
    x = sheet.middle(moment.actor)
    said = moment.text.replace(f".{sheet.zone}", "") if sheet.zone else moment.text
    words = wrapped(said, lane - 24, SIZE)
    tall = _LINE * max(1, len(words)) + 2 * _PAD
    tags = {
        belief.actor: wrapped(belief.text, lane - 16, SMALL)
        for belief in frame.beliefs
        if belief.fresh and belief.actor in sheet.named
    }
    below = y + tall + 4
    noted = [_tag(lines, sheet.middle(actor), below + 9) for actor, lines in tags.items()]
    below += _SMALL_LINE * max([0, *map(len, tags.values())])
    bands = []
    for kind, message in (("refused", moment.refused), ("broken", moment.violation)):
        if message:
            band = _band(sheet, kind, message, moment.actor, below + 4)
            bands.append(band.markup)
            below += band.height + 6
    height = below - y + _GAP
    markup = element(
        "g",
        element("title", f"{frame.step}. {moment.actor}: {moment.text}"),
        *(_waiting(sheet.middle(actor), y, height) for actor in moment.waiting if actor in sheet.named),
        _arrow(sheet, moment, y + tall / 2),
        element("rect", class_="box", x=x - lane / 2 + 6, y=y, width=lane - 12, height=tall, rx=6),
        text_lines([str(frame.step)], GUTTER - 12, y + _PAD + 12, class_="number", text_anchor="end"),
        text_lines(words, x - lane / 2 + 14, y + _PAD + 12),
        *noted,
        *bands,
        class_="step stopped" if moment.refused else "step",
        data_step=frame.step,
    )
    return Drawn(markup, height)


def _tag(lines: list[str], x: float, y: float) -> Markup:
    return text_lines(lines, x, y, SMALL, _SMALL_LINE, class_="belief", text_anchor="middle")


def _waiting(middle: float, y: float, height: float) -> Markup:
    place = {"x": middle - 8, "y": y - _GAP / 2, "width": 16, "height": height}
    return joined(element("rect", class_="waiting", **place), element("rect", fill="url(#hatch)", **place))


def _arrow(sheet: Sheet, moment: Moment, y: float) -> Markup:
    if moment.to in ("", moment.actor) or moment.to not in sheet.named:
        return Markup("")
    own, end = sheet.middle(moment.actor), sheet.middle(moment.to)
    way = 1 if end > own else -1
    start = own + way * (sheet.lane / 2 - 6)
    if moment.refused:
        return joined(element("line", class_="arrow", x1=start, x2=end - way * 11, y1=y, y2=y), stop_sign(end, y))
    tip = f"{end:g},{y:g} {end - way * 9:g},{y - 5:g} {end - way * 9:g},{y + 5:g}"
    line = element("line", class_="arrow", x1=start, x2=end - way * 8, y1=y, y2=y)
    return joined(line, element("polygon", class_="tip", points=tip))


def stop_sign(x: float, y: float, radius: float = 11.0) -> Markup:
    """An octagon with a bar, centred there."""
    near, far = radius * 0.3827, radius * 0.9239
    corners = ((near, far), (far, near), (far, -near), (near, -far), (-near, -far), (-far, -near), (-far, near))
    points = " ".join(f"{x + dx:.4g},{y + dy:.4g}" for dx, dy in (*corners, (-near, far)))
    bar = element("rect", class_="bar", x=x - radius * 0.55, y=y - radius * 0.16, width=radius * 1.1, height=radius / 3)
    return joined(element("polygon", class_="stop", points=points), bar)


def _band(sheet: Sheet, kind: str, message: str, actor: str, y: float) -> Drawn:
    """What was refused, or broken, across as many lanes as it takes to be read."""
    across = min(len(sheet.named), 3)
    first = max(0, min(sheet.named.index(actor), len(sheet.named) - across))
    x, room = GUTTER + sheet.lane * first + 6, sheet.lane * across - 12
    said = f"✗ {message}" if kind == "broken" else f"refused: {message}"
    size = _BOLD if kind == "broken" else SIZE
    lines = [line for clause in said.split("; ") for line in wrapped(clause, room - 2 * _PAD, size)]
    height = _LINE * len(lines) + _PAD
    return Drawn(
        joined(
            element("rect", class_=kind, x=x, y=y, width=room, height=height, rx=4),
            text_lines(lines, x + _PAD, y + 15, class_="broke" if kind == "broken" else "why"),
        ),
        height,
    )


def text_lines(
    lines: list[str], x: float, y: float, size: float = SIZE, line: float = _LINE, **attributes: object
) -> Markup:
    """Lines of text, the first with its base line at y."""
    return joined(
        *(
            element("text", content, x=x, y=y + line * place, font_size=size, **attributes)
            for place, content in enumerate(lines)
        )
    )


def plain(story: Story) -> str:
    """The story in words, a line a step, for whoever reads without a picture."""
    told = []
    for step, moment in enumerate(story.moments, start=1):
        more = "".join(
            f" {label}: {value}."
            for label, value in (("Refused", moment.refused), ("Broken", moment.violation))
            if value
        )
        told.append(f"{step}. {moment.actor}: {moment.text}.{more}")
    return "\n".join([*told, story.outcome])
