"""Collect trees that nothing in the zone can still need.

    head ─▶ plan ─▶ pins ─▶ pinned plans ─▶ listing, page by page ─▶ for each endpoint: floor, marker, root, rollback ─▶
    intent ─▶ deletion ─▶ … ─▶ Gathered

Before endpoints that are in no plan at hand, and only if trees of theirs have waited long enough, comes a look through
the whole zone.

Rule 1.  This file can write no live name: `CollectorRequest` has no request that could, and `CollectTree` takes records
         below `_tree` only.
Rule 2.  "Old" means below the `since` of the endpoint's marker, read in this very pass; never "far behind the newest
         plan". A tree at that since or above it is left: it is live, or is being built. Of a retired endpoint the
         tombstone's since counts. Without a marker that can be read, and under a freeze, nothing is taken.
Rule 3.  Root and rollback alias are read in this pass, and nothing either points at is taken, nor what the head's plan
         or a pinned one calls its own, nor the newest few (retention).
Rule 4.  The deletion itself asserts what Rules 2 and 3 rest on, by exact value: floor, marker, root and rollback in
         both families, and every record it takes. A marker never has the same value twice, and each change of root or
         rollback replaces it; so whatever was decided before such a change can't land after it.
Rule 5.  Clients may have cached a tree's names. So it must have been seen unneeded for a while: the largest TTL it was
         ever seen with, negative answers' TTL and the secondaries' lag, by this process's own clock. Who starts
         again waits again; a secondary that can't be read blocks. Safety among ourselves never rests on that.
Rule 6.  An endpoint that is in no plan at hand (`orphans.py`) is treated alike: its marker fences. If it has none, the
         floor does, which every write where there is no marker renews: taken is what no plan at or above the floor can
         call its own, in a zone that no other stream has a floor in. Nothing goes at which anything in the zone points.

In October 2025 a clean-up judged age by the plan it had just applied, and deleted what the root still pointed at.
"""

from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Absent, Floor, Marker, read_floor, read_marker
from standfast.model.plan import Plan
from standfast.model.tree import TreeName, aliases_in, read_tree_name
from standfast.ports.local import DrawNonce, IntendedWrite, Nonce, RecordIntent, RecordReply, Unrecorded
from standfast.ports.provider import (
    Conflict,
    Prerequisite,
    Read,
    ReadReply,
    Refused,
    ReplaceReply,
    Unknown,
    Written,
)
from standfast.ports.store import HeadRead, ListPlans, PlanList, PlanMissing, PlanRead, ReadHead, ReadPlan
from standfast.ports.trees import CollectTree, ListPointers, ListTree, PointersListed, TreeListed

from .gathering import Charge, Combed, Gathered, Progress, Sights
from .orphans import due, elsewhere, judged, put_off, unreadable, withheld
from .raising import as_seen
from .unneeded import Grown, Records, Suspect, parts_of, suspects_in, trees_of, unfit, waited

_STORE_GONE: Final = "the store can't be read: {}"

CollectorRequest: TypeAlias = (
    ReadHead | ReadPlan | ListPlans | ListTree | ListPointers | Read | DrawNonce | RecordIntent | CollectTree
)


class GatheringHead(Struct, frozen=True):
    """The head, for the endpoints and what is theirs now."""

    charge: Charge
    request: ReadHead = ReadHead()

    def heard(self, reply: HeadRead | Unknown) -> "Gather":
        """Without a head nobody says what is needed."""
        if isinstance(reply, Unknown):
            return _nothing(self.charge, _STORE_GONE.format(reply.why))
        if reply.head is None:
            return _nothing(self.charge, "nothing was ever published")
        held = self.charge.held
        if held is not None and held.digest == reply.head.digest:
            return _with_plan(self.charge, held)
        return GatheringPlan(self.charge, ReadPlan(reply.head.digest))


class GatheringPlan(Struct, frozen=True):
    """The newest plan."""

    charge: Charge
    request: ReadPlan

    def heard(self, reply: PlanRead | PlanMissing | Unknown) -> "Gather":
        """On to the pins."""
        if not isinstance(reply, PlanRead):
            return _nothing(self.charge, "the newest plan can't be read")
        return _with_plan(self.charge, reply.plan)


