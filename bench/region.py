"""`python -m bench.region`: the day of a region with a million droplets and 200,000 records: time and memory.

Each row is a process of its own, so that memory is its own. Seconds are of processor time and of the clock; a row that
takes five minutes or more of the clock, or has another digest when it is run again with the same seed, fails.
"""

import json
import resource
import subprocess
import sys
import time
from typing import Final

import click
from msgspec.structs import replace

from standfast.sim.region.engine import BEGINS_S, run
from standfast.sim.region.parameters import DEFAULTS
from standfast.sim.region.protections import chosen
from standfast.sim.region.published import DAY_ENDS_S

DROPLETS: Final = 1_000_000
BALANCERS: Final = 3_900
"""In each plan: with two endpoints and the generations that clean-up keeps that makes 200,000 records as built."""
ENDPOINTS: Final = 25_000
"""Under production's own planner, enactors and cleaner: with eight addresses each that makes 200,000 records."""
ROWS: Final = ("", "recovery", "dns,recovery")
LIMIT_S: Final = 300.0


def measured(names: str) -> dict[str, object]:
    """One day in this process."""
    began, spent = time.perf_counter(), time.process_time()
    parameters = replace(DEFAULTS, droplets=DROPLETS, balancers=BALANCERS, endpoints=ENDPOINTS)
    day = run(parameters, protections=chosen(name for name in names.split(",") if name))
    return {
        "protections": names or "as built",
        "virtual_h": (DAY_ENDS_S - BEGINS_S) / 3600.0,
        "wall_s": time.perf_counter() - began,
        "cpu_s": time.process_time() - spent,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "records": max(value for _, value in day.series["dynamodb.records"]),
        "digest": day.digest,
    }


def in_a_process(names: str) -> dict[str, object]:
    """The same elsewhere."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.region", "--row", names], capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


@click.command()
@click.option("--row", hidden=True)
def bench(row: str | None) -> None:
    """Measure; print a table. Exit 1 if a row is too slow, or not the same twice."""
    if row is not None:
        click.echo(json.dumps(measured(row)))
        return
    failed = False
    click.echo("| protections | virtual hours | seconds | of processor | MiB | records |\n|---|--:|--:|--:|--:|--:|")
    for names in ROWS:
        first, again = in_a_process(names), in_a_process(names)
        failed |= first["digest"] != again["digest"] or float(str(first["wall_s"])) >= LIMIT_S
        click.echo(
            f"| {first['protections']} | {first['virtual_h']:.1f} | {first['wall_s']:.0f} | {first['cpu_s']:.0f} | "
            f"{first['mib']:.0f} | {first['records']:,.0f} |"
        )
    sys.exit(int(failed))


if __name__ == "__main__":
    bench()
