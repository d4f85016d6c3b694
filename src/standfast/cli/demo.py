"""`standfast demo`: the main job running on this machine, and faults as they are injected and healed."""

import json
from pathlib import Path
from typing import Final

import click

from standfast.errors import EXIT_DIFFERS, EXIT_FINE

_SECONDS: Final = 65


@click.command("demo", short_help="the main job on loopback: a live view of faults being injected and healed")
@click.option("--seconds", type=float, metavar="N", help=f"how long; 20 or more [default: {_SECONDS}, one slow round]")
@click.option("--json", "as_json", is_flag=True, help="unattended; one JSON object on standard output at the end")
@click.option("--state", "folder", metavar="DIR", help="keep everything there: plans, zone, journals, answers")
@click.pass_context
def demo_command(ctx: click.Context, seconds: float | None, as_json: bool, folder: str | None) -> None:
    """Run a name server, six load balancers, planner, three enactors and cleaner on loopback, and hurt them.

    Load balancers and enactors are killed, a write is held and released many generations later, records are deleted by
    hand, an operator rolls back. A prober asks 250 times a second whether users noticed.

    Exit code: 0 no bad answer and every fault healed in time, 2 not so, 1 error. Ctrl-C ends it, and nothing stays.
    """
    from standfast.demo.report import NEXT, summary
    from standfast.demo.setting import SECONDS_MIN
    from standfast.demo.show import fits_a_screen, show

    if seconds is not None and not SECONDS_MIN <= seconds <= 86_400:
        raise click.UsageError(f"--seconds {seconds:g} is out of range: a round of all faults takes {SECONDS_MIN} s.")
    mode = "silent" if as_json else "live" if fits_a_screen() else "lines"
    if mode != "silent":
        click.echo("Starting name server, load balancers, planner, enactors and cleaner …")
    showing = show(seconds or _SECONDS, mode, Path(folder) if folder else None, click.echo)
    if as_json:
        click.echo(json.dumps({"ok": not showing.why, **showing.found, "problems": showing.why}))
    else:
        click.echo("\n".join(summary(showing.found, showing.why)))
        if folder:
            click.echo(f"  Kept in {folder}: standfast history www --config {folder}/standfast.yaml")
        click.echo("\n".join(NEXT))
    ctx.exit(EXIT_DIFFERS if showing.why else EXIT_FINE)
