"""Production cleaners of trees as components: any number, each of which may die anywhere, answer late, be repeated.

Which plan a pass takes for the newest is left open: what it reads of the store may be old. Its grace is over from the
start (but where time passes, `waiting.py`): it serves clients, and safety must not rest on it. What concerns nobody
else is taken at once, as in `enacting`.

A deletion under way asserts only what stands. That something is absent Route 53 can't be told: the adapter looks at it
just before it sends.
"""

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.core.collector import Deleting, Gather, Gathering, GatheringHead
from standfast.core.gathering import Charge, Gathered
from standfast.core.unneeded import Unneeded
from standfast.model.plan import Plan
from standfast.ports import provider_spec, trees_spec
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent
from standfast.ports.provider import Read, Readings, Written
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import HeadRead, ListPlans, PlanList, PlanRead, ReadHead, ReadPlan
from standfast.ports.store_spec import StoreState
from standfast.ports.trees import CollectTree, ListPointers, ListTree
from standfast.sim.search.product import FRESH, Outcome, Step

from .acting import Act, Ghosts, Judge, Places, UnderWay
from .bounds import Run
from .enacting import TIME_OUT
from .histories import STREAM, ZONE
from .telling import collection_text, short
from .waiting import LONG_AGO, Clock, remembered, wait_s

LANE: Final = "tree cleaner"


class Collector(Struct, frozen=True):
    """Where the pass stands; None: between passes. `values`: what was read of a reading whose keys are asked singly.
    `memory` is what the last pass left, `began` when this one began."""

    phase: Gathering | None = None
    values: tuple[object, ...] = ()
    memory: tuple[Unneeded, ...] = ()
    began: float = 0.0


def collectors(run: Run, judge: Judge, places: Places, at: dict[str, int]) -> tuple[list[Act], tuple[int, ...]]:
    """The rules of the cleaners of trees, and their places."""
    acts: list[Act] = []
    slots = [number for name, number in at.items() if name.startswith("slot")]
    found = []
    for number in range(run.collectors):
        lane = f"{LANE} {number + 1}" if run.collectors > 1 else LANE
        place, zone, store, ghosts = places.add(lane, Collector()), at["zone"], at["store"], at["ghosts"]
        fired = _Fired(run, judge, lane)
        found.append(place)
        time = (at["clock"],) if run.ticks else ()
        acts += [
            Act("tree cleaner begins", (place, store, *time), (place,), fired.begin),
            Act("tree cleaner reads the zone", (place, zone, *time), (place,), fired.look),
            Act("tree cleaner deletes", (place, zone, ghosts, *time), (place, zone, ghosts), fired.delete),
        ]
        if run.crashes:
            acts.append(Act("tree cleaner crashes", (place,), (place,), fired.die))
        if "lost" in run.faults:
            acts.append(Act("deletion is lost", (place,), (place,), fired.lose))
        for slot in slots if "late" in run.faults else ():
            acts.append(Act("deletion is late", (place, slot), (place, slot), fired.late))
        for slot in slots if "repeated" in run.faults else ():
            places_read = (place, zone, ghosts, slot)
            acts.append(Act("deletion is repeated", places_read, places_read, fired.repeat))
    return acts, tuple(found)


def gathered_alone(zone: ZoneState, plan: Plan) -> tuple[ZoneState, Gathered]:
    """The zone after an undisturbed pass of a cleaner that knows this plan."""
    phase: Gather = _begun(plan, Charge(STREAM, (ZONE,), 0.0, ((ZONE, LONG_AGO),), keep=0))
    while not isinstance(phase, Gathered):
        request: Any = phase.request
        if isinstance(request, Read):
            reply: Any = provider_spec.apply(zone, request)[1]
        else:
            zone, reply = trees_spec.apply(zone, request)
        phase = _settled(phase.heard(reply))
    return zone, phase


def _begun(plan: Plan, charge: Charge) -> Gather:
    """A pass that has been to the store, where nothing is pinned."""
    phase: Any = GatheringHead(charge)
    while not isinstance(phase, Gathered) and isinstance(phase.request, ReadHead | ReadPlan | ListPlans):
        match phase.request:
            case ReadHead():
                phase = phase.heard(HeadRead(plan.head))
            case ReadPlan():
                phase = phase.heard(PlanRead(plan))
            case ListPlans():
                phase = phase.heard(PlanList(()))
    return phase  # type: ignore[no-any-return]


