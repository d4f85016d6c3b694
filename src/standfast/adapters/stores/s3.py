"""The plan store in S3, for several machines without a cluster of their own.

What stands in which order, and why nothing needed is ever deleted: `s3_ledger.py`. Publishing costs a conditional read,
a look at each pack that is kept (three, mostly), and two writes; everything else that changes something one write.
"""

import secrets
import time
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
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceMoved,
    SourceRead,
    SourceStored,
    StoreReply,
    StoreRequest,
)

from .plan_store import PlanStore
from .s3_bucket import Absent, Bucket, Conflict, Trouble
from .s3_catalogue import INLINE_MAX, Catalogue, StoredPlan, StoredSource
from .s3_ledger import OBJECTS, Change, Ledger, Replaced
from .s3_packs import Index, decode_pack, encode_pack, index_of, laid_out
from .shardkeeping import Damage, RecentNodes, pack, unpack

GONE: Final = b"This observation is gone from the bucket."
"""In the place of an observation whose object somebody deleted: nothing that could be understood, and not nothing."""
_PACKS_MAX: Final = 64
_AWAY_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


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
        self._away, self._away_until, self._why_away = 0, 0.0, ""
        try:
            self._ledger.begin(make)
        except (Trouble, Damage) as error:
            raise StoreError(str(error) if isinstance(error, Trouble) else self._damaged(error)) from None

    def close(self) -> None:
        """Asked anything afterwards, it answers Unknown."""
        self._closed = True

    def replaced(self) -> bool:
        """Whether the catalogue is gone, or does not follow the one that was seen."""
        return bool(self._ledger.why_gone)

    def changed(self) -> bool:
        """Whether somebody else wrote since the last call, as far as is known: it looks every `look_s` at most."""
        now = time.monotonic()
        if not self._closed and now >= max(self._look_at, self._away_until) and not self._ledger.why_gone:
            self._look_at = now + self._look_s
            try:
                self._ledger.fetch()
                self._away = 0
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
        if time.monotonic() < self._away_until:
            return Unknown(self._why_away)
        try:
            reply = self._perform(request)
            self._away = 0
            return reply
        except Trouble as trouble:
            self._leave_alone(trouble)
            return Unknown(str(trouble))
        except Conflict:
            return Unknown(f"{self._bucket.place}: an object of ours was there already. Ask again.")
        except Absent as error:
            return Unknown(f"{error} is missing. Ask again; if it stays so, somebody deletes objects of the store.")
        except Replaced:
            return Unknown(self._ledger.why_gone)
        except StoreError as error:  # a newer program wrote it
            return Unknown(str(error))
        except (Damage, ShardDamaged) as error:
            return Unknown(self._damaged(error))

    def _leave_alone(self, trouble: Trouble) -> None:
        """Who can't be reached is not waited for at each request: enactors have other work."""
        if trouble.away:
            self._away_until = time.monotonic() + _AWAY_S[min(self._away, len(_AWAY_S) - 1)]
            self._away, self._why_away = self._away + 1, str(trouble)

    def _damaged(self, error: Exception) -> str:
        return (
            f"{self._bucket.place} is damaged: {error}. Put back an earlier version of the object that is damaged, or "
            "move the whole prefix aside: the planner then reads every zone and publishes above it."
        )

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
            case PutSource():
                return self._put_source(request)
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
        self._ledger.sweep(fence)
        return reply

    def _put_source(self, request: PutSource) -> StoreReply:
        body = pack(request.body)
        written, dead = list[str](), list[str]()

        def decide(catalogue: Catalogue) -> Change:
            dead.clear()
            before = catalogue.source(request.source)
            if request.revision <= (before.revision if before else 0):
                return Change(SourceStored(before.revision if before else 0))
            where = ""
            if len(body) > INLINE_MAX:
                if not written or not written[-1].startswith(f"{OBJECTS}{catalogue.fence}-"):
                    written.append(self._ledger.new_object(catalogue.fence, body))
                where = written[-1]
            dead.extend([before.where] if before and before.where else [])
            inline = b"" if where else body
            stored = StoredSource(request.source, request.revision, digest_of(request.body), inline, where)
            others = tuple(one for one in catalogue.sources if one.source != request.source)
            return Change(SourceStored(request.revision), replace(catalogue, sources=(*others, stored)))

        reply = self._ledger.change(decide)
        took = reply == SourceStored(request.revision) and self._ledger.seen is not None
        if took and self._ledger.seen is not None and not set(written[-1:]) <= self._ledger.seen.catalogue.objects:
            took = False  # somebody put the same revision
        self._ledger.tidied([*(written[:-1] if took else written), *(dead if took else [])])
        return reply


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
