"""What protections change, in a terminal: each alone and each left out, backlogs beside what they could have taken."""

from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..attribution import Attribution, Counterfactual
from ..day import Day
from ..published import clock_of
from .wording import clear, lasting, named, outage

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


def attribution(found: Attribution) -> RenderableType:
    """A row for each chosen protection."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for heading in ("protection", ""):
        table.add_column(heading)
    for heading in (
        "alone:\nclear at",
        "no addresses\nfor",
        "hours\nlost",
        "all but it:\nclear at",
        "no addresses\nfor",
        "hours\nlost",
    ):
        table.add_column(heading, justify="right")
    built, all_day = found.as_built, found.together
    table.add_row(Text("none, as built", "bold"), "", *_cells(built), "", "", "")
    for row in found.rows:
        single = len(found.rows) == 1
        left = ("", "", "") if single else _cells(row.left_out)
        table.add_row(row.protection, Text(row.family, "dim"), *_cells(row.alone), *left)
    if len(found.rows) > 1:
        table.add_row("all of them", "", *_cells(all_day), "", "", "", style="bold")
    meant = Table.grid(padding=(0, 2, 0, 0))
    for row in found.rows:
        meant.add_row(Text(f" {row.protection}", "dim"), Text(row.says, "dim"))
    return Group(table, Text(_LOST, "dim"), Text(), meant, Text())


def _cells(day: Day) -> tuple[str, str, str]:
    return cleared(day), _without(day), f"{lost_hours(day):.1f}"


def lost_hours(day: Day) -> float:
    """An hour in which one service does half of what it is asked is half an hour lost."""
    return sum(day.lost_s.values()) / 3600


def _without(day: Day) -> str:
    return lasting(day.outage_s) if day.outage_s else "–"


def backlogs(built: Day, changed: Day) -> RenderableType:
    """What stood in queues when DNS was back, ÷ what can be worked off in a second, beside how long it really took."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    headings = ("backlog", "could take", "took as built", "×", f"took {named(changed.protections)}", "×")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    for name in dict.fromkeys([*built.bound_s, *changed.bound_s]):
        cells = [*_took(built, name), *_took(changed, name)]
        bound = built.bound_s.get(name, changed.bound_s.get(name, 0.0))
        table.add_row(name, lasting(bound), *cells)
    return table


def _took(day: Day, name: str) -> tuple[str, str]:
    took, bound = day.took_s.get(name), day.bound_s.get(name)
    if took is None or bound is None:
        return "–", ""
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
    return f"{said} (as built {as_built})."


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def comparison(found: Counterfactual) -> RenderableType:
    """All of it."""
    built, changed = found.asked.as_built, found.asked.together
    return Group(
        Text("What each protection changes", "bold"),
        attribution(found.asked),
        Text("Backlog ÷ capacity, beside what it took", "bold"),
        backlogs(built, changed),
        Text(f"As built: {outage(built)}; {clear(built)}."),
        Text(f"{_capital(named(changed.protections))}: {outage(changed)}; {clear(changed)}."),
        Text(answer(found), "bold"),
    )
