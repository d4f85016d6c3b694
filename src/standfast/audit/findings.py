"""What an audit finds: violations with both sides of the contradiction, and what could not be told, with the reason."""

from collections import Counter
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from .lines import Place

Guarantee: TypeAlias = Literal["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G10"]
Verdict: TypeAlias = Literal["holds", "violated", "cannot tell"]
PROMISES: Final[dict[Guarantee, tuple[str, str]]] = {
    "G1": ("never empty", "payloads"),
    "G2": ("never backwards", "steps from marker to marker or floor to floor"),
    "G3": ("never dangling", "collected plans"),
    "G4": ("always repairable", "writes as planned, and endpoints at their newest plan"),
    "G5": ("one generation per answer", "contents"),
    "G6": ("unknown is not empty", "plans and readings"),
    "G7": ("bounded change", "departures"),
    "G8": ("degrade to frozen", "writes that obey markers and floors"),
    "G10": ("accountable", "outcomes"),
}
VIOLATIONS_MAX: Final = 200
"""So many of a guarantee are kept; all are counted."""


class Violation(Struct, frozen=True):
    """A guarantee that was broken: what, where (the sides of the contradiction), and what to do."""

    guarantee: Guarantee
    text: str
    places: tuple[Place, ...]
    remedy: str


class Doubt(Struct, frozen=True):
    """Something that could not be told, how often, and where first."""

    guarantee: Guarantee
    why: str
    count: int
    place: Place | None


class Judged(Struct, frozen=True):
    """The verdict on one guarantee: it holds only if something was checked and nothing is in doubt."""

    guarantee: Guarantee
    verdict: Verdict
    checked: int
    violations: int
    doubts: tuple[Doubt, ...]


class Findings:
    """Collects what is found."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self._counts: Counter[Guarantee] = Counter()
        self._checked: Counter[Guarantee] = Counter()
        self._doubts: dict[tuple[Guarantee, str], tuple[int, Place | None]] = {}

    def checked(self, guarantee: Guarantee, count: int = 1) -> None:
        """So many things were checked."""
        self._checked[guarantee] += count

    def violated(self, guarantee: Guarantee, text: str, *places: Place, remedy: str) -> None:
        """A guarantee was broken."""
        self._counts[guarantee] += 1
        if self._counts[guarantee] <= VIOLATIONS_MAX:
            self.violations.append(Violation(guarantee, text, places, remedy))

    def doubted(self, guarantee: Guarantee, why: str, place: Place | None = None) -> None:
        """Something can't be told; the same reason is counted."""
        count, first = self._doubts.get((guarantee, why), (0, place))
        self._doubts[guarantee, why] = (count + 1, first)

    def judged(self) -> tuple[Judged, ...]:
        """The verdicts, in the order of the guarantees."""
        found = []
        for guarantee in PROMISES:
            doubts = tuple(
                Doubt(guarantee, why, count, place)
                for (which, why), (count, place) in self._doubts.items()
                if which == guarantee
            )
            broken, checked = self._counts[guarantee], self._checked[guarantee]
            verdict: Verdict = "violated" if broken else "cannot tell" if doubts or not checked else "holds"
            found.append(Judged(guarantee, verdict, checked, broken, doubts))
        return tuple(found)
