"""`python -m standfast.sim.mutants`: every mutant of the catalogue, and which property notices it."""

import sys

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from standfast.errors import StandfastError

from .catalogue import CATALOGUE, named
from .mutant import Mutant
from .running import BY_HAND, CONTROL, SECONDS, SEEDS, Limits, Report, try_all
from .verdict import Verdict


@click.command()
@click.option("--only", "names", multiple=True, metavar="NAME", help="this one; may be given several times")
@click.option("--jobs", default=2, show_default=True, help="how many are judged at a time")
@click.option("--seconds", default=SECONDS, show_default=True, help="after which a judge is ended without a verdict")
@click.option("--seeds", default=SEEDS, show_default=True, help="regions that are simulated for one mutant")
@click.option("--list", "listing", is_flag=True, help="names and rules, and nothing is run")
@click.option("--json", "as_json", is_flag=True, help="one JSON document on standard output")
def mutants(names: tuple[str, ...], jobs: int, seconds: float, seeds: int, listing: bool, as_json: bool) -> None:
    """Break the production code on purpose, and see who notices. Exit 1 if nobody does."""
    try:
        chosen = tuple(named(name) for name in names) or CATALOGUE
        if listing:
            _list(chosen)
            return
        reports = _run(chosen, jobs, Limits(seconds, seeds), quiet=as_json)
    except StandfastError as error:
        Console(stderr=True).print(f"[bold red]error:[/] {error}", highlight=False)
        sys.exit(error.exit_code)
    found = shortcomings(reports, whole=chosen == CATALOGUE)
    if as_json:
        document = {"mutants": reports, "shortcomings": found}
        click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        _show(reports, found)
    sys.exit(1 if found else 0)


def _run(chosen: tuple[Mutant, ...], jobs: int, limits: Limits, *, quiet: bool) -> tuple[Report, ...]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("mutants", total=len(chosen))

        def told(report: Report) -> None:
            progress.update(task, advance=1, description=f"{report.name}: {report.fate}")

        return try_all(chosen, jobs=jobs, limits=limits, told=told)


def shortcomings(reports: tuple[Report, ...], *, whole: bool) -> list[str]:
    """Why this is not good enough; nothing if it is. The `whole` catalogue has to satisfy more than a part of it."""
    controls, reports = parted(reports)
    found = [f"{one.name}: somebody finds fault with it" for one in controls if one.fate != "fine"]
    found += [f"{one.name}: {one.fate}" for one in reports if one.fate not in ("killed", "equivalent")]
    killed = [one for one in reports if one.fate == "killed" and _met_by_simulation(one)]
    alone = [one for one in killed if one.killed_by("simulation")]
    if whole and 2 * len(alone) < len(killed):
        found.append(f"only {len(alone)} of {len(killed)} that it judges are killed by simulation alone; half shall be")
    return found


def _met_by_simulation(one: Report) -> bool:
    """Whether the simulator was asked: some rules (of commands, of the enactor's own file) are not in its world."""
    return any(verdict.judge == "simulation" for verdict in one.verdicts)


def parted(reports: tuple[Report, ...]) -> tuple[tuple[Report, ...], tuple[Report, ...]]:
    """The controls, and the mutants."""
    controls = tuple(one for one in reports if one.name.startswith(CONTROL))
    return controls, reports[len(controls) :]


def _list(chosen: tuple[Mutant, ...]) -> None:
    for one in chosen:
        click.echo(f"{'◆' if one.marked else ' '} {one.name} ({one.file}): {one.rule}")


def _show(reports: tuple[Report, ...], found: list[str]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 170)
    controls, reports = parted(reports)
    table = Table(title=f"{len(reports)} mutants; ◆ stands for a rule that the design marks so")
    for title in ("", "mutant", "fate", "by search", "by simulation", "by tests"):
        table.add_column(title)
    for one in (*controls, *reports):
        told = {verdict.judge: _told(verdict) for verdict in one.verdicts}
        tests = next((told[one] for one in ("conformance", "s3", "postgresql", *BY_HAND) if one in told), "")
        cells = (told.get("search", ""), told.get("simulation", ""), tests)
        table.add_row("◆" if one.marked else "", one.name, one.fate, *cells)
    console.print(table)
    killed = [one for one in reports if one.fate == "killed"]
    met = [one for one in killed if _met_by_simulation(one)]
    searched, alone = (sum(one.killed_by(judge) for one in killed) for judge in ("search", "simulation"))
    equivalent = sum(one.fate == "equivalent" for one in reports)
    console.print(
        f"{len(killed)} killed: {searched} by search, {alone} of {len(met)} by simulation, whose world the others are "
        f"not in. {equivalent} equivalent in scope, {len(reports) - len(killed) - equivalent} neither"
    )
    for text in found:
        console.print(f"[red]✗[/] {text}", highlight=False)


def _told(verdict: Verdict) -> str:
    if verdict.trouble:
        return f"no verdict: {verdict.trouble[:60]}"
    if verdict.killed_by:
        many = {"search": f"{verdict.after:,} states, {verdict.steps} steps", "simulation": verdict.where}
        return f"{verdict.property} · {many.get(verdict.judge, f'test {verdict.after}')}"
    if verdict.searched:
        whole = "complete" if all(one.complete for one in verdict.searched) else "not complete"
        return f"nothing in {verdict.after:,} states ({whole})"
    return f"nothing in {verdict.after} {'seeds' if verdict.judge == 'simulation' else 'tests'}"


if __name__ == "__main__":
    mutants()
