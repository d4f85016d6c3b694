"""`standfast simulate`: regions in virtual time, seed after seed, with faults; what fails is shrunk, saved and told."""

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE, StandfastError

from .texts import counted, paint, say, say_all, seconds
from .verifying.saving import writable_folder

if TYPE_CHECKING:
    from standfast.sim.swarm.running import Run
    from standfast.sim.swarm.scenario import Scenario

_HOURS: Final = 1.0
_ENDPOINTS: Final = 200
_SEEDS_MAX: Final = 10_000_000


@click.command(
    "simulate", short_help="a region in virtual time, with faults drawn from a seed; safety, then convergence"
)
@click.option("--seed", type=click.IntRange(0, 2**62), help="the first seed [default: drawn, and printed]")
@click.option("--seeds", type=click.IntRange(1, _SEEDS_MAX), default=1, show_default=True, help="how many, one by one")
@click.option("--hours", type=float, default=_HOURS, show_default=True, metavar="H", help="virtual hours with faults")
@click.option("--endpoints", type=int, default=_ENDPOINTS, show_default=True, metavar="N", help="in a region")
@click.option("--replay", "file", metavar="FILE", help="run the scenario of this file instead")
@click.option("--save", "folder", metavar="DIR", help="where a failure is saved [default: here]")
@click.option(
    "--shrink/--no-shrink", default=True, show_default=True, help="look for a smaller scenario that fails too"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")
@click.pass_context
def simulate_command(
    ctx: click.Context,
    seed: int | None,
    seeds: int,
    hours: float,
    endpoints: int,
    file: str | None,
    folder: str | None,
    shrink: bool,
    as_json: bool,
) -> None:
    """Run planners, enactors and cleaner, the very objects of production, in a region that exists in memory only.

    Faults are drawn from the seed: pauses, crashes, lost, late, repeated and overtaken messages, outages, stale
    readings, clocks, full disks, a lost store, people's hands, bad sources, dead load balancers. Every change is
    judged; then faults stop, and everything must stand as it should within a bound, and stay so. The same seed gives
    the same trace digest everywhere.

    Exit code: 0 nothing is wrong, 2 a property was broken (saved, with the command that replays it), 1 error
    or stopped.
    """
    target = Path(folder) if folder is not None else Path()
    if folder is not None:
        writable_folder(target)
    scenarios, seeds = _scenarios(file, seed, seeds, hours, endpoints)
    totals, failed, stopped = _Totals(), None, False
    with _progress(seeds, as_json) as advance:
        from standfast.sim.swarm.running import run

        for scenario in scenarios:
            number = len(totals.runs)
            try:
                done = run(scenario, partial(_part, advance, number))
            except KeyboardInterrupt:
                if not totals.runs:
                    raise
                stopped = True
                break
            totals.add(done)
            if not as_json and (seeds == 1 or done.broken is not None):
                _show(done)
            if done.broken is not None:
                failed = done
                break
    found = totals.found
    if not as_json and seeds > 1:
        _show_totals(found)
    if stopped:
        found |= {"ok": False, "stopped_before_seed": scenario.seed}
        left = seeds - len(totals.runs)
        say(f"Stopped; go on with --seed {scenario.seed} --seeds {left}.", err=True)
    if failed is not None:
        found |= _failure(failed, target, shrink and file is None, as_json)
    if as_json:
        click.echo(json.dumps(found))
    ctx.exit(EXIT_DIFFERS if failed is not None else EXIT_ERROR if stopped else EXIT_FINE)


def _scenarios(
    file: str | None, seed: int | None, seeds: int, hours: float, endpoints: int
) -> "tuple[Iterator[Scenario], int]":
    """What is run, and how many they are."""
    from standfast.sim.swarm.scenario import ENDPOINTS_MAX, HOURS_MAX, drawn, load

    if not 0.05 <= hours <= HOURS_MAX:
        raise click.UsageError(f"--hours {hours:g} is out of range: 0.05 to {HOURS_MAX:g}.")
    if not 2 <= endpoints <= ENDPOINTS_MAX:
        raise click.UsageError(f"--endpoints {endpoints} is out of range: 2 to {ENDPOINTS_MAX}.")
    if file is not None:
        if not Path(file).is_file():
            raise StandfastError(f"There is no file {file}.", "Name the .json that lies beside a failure's story.")
        return iter([load(Path(file))]), 1
    first = seed if seed is not None else secrets.randbelow(2**31)
    return (drawn(number, hours, endpoints) for number in range(first, first + seeds)), seeds


def _part(advance: Callable[[float], object], number: int, share: float) -> None:
    advance(number + share)


class _Totals:
    """What is reported of all runs together."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._fired: dict[str, int] = {}

    def add(self, done: "Run") -> None:
        """One more."""
        self.runs.append(done)
        for kind, count in done.fired.items():
            self._fired[kind] = self._fired.get(kind, 0) + count

    @property
    def found(self) -> dict[str, Any]:
        """As JSON."""
        runs, wall = self.runs, sum(one.wall_s for one in self.runs)
        virtual = sum(one.virtual_s for one in runs) / 3600.0
        return {
            "ok": all(one.broken is None for one in runs),
            "seeds": [one.scenario.seed for one in runs][:1000],
            "runs": len(runs),
            "digest": runs[-1].digest if len(runs) == 1 else "",
            "virtual_hours": round(virtual, 3),
            "wall_s": round(wall, 3),
            "events": sum(one.events for one in runs),
            "events_per_second": round(sum(one.events for one in runs) / wall) if wall else 0,
            "requests": sum(one.requests for one in runs),
            "changes_judged": sum(one.checked for one in runs),
            "plans": sum(one.plans for one in runs),
            "faults": sum(self._fired.values()),
            "faults_by_kind": dict(sorted(self._fired.items())),
            "converged_s_max": round(max(one.converged_s for one in runs), 3),
            "bound_s": max(one.bound_s for one in runs),
        }


@contextmanager
def _progress(seeds: int, as_json: bool) -> Iterator[Callable[[float], object]]:
    """A bar on a terminal, nothing elsewhere; it is told how many seeds are over, and what share of the next."""
    if as_json or not sys.stderr.isatty():
        yield lambda over: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(counted(seeds, "seed"), total=seeds)
        yield lambda over: progress.update(task, completed=over)


def _show(done: "Run") -> None:
    """One run, with its faults by kind."""
    scenario = done.scenario
    say(
        f"seed {scenario.seed}: {counted(scenario.endpoints, 'endpoint')} in {counted(scenario.zones, 'zone')}, "
        f"{counted(scenario.load_balancers, 'load balancer')}, {counted(scenario.enactors, 'enactor')}"
    )
    fired = {kind: count for kind, count in done.fired.items() if count}
    wide = max((len(kind) for kind in fired), default=0)
    for kind, count in fired.items():
        say(f"  {kind.ljust(wide)}  {count:>8,}")
    rate = done.events / done.wall_s if done.wall_s else 0.0
    say_all(
        f"{done.virtual_s / 3600:.1f} virtual hours in {seconds(done.wall_s)}: {done.events:,} events ({rate:,.0f} a "
        f"second), {done.requests:,} requests, {done.checked:,} changes judged, {done.plans:,} plans, "
        f"{sum(fired.values()):,} effects of {len(fired)} kinds of fault"
    )
    if done.broken is None:
        say(f"last change {seconds(done.converged_s)} after the last fault (bound {done.bound_s:,.0f} s), then silence")
    say(f"trace digest {done.digest}")


def _show_totals(found: dict[str, Any]) -> None:
    kinds = found["faults_by_kind"]
    wide = max(len(kind) for kind in kinds)
    for kind, count in kinds.items():
        say(f"  {kind.ljust(wide)}  {count:>10,}")
    say_all(
        f"{found['runs']:,} seeds from {found['seeds'][0]}: {found['virtual_hours']:,.1f} virtual hours in "
        f"{seconds(found['wall_s'])}, {found['events']:,} events ({found['events_per_second']:,} a second), "
        f"{found['changes_judged']:,} changes judged, {found['faults']:,} effects of "
        f"{sum(1 for count in kinds.values() if count)} kinds of fault"
    )
    say(f"slowest convergence {seconds(found['converged_s_max'])} (bound {found['bound_s']:,.0f} s)")


def _failure(failed: "Run", folder: Path, shrink: bool, as_json: bool) -> dict[str, Any]:
    """Shrink, save, tell."""
    from standfast.sim.story import story
    from standfast.sim.swarm.running import run
    from standfast.sim.swarm.scenario import save
    from standfast.sim.swarm.shrinking import shrunk
    from standfast.sim.swarm.telling import told

    broken = failed.broken
    if broken is None:
        raise AssertionError("a failure is reported where nothing failed")
    if not as_json:
        say()
        say(f"{paint('■ ' + broken.rule, 'bad')} {broken.what}, {broken.at:,.3f} s after the beginning")
    smallest = failed
    if shrink:
        if not as_json:
            say(f"Shrinking {counted(len(failed.scenario.faults), 'fault')} …")
        with suppress(KeyboardInterrupt):  # then it is saved as it was found
            smallest = run(shrunk(failed))
    seed = failed.scenario.seed
    file, tale = folder / f"simulate-{seed}.json", folder / f"simulate-{seed}.story.json"
    command = f"standfast simulate --replay {file}"
    save(smallest.scenario, file)
    story.save(told(smallest, command), tale)
    if not as_json:
        faults = [f"{fault.at:10,.1f} s  {fault.kind} {fault.target}" for fault in smallest.scenario.faults]
        say(f"It takes {counted(len(faults), 'fault')}:")
        for line in faults[:20]:
            say(f"  {line}")
        say(f"Again:  {command}")
        say(f"Step by step:  standfast replay {tale}")
    return {
        "broken": {"property": broken.rule, "what": broken.what, "at_s": broken.at, "endpoint": broken.endpoint},
        "faults_needed": len(smallest.scenario.faults),
        "scenario": str(file),
        "story": str(tale),
        "replay": command,
    }
