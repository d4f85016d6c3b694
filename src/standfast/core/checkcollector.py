"""Collect the provider's health checks that nothing can still name. Pure; this file cannot write to a zone.

Rule 1.  Only checks whose reference and tags both say that they are this stream's in this zone. One of ours without
         tags (its maker died) is tagged in one pass, and may go in a later one. What was not spare in the pass before
         may have been made a moment ago, and is left too: that spares making it again.
Rule 2.  First *doomed*, then looked for, then deleted. What is doomed stands in the store under a revision that plans
         name, and no planner uses it again; so what no plan names after that, no later plan will. Doomed is for ever.
Rule 3.  A check goes only if, all of it looked at in this very pass: planners share it no more; no plan in the store
         names it (head, pinned, held, kept by retention); every endpoint of the head shows the marker of the head's
         entry, so that no older entry can still be written; no record set of any zone at hand names it, whoever wrote
         it, read after the markers.
Rule 4.  Whatever can't be read ends the pass with nothing deleted.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.check import STREAM_TAG, ZONE_TAG, StandingCheck, owner_mark, tags_of
from standfast.model.entry import Entry
from standfast.model.marker import Marker, read_marker
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.routing import read_variant
from standfast.model.rrset import ROUTED_TYPES, RRType
from standfast.ports.checks import (
    CheckGone,
    ChecksListed,
    DeleteCheck,
    Done,
    ListChecks,
    ListUses,
    ReadTags,
    TagCheck,
    TagsRead,
    UsesListed,
)
from standfast.ports.provider import Read, ReadReply, Refused, Unknown
from standfast.ports.store import HeadRead, ListPlans, PlanList, PlanMissing, PlanRead, ReadHead, ReadPlan

TAGS_AT_ONCE: Final = 10
"""ListTagsForResources takes so many ids (API reference)."""


class Doom(Struct, frozen=True):
    """Put these ids on the board of the doomed, above its revision, and read it and the shared checks back."""

    ids: frozenset[str]


class Doomed(Struct, frozen=True):
    """What stands on the boards now: the doomed, and the ids that planners share."""

    ids: frozenset[str]
    shared: frozenset[str]


CheckCollectorRequest: TypeAlias = (
    ListChecks | ReadTags | TagCheck | Doom | ReadHead | ReadPlan | ListPlans | Read | ListUses | DeleteCheck
)


class CollectTask(Struct, frozen=True):
    """What one pass is given, of one zone. `shared` and `doomed` are the boards as they stand; `named` are ids by plan
    digest and `seen` what was spare, as earlier passes found them. `zones` are all at hand that could name a check.
    `standing` and `counted` are what the pass itself found: all of ours, and what checks of others count."""

    stream: str
    zone: str
    zones: tuple[str, ...]
    shared: frozenset[str]
    doomed: frozenset[str]
    named: tuple[tuple[str, frozenset[str]], ...] = ()
    seen: frozenset[str] = frozenset()
    standing: tuple[StandingCheck, ...] = ()
    counted: frozenset[str] = frozenset()


class ChecksSwept(Struct, frozen=True):
    """The pass is over: what was deleted, or why nothing was. `named` and `spare` are for the next pass."""

    deleted: tuple[str, ...]
    why: str
    named: tuple[tuple[str, frozenset[str]], ...] = ()
    spare: frozenset[str] = frozenset()


class Finding(Struct, frozen=True):
    """All of ours, by their references."""

    task: CollectTask

    @property
    def request(self) -> ListChecks:
        """This stream's in this zone."""
        return ListChecks(self.task.zone, owner_mark(self.task.stream, self.task.zone))

    def heard(self, reply: ChecksListed | Refused | Unknown) -> "CheckSweep":
        """Those that planners share stay."""
        if not isinstance(reply, ChecksListed):
            return _over(self.task, f"the health checks can't be listed: {reply.why}")
        task = replace(self.task, standing=reply.checks, counted=reply.counted)
        spare = tuple(one for one in reply.checks if one.id not in task.shared and one.id in task.seen)
        return Telling(task, spare, ()) if spare else _over(task, "every health check is wanted")


