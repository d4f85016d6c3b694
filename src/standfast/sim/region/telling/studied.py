"""A parameter study told: for each scored milestone the band of its times, and the number it depends on most."""

from collections.abc import Sequence
from typing import Final

import msgspec
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..day import Day
from ..parameters import Parameters
from ..published import clock_of
from ..scoring import AIM, score
from ..study import strongest
from ..sweeping import SPREAD, Band, bands, varied
from .wording import mark

_CLEAR: Final = "clear"


def listing(regions: Sequence[Parameters], days: Sequence[Day]) -> RenderableType:
    """A row for each scored milestone, and one for when everything was clear."""
    spread, judged = bands(days), score(days[0].milestones)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for heading in ("published", "as it is", "10 %", "median", "90 %", "reached"):
        table.add_column(heading, justify="right")
    for heading in ("depends most on", "", "service", "milestone"):
        table.add_column(heading)
    scored = [line for line in judged.lines if line.half and line.milestone.id in spread]
    for line in scored:
        one = line.milestone
        cells = _cells(spread[one.id], *strongest(regions, times(days, one.id)))
        table.add_row(one.clock, _clock(line.model_s), *cells, mark(line), one.service, one.what)
    cells = _cells(spread[_CLEAR], *strongest(regions, times(days, _CLEAR)))
    table.add_row("", _clock(days[0].clear_s), *cells, "", "", "everything is clear", style="bold")
    moved = [name for name in varied() if len({getattr(one, name) for one in regions}) > 1]
    what = f"{len(moved)} numbers" if len(moved) > 4 else ", ".join(moved)
    said = (
        f"{len(days)} days. The first has all numbers as they are; in the others {what} lie anywhere from 1 ÷ "
        f"{1 + SPREAD:g} to {1 + SPREAD:g} times that. Bands are of the days that got there."
    )
    inside = sum(_holds(spread[line.milestone.id], line.milestone.seconds, AIM * line.room_s) for line in scored)
    end = f"{inside} of {len(scored)} published times lie in their band or within {100 * AIM:.0f} % of it."
    return Group(Text(said), table, Text(end, "bold"))


def times(days: Sequence[Day], name: str) -> list[float | None]:
    """When each day reached it."""
    return [day.clear_s if name == _CLEAR else day.milestones.get(name) for day in days]


def _cells(band: Band, most: str, rank: float) -> list[str]:
    why = f"{most} ({rank:+.2f})" if most else ""
    return [*(_clock(end) for end in (band.low, band.middle, band.high)), f"{band.reached}/{band.days}", why]


def _clock(at: float | None) -> str:
    return "never" if at is None else clock_of(at)


def _holds(band: Band, published: float, room: float) -> bool:
    return band.low is not None and band.high is not None and band.low - room <= published <= band.high + room


def exported(regions: Sequence[Parameters], days: Sequence[Day]) -> dict[str, object]:
    """As data: every region's numbers, every day's milestones, and the bands."""
    return {
        "regions": [msgspec.to_builtins(one) for one in regions],
        "days": [{"seed": day.seed, "clear_s": day.clear_s, "milestones": day.milestones} for day in days],
        "bands": {id: msgspec.to_builtins(band) for id, band in bands(days).items()},
    }
