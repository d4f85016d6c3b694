"""The same search, compiled: tables grow by asking the system, everything else is machine code on packed rows.

Needs numba and numpy (`pip install 'standfast[verify]'`). States, transitions, depth and the lengths of
counterexamples are those of `explore`; which of several shortest counterexamples is shown may differ.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from standfast.errors import StandfastError

from .canonical import FULL, Reductions
from .product import Progress, Result, System

if TYPE_CHECKING:
    from .compiled_search import CompiledSearch


def explore_compiled(
    system: System,
    *,
    states_max: int,
    seconds_max: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    until: Callable[[str], bool] | None = None,
    reductions: Reductions = FULL,
    exact: bool = True,
) -> Result:
    """As `explore`. With `exact` false, states seen are kept as fingerprints of 64 bits only.

    Fingerprints take 10 to 20 octets for each of `states_max`, at once; then there are 6 a state and the rows of two
    levels. `bounds.omission` is at most the probability that any state was missed: each comparison with another state's
    fingerprint errs in one of 2⁶⁴ cases, as far as the hash is as good as a random one.
    Raises StandfastError if numba is missing, or if symbols are not to be numbered: that is for `explore` only.
    """
    return compiled_search(system, reductions, states_max=states_max, exact=exact).run(seconds_max, progress, until)


def compiled_search(
    system: System, reductions: Reductions = FULL, *, states_max: int, exact: bool = True
) -> "CompiledSearch":
    """The search itself, not run yet, for those who want to look into it. Raises StandfastError as above."""
    if not reductions.numbering:
        raise StandfastError(
            "The compiled search always numbers symbols.", "Search in Python to leave them as they are."
        )
    try:
        from .compiled_search import CompiledSearch
    except ImportError as error:
        raise StandfastError(
            f"The compiled search needs numba and numpy ({error}).",
            "Install them: pip install 'standfast[verify]'. Or search without: --engine python.",
        ) from None
    return CompiledSearch(system, reductions, states_max=states_max, exact=exact)
