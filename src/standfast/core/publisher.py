"""Publish the next plan by compare-and-set: read the head, the zones' floors, the new names; draw; publish.

Rule 1.  The number is above the head, every floor and every marker of this stream that is known. A zone that can't
         be read speaks through the floor known from an earlier pass; if there is none its endpoints stay as they are.
Rule 2.  Where a floor is missing, garbage or above every plan that is known, and after a start or a change of store,
         all markers are read too.
Rule 3.  Two plans of one number (a fork), or a marker ahead of the plan's entry: a plan is published above, in which
         the entries concerned are new, even if nothing else changed. So is one when a floor or marker is above head.
         Above every plan that is known, the entries whose markers can't be read are new as well: plans were lost, and
         nobody knows which of them such a marker named.
Rule 4.  If the head's plan can't be had, the newest plan held speaks for holds and retirements, and `since` is new
         for every entry; a plan held that is above the head (the store was set back) is the preceding plan.
Rule 5.  The head moved, or a source did: nothing is repaired here. The caller starts again from what it then sees.
Rule 6.  What an operator published without a plan (`emergency.py`) is read, and is the entry from then on, held.

A phase is a frozen value with one `request`; `heard(reply)` gives the next. It ends with `Done`.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.check import BalancerCheck
from standfast.model.entry import Key
from standfast.model.fleet import Fleet, Verdict
from standfast.model.marker import GENERATION_MAX
from standfast.model.plan import Head, Plan
from standfast.model.policy import EndpointPolicy
from standfast.ports.provider import Read, Readings, Unknown
from standfast.ports.store import (
    HeadMoved,
    HeadRead,
    PlanMissing,
    PlanRead,
    Publish,
    Published,
    ReadHead,
    ReadPlan,
    SourceMoved,
)

from .decisions import Draft, PlanContext
from .emergency import with_emergencies
from .guard import plan_violations
from .holding import Command, command_draft
from .planner import draft
from .resting import Memory, entries_of, wanted_of
from .survey import (
    Ask,
    Survey,
    concerned,
    emergencies,
    floor_heard,
    marker_asks,
    markers_heard,
    presence_asks,
    presence_heard,
    request_of,
)

PublisherRequest: TypeAlias = ReadHead | ReadPlan | Publish | Read
PublisherReply: TypeAlias = HeadRead | PlanRead | PlanMissing | Published | HeadMoved | SourceMoved | Readings | Unknown
OutcomeKind: TypeAlias = Literal["published", "unchanged", "moved", "source_moved", "unknown", "refused"]


class Assignment(Struct, frozen=True):
    """Everything one pass is given. `now` is the planner's wall clock in seconds.

    `held` is the newest plan known to have been published, `begun` the generations begun per zone as an earlier pass
    reported them. `survey` asks for all markers: after a start, or a change of store. With a `command` the pass does
    what the operator says instead of planning. `prefixes` may be published, zone by zone; none: everything. `checks`
    are the provider's own health checks, zone by zone. `memory` is that of the last draft, or `resting.NOTHING`: then
    who is at rest is not planned anew. None: nothing is remembered.
    """

    stream: str
    zones: tuple[str, ...]
    fleet: Fleet
    verdicts: tuple[tuple[str, Verdict], ...]
    policies: tuple[EndpointPolicy, ...]
    now: float
    author: str
    reason: str = ""
    policy: str = ""
    sources: tuple[tuple[str, int], ...] = ()
    consents: tuple[tuple[str, str], ...] = ()
    held: Plan | None = None
    begun: tuple[tuple[str, int], ...] = ()
    survey: bool = False
    command: Command | None = None
    consented: frozenset[str] = frozenset()
    prefixes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    checks: tuple[tuple[str, tuple[BalancerCheck, ...]], ...] = ()
    memory: Memory | None = None


class Outcome(Struct, frozen=True):
    """What a pass came to.

    `plan` is the head's plan as far as it is known now: hold it for the next pass, with `begun`. `unknown`: the
    next pass finds out by reading. `moved` and `source_moved`: start again, with the newer source.
    """

    kind: OutcomeKind
    why: str = ""
    plan: Plan | None = None
    draft: Draft | None = None
    begun: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


class Base(Struct, frozen=True):
    """What the plan is drawn from.

    `previous` is the preceding plan, `stands` whether it is the head itself. `raised` and `raise_all` as in a
    PlanContext. `new` are endpoints of which it has no entry.
    """

    head: Head | None
    previous: Plan | None
    stands: bool
    raised: frozenset[Key] = frozenset()
    raise_all: bool = False
    new: tuple[Key, ...] = ()


class Done(Struct, frozen=True):
    """The end."""

    outcome: Outcome


class ReadingHead(Struct, frozen=True):
    """What is the head? `missing` is a head whose plan the store did not have a moment ago."""

    task: Assignment
    missing: Head | None = None

    @property
    def request(self) -> ReadHead:
        """The head."""
        return ReadHead()

    def heard(self, reply: PublisherReply) -> "Phase":
        """On to its plan, or to the zones if that is held already."""
        if not isinstance(reply, HeadRead):
            return _lost(self.task, reply, "the head could not be read")
        head, held = reply.head, self.task.held
        if head is None:
            return _zones(self.task, Base(None, held, stands=False))
        if held is not None and held.head == head:
            return _zones(self.task, Base(head, held, stands=True))
        if head == self.missing:
            return _zones(self.task, Base(head, held, stands=False, raise_all=True))
        return ReadingPlan(self.task, head)


class ReadingPlan(Struct, frozen=True):
    """What is the head's plan?"""

    task: Assignment
    head: Head

    @property
    def request(self) -> ReadPlan:
        """The head's plan."""
        return ReadPlan(self.head.digest)

    def heard(self, reply: PublisherReply) -> "Phase":
        """A plan that is missing may have been collected since the head was read: look again, once."""
        if isinstance(reply, PlanMissing):
            return ReadingHead(self.task, self.head)
        if not isinstance(reply, PlanRead):
            return _lost(self.task, reply, "the head's plan could not be read")
        plan, held = reply.plan, self.task.held
        if held is None or held.generation < plan.generation:
            return _zones(self.task, Base(self.head, plan, stands=True))
        if held.generation > plan.generation:
            return _zones(self.task, Base(self.head, held, stands=False))
        pairs = plan.shards.changes(held.shards)
        forked = frozenset(after.key for _, after in pairs if after is not None)
        return _zones(self.task, Base(self.head, plan, stands=False, raised=forked))


