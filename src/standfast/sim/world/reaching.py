"""G4: from any zone, one enactor with the newest plan gets there by itself, and then leaves the zone alone."""

from typing import Final, NamedTuple

from standfast.core.enactor import Enactor, EnactorRequest, Occasion
from standfast.model.plan import Plan
from standfast.ports import provider_spec
from standfast.ports.local import Admit, Admitted, DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent
from standfast.ports.provider import Changes, Confirm, Read, ReadChanges, Replace
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import HeadRead, PlanMissing, PlanRead, ReadHead, ReadPlan
from standfast.sim.properties import not_reached

from .telling import asking_text

REQUESTS_MAX: Final = 200
"""A pass that asks more than this does not end."""
PASSES: Final[tuple[Occasion, ...]] = ("start", "look", "look", "audit")
"""Within these a lone enactor has to get there: a start, two looks, and one full audit."""
_LONE: Final = 0xA10E << 48
"""Its nonces begin here; no search numbers that many."""


SURVIVOR_PASSES: Final[tuple[Occasion, ...]] = ("look", "look", "look", "audit", "look")
"""One that lives on may believe what is no longer so, which costs it a conflict, and with that a pass."""


def lone_enactor(zone: ZoneState, plan: Plan) -> tuple[ZoneState, str]:
    """The zone once a fresh enactor with `plan` has done what it can, and why that is wrong (empty: it is right).

    No fault happens; nobody else writes. It stops at the first pass after which the plan is reached, and must not
    change the zone in another one.
    """
    alone = _Alone(zone, Enactor("lone", plan.record.stream), plan, conflicts=False)
    return _ended(alone, PASSES)


class Told(NamedTuple):
    """One public step of a lone enactor, and the world after it."""

    text: str
    zone: ZoneState
    core: Enactor


def told_alone(zone: ZoneState, plan: Plan) -> tuple[Told, ...]:
    """What a fresh enactor with `plan` does to a zone that it does not get right, for people."""
    alone = _Alone(zone, Enactor("lone", plan.record.stream), plan, conflicts=False, telling=True)
    _ended(alone, PASSES)
    return tuple(alone.told)


def survivor(zone: ZoneState, core: Enactor, plan: Plan) -> str:
    """Why this enactor, left alone just as it stands, would not reach the newest plan by itself; empty: it would.

    It may be in the middle of a pass, hold an old plan, and believe what is no longer so.
    """
    alone = _Alone(zone, core, plan, conflicts=True)
    if core.plan is None and core.request is None:
        return _ended(alone, PASSES)[1]
    why = alone.finish()
    return why or _ended(alone, SURVIVOR_PASSES)[1]


def _ended(alone: "_Alone", passes: tuple[Occasion, ...]) -> tuple[ZoneState, str]:
    for occasion in passes:
        if why := alone.run(occasion):
            return alone.zone, why
        if not not_reached(alone.zone, alone.plan):
            break
    else:
        why = f"a lone enactor with the newest plan ends with: {not_reached(alone.zone, alone.plan)}"
        return alone.zone, why
    still = alone.zone
    why = alone.run("audit")
    return still, why or ("" if alone.zone == still else "a lone enactor goes on writing")


class _Alone:
    """One enactor and a zone. Without `conflicts`, one is a failure: it asserts only what it has just read."""

    def __init__(self, zone: ZoneState, core: Enactor, plan: Plan, *, conflicts: bool, telling: bool = False) -> None:
        self.zone = zone
        self.core = core
        self.plan = plan
        self._conflicts = conflicts
        self._drawn = 0
        self._looked: ZoneState | None = None
        self.telling = telling
        self.told: list[Told] = []

    def run(self, occasion: Occasion) -> str:
        """One pass; what is wrong with it."""
        self.core = self.core.wake(occasion, 0.0)
        return self.finish()

    def finish(self) -> str:
        """The rest of a pass; what is wrong with it."""
        for _ in range(REQUESTS_MAX):
            request = self.core.request
            if request is None:
                return ""
            before, asking = self.zone, self.core
            reply = self._answer(request)
            self.core = asking.heard(reply)
            if self.telling and isinstance(request, Read | Confirm | Replace):
                self.told.append(Told(f"{asking_text(asking)} → {type(reply).__name__}", self.zone, self.core))
            if isinstance(request, Replace) and self.zone is before and not self._conflicts:
                return f"a lone enactor's change is answered with {type(reply).__name__}"
        return "a lone enactor does not come to rest"

    def _answer(self, request: EnactorRequest) -> object:
        match request:
            case DrawNonce():
                self._drawn += 1
                return Nonce(f"{_LONE + self._drawn:016x}")
            case RecordIntent():
                return Recorded()
            case KeepCopy():
                return Kept()
            case RecallCopy():
                return PlanMissing()
            case ReadHead():
                return HeadRead(self.plan.head)
            case ReadPlan():
                return PlanRead(self.plan)
            case Admit(urgent, rest):
                return Admitted((*urgent, *rest))
            case ReadChanges(_, serial):
                return self._changes(serial)
        self.zone, reply = provider_spec.apply(self.zone, request)
        return reply

    def _changes(self, serial: int | None) -> Changes:
        """Everything may have changed before the first look; after that, it is known."""
        same = self._looked == self.zone and serial is not None
        self._looked = self.zone
        return Changes(serial or 1, ()) if same else Changes((serial or 1) + 1, None)