class _Fired:
    """What one cleaner of trees does."""

    def __init__(self, run: Run, judge: Judge, lane: str) -> None:
        self._run, self._judge, self._lane = run, judge, lane

    def begin(self, at: Collector, store: StoreState, clock: Clock | None = None) -> Iterable[Outcome]:
        """A pass, with any plan that there is."""
        if at.phase is None:
            now = float(clock.now) if clock is not None else 0.0
            charge = Charge(STREAM, (ZONE,), now, ((ZONE, wait_s(self._run)),), keep=0, memory=at.memory)
            for plan in store.plans:
                phase = _begun(plan, charge)
                if not isinstance(phase, Gathered):
                    text = f"begins a pass, by plan {plan.generation}"
                    yield Outcome(Step(self._lane, text), (Collector(phase, began=now),))

    def die(self, at: Collector) -> Iterable[Outcome]:
        """It is started again."""
        if at.phase is not None:
            yield Outcome(Step(self._lane, "crashes and is started again"), (Collector(),))

    def look(self, at: Collector, zone: ZoneState, clock: Clock | None = None) -> Iterable[Outcome]:
        """A page of the listing; or floor, marker, root and rollback alias, if it is wished key by key."""
        request = at.phase.request if at.phase is not None else None
        if isinstance(request, ListTree):
            reply: Any = trees_spec.apply(zone, request)[1]
            yield self._after(at, reply, "lists all trees", clock)
        elif isinstance(request, ListPointers):
            yield self._after(at, trees_spec.apply(zone, request)[1], "looks through the whole zone", clock)
        elif isinstance(request, Read):
            if self._run.key_by_key and len(at.values) < len(request.keys) - 1:
                value = self._next_value(at, request, zone)
                said = f"reads what refers to trees ({len(at.values) + 1} of {len(request.keys)})"
                yield Outcome(Step(self._lane, said), (replace(at, values=(*at.values, value)),))
                return
            reply = provider_spec.apply(zone, request)[1]
            if self._run.key_by_key:
                reply = Readings((*at.values, self._next_value(at, request, zone)))  # type: ignore[arg-type]
            yield self._after(at, reply, f"reads what refers to trees of {short(request.keys[2][0])}", clock)

    def _next_value(self, at: Collector, request: Read, zone: ZoneState) -> object:
        place = len(at.values)
        reply = provider_spec.apply(zone, Read(request.zone, request.keys[place : place + 1]))[1]
        return reply.values[0] if isinstance(reply, Readings) else reply

    def delete(self, at: Collector, zone: ZoneState, ghosts: Ghosts, clock: Clock | None = None) -> Iterable[Outcome]:
        """The deletion arrives at once. Its reply may be lost."""
        if (change := _change(at)) is None:
            return
        arrived = self._judge.collected(zone, ghosts, change)
        replies: list[object] = [arrived.reply]
        if "lost" in self._run.faults and isinstance(arrived.reply, Written):
            replies.append(TIME_OUT)
        for reply in replies:
            lost = ", and the reply is lost" if reply is TIME_OUT else ""
            done = self._after(at, reply, f"{collection_text(change)} → {type(arrived.reply).__name__}{lost}", clock)
            told = replace(done.step, refused=arrived.refused)
            soon = clock.too_soon(change) if clock is not None and isinstance(arrived.reply, Written) else ""
            yield Outcome(told, (*done.values, arrived.zone, arrived.ghosts), arrived.violation or soon)

    def lose(self, at: Collector) -> Iterable[Outcome]:
        """The request never arrives."""
        if (change := _change(at)) is not None:
            yield self._after(at, TIME_OUT, f"{collection_text(change)}: the request is lost")

    def late(self, at: Collector, slot: UnderWay | None) -> Iterable[Outcome]:
        """No answer comes, and the request is still under way."""
        change = _change(at)
        if change is not None and slot is None:
            done = self._after(at, TIME_OUT, f"{collection_text(change)}: it is delayed")
            yield Outcome(done.step, (*done.values, UnderWay(_asserting_what_stands(change))))

    def repeat(self, at: Collector, zone: ZoneState, ghosts: Ghosts, slot: UnderWay | None) -> Iterable[Outcome]:
        """The deletion arrives, and will arrive once more."""
        change = _change(at)
        if slot is not None or change is None:
            return
        for outcome in self.delete(at, zone, ghosts):
            step = replace(outcome.step, text=f"{outcome.step.text}; the request will arrive once more")
            under_way = UnderWay(_asserting_what_stands(change))
            yield Outcome(step, (*outcome.values, under_way), outcome.violation)

    def _after(self, at: Collector, reply: object, text: str, clock: Clock | None = None) -> Outcome:
        if at.phase is None:
            raise AssertionError("nothing was asked")
        phase = _settled(at.phase.heard(reply))  # type: ignore[arg-type]  # the specification pairs them
        if isinstance(phase, Gathered):
            memory = remembered(phase.memory, at.began, clock)
            return Outcome(Step(self._lane, f"{text}; the pass ends"), (Collector(memory=memory),))
        return Outcome(Step(self._lane, text), (replace(at, phase=phase, values=()),))


def _settled(phase: Any) -> Any:
    """After what concerns nobody else: the number for the journal, and the journal."""
    while not isinstance(phase, Gathered) and isinstance(phase.request, DrawNonce | RecordIntent):
        phase = phase.heard(Nonce(FRESH) if isinstance(phase.request, DrawNonce) else Recorded())
    return phase


def _asserting_what_stands(change: CollectTree) -> CollectTree:
    floor, *rest = change.asserted
    return replace(change, asserted=(floor, *(one for one in rest if one.rdata)))


def _change(at: Collector) -> CollectTree | None:
    return at.phase.request if isinstance(at.phase, Deleting) else None
