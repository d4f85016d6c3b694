"""Bring every endpoint to its entry in the newest plan obtainable. Any number may run; they don't talk.

Rule 1.  The newest plan held is the highest generation seen, wherever it came from: the store, or the copy on this
         machine's disk. A store that went back in time changes nothing.
Rule 2.  Between two changes it looks for a newer head. Nothing it decided before survives that look: each change
         judges anew, on the markers that it asserts.
Rule 3.  Safety rests on `change.py` alone. What is here decides only what is looked at next: order, batch size,
         patience, quarantine.

In October 2025 an enactor checked freshness once, at its start, and believed it until the end. Here nothing is
believed that the provider does not check again in the very change that relies on it.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct, structs

from standfast.model.entry import Key
from standfast.model.marker import Floor, read_floor
from standfast.model.name import floor_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset
from standfast.ports.local import Admit, Admitted, KeepCopy, Kept, RecallCopy, RecallReply
from standfast.ports.provider import Changes, ChangesReply, ReadChanges, Room, Unknown
from standfast.ports.store import HeadRead, PlanMissing, PlanRead, ReadHead, ReadPlan

from .aftermath import Left, left
from .agenda import BATCH_OCTETS, Agenda, Marked, all_keys, joined, keys_of, marked, next_batch, rotated
from .beliefs import TugOfWar, ZoneBelief
from .change import ChangeRequest, begin
from .contention import Contention
from .due import admitted, asked, queueing, returned, taken_up
from .raising import ELEMENTS
from .stages import (
    Admitting,
    AskingChanges,
    AskingHead,
    AskingPlan,
    Changing,
    Idle,
    Keeping,
    Notice,
    Recalling,
    Stage,
)
from .task import Outcome, Settled, Task, still_kept

PATIENCE: Final = 32
"""Conflicts and failures in one pass before the enactor leaves the rest to its next one."""
_TRYING: Final = frozenset({"built", "conflict", "deferred", "refused", "unrecorded", "unknown", "blind"})
_UNKNOWN: Final = object()

Occasion: TypeAlias = Literal["start", "news", "look", "audit"]
EnactorRequest: TypeAlias = ReadHead | ReadPlan | RecallCopy | KeepCopy | Admit | ReadChanges | ChangeRequest


class Enactor(Struct, frozen=True):
    """One enactor between two requests. `request` is what it asks; `heard(reply)` is the enactor afterwards.

    `contention` is what tells that somebody else writes here. After the second conflict in a row the pass ends, and
    already after the first if there is more to do than its change and the floor is seen to have moved. Whoever runs the
    enactor then lets it wait a random while.
    `quarantine` are endpoints that the provider refused each by itself, with their since; `probe` is the one of them
    that is being tried again. A refusal may be due to its moment (a server that reloads) or to its endpoint.
    `behind` are endpoints that were verified and left because something newer than the plan stands there: the next plan
    is to see what is wrong with them. `patience` is what is left of `patience_full` in this pass, `batch_octets` about
    the size of the largest change, `elements` the most records of a tree in it; `outcomes`
    and `notices` are news of the last step, for journal and log.
    `prefixes` has for each zone the networks that may be published in it, by this enactor's own configuration; `rooms`
    what one change of it holds, where that is not a message of RFC 2136. `blind` are zones of which nobody tells what
    changed: there `waiting` are endpoints that somebody keeps as they are, by a freeze, another stream or insistence,
    and each look asks whether that is over. In `paced` zones a patrol looks after everything (patrol.py), and what is
    due is held until it is for this enactor to begin (standing_by.py). With `admission` what is due is begun as it is
    admitted (due.py); `closed` are zones in which nothing that was put aside is to be tried in this pass.
    """

    writer: str
    stream: str
    plan: Plan | None = None
    forked: str = ""
    copy_due: bool = False
    agenda: Agenda = Agenda()
    zones: tuple[tuple[str, ZoneBelief], ...] = ()
    quarantine: tuple[tuple[Key, int], ...] = ()
    probe: Key | None = None
    tug: TugOfWar = TugOfWar()
    journal_lost: bool = False
    patience: int = PATIENCE
    patience_full: int = PATIENCE
    batch_octets: int = BATCH_OCTETS
    contention: Contention = Contention()
    elements: int = ELEMENTS
    mended: tuple[Key, ...] = ()
    behind: tuple[Key, ...] = ()
    now: float = 0.0
    looking: bool = False
    stage: Stage = Idle()
    outcomes: tuple[Outcome, ...] = ()
    notices: tuple[Notice, ...] = ()
    prefixes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rooms: tuple[tuple[str, Room], ...] = ()
    blind: tuple[str, ...] = ()
    waiting: tuple[Key, ...] = ()
    paced: tuple[str, ...] = ()
    admission: bool = False
    closed: tuple[str, ...] = ()

    @property
    def request(self) -> EnactorRequest | None:
        """The one thing asked now; None when idle."""
        return None if isinstance(self.stage, Idle) else self.stage.request

    def wake(self, occasion: Occasion, now: float, closed: tuple[str, ...] = ()) -> "Enactor":
        """Begin a pass. `now` is monotonic seconds of this machine; nothing about safety depends on it."""
        fresh = structs.replace(
            self,
            agenda=self.agenda if occasion == "look" else self.agenda.resumed(closed),
            closed=closed,
            now=now,
            patience=self.patience_full,
            contention=Contention(0 if self.agenda.empty else self.contention.conflicts),
            mended=(),
            outcomes=(),
            notices=(),
            journal_lost=False,
            looking=occasion == "look",
        )
        if self.admission:
            fresh = structs.replace(fresh, agenda=queueing(fresh.agenda))
        if occasion == "start":
            return structs.replace(fresh, stage=Recalling())
        if occasion == "audit" and self.plan is not None:
            beliefs = tuple((z, belief if z in self.paced else belief.forgotten()) for z, belief in self.zones)
            agenda = structs.replace(self.agenda, checks=(), everything=True)
            fresh = structs.replace(fresh, quarantine=(), zones=beliefs, agenda=agenda)
        return structs.replace(fresh, stage=AskingHead())

    def heard(self, reply: object) -> "Enactor":
        """The reply to `request`. Raises AssertionError if it is not one of those the port promises."""
        quiet = structs.replace(self, outcomes=(), notices=())
        match self.stage, reply:
            case (Recalling(), PlanRead() | PlanMissing() | Unknown()):
                return quiet._recalled(reply)
            case (AskingHead(), HeadRead() | Unknown()):
                return quiet._head(reply)
            case (AskingPlan(), PlanRead() | PlanMissing() | Unknown()):
                return quiet._fetched(reply)
            case (Keeping(), Kept()):
                return quiet._next()
            case (Admitting(), Admitted()):
                patience = 0 if reply.over else self.patience
                return structs.replace(quiet, agenda=admitted(self.agenda, reply), patience=patience)._work()
            case (AskingChanges(), Changes() | Unknown()):
                return quiet._looked(self.stage, reply)
            case (Changing(asking, task), _):
                if self.contention.shown(asking, reply) and self.agenda.bulk and not task.verify:
                    return quiet._giving_way(task)
                phase = asking.heard(reply)  # type: ignore[arg-type]  # the driver pairs request and reply
                if isinstance(phase, Settled):
                    contention = self.contention.after({one.result for one in phase.outcomes}, asking.request)
                    return structs.replace(quiet, contention=contention)._settled(task, phase)
                return structs.replace(quiet, stage=Changing(phase, task))
        raise AssertionError(f"{type(reply).__name__} is no reply to {type(self.stage).__name__}")

    def belief(self, zone: str) -> ZoneBelief:
        """What is believed of a zone."""
        return next((belief for known, belief in self.zones if known == zone), ZoneBelief())

    # -- plans ---------------------------------------------------------------------------------------------------

    def _recalled(self, reply: RecallReply) -> "Enactor":
        if isinstance(reply, PlanRead) and reply.plan.record.stream == self.stream:
            return structs.replace(self._adopted(reply.plan), copy_due=False, stage=AskingHead())
        return structs.replace(self, stage=AskingHead())

    def _head(self, reply: HeadRead | Unknown) -> "Enactor":
        if isinstance(reply, Unknown):
            return self._noting("store", reply.why)._proceed()
        head, held = reply.head, self.plan
        if head is None or (held is not None and head.generation < held.generation):
            return self._proceed()
        if held is not None and head.generation == held.generation:
            if head.digest == held.digest:
                return self._proceed()
            why = (
                f"the store's plan {head.digest[:8]} and ours {held.digest[:8]} both have generation {head.generation}"
            )
            return structs.replace(self._noting("fork", why), forked=why, stage=Idle())
        return structs.replace(self, stage=AskingPlan(ReadPlan(head.digest)))

    def _fetched(self, reply: PlanRead | PlanMissing | Unknown) -> "Enactor":
        if isinstance(reply, Unknown):
            return self._noting("store", reply.why)._proceed()
        if isinstance(reply, PlanMissing):
            return self._noting("store", "the plan that its head names is missing")._proceed()
        plan = reply.plan
        if plan.record.stream != self.stream:
            why = f"the store's plan is of stream {plan.record.stream}, this enactor of {self.stream}"
            return self._noting("foreign_plan", why)._proceed()
        if self.plan is not None and plan.generation <= self.plan.generation:
            return self._proceed()
        return self._adopted(plan)._proceed()

    def _adopted(self, plan: Plan) -> "Enactor":
        """Take this plan for the newest."""
        agenda = taken_up(self.agenda, self.plan, plan, self.writer, self.behind).holding(self.paced)
        count = len(agenda.due) + len(agenda.held)
        news = (*self.notices, Notice("plan", f"g{plan.generation}: {count} endpoints to look at"))
        agenda = queueing(agenda) if self.admission else structs.replace(agenda, urgent=())
        return structs.replace(self, plan=plan, forked="", copy_due=True, agenda=agenda, behind=(), notices=news)

    # -- what comes next -----------------------------------------------------------------------------------------

    def _proceed(self) -> "Enactor":
        """The head has been looked at: on with the agenda, or with the look for damage, or idle."""
        if self.plan is None or self.forked:
            return structs.replace(self, stage=Idle())
        zones = tuple(zone for zone in self.plan.record.zones if zone not in self.closed)
        if self.looking and zones and not self.agenda.due:
            return structs.replace(self, looking=False, stage=self._ask_changes(zones[0], zones[1:]))
        return self._work()

    def _ask_changes(self, zone: str, later: tuple[str, ...]) -> AskingChanges:
        return AskingChanges(ReadChanges(zone, self.belief(zone).serial), later)

    def _looked(self, stage: AskingChanges, reply: ChangesReply) -> "Enactor":
        zone, after = stage.request.zone, self
        if isinstance(reply, Changes):
            belief = self.belief(zone).at(reply.serial)
            same = reply.serial == stage.request.serial and reply.owners is not None
            owners = None if self._frozen(belief.floor, zone) else reply.owners
            keys = () if same or zone in self.paced else keys_of(self.plan, zone, owners)
            if keys:
                belief = belief.doubted(name for _, name in keys)
            if zone in self.blind:
                keys = joined(keys, self._kept(zone, belief))
            agenda = structs.replace(self.agenda, checks=joined(self.agenda.checks, keys))
            after = structs.replace(self, agenda=agenda)._believing(zone, belief)
        else:
            after = self._noting("provider", f"{zone}: {reply.why}")
        if stage.later:
            return structs.replace(after, stage=after._ask_changes(stage.later[0], stage.later[1:]))
        return structs.replace(after, agenda=after.agenda.resumed(self.closed))._probing()._work()

    def _kept(self, zone: str, belief: ZoneBelief) -> tuple[Key, ...]:
        """Whom a look asks after. Under a frozen floor one is enough: it reads the floor."""
        kept = tuple(key for key in self.waiting if key[0] == zone)
        return kept[:1] if self._frozen(belief.floor, zone) else kept

    def _probing(self) -> "Enactor":
        """At each look one endpoint of the quarantine is tried again by turns: if it is written, all others are too."""
        if not self.quarantine:
            return structs.replace(self, probe=None)
        (key, _), *others = self.quarantine
        agenda = structs.replace(self.agenda, checks=joined(self.agenda.checks, (key,)))
        return structs.replace(self, agenda=agenda, quarantine=tuple(others), probe=key)

    def _frozen(self, rrset: RRset | None, zone: str) -> bool:
        """Whether this is a frozen floor: what was due under it is known only by looking at everything."""
        floor = read_floor(rrset, zone, floor_owner(self.stream, zone))
        return isinstance(floor, Floor) and floor.frozen

    def _next(self) -> "Enactor":
        """A step of work is done: look for a newer head if there is more."""
        if self.patience <= 0 or (self.agenda.done and not self.copy_due):
            return structs.replace(self, stage=Idle())
        return structs.replace(self, stage=AskingHead()) if not self.agenda.done else self._work()

    def _work(self) -> "Enactor":
        plan, agenda = self.plan, self.agenda
        if plan is None or self.patience <= 0:
            return structs.replace(self, stage=Idle())
        if agenda.to_admit and not agenda.groups and not agenda.due:
            return structs.replace(self, stage=Admitting(asked(agenda)))
        if self.copy_due and not (agenda.groups or agenda.due or agenda.queued):  # or put aside: that may take long
            return structs.replace(self, copy_due=False, stage=Keeping(KeepCopy(plan)))
        if agenda.everything and not (agenda.groups or agenda.due):
            paced = tuple(key for key in agenda.checks if key[0] in self.paced)
            everything = (*paced, *rotated(all_keys(plan, self.paced), self.writer))
            agenda = structs.replace(agenda, checks=everything, everything=False)
        entries, verify, agenda = next_batch(plan, agenda, dict(self.quarantine), self._marked, self._room)
        if not entries:
            rest = structs.replace(self, agenda=agenda)
            return structs.replace(rest, stage=Idle()) if agenda.done else rest._work()
        belief = self.belief(zone := entries[0].zone)
        insisted, prefixes = self.tug.insisted(zone, self.now), dict(self.prefixes).get(zone, ())
        task = Task(self.writer, plan, zone, entries, verify, self.journal_lost, insisted, prefixes, self.elements)
        believed = () if verify else belief.among(entry.name for entry in entries)
        phase = begin(task, None if verify else belief.floor, believed)
        # Whatever comes of the change replaces what was believed of its endpoints and of the floor.
        doubted = belief.doubted(entry.name for entry in entries)
        working = structs.replace(self, agenda=agenda)._believing(zone, doubted)
        if isinstance(phase, Settled):
            return working._settled(task, phase)
        return structs.replace(working, stage=Changing(phase, task))

    def _room(self, zone: str) -> Room:
        return dict(self.rooms).get(zone) or Room(octets=self.batch_octets)

    def _marked(self, key: Key) -> Marked:
        zone, name = key
        return marked(self.stream, self.writer, new=self.belief(zone).markers.get(name, _UNKNOWN) is None)

    # -- outcomes ------------------------------------------------------------------------------------------------

    def _giving_way(self, task: Task) -> "Enactor":
        """Somebody else gets on with a bulk write: what is left is for a later pass, and what was believed is old."""
        due = joined(tuple(entry.key for entry in task.entries), self.agenda.due)
        contention = Contention(self.contention.conflicts + 1)
        agenda = structs.replace(self.agenda, due=due)
        after = self._believing(task.zone, self.belief(task.zone).forgotten())
        return structs.replace(after, agenda=agenda, contention=contention, patience=0, stage=Idle())

    def _settled(self, task: Task, settled: Settled) -> "Enactor":
        after = structs.replace(self, outcomes=(*self.outcomes, *settled.outcomes))._remembering(task, settled)
        by_result: dict[str, list[Key]] = {}
        for outcome in settled.outcomes:
            by_result.setdefault(outcome.result, []).append((outcome.zone, outcome.name))
        if task.zone in self.blind:
            after = structs.replace(after, waiting=still_kept(self.waiting, settled.outcomes))
        written = by_result.get("written", [])
        if task.verify and (vain := [key for key in written if key in after.mended]):
            # Repaired, read back, and damaged again: once more at the next look, not in a loop.
            written = [key for key in written if key not in vain]
            after = after._noting("provider", f"{', '.join(n for _, n in vain)}: what was written does not stand")
            for key in vain:  # its change came back at once, which is twice
                after = structs.replace(after, tug=after.tug.healed(key))
        if task.verify:
            behind = joined(after.behind, tuple(by_result.get("superseded", ())))
            after = structs.replace(after, mended=(*after.mended, *written), behind=behind)
        again = () if task.verify else tuple(entry.key for entry in task.entries)
        queue = self.admission and not by_result.keys().isdisjoint({"unknown", "blind"})
        agenda, quarantine = left(
            Left(returned(after.agenda, again) if queue else after.agenda, self.quarantine),
            task,
            by_result,
            written,
            self.probe,
            paced=task.zone in self.paced,
        )
        if queue and again:
            agenda = structs.replace(agenda, aside=tuple(key for key in agenda.aside if key not in again))
        return structs.replace(
            after,
            agenda=agenda,
            quarantine=quarantine,
            journal_lost=self.journal_lost or "unrecorded" in by_result,
            patience=0
            if self.contention.conflicts > 1 and "conflict" in by_result
            else self.patience - len(by_result.keys() & _TRYING),
        )._next()

    def _remembering(self, task: Task, settled: Settled) -> "Enactor":
        """Beliefs and the memory of foreign changes after a change."""
        belief = self.belief(task.zone)
        if settled.floor is None and not settled.markers:
            names = [entry.name for entry in task.entries]
            belief = belief.doubted(names) if self.contention.conflicts < 2 else belief.forgotten()
        else:
            belief = belief.learnt(settled.floor, settled.markers)
        if any(outcome.result == "blind" for outcome in settled.outcomes):
            belief = belief.at(None)
        healthy = [one.name for one in settled.outcomes if task.verify and one.result == "in_step"]
        tug = self.tug.after(task.zone, settled.foreign, healthy, self.now)
        return structs.replace(self, tug=tug)._believing(task.zone, belief)

    def _believing(self, zone: str, belief: ZoneBelief) -> "Enactor":
        others = tuple(known for known in self.zones if known[0] != zone)
        return structs.replace(self, zones=(*others, (zone, belief)))

    def _noting(self, kind: Literal["fork", "store", "provider", "foreign_plan"], why: str) -> "Enactor":
        return structs.replace(self, notices=(*self.notices, Notice(kind, why)))
