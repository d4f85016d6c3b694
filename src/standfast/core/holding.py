"""What operators do to a plan: roll back, hold, resume, retire. Pure; each gives a new generation by way of a Draft.

A rollback puts old contents into a new generation and holds them, so that neither health nor configuration undoes it
until `resume`. It is the operator's explicit act on addresses that they name, so velocity does not limit it; what
leaves is remembered, so velocity does limit what the planner may remove after it. `min_answers` holds always: the
guard refuses a plan that falls below.
"""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Departure, Entry, Key, Member
from standfast.model.fleet import Fleet
from standfast.model.plan import Plan

from .decisions import Decision, Draft, PlanContext, Refusal
from .guard import entry_violations
from .layout import rechecked
from .planner import numbered, published
from .prefixes import prefix_violations


class Rollback(Struct, frozen=True):
    """Put `target`'s contents of these endpoints back, and hold them."""

    target: Plan
    keys: tuple[Key, ...]
    reason: str


class Hold(Struct, frozen=True):
    """Carry these entries on as they are, whatever health and configuration say."""

    keys: tuple[Key, ...]
    reason: str


class Resume(Struct, frozen=True):
    """End the hold of these entries."""

    keys: tuple[Key, ...]
    reason: str


class Retire(Struct, frozen=True):
    """Take these endpoints out of DNS for ever: their addresses go, a tombstone stays, and so does the entry."""

    keys: tuple[Key, ...]
    reason: str


Command: TypeAlias = Rollback | Hold | Resume | Retire
_Answer: TypeAlias = tuple[Entry, Decision] | Refusal


def command_draft(command: Command, previous: Plan, fleet: Fleet, now: float, context: PlanContext) -> Draft:
    """What comes of a command in this context, whose `author` is who gives it."""
    keys = sorted(set(command.keys))
    match command:
        case Rollback():
            answers = [_rolled_back(previous, command, key, fleet, now, context) for key in keys]
        case Hold():
            answers = [_held(previous, key, command.reason) for key in keys]
        case Resume():
            answers = [_resumed(previous, key) for key in keys]
        case Retire():
            answers = [_retired(previous, key, command.reason, context) for key in keys]
    context = replace(context, reason=_said(command))
    return _draft(previous, answers, now, context, isinstance(command, Rollback))


def rollback(
    previous: Plan,
    target: Plan,
    keys: tuple[Key, ...],
    generation: int,
    who: str,
    reason: str,
    fleet: Fleet,
    now: float,
) -> Draft:
    """Old contents as a new generation, held. Refused where they name load balancers that are gone."""
    command = Rollback(target, keys, reason)
    return command_draft(command, previous, fleet, now, _context(previous, generation, who))


def hold(previous: Plan, keys: tuple[Key, ...], generation: int, who: str, reason: str, now: float) -> Draft:
    """The same contents, `since` carried on, held."""
    return command_draft(Hold(keys, reason), previous, Fleet(()), now, _context(previous, generation, who))


def resume(previous: Plan, keys: tuple[Key, ...], generation: int, who: str, reason: str, now: float) -> Draft:
    """The same contents, `since` carried on, no longer held: the next plan follows health and configuration."""
    return command_draft(Resume(keys, reason), previous, Fleet(()), now, _context(previous, generation, who))


def _context(previous: Plan, generation: int, who: str) -> PlanContext:
    record = previous.record
    return PlanContext(record.stream, record.zones, generation, who, policy=record.policy, sources=record.sources)


def _said(command: Command) -> str:
    match command:
        case Rollback(target, _, reason):
            return f"rollback to g{target.generation}: {reason}"
        case Hold(_, reason):
            return f"hold: {reason}"
        case Resume(_, reason):
            return f"resume: {reason}"
        case Retire(_, reason):
            return f"retire: {reason}"


def _draft(previous: Plan, answers: Iterable[_Answer], now: float, context: PlanContext, always: bool) -> Draft:
    before = {entry.key: entry for entry in previous.shards}
    entries, decisions, refusals = dict(before), list[Decision](), list[Refusal]()
    for answer in answers:
        if isinstance(answer, Refusal):
            refusals.append(answer)
            decisions.append(Decision(answer.key, "refused", answer.reason))
            continue
        entry, decision = answer
        entries[entry.key] = entry
        decisions.append(decision)
    done = {decision.key for decision in decisions if decision.action != "refused"}
    if always:
        context = replace(context, raised=context.raised | done)
    entries = {key: numbered(entry, before.get(key), context) for key, entry in entries.items()}
    changed = [key for key, entry in entries.items() if entry != before.get(key)]
    wanted = bool(done or changed) or context.above
    plan = published(entries, changed, previous, now, context, context.reason) if wanted else None
    return Draft(plan, tuple(decisions), tuple(refusals))


def _live(previous: Plan, key: Key) -> Entry | Refusal:
    entry = previous.entry(key)
    if entry is None:
        return Refusal(key, "absent", "no plan has such an endpoint", "see `standfast status` for their names")
    if entry.kind != "live":
        return Refusal(key, "retired", "it was retired, and a retired name stays retired", "use another name")
    return entry


