"""A parameter study told: for each scored milestone the band of its times, and the number it depends on most."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..day import Day
from ..parameters import Parameters
from ..published import clock_of
from ..scoring import AIM, Scored, score
from ..study import chance, strongest
from ..sweeping import SPREAD, Band, bands, varied
from .terminal import breadth
from .wording import mark

_CLEAR: Final = "clear"
Depends: TypeAlias = tuple[str, float]
"""The number on which a time depends most, and the rank correlation; "" if none stands out."""


def listing(regions: Sequence[Parameters], days: Sequence[Day], width: int) -> RenderableType:
    """A row for each scored milestone, and one for when everything was clear, on a screen of so many columns."""
    spread = bands(days)
    scored = [line for line in score(days[0].milestones).lines if line.half and line.milestone.id in spread]
    on_what = {id: strongest(regions, times(days, id)) for id in (*(line.milestone.id for line in scored), _CLEAR)}
    wide = _table(scored, days, spread, on_what, apart=True)
    table = wide if breadth(wide) <= width else _table(scored, days, spread, on_what, apart=False)
    moved = [name for name in varied() if len({getattr(one, name) for one in regions}) > 1]
    what = f"{len(moved)} numbers lie" if len(moved) > 4 else f"{', '.join(moved)} {'lie' if moved[1:] else 'lies'}"
    said = (
        f"{len(days)} days. The first has all numbers as they are; in the others {what} anywhere from 1 ÷ "
        f"{1 + SPREAD:g} to {1 + SPREAD:g} times that. Bands go from the 10th to the 90th percentile of the days that "
        "got there."
    )
    if with_what := days[0].protections:
        # published times are those of the day as built: beside days that went otherwise they say nothing
        said += f" With {', '.join(with_what)}: what never failed is well when first looked at, and what is never "
        said += "reached may never have been needed. Whether all went well says the last row."
        return Group(Text(said), table, *_nothing_stands_out(len(days), on_what))
    inside = sum(_holds(spread[line.milestone.id], line.milestone.seconds, AIM * line.room_s) for line in scored)
    end = f"{inside} of {len(scored)} published times lie in their band or within {100 * AIM:.0f} % of it."
    return Group(Text(said), table, *_nothing_stands_out(len(days), on_what), Text(end, "bold"))


def _table(
    scored: Sequence[Scored], days: Sequence[Day], spread: Mapping[str, Band], on_what: Mapping[str, Depends], *,
    apart: bool,
) -> Table:  # fmt: skip
    """`apart`: services in a column of their own. What times depend on has none if nothing stands out."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False, padding=(0, 1, 0, 0))
    for heading in ("published" if apart else "PDT", "as it is", "p10", "median", "p90", "reached"):
        table.add_column(heading, justify="right")
    known = any(name for name, _ in on_what.values())
    for heading in (*(["depends most on"] if known else []), "", *(["service"] if apart else []), "milestone"):
        table.add_column(heading)
    for line in scored:
        one = line.milestone
        what = (one.service, one.what) if apart else (f"{one.service}: {one.what}",)
        cells = _cells(spread[one.id], _why(*on_what[one.id], known=known))
        table.add_row(one.clock, _clock(line.model_s), *cells, mark(line), *what)
    cells, end = _cells(spread[_CLEAR], _why(*on_what[_CLEAR], known=known)), "everything is clear"
    table.add_row("", _clock(days[0].clear_s), *cells, "", *([""] if apart else []), end, style="bold")
    return table


def _nothing_stands_out(days: int, on_what: Mapping[str, Depends]) -> list[Text]:
    """Why no number is named."""
    if any(name for name, _ in on_what.values()):
        return []
    few = f" in {days} days; more days may show one" if chance(days) > 1 else ""
    return [Text(f"No number stands out from chance as what a time depends on{few}.", "dim")]


def times(days: Sequence[Day], name: str) -> list[float | None]:
    """When each day reached it."""
    return [day.clear_s if name == _CLEAR else day.milestones.get(name) for day in days]


def _cells(band: Band, why: list[str]) -> list[str]:
    return [*(_clock(end) for end in (band.low, band.middle, band.high)), f"{band.reached}/{band.days}", *why]


def _why(most: str, rank: float, *, known: bool) -> list[str]:
    """The cell of what a time depends on, if there is such a column."""
    return [f"{most} ({rank:+.2f})" if most else ""] if known else []


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
