"""A story in a terminal: numbered, with actors in columns where there is room; and one step at a time."""

from collections.abc import Iterable
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from .frames import Branch, Frame, Part, common_zone, frames, lanes, short, titled
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
    """The whole story. `columns`: actors side by side if `width` has room for them; else a line a step."""
    named = lanes(story)
    shown = frames(story)[1:]
    acting = tuple(
        name for name in named if any(name in (f.moment.actor, *f.moment.waiting) for f in shown if f.moment)
    )
    if columns and width >= 6 + COLUMN_MIN * len(acting):
        steps: RenderableType = _table(shown, acting)
    else:
        steps = Group(*(_entry(frame) for frame in shown))
    end = [Text(story.outcome, "bold")] if story.outcome else []
    again = [Text(f"Again: {story.replayed_by}", "dim")] if story.replayed_by else []
    return Group(Text(story.title, "bold"), Text(), steps, Text(), *end, *again)


def _table(shown: Iterable[Frame], acting: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("", justify="right", style="dim")
    for name in acting:
        table.add_column(name, overflow="fold", min_width=COLUMN_MIN - 2)
    for frame in shown:
        moment = frame.moment
        if moment is None:
            continue
        cells = [Text("┊" if name in moment.waiting else "", "dim") for name in acting]
        cells[acting.index(moment.actor)] = _deed(moment)
        table.add_row(str(frame.step), *cells)
    return table


def _deed(moment: Moment) -> Text:
    said = Text(moment.text + (f" → {moment.to}" if moment.to else ""))
    if moment.refused:
        said.append(f"\n⊘ refused: {moment.refused}", "yellow")
    if moment.violation:
        said.append(f"\n✗ {moment.violation}", "bold red")
    return said


def _entry(frame: Frame) -> Text:
    moment = frame.moment
    if moment is None:
        return Text()
    said = Text(f"{frame.step:3}. ").append(moment.actor, "bold").append(": ").append(_deed(moment))
    said.plain = said.plain.replace("\n", "\n     ")
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
    node = tree.add(_part(branch.part, zone, tuple(one.part.record.owner for one in branch.below)))
    owner = branch.part.record.owner
    for one in branch.below:
        _grow(node, one, owner if one.part.record.owner.endswith(f".{owner}") else zone)


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


def printed(story: Story, console: Console, *, columns: bool) -> None:
    """The listing, on that console."""
    console.print(listing(story, console.width, columns=columns), highlight=False, soft_wrap=not columns)
