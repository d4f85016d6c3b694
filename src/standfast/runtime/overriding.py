"""Operators' overrides in the plan store: put by compare-and-set on their revision, obeyed by every planner at once.

They are a source like fleet and health, so a plan that was drawn without the newest of them is not published. What
cannot be read changes nothing: the last known ones go on counting, each until its time is over.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from standfast.model.fleet import Fleet, Verdict
from standfast.model.override import LASTS_MAX_S, OVERRIDES_MAX, Override, Scope, cleared, given
from standfast.recovery.override import consented, overlaid, ruling

from .enacting import Store
from .sharing import Board
from .tidings import Tidings

OVERRIDES: Final = "overrides"
OCTETS_MAX: Final = 1 << 20
ATTEMPTS: Final = 5
AHEAD_S: Final = 60.0
"""An override dated further ahead than this was given by a machine whose clock is ahead, or ours is behind."""


class SharedOverrides(msgspec.Struct, frozen=True):
    """What the source holds."""

    overrides: tuple[Override, ...]


class Unreadable(msgspec.Struct, frozen=True):
    """The source could not be read or understood. It is unknown, not empty."""

    why: str


def overrides_in(body: bytes) -> "tuple[Override, ...] | Unreadable":
    """What a source's body says; nothing if nothing was ever put."""
    if not body:
        return ()
    if len(body) > OCTETS_MAX:
        return Unreadable(f"the overrides in the store are {len(body)} octets long, more than {OCTETS_MAX}")
    try:
        return msgspec.json.decode(body, type=SharedOverrides).overrides
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unreadable(f"the overrides in the store make no sense: {error}")


def read_overrides(board: Board) -> "tuple[Override, ...] | Unreadable":
    """Look at the store."""
    if not board.read():
        return Unreadable("the plan store does not say which overrides there are")
    return overrides_in(board.body)


class Recorded(msgspec.Struct, frozen=True):
    """The store has it. `before` is what it replaced or took away, of the same target."""

    revision: int
    before: Override | None


class Unrecorded(msgspec.Struct, frozen=True):
    """The store does not have it, or does not say."""

    kind: Literal["full", "lost", "unknown", "none"]
    why: str


class Change(msgspec.Struct, frozen=True):
    """One change of what is said of one target: `put`, or nothing any more."""

    scope: Scope
    target: str
    put: Override | None = None


def record(store: Store, change: Change, now: float) -> Recorded | Unrecorded:
    """Put the change there, whatever others put meanwhile. Losing a race is begun anew; nothing is ever merged blindly.

    `none`: there is nothing to take away.
    """
    board = Board(store, OVERRIDES)
    for _ in range(ATTEMPTS):
        known = read_overrides(board)
        if isinstance(known, Unreadable):
            return Unrecorded("unknown", known.why)
        before = next((one for one in known if (one.scope, one.target) == (change.scope, change.target)), None)
        if change.put is None and (before is None or not before.in_force(now)):
            return Unrecorded("none", "nothing is in force there")
        after = _after(known, change, now)
        if sum(one.in_force(now) for one in after) > OVERRIDES_MAX:
            return Unrecorded("full", f"{OVERRIDES_MAX} overrides are in force already")
        outcome = board.put(msgspec.json.encode(SharedOverrides(after)))
        if outcome == "put":
            return Recorded(board.revision, before)
        if outcome == "unknown":
            return Unrecorded("unknown", "the plan store did not say whether it took the override")
    return Unrecorded("lost", f"others changed the overrides at the same moment, {ATTEMPTS} times in a row")


def _after(known: tuple[Override, ...], change: Change, now: float) -> tuple[Override, ...]:
    if change.put is None:
        return cleared(known, change.scope, change.target, now)
    return given(known, change.put, now)


def forget_all(store: Store) -> Recorded | Unrecorded:
    """Put an empty source over whatever stands there, understood or not."""
    board = Board(store, OVERRIDES)
    for _ in range(ATTEMPTS):
        if not board.read():
            return Unrecorded("unknown", "the plan store does not say which overrides there are")
        if board.put(msgspec.json.encode(SharedOverrides(()))) == "put":
            return Recorded(board.revision, None)
    return Unrecorded("lost", f"others changed the overrides at the same moment, {ATTEMPTS} times in a row")