class GatheringPins(Struct, frozen=True):
    """Which plans are pinned."""

    charge: Charge
    plan: Plan
    request: ListPlans = ListPlans()

    def heard(self, reply: PlanList | Unknown) -> "Gather":
        """Each of them is read, for the trees it calls its own."""
        if isinstance(reply, Unknown):
            return _nothing(self.charge, _STORE_GONE.format(reply.why))
        pinned = tuple(one.digest for one in reply.plans if one.pinned and one.digest != self.plan.digest)
        return _pinned(self.charge, self.plan, pinned, trees_of(self.plan))


class GatheringPinned(Struct, frozen=True):
    """The pinned plans, one after the other. `kept` are the trees that plans call their own."""

    charge: Charge
    plan: Plan
    pinned: tuple[str, ...]
    kept: frozenset[TreeName]

    @property
    def request(self) -> ReadPlan:
        """The next one."""
        return ReadPlan(self.pinned[0])

    def heard(self, reply: PlanRead | PlanMissing | Unknown) -> "Gather":
        """A pin on what can't be read ends the pass: nobody knows what it keeps."""
        if not isinstance(reply, PlanRead):
            return _nothing(self.charge, f"pinned plan {self.pinned[0][:8]} can't be read")
        return _pinned(self.charge, self.plan, self.pinned[1:], self.kept | trees_of(reply.plan))


class Enumerating(Struct, frozen=True):
    """All trees of the zones, page by page."""

    charge: Charge
    plan: Plan
    kept: frozenset[TreeName]
    zones: tuple[str, ...]
    found: tuple[tuple[str, Records], ...] = ()
    start: str = ""

    @property
    def request(self) -> ListTree:
        """The next page."""
        return ListTree(self.zones[0], self.start, self.charge.page)

    def heard(self, reply: TreeListed | Unknown) -> "Gather":
        """A zone that can't be listed is left for another pass."""
        zone = self.zones[0]
        before = dict(self.found)
        if isinstance(reply, Unknown):
            before.pop(zone, None)
            told = replace(self.charge, memory=tuple(one for one in self.charge.memory if one.zone != zone))
            return _listed(replace(self, charge=told, zones=self.zones[1:], found=tuple(before.items()), start=""))
        found = before | {zone: (*before.get(zone, ()), *reply.records)}
        if reply.more:
            return replace(self, found=tuple(found.items()), start=reply.more)
        return _listed(replace(self, zones=self.zones[1:], found=tuple(found.items()), start=""))


class Combing(Struct, frozen=True):
    """The whole zone, page by page: what leads to trees of endpoints that are in no plan, and whose floors stand there.
    `zones` are those still to be looked through, the present one first."""

    progress: Progress
    zones: tuple[Combed, ...]

    @property
    def request(self) -> ListPointers:
        """The next page."""
        at = self.zones[0]
        return ListPointers(at.zone, at.parents, at.start, self.progress.charge.page)

    def heard(self, reply: PointersListed | Unknown) -> "Gather":
        """Of a zone that can't be looked through whole no orphan's tree is taken."""
        at, progress = self.zones[0], self.progress
        if isinstance(reply, Unknown):
            why = f"{at.zone} can't be looked through: {reply.why}"
            return _combed(replace(progress, told=(*progress.told, why)), self.zones[1:])
        pointers, streams = (*at.pointers, *reply.pointers), at.streams.union(reply.streams)
        at = replace(at, pointers=pointers, streams=streams, start=reply.more)
        if reply.more:
            return Combing(progress, (at, *self.zones[1:]))
        return _combed(replace(progress, combed=(*progress.combed, at)), self.zones[1:])


