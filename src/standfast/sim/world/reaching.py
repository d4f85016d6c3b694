"""G4: from any zone, one enactor with the newest plan gets there by itself, and then leaves the zone alone."""

from typing import Final

from standfast.core.enactor import Enactor, Occasion
from standfast.model.plan import Plan
from standfast.ports import provider_spec
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent
from standfast.ports.provider import Replace
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import HeadRead, PlanMissing, PlanRead, ReadHead, ReadPlan
from standfast.sim.properties import not_reached

REQUESTS_MAX: Final = 200
"""A pass that asks more than this does not end."""
PASSES: Final[tuple[Occasion, ...]] = ("start", "look", "look", "audit")
"""Within these a lone enactor has to get there: a start, two looks, and one full audit."""
_LONE: Final = 0xA10E << 48
"""Its nonces begin here; no search numbers that many."""


def lone_enactor(zone: ZoneState, plan: Plan) -> tuple[ZoneState, str]:
    """The zone once a fresh enactor with `plan` has done what it can, and why that is wrong (empty: it is right).

    No fault happens; nobody else writes. It stops at the first pass after which the plan is reached, and must not
    change the zone in another one.
    """
    core, drawn = Enactor("lone", plan.record.stream), 0
    for occasion in PASSES:
        zone, core, drawn, why = _pass(zone, core, plan, occasion, drawn)
        if why:
            return zone, why
        if not not_reached(zone, plan):
            break
    else:
        return zone, f"a lone enactor with the newest plan ends with: {not_reached(zone, plan)}"
    still, _, _, why = _pass(zone, core, plan, "audit", drawn)
    return zone, why or ("" if still == zone else "a lone enactor goes on writing")


def _pass(
    zone: ZoneState, core: Enactor, plan: Plan, occasion: Occasion, drawn: int
) -> tuple[ZoneState, Enactor, int, str]:
    core = core.wake(occasion, 0.0)
    for _ in range(REQUESTS_MAX):
        request = core.request
        match request:
            case None:
                return zone, core, drawn, ""
            case DrawNonce():
                drawn += 1
                core = core.heard(Nonce(f"{_LONE + drawn:016x}"))
            case RecordIntent():
                core = core.heard(Recorded())
            case KeepCopy():
                core = core.heard(Kept())
            case RecallCopy():
                core = core.heard(PlanMissing())
            case ReadHead():
                core = core.heard(HeadRead(plan.head))
            case ReadPlan():
                core = core.heard(PlanRead(plan))
            case _:
                before = zone
                zone, reply = provider_spec.apply(zone, request)
                if isinstance(request, Replace) and zone is before:
                    return zone, core, drawn, f"a lone enactor's change is answered with {type(reply).__name__}"
                core = core.heard(reply)
    return zone, core, drawn, "a lone enactor does not come to rest"
