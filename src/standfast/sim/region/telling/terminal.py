"""The day in a terminal: a strip of time for each series, and the table of published beside modelled times."""

from collections.abc import Iterable
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..day import Day
from ..published import clock_of, seconds_of
from ..scoring import Score, Scored
from .slots import BEGINS_S, GOOD, POOR, amount, availability_of, others_of, peak, slots
from .wording import LEGEND, TITLE, clear, error, judged, mark, named, off, outage

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_LABEL_LEAST, _LABEL_MOST = 8, 44
_LEAST, _MOST = 24, 120
_HOUR_S: Final = 3600
_COLOURS: Final = {"fitted": "cyan", "held out": "magenta"}


def strips(day: Day, width: int) -> RenderableType:
    """A line for each series over the hours: availability in colours, everything else as a share of its peak."""
    longest = max(len(one.title) + 2 for one in day.measures.values())
    note = max(len(_note(day, name)) for name in day.measures)
    label = max(_LABEL_LEAST, min(_LABEL_MOST, longest, width - _LEAST - note - 2))
    columns = max(_LABEL_LEAST, min(_MOST, width - label - note - 2))
    lines = [_ruler(day, columns, label)]
    for service in day.services:
        own = availability_of(day, service)
        if own is not None:
            lines.append(_availability(day, _cut(service, label), own, columns))
        for place, name in enumerate(others_of(day, service)):
            title = day.measures[name].title
            said = f"  {title}" if place or own else f"{service}: {title}"
            lines.append(_amounts(day, _cut(said, label), name, columns))
    return Group(*lines)


def _cut(said: str, room: int) -> str:
    """A label with a blank behind it; what has no room ends in an ellipsis."""
    return f"{said if len(said) <= room else f'{said[: room - 1]}…':{room}} "


def _note(day: Day, name: str) -> str:
    """What stands behind a strip."""
    if not name.endswith(".availability"):
        return f" peak {amount(peak(day, name), day.measures[name].unit)}"
    lowest = min(value for _, value in day.series[name])
    return " never failed" if lowest >= GOOD else f" least {amount(lowest, 'share')}"


def _ruler(day: Day, columns: int, label: int) -> Text:
    """Hours of the clock over the strip, as many as have room."""
    row, hours = [" "] * (columns + 5), (day.until - BEGINS_S) / _HOUR_S
    apart = next((each for each in (1, 2, 3, 4, 6) if each * columns >= 4 * hours), 12)
    for hour in range(0, 24, apart):
        moment = seconds_of(f"20 Oct {hour:02}:00")
        place = int((moment - BEGINS_S) / (day.until - BEGINS_S) * columns)
        if moment < day.until and place + 2 <= columns:
            row[place : place + 2] = f"{hour:02}"
    return Text(" " * (label + 1) + "".join(row).rstrip(), "dim")


def _availability(day: Day, label: str, name: str, columns: int) -> Text:
    found = slots(day.series[name], BEGINS_S, day.until, columns)
    line = Text(label, "bold")
    for slot in found:
        colour = "green" if slot.low >= GOOD else "yellow" if slot.low >= POOR else "red"
        line.append(_block(slot.mean), colour)
    return line.append(_note(day, name), "dim")


def _amounts(day: Day, label: str, name: str, columns: int) -> Text:
    most = peak(day, name)
    line = Text(label, "dim")
    for slot in slots(day.series[name], BEGINS_S, day.until, columns):
        line.append(_block(slot.high / most) if most > 0 else _BLOCKS[0], "blue")
    return line.append(_note(day, name), "dim")


def _block(share: float) -> str:
    return _BLOCKS[min(len(_BLOCKS) - 1, max(0, int(share * len(_BLOCKS))))]


def milestones(score: Score, width: int, other: Score | None = None) -> RenderableType:
    """Every published milestone of the day beside the model's time. `other` is a second run, with protections."""
    wide = _table(score, other, apart=True)
    return wide if breadth(wide) <= width else _table(score, other, apart=False)


def breadth(table: Table) -> int:
    """How many columns it takes if nothing in it is broken into lines."""
    console = Console(width=1000)
    return console.measure(table).maximum


def _table(score: Score, other: Score | None, *, apart: bool) -> Table:
    """`apart`: with services in a column of their own. Without it there is more room for what happened."""
    names = ("model", "") if other is None else ("as built", "with")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False, padding=(0, 1, 0, 0))
    table.add_column("published" if apart else "PDT", style="bold")
    table.add_column(names[0], justify="right")
    if other is not None:
        table.add_column(names[1], justify="right")
    table.add_column("off", justify="right")
    table.add_column("error", justify="right")
    table.add_column("")
    if apart:
        table.add_column("service")
    table.add_column("milestone")
    second = {line.milestone.id: line for line in other.lines} if other else {}
    for line in score.lines:
        if not line.milestone.pdt.startswith(("19", "20")):
            continue
        more = [_reached(second[line.milestone.id])] if other else []
        table.add_row(*_row(line, more, apart=apart), style="dim" if line.milestone.kind == "report" else None)
    return table


def _row(line: Scored, more: list[Text], *, apart: bool) -> Iterable[RenderableType]:
    colour = "" if line.half is None else "green" if line.close else "red"
    yield line.milestone.clock
    yield Text("input", "dim") if line.milestone.is_input else _reached(line)
    yield from more
    yield Text(off(line), colour)
    yield Text(error(line), colour)
    yield Text(mark(line), _COLOURS.get(line.half or "", "yellow"))
    what = Text(line.milestone.what, "yellow" if line.milestone.is_input else "")
    if apart:
        yield line.milestone.service
        yield what
    else:
        yield Text(f"{line.milestone.service}: ").append_text(what)


def _reached(line: Scored) -> Text:
    if line.milestone.is_input or line.milestone.kind == "report":
        return Text("")
    return Text("–" if line.model_s is None else clock_of(line.model_s))


def listing(day: Day, score: Score, width: int, *, second: tuple[Day, Score] | None = None) -> RenderableType:
    """The whole day: strips, table, and what it comes to. `second` is the same day with protections."""
    shown: list[RenderableType] = [Text(TITLE, "bold"), Text(f"{named(day.protections)}: {outage(day)}; {clear(day)}.")]
    shown += [Text(), strips(day, width), Text()]
    if second is not None:
        with_it, its_score = second
        said = f"{named(with_it.protections)}: {outage(with_it)}; {clear(with_it)}."
        shown += [Text(said, "bold"), Text(), strips(with_it, width), Text()]
        shown.append(milestones(score, width, its_score))
        shown.append(
            Text("With: – where it does not come to that; what never failed is well when first looked at.", "dim")
        )
    else:
        shown.append(milestones(score, width))
    return Group(*shown, Text(LEGEND, "dim"), Text(judged(score).replace(" ◆", "\n◆"), "bold"))
