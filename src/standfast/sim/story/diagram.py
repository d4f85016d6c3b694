"""A story as a sequence diagram: lanes per actor, a box a step, arrows to what it reads or writes.

Waiting is hatched; a refused write ends in a stop sign with what was expected and found; a broken property is red and
named. Text stays text: it can be selected, searched and read aloud.
"""

from functools import cache
from importlib import resources
from typing import Final

from msgspec import Struct

from .frames import Frame, frames, lanes
from .lettering import wrapped
from .markup import Markup, element, joined
from .story import Story

LANE: Final = 172.0
GUTTER: Final = 38.0
SIZE: Final = 12.5
SMALL: Final = 11.0
_LINE: Final = 16.0
_SMALL_LINE: Final = 14.0
_PAD: Final = 8.0
_GAP: Final = 14.0
_TITLE: Final = 58.0


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
    shown = frames(story)
    head = heads(story, shown[0])
    body = rows(story, top=_TITLE + head.height)
    wide = breadth(story)
    outcome = wrapped(story.outcome, wide - 2 * _PAD, SIZE)
    height = _TITLE + head.height + body.height + _LINE * len(outcome) + 2 * _PAD
    inside = (
        element("rect", class_="paper", width=wide, height=height),
        text_lines(
            wrapped(story.title, wide - 2 * _PAD, 17.0)[:2], _PAD + 4, 26.0, size=17.0, class_="strong", line=21
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


def breadth(story: Story, lane: float = LANE) -> float:
    """The diagram's width."""
    return GUTTER + lane * len(lanes(story)) + _PAD


def hatching() -> Markup:
    """The pattern of waiting; a document needs it once."""
    stroke = element("line", class_="wait", x1=0, y1=0, x2=0, y2=7)
    fields = {"id": "hatch", "width": 7, "height": 7, "patternUnits": "userSpaceOnUse"}
    return element("defs", element("pattern", stroke, **fields, patternTransform="rotate(45)"))


def heads(story: Story, frame: Frame, lane: float = LANE) -> Drawn:
    """The lanes' names, with what each actor believes at that step as a small tag below."""
    held = {belief.actor: belief.text for belief in frame.beliefs}
    tags = {name: wrapped(held.get(name, ""), lane - 10, SMALL) for name in lanes(story)}
    drawn = []
    for place, name in enumerate(lanes(story)):
        x = GUTTER + lane * place
        drawn.append(element("rect", class_="head", x=x + 4, y=4, width=lane - 8, height=26, rx=5))
        label = wrapped(name, lane - 12, SIZE)[:1]
        drawn.append(text_lines(label, x + lane / 2, 21.5, class_="strong", text_anchor="middle"))
        drawn.append(
            text_lines(tags[name], x + lane / 2, 45.0, SMALL, _SMALL_LINE, class_="belief", text_anchor="middle")
        )
    return Drawn(joined(*drawn), 38.0 + _SMALL_LINE * max([1, *map(len, tags.values())]))


def rows(story: Story, top: float = 0.0, lane: float = LANE) -> Drawn:
    """Every step below the other, beginning at `top`."""
    drawn, y = [], top + _GAP / 2
    for frame in frames(story)[1:]:
        row = _row(story, frame, y, lane)
        drawn.append(row.markup)
        y += row.height
    wide = len(lanes(story))
    lines = (
        element("line", class_="life", x1=x, x2=x, y1=top, y2=y)
        for x in (GUTTER + lane * (place + 0.5) for place in range(wide))
    )
    return Drawn(joined(*lines, *drawn), y - top)


def _row(story: Story, frame: Frame, y: float, lane: float) -> Drawn:
    moment, named = frame.moment, lanes(story)
    if moment is None:
        raise ValueError("the beginning has no row")
    own = named.index(moment.actor)
    target = named.index(moment.to) if moment.to else own
    x = GUTTER + lane * own
    words = wrapped(moment.text, lane - 24, SIZE)
    tall = _LINE * max(1, len(words)) + 2 * _PAD
    tags = {
        belief.actor: wrapped(belief.text, lane - 16, SMALL)
        for belief in frame.beliefs
        if belief.fresh and belief.actor in named
    }
    below = y + tall + 4
    noted = [
        text_lines(
            lines,
            GUTTER + lane * (named.index(actor) + 0.5),
            below + 9,
            SMALL,
            _SMALL_LINE,
            class_="belief",
            text_anchor="middle",
        )
        for actor, lines in tags.items()
    ]
    below += _SMALL_LINE * max([0, *map(len, tags.values())])
    bands = []
    for kind, message in (("refused", moment.refused), ("broken", moment.violation)):
        if message:
            band = _band(kind, message, own, len(named), below + 4, lane)
            bands.append(band.markup)
            below += band.height + 6
    height = below - y + _GAP
    markup = element(
        "g",
        element("title", f"{frame.step}. {moment.actor}: {moment.text}"),
        *(_waiting(named.index(actor), y, height, lane) for actor in moment.waiting if actor in named),
        _arrow(own, target, y + tall / 2, lane, stopped=bool(moment.refused)),
        element("rect", class_="box", x=x + 6, y=y, width=lane - 12, height=tall, rx=6),
        text_lines([str(frame.step)], GUTTER - 12, y + _PAD + 12, class_="number", text_anchor="end"),
        text_lines(words, x + 14, y + _PAD + 12),
        *noted,
        *bands,
        class_="step stopped" if moment.refused else "step",
        data_step=frame.step,
    )
    return Drawn(markup, height)


def _waiting(place: int, y: float, height: float, lane: float) -> Markup:
    x = GUTTER + lane * (place + 0.5) - 8
    ground = element("rect", class_="waiting", x=x, y=y - _GAP / 2, width=16, height=height)
    return joined(ground, element("rect", fill="url(#hatch)", x=x, y=y - _GAP / 2, width=16, height=height))


def _arrow(own: int, target: int, y: float, lane: float, *, stopped: bool) -> Markup:
    if own == target:
        return Markup("")
    way = 1 if target > own else -1
    start = GUTTER + lane * (own + 0.5) + way * (lane / 2 - 6)
    end = GUTTER + lane * (target + 0.5)
    if stopped:
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


def _band(kind: str, message: str, own: int, count: int, y: float, lane: float) -> Drawn:
    """What was refused, or broken, across as many lanes as it takes to be read."""
    across = min(count, 3)
    first = max(0, min(own, count - across))
    x, room = GUTTER + lane * first + 6, lane * across - 12
    said = f"✗ {message}" if kind == "broken" else f"refused: {message}"
    lines = [line for clause in said.split("; ") for line in wrapped(clause, room - 2 * _PAD, SIZE)]
    height = _LINE * len(lines) + _PAD
    return Drawn(
        joined(
            element("rect", class_=kind, x=x, y=y, width=room, height=height, rx=4),
            text_lines(lines, x + _PAD, y + 15, class_="broke" if kind == "broken" else None),
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