class OverrideBoard:
    """A planner's view: what is in force, told when it begins and when it ends."""

    def __init__(self, store: Store, tidings: Tidings) -> None:
        self.board = Board(store, OVERRIDES)
        self._tidings = tidings
        self._known: tuple[Override, ...] = ()
        self._told: dict[tuple[Scope, str], Override] = {}
        self._revision = -1
        self._until = self._asked = 0.0

    def look(self) -> bool:
        """What stands in the store? False if that is unknown and never was known."""
        known = read_overrides(self.board)
        if isinstance(known, Unreadable):
            remedy = "`standfast override all --clear` puts none in their place"
            self._tidings.state("override", f"{known.why}; those known so far go on counting; {remedy}")
            return self._revision >= 0
        self._tidings.state("override", "")
        if self.board.revision < self._revision:
            known = self._put_back(known)
        if self.board.revision != self._revision:
            self._known, self._revision, self._until = known, self.board.revision, -1.0
        return True

    def _put_back(self, stored: tuple[Override, ...]) -> tuple[Override, ...]:
        """The store was lost or set back: what we know is newer, and nobody else can say it again."""
        ours = {_key(one): one for one in (*stored, *self._known)}
        merged = tuple(one for _, one in sorted(ours.items()))
        self.board.revision = max(self.board.revision, self._revision)
        outcome = self.board.put(msgspec.json.encode(SharedOverrides(merged)))
        there = overrides_in(self.board.body) if outcome != "unknown" else Unreadable("")
        return merged if isinstance(there, Unreadable) else there

    def turned(self, wall: float) -> bool:
        """Whether what is in force has changed since this was asked last.

        What expired stays in the store, where it does not count: our clock may be days ahead of everybody else's. Once
        it is right again, so is what counts.
        """
        asked, self._asked = self._asked, wall
        if self._until > 0.0 and asked <= wall < self._until:
            return False
        present = {(one.scope, one.target): one for one in self._known if one.in_force(wall)}
        ended = [one for key, one in sorted(self._told.items()) if present.get(key) != one]
        begun = [one for key, one in sorted(present.items()) if self._told.get(key) != one]
        for one in ended:
            why = "expired" if not one.in_force(wall) else "replaced" if _key(one) in present else "ended"
            self._tidings.event("override", stage=why, **facts_of(one))
        for one in begun:
            self._tidings.event("override", stage="in force", **facts_of(one))
        ahead = sorted(one.by for one in begun if one.at > wall + AHEAD_S)
        if ahead:
            why = f"the clock of {ahead[0]} is ahead of ours, or ours is behind: overrides end by our clock"
            self._tidings.event("notice", kind="override", why=why)
        self._told = present
        self._until = min((one.until for one in present.values()), default=wall + LASTS_MAX_S)
        return bool(ended or begun)

    def overlaid(self, fleet: Fleet, verdicts: Mapping[str, Verdict], wall: float) -> tuple[Fleet, dict[str, Verdict]]:
        """Fleet and verdicts as operators want them now."""
        return overlaid(fleet, verdicts, self._known, wall)

    def ruling(self, fleet: Fleet, wall: float) -> dict[str, Override]:
        """What decides about each load balancer now."""
        return ruling(fleet, self._known, wall)

    def consented(self, fleet: Fleet, wall: float) -> frozenset[str]:
        """Who may go beyond the velocity limit now."""
        return consented(fleet, self._known, wall)


def _key(one: Override) -> tuple[Scope, str]:
    return (one.scope, one.target)


def facts_of(one: Override) -> dict[str, object]:
    """An override for the journal."""
    return {
        "scope": one.scope,
        "target": one.target,
        "state": one.state,
        "reason": one.reason,
        "by": one.by,
        "until": one.until,
        "consented": one.consented,
    }
