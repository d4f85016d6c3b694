"""What a judge said of one mutant."""

from msgspec import Struct

from .mutant import Judge


class Searched(Struct, frozen=True):
    """One run of the search: how many states it has, and whether all were seen."""

    run: str
    states: int
    transitions: int
    complete: bool


class Verdict(Struct, frozen=True):
    """`killed_by` is a property and what happened ("G2: www went from since 3 to 2"), empty if nothing was noticed.

    `after` is how many states, seeds or tests it took, `where` the run, the seed or the test. `steps` is the length of
    the counterexample. `trouble` says that the judge came to no verdict: a crash, a traceback, a time-out. That is
    never a kill.
    """

    judge: Judge
    killed_by: str = ""
    after: int = 0
    where: str = ""
    steps: int = 0
    seconds: float = 0.0
    searched: tuple[Searched, ...] = ()
    trouble: str = ""

    @property
    def property(self) -> str:
        """The name of the property alone."""
        return self.killed_by.partition(":")[0]