class Surveying(Struct, frozen=True):
    """What do the zones say? One Read after the other."""

    task: Assignment
    base: Base
    asks: tuple[Ask, ...]
    survey: Survey = Survey()

    @property
    def request(self) -> Read:
        """The next Read."""
        return request_of(self.task.stream, self.asks[0])

    def heard(self, reply: PublisherReply) -> "Phase":
        """With what it says, to the next, or to the plan."""
        stream, (ask, *rest), survey = self.task.stream, self.asks, self.survey
        readings = reply if isinstance(reply, Readings) else _unknown(reply)
        more: tuple[Ask, ...] = ()
        if ask.kind == "floor":
            survey, doubtful = floor_heard(survey, stream, ask, readings)
            if ask.zone not in survey.unreadable:
                ahead = (survey.begun_in(ask.zone) or 0) > _known(self.base)
                if doubtful or ahead or _all_markers(self.task, self.base):
                    more = marker_asks(stream, ask.zone, self.base.previous)
                more += presence_asks(ask.zone, _new_names(self.base, ask.zone))
        elif ask.kind == "markers":
            survey = markers_heard(survey, stream, ask, readings)
        else:
            survey = presence_heard(survey, stream, ask, readings)
        asks = (*more, *rest)
        if ask.kind == "markers":
            asks += presence_asks(ask.zone, _unread_emergencies(survey, self.base, ask.zone))
        if asks:
            return Surveying(self.task, self.base, asks, survey)
        return _drawn(self.task, self.base, survey)


class Publishing(Struct, frozen=True):
    """Make it the head."""

    base: Base
    plan: Plan
    outcome: Outcome

    @property
    def request(self) -> Publish:
        """Only if the head is what the plan was drawn from."""
        return Publish(self.base.head, self.plan)

    def heard(self, reply: PublisherReply) -> Done:
        """However it ends."""
        match reply:
            case Published():
                return Done(replace(self.outcome, kind="published", plan=self.plan))
            case HeadMoved(head):
                now = f"g{head.generation} is" if head else "the store is empty"
                return Done(replace(self.outcome, kind="moved", why=f"somebody else published: {now} the head"))
            case SourceMoved(source, revision):
                why = f"source {source} has revision {revision} by now"
                return Done(replace(self.outcome, kind="source_moved", why=why))
            case _:
                return Done(replace(self.outcome, kind="unknown", why=_unknown(reply).why))


Phase: TypeAlias = ReadingHead | ReadingPlan | Surveying | Publishing | Done


