"""Put mutants before their judges: a copy of the package each, edited, and a process of its own for each judge."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

import standfast

from .judging import Order
from .kits import TESTS, repository, tested
from .mutant import Judge, Mutant, apply
from .runs import named
from .verdict import Verdict

Fate: TypeAlias = Literal["killed", "equivalent", "survived", "no verdict", "fine"]
SEEDS: Final = 20
SECONDS: Final = 600.0
"""What bounds a judge is states and seeds; a slow machine must not change a verdict. This is for what never ends."""
_START_SECONDS: Final = 60.0
"""What a judge may take beyond its time before it is ended: it imports, and finishes a seed."""


PACKAGE: Final = Path(standfast.__file__).parent
CONTROL: Final = "nothing mutated"
BY_HAND: Final[tuple[Judge, ...]] = ("schedules", "planning", "checks", "watch", "trees")
_CONTROL: Final = Mutant(
    name=CONTROL,
    file="__init__.py",
    old="__version__",
    new="__version__",
    rule="control: who finds fault with the code as it is, is no judge of mutants",
    expected=(),
)


class Limits(Struct, frozen=True):
    """How many seeds are simulated for a mutant, and after how many seconds a judge is ended without a verdict."""

    seconds: float = SECONDS
    seeds: int = SEEDS


class Report(Struct, frozen=True):
    """What became of a mutant."""

    name: str
    rule: str
    marked: bool
    fate: Fate
    verdicts: tuple[Verdict, ...]
    equivalent: str = ""

    @property
    def killers(self) -> tuple[Verdict, ...]:
        """The judges that noticed."""
        return tuple(one for one in self.verdicts if one.killed_by)

    def killed_by(self, judge: Judge) -> bool:
        """Whether this judge noticed by itself."""
        return any(one.judge == judge for one in self.killers)


def try_all(
    mutants: tuple[Mutant, ...],
    *,
    jobs: int = 1,
    limits: Limits | None = None,
    told: Callable[[Report], None] | None = None,
) -> tuple[Report, ...]:
    """Every mutant before all its judges. `told` hears of each as it is done.

    First of all the code as it is goes before the same judges: one who finds fault with that is no judge. All copies
    are made of one, so that whoever works on the code meanwhile changes no verdict.
    """
    with tempfile.TemporaryDirectory(prefix="standfast-mutants-") as scratch, ThreadPoolExecutor(max(jobs, 1)) as pool:
        original = Path(scratch) / "standfast"
        shutil.copytree(PACKAGE, original)

        def one(mutant: Mutant) -> Report:
            report = try_one(mutant, limits or Limits(), original)
            if told is not None:
                told(report)
            return report

        return tuple(pool.map(one, (*_controls(mutants), *mutants)))


def _controls(mutants: tuple[Mutant, ...]) -> tuple[Mutant, ...]:
    """The code as it is, once for each judge that will be asked, with all the runs that will be searched."""
    judges = dict.fromkeys(judge for mutant in mutants for judge in mutant.judges)
    runs = tuple(dict.fromkeys(scope.run.name for mutant in mutants for scope in named(mutant.runs)))
    return tuple(replace(_CONTROL, name=f"{CONTROL} ({judge})", judges=(judge,), runs=runs) for judge in judges)


def try_one(mutant: Mutant, limits: Limits, original: Path = PACKAGE) -> Report:
    """One mutant (of the `original` package) before its judges.

    Tests by hand are asked last, and only if nobody else noticed.
    """
    with mutated_copy(mutant, original) as package:
        verdicts: list[Verdict] = []
        for judge in sorted(mutant.judges, key=lambda one: one in BY_HAND):
            if judge in BY_HAND and any(one.killed_by for one in verdicts):
                continue
            verdicts.append(_judge(mutant, judge, package, limits))
    return Report(mutant.name, mutant.rule, mutant.marked, _fate(mutant, verdicts), tuple(verdicts), mutant.equivalent)


@contextmanager
def mutated_copy(mutant: Mutant, original: Path = PACKAGE) -> Iterator[Path]:
    """The package in a directory of its own, with the edit made. Raises EditError."""
    with tempfile.TemporaryDirectory(prefix="standfast-mutant-") as scratch:
        package = Path(scratch) / "standfast"
        shutil.copytree(original, package)
        apply(mutant, package)
        yield package


def _fate(mutant: Mutant, verdicts: list[Verdict]) -> Fate:
    if any(one.killed_by for one in verdicts):
        return "killed"
    if mutant.name.startswith(CONTROL) and not any(one.trouble for one in verdicts):
        return "fine"
    if any(one.trouble for one in verdicts):
        return "no verdict"
    searched = [run for one in verdicts for run in one.searched]
    proved = bool(searched) and all(run.complete for run in searched)
    return "equivalent" if mutant.equivalent and proved else "survived"


def _judge(mutant: Mutant, judge: Judge, package: Path, limits: Limits) -> Verdict:
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    if judge in TESTS:
        if wrong := _imported_otherwise(package, environment):
            return Verdict(judge, trouble=wrong)
        return tested(judge, package, environment, limits.seconds)
    seconds = limits.seconds
    order = Order(str(package), judge, mutant.runs, limits.seeds, seconds, bool(mutant.equivalent))
    command = [sys.executable, "-m", "standfast.sim.mutants.judging", msgspec.json.encode(order).decode()]
    try:
        process = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds + _START_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Verdict(judge, trouble=f"no verdict within {seconds + _START_SECONDS:g} s")
    if process.returncode != 0:
        return Verdict(judge, trouble=(process.stderr.strip().splitlines() or ["it died without a word"])[-1][:300])
    return msgspec.json.decode(process.stdout.splitlines()[-1], type=Verdict)


def _imported_otherwise(package: Path, environment: dict[str, str]) -> str:
    """Whether the tests would judge another package than the copy: then their verdict is worth nothing."""
    command = [sys.executable, "-c", "import standfast; print(standfast.__file__)"]
    found = subprocess.run(command, cwd=repository(), env=environment, capture_output=True, text=True, timeout=60)
    imported = Path(found.stdout.strip() or "nothing")
    return "" if imported.parent == package else f"{imported} would be judged instead of the copy"
