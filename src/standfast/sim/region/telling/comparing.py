"""What protections change, in a terminal: each alone and each left out, backlogs beside what they could have taken."""

from typing import Final, Literal, TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..attribution import Attribution, Counterfactual
from ..day import Day
from ..published import clock_of
from .terminal import breadth
from .wording import clear, lasting, named, outage

Half: TypeAlias = Literal["alone", "all but it"]

_LOST: Final = (
    "Hours lost: of every service, until 15:00; an hour in which one does half of what it is asked is half an hour."
)


def cleared(day: Day) -> str:
    """When everything was clear, for a cell of a table."""
    if day.clear_s is None:
        return f"not by {clock_of(day.until)}"
    return "unnoticed" if day.clear_s <= 0 else clock_of(day.clear_s)


def restored_s(day: Day) -> float | None:
    """When the endpoint had addresses again; None if people did not have to put them back."""
    return next((one.at for one in day.inputs if one.id == "dynamodb-restored"), None) if day.outage_s else None


def attribution(found: Attribution, width: int) -> RenderableType:
    """A row for each chosen protection. If both halves have no room beside each other, they stand below each other."""
    both = _attributed(found, "alone", "all but it")
    tables = [both] if breadth(both) <= width else [_attributed(found, one) for one in ("alone", "all but it")]
    if len(found.rows) == 1:
        tables = [_attributed(found, "alone")]
    meant = Table.grid(padding=(0, 2, 0, 0))
    for row in found.rows:
        meant.add_row(Text(f" {row.protection}", "dim"), Text(row.says, "dim"))
    return Group(*tables, Text(_LOST, "dim"), Text(), meant, Text())


def _attributed(found: Attribution, *halves: Half) -> Table:
    """What each does by itself, or what is missing without it; as built and all of them beside it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for heading in ("protection", ""):
        table.add_column(heading)
    for half in halves:
        for heading in (f"{half}:\nclear at", "no addresses\nfor", "hours\nlost"):
            table.add_column(heading, justify="right")
    more = [""] * 3 * (len(halves) - 1)
    if "alone" in halves:
        table.add_row(Text("none, as built", "bold"), "", *_cells(found.as_built), *more)
    for row in found.rows:
        days = (row.alone if half == "alone" else row.left_out for half in halves)
        table.add_row(row.protection, Text(row.family, "dim"), *(cell for day in days for cell in _cells(day)))
    if len(found.rows) > 1:
        table.add_row("all of them", "", *_cells(found.together), *more, style="bold")
    return table


def _cells(day: Day) -> tuple[str, str, str]:
    return cleared(day), _without(day), f"{lost_hours(day):.1f}"


def lost_hours(day: Day) -> float:
    """An hour in which one service does half of what it is asked is half an hour lost."""
    return sum(day.lost_s.values()) / 3600


def _without(day: Day) -> str:
    return lasting(day.outage_s) if day.outage_s else "–"


def backlogs(*days: Day) -> RenderableType:
    """What stood in queues when DNS was back, ÷ what can be worked off in a second, beside how long it really took.

    A day that had none of them has no column.
    """
    some = [day for day in days if day.bound_s]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    headings = ["backlog", "could take", *(part for day in some for part in (f"took {named(day.protections)}", "×"))]
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    for name in dict.fromkeys(name for day in some for name in day.bound_s):
        bound = next(day.bound_s[name] for day in some if name in day.bound_s)
        table.add_row(name, lasting(bound), *(cell for day in some for cell in _took(day, name)))
    return table


def _took(day: Day, name: str) -> tuple[str, str]:
    took, bound = day.took_s.get(name), day.bound_s.get(name)
    if bound is None:
        return "–", ""
    if took is None:
        return f"not by {clock_of(day.until)}", ""
    return lasting(took), f"{took / bound:.1f}" if bound > 0 else ""


def answer(found: Counterfactual) -> str:
    """Given the same time without DNS, when is everything clear by coming back alone?"""
    built, alone = found.asked.as_built, found.recovery
    said = f"Given the same {lasting(alone.outage_s)} without DNS, with the recovery protections alone {clear(alone)}"
    back = restored_s(alone)
    if back is None or alone.clear_s is None:
        return f"{said}."
    said = f"{said}; that is {lasting(alone.clear_s - back)} after DNS was back"
    as_built = f"not by {clock_of(built.until)}" if built.clear_s is None else lasting(built.clear_s - back)
    return f"{said} (as built {as_built}){_last(alone)}."


def _last(day: Day) -> str:
    """The backlog that takes longest, against what it could take."""
    if not day.took_s:
        return ""
    name = max(day.took_s, key=lambda one: (day.took_s[one], one))
    bound, took = lasting(day.bound_s.get(name, 0.0)), lasting(day.took_s[name])
    return f". Last to be worked off: {name}, backlog ÷ capacity {bound}, took {took}"


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def comparison(found: Counterfactual, width: int) -> RenderableType:
    """All of it, on a screen of so many columns."""
    built, changed = found.asked.as_built, found.asked.together
    return Group(
        Text("What each protection changes", "bold"),
        attribution(found.asked, width),
        Text("Backlog ÷ capacity, beside what it took", "bold"),
        backlogs(*{day.protections: day for day in (built, found.recovery, changed)}.values()),
        Text(f"As built: {outage(built)}; {clear(built)}."),
        Text(f"{_capital(named(changed.protections))}: {outage(changed)}; {clear(changed)}."),
        Text(answer(found), "bold"),
    )
