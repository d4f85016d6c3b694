"""What an operator says, carried out: read the head, act on it, publish by compare-and-set, journal who and why.

The planner need not run, and no enactor is told: whoever looks at the store next sees a newer head. The deciding is
`core.publisher`'s and `core.holding`'s; here requests are performed and lost races begun anew.
"""

import getpass
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol

from msgspec import Struct

from standfast.config import Config
from standfast.core.decisions import Draft
from standfast.core.holding import Command, Rollback, command_draft
from standfast.core.publisher import Assignment, Done, Outcome, PublisherReply, publish
from standfast.errors import JournalError, StandfastError
from standfast.model.entry import Entry, Key
from standfast.model.fleet import Fleet
from standfast.model.marker import Marker
from standfast.model.plan import Plan
from standfast.ports.provider import Read, Readings, ReadReply, Unknown
from standfast.ports.store import StoreReply, StoreRequest

from .checkboards import DOOMED, ZoneChecks
from .place import Place, prefixes_of
from .zonesight import look_at_zone, reader

ATTEMPTS: Final = 5
"""So often a race for the head is run before the operator is told that it was lost."""
_POLL_S: Final = 0.1


class Store(Protocol):
    """A plan store as an adapter answers for it."""

    def perform(self, request: StoreRequest) -> StoreReply: ...


class Known(Struct, frozen=True):
    """What a command is given beside the store: the fleet and its revision in the store (0: not from there), and what
    may be published in each zone; Route 53's health checks, and the revision of those that are doomed."""

    fleet: Fleet
    revision: int
    prefixes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    checks: "ZoneChecks" = ()
    doomed: int = 0


class Result(Struct, frozen=True):
    """What came of it. `refusal` and `remedy` are clauses; `plan` is what was published."""

    kind: Literal["published", "refused", "unknown", "lost"]
    plan: Plan | None = None
    refusal: str = ""
    remedy: str = ""


