"""`python -m bench.leases`: a whole fleet comes back to its registry, at once, beside what a naive retry loop does.

The real registry in a process of its own, over loopback HTTP, with its plan store on disk; holders in processes of
their own, each with its own state, over real kept-alive connections. First the capacity is measured: leases granted
a second with a steady number of requests under way. Then everybody comes within a second. Wanted: all hold a lease
within 1.2 × holders ÷ capacity, and at no time fewer than 80 % of the capacity are granted. Then the same with
holders that try again at once and a registry that takes whatever comes: it is given twice as long.

Processes share the machine with each other, and with whatever else runs: `chrt -r 5` keeps that away, and a TMPDIR in
memory keeps other writers' disk away.
"""

import json
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct
from rich.console import Console
from rich.table import Table

RECOVERY_MOST: Final = 1.2
GOODPUT_LEAST: Final = 0.8
PROCESSES: Final = 2
WINDOW_S: Final = 5.0
STEADY: Final = 2000
"""Requests under way while the capacity is measured: enough that a batch is always filling."""


class Storm(Struct, frozen=True):
    """What became of one storm: `tenths` are leases granted in each tenth of a second since it began."""

    holders: int
    tries: int
    refusals: int
    timeouts: int
    left: int
    tenths: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """Until the last one."""
        return len(self.tenths) / 10

    def rates(self, window_s: float = WINDOW_S) -> list[float]:
        """Granted a second, in windows that begin every half second while somebody is left for the whole window."""
        size = round(window_s * 10)
        last = max(1, len(self.tenths) - size)
        return [sum(self.tenths[at : at + size]) / window_s for at in range(0, last, 5)]


@contextmanager
def registry(folder: Path, *, naive: bool, within: float = 2.0) -> Iterator[tuple[int, str]]:
    """A registry at work; its port and a key."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    key = secrets.token_hex(24)
    (folder / "agents.key").write_text(key)
    (folder / "agents.key").chmod(0o600)
    (folder / "standfast.yaml").write_text(
        "zone: {name: lb.example.com, provider: embedded}\nhealth: none\nload_balancers: {from: leases}\n"
        "endpoints: {www: {}}\n"
        f'registry: {{listen: "127.0.0.1:{port}", keys: {{agents: file:agents.key}}, term: 1h, '
        f"answer_within: {within:g}s, limit: 1000000}}\n"
    )
    command = [sys.executable, "-m", "bench.lease_registry", str(folder / "standfast.yaml")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, *(["--naive"] if naive else [])], stdout=log, stderr=log)
        try:
            end = time.monotonic() + 20
            while not (folder / "standfast.state/presence/registry-bench.json").exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise click.ClickException((folder / "log").read_text())
                time.sleep(0.05)
            time.sleep(1.0)
            yield port, key
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def storm(
    port: int,
    key: str,
    holders: int,
    connections: int,
    *,
    prefix: str,
    first: int,
    naive: bool = False,
    most: float = 600.0,
    timeout: float = 5.0,
    processes: int = PROCESSES,
) -> Storm:
    """Everybody comes; from `processes` processes that begin at the same moment."""
    at = time.time() + 2.0 + connections / 4000
    running = []
    for number in range(processes):
        share = holders // processes + (number < holders % processes)
        options = {
            "holders": share, "connections": connections // processes, "timeout": timeout, "most": most, "at": at,
            "seed": number + 1, "port": port, "key": key, "prefix": f"{prefix}{number}-", "first": first,
        }  # fmt: skip
        first += share
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-m", "bench.lease_holders", *words, *(["--naive"] if naive else [])]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE))
    said: list[dict[str, Any]] = [json.loads(one.communicate()[0]) for one in running]
    tenths = [0] * max(len(one["tenths"]) for one in said)
    for one in said:
        for place, count in enumerate(one["tenths"]):
            tenths[place] += count
    sums = {name: sum(one[name] for one in said) for name in ("tries", "refusals", "timeouts", "left")}
    return Storm(holders, tenths=tuple(tenths), **sums)


def measure(
    folder: Path, holders: int, connections: int, *, naive: bool, most: float, timeout: float
) -> tuple[float, Storm]:
    """(capacity in leases a second, the storm)."""
    with registry(folder, naive=naive, within=timeout / 2.5) as (port, key):
        warm = max(1000, holders // 5)
        steady = storm(port, key, warm, STEADY, prefix="warm", first=5_000_000, timeout=30.0)
        rates = sorted(steady.rates(min(2.0, max(0.5, steady.seconds / 4))))
        capacity = rates[len(rates) // 2]
        return capacity, storm(
            port, key, holders, connections, prefix="h", first=0, naive=naive, most=most, timeout=timeout
        )


@click.command()
@click.option("--holders", default=100_000, show_default=True)
@click.option("--connections", default=8000, show_default=True, help="at most so many requests under way")
@click.option("--timeout", default=5.0, show_default=True, help="seconds; a registry admits for two fifths of it")
@click.option("--naive/--no-naive", default=True, show_default=True)
def bench(holders: int, connections: int, timeout: float, naive: bool) -> None:
    """Measure. Exit 1 if recovery takes too long or goodput falls."""
    console = Console(width=None if sys.stdout.isatty() else 130)
    table = Table(
        title=f"{holders} holders come back within a second, {connections} connections, time-out {timeout:g} s"
    )
    titles = (
        "what",
        "capacity",
        "holders ÷ capacity",
        "all back",
        "×",
        "least goodput",
        "of capacity",
        "tries",
        "timed out",
    )
    for title in titles:
        table.add_column(title, justify="left" if title == "what" else "right")
    found = []
    with tempfile.TemporaryDirectory(prefix="standfast-bench-") as scratch:
        capacity, admitted = measure(
            Path(scratch) / "real", holders, connections, naive=False, most=600.0, timeout=timeout
        )
        table.add_row(*_row("admission", capacity, admitted))
        times, least = admitted.seconds / (holders / capacity), min(admitted.rates()) / capacity
        if admitted.left or times > RECOVERY_MOST:
            found.append(f"recovery took {times:.2f} × backlog ÷ capacity, {admitted.left} were left out")
        if least < GOODPUT_LEAST:
            found.append(f"goodput fell to {least:.0%} of capacity")
        if naive:
            capacity, collapsed = measure(
                Path(scratch) / "naive", holders, connections, naive=True, most=2 * admitted.seconds, timeout=timeout
            )
            table.add_row(*_row("naive", capacity, collapsed))
    console.print(table)
    for text in found:
        console.print(f"✗ {text}")
    if not found:
        console.print(f"✓ within {RECOVERY_MOST} × backlog ÷ capacity, never under {GOODPUT_LEAST:.0%} of it")
    sys.exit(1 if found else 0)


def _row(what: str, capacity: float, one: Storm) -> list[str]:
    least = min(one.rates()) if one.tenths else 0.0
    ideal = one.holders / capacity
    back = f"{one.seconds:.1f} s" if not one.left else f"{one.left} never"
    times = f"{one.seconds / ideal:.2f}" if not one.left else ""
    return [
        what, f"{capacity:.0f}/s", f"{ideal:.1f} s", back, times, f"{least:.0f}/s", f"{least / capacity:.0%}",
        f"{one.tries}", f"{one.timeouts}",
    ]  # fmt: skip


if __name__ == "__main__":
    bench()
