"""An operator's freeze and thaw of a zone or of one endpoint: what people order, done by compare-and-set.

    zone      floor ─▶ marker, marker, … ─▶ sealed            (thaw: floor renewed ─▶ markers ─▶ floor live ─▶ thawed)
    endpoint  its marker alone

Rule 1.  What an older request may still assert gets a fresh nonce before anything else is done: the floor for a zone,
         the marker for an endpoint. So nothing that was sent before a command can land after it has ended, an older
         freeze or thaw included; and repeating a command is always right.
Rule 2.  A zone is *sealed* once a full pass over its markers has followed the floor, with nobody else's change of
         the floor in between. If there was one, the pass begins again.
Rule 3.  A marker that is missing or unreadable gets a placeholder without since; thaw takes it away again. Absence
         has no nonce, so both give the floor a fresh one.
Rule 4.  A lost floor is rebuilt as high as any readable marker, together with the marker of the zone's first entry,
         whose nonce stands in for the one that an absent floor lacks; so every command renews that marker, as it is or
         not. The first entry is never frozen alone.
Rule 5.  A tombstone stays one: there is no frozen tombstone, and thawing must not revive what was retired. Another
         stream's marker is passed over.

An order for `direct.py`, which carries it out. The names come with it; all state is in the zone.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Floor, Marker
from standfast.model.name import first_name, floor_owner
from standfast.ports.local import IntendedWrite
from standfast.ports.provider import Replace

from .direct import Change, Ended, Further, Result, Sights, Survey
from .drafting import NO_PLAN, Mark

BATCH: Final = 50
"""Markers of one change: about 30 KB of an UPDATE, under the 64 KB that a TCP message holds."""
PATIENCE: Final = 16
"""Conflicts that are borne in all. Under a frozen floor only another operator makes them."""
Verb: TypeAlias = Literal["freeze", "thaw"]


class Freezing(Struct, frozen=True):
    """What was ordered, and how far it has come.

    `names` are the zone's endpoints as far as anybody knows them (retired ones may be among them); `endpoint` is the
    one to be frozen or thawed alone, empty for the whole zone. `generation` is the least that a lost floor is rebuilt
    at: that of the newest plan at hand, 0 if there is none. `left` is the floor of our last change of it, empty before
    the first; `kept_out` are endpoints that the provider would not change.
    """

    verb: Verb
    stream: str
    zone: str
    writer: str
    names: tuple[str, ...] = ()
    endpoint: str = ""
    generation: int = 0
    size: int = BATCH
    patience: int = PATIENCE
    left: tuple[bytes, ...] = ()
    at: int = 0
    passed_over: tuple[tuple[str, str], ...] = ()
    kept_out: tuple[tuple[str, str], ...] = ()

    @property
    def first(self) -> str:
        """The zone's own entry."""
        return first_name(self.stream, self.zone)

    @property
    def order(self) -> tuple[str, ...]:
        """Every marker of a full pass. With the floor gone, the first entry's says that the zone is frozen: it is
        frozen first and thawed last."""
        if self.endpoint:
            return (self.endpoint,)
        others = tuple(sorted(set(self.names) - {self.first}))
        return (self.first, *others) if self.verb == "freeze" else (*others, self.first)

    @property
    def batch(self) -> tuple[str, ...]:
        """The endpoints whose turn it is; none before the floor was renewed, and none after the last."""
        if not self.endpoint and not self.left:
            return ()
        return self.order[self.at : self.at + self.size]

    def decide(self, sights: Sights) -> "Change | Further | Survey | Ended":
        """From what was read to the next change, or to what must be read first."""
        if self.endpoint == self.first:
            why = f"{self.endpoint} is the zone's own entry: {self.verb} the zone {self.zone}"
            return Ended("refused", why)
        floor = sights.floor_read
        if self.endpoint:
            return self._alone(sights, floor)
        if floor is None:
            return self._rebuilt(sights)
        if not self.left:
            renewed = replace(floor, state="frozen") if self.verb == "freeze" else floor
            return self._change(sights, renewed, ())
        if sights.floor is None or sights.floor.rdata != self.left:
            return Further(replace(self, left=(), at=0, passed_over=(), kept_out=()), moved=True)
        if not self.batch:
            return self._change(sights, replace(floor, state="live"), ()) if floor.frozen else self._over()
        marks = self._marks(sights, floor, renew=False)
        if marks:
            return self._change(sights, floor if _absence(marks) else None, marks)
        after = self._with_foreign(sights)._next()
        return after if isinstance(after, Ended) else Further(after)

    def _rebuilt(self, sights: Sights) -> Change | Survey:
        """The lost floor, as high as any marker, and the first entry's marker with it; frozen, whatever was ordered."""
        if sights.highest is None:
            return Survey(replace(self, left=(), at=0), self.order, (self.first,))
        sealed = Floor(self.stream, max(self.generation, sights.highest), "frozen", "")
        return self._change(sights, sealed, replace(self, verb="freeze")._marks(sights, sealed, renew=True))

    def _alone(self, sights: Sights, floor: Floor | None) -> Change | Ended:
        """One endpoint."""
        if floor is None:
            owner = floor_owner(self.stream, self.zone)
            return Ended("refused", f"the floor at {owner} is missing or unreadable: let an enactor restore it first")
        if floor.frozen:
            return Ended("refused", f"the zone {self.zone} is frozen as a whole: thaw the zone")
        if foreign := self._with_foreign(sights).passed_over:
            return Ended("refused", foreign[0][1])
        marks = self._marks(sights, floor, renew=True)
        return self._change(sights, floor if _absence(marks) else None, marks)

    def _change(self, sights: Sights, floor: Floor | None, marks: tuple[Mark, ...]) -> Change:
        """No since changes by it."""
        stands = floor or sights.floor_read
        intended = tuple(self._intended(sights, mark) for mark in marks)
        return Change(sights, stands.generation if stands else 0, NO_PLAN, intended, floor, marks)

    def _intended(self, sights: Sights, mark: Mark) -> IntendedWrite:
        before = sights.marker(mark.name)
        since, over = (before.since, before.nonce) if isinstance(before, Marker) else (None, "")
        return IntendedWrite(mark.name, since, since or 0, self.verb, over)

    def written(self, change: Change, made: Replace) -> "Freezing | Ended":
        """On to the next markers, or to the end."""
        told = self._with_foreign(change.sights)
        if change.floor is None:
            return told._next()
        renewed = replace(told, left=made.floor.contents[0].rdata)
        if not self.endpoint and not self.left:
            return renewed
        return renewed._next() if self.batch else renewed._over()

    def refused(self, why: str) -> "Freezing | Ended":
        """A batch is tried one by one; what is refused alone is told at the end."""
        if not self.batch or self.endpoint:
            return Ended("refused", why, passed_over=self.passed_over)
        if len(self.batch) > 1:
            return replace(self, size=1)
        return replace(self, kept_out=(*self.kept_out, (self.batch[0], why)))._next()

    def _next(self) -> "Freezing | Ended":
        further = replace(self, at=self.at + len(self.batch))
        more = further.batch or (self.verb == "thaw" and not self.endpoint)
        return further if more else further._over()

    def _over(self) -> Ended:
        """Everything is done, but for what was refused."""
        if self.kept_out:
            why = f"{len(self.kept_out)} endpoints could not be changed; mend the cause first"
            return Ended("incomplete", why, passed_over=self.passed_over, kept_out=self.kept_out)
        done: Result = "thawed" if self.verb == "thaw" else "frozen" if self.endpoint else "sealed"
        return Ended(done, passed_over=self.passed_over)

    def _with_foreign(self, sights: Sights) -> "Freezing":
        """The markers that are not ours to change, told."""
        told = list(self.passed_over)
        for name, marker in sights.markers:
            if isinstance(marker, Marker) and marker.stream != self.stream:
                told.append((name, f"{name} belongs to stream {marker.stream}"))
            elif isinstance(marker, Marker) and marker.state == "retired":
                told.append((name, f"{name} is retired: its tombstone stays"))
        return replace(self, passed_over=tuple(dict.fromkeys(told)))

    def _marks(self, sights: Sights, floor: Floor, *, renew: bool) -> tuple[Mark, ...]:
        """What becomes of each marker that was read; with `renew`, also of one that is as it shall be.

        The first entry's gets a fresh nonce in any case: an older command that found no floor asserts that marker
        alone.
        """
        marks = []
        for (name, seen), (_, marker) in zip(sights.marks, sights.markers, strict=True):
            if isinstance(marker, Marker) and (marker.stream != self.stream or marker.state == "retired"):
                continue
            put: Marker | None
            if isinstance(marker, Marker) and marker.state != "placeholder":
                put = replace(marker, state="frozen" if self.verb == "freeze" else "live", writer=self.writer)
                changes = put.state != marker.state
            else:
                gone = Marker(self.stream, 0, floor.generation, NO_PLAN, "placeholder", self.writer, "")
                put = gone if self.verb == "freeze" else None
                changes = (self.verb == "freeze") != isinstance(marker, Marker)
            if changes or renew or name == self.first:
                marks.append(Mark(name, seen, put))
        return tuple(marks)


def _absence(marks: tuple[Mark, ...]) -> bool:
    """Whether absence is asserted or made, which has no nonce: then the floor gets a fresh one."""
    return any(mark.put is None or mark.put.state == "placeholder" for mark in marks)
