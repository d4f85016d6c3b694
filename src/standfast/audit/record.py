"""What the journals say happened: changes, their endpoints, plans, collections.

What is kept is a few small values for each write of an endpoint and for each line about plans, at most 2 kB a write: a
million lines (half a million changes of one endpoint each) take 0.8 GB. The lines themselves are not kept.
"""

from typing import Final, TypeAlias

from msgspec import Struct

from .findings import Findings
from .format import CollectedLine, FloorLine, OutcomeLine, PlannedLine
from .lines import Place, Spoilt

Key: TypeAlias = tuple[str, str, str]
"""(stream, zone, name)."""
DEFAULT_STREAM: Final = "main"
LANDED: Final = frozenset({"written", "refilled", "built"})
FAILED: Final = frozenset({"conflict", "refused"})


class Change(Struct, gc=False):
    """One change of one zone, named by its nonce. `floor` is None where the journal (version 1) does not tell.

    `ahead`: it was prepared on a floor that its own process had not heard to stand. `landed`: the provider took it.
    `recalled`: only a checkpoint tells of it. `number` is that of its line among all of its journal, `at` by the clock
    of whoever made it.
    """

    stream: str
    zone: str
    nonce: str
    generation: int
    plan: str
    place: Place
    journal: int
    floor: FloorLine | None
    ahead: bool
    landed: bool = False
    recalled: bool = False
    number: int = 0
    at: str = ""


class Sight(Struct, gc=False):
    """A record that a process says it found again: the nonce that it had known last, the one that it found."""

    journal: int
    number: int
    knew: str
    found: str
    at: str
    place: Place


class Link(Struct, gc=False):
    """One endpoint's part of a change: a marker over another marker. `told` is its outcome.

    `state` is that of the marker it puts, empty if it puts none; `names` the generation and plan that this marker
    names. `contents` is a digest of what it puts at the name. `ahead`: as of a Change, on a marker.
    """

    change: Change
    since: int
    over: str
    before: int | None
    act: str
    kind: str
    found: str
    state: str
    names: tuple[int, str]
    contents: str
    ahead: bool
    told: str = ""

    @property
    def makes_marker(self) -> bool:
        """Whether a marker with the change's nonce stands once it has landed."""
        return bool(self.state)


class Orphan(Struct, frozen=True):
    """An outcome for which its journal had no intent so far."""

    outcome: OutcomeLine
    place: Place
    journal: int


class Record:
    """Everything that the checks go by."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.changes: dict[str, Change] = {}
        self.links: dict[Key, dict[str, Link]] = {}
        self.planned: list[tuple[PlannedLine, Place]] = []
        self.collected: list[tuple[CollectedLine, Place]] = []
        self.pinned: dict[tuple[str, int], Place] = {}
        """Generations that somebody pinned, which were seen to be there afterwards."""
        self.unpinned: set[tuple[str, int]] = set()
        """Those of which anybody ever asked to take the pin away: no clock tells which came first."""
        self.plans: dict[tuple[str, int], tuple[str, Place]] = {}
        self.forks: dict[tuple[str, int], Place] = {}
        """Generations of which there are two plans, and where the second is first named."""
        self.floors_gone: dict[tuple[str, str], int] = {}
        """By stream and zone the newest generation of a change that found no readable floor."""
        self.orphans: list[Orphan] = []
        self.of_trees: set[tuple[Key, str]] = set()
        """Endpoints and nonces of changes of a tree's records alone: they are no step from marker to marker."""
        self.sights: dict[Key, list[Sight]] = {}
        """Records found again, by endpoint; floors under no name."""
        self.recalled_entries: dict[Key, tuple[int, str, Place]] = {}
        """By checkpoints alone: each endpoint's newest since and contents."""
        self.recalled_departures: dict[Key, tuple[float, list[tuple[str, float, float, float]], Place]] = {}
        """Likewise who had left lately, and the window in seconds."""
        self.begins: list[str] = []
        """From where on journals are judged whose older files are not given, as sentences."""
        self.spoilt: list[Spoilt] = []
        self.beheaded: set[int] = set()
        """Journals that begin in the middle, or have spoilt lines: what they lack says nothing."""
        self.lines = 0

    def may_stand_twice(self, nonce: str) -> bool:
        """Whether that change may have landed once more: it asserted that no floor is there, and so it was later.

        Absence has no nonce. A message that creates everything can be repeated after people deleted everything.
        """
        change = self.changes[nonce]
        created = change.floor is not None and not change.floor.over
        return created and self.floors_gone.get((change.stream, change.zone), 0) > change.generation

    def streams(self) -> list[str]:
        """Those that anybody writes or plans for."""
        return sorted({change.stream for change in self.changes.values()} | {stream for stream, _ in self.plans})
