"""The values a change is made of: the task, what was seen, and what became of each endpoint."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.model.entry import Entry, Key
from standfast.model.name import first_name, floor_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset

from .drafting import Sighting
from .judgement import Standing
from .raising import ELEMENTS
from .reach import Contents

Result: TypeAlias = (
    Standing | Literal["written", "built", "refilled", "conflict", "unknown", "refused", "blind", "deferred"]
)

KEPT: Final = frozenset({"frozen", "foreign", "left"})
"""By a freeze, by another stream, by somebody who insists on other contents."""


class Outcome(Struct, frozen=True):
    """What became of one endpoint. `before` is the since of the marker that was there, if one was readable.

    `unrecorded`: it was sent, though why the journal did not take its intent is this; only of a refill (G10).
    """

    zone: str
    name: str
    result: Result
    why: str
    before: int | None = None
    since: int | None = None
    nonce: str = ""
    unrecorded: str = ""


class Task(Struct, frozen=True):
    """What a change is about: these entries of this plan in this zone.

    `verify` reads the addresses too. `refills_only` is set while the journal can't be written. `insisted` are
    contents of endpoints that came back after a repair. `prefixes` may be published in this zone; none: everything.
    `elements` is how many records of a tree one change may have.
    """

    writer: str
    plan: Plan
    zone: str
    entries: tuple[Entry, ...]
    verify: bool = False
    refills_only: bool = False
    insisted: tuple[tuple[str, Contents], ...] = ()
    prefixes: tuple[str, ...] = ()
    elements: int = ELEMENTS

    @property
    def floor_owner(self) -> str:
        """Where this stream's floor lives."""
        return floor_owner(self.plan.record.stream, self.zone)

    @property
    def first_key(self) -> Key:
        """The zone's first entry."""
        return (self.zone, first_name(self.plan.record.stream, self.zone))


class Settled(Struct, frozen=True):
    """The change is over.

    `floor` and `markers` are what may be believed now. `foreign` is harmless damage that was repaired.
    """

    outcomes: tuple[Outcome, ...]
    floor: RRset | None = None
    markers: tuple[tuple[str, RRset | None], ...] = ()
    foreign: tuple[tuple[str, Contents], ...] = ()


class Sights(Struct, frozen=True):
    """What was seen, and which of it has been confirmed to stand there literally."""

    task: Task
    floor: RRset | None
    seen: tuple[tuple[Entry, Sighting], ...]
    outcomes: tuple[Outcome, ...] = ()
    confirmed: tuple[str, ...] = ()


def outcome_of(entry: Entry, result: Result, why: str) -> Outcome:
    """An outcome without a write."""
    return Outcome(entry.zone, entry.name, result, why, None, entry.since)


def all_end(task: Task, result: Result, why: str) -> Settled:
    """The same outcome for every endpoint of the task; nothing is believed."""
    return Settled(tuple(outcome_of(entry, result, why) for entry in task.entries))


def doubt_name(owner: str, rrset: RRset) -> str:
    """How `Sights.confirmed` names a reading."""
    return f"{owner}/{rrset.rtype}"


def quarantined(quarantine: tuple[tuple[Key, int], ...], key: Key, task: Task) -> tuple[tuple[Key, int], ...]:
    """With that endpoint, as its entry is now."""
    entry = task.plan.entry(key)
    others = tuple(item for item in quarantine if item[0] != key)
    return (*others, (key, entry.since)) if entry else others


def still_kept(waiting: tuple[Key, ...], outcomes: tuple[Outcome, ...]) -> tuple[Key, ...]:
    """The endpoints that somebody keeps as they are, after these outcomes."""
    told = {(one.zone, one.name): one.result in KEPT for one in outcomes}
    rest = tuple(key for key in waiting if key not in told)
    return (*rest, *(key for key, kept in told.items() if kept))
