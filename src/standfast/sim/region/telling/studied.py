"""A parameter study told: for each scored milestone the band of its times, and the number it depends on most."""

from collections.abc import Mapping, Sequence

import msgspec
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..published import clock_of
from ..scoring import AIM, Score
from ..study import SPREAD, Band, Draw
from .wording import mark


def listing(found: Sequence[Draw], spread: Mapping[str, Band], score: Score) -> RenderableType:
    """A row for each scored milestone, and one for when everything was clear."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for heading in ("published", "as it is", "5 %", "median", "95 %", "reached"):
        table.add_column(heading, justify="right")
    for heading in ("depends most on", "", "service", "milestone"):
        table.add_column(heading)
    for line in score.lines:
        one = line.milestone
        if line.half is None or one.id not in spread:
            continue
        table.add_row(one.clock, _clock(line.model_s), *_cells(spread[one.id]), mark(line), one.service, one.what)
    if "clear" in spread:
        table.add_row("", "", *_cells(spread["clear"]), "", "", "everything is clear", style="bold")
    said = (
        f"{len(found)} days: each of {len(found[0].factors)} numbers times a factor from 1 ÷ {SPREAD:g} to {SPREAD:g}; "
        f"5 % of the days lie before the band, 5 % after it."
    )
    return Group(Text(said), table, Text(_inside(spread, score), "bold"))


def _cells(band: Band) -> list[str]:
    why = f"{band.most} ({band.rank:+.2f})" if band.most else ""
    return [*(_clock(end) for end in (band.low, band.middle, band.high)), f"{band.reached}/{band.count}", why]


def _clock(at: float | None) -> str:
    return "never" if at is None else clock_of(at)


def _inside(spread: Mapping[str, Band], score: Score) -> str:
    """How many published times the bands hold, with what counts as met to either side."""
    lines = [line for line in score.lines if line.half and line.milestone.id in spread]
    held = 0
    for line in lines:
        band, room = spread[line.milestone.id], AIM * line.room_s
        if band.low is not None:
            high = float("inf") if band.high is None else band.high
            held += band.low - room <= line.milestone.seconds <= high + room
    return f"{held} of {len(lines)} published times lie in their band or within {100 * AIM:.0f} % of it."


def exported(found: Sequence[Draw], spread: Mapping[str, Band]) -> dict[str, object]:
    """As data."""
    return {
        "draws": [{"seed": one.seed, "factors": one.factors} for one in found],
        "bands": {id: msgspec.to_builtins(band) for id, band in spread.items()},
    }
