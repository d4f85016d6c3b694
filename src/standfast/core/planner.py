"""From fleet, verdicts, policies and the preceding plan to the next plan, or refusals with reasons. Pure.

Rule 1.  One plan covers all endpoints of all zones that share the fleet.
Rule 2.  `since` is the new generation where an entry's contents change, else carried on.
Rule 3.  Absence never deletes: entries that the configuration does not name, held and retired ones are carried on.
Rule 4.  A refusal concerns one endpoint; its previous entry is carried on, and the others are planned all the same.
Rule 5.  What follows another endpoint changes with it, in the same plan.
Rule 6.  A plan is made only if an entry changes. Explanations (members, their reasons, notes) are brought up to date
         when one is made anyway; until then the Draft's decisions have the present ones.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from standfast.model.entry import Entry, Key
from standfast.model.fleet import Fleet, Verdict
from standfast.model.name import first_name
from standfast.model.plan import ROTATION, Plan, PlanRecord
from standfast.model.policy import EndpointPolicy
from standfast.model.shards import Shards

from . import velocity
from .decisions import Decision, Draft, PlanContext, Refusal
from .endpoint import Planned, plan_endpoint
from .entering import admitted, stood_before
from .following import plan_follower
from .load import loads, reserved
from .outlook import Outlook
from .prefixes import REMEDY, RULE, confined, prefix_violations, strayed
from .resting import Memory, Recall, Wanted, entries_of, wanted_of

_REASON_CHARACTERS: Final = 240


def draft(
    fleet: Fleet,
    verdicts: Mapping[str, Verdict],
    policies: tuple[EndpointPolicy, ...],
    previous: Plan | None,
    now: float,
    context: PlanContext,
    memory: Memory | None = None,
) -> Draft:
    """The next plan. `now` is the planner's wall clock in seconds, for velocity and for people.

    With the memory of an earlier draft (`resting`), who was at rest and has nothing new to see is not planned anew.
    """
    before, wanted = entries_of(previous, memory), wanted_of(policies, memory)
    planned_at = previous.record.at if previous else None
    outlook = Outlook(fleet, verdicts, now, context, before.values(), planned_at)
    outlook.reserved = reserved(wanted.needs, outlook, before, context.consented)
    recall = Recall(memory, outlook, wanted, before)
    _settle(recall, outlook, wanted, before)
    outcomes = recall.outcomes
    entries, changed = _entries(recall, before, context)
    absent = sorted(key for key in before.keys() - wanted.by_key.keys() if before[key].kind == "live")
    decisions = [planned.decision for planned in outcomes.values()]
    decisions += [_absent(key) for key in absent]
    spent = _wanted(before, entries, changed, wanted.by_key, now, context)
    plan = published(entries, changed, previous, now, context, _reason(context, decisions)) if spent else None
    return Draft(
        plan=plan,
        decisions=tuple(decisions),
        refusals=tuple(planned.refusal for planned in outcomes.values() if planned.refusal is not None),
        notes=tuple(_notes(absent, previous, context)),
        spreads=tuple(recall.spreads.values()),
        loads=loads(wanted.needs, outlook, outcomes),
        memory=recall.memory(plan or previous, entries if plan else before, changed),
    )


def _settle(recall: Recall, outlook: Outlook, wanted: Wanted, before: Mapping[Key, Entry]) -> None:
    """In the order of keys; those who follow another are planned after it."""
    policies, followers, planned = wanted.by_key, wanted.followers, set[Key]()
    stale = sorted(recall.stale)
    for key in [*(key for key in stale if key not in followers), *(key for key in stale if key in followers)]:
        was, leader = before.get(key), followers.get(key)
        followed = leader is not None and (leader in planned or leader not in recall.stale)
        led = recall.outcomes.get(leader) if leader is not None and followed else None
        recall.planned(key, _outcome(outlook, policies[key], was, led, before.get(leader) if leader else None), was)
        planned.add(key)
    if followers and len(stale) == len(policies):
        recall.sort()


def _entries(
    recall: Recall, before: Mapping[Key, Entry], context: PlanContext
) -> tuple[dict[Key, Entry], tuple[Key, ...]]:
    """Every entry of the next plan, with its number; and which of them are others than before."""
    entries = dict(before)
    for key in sorted(recall.stale):
        if (entry := recall.outcomes[key].entry) is not None:
            entries[key] = entry
    for zone in sorted(set(context.zones) - context.unreadable):
        entries.setdefault((zone, first_name(context.stream, zone)), _first(context, zone))
    changed = []
    concerned = entries.keys() if context.raise_all else (entries.keys() - recall.rests.keys()) | context.raised
    for key in sorted(concerned & entries.keys()):
        entry, was = numbered(entries[key], before.get(key), context), before.get(key)
        entries[key] = was if was is not None and entry == was else entry
        if entries[key] is not was:
            changed.append(key)
    return entries, tuple(changed)


def _outcome(
    outlook: Outlook,
    policy: EndpointPolicy,
    before: Entry | None,
    leader: Planned | None = None,
    leader_before: Entry | None = None,
) -> Planned:
    context = outlook.context
    if before is not None and before.kind != "live":
        why = "it was retired, and a retired name stays retired"
        return _refused(policy.key, "retired", why, f"take {policy.name} out of the configuration")
    if before is not None and before.held:
        decision = Decision(policy.key, "held", f"held: {before.held}", before.members)
        return Planned(before, decision)
    if policy.zone in context.unreadable:
        why = f"zone {policy.zone} is unreadable, so its generations are not known"
        return _refused(policy.key, "unreadable", why, "see to the zone's server; it is tried again at each pass")
    taken = before.taken if before is not None else ""
    if before is None:
        refusal, taken = admitted(policy, context)
        if refusal is not None:
            return Planned(None, Decision(policy.key, "refused", refusal.reason), refusal)
    if policy.follows:
        return _inside(plan_follower(policy, outlook, before, taken, leader, leader_before), policy, "")
    strays = outlook.strays(policy)
    planned = plan_endpoint(policy, confined(outlook, policy, before, strays), before, taken)
    return _inside(planned, policy, strayed(strays))


def _inside(planned: Planned, policy: EndpointPolicy, why: str) -> Planned:
    """Nothing outside the prefixes is planned; who has such addresses is refused, and the others go on."""
    if planned.entry is not None and (violations := prefix_violations(planned.entry, policy.prefixes)):
        return _refused(policy.key, RULE, violations[0].text, REMEDY)
    if why and planned.refusal is None:
        return replace(planned, refusal=Refusal(policy.key, RULE, why, REMEDY))
    return planned


def _refused(key: Key, rule: str, why: str, remedy: str) -> Planned:
    return Planned(None, Decision(key, "refused", why), Refusal(key, rule, why, remedy))


def _first(context: PlanContext, zone: str) -> Entry:
    return Entry(zone, first_name(context.stream, zone), context.generation, kind="first")


def _absent(key: Key) -> Decision:
    return Decision(key, "absent", "it is in the plan and not in the configuration: carried on unchanged")


def numbered(entry: Entry, before: Entry | None, context: PlanContext) -> Entry:
    """With the `since` that rule 2 gives it, and what stays with a name for ever."""
    fresh = not entry.same_contents(before) or context.raise_all or entry.key in context.raised
    since = context.generation if fresh or before is None else before.since
    had_tree = before is not None and before.knew_tree
    trees = () if before is None else before.trees if since == before.since else before.trees_so_far
    stood = stood_before(entry, context) if before is None else before.stood
    same = (entry.since, entry.had_tree, entry.trees, entry.stood) == (since, had_tree, trees, stood)
    return entry if same else replace(entry, since=since, had_tree=had_tree, trees=trees, stood=stood)


def _wanted(
    before: Mapping[Key, Entry],
    entries: Mapping[Key, Entry],
    changed: Iterable[Key],
    policies: Mapping[Key, EndpointPolicy],
    now: float,
    context: PlanContext,
) -> bool:
    """Whether a generation is to be spent."""
    if not before and not any(entry.kind == "live" for entry in entries.values()):
        return False
    if context.above:
        return True
    for key in changed:
        entry = entries[key]
        if _decisive(entry) != _decisive(before.get(key)):
            return True
        if key in policies and velocity.misdated(before[key].departures, now, policies[key].removal_window_s):
            return True
    return False


def _decisive(entry: Entry | None) -> object:
    """All of an entry that somebody acts on: the rest is explanation and memory.

    Who serves is, also where the addresses stay: one that left beside another with its address would else leave anew in
    each draft, and use up what others may leave by.
    """
    if entry is None:
        return None
    served = tuple((member.load_balancer, member.addresses) for member in entry.members if member.served)
    turning = entry.turn is not None
    acted = entry.kind, entry.rrsets, entry.since, entry.min_answers, entry.held, entry.taken, entry.follows
    return acted, entry.layout, turning, served


def published(
    entries: Mapping[Key, Entry],
    changed: Iterable[Key],
    previous: Plan | None,
    now: float,
    context: PlanContext,
    reason: str,
) -> Plan:
    """The plan with these entries; every node of the preceding plan in which none `changed` is used again."""
    if previous is None:
        shards = Shards.of(entries.values())
    else:
        shards = previous.shards.updated(entries[key] for key in changed)
    zones = {*context.zones, *(previous.record.zones if previous else ())}
    firsts = {zone for zone in zones if (zone, first_name(context.stream, zone)) in entries}
    record = PlanRecord(
        stream=context.stream,
        generation=context.generation,
        shards=shards.digest,
        zones=tuple(sorted(firsts)),
        sources=tuple(sorted(context.sources)),
        author=context.author,
        reason=reason,
        at=now,
        policy=context.policy,
    )
    return Plan(record, shards)


def _reason(context: PlanContext, decisions: Iterable[Decision]) -> str:
    some = [one for one in decisions if one.action in ("entered", "changed")]
    changes = "; ".join(one.why for one in some)
    if some and all(_is_turn(one) for one in some):
        changes = f"{ROTATION}{changes}"
    reason = ": ".join(part for part in (context.reason, changes) if part)
    return reason if len(reason) <= _REASON_CHARACTERS else reason[: _REASON_CHARACTERS - 1] + "…"


def _is_turn(one: Decision) -> bool:
    """Whether load balancers only changed places by turns."""
    causes = {who.cause for who in one.leaving} | {str(who.cause) for who in one.joining}
    return one.action == "changed" and causes == {"rotation"}


def _notes(absent: Iterable[Key], previous: Plan | None, context: PlanContext) -> Iterable[str]:
    for key in absent:
        yield f"{key[1]} {_absent(key).why}"
    for zone in sorted(set(previous.record.zones if previous else ()) - set(context.zones)):
        yield f"zone {zone} is in the plan and not in the configuration: carried on unchanged"
