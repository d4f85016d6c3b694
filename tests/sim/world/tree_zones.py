"""A zone in which trees stand, and passes over it that are answered in full."""

from standfast.core.collector import GatheringHead
from standfast.core.gathering import Charge, Gathered
from standfast.model.plan import Plan
from standfast.model.tree import read_tree_name
from standfast.ports import provider_spec, trees_spec
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent
from standfast.ports.provider import Read
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import HeadRead, ListPlans, PlanList, PlanRead, PlanSummary, ReadHead, ReadPlan
from standfast.sim.world.histories import STREAM, ZONE, history
from standfast.sim.world.reaching import lone_enactor

PLANS = history("t", "u", "v", "t")


def grown(upto: int = 4, plans: tuple[Plan, ...] = PLANS) -> ZoneState:
    """A zone in which these plans were enacted in turn."""
    zone = ZoneState(ZONE, {})
    for plan in plans[:upto]:
        zone, why = lone_enactor(zone, plan)
        assert why == ""
    return zone


def trees(zone: ZoneState) -> list[int]:
    return sorted({tree.since for owner, _ in zone.rrsets if (tree := read_tree_name(owner, ZONE)) is not None})


def gather(
    zone: ZoneState,
    charge: Charge,
    pinned: tuple[int, ...] = (),
    refused: dict[str, object] | None = None,
    plans: tuple[Plan, ...] = PLANS,
) -> tuple[ZoneState, Gathered]:
    """One pass by the last of the plans, everything answered; `refused` are replies given instead, by request."""
    refused = refused or {}
    phase: object = GatheringHead(charge)
    while not isinstance(phase, Gathered):
        request = phase.request  # type: ignore[attr-defined]
        reply: object
        match request:
            case ReadHead():
                reply = HeadRead(plans[-1].head)
            case ReadPlan(digest):
                reply = PlanRead(next(plan for plan in plans if plan.digest == digest))
            case ListPlans():
                some = [
                    PlanSummary(p.generation, p.digest, 0.0, "", "", "kept" * (p.generation in pinned)) for p in plans
                ]
                reply = PlanList(tuple(some))
            case DrawNonce():
                reply = Nonce("0" * 16)
            case RecordIntent():
                reply = Recorded()
            case Read():
                reply = provider_spec.apply(zone, request)[1]
            case _:
                after, reply = trees_spec.apply(zone, request)
                zone = after if type(request).__name__ not in refused else zone
        phase = phase.heard(refused.get(type(request).__name__, reply))  # type: ignore[attr-defined]
    return zone, phase


def charge(now: float, **more: object) -> Charge:
    fixed: dict[str, object] = {"wait_s": ((ZONE, 10.0),), "keep": 0, **more}
    return Charge(STREAM, (ZONE,), now, **fixed)  # type: ignore[arg-type]