class Telling(Struct, frozen=True):
    """Whose they are by their tags, ten at a time."""

    task: CollectTask
    left: tuple[StandingCheck, ...]
    ours: tuple[StandingCheck, ...]
    bare: tuple[str, ...] = ()

    @property
    def request(self) -> ReadTags:
        """The next ten."""
        return ReadTags(self.task.zone, tuple(one.id for one in self.left[:TAGS_AT_ONCE]))

    def heard(self, reply: TagsRead | Refused | Unknown) -> "CheckSweep":
        """One with another's tags is another's."""
        if not isinstance(reply, TagsRead):
            return _over(self.task, f"the tags of health checks can't be read: {reply.why}")
        ours, bare = list(self.ours), list(self.bare)
        for one, tags in zip(self.left, reply.tags, strict=False):
            said = dict(tags)
            if (said.get(STREAM_TAG), said.get(ZONE_TAG)) == (self.task.stream, self.task.zone):
                ours.append(one)
            elif STREAM_TAG not in said and ZONE_TAG not in said:
                bare.append(one.id)
        rest = replace(self, left=self.left[TAGS_AT_ONCE:], ours=tuple(ours), bare=tuple(bare))
        if rest.left:
            return rest
        return Marking(self.task, rest.ours, rest.bare) if rest.bare else _dooming(self.task, rest.ours)


class Marking(Struct, frozen=True):
    """Tag what a maker that died left without tags: it may go in a later pass."""

    task: CollectTask
    ours: tuple[StandingCheck, ...]
    bare: tuple[str, ...]

    @property
    def request(self) -> TagCheck:
        """The first."""
        return TagCheck(self.task.zone, self.bare[0], tags_of(self.task.stream, self.task.zone, "", "lost"))

    def heard(self, reply: Done | CheckGone | Refused | Unknown) -> "CheckSweep":
        """If it was not tagged, the next pass tries."""
        if self.bare[1:] and not isinstance(reply, Unknown):
            return replace(self, bare=self.bare[1:])
        return _dooming(self.task, self.ours)


class Dooming(Struct, frozen=True):
    """Say in the store that they are to go, before anything is concluded."""

    task: CollectTask
    ours: tuple[StandingCheck, ...]

    @property
    def request(self) -> Doom:
        """Those that are not doomed yet as well. Of one that is deleted the reference is spent: no need to say more."""
        there = {one.id for one in self.task.standing}
        return Doom((self.task.doomed & there) | {one.id for one in self.ours})

    def heard(self, reply: Doomed | Unknown) -> "CheckSweep":
        """What is on the board is never used again; what planners share by now is left for another pass."""
        if isinstance(reply, Unknown):
            return _over(self.task, f"the store does not say what is doomed: {reply.why}")
        ids = frozenset(one.id for one in self.ours if one.id in reply.ids and one.id not in reply.shared)
        return Heading(self.task, self.ours, ids) if ids else _over(self.task, "every health check is shared")


class Heading(Struct, frozen=True):
    """The head, after they were doomed."""

    task: CollectTask
    ours: tuple[StandingCheck, ...]
    ids: frozenset[str]
    request: ReadHead = ReadHead()

    def heard(self, reply: HeadRead | Unknown) -> "CheckSweep":
        """Without a head nobody knows what is to stand."""
        if isinstance(reply, Unknown) or reply.head is None:
            return _over(self.task, "the newest plan can't be read")
        return Cataloguing(self, reply.head.digest)


class Cataloguing(Struct, frozen=True):
    """Which plans the store has."""

    start: Heading
    head: str
    request: ListPlans = ListPlans()

    def heard(self, reply: PlanList | Unknown) -> "CheckSweep":
        """Each is to be known by what it names."""
        task = self.start.task
        if isinstance(reply, Unknown):
            return _over(task, f"the plans can't be listed: {reply.why}")
        digests = tuple(one.digest for one in reply.plans)
        known = {digest: ids for digest, ids in task.named if digest in digests}
        rest = tuple(one for one in digests if one not in known and one != self.head)
        return Scanning(self.start, (self.head, *rest), known)


class Scanning(Struct, frozen=True):
    """Every plan, the head first: which checks does it name?"""

    start: Heading
    left: tuple[str, ...]
    named: dict[str, frozenset[str]]
    head: Plan | None = None

    @property
    def request(self) -> ReadPlan:
        """The next that is not known."""
        return ReadPlan(self.left[0])

    def heard(self, reply: PlanRead | PlanMissing | Unknown) -> "CheckSweep":
        """One that was collected meanwhile names nothing any more; one that can't be read may name all."""
        task = replace(self.start.task, named=tuple(self.named.items()))
        if isinstance(reply, Unknown) or (isinstance(reply, PlanMissing) and self.head is None):
            return _over(task, "a plan can't be read")
        named, head = self.named, self.head
        if isinstance(reply, PlanRead):
            named = {**named, self.left[0]: checks_named(reply.plan.shards)}
            head = head or reply.plan
        if self.left[1:]:
            return replace(self, left=self.left[1:], named=named, head=head)
        task = replace(task, named=tuple(named.items()))
        ids = self.start.ids - frozenset().union(*named.values())
        if not ids:
            return _over(task, "a plan in the store names every spare health check")
        assert head is not None
        return _fencing(Fencing(task, replace(self.start, ids=ids), head, _zones(head)))


