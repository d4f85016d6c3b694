"""Collect plans that nobody can still need.

Rule 1.  This file cannot write to a zone: `CleanerRequest` has no request that could.
Rule 2.  "Old" means below the lowest `since` of all markers in the zones, each read in this very pass; never "far
         behind the newest plan". Tombstones and first entries must be read too, but have no contents to go back to.
Rule 3.  Whatever is not known errs towards keeping: a marker that is missing, unreadable, foreign or unread ends the
         pass. A stale reading is a lower one, so it collects less; head and pins are checked in the same store
         transaction that deletes.

In October 2025 a clean-up judged age by the plan it had just applied, and deleted the plan that the zone was using.
Each of the first two rules forbids that; the third says why a pause cannot bring it back.
"""

from typing import TypeAlias

from msgspec import Struct

from standfast.model.marker import Marker, read_marker
from standfast.model.name import marker_owner
from standfast.model.plan import Plan, is_rotation
from standfast.model.rrset import RRType
from standfast.ports.provider import Read, ReadReply, Unknown
from standfast.ports.store import (
    Collected,
    CollectPlans,
    HeadRead,
    ListPlans,
    PlanList,
    PlanMissing,
    PlanRead,
    PlanSummary,
    ReadHead,
    ReadPlan,
)

CleanerRequest: TypeAlias = ReadHead | ReadPlan | ListPlans | Read | CollectPlans


class Retention(Struct, frozen=True):
    """What is kept although nothing needs it: the newest `plans`, and those younger than `days` up to `cap` plans.

    Plans in which load balancers only took turns are neither counted nor kept by either.

    Retention serves people who look back; safety never rests on it, nor on the clocks it compares.
    """

    plans: int = 100
    days: float = 30.0
    cap: int = 1000


class Swept(Struct, frozen=True):
    """The pass is over: what was collected, or why nothing was."""

    collected: tuple[int, ...]
    why: str


class SweepingHead(Struct, frozen=True):
    """The head, for the list of all endpoints."""

    stream: str
    retention: Retention
    wall: float
    held: Plan | None = None
    request: ReadHead = ReadHead()

    def heard(self, reply: HeadRead | Unknown) -> "Sweep":
        """Without a head there is nothing to collect."""
        if isinstance(reply, Unknown):
            return Swept((), f"the store can't be read: {reply.why}")
        if reply.head is None:
            return Swept((), "nothing was ever published")
        if self.held is not None and self.held.digest == reply.head.digest:
            return _reading(self, self.held)
        return SweepingPlan(self, ReadPlan(reply.head.digest))


class SweepingPlan(Struct, frozen=True):
    """The newest plan names every endpoint of the stream, retired ones included."""

    start: SweepingHead
    request: ReadPlan

    def heard(self, reply: PlanRead | PlanMissing | Unknown) -> "Sweep":
        """On to the markers."""
        if not isinstance(reply, PlanRead):
            return Swept((), "the newest plan can't be read")
        return _reading(self.start, reply.plan)


class SweepingMarkers(Struct, frozen=True):
    """The markers of all endpoints, one zone after the other. `lowest` is the least since so far."""

    start: SweepingHead
    plan: Plan
    zones: tuple[str, ...]
    lowest: int

    @property
    def request(self) -> Read:
        """Every marker of the zone."""
        zone = self.zones[0]
        return Read(zone, tuple((marker_owner(e.name, zone), int(RRType.TXT)) for e in self.plan.by_zone[zone]))

    def heard(self, reply: ReadReply) -> "Sweep":
        """One marker that can't be believed ends the pass."""
        zone, lowest = self.zones[0], self.lowest
        if isinstance(reply, Unknown):
            return Swept((), f"{zone} can't be read: {reply.why}")
        for entry, value in zip(self.plan.by_zone[zone], reply.values, strict=True):
            if isinstance(value, Unknown):
                return Swept((), f"the marker of {entry.name} can't be read: {value.why}")
            marker = read_marker(value, zone, marker_owner(entry.name, zone))
            if not isinstance(marker, Marker) or marker.stream != self.start.stream:
                return Swept((), f"{entry.name} has no marker of this stream that can be read")
            if marker.state == "placeholder":
                return Swept((), f"{entry.name} is frozen without a generation")
            if marker.state != "retired" and entry.kind != "first":
                lowest = min(lowest, marker.since)
        if self.zones[1:]:
            return SweepingMarkers(self.start, self.plan, self.zones[1:], lowest)
        return Listing(self.start, self.plan, lowest)


class Listing(Struct, frozen=True):
    """Which plans the store has."""

    start: SweepingHead
    plan: Plan
    lowest: int
    request: ListPlans = ListPlans()

    def heard(self, reply: PlanList | Unknown) -> "Sweep":
        """Choose."""
        if isinstance(reply, Unknown):
            return Swept((), f"the store can't be read: {reply.why}")
        doomed = collectable(reply.plans, self.plan, self.lowest, self.start.retention, self.start.wall)
        if not doomed:
            return Swept((), f"nothing below generation {self.lowest} is outside the retention")
        return Collecting(CollectPlans(doomed))


class Collecting(Struct, frozen=True):
    """The store deletes, and checks head and pins once more while it does."""

    request: CollectPlans

    def heard(self, reply: Collected | Unknown) -> "Sweep":
        """Done."""
        if isinstance(reply, Unknown):
            return Swept((), f"whether plans were collected is unknown: {reply.why}")
        return Swept(reply.generations, "")


Sweeping: TypeAlias = SweepingHead | SweepingPlan | SweepingMarkers | Listing | Collecting
Sweep: TypeAlias = Sweeping | Swept


def collectable(
    plans: tuple[PlanSummary, ...], newest: Plan, lowest: int, retention: Retention, wall: float
) -> tuple[int, ...]:
    """The generations that nothing can need, lowest first.

    `lowest` is the least since in the zones; `wall` seconds since the epoch. Kept besides: the head, pinned plans, the
    plan in which any endpoint's present contents began (held ones and rollback targets among them), retention. Plans in
    which load balancers only took turns are routine: retention neither keeps them nor counts them, by number or by age.
    """
    begun = {entry.since for entry in newest.shards if entry.kind != "first"}
    told = [one for one in plans if not is_rotation(one.reason)]
    recent = {plan.generation for plan in told[: retention.plans]}
    young = {plan.generation for plan in told[: retention.cap] if wall - plan.at < retention.days * 86_400}
    kept = begun | recent | young | {newest.generation}
    return tuple(
        sorted(p.generation for p in plans if p.generation < lowest and p.generation not in kept and not p.pinned)
    )


def _reading(start: SweepingHead, plan: Plan) -> Sweep:
    zones = tuple(zone for zone, entries in plan.by_zone.items() if entries)
    if plan.record.stream != start.stream or not zones:
        return Swept((), f"the newest plan is not one of stream {start.stream}, or is empty")
    return SweepingMarkers(start, plan, zones, plan.generation)
