"""A story in a terminal: numbered, with actors in columns where there is room; and one step at a time."""

from collections.abc import Iterable
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from .frames import Branch, Frame, Part, common_zone, frames, lane_label, lanes, short, titled
from .scenery import CERTAINTY
from .story import Answer, Moment, Story

COLUMN_MIN: Final = 15
"""Characters an actor's column needs; with less the steps are a list."""
HELP: Final = "→/n next  ←/p back  j/k next/previous refusal or violation  Home End  q quit"
_WIDE: Final = 110
_STATES: Final = {
    "new": ("+ new", "green"),
    "changed": ("~ changed", "cyan"),
    "gone": ("✗ deleted", "red"),
    "stands": ("", ""),
}


def listing(story: Story, width: int, *, columns: bool) -> RenderableType:
    """The whole story. `columns`: actors side by side if `width` has room for them; else a paragraph a step."""
    shown = [frame for frame in frames(story) if frame.moment]
    busy = {name for frame in shown if frame.moment for name in (frame.moment.actor, *frame.moment.waiting)}
    acting = tuple(name for name in lanes(story) if name in busy)
    wide = columns and width >= 6 + COLUMN_MIN * len(acting)
    end = [Text(story.outcome, "bold")] if story.outcome else []
    again = [Text(f"Again: {story.replayed_by}", "dim")] if story.replayed_by else []
    zone = common_zone(story)
    steps = _table(shown, acting, zone) if wide else _paragraphs(shown, zone)
    return Group(Text(story.title, "bold"), Text(), steps, Text(), *end, *again)


def lines(story: Story) -> list[str]:
    """The whole story for a pipe: each step on one line, what was refused or broken on the next."""
    found = [story.title, ""]
    for step, moment in enumerate(story.moments, start=1):
        first, *more = _deed(moment, common_zone(story)).plain.split("\n")
        found += [f"{step:3}. {moment.actor}: {first}", *(f"     {line}" for line in more)]
    again = [f"Again: {story.replayed_by}"] if story.replayed_by else []
    return [*found, "", *([story.outcome] if story.outcome else []), *again]


def _paragraphs(shown: Iterable[Frame], zone: str) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(justify="right", style="dim")
    table.add_column(overflow="fold")
    for frame in shown:
        if frame.moment is not None:
            said = Text().append(frame.moment.actor, "bold").append(": ").append(_deed(frame.moment, zone))
            table.add_row(f"{frame.step}.", said)
    return table


