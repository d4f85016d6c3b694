"""What can be explored: a system as a product of components, and rules that read and write a few of them.

A state has one value a *place*. A value is any hashable object; what it holds of *symbols* (nonces: compared for
equality, never ordered, never guessed) is told by the system. Two states that differ in nothing but the names of their
symbols have the same futures, so a search numbers symbols in the order in which they appear and keeps one of each.

Locality is what makes the search quick and a second tool possible: a rule is fired once for each distinct
combination of the values it reads, up to the names of symbols; everything else is looking up integers.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

Value: TypeAlias = Hashable
Symbol: TypeAlias = str

FRESH: Final[Symbol] = "f" * 16
"""In the values of an outcome: a symbol that never existed before. The search gives it a name."""


class Step(Struct, frozen=True):
    """Who did what, for people: `actor` is a lane of the story, `text` one short clause in the present tense.

    `refused` says which precondition failed if a provider or store refused (expected and found); empty otherwise.
    """

    actor: str
    text: str
    refused: str = ""


class Outcome(Struct, frozen=True):
    """One thing that a rule may do: the new values of the places it writes, in that order.

    `violation` names a property that this very step breaks, `property: what happened` ("G2: www went from since 3 to
    2"); empty: none.
    """

    step: Step
    values: tuple[Value, ...]
    violation: str = ""


class Rule(Protocol):
    """Something that may happen at any time. `fire` is pure; no outcome means that it can't happen now.

    A rule may have an attribute `private = True`: it reads and writes one and the same place, and nobody can tell
    whether it has happened yet. It is then taken at once with the step before it (fusion), and the search checks the
    claim. Rules of interchangeable places that have one name and correspond place by place are asked only once for
    all, so they must be the same rule; several rules of one name at the very same places are told apart.
    """

    @property
    def name(self) -> str:
        """For statistics: how often each rule fired. The same name for the same rule of interchangeable actors."""

    @property
    def reads(self) -> tuple[int, ...]:
        """The places whose values `fire` is given, in this order."""

    @property
    def writes(self) -> tuple[int, ...]:
        """The places whose new values outcomes carry."""

    def fire(self, *values: Value) -> Iterable[Outcome]:
        """Everything that may happen here, given the values at `reads`."""


class Property(Protocol):
    """Something that must hold in every state."""

    @property
    def name(self) -> str:
        """G1, G4, …"""

    @property
    def reads(self) -> tuple[int, ...]:
        """The places it looks at."""

    def broken(self, *values: Value) -> str:
        """Why it does not hold, for people; empty if it holds. Pure."""


class System(Protocol):
    """All that a search needs to know."""

    @property
    def title(self) -> str:
        """One line: what is explored, with its bounds."""

    @property
    def places(self) -> tuple[str, ...]:
        """The name of each place: zone, store, enactor-a, …"""

    @property
    def start(self) -> tuple[Value, ...]:
        """The one initial state."""

    @property
    def rules(self) -> Sequence[Rule]:
        """All that may happen."""

    @property
    def properties(self) -> Sequence[Property]:
        """All that must hold in every state."""

    @property
    def interchangeable(self) -> tuple[tuple[int, ...], ...]:
        """Groups of places whose values may be exchanged without changing what can happen (symmetry reduction)."""

    def symbols(self, value: Value) -> tuple[Symbol, ...]:
        """The distinct symbols in a value, in the order of their first appearance; equal values, equal order."""

    def renamed(self, value: Value, names: Mapping[Symbol, Symbol]) -> Value:
        """The value with symbols exchanged, all at once; symbols not named stay."""


class Finding(Struct, frozen=True):
    """A broken property and the shortest way to it: `states[0]` is the start, `steps[k]` leads to `states[k + 1]`.

    States hold plain values, with one consistent naming of symbols along the whole trace.
    """

    property: str
    what: str
    steps: tuple[Step, ...]
    states: tuple[tuple[Value, ...], ...]


class Bounds(Struct, frozen=True):
    """How far a search got. `complete`: every reachable state was seen."""

    states: int
    transitions: int
    depth: int
    seconds: float
    memory_octets: int
    """The most that the process has used so far, whatever for."""
    complete: bool
    fired: Mapping[str, int]
    """Transitions by the rule's name."""
    terminal: int = 0
    """States in which nothing can happen any more. No error by itself."""
    omission: float = 0.0
    """At most how probable it is that a state was taken for another one: zero unless only fingerprints were kept."""


class Progress(Struct, frozen=True):
    """Where a search is: `frontier` counts the states found and not yet looked at."""

    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float


class Result(Struct, frozen=True):
    """What a search found: for each broken property the first, hence shortest, counterexample."""

    bounds: Bounds
    findings: tuple[Finding, ...]