class Referring(Struct, frozen=True):
    """What may refer to the first suspect's trees: floor, marker, root and rollback alias, in one reading."""

    progress: Progress

    @property
    def request(self) -> Read:
        """Everything that the deletion will assert."""
        return Read(self.progress.suspects[0].zone, self.progress.references)

    def heard(self, reply: ReadReply) -> "Gather":
        """Whatever is not known errs towards keeping."""
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return _next(self.progress, f"{self.progress.suspects[0].name} can't be read: {values.why}")
        keys = self.request.keys
        sights = tuple((owner, rtype, value) for (owner, rtype), value in zip(keys, values, strict=True))
        return _judged(self.progress, sights)


class Taking(Struct, frozen=True):
    """A tree that is to go: what is asserted, and the changes it takes, the top first."""

    progress: Progress
    marker: Marker | Absent
    asserted: tuple[Prerequisite, ...]
    trees: tuple[Grown, ...]
    parts: tuple[tuple[Prerequisite, ...], ...]

    @property
    def suspect(self) -> Suspect:
        """Whose tree it is."""
        return self.progress.suspects[0]

    @property
    def change(self) -> CollectTree:
        """The next deletion."""
        return CollectTree(self.suspect.zone, self.suspect.name, self.asserted, self.parts[0])


class Drawing(Struct, frozen=True):
    """A number by which the journal tells this deletion; the zone holds none of it."""

    taking: Taking
    request: DrawNonce = DrawNonce()

    def heard(self, reply: Nonce) -> "Gather":
        """On to the journal."""
        return Intending(self.taking, reply.value)


class Intending(Struct, frozen=True):
    """The intention goes to disk first."""

    taking: Taking
    nonce: str

    @property
    def request(self) -> RecordIntent:
        """Whose tree of which since, under which marker."""
        taking, plan = self.taking, self.taking.progress.plan
        tree, marker = taking.trees[0][0], taking.marker
        why = f"collects its tree of since {tree.since}"
        since, over = (marker.since, marker.nonce) if isinstance(marker, Marker) else (None, "")
        intended = IntendedWrite(taking.suspect.name, since, since or 0, why, over, act="collect")
        change = taking.change.change
        return RecordIntent(
            change.zone, plan.generation, plan.digest, self.nonce, (intended,), plan.record.stream, change
        )

    def heard(self, reply: RecordReply) -> "Gather":
        """What can't be told is not done."""
        if isinstance(reply, Unrecorded):
            return _next(self.taking.progress, f"the journal can't be written: {reply.why}")
        return Deleting(self.taking)


class Deleting(Struct, frozen=True):
    """The deletion. It lands only on the very marker, root and rollback alias that it was decided by."""

    taking: Taking

    @property
    def request(self) -> CollectTree:
        """The next part of the tree."""
        return self.taking.change

    def heard(self, reply: ReplaceReply) -> "Gather":
        """After anything but success this endpoint is left for another pass, which looks anew."""
        taking, name = self.taking, self.taking.suspect.name
        match reply:
            case Conflict():
                return _next(taking.progress, f"{name}: something changed meanwhile")
            case Refused(why):
                return _next(taking.progress, f"{name}: the provider refuses: {why}")
            case Unknown(why):
                return _next(taking.progress, f"{name}: whether records went is unknown: {why}")
            case Written():
                return _gone(taking)


Gathering: TypeAlias = (
    GatheringHead
    | GatheringPlan
    | GatheringPins
    | GatheringPinned
    | Enumerating
    | Combing
    | Referring
    | Drawing
    | Intending
    | Deleting
)
Gather: TypeAlias = Gathering | Gathered


def _nothing(charge: Charge, why: str) -> Gathered:
    """The pass ends; whoever could not look does not know that things stayed unneeded."""
    return Gathered((), (why,), ())


def _with_plan(charge: Charge, plan: Plan) -> Gather:
    if plan.record.stream != charge.stream:
        return _nothing(charge, f"the newest plan is of stream {plan.record.stream}")
    return GatheringPins(charge, plan)


def _pinned(charge: Charge, plan: Plan, pinned: tuple[str, ...], kept: frozenset[TreeName]) -> Gather:
    if pinned:
        return GatheringPinned(charge, plan, pinned, kept)
    return _listed(Enumerating(charge, plan, kept, tuple(zone for zone in charge.zones if zone in plan.by_zone)))