def _rolled_back(
    previous: Plan, command: Rollback, key: Key, fleet: Fleet, now: float, context: PlanContext
) -> _Answer:
    entry, old = _live(previous, key), command.target.entry(key)
    if isinstance(entry, Refusal):
        return entry
    if key[0] in context.unreadable:
        why = f"zone {key[0]} is unreadable, so its generations are not known"
        return Refusal(key, "unreadable", why, "try again when its server answers")
    generation = command.target.generation
    if old is None or old.kind != "live":
        why = f"g{generation} has no such live endpoint"
        return Refusal(key, "target", why, "choose a generation of `standfast history`")
    if gone := _gone(old, fleet):
        why = f"g{generation} names what is gone: {', '.join(gone)}"
        return Refusal(key, "gone", why, "choose a newer generation, or bring them back into the fleet first")
    old = rechecked(old, context.checks.get(key[0], ()))
    members = tuple(_member(member, generation) for member in old.members)
    departures = (*entry.departures, *_departures(entry, old, now))
    back = replace(
        entry,
        layout=old.layout,
        rrsets=old.rrsets,
        min_answers=old.min_answers,
        held=command.reason or f"rolled back to g{generation}",
        members=members,
        departures=departures,
        note=f"contents of g{generation}",
    )
    strays = prefix_violations(back, context.prefixes.get(key[0], ()))
    if violations := (*entry_violations(back), *strays):
        text = "; ".join(violation.text for violation in violations)
        return Refusal(key, "guard", text, "choose another generation")
    left = tuple(sorted(_served(entry) - _served(old)))
    joined = tuple(sorted(_served(old) - _served(entry)))
    why = f"{key[1]}: contents of g{generation}, held"
    return back, Decision(key, "held", why, members, joined, left)


def _gone(old: Entry, fleet: Fleet) -> list[str]:
    """Load balancers of these contents that the fleet lacks, or that have other addresses now."""
    there = {one.id: {*one.ipv4, *one.ipv6} for one in fleet.load_balancers}
    missing = []
    for member in old.members:
        if not member.served:
            continue
        if member.load_balancer not in there:
            missing.append(member.load_balancer)
        elif lost := sorted(set(member.addresses) - there[member.load_balancer]):
            missing.append(f"{member.load_balancer} (no longer at {', '.join(lost)})")
    return sorted(missing)


def _member(member: Member, generation: int) -> Member:
    return replace(member, reason=f"{'in' if member.served else 'out'} as in g{generation}, by rollback")


def _served(entry: Entry) -> set[str]:
    return {member.load_balancer for member in entry.members if member.served}


def _departures(entry: Entry, old: Entry, now: float) -> list[Departure]:
    stay = _served(old)
    installed = sum(member.weight for member in entry.members if member.served)
    return [
        Departure(member.load_balancer, member.weight, now, installed)
        for member in entry.members
        if member.served and member.load_balancer not in stay
    ]


def _held(previous: Plan, key: Key, reason: str) -> _Answer:
    entry = _live(previous, key)
    if isinstance(entry, Refusal):
        return entry
    if entry.held:
        return Refusal(key, "held", f"it is held already: {entry.held}", "`standfast resume` ends that")
    held = replace(entry, held=reason or "held")
    return held, Decision(key, "held", f"{key[1]}: held", entry.members)


def _resumed(previous: Plan, key: Key) -> _Answer:
    entry = _live(previous, key)
    if isinstance(entry, Refusal):
        return entry
    if not entry.held:
        return Refusal(key, "held", "it is not held", "nothing needs to be done")
    return replace(entry, held=""), Decision(key, "kept", f"{key[1]}: resumed", entry.members)


def _retired(previous: Plan, key: Key, reason: str, context: PlanContext) -> _Answer:
    """Its departures are no matter any more: nothing is left of which a share might go."""
    known = previous.entry(key)
    if known is not None and known.kind == "retired":
        return Refusal(key, "retired", "it is retired already", "nothing needs to be done")
    entry = _live(previous, key)
    if isinstance(entry, Refusal):
        return entry
    if followers := sorted(one.name for one in previous.shards if _follows(one, key)):
        why = f"it is followed by {', '.join(followers)}"
        return Refusal(key, "followed", why, f"retire {', '.join(followers)} first, or let it follow another")
    if key[0] in context.unreadable:
        why = f"zone {key[0]} is unreadable, so its generations are not known"
        return Refusal(key, "unreadable", why, "try again when its server answers")
    gone = Entry(entry.zone, entry.name, entry.since, kind="retired", taken=entry.taken, note=f"retired: {reason}")
    left = tuple(sorted(_served(entry)))
    return gone, Decision(key, "retired", f"{key[1]}: retired", (), (), left)


def _follows(entry: Entry, key: Key) -> bool:
    return entry.kind == "live" and (entry.zone, entry.follows) == key
