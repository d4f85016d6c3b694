"""The poster: two runs of one schedule side by side, at the step in which they part."""

from typing import Final

from msgspec import Struct

from .diagram import Drawn, Sheet, document, heads, plain, rows, text_lines
from .frames import Branch, Frame, Part, common_zone, frames, short, titled
from .lettering import wrapped
from .markup import Markup, element, joined
from .page import Run
from .story import Answer

_PANEL: Final = 450.0
_GAP: Final = 24.0
_EDGE: Final = 18.0
_TOP: Final = 78.0
_SIZE: Final = 13.0
_LINE: Final = 19.0
_INDENT: Final = 20.0
_BOLD: Final = 14.4
"""Bold type of _SIZE takes as much room as plain type of this size."""
_LATER: Final = 2


class _Pen(Struct):
    """Where the next line of a panel goes, and what was drawn so far."""

    x: float
    y: float
    drawn: list[Markup]

    def lines(self, lines: list[str], *, indent: float = 0.0, **attributes: object) -> None:
        self.drawn.append(text_lines(lines, self.x + indent, self.y, _SIZE, _LINE, **attributes))
        self.y += _LINE * len(lines)


def poster(left: Run, right: Run) -> str:
    """One SVG document. The step is that of the first violation on the left; the two that follow are told in words."""
    shown = [frames(run.story) for run in (left, right)]
    step = next((frame.step for frame in shown[0] if frame.moment and frame.moment.violation), 1)
    pictures = [_lanes(run, found, step) for run, found in zip((left, right), shown, strict=True)]
    below = _TOP + 34 + max(picture.height for picture in pictures)
    places = (_EDGE, _EDGE + _PANEL + _GAP)
    worlds = [
        _world(run, found, step, _Pen(x, below + 22, []))
        for run, found, x in zip((left, right), shown, places, strict=True)
    ]
    wide, tall = 2 * _PANEL + _GAP + 2 * _EDGE, max(world.height for world in worlds) + 4
    moment = shown[0][step].moment
    title = f"Step {step}: {moment.actor if moment else ''} comes back with its old plan"
    lead = "The same schedule, the same sleeper. Left the system as it was built in October 2025, right Standfast."
    middle = _EDGE + _PANEL + _GAP / 2
    return document(
        wide,
        tall,
        f"{title}. {lead}",
        f"{left.label}:\n{plain(left.story)}\n{right.label}:\n{plain(right.story)}",
        element("rect", class_="paper", width=wide, height=tall, rx=8),
        text_lines([title], _EDGE, 36.0, 21.0, class_="strong"),
        text_lines([lead], _EDGE, 60.0, 14.0, class_="faint"),
        element("line", class_="life", x1=middle, x2=middle, y1=_TOP - 4, y2=tall - _EDGE),
        *(
            element(
                "g",
                text_lines([run.label], 0, 18.0, 17.0, class_="strong"),
                element("g", picture.markup, transform="translate(0 28)"),
                transform=f"translate({x:g} {_TOP:g})",
            )
            for run, picture, x in zip((left, right), pictures, places, strict=True)
        ),
        *(world.markup for world in worlds),
    )


def _lanes(run: Run, found: tuple[Frame, ...], step: int) -> Drawn:
    """The step and the one before it, with what each actor believed when they began."""
    first = max(1, step - 1)
    near = [frame.moment for frame in found[first : step + 1] if frame.moment]
    actors = sorted({moment.actor for moment in near})
    targets = [moment.to for moment in near[-1:] if moment.to and moment.to not in actors]
    named = (*actors, *targets)
    sheet = Sheet(named, (_PANEL - 46) / len(named), common_zone(run.story))
    head = heads(sheet, found[first - 1])
    body = rows(sheet, found[first : step + 1], top=head.height)
    return Drawn(joined(head.markup, body.markup), head.height + body.height)


def _world(run: Run, found: tuple[Frame, ...], step: int, pen: _Pen) -> Drawn:
    """Zone and answer after the step, and what becomes of them."""
    zone, now = common_zone(run.story), found[step]
    pen.lines([f"The zone after step {step}"], class_="faint")
    for branch in now.tree:
        if branch.part.record.points_to or not branch.below:  # a tree that nothing refers to is left out
            _branch(pen, branch, zone, 0)
    for part in now.lone:
        _record(pen, part, zone, 0, ())
    for answer, _ in now.answers[:1]:
        _dig(pen, answer)
    pen.y += 10
    pen.lines(["And then"], class_="faint")
    for frame in found[step + 1 : step + 1 + _LATER]:
        _told(pen, frame)
    pen.y += 10
    pen.lines(wrapped(run.story.outcome, _PANEL - 10, _BOLD), class_="strong")
    return Drawn(joined(*pen.drawn), pen.y)


def _branch(pen: _Pen, branch: Branch, zone: str, depth: int) -> None:
    owner = branch.part.record.owner
    if branch.again:
        pen.lines([f"↑ {short(owner, zone)}"], indent=_INDENT * depth, class_="faint")
        return
    leaves = tuple(one.part.record for one in branch.below if not one.below)
    _record(pen, branch.part, zone, depth, tuple(leaf.owner for leaf in leaves))
    if leaves and len(leaves) == len(branch.below):
        said = " · ".join(f"{short(leaf.owner, owner)} {' '.join(leaf.contents)}" for leaf in leaves)
        pen.lines(wrapped(said, _PANEL - _INDENT * (depth + 1), _SIZE), indent=_INDENT * (depth + 1), class_="faint")
        return
    for one in branch.below:
        _branch(pen, one, zone, depth + 1)


def _record(pen: _Pen, part: Part, zone: str, depth: int, below: tuple[str, ...]) -> None:
    record = part.record
    contents = [short(one, zone) for one in record.contents if one not in (record.points_to, *below)]
    target = [f"→ {short(record.points_to, zone)}"] if record.points_to else []
    said = " ".join((record.what, titled(record, zone), *target, *contents))
    if part.state in ("new", "changed") and part.fresh:
        said += " (changed)" if part.state == "changed" else " (new)"
    style = "gone" if part.ghost else "strong" if record.points_to or record.what == "address" else None
    pen.lines(wrapped(said, _PANEL - _INDENT * depth, _BOLD), indent=_INDENT * depth, class_=style)


def _dig(pen: _Pen, answer: Answer) -> None:
    pen.y += 4
    pen.lines([f"$ dig {answer.name}"], class_="mono")
    pen.lines([_answered(answer)], class_="good" if answer.addresses else "broke")


def _answered(answer: Answer) -> str:
    count = len(answer.addresses)
    return f"{answer.status}, {count} address{'' if count == 1 else 'es'}{'' if count else ' ✗'}"


def _told(pen: _Pen, frame: Frame) -> None:
    moment = frame.moment
    if moment is None:
        return
    head = f"{frame.step}. {moment.actor}: {moment.text}"
    pen.lines(wrapped(head, _PANEL, _SIZE))
    bad = moment.violation or (moment.refused and f"refused: {moment.refused}") or ""
    if bad:
        pen.lines(wrapped(f"✗ {bad}", _PANEL - _INDENT, _BOLD), indent=_INDENT, class_="broke")
    for answer, _ in frame.answers[:1]:
        pen.lines([_answered(answer)], indent=_INDENT, class_="good" if answer.addresses else "broke")
