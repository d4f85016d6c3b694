"""The plan store in S3, for several machines without a cluster of their own.

What stands in which order, and why nothing needed is ever deleted: `s3_ledger.py`. Publishing costs a conditional read,
a look at each pack that is kept (three, mostly), and two writes; everything else that changes something one write.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Final, assert_never

from msgspec.structs import replace

from standfast.errors import StoreError
from standfast.model.plan import Head, Plan, read_plan
from standfast.model.shards import ShardDamaged, digest_of
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    Collected,
    CollectPlans,
    HeadMoved,
    HeadRead,
    ListPlans,
    Pin,
    Pinned,
    PlanList,
    PlanMissing,
    PlanRead,
    PlanSummary,
    Publish,
    Published,
    PutSource,
    PutSources,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceMoved,
    SourceRead,
    SourcesStored,
    SourceStored,
    StoreReply,
    StoreRequest,
)

from .absence import Absence
from .plan_store import PlanStore
from .s3_bucket import Absent, Bucket, Conflict, Trouble
from .s3_catalogue import INLINE_MAX, Catalogue, StoredPlan, StoredSource
from .s3_ledger import Change, Ledger, Replaced
from .s3_packs import Index, decode_pack, encode_pack, index_of, laid_out
from .shardkeeping import Damage, RecentNodes, damage_told, pack, unpack

GONE: Final = b"This observation is gone from the bucket."
"""In the place of an observation whose object somebody deleted: nothing that could be understood, and not nothing."""
_REPLACE: Final = (
    "Put back an earlier version of the object that is damaged, or move the whole prefix aside: the planner then reads "
    "every zone and publishes above it."
)
_FAILURES: Final = (Trouble, Conflict, Absent, Replaced, Damage, ShardDamaged)
_PACKS_MAX: Final = 64


class S3Store(PlanStore):
    """One store; it belongs to the thread that made it.

    `look_s` is how often `changed` looks at most; `patience_s` how long a write goes on against others' writes. With
    `make` a store that isn't there is made. Raises StoreError if it can't be opened.
    """

    def __init__(self, bucket: Bucket, *, make: bool = True, look_s: float = 1.0, patience_s: float = 15.0) -> None:
        self._bucket, self._look_s, self._ledger = bucket, look_s, Ledger(bucket, patience_s)
        self._recent = RecentNodes()
        self._packs: dict[str, Index] = {}
        self._closed, self._look_at = False, 0.0
        self._absence = Absence()
        self._unswept = ""
        try:
            self._ledger.begin(make)
        except _FAILURES as error:
            raise StoreError(self._why(error)) from None

    def close(self) -> None:
        """Asked anything afterwards, it answers Unknown."""
        self._closed = True

    def replaced(self) -> bool:
        """Whether the catalogue is gone, or does not follow the one that was seen."""
        return bool(self._ledger.why_gone)

    def changed(self) -> bool:
        """Whether somebody else wrote since the last call, as far as is known: it looks every `look_s` at most."""
        now = time.monotonic()
        if not self._closed and now >= self._look_at and not self._absence.why and not self._ledger.why_gone:
            self._look_at = now + self._look_s
            try:
                self._ledger.fetch()
                self._absence.ends()
            except Trouble as trouble:
                self._leave_alone(trouble)
            except (Damage, StoreError):
                pass
            except Replaced:
                self._ledger.news = True
        news, self._ledger.news = self._ledger.news, False
        return news

    def _answer(self, request: StoreRequest) -> StoreReply:
        if self._closed:
            return Unknown("The plan store was closed. Open it again.")
        if self._ledger.why_gone:
            return Unknown(self._ledger.why_gone)
        if why := self._absence.why:
            return Unknown(why)
        try:
            reply = self._perform(request)
            self._absence.ends()
            return reply
        except StoreError as error:  # a newer program wrote it
            return Unknown(str(error))
        except _FAILURES as error:
            if isinstance(error, Trouble):
                self._leave_alone(error)
            return Unknown(self._why(error))

    def _why(self, error: Exception) -> str:
        """One of _FAILURES in words."""
        if isinstance(error, Conflict):
            return f"{self._bucket.place}: an object of ours was there already. Ask again."
        if isinstance(error, Absent):
            return f"{error} is missing. Ask again; if it stays so, somebody deletes objects of the store."
        if isinstance(error, Replaced):
            return self._ledger.why_gone
        if isinstance(error, Trouble):
            return str(error)
        return " ".join(damage_told(self._bucket.place, error, _REPLACE))

    def _leave_alone(self, trouble: Trouble) -> None:
        if trouble.away:
            self._absence.begins(str(trouble))

    # -- requests ------------------------------------------------------------------------------------------------

    def _perform(self, request: StoreRequest) -> StoreReply:
        match request:
            case ReadHead():
                return HeadRead(self._ledger.fetch().catalogue.head)
            case ReadPlan(digest):
                return self._read_plan(digest)
            case ListPlans():
                catalogue = self._ledger.fetch().catalogue
                pins = dict(catalogue.pins)
                return PlanList(tuple(_summary(one, pins) for one in reversed(catalogue.plans)))
            case ReadSource(source):
                return self._read_source(source)
            case Publish():
                return self._publish(request)
            case Pin():
                return self._ledger.change(lambda catalogue: _pinned(catalogue, request))
            case CollectPlans(generations):
                return self._collect(generations)
            case PutSource(_, revision, _):
                reply = self._put((request,))
                return SourceStored(reply.revision if isinstance(reply, SourceMoved) else revision)
            case PutSources(puts):
                return self._put(puts)
            case _:
                assert_never(request)

    def _read_plan(self, digest: str) -> PlanRead | PlanMissing:
        stored = self._ledger.fetch().catalogue.plan(digest)
        if stored is None:
            return PlanMissing()
        plan = self._recent.plan(digest)
        if plan is None:
            try:
                plan = self._loaded(stored)
            except Absent:
                # Collected since, or deleted by hand: it can't be had here, and a planner publishes above it.
                return PlanMissing()
            self._recent.remember(plan)
            if len(self._packs) > _PACKS_MAX:
                self._packs = {name: index for name, index in self._packs.items() if name in stored.packs}
        return PlanRead(plan)

    def _loaded(self, stored: StoredPlan) -> Plan:
        opened: dict[str, dict[str, bytes]] = {}

        def contents(name: str) -> dict[str, bytes]:
            if name not in opened:
                got = self._bucket.get(name)
                assert got is not None
                opened[name] = decode_pack(name, got.body)
                self._packs[name] = index_of(opened[name])
            return opened[name]

        def fetch(digests: list[str]) -> dict[str, bytes]:
            found: dict[str, bytes] = {}
            for name in reversed(stored.packs):
                lacking = [digest for digest in digests if digest not in found]
                if lacking and (name not in self._packs or any(digest in self._packs[name] for digest in lacking)):
                    found |= {digest: contents(name)[digest] for digest in lacking if digest in contents(name)}
            return found

        record = contents(stored.packs[-1]).get(stored.digest)
        if record is None:
            raise Damage(f"pack {stored.packs[-1]} lacks the record of generation {stored.generation}")
        return read_plan(stored.digest, record, fetch, self._recent.nodes)

    def _read_source(self, source: str) -> SourceRead:
        for again in (True, False):
            stored = self._ledger.fetch().catalogue.source(source)
            if stored is None:
                return SourceRead(0, b"")
            try:
                got = self._bucket.get(stored.where) if stored.where else None
            except Absent:
                if again:
                    continue  # a newer one was put since, and this one deleted
                return SourceRead(stored.revision, GONE)
            body = unpack(f"of source {source}", got.body if got else stored.body)
            if digest_of(body) != stored.digest:
                raise Damage(f"the observation of source {source} does not match its digest")
            return SourceRead(stored.revision, body)
        raise AssertionError

    def _publish(self, request: Publish) -> StoreReply:
        drafts: list[tuple[str, tuple[str, ...]]] = []
        """(fence, packs) of what was written for it, the newest last."""

        def decide(catalogue: Catalogue) -> Change:
            if refusal := _refusal(catalogue, request):
                return Change(refusal)
            before = catalogue.plan(catalogue.digest)
            there = before.packs if before else ()
            usable = drafts and drafts[-1][0] == catalogue.fence and set(drafts[-1][1][:-1]) <= set(there)
            if not usable:
                drafts.append((catalogue.fence, self._packed(request.plan, there, catalogue.fence)))
            record, plan = request.plan.record, request.plan
            stored = StoredPlan(
                plan.generation, plan.digest, float(record.at), record.author, record.reason, drafts[-1][1]
            )
            changed = replace(
                catalogue, generation=plan.generation, digest=plan.digest, plans=(*catalogue.plans, stored)
            )
            return Change(Published(), changed)

        reply = self._ledger.change(decide, fresh=True)
        written = [packs[-1] for _, packs in drafts]
        if isinstance(reply, Published):
            self._recent.remember(request.plan)
            self._packs = {name: index for name, index in self._packs.items() if name in drafts[-1][1]}
            written.pop()
        self._ledger.tidied(written)
        return reply

    def _packed(self, plan: Plan, before: tuple[str, ...], fence: str) -> tuple[str, ...]:
        """The plan's packs, the new one written. What is kept is there: somebody may delete objects by hand."""
        there = [name for name in before if name in self._packs and self._bucket.has(name)]
        layout = laid_out(plan, there, self._packs)
        name = self._ledger.new_object(fence, encode_pack(plan, layout.added))
        self._packs[name] = {node.digest: len(node.stored) for node in layout.added} | {plan.digest: len(plan.stored)}
        return (*layout.kept, name)

    def _collect(self, generations: tuple[int, ...]) -> Collected:
        """Who can't list or delete takes plans off the catalogue once, and from then on says what is in the way."""
        if self._unswept:
            self._unswept = self._ledger.sweep(self._ledger.fetch().catalogue.fence)
            if self._unswept:
                raise Trouble(f"{self._unswept} Objects of collected plans still lie there, so no more are collected.")
        fence = secrets.token_hex(6)
        doomed: set[int] = set()

        def decide(catalogue: Catalogue) -> Change:
            protected = {catalogue.generation, *(generation for generation, _ in catalogue.pins)}
            doomed.clear()
            doomed.update({one.generation for one in catalogue.plans} & set(generations) - protected)
            plans = tuple(one for one in catalogue.plans if one.generation not in doomed)
            return Change(Collected(tuple(sorted(doomed))), replace(catalogue, plans=plans, fence=fence))

        reply = self._ledger.change(decide)
        assert isinstance(reply, Collected)
        self._unswept = self._ledger.sweep(fence)
        return reply

    def _put(self, puts: tuple[PutSource, ...]) -> StoreReply:
        bodies = [pack(one.body) for one in puts]
        drafts: list[tuple[str, tuple[str, ...]]] = []
        """(fence, where each body stands; empty: in the catalogue), the newest last."""
        dead = list[str]()

        def decide(catalogue: Catalogue) -> Change:
            there = {one.source: one for one in catalogue.sources}
            for one in puts:
                before = there.get(one.source)
                if one.revision <= (before.revision if before else 0):
                    return Change(SourceMoved(one.source, before.revision if before else 0))
            dead[:] = [there[one.source].where for one in puts if one.source in there and there[one.source].where]
            if not drafts or drafts[-1][0] != catalogue.fence:
                drafts.append((catalogue.fence, self._placed(catalogue.fence, bodies)))
            for one, body, where in zip(puts, bodies, drafts[-1][1], strict=True):
                inline = b"" if where else body
                there.pop(one.source, None)
                there[one.source] = StoredSource(one.source, one.revision, digest_of(one.body), inline, where)
            return Change(SourcesStored(), replace(catalogue, sources=tuple(there.values())))

        reply = self._ledger.change(decide)
        took = reply == SourcesStored()
        lost = [where for _, places in (drafts[:-1] if took else drafts) for where in places if where]
        self._ledger.tidied([*lost, *(dead if took else [])])
        return reply

    def _placed(self, fence: str, bodies: Sequence[bytes]) -> tuple[str, ...]:
        return tuple(self._ledger.new_object(fence, one) if len(one) > INLINE_MAX else "" for one in bodies)


def _summary(one: StoredPlan, pins: dict[int, str]) -> PlanSummary:
    return PlanSummary(one.generation, one.digest, one.at, one.author, one.reason, pins.get(one.generation, ""))


def _refusal(catalogue: Catalogue, request: Publish) -> HeadMoved | SourceMoved | None:
    head: Head | None = catalogue.head
    if head != request.expect or (head and request.plan.generation <= head.generation):
        return HeadMoved(head)
    for name, revision in request.plan.record.sources:
        stored = catalogue.source(name)
        if stored and stored.revision > revision:
            return SourceMoved(name, stored.revision)
    return None


def _pinned(catalogue: Catalogue, request: Pin) -> Change:
    others = tuple(pin for pin in catalogue.pins if pin[0] != request.generation)
    pins = (*others, (request.generation, request.reason)) if request.reason else others
    return Change(Pinned(), None if pins == catalogue.pins else replace(catalogue, pins=pins))
