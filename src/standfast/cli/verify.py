"""`standfast verify`: every interleaving of the production cores within stated bounds, and what it found."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE

if TYPE_CHECKING:
    from standfast.sim.world.bounds import Run
    from standfast.sim.world.scopes import Scope

_SCOPES: Final = ("quick", "standard", "wide")
_LAYOUTS: Final = ("flat", "tree")
_ENGINES: Final = ("auto", "python", "compiled")


@click.command("verify", short_help="explore all interleavings of the production cores, within stated bounds")
@click.option("--scope", "scope", type=click.Choice(_SCOPES), default="quick", show_default=True, help="how much")
@click.option(
    "--layout", type=click.Choice(_LAYOUTS), default="flat", show_default=True, help="of the endpoints' records"
)
@click.option("--run", "names", multiple=True, metavar="NAME", help="only this run (repeatable); see --list")
@click.option("--list", "listing", is_flag=True, help="the runs of the scope with their bounds; nothing is searched")
@click.option("--engine", type=click.Choice(_ENGINES), default="auto", show_default=True, help="which search")
@click.option(
    "--as-built", is_flag=True, help="the system of October 2025 instead: which remedies remove which failure"
)
@click.option(
    "--with", "remedies", multiple=True, metavar="A,B", help="with --as-built: only these remedies; or `ours`"
)
@click.option(
    "--recovery", is_flag=True, help="leases, admission and retry budgets instead, every state of small models"
)
@click.option("--save", "folder", metavar="DIR", help="where counterexamples go [default: here; --as-built: nowhere]")
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
@click.pass_context
def verify_command(
    ctx: click.Context,
    scope: str,
    layout: str,
    names: tuple[str, ...],
    listing: bool,
    engine: str,
    as_built: bool,
    remedies: tuple[str, ...],
    recovery: bool,
    folder: str | None,
    as_json: bool,
) -> None:
    """Let enactors, planners, cleaner, operator, people and the network do everything they may, in every order.

    What is explored are the objects that run in production, over the executable specification of store and provider.
    Each state and each change is checked against the guarantees; a counterexample is told step by step and saved.
    With --layout tree the endpoints have trees of aliases (Route 53), which cleaners collect.

    With --as-built the system as it was in October 2025 is searched the same way: as it was, with each remedy alone,
    and with all of ours. With --recovery it is the automata that let a fleet come back.

    Exit code: 0 nothing is broken and all was seen (--as-built: each outcome is the stated one), 2 a guarantee is
    broken, 1 something was not finished.
    """
    if recovery:
        if as_built or names or remedies or folder:
            raise click.UsageError("--recovery takes --list and --json alone.")
        from standfast.cli.verifying.recovering import verify_recovery

        ctx.exit(verify_recovery(listing=listing, as_json=as_json))
    if folder and not listing:
        from standfast.cli.verifying.saving import writable_folder

        writable_folder(Path(folder))
    if as_built:
        strange = bool(names) or engine != "auto" or layout != "flat"
        ctx.exit(_as_built(scope, remedies, folder, strange=strange, listing=listing, as_json=as_json))
    if remedies:
        raise click.UsageError("--with names remedies for the system of October 2025: use it with --as-built.")
    from standfast.cli.verifying.reporting import as_json_object, show, show_list
    from standfast.cli.verifying.searching import verify
    from standfast.sim.world.running import chosen
    from standfast.sim.world.scopes import LAYOUTS

    wanted = LAYOUTS[layout][scope]  # type: ignore[index]  # click checked it
    runs = _chosen_runs(wanted, names)
    if listing:
        show_list(wanted, runs, as_json=as_json)
        return
    means = chosen(engine, worthwhile=wanted.compiled)  # type: ignore[arg-type]  # click checked it
    verified = verify(wanted, runs, means, Path(folder or "."), families=not names, quiet=as_json)
    if as_json:
        click.echo(json.dumps(as_json_object(verified)))
    else:
        show(verified)
    ctx.exit(EXIT_DIFFERS if verified.broken else EXIT_FINE if verified.complete else EXIT_ERROR)


def _as_built(
    scope: str, remedies: tuple[str, ...], folder: str | None, *, strange: bool, listing: bool, as_json: bool
) -> int:
    if strange:
        raise click.UsageError(
            "--as-built takes --scope, --with, --list, --save and --json; no --run, --engine, --layout."
        )
    from standfast.cli.verifying.asbuilt import list_remedies, verify_as_built

    if listing:
        list_remedies(as_json=as_json)
        return EXIT_FINE
    wanted = [name.strip() for some in remedies for name in some.split(",") if name.strip()]
    return verify_as_built(scope, wanted, folder, as_json=as_json)


def _chosen_runs(scope: "Scope", names: tuple[str, ...]) -> "tuple[Run, ...]":
    """The runs of the scope; of those named, from whatever scope."""
    from standfast.sim.world.scopes import all_runs

    known = all_runs()
    for name in names:
        if name not in known:
            raise click.UsageError(f"--run {name}: there is no such run. They are: {', '.join(known)}.")
    return tuple(known[name] for name in names) if names else scope.runs
