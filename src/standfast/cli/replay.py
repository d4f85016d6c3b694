"""`standfast replay`: step through a story in the terminal, in both directions, or write it as SVG or HTML."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from standfast.errors import StandfastError
from standfast.runtime.phrases import listed

from .writing import write_text

if TYPE_CHECKING:
    from rich.console import Console

    from standfast.sim.story.page import Run
    from standfast.sim.story.story import Story

_RACE: Final = "race"
_BOTH: Final = "both"
_OCTOBER: Final = "october-2025"


@click.command(
    "replay", short_help="step through a counterexample, a failure, or October 2025: the race, the whole day"
)
@click.argument("what", metavar="FILE|race|october-2025")
@click.option(
    "--with",
    "view",
    metavar="RUN|LIST",
    help="of the race: as-built, standfast, both, or one remedy such as fence; of the day: protections, separated by "
    "commas, or all, dns, client, recovery",
)
@click.option("--all", "everything", is_flag=True, help="the whole story at once, instead of step by step")
@click.option(
    "--svg", metavar="FILE|DIR", help="write a sequence diagram; of the race with both: its poster; of the day: plots"
)
@click.option("--png", metavar="DIR", help="of the day: write plots")
@click.option("--html", metavar="FILE", help="write one page that needs nothing else")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
@click.option(
    "--sweep",
    metavar="N",
    type=click.IntRange(2, 10_000),
    help="of the day: N days with other numbers, as bands; with --with, of the day with protections",
)
@click.option(
    "--vary", metavar="LIST", help="with --sweep: vary only these parameters (docs/region.md), separated by commas"
)
@click.option(
    "--step",
    metavar="S",
    type=click.FloatRange(1.0, 60.0),
    help="of the day: seconds of a step of the model; longer is quicker and coarser; default 5",
)
@click.option(
    "--endpoints",
    metavar="N",
    type=click.IntRange(2, 100_000),
    help="of the day: so many, of eight records each, under production's planner, enactors and cleaner, which run with "
    "all of `dns`; default 2",
)
@click.option("--seed", type=click.IntRange(min=0), help="of the day: what is random in it comes from this; default 1")
def replay_command(
    what: str,
    view: str | None,
    everything: bool,
    svg: str | None,
    png: str | None,
    html: str | None,
    as_json: bool,
    sweep: int | None,
    vary: str | None,
    step: float | None,
    endpoints: int | None,
    seed: int | None,
) -> None:
    """Show what happened, step by step: zone, markers, store, and what each actor believed.

    FILE is a story that `standfast verify` or `standfast simulate` saved. `race` is October 2025: the system as it was
    built, and Standfast on the same schedule. `october-2025` is the whole day: every published time beside the time at
    which the model of the region gets there; with protections, what each of them changes. (Files of these names are
    `./race` and `./october-2025`.)

    \b
    Protections of the day:
      dns       against emptying: fence, safe-clean-up, repair, uncoupled
      client    of those who ask: serve-stale, keep-last
      recovery  of coming back: lease-grace, admission, throttled-propagation,
                warm-up, az-velocity, slow-start, self-restart

    Keys: n, space, → and ↓ go on, p, ← and ↑ go back, Home and End, j and k to the next and previous refusal or
    violation, q leaves. Without a terminal, or with --all, everything is listed.

    Exit code: 0 shown or written, 1 the file can't be read or is no story, or a protection is unknown.
    """
    if what == _OCTOBER:
        from .october import Asked, replay_october

        if vary is not None and sweep is None:
            raise click.UsageError("--vary says what --sweep varies. Add --sweep N.")
        replay_october(Asked(view, 1 if seed is None else seed, svg, png, html, as_json, sweep, vary, step, endpoints))
        return
    _nothing_of_the_day(png=png, sweep=sweep, vary=vary, step=step, endpoints=endpoints, seed=seed)
    runs = _runs(what)
    keys = (*(run.key for run in runs), *((_BOTH,) if what == _RACE else ()))
    if view is not None and what != _RACE:
        raise click.UsageError("--with chooses a run of the race; a saved story has one. Leave it out.")
    if view is not None and view not in keys:
        raise click.UsageError(f"--with {view}: there is no such run. There is {', '.join(keys)}.")
    if svg is not None:
        write_text(svg, _drawing(runs, view or (_BOTH if what == _RACE else keys[0])))
    if html is not None:
        write_text(html, _page(what, runs, view or (_BOTH if what == _RACE else keys[0])))
    chosen = [run for run in runs if run.key == view] or list(runs[:2] if view == _BOTH else runs[:1])
    if as_json:
        click.echo(json.dumps(_told(chosen, svg, html)))
    elif svg is None and html is None:
        _show([run.story for run in chosen], everything=everything)


def _nothing_of_the_day(**options: object) -> None:
    """Raises UsageError if an option is given that only the day has."""
    for option, given in options.items():
        if given is not None:
            raise click.UsageError(f"--{option} belongs to `standfast replay {_OCTOBER}`. Leave it out.")


def _runs(what: str) -> "tuple[Run, ...]":
    from standfast.sim.story.page import Run
    from standfast.sim.story.story import StoryError, load

    if what == _RACE:
        from standfast.sim.story.race import race_runs

        return race_runs()
    try:
        return (Run("story", "The story", load(Path(what))),)
    except FileNotFoundError:
        remedy = "`standfast replay race` shows October 2025; `standfast verify --save DIR` makes stories of its own."
        raise StandfastError(f"There is no file {what}.", remedy) from None
    except IsADirectoryError:
        inside = listed(str(path) for path in sorted(Path(what).glob("*.story.json")))
        remedy = f"Name one of its stories: {inside}." if inside else "There is no story (*.story.json) in it."
        raise StandfastError(f"{what} is a directory.", remedy) from None
    except StoryError:
        if _is_scenario(Path(what)):
            remedy = f"`standfast simulate --replay {what}` runs it; the story beside it ends in .story.json."
            raise StandfastError(f"{what} is a scenario, not a story.", remedy) from None
        raise


def _is_scenario(path: Path) -> bool:
    """Whether `standfast simulate` saved it to be run again."""
    from standfast.sim.swarm.scenario import ScenarioError, load

    try:
        load(path)
    except ScenarioError:
        return False
    return True


def _drawing(runs: "tuple[Run, ...]", view: str) -> str:
    from standfast.sim.story.diagram import diagram

    if view == _BOTH:
        from standfast.sim.story.poster import poster

        return poster(runs[0], runs[1])
    return diagram(next(run.story for run in runs if run.key == view))


def _page(what: str, runs: "tuple[Run, ...]", view: str) -> str:
    from standfast.sim.story.page import page

    if what == _RACE:
        from standfast.sim.story.race import race_page

        return race_page(runs, view)
    return page(runs[0].story.title, runs[0].story.outcome, runs)


def _told(chosen: "list[Run]", svg: str | None, html: str | None) -> dict[str, object]:
    import msgspec

    stories = []
    for run in chosen:
        moments = list(enumerate(run.story.moments, start=1))
        stories.append(
            {
                "run": run.key,
                "steps": len(moments),
                "violations": [{"step": step, "what": one.violation} for step, one in moments if one.violation],
                "refusals": [{"step": step, "why": one.refused} for step, one in moments if one.refused],
                "story": msgspec.to_builtins(run.story),
            }
        )
    return {"stories": stories, "svg": svg, "html": html}


def _show(stories: "list[Story]", *, everything: bool) -> None:
    from rich.console import Console

    from standfast.sim.story.terminal import lines, listing

    if not sys.stdout.isatty():
        click.echo("\n\n".join("\n".join(lines(story)) for story in stories))
        return
    console = Console(highlight=False, markup=False, emoji=False)
    if sys.stdin.isatty() and not everything:
        _walk(stories, console)
        return
    for story in stories:
        console.print(listing(story, console.width, columns=True))


def _walk(stories: "list[Story]", console: "Console") -> None:
    """The screen is the terminal's other one: what stood there before comes back at the end."""
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    from standfast.sim.story.frames import frames
    from standfast.sim.story.stepping import Position, typed, walk
    from standfast.sim.story.terminal import HELP, screen

    shown = [(story, frames(story)) for story in stories]
    notable = sorted({frame.step for _, found in shown for frame in found if frame.notable})

    def show(position: Position) -> None:
        parts = [screen(story, found[min(position.step, len(found) - 1)], console.width) for story, found in shown]
        between: list[object] = [
            part for place, one in enumerate(parts) for part in ([Rule()] if place else []) + [one]
        ]
        rows = console.render_lines(Group(*between), pad=False)  # type: ignore[arg-type]
        room = max(1, console.height - 3)
        console.clear()
        for row in rows[:room]:
            console.print(Text.assemble(*((part.text, part.style or "") for part in row)), no_wrap=True, end="\n")
        more = f"… {len(rows) - room} more lines: make the window taller, or see --html" if len(rows) > room else ""
        console.print(Text(more, "dim"))
        console.print(Text(HELP, "dim"), no_wrap=True, overflow="crop", end="")

    with console.screen(hide_cursor=True), typed() as keys:
        walk(Position(max(len(found) for _, found in shown) - 1, tuple(notable)), show, keys)
