"""`python -m bench`: the comparisons that the README claims, as ratios in one run."""

import platform
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bench.failover import Failover, failover
from bench.idle import idle_pass
from bench.propagation import Row, changes, first_publication


@click.command()
@click.option("--server", "servers", multiple=True, type=click.Choice(["bind", "knot"]), help="[default: both]")
@click.option("--endpoints", default=10_000, show_default=True)
@click.option("--pairs", default=20, show_default=True, help="alternating pairs of one-endpoint and 1 % changes")
@click.option("--first-pairs", default=20, show_default=True, help="alternating pairs of first publications")
@click.option("--enactors", "counts", multiple=True, type=int, help="[default: 1 and 3]")
@click.option(
    "--kills", default=40, show_default=True, help="load balancers killed for the failover figure; 0 leaves it out"
)
@click.option("--verbose", is_flag=True, help="every pair as it is measured")
def bench(
    servers: tuple[str, ...],
    endpoints: int,
    pairs: int,
    first_pairs: int,
    counts: tuple[int, ...],
    kills: int,
    verbose: bool,
) -> None:
    """Measure; print ratios. Exit 1 if a goal is missed."""
    err = Console(stderr=True)
    tell = (lambda text: err.print(text)) if verbose else (lambda text: None)
    rows: list[Row] = []
    felt: list[Failover] = []
    with tempfile.TemporaryDirectory(prefix="standfast-bench-") as scratch:
        for kind in servers or ("bind", "knot"):
            for count in counts or (1, 3):
                folder = Path(scratch) / f"{kind}-{count}"
                if pairs:
                    rows += changes(kind, folder / "changes", endpoints, count, pairs, tell)
                if first_pairs:
                    rows.append(first_publication(kind, folder / "first", endpoints, count, first_pairs, tell))
            if kills:
                felt.append(failover(kind, Path(scratch) / f"{kind}-failover", kills, tell))
    _show(rows, felt, endpoints)
    sys.exit(0 if all(row.met for row in rows) else 1)


def _show(rows: list[Row], felt: list[Failover], endpoints: int) -> None:
    console = Console(width=None if sys.stdout.isatty() else 130)
    table = Table(title=f"{endpoints} endpoints of 8 addresses; medians; Python {platform.python_version()}")
    for title in (
        "operation",
        "server",
        "enactors",
        "pairs",
        "ours",
        "ours p90",
        "peer",
        "theirs",
        "ratio",
        "goal",
        "",
    ):
        table.add_column(title, justify="left" if title in ("operation", "server", "peer", "") else "right")
    for row in rows:
        table.add_row(
            row.operation,
            row.server,
            str(row.enactors),
            str(row.pairs),
            f"{row.ours_s * 1e3:.1f} ms",
            f"{row.ours_p90_s * 1e3:.1f} ms",
            row.peer,
            f"{row.theirs_s * 1e3:.1f} ms",
            f"{row.ratio:.2f}",
            f"≤ {row.goal:g}",
            "✓ met" if row.met else "✗ missed",
        )
    console.print(table)
    for size in (10, 1000):
        idle = idle_pass(size)
        console.print(f"idle pass at {size} endpoints: {', '.join(f'{n} × {name}' for name, n in idle.requests)}")
    for one in felt:
        console.print(
            f"{one.server}: connection refused → answer without it: p50 {one.p50_s:.3f} s, p99 {one.p99_s:.3f} s "
            f"({one.kills} kills; the checks themselves wait up to {one.waited_s:g} s)"
        )


if __name__ == "__main__":
    bench()
