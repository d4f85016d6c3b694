"""The day in a terminal: a strip of time for each series, and the table of published beside modelled times."""

from collections.abc import Iterable
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..day import Day
from ..published import clock_of, seconds_of
from ..scoring import Score, Scored
from .slots import BEGINS_S, GOOD, POOR, amount, availability_of, others_of, peak, slots
from .wording import LEGEND, TITLE, clear, error, judged, mark, named, off, outage

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_LABEL_MOST: Final = 44
_NOTE: Final = 16
_LEAST, _MOST = 24, 120
_COLOURS: Final = {"fitted": "cyan", "held out": "magenta"}


def strips(day: Day, width: int) -> RenderableType:
    """A line for each series over the hours: availability in colours, everything else as a share of its peak."""
    label = min(_LABEL_MOST, max(len(one.title) + 2 for one in day.measures.values()), width - _LEAST - _NOTE - 2)
    columns = max(_LEAST, min(_MOST, width - label - _NOTE - 2))
    lines = [_ruler(day, columns, label)]
    for service in day.services:
        own = availability_of(day, service)
        if own is not None:
            lines.append(_availability(day, f"{service:{label}.{label}} ", own, columns))
        for place, name in enumerate(others_of(day, service)):
            title = day.measures[name].title
            said = f"  {title}" if place or own else f"{service}: {title}"
            lines.append(_amounts(day, f"{said:{label}.{label}} ", name, columns))
    return Group(*lines)


def _ruler(day: Day, columns: int, label: int) -> Text:
    """Hours of the clock over the strip, as many as have room."""
    row, free = [" "] * (columns + 5), 0
    for hour in range(24):
        moment = seconds_of(f"20 Oct {hour:02}:00")
        place = int((moment - BEGINS_S) / (day.until - BEGINS_S) * columns)
        if moment < day.until and place >= free and place + 2 <= columns:
            row[place : place + 2] = f"{hour:02}"
            free = place + 4
    return Text(" " * (label + 1) + "".join(row).rstrip(), "dim")


def _availability(day: Day, label: str, name: str, columns: int) -> Text:
    found = slots(day.series[name], BEGINS_S, day.until, columns)
    line = Text(label, "bold")
    for slot in found:
        colour = "green" if slot.low >= GOOD else "yellow" if slot.low >= POOR else "red"
        line.append(_block(slot.mean), colour)
    lowest = min(slot.low for slot in found)
    return line.append(" never failed" if lowest >= GOOD else f" least {amount(lowest, 'share')}", "dim")


def _amounts(day: Day, label: str, name: str, columns: int) -> Text:
    measure, most = day.measures[name], peak(day, name)
    line = Text(label, "dim")
    for slot in slots(day.series[name], BEGINS_S, day.until, columns):
        line.append(_block(slot.high / most) if most > 0 else _BLOCKS[0], "blue")
    return line.append(f" peak {amount(most, measure.unit)}", "dim")


def _block(share: float) -> str:
    return _BLOCKS[min(len(_BLOCKS) - 1, max(0, int(share * len(_BLOCKS))))]


def milestones(score: Score, other: Score | None = None, names: tuple[str, str] = ("model", "")) -> RenderableType:
    """Every published milestone of the day beside the model's time. `other` is a second run, named by `names[1]`."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("published", style="bold")
    table.add_column(names[0], justify="right")
    if other is not None:
        table.add_column(names[1], justify="right")
    table.add_column("off", justify="right")
    table.add_column("error", justify="right")
    table.add_column("")
    table.add_column("service")
    table.add_column("milestone")
    second = {line.milestone.id: line for line in other.lines} if other else {}
    for line in score.lines:
        if not line.milestone.pdt.startswith(("19", "20")):
            continue
        more = [_reached(second[line.milestone.id])] if other else []
        table.add_row(*_row(line, more), style="dim" if line.milestone.kind == "report" else None)
    return table


def _row(line: Scored, more: list[Text]) -> Iterable[RenderableType]:
    colour = "" if line.half is None else "green" if line.close else "red"
    yield line.milestone.clock
    yield Text("input", "dim") if line.milestone.is_input else _reached(line)
    yield from more
    yield Text(off(line), colour)
    yield Text(error(line), colour)
    yield Text(mark(line), _COLOURS.get(line.half or "", "yellow"))
    yield line.milestone.service
    yield Text(line.milestone.what, "yellow" if line.milestone.is_input else "")


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
        shown.append(milestones(score, its_score, ("as built", "with")))
        shown.append(Text("With: what never failed is well from the moment on at which it is looked at.", "dim"))
    else:
        shown.append(milestones(score))
    return Group(*shown, Text(LEGEND, "dim"), Text(judged(score), "bold"))
