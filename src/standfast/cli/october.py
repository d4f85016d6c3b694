"""`standfast replay october-2025`: the region's day beside what was published of it, and what would have helped."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from standfast.errors import StandfastError

from .october_runs import Job, progress, run_days
from .writing import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from standfast.sim.region.attribution import Counterfactual, Set
    from standfast.sim.region.day import Day
    from standfast.sim.region.parameters import Parameters
    from standfast.sim.region.scoring import Score


class Asked(Struct, frozen=True):
    """What the command line says."""

    protections: str | None
    seed: int
    svg: str | None
    png: str | None
    html: str | None
    as_json: bool
    sweep: int | None = None
    vary: str | None = None
    step: float | None = None
    endpoints: int | None = None


def replay_october(asked: Asked) -> None:
    """Run what is needed, then show or write it."""
    if asked.sweep is not None:
        _study(asked, asked.sweep)
        return
    from standfast.sim.region.attribution import counterfactual
    from standfast.sim.region.protections import chosen
    from standfast.sim.region.scoring import score

    _prepare(asked)
    wanted = chosen(_names(asked.protections))
    days: dict[Set, Day] = {}

    def run_all(sets: "Sequence[Set]") -> "list[Day]":
        new = [one for one in sets if one not in days]
        if new:
            with progress(quiet=asked.as_json) as tell:
                found = run_days([Job(_parameters(asked), one, asked.seed) for one in new], tell)
            days.update(zip(new, found, strict=True))
        return [days[one] for one in sets]

    told = asked.as_json or (asked.svg is None and asked.png is None and asked.html is None)
    more = _for_the_page() if asked.html is not None else ()
    run_all(tuple(dict.fromkeys([frozenset(), wanted, *(_sets(wanted) if told else ()), *more])))
    pairs = [(days[one], score(days[one].milestones)) for one in dict.fromkeys((frozenset(), wanted))]
    _write(asked, pairs, list(days.values()))
    if not told:
        return
    compared = counterfactual(wanted, run_all) if wanted else None
    if asked.as_json:
        _print_json(asked, *pairs[0], compared)
    else:
        _show(pairs, compared)


def _names(given: str | None) -> list[str]:
    return [one.strip() for one in (given or "").split(",") if one.strip()]


def _study(asked: Asked, count: int) -> None:
    """The same day with other numbers: as built, or with the protections asked for."""
    from standfast.sim.region.protections import chosen
    from standfast.sim.region.study import study
    from standfast.sim.region.telling.studied import exported, listing

    if asked.svg or asked.png or asked.html:
        raise click.UsageError("--sweep prints bands, or exports them with --json. Leave out --svg, --png and --html.")
    wanted = chosen(_names(asked.protections))
    regions = study(_parameters(asked), count, asked.seed, _names(asked.vary))
    with progress(quiet=asked.as_json) as tell:
        days = run_days([Job(one, wanted, asked.seed + place) for place, one in enumerate(regions)], tell)
    if asked.as_json:
        click.echo(json.dumps(exported(regions, days)))
    else:
        console = _console()
        console.print(listing(regions, days, console.width))


def _prepare(asked: Asked) -> None:
    """Find out what can't be written before anything runs."""
    from standfast.sim.region.telling.charts import prepared

    for folder in (asked.svg, asked.png):
        if folder is not None:
            prepared(Path(folder))
    if asked.html is not None and not Path(asked.html).absolute().parent.is_dir():
        raise StandfastError(
            f"{asked.html} can't be written: there is no such directory.", "Name a file in an existing directory."
        )


def _parameters(asked: Asked) -> "Parameters":
    from msgspec import structs

    from standfast.sim.region.parameters import DEFAULTS

    tick_s, endpoints = asked.step or DEFAULTS.tick_s, asked.endpoints or DEFAULTS.endpoints
    return structs.replace(DEFAULTS, tick_s=tick_s, endpoints=endpoints)


def _sets(wanted: "Set") -> "tuple[Set, ...]":
    """All days that the answer needs, so that they run beside each other."""
    from standfast.sim.region.attribution import needed
    from standfast.sim.region.protections import family

    return (*needed(wanted), family("recovery")) if wanted else (frozenset(),)


def _for_the_page() -> "tuple[Set, ...]":
    """What can be ticked on the page without running anything: every family, and what they are together."""
    from standfast.sim.region.protections import family

    recovery, client, dns = family("recovery"), family("client"), family("dns")
    return (
        frozenset(),
        recovery,
        client,
        dns,
        recovery | client,
        recovery | dns,
        client | dns,
        recovery | client | dns,
    )


def _write(asked: Asked, pairs: "list[tuple[Day, Score]]", days: "list[Day]") -> None:
    from standfast.sim.region.telling.charts import draw

    for folder, kind in ((asked.svg, "svg"), (asked.png, "png")):
        if folder is not None:
            written = draw(pairs, Path(folder), "svg" if kind == "svg" else "png")
            click.echo(f"Wrote {len(written)} plots into {folder}: {', '.join(one.name for one in written)}.", err=True)
    if asked.html is not None:
        from standfast.sim.region.telling.dayview import october_page

        write_text(asked.html, october_page(days))


def _print_json(asked: Asked, built: "Day", judged: "Score", compared: "Counterfactual | None") -> None:
    from standfast.sim.region.telling.exporting import exported

    click.echo(json.dumps(exported(built, judged, _parameters(asked), compared)))


def _console() -> "Console":
    """A pipe gets room enough for every table, unless COLUMNS says otherwise."""
    from rich.console import Console

    told = os.environ.get("COLUMNS", "")
    wide = int(told) if told.isascii() and told.isdigit() and 0 < int(told) < 10_000 else None
    return Console(highlight=False, emoji=False, width=wide or (None if sys.stdout.isatty() else 132))


def _show(pairs: "list[tuple[Day, Score]]", compared: "Counterfactual | None") -> None:
    from standfast.sim.region.telling.comparing import comparison
    from standfast.sim.region.telling.terminal import listing

    console = _console()
    (day, judged), *others = pairs
    console.print(listing(day, judged, console.width, second=others[0] if others else None))
    if compared is not None:
        console.print()
        console.print(comparison(compared, console.width))
        return
    console.print()
    console.print("What would have helped: standfast replay october-2025 --with recovery", style="dim")
    console.print("The same as one page:   standfast replay october-2025 --html october.html", style="dim")
