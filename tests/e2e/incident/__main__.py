"""October 2025 staged with real processes, twice: as built, and with Standfast. `make incident` runs this.

Exit code 0 only if the endpoint was emptied and wedged as built, and neither with Standfast; 2 if it went otherwise; 1
if a run could not be staged.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from rich.console import Console

from e2e.incident import asbuilt, production
from e2e.incident.account import Staged
from e2e.incident.telling import SIDES, Teller

GENERATIONS = 35


def staged(
    folder: Path, generations: int, teller: Teller, afterwards: int = production.AFTERWARDS
) -> tuple[Staged, Staged]:
    """Both runs at once. Raises AssertionError if one could not be staged."""
    left, right = (teller.voice(side) for side in SIDES)
    with ThreadPoolExecutor(2) as pool:
        built = pool.submit(asbuilt.as_built, folder / "as-built", generations, left)
        ours = pool.submit(production.production, folder / "standfast", generations, right, afterwards)
        return built.result(), ours.result()


def is_as_told(left: Staged, right: Staged) -> bool:
    """Emptied and wedged as built, and neither with Standfast."""
    return left.emptied and left.wedged and not right.emptied and not right.wedged


def main(arguments: list[str] | None = None) -> int:
    """Stage it, tell it."""
    parser = argparse.ArgumentParser(prog="make incident", description=__doc__)
    parser.add_argument("--generations", type=int, default=GENERATIONS, help="plans that pass while C's write waits")
    parser.add_argument("--json", action="store_true", help="both runs as JSON, in place of the timelines")
    given = parser.parse_args(arguments)
    if given.generations < production.LEAST:
        parser.error(f"--generations {given.generations}: take at least {production.LEAST}.")
    console = Console(quiet=given.json, highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="standfast-incident-"))
    teller = Teller(console, (asbuilt.TITLE, production.TITLE), (production.NAME, production.NAME))
    teller.begin()
    try:
        with teller.shown():
            left, right = staged(folder, given.generations, teller)
    except AssertionError as wrong:
        sys.stderr.write(f"The incident could not be staged: {wrong}\nLogs and journals are in {folder}.\n")
        return 1
    teller.end(left, right, told=is_as_told(left, right))
    if given.json:
        sys.stdout.write(msgspec.json.encode({"as_built": left, "standfast": right}).decode() + "\n")
    if is_as_told(left, right):
        shutil.rmtree(folder)
        return 0
    sys.stderr.write(f"It went otherwise than told. Logs and journals are in {folder}.\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
