"""The production cleaner as a component: it may die anywhere, and its last request may arrive late."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from standfast.core.cleaner import Collecting, Retention, Sweep, Sweeping, SweepingHead, Swept
from standfast.ports import provider_spec, store_spec
from standfast.ports.provider import Read
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import Collected, CollectPlans
from standfast.ports.store_spec import StoreState
from standfast.sim.properties import wrong_with_collection
from standfast.sim.search.product import Outcome, Step

from .acting import Act, Places
from .bounds import Run
from .enacting import TIME_OUT
from .histories import STREAM

LANE: Final = "cleaner"
NOTHING_KEPT: Final = Retention(plans=1, days=0.0)
"""No retention: it serves people, and safety must not rest on it."""


class Cleaner(Struct, frozen=True):
    """Where the pass stands (None: between passes), and a collection that is still under way."""

    phase: Sweeping | None = None
    late: CollectPlans | None = None


def cleaner(run: Run, places: Places, at: dict[str, int]) -> list[Act]:
    """The rules of the cleaner, and its place."""
    if not run.cleaner:
        return []
    place, zone, store = places.add(LANE, Cleaner()), at["zone"], at["store"]
    fired = _Fired(run)
    return [
        Act("cleaner begins", (place,), (place,), fired.begin),
        Act("cleaner reads the zone", (place, zone), (place,), fired.look),
        Act("cleaner asks the store", (place, store, zone), (place, store), fired.ask),
        Act("late collection", (place, store, zone), (place, store), fired.land),
        Act("cleaner crashes", (place,), (place,), fired.die),
    ]


class _Fired:
    """What the cleaner does."""

    def __init__(self, run: Run) -> None:
        self._late = "late" in run.faults

    def begin(self, at: Cleaner) -> Iterable[Outcome]:
        """A pass begins."""
        if at.phase is None:
            yield Outcome(Step(LANE, "begins a pass"), (Cleaner(SweepingHead(STREAM, NOTHING_KEPT, 0.0), at.late),))

    def die(self, at: Cleaner) -> Iterable[Outcome]:
        """It is started again."""
        if at.phase is not None:
            yield Outcome(Step(LANE, "crashes and is started again"), (Cleaner(None, at.late),))

    def look(self, at: Cleaner, zone: ZoneState) -> Iterable[Outcome]:
        """Every marker."""
        if at.phase is None or not isinstance(at.phase.request, Read):
            return
        reply = provider_spec.apply(zone, at.phase.request)[1]
        after, text = _after(at, at.phase.heard(reply), "reads all markers")  # type: ignore[arg-type]
        yield Outcome(Step(LANE, text), (after,))

    def ask(self, at: Cleaner, store: StoreState, zone: ZoneState) -> Iterable[Outcome]:
        """Head, plan, list; and the collection itself, which the store checks once more."""
        if at.phase is None or isinstance(at.phase.request, Read):
            return
        request = at.phase.request
        stored, reply = store_spec.apply(store, request)
        text = f"asks the store ({type(request).__name__})"
        if isinstance(at.phase, Collecting) and isinstance(reply, Collected):
            text = f"collects plans {', '.join(map(str, reply.generations)) or 'none'}"
        wrong = wrong_with_collection(store, stored, [zone])
        after, said = _after(at, at.phase.heard(reply), text)  # type: ignore[arg-type]
        yield Outcome(Step(LANE, said), (after, stored), wrong[0] if wrong else "")
        if isinstance(at.phase, Collecting) and self._late and at.late is None:
            after, _ = _after(at, at.phase.heard(TIME_OUT), "")
            delayed = Cleaner(after.phase, at.phase.request)
            yield Outcome(Step(LANE, "collects plans: the request is delayed"), (delayed, store))

    def land(self, at: Cleaner, store: StoreState, zone: ZoneState) -> Iterable[Outcome]:
        """The delayed collection arrives."""
        if at.late is None:
            return
        stored, _ = store_spec.apply(store, at.late)
        wrong = wrong_with_collection(store, stored, [zone])
        text = f"a late collection of plans {', '.join(map(str, at.late.generations))} arrives"
        yield Outcome(Step("network", text), (Cleaner(at.phase), stored), wrong[0] if wrong else "")


def _after(at: Cleaner, phase: Sweep, text: str) -> tuple[Cleaner, str]:
    if isinstance(phase, Swept):
        return Cleaner(None, at.late), f"{text}; the pass ends" + (f": {phase.why}" if phase.why else "")
    return Cleaner(phase, at.late), text