def operator() -> str:
    """Who is at the keyboard: user@host."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname().partition('.')[0]}"


def rehearsed(command: Command, plan: Plan, known: Known, who: str, now: float) -> Draft:
    """What the command would come to on this plan; nothing is published."""
    from standfast.core.decisions import PlanContext

    record = plan.record
    prefixes = dict(known.prefixes)
    context = PlanContext(
        record.stream,
        record.zones,
        plan.generation + 1,
        who,
        policy=record.policy,
        prefixes=prefixes,
        checks=dict(known.checks),
    )
    return command_draft(command, plan, known.fleet, now, context)


def carry_out(command: Command, config: Config, store: Store, plan: Plan, known: Known) -> Result:
    """Journal it, publish it, journal what came of it. Raises JournalError before anything is done."""
    who = operator()
    journal = Place(config).open_journal("operator", file_name(who))
    facts = _facts(command, who, config.stream)
    try:
        if not journal.write("operator", durable=True, stage="asked", **facts):
            raise JournalError(f"{journal.broken}. Nothing was done.", "Make room, or mend its permissions.")
        outcome = _published(command, config, store, plan, known, who)
        result = _result(outcome, command.keys)
        journal.write("operator", durable=True, stage=result.kind, **facts | _said(result))
    finally:
        journal.close()
    return result


def _facts(command: Command, who: str, stream: str) -> dict[str, object]:
    verb = type(command).__name__.lower()
    target = command.target.generation if isinstance(command, Rollback) else None
    names = [name for _, name in command.keys]
    step = f" to g{target}" if target is not None else ""
    what = f"{who} {verb} {', '.join(names)}{step}"
    facts = {"action": verb, "names": names, "to": target, "reason": command.reason, "by": who, "what": what}
    return {**facts, "stream": stream}


def _said(result: Result) -> dict[str, object]:
    why = f"published as g{result.plan.generation}" if result.plan else f"{result.kind}: {result.refusal}"
    if result.plan is None:
        return {"why": why, "generation": None}
    return {"why": why, "generation": result.plan.generation, "digest": result.plan.digest}


def file_name(who: str) -> str:
    """Who, as a file may be called."""
    return "".join(one if one.isalnum() or one in "@-_." else "-" for one in who)[:80]


def _published(command: Command, config: Config, store: Store, plan: Plan, known: Known, who: str) -> Outcome:
    sources: tuple[tuple[str, int], ...] = (("fleet", known.revision),) if known.revision else ()
    sources += ((DOOMED, known.doomed),) if known.checks else ()
    outcome = Outcome("unknown", "nothing was tried")
    for _ in range(ATTEMPTS):
        task = Assignment(
            stream=config.stream,
            zones=tuple(zone.name for zone in config.zones),
            fleet=known.fleet,
            verdicts=(),
            policies=(),
            now=time.time(),
            author=who,
            policy=plan.record.policy,
            sources=sources,
            command=command,
            prefixes=prefixes_of(config),
            checks=known.checks,
        )
        outcome = _driven(task, config, store)
        if outcome.kind != "moved":
            break
        plan = outcome.plan or plan
    return outcome


def _driven(task: Assignment, config: Config, store: Store) -> Outcome:
    providers = {zone.name: reader(zone) for zone in config.zones}
    try:
        phase = publish(task).heard(_replied(store.perform(publish(task).request)))
        while not isinstance(phase, Done):
            request = phase.request
            reply = _zone_read(request, providers) if isinstance(request, Read) else _replied(store.perform(request))
            phase = phase.heard(reply)
    finally:
        for provider in providers.values():
            if not isinstance(provider, Unknown):
                provider.close()
    return phase.outcome


class _Reader(Protocol):
    def perform(self, request: Read) -> ReadReply: ...


def _zone_read(request: Read, providers: Mapping[str, _Reader | Unknown]) -> Readings | Unknown:
    provider = providers.get(request.zone)
    if provider is None:
        return Unknown(f"zone {request.zone} is not in the configuration")
    return provider if isinstance(provider, Unknown) else provider.perform(request)


def _replied(reply: StoreReply) -> PublisherReply:
    from standfast.ports.store import Collected, Pinned, PlanList, SourceRead, SourcesStored, SourceStored

    if isinstance(reply, Collected | Pinned | PlanList | SourceRead | SourcesStored | SourceStored):
        return Unknown(f"the reply was a {type(reply).__name__}")
    return reply


def _result(outcome: Outcome, keys: tuple[Key, ...]) -> Result:
    if outcome.kind == "published":
        return Result("published", outcome.plan)
    for refusal in outcome.draft.refusals if outcome.draft else ():
        if refusal.key in keys:
            return Result("refused", None, refusal.reason, refusal.remedy)
    if outcome.kind == "refused":
        return Result("refused", None, outcome.why, "see `standfast status`")
    if outcome.kind == "moved":
        return Result("lost", None, f"{outcome.why}, {ATTEMPTS} times in a row", "try again")
    if outcome.kind == "source_moved":
        return Result("lost", None, f"the fleet changed meanwhile: {outcome.why}", "look at it and try again")
    if outcome.kind == "unchanged":
        return Result("refused", None, "nothing would change", "see `standfast status`")
    return Result("unknown", None, outcome.why, "`standfast history` says whether it was published")


def wait_for_marker(
    config: Config, entry: Entry, patience_s: float, waited: Callable[[float], None] = lambda left: None
) -> tuple[Marker | None, str]:
    """The endpoint's marker once it has reached the entry's `since`; else None and why not, after `patience_s`."""
    zone = next((one for one in config.zones if one.name == entry.zone), None)
    if zone is None:
        raise StandfastError(f"Zone {entry.zone} is not in {config.file}.", "Add it, or use the right file.")
    end, why = time.monotonic() + patience_s, "no look was taken"
    while True:
        sight = look_at_zone(zone, config.stream, (entry,), secondaries=False)
        marker = sight.endpoints[0].marker
        if isinstance(marker, Marker) and marker.stream == config.stream and marker.since >= entry.since:
            return marker, ""
        why = sight.trouble or (
            f"its marker is at g{marker.since}" if isinstance(marker, Marker) else "it has no marker"
        )
        left = end - time.monotonic()
        if left <= 0:
            return None, why
        waited(left)
        time.sleep(min(_POLL_S, left))
