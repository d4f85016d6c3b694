"""All mutants, and those that stand for them where time is short."""

from typing import Final

from standfast.errors import StandfastError

from .checks import CHECKS
from .coming_back import COMING_BACK
from .contracts import CONTRACTS
from .floors import FLOORS
from .health import HEALTH
from .mutant import Judge, Mutant
from .operators import OPERATORS
from .orphans import ORPHANS
from .planning import PLANNING
from .protocol import PROTOCOL
from .stores import STORES
from .trees import TREES
from .watching import WATCHING

CATALOGUE: Final[tuple[Mutant, ...]] = (
    *(*PROTOCOL, *FLOORS, *OPERATORS, *PLANNING),
    *(*HEALTH, *COMING_BACK, *CHECKS, *CONTRACTS, *STORES, *TREES, *WATCHING, *ORPHANS),
)

SUBSET: Final[tuple[tuple[str, Judge], ...]] = (
    ("no endpoint prerequisite", "search"),
    ("since compared off by one", "search"),
    ("a missing marker is permission", "search"),
    ("a lost floor rebuilt at one's own generation", "search"),
    ("a refill leaves a marker", "search"),
    ("a CNAME is left beside", "search"),
    ("no answer is taken for written", "search"),
    ("no answer is taken for written", "simulation"),
    ("garbage blocks", "search"),
    ("garbage blocks", "simulation"),
    ("no repair", "simulation"),
    ("a flip asserts nothing of its tree", "search"),
    ("trees are judged by the plan's generation", "search"),
    ("a collection does not assert root", "search"),
    ("without a marker every tree is unclaimed", "search"),
    ("store collects the head", "conformance"),
)
"""Of each kind of rule one, with the judge that notices it within seconds: for continuous integration."""


class NoSuchMutant(StandfastError):
    """A name that is not in the catalogue."""


def named(name: str) -> Mutant:
    """The mutant of that name. Raises NoSuchMutant."""
    found = next((one for one in CATALOGUE if one.name == name), None)
    if found is None:
        raise NoSuchMutant(f"There is no mutant {name!r}.", "`--list` shows their names.")
    return found