def _listed(at: Enumerating) -> Gather:
    """The next zone; or all trees are known, and those that nobody claims are looked at."""
    if at.zones:
        return at
    suspects, told = list[Suspect](), list[str]()
    for zone, records in at.found:
        some, nameless = suspects_in(zone, records, at.plan, at.kept)
        suspects += some
        told += (
            f"{one}: whose trees these are can't be told from the name; if nobody's, delete them" for one in nameless
        )
    progress = Progress(at.charge, at.plan, at.kept, tuple(suspects), told=tuple(told))
    return _combed(progress, tuple(zone for zone in (due(progress, zone) for zone, _ in at.found) if zone.parents))


def _combed(progress: Progress, zones: tuple[Combed, ...]) -> Gather:
    """The next zone, or the first endpoint."""
    if zones:
        return Combing(progress, zones)
    return Referring(progress) if progress.suspects else _ended(progress)


def _next(progress: Progress, *why: str) -> Gather:
    """On to the next endpoint."""
    after = replace(progress, suspects=progress.suspects[1:], told=(*progress.told, *why))
    return Referring(after) if after.suspects else _ended(after)


def _ended(progress: Progress) -> Gathered:
    return Gathered(progress.collected, tuple(dict.fromkeys(progress.told)), progress.memory)


def _judged(progress: Progress, sights: Sights) -> Gather:
    """Rules 2, 3, 5 and 6, for the first suspect."""
    suspect, charge = progress.suspects[0], progress.charge
    zone, name = suspect.zone, suspect.name
    (floor_at, _, floor_rrset), (marker_at, _, marker_rrset), *references = sights
    floor = read_floor(floor_rrset, zone, floor_at)
    marker = read_marker(marker_rrset, zone, marker_at)
    if elsewhere(suspect, marker, charge.stream):
        return _next(progress)
    unmarked = suspect.orphan and isinstance(marker, Absent)
    why = unreadable(suspect, marker)
    if why := why or unfit(floor if isinstance(floor, Floor) else None, None if unmarked else marker, charge.stream):
        return _next(progress, f"{name}: {why}")
    if not isinstance(marker, Marker | Absent) or not isinstance(floor, Floor):
        raise AssertionError("what can't be read is unfit")
    referred = {read_tree_name(target, zone) for _, _, rrset in references for target in aliases_in(rrset)}
    found = judged(progress, floor, marker, frozenset(referred))
    wait = dict(charge.wait_s).get(zone)
    memory, ripe = waited(charge.memory, zone, charge.now, wait, found.unneeded, charge.least_s)
    held, told = withheld(suspect, marker, ripe, progress.combed_of(zone), charge.stream)
    told = (*found.told, *told)
    if found.unneeded and wait is None:
        told = (*told, f"{zone}: a secondary can't be read, so nothing is taken")
    if progress.combed_of(zone) is not None:
        memory = put_off(memory, held, charge.now)
    progress = replace(progress, memory=(*progress.memory, *memory), told=(*progress.told, *told))
    asserted = tuple(dict.fromkeys(as_seen(owner, rtype, rrset) for owner, rtype, rrset in sights))
    return _take(progress, marker, asserted, tuple(one for one in ripe if one[0] not in held))


def _take(
    progress: Progress,
    marker: Marker | Absent,
    asserted: tuple[Prerequisite, ...],
    trees: tuple[Grown, ...],
) -> Gather:
    if not trees:
        return _next(progress)
    return Drawing(Taking(progress, marker, asserted, trees, parts_of(trees[0][1], progress.charge.elements)))


def _gone(taking: Taking) -> Gather:
    """The next part, the next tree, the next endpoint."""
    if taking.parts[1:]:
        return Drawing(replace(taking, parts=taking.parts[1:]))
    tree, suspect = taking.trees[0][0], taking.suspect
    progress = replace(
        taking.progress,
        collected=(*taking.progress.collected, (suspect.zone, suspect.name, tree.since)),
        memory=tuple(one for one in taking.progress.memory if (one.zone, one.tree) != (suspect.zone, tree)),
    )
    return _take(progress, taking.marker, taking.asserted, taking.trees[1:])
