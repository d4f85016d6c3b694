"""Executable specification of a plan store: a value, and what each request does to it."""

from msgspec import Struct

from standfast.model.plan import Head, Plan

from .store import (
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


class StoreState(Struct, frozen=True):
    """Head, plans by rising generation, pins, and the newest observation of each source."""

    head: Head | None = None
    plans: tuple[Plan, ...] = ()
    pins: tuple[tuple[int, str], ...] = ()
    sources: tuple[tuple[str, int, bytes], ...] = ()

    def source(self, name: str) -> tuple[int, bytes]:
        """Revision and body; (0, b"") if there is none."""
        return next(((revision, body) for known, revision, body in self.sources if known == name), (0, b""))


def apply(state: StoreState, request: StoreRequest) -> tuple[StoreState, StoreReply]:
    """What the request does to the store and what is answered. Pure."""
    match request:
        case ReadHead():
            return state, HeadRead(state.head)
        case ReadPlan(digest):
            plan = next((plan for plan in state.plans if plan.digest == digest), None)
            return state, PlanRead(plan) if plan else PlanMissing()
        case Publish():
            return _publish(state, request)
        case ListPlans():
            return state, PlanList(tuple(_summary(state, plan) for plan in reversed(state.plans)))
        case Pin(generation, reason):
            others = tuple(pin for pin in state.pins if pin[0] != generation)
            return _with(state, pins=(*others, (generation, reason)) if reason else others), Pinned()
        case CollectPlans(generations):
            return _collect(state, generations)
        case PutSource(_, revision, _):
            after, reply = _put(state, (request,))
            return after, SourceStored(reply.revision if isinstance(reply, SourceMoved) else revision)
        case PutSources(puts):
            return _put(state, puts)
        case ReadSource(name):
            return state, SourceRead(*state.source(name))


def _with(
    state: StoreState,
    *,
    pins: tuple[tuple[int, str], ...] | None = None,
    sources: tuple[tuple[str, int, bytes], ...] | None = None,
    plans: tuple[Plan, ...] | None = None,
) -> StoreState:
    return StoreState(
        state.head,
        state.plans if plans is None else plans,
        state.pins if pins is None else pins,
        state.sources if sources is None else sources,
    )


def _publish(state: StoreState, request: Publish) -> tuple[StoreState, StoreReply]:
    if state.head != request.expect or (state.head and request.plan.generation <= state.head.generation):
        return state, HeadMoved(state.head)
    for name, revision in request.plan.record.sources:
        stored, _ = state.source(name)
        if stored > revision:
            return state, SourceMoved(name, stored)
    plans = tuple(plan for plan in state.plans if plan.generation != request.plan.generation)
    return StoreState(request.plan.head, (*plans, request.plan), state.pins, state.sources), Published()


def _put(state: StoreState, puts: tuple[PutSource, ...]) -> tuple[StoreState, SourcesStored | SourceMoved]:
    for one in puts:
        stored, _ = state.source(one.source)
        if one.revision <= stored:
            return state, SourceMoved(one.source, stored)
    names = {one.source for one in puts}
    kept = tuple(source for source in state.sources if source[0] not in names)
    return _with(state, sources=(*kept, *((one.source, one.revision, one.body) for one in puts))), SourcesStored()


def _collect(state: StoreState, generations: tuple[int, ...]) -> tuple[StoreState, StoreReply]:
    pinned = {generation for generation, _ in state.pins}
    protected = pinned | ({state.head.generation} if state.head else set())
    doomed = {plan.generation for plan in state.plans} & set(generations) - protected
    kept = tuple(plan for plan in state.plans if plan.generation not in doomed)
    return _with(state, plans=kept), Collected(tuple(sorted(doomed)))


def _summary(state: StoreState, plan: Plan) -> PlanSummary:
    record = plan.record
    pinned = next((reason for generation, reason in state.pins if generation == plan.generation), "")
    return PlanSummary(record.generation, plan.digest, record.at, record.author, record.reason, pinned)