def publish(task: Assignment) -> ReadingHead:
    """The first phase."""
    return ReadingHead(task)


def _unknown(reply: PublisherReply) -> Unknown:
    return reply if isinstance(reply, Unknown) else Unknown(f"the reply was a {type(reply).__name__}")


def _lost(task: Assignment, reply: PublisherReply, what: str) -> Done:
    return Done(Outcome("unknown", f"{what}: {_unknown(reply).why}", task.held, begun=task.begun))


def _zones(task: Assignment, base: Base) -> Phase:
    there = base.previous.record.zones if base.previous else ()
    known = entries_of(base.previous, task.memory)
    base = replace(base, new=tuple(sorted(wanted_of(task.policies, task.memory).by_key.keys() - known.keys())))
    asks = tuple(Ask("floor", zone, ()) for zone in sorted({*task.zones, *there}))
    return Surveying(task, base, asks) if asks else _drawn(task, base, Survey())


def _all_markers(task: Assignment, base: Base) -> bool:
    return task.survey or not base.stands


def _known(base: Base) -> int:
    """The highest generation of which a plan is known."""
    return max(base.head.generation if base.head else 0, base.previous.generation if base.previous else 0)


def _new_names(base: Base, zone: str) -> list[str]:
    return [name for there, name in base.new if there == zone]


def _unread_emergencies(survey: Survey, base: Base, zone: str) -> list[str]:
    read = dict(survey.presences)
    return [key[1] for key in emergencies(survey, base.previous) if key[0] == zone and key not in read]


def _drawn(task: Assignment, base: Base, survey: Survey) -> Phase:
    """The plan, or the end if there is nothing to publish."""
    begun = {zone: generation for zone, generation in task.begun if zone in survey.unreadable}
    begun.update(survey.begun)
    outcome = Outcome("unchanged", plan=base.previous, begun=tuple(sorted(begun.items())), notes=_notes(survey))
    head = base.head.generation if base.head else 0
    held = base.previous.generation if base.previous else 0
    begun_anywhere = max([*begun.values(), survey.highest], default=0)
    generation = 1 + max(head, held, begun_anywhere, task.held.generation if task.held else 0)
    if generation > GENERATION_MAX:
        why = f"a floor or marker says generation {generation - 1}; there is no number above it"
        return Done(replace(outcome, kind="refused", why=why))
    if task.command is not None and base.previous is None:
        return Done(replace(outcome, kind="refused", why="nothing was published yet, so there is nothing to act on"))
    raised = base.raised | concerned(survey, base.previous, base.head)
    followed, unread = with_emergencies(
        base.previous,
        emergencies(survey, base.previous),
        dict(survey.presences),
        task.fleet,
        task.stream,
        dict(task.prefixes),
    )
    raised -= unread
    if begun_anywhere > _known(base):  # plans were lost with the store, and a marker that is gone may have named one
        raised |= survey.mute
    context = PlanContext(
        stream=task.stream,
        zones=task.zones,
        generation=generation,
        author=task.author,
        reason=task.reason,
        policy=task.policy,
        sources=task.sources,
        present=dict(survey.presences),
        consents=dict(task.consents),
        unreadable=survey.unreadable - begun.keys(),
        raised=raised,
        raise_all=base.raise_all,
        above=base.previous is not None and (not base.stands or bool(raised) or begun_anywhere > head),
        consented=task.consented,
        prefixes=dict(task.prefixes),
        checks=dict(task.checks),
    )
    drawn = _draft(task, followed, context)
    outcome = replace(outcome, draft=drawn)
    if drawn.plan is None:
        return Done(outcome)
    if violations := plan_violations(drawn.plan, base.previous):
        return Done(replace(outcome, kind="refused", why="; ".join(map(str, violations))))
    return Publishing(base, drawn.plan, outcome)


def _draft(task: Assignment, previous: Plan | None, context: PlanContext) -> Draft:
    verdicts: Mapping[str, Verdict] = dict(task.verdicts)
    if task.command is not None and previous is not None:
        return command_draft(task.command, previous, task.fleet, task.now, context)
    return draft(task.fleet, verdicts, task.policies, previous, task.now, context, task.memory)


def _notes(survey: Survey) -> tuple[str, ...]:
    foreign = [f"{name} is under a marker of stream {stream}" for (_, name), stream in survey.foreign]
    unreadable = [f"zone {zone} could not be read" for zone in sorted(survey.unreadable)]
    return (*foreign, *unreadable)