def _table(shown: Iterable[Frame], acting: tuple[str, ...], zone: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("", justify="right", style="dim")
    for name in acting:
        table.add_column(name, overflow="fold", min_width=COLUMN_MIN - 2)
    for frame in shown:
        moment = frame.moment
        if moment is None:
            continue
        cells = [Text("┊" if name in moment.waiting else "", "dim") for name in acting]
        cells[acting.index(moment.actor)] = _deed(moment, zone)
        table.add_row(str(frame.step), *cells)
    return table


def _deed(moment: Moment, zone: str) -> Text:
    said = Text(moment.text + (f" → {lane_label(moment.to, zone)}" if moment.to else ""))
    if moment.refused:
        said.append(f"\n⊘ refused: {moment.refused}", "yellow")
    if moment.violation:
        said.append(f"\n✗ {moment.violation}", "bold red")
    return said


def screen(story: Story, frame: Frame, width: int) -> RenderableType:
    """One step with the world after it."""
    zone = common_zone(story)
    world: list[RenderableType] = [_zone(frame, zone)]
    beside = [*_answers(frame.answers), *_lists(frame)]
    if width >= _WIDE:
        grid = Table.grid(padding=(0, 4, 0, 0), expand=True)
        grid.add_column(ratio=3)
        grid.add_column(ratio=2)
        grid.add_row(Group(*world), Group(*beside))
        world, beside = [grid], []
    return Group(
        Text(story.title, "bold"),
        Text(f"{_bar(frame.step, len(story.moments))}", "dim"),
        Text(),
        *_said(frame),
        Text(),
        _beliefs(frame),
        *world,
        *beside,
    )


def _bar(step: int, last: int) -> str:
    where = f"step {step} of {last}" if step else f"before step 1 of {last}"
    marks = "".join("●" if place == step else "─" for place in range(last + 1)) if last < 60 else ""
    return f"{marks}  {where}".strip()


def _said(frame: Frame) -> Iterable[RenderableType]:
    moment = frame.moment
    if moment is None:
        yield Text("How it begins.")
        return
    yield Text(f"{frame.step}. ").append(moment.actor, "bold").append(f" {moment.text}")
    if moment.refused:
        yield Text("⊘ refused by the precondition", "bold yellow")
        yield from (Text(f"    {clause}", "yellow") for clause in moment.refused.split("; "))
    if moment.violation:
        yield Text(f"✗ {moment.violation}", "bold red")
    if moment.caption:
        yield Padding(Text(moment.caption), (0, 0, 0, 2))
    if moment.prevented_by:
        yield Text(f"  prevented by any of: {', '.join(moment.prevented_by)}", "cyan")
    if moment.caption or moment.source:
        yield Text("  " + " · ".join(part for part in (moment.source, CERTAINTY[moment.certainty]) if part), "dim")


def _beliefs(frame: Frame) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    waiting = frame.moment.waiting if frame.moment else ()
    for belief in frame.beliefs:
        mark = "┊ waits" if belief.actor in waiting else ""
        table.add_row(
            Text(belief.actor, "bold"),
            Text(f"believes: {belief.text}", "" if belief.fresh else "dim"),
            Text(mark, "dim"),
        )
    return Padding(table, (0, 0, 1, 0))


def _zone(frame: Frame, zone: str) -> RenderableType:
    top = Tree(Text("zone", "bold"), guide_style="dim")
    for branch in frame.tree:
        _grow(top, branch, zone)
    for part in frame.lone:
        top.add(_part(part, zone, ()))
    if not frame.tree and not frame.lone:
        top.add(Text("nothing stands in it", "dim"))
    return top


def _grow(tree: Tree, branch: Branch, zone: str) -> None:
    if branch.again:
        tree.add(Text(f"↑ {short(branch.part.record.owner, zone)}", "dim"))
        return
    owner = branch.part.record.owner
    line = _part(branch.part, zone, tuple(one.part.record.owner for one in branch.below))
    node = tree.add(line)
    if all(one.part.record.what == "leaf" and not one.below for one in branch.below):
        for one in branch.below:
            record = one.part.record
            line.append(f"  {titled(record, owner)}", "strike red" if one.part.ghost else "bold not dim")
            line.append(f" {' '.join(record.contents)}", "not dim")
        return
    for one in branch.below:
        _grow(node, one, zone)


def _part(part: Part, zone: str, below: tuple[str, ...]) -> Text:
    record, (said, colour) = part.record, _STATES[part.state]
    text = Text(f"{record.what} ", "dim")
    text.append(titled(record, zone), "strike red" if part.ghost else "bold not dim")
    if record.points_to:
        text.append(f" → {short(record.points_to, zone)}")
    contents = [short(one, zone) for one in record.contents if one not in (record.points_to, *below)]
    if contents:
        text.append(" " + " ".join(contents), "not dim")
    if part.dangling:
        text.append(" refers to nothing", "bold red")
    if said:
        text.append(f"  {said}", colour)
    return text


def _answers(answers: Iterable[tuple[Answer, bool]]) -> Iterable[RenderableType]:
    for answer, fresh in answers:
        bad = answer.below_minimum or not answer.addresses
        said = Text(f"$ dig {answer.name}: {answer.status}, ", "" if fresh else "dim")
        said.append(f"{len(answer.addresses)} addresses{' ✗' if bad else ''}", "bold red" if bad else "green")
        if answer.addresses:
            said.append(" " + " ".join(answer.addresses))
        yield said


def _lists(frame: Frame) -> Iterable[RenderableType]:
    for title, notes in (("store", frame.store), ("under way", frame.flights)):
        for note in notes:
            yield Text(f"{title}: ", "dim").append(note.text, "" if note.fresh else "dim")