class Fencing(Struct, frozen=True):
    """Every marker of the head's endpoints, zone by zone: is the head's entry installed?"""

    task: CollectTask
    start: Heading
    head: Plan
    zones: tuple[str, ...]

    @property
    def request(self) -> Read:
        """All markers of the zone."""
        zone = self.zones[0]
        return Read(zone, tuple((marker_owner(e.name, zone), int(RRType.TXT)) for e in self.head.by_zone[zone]))

    def heard(self, reply: ReadReply) -> "CheckSweep":
        """One that is behind, or can't be believed, ends the pass: an older entry could still be written."""
        zone = self.zones[0]
        if isinstance(reply, Unknown):
            return _over(self.task, f"{zone} can't be read: {reply.why}")
        for entry, value in zip(self.head.by_zone[zone], reply.values, strict=True):
            owner = marker_owner(entry.name, zone)
            marker = None if isinstance(value, Unknown) else read_marker(value, zone, owner)
            known = isinstance(marker, Marker) and marker.stream == self.task.stream
            if not isinstance(marker, Marker) or not known or marker.since < entry.since:
                return _over(self.task, f"{entry.name} does not stand as the newest plan has it")
        return _fencing(replace(self, zones=self.zones[1:]))


class Combing(Struct, frozen=True):
    """Every record set of every zone at hand, after the markers: does it name one?"""

    task: CollectTask
    start: Heading
    zones: tuple[str, ...]

    @property
    def request(self) -> ListUses:
        """The whole zone, page by page."""
        return ListUses(self.zones[0])

    def heard(self, reply: UsesListed | Refused | Unknown) -> "CheckSweep":
        """What is named stays."""
        if not isinstance(reply, UsesListed):
            return _over(self.task, f"{self.zones[0]} can't be read whole: {reply.why}")
        start = replace(self.start, ids=self.start.ids - reply.ids)
        if self.zones[1:] and start.ids:
            return Combing(self.task, start, self.zones[1:])
        ids = start.ids - self.task.counted
        for one in self.task.standing:  # what counts others goes with them or before them
            if one.settings is not None and one.id not in ids:
                ids -= frozenset(one.settings.children)
        if not ids:
            return _over(self.task, "record sets or other checks still name every spare health check")
        return Deleting(self.task, _in_order(start.ours, ids), ())


class Deleting(Struct, frozen=True):
    """One after the other; what counts others before those."""

    task: CollectTask
    left: tuple[str, ...]
    deleted: tuple[str, ...]

    @property
    def request(self) -> DeleteCheck:
        """The next."""
        return DeleteCheck(self.task.zone, self.left[0])

    def heard(self, reply: Done | CheckGone | Refused | Unknown) -> "CheckSweep":
        """What is not known to be deleted is found again in the next pass."""
        if isinstance(reply, Unknown | Refused):
            why = f"a health check could not be deleted: {reply.why}"
            return replace(_over(self.task, why), deleted=self.deleted)
        deleted = (*self.deleted, self.left[0])
        if self.left[1:]:
            return replace(self, left=self.left[1:], deleted=deleted)
        return replace(_over(self.task, ""), deleted=deleted)


CheckSweeping: TypeAlias = (
    Finding | Telling | Marking | Dooming | Heading | Cataloguing | Scanning | Fencing | Combing | Deleting
)
CheckSweep: TypeAlias = CheckSweeping | ChecksSwept


def checks_named(entries: Iterable[Entry]) -> frozenset[str]:
    """The checks that any of these entries names: by a member, or by a variant of its rrsets."""
    found: set[str] = set()
    for entry in entries:
        found.update(one.health_check for one in entry.members if one.health_check)
        for rrset in entry.rrsets:
            if rrset.rtype in ROUTED_TYPES:
                found.update(one.health_check for one in map(read_variant, rrset.rdata) if one.health_check)
    return frozenset(found)


def _over(task: CollectTask, why: str) -> ChecksSwept:
    spare = frozenset(one.id for one in task.standing) - task.shared
    return ChecksSwept((), why, task.named, spare)


def _dooming(task: CollectTask, ours: tuple[StandingCheck, ...]) -> CheckSweep:
    return Dooming(task, ours) if ours else _over(task, "no spare health check is tagged as this stream's")


def _fencing(fencing: Fencing) -> CheckSweep:
    return fencing if fencing.zones else Combing(fencing.task, fencing.start, fencing.task.zones)


def _zones(head: Plan) -> tuple[str, ...]:
    return tuple(zone for zone, entries in head.by_zone.items() if entries)


def _in_order(ours: Iterable[StandingCheck], ids: frozenset[str]) -> tuple[str, ...]:
    some = [one for one in ours if one.id in ids]
    some.sort(key=lambda one: (not (one.settings and one.settings.children), one.id))
    return tuple(one.id for one in some)
