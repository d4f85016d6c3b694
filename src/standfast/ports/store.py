"""What may be asked of a plan store: head, plans, publication by compare-and-set, pins, collection, sources."""

from typing import TypeAlias

from msgspec import Struct

from standfast.model.plan import Head, Plan

from .provider import Unknown


class ReadHead(Struct, frozen=True):
    """The newest published plan's generation and digest."""


class HeadRead(Struct, frozen=True):
    """The head; None in a store in which nothing was ever published."""

    head: Head | None


class ReadPlan(Struct, frozen=True):
    """The plan of that digest, whole."""

    digest: str


class PlanRead(Struct, frozen=True):
    """The plan, verified against its digest."""

    plan: Plan


class PlanMissing(Struct, frozen=True):
    """The store has no such plan (collected, or never published)."""


class Publish(Struct, frozen=True):
    """Make `plan` the head if the head is exactly `expect`, the plan's generation is above it, and no source's
    stored revision is newer than the one the plan names; all in one transaction."""

    expect: Head | None
    plan: Plan


class Published(Struct, frozen=True):
    """The plan is the head and will survive a crash."""


class HeadMoved(Struct, frozen=True):
    """Somebody else published; nothing was changed."""

    head: Head | None


class SourceMoved(Struct, frozen=True):
    """The store holds that revision of that source, newer than a plan names or not below one to be put; nothing was
    changed. Begin again from it."""

    source: str
    revision: int


class PlanSummary(Struct, frozen=True, array_like=True):
    """A stored plan without its entries. `at` is the planner's clock, seconds since the epoch, for people."""

    generation: int
    digest: str
    at: float
    author: str
    reason: str
    pinned: str


class ListPlans(Struct, frozen=True):
    """All stored plans, newest first."""


class PlanList(Struct, frozen=True):
    """Summaries, newest first."""

    plans: tuple[PlanSummary, ...]


class Pin(Struct, frozen=True):
    """Exempt a generation from collection for `reason`; an empty reason takes the pin away."""

    generation: int
    reason: str


class Pinned(Struct, frozen=True):
    """Done."""


class CollectPlans(Struct, frozen=True):
    """Delete these generations unless, in this very transaction, one is the head or pinned; and every shard that
    no remaining plan uses."""

    generations: tuple[int, ...]


class Collected(Struct, frozen=True):
    """What was deleted."""

    generations: tuple[int, ...]


class PutSource(Struct, frozen=True):
    """Record an observation (fleet, health) if its revision is above the stored one of that source."""

    source: str
    revision: int
    body: bytes


class SourceStored(Struct, frozen=True):
    """The revision the store holds now: the one put, or a newer one that was there."""

    revision: int


class PutSources(Struct, frozen=True):
    """Record all of these observations, of different sources, if each revision is above the stored one of its source;
    else none. In one transaction, and so at the price of one."""

    puts: tuple[PutSource, ...]


class SourcesStored(Struct, frozen=True):
    """All are stored, and will survive a crash. If one was not above what is stored, the reply is SourceMoved."""


class ReadSource(Struct, frozen=True):
    """The newest observation of a source."""

    source: str


class SourceRead(Struct, frozen=True):
    """Revision 0 and no body if there never was one."""

    revision: int
    body: bytes


StoreRequest: TypeAlias = (
    ReadHead | ReadPlan | Publish | ListPlans | Pin | CollectPlans | PutSource | PutSources | ReadSource
)
StoreReply: TypeAlias = (
    HeadRead
    | PlanRead
    | PlanMissing
    | Published
    | HeadMoved
    | SourceMoved
    | PlanList
    | Pinned
    | Collected
    | SourceStored
    | SourcesStored
    | SourceRead
    | Unknown
)
