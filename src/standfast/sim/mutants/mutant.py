"""A mutant: one small named edit of one production file, the rule it breaks, and who is expected to notice."""

from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from standfast.errors import StandfastError

Judge: TypeAlias = Literal[
    "search", "simulation", "schedules", "planning", "conformance", "checks", "watch", "trees", "s3", "postgresql"
]
"""search: every interleaving of small runs. simulation: regions in virtual time, seed after seed. schedules: the
shortest ways in which a rule goes wrong, by hand. planning: the tests of planner and health. checks: those of a
provider's own health checks. watch: those of finding damage that nobody tells of. trees: those of trees that nothing
needs. conformance: the kit that every store or provider must pass. s3, postgresql: the same kit and the faults of that
store, on a server of the tests' own."""


class Mutant(Struct, frozen=True, kw_only=True):
    """`old` occurs exactly once in `file` (relative to the package) and `new` is put in its place.

    `rule` says in the design's words what is broken; `expected` are the properties that may notice: guarantees (G2),
    or the kit's (store, provider). `runs` are the searches to be made, the cheapest first; none: those of everybody.
    `equivalent` says why nothing can notice, in which case the searches must be complete and find nothing.
    """

    name: str
    file: str
    old: str
    new: str
    rule: str
    expected: tuple[str, ...]
    judges: tuple[Judge, ...] = ("search", "simulation", "schedules")
    runs: tuple[str, ...] = ()
    equivalent: str = ""
    marked: bool = False
    """Whether it stands for one of the rules that the design marks ◆."""


class EditError(StandfastError):
    """An edit does not fit its file any more."""


def mutated(mutant: Mutant, text: str) -> str:
    """The file's text with the edit made. Raises EditError if the old text does not occur exactly once."""
    if (count := text.count(mutant.old)) != 1:
        raise EditError(
            f"mutant {mutant.name}: its old text occurs {count} times in {mutant.file}.",
            "Bring the edit in `sim/mutants/` up to date with the file.",
        )
    return text.replace(mutant.old, mutant.new)


def apply(mutant: Mutant, package: Path) -> None:
    """Make the edit in a copy of the package. Raises EditError, OSError."""
    path = package / mutant.file
    path.write_text(mutated(mutant, path.read_text(encoding="utf-8")), encoding="utf-8")
