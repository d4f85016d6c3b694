"""Production enactors as components of a world: every request is a rule, and every way it may go an outcome.

The value of an enactor's place is the core itself. What no future depends on is reset, each with its reason in
`settled_down`. Steps that concern nobody else (a nonce, the intent, the copy on disk, which plan the store gives)
are taken at once with the step before them, unless the run says otherwise.

The zone's serial is a hint to enactors and never a proof. So it is not counted: when an enactor asks what changed,
the answer may be that nothing did, or that everything may have, whatever is true.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from standfast.core.agenda import BATCH_OCTETS
from standfast.core.contention import Contention
from standfast.core.enactor import Enactor, Occasion
from standfast.core.stages import Idle
from standfast.core.standing_by import put_aside
from standfast.model.entry import Key
from standfast.model.plan import Plan
from standfast.model.rrset import RRset
from standfast.ports import provider_spec
from standfast.ports.local import (
    Admit,
    Admitted,
    DrawNonce,
    KeepCopy,
    Kept,
    Nonce,
    RecallCopy,
    Recorded,
    RecordIntent,
    Unrecorded,
)
from standfast.ports.provider import (
    Changes,
    Confirm,
    Read,
    ReadChanges,
    Readings,
    Refused,
    Replace,
    Unknown,
    Written,
)
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import HeadRead, PlanMissing, PlanRead, ReadHead, ReadPlan
from standfast.ports.store_spec import StoreState
from standfast.sim.properties import wrong_with_report
from standfast.sim.search.product import FRESH, Outcome, Step

from .acting import Act, Ghosts, Judge, UnderWay
from .bounds import Run
from .histories import STREAM, ZONE
from .telling import asking_text, change_text, listed
from .witnessing import change_of, unaccounted, witnessed

TIME_OUT: Final = Unknown("no answer")
SMALL: Final = 1
"""Octets of a change in runs `one_by_one`: every endpoint is too large for a second one."""
_CONTENTION_TOLD_APART: Final = 2
_UNJOURNALLED: Final = "its journal can't be written"


class HalfRead(Struct, frozen=True):
    """An enactor in the middle of a reading whose keys come from different moments."""

    core: Enactor
    values: tuple[RRset | Unknown | None, ...]


class Stopping(Protocol):
    """An operator, as far as enactors are concerned."""

    @property
    def leaving(self) -> bool:
        """Whether everybody was stopped for good."""


def settled_down(core: Enactor) -> Enactor:
    """The same enactor without what no future depends on, so that equal futures are equal states."""
    changed: dict[str, object] = {}
    if core.outcomes:
        changed["outcomes"] = ()  # news: told, and forgotten at the next step
    if core.notices:
        changed["notices"] = ()  # likewise
    if core.contention.conflicts > _CONTENTION_TOLD_APART:
        # the core asks only for none, one, more: the rest is waiting
        changed["contention"] = replace(core.contention, conflicts=_CONTENTION_TOLD_APART)
    if isinstance(core.stage, Idle):
        # All of these are set by the next `wake`, before anything reads them.
        changed |= {"patience": core.patience_full, "mended": (), "looking": False, "journal_lost": False, "closed": ()}
        conflicts = 0 if core.agenda.empty else min(core.contention.conflicts, _CONTENTION_TOLD_APART)
        changed["contention"] = Contention(conflicts)  # `wake` forgets the rest
    zones = tuple((zone, belief.at(1) if belief.serial else belief) for zone, belief in core.zones)
    if any(belief.serial not in (None, 1) for _, belief in core.zones):
        changed["zones"] = zones  # serials are not counted: see above
    return replace(core, **changed)


class Enacting:
    """The rules of enactors."""

    def __init__(self, run: Run, judge: Judge) -> None:
        self.run = run
        self.judge = judge

    def fresh(self, writer: str) -> Enactor:
        """An enactor that was just started, and knows nothing."""
        patience, octets = self.run.patience, SMALL if self.run.one_by_one else BATCH_OCTETS
        elements = self.run.elements
        return Enactor(
            writer,
            STREAM,
            patience=patience,
            patience_full=patience,
            batch_octets=octets,
            elements=elements,
            admission=self.run.admission,
        )

    # -- what concerns nobody else ---------------------------------------------------------------------------------

    def rested(self, core: Enactor) -> Enactor:
        """What an enactor takes along from one pass to the next."""
        if self.run.memory or not isinstance(core.stage, Idle):
            return settled_down(core)
        return self.fresh(core.writer)

    def onward(self, core: Enactor, plans: tuple[Plan, ...], *, cut_off: bool) -> Iterator[tuple[Enactor, str]]:
        """The enactor after all private steps: every way they may go, with what happened on the way."""
        if not self.run.fused:
            yield self.rested(core), ""
            return
        seen: dict[Enactor, str] = {}
        waiting = [(self.rested(core), "")]
        while waiting:
            at, said = waiting.pop()
            ways = list(self.private(at, plans, cut_off=cut_off))
            waiting += [(self.rested(following), _joined(said, text)) for following, text in ways]
            if not ways and at not in seen:
                seen[at] = said
        yield from seen.items()

    def private(self, core: Enactor, plans: tuple[Plan, ...], *, cut_off: bool) -> Iterator[tuple[Enactor, str]]:
        """One step that concerns nobody else, if that is what comes next: every way it may go."""
        match core.request:
            case DrawNonce():
                yield core.heard(Nonce(FRESH)), ""
            case RecordIntent():
                yield core.heard(Recorded()), ""
                if "journal" in self.run.faults:
                    yield core.heard(Unrecorded("the disk is full")), _UNJOURNALLED
            case KeepCopy():
                yield core.heard(Kept()), ""
            case RecallCopy():
                yield core.heard(PlanMissing()), ""
                for plan in plans if cut_off or not self.run.fused else ():
                    yield core.heard(PlanRead(plan)), f"finds plan {plan.generation} on its disk"
            case ReadHead():
                yield from self._head(core, plans, cut_off=cut_off)
                if self.run.admission:
                    yield replace(core, stage=Idle()), "its turn is over"
                    if (aside := put_aside(core, (ZONE,))) != core:
                        yield from self._head(aside, plans, cut_off=cut_off)
            case Admit(urgent, rest):
                yield core.heard(Admitted(over=True)), "its turn is over"
                for keys in _parts((*urgent, *rest)):
                    yield core.heard(Admitted(keys)), f"is let in with {listed([name for _, name in keys])}"
            case ReadPlan(digest):
                found = [PlanRead(plan) for plan in plans if plan.digest == digest]
                yield core.heard(found[0] if found else PlanMissing()), ""
            case ReadChanges(_, serial):
                yield core.heard(Changes(serial or 1, ())), "hears that nothing changed"
                yield core.heard(Changes((serial or 1) + 1, None)), "hears that something changed"

    def _head(self, core: Enactor, plans: tuple[Plan, ...], *, cut_off: bool) -> Iterator[tuple[Enactor, str]]:
        """Nothing newer (or the store is away, which is the same to it), or any newer plan: a reading may be old."""
        held = core.plan.generation if core.plan is not None else 0
        yield core.heard(TIME_OUT), ""
        for plan in plans if not cut_off else ():
            if plan.generation > held:
                yield core.heard(HeadRead(plan.head)), f"is given plan {plan.generation}"

    # -- rules -----------------------------------------------------------------------------------------------------

    def acts(self, lane: str, place: int, core: Enactor, *, cut_off: bool, **at: int) -> list[Act]:
        """All that one enactor may do. `at` names the places zone, ghosts, store and, as far as there are, slots."""
        zone, ghosts, store = at["zone"], at["ghosts"], at["store"]
        slots = [number for name, number in at.items() if name.startswith("slot")]
        fired = _Fired(self, lane, core, cut_off=cut_off)
        acts = [
            Act("enactor wakes", (place, store), (place,), fired.wake)
            if "leave" not in self.run.operator
            else Act("enactor wakes", (place, store, at["operator"]), (place,), fired.wake_unless_stopped),
            Act("enactor asks", (place, zone, store), (place,), fired.ask),
            Act("enactor writes", (place, zone, ghosts, store), (place, zone, ghosts), fired.write),
        ]
        if not self.run.fused:
            acts.append(Act("enactor goes on", (place, store), (place,), fired.go_on))
        if self.run.crashes:
            acts.append(Act("enactor crashes", (place,), (place,), fired.crash))
        faults = self.run.faults
        if faults & {"lost", "blind", "refused"}:
            acts.append(Act("request fails", (place, store), (place,), fired.fail))
        for slot in slots:
            if "late" in faults:
                acts.append(Act("request is late", (place, slot, store), (place, slot), fired.late))
            if "repeated" in faults:
                places = (place, zone, ghosts, slot, store)
                acts.append(Act("request is repeated", places, places[:4], fired.repeat))
        return acts


class _Fired:
    """What one enactor does when a rule of its is fired."""

    def __init__(self, enacting: Enacting, lane: str, fresh: Enactor, *, cut_off: bool) -> None:
        self._enacting = enacting
        self._run = enacting.run
        self._lane = lane
        self._cut_off = cut_off
        self._fresh = fresh

    def _then(self, core: Enactor, store: StoreState, text: str) -> Iterator[tuple[Step, Enactor, str]]:
        for after, said in self._enacting.onward(core, store.plans, cut_off=self._cut_off):
            wrong = unaccounted(after) if _UNJOURNALLED in said else ""
            yield Step(self._lane, _joined(text, said)), after, wrong

    def wake(self, core: Enactor | HalfRead, store: StoreState) -> Iterable[Outcome]:
        """An idle enactor begins a pass."""
        if isinstance(core, HalfRead) or core.request is not None:
            return
        occasions: tuple[Occasion, ...] = ("start",) if core.plan is None else self._run.occasions
        for occasion, closed in product(occasions, ((), (ZONE,)) if self._run.admission else ((),)):
            for step, after, wrong in self._then(core.wake(occasion, 0.0, closed), store, _OCCASIONS[occasion]):
                if after != core or wrong:
                    yield Outcome(step, (after,), wrong)

    def wake_unless_stopped(self, core: Enactor | HalfRead, store: StoreState, orders: Stopping) -> Iterable[Outcome]:
        """Unless an operator has stopped everybody, to leave the zone."""
        return () if orders.leaving else self.wake(core, store)

    def go_on(self, core: Enactor | HalfRead, store: StoreState) -> Iterable[Outcome]:
        """A private step, in runs where they are taken one by one."""
        if isinstance(core, HalfRead):
            return
        for after, said in self._enacting.private(core, store.plans, cut_off=self._cut_off):
            yield Outcome(Step(self._lane, said or "goes on"), (self._enacting.rested(after),))

    def crash(self, core: Enactor | HalfRead) -> Iterable[Outcome]:
        """Everything is gone; what stands on its disk is any plan it ever kept."""
        if core != self._fresh:
            yield Outcome(Step(self._lane, "crashes and is started again"), (self._fresh,))

    def ask(self, at: Enactor | HalfRead, zone: ZoneState, store: StoreState) -> Iterable[Outcome]:
        """A reading, or prerequisites alone: the zone stays as it is."""
        core = at.core if isinstance(at, HalfRead) else at
        request = core.request
        text = asking_text(core)
        if isinstance(request, Read) and self._run.key_by_key and len(request.keys) > 1:
            yield from self._next_key(at, request, zone, store, text)
            return
        if not isinstance(request, Read | Confirm):
            return
        reply = provider_spec.apply(zone, request)[1]
        for step, after, violation in self._heard(core, reply, store, text):
            yield Outcome(step, (after,), violation)
        if isinstance(reply, Readings) and "partly blind" in self._run.faults and len(reply.values) > 1:
            for place in range(len(reply.values)):
                values = (*reply.values[:place], TIME_OUT, *reply.values[place + 1 :])
                said = f"{text}, but for {request.keys[place][0]}"  # type: ignore[union-attr]
                for step, after, violation in self._heard(core, Readings(values), store, said):
                    yield Outcome(step, (after,), violation)

    def _next_key(
        self, at: Enactor | HalfRead, request: Read, zone: ZoneState, store: StoreState, text: str
    ) -> Iterable[Outcome]:
        core, values = (at.core, at.values) if isinstance(at, HalfRead) else (at, ())
        place = len(values)
        reply = provider_spec.apply(zone, Read(request.zone, request.keys[place : place + 1]))[1]
        values = (*values, *reply.values) if isinstance(reply, Readings) else values
        said = f"{text} ({place + 1} of {len(request.keys)})"
        if len(values) < len(request.keys):
            yield Outcome(Step(self._lane, said), (HalfRead(core, values),))
            return
        for step, after, violation in self._heard(core, Readings(values), store, said):
            yield Outcome(step, (after,), violation)

    def _heard(self, core: Enactor, reply: object, store: StoreState, text: str) -> Iterator[tuple[Step, Enactor, str]]:
        after = core.heard(reply)
        wrong = wrong_with_report(after.outcomes, witnessed=witnessed(core, reply))
        for step, further, silent in self._then(after, store, text):
            yield step, further, wrong[0] if wrong else silent

    def write(self, core: Enactor | HalfRead, zone: ZoneState, ghosts: Ghosts, store: StoreState) -> Iterable[Outcome]:
        """The change arrives at once. Its reply may be lost."""
        change = change_of(core)
        if change is None or isinstance(core, HalfRead):
            return
        arrived = self._enacting.judge.arrive(zone, ghosts, change)
        replies = [arrived.reply]
        if "lost" in self._run.faults and isinstance(arrived.reply, Written):
            replies.append(TIME_OUT)  # a lost Conflict is as a lost request, which is a rule of its own
        for reply in replies:
            lost = ", and the reply is lost" if reply is TIME_OUT else ""
            text = f"{change_text(change)} → {type(arrived.reply).__name__}{lost}"
            for step, after, wrong in self._heard(core, reply, store, text):
                told = replace(step, refused=arrived.refused)
                yield Outcome(told, (after, arrived.zone, arrived.ghosts), arrived.violation or wrong)

    def fail(self, at: Enactor | HalfRead, store: StoreState) -> Iterable[Outcome]:
        """The request is lost, or refused: nothing happens in the zone."""
        core, faults = at.core if isinstance(at, HalfRead) else at, self._run.faults
        request, text = core.request, asking_text(core)
        replies: list[tuple[object, str]] = []
        if isinstance(request, Replace) and "lost" in faults:
            replies.append((TIME_OUT, "the request is lost"))
        if isinstance(request, Replace) and "refused" in faults:
            replies.append((Refused("SERVFAIL"), "it is refused for a moment"))
        if isinstance(request, Read | Confirm) and "blind" in faults:
            replies.append((TIME_OUT, "there is no answer"))
        for reply, said in replies:
            for step, after, violation in self._heard(core, reply, store, f"{text}: {said}"):
                yield Outcome(step, (after,), violation)

    def late(self, core: Enactor | HalfRead, slot: UnderWay | None, store: StoreState) -> Iterable[Outcome]:
        """No answer comes, and the request is still under way."""
        change = change_of(core)
        if change is None or slot is not None or isinstance(core, HalfRead):
            return
        for step, after, violation in self._heard(core, TIME_OUT, store, f"{change_text(change)}: it is delayed"):
            yield Outcome(step, (after, UnderWay(change)), violation)

    def repeat(
        self, core: Enactor | HalfRead, zone: ZoneState, ghosts: Ghosts, slot: UnderWay | None, store: StoreState
    ) -> Iterable[Outcome]:
        """The change arrives, and will arrive once more."""
        change = change_of(core)
        if slot is not None or change is None:
            return
        for outcome in self.write(core, zone, ghosts, store):
            step = replace(outcome.step, text=f"{outcome.step.text}; the request will arrive once more")
            yield Outcome(step, (*outcome.values, UnderWay(change)), outcome.violation)


_OCCASIONS: Final = {
    "start": "starts",
    "look": "looks whether anything changed",
    "audit": "looks at everything",
    "news": "hears of a new plan",
}


def _parts(keys: tuple[Key, ...]) -> Iterator[tuple[Key, ...]]:
    """Each part of them, and none."""
    for count in range(len(keys) + 1):
        yield from combinations(keys, count)


def _joined(text: str, more: str) -> str:
    return f"{text}; {more}" if text and more else text or more
