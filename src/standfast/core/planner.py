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
from .entering import admitted
from .following import plan_follower
from .load import loads, reserved
from .outlook import Outlook
from .prefixes import REMEDY, RULE, confined, prefix_violations, strayed
from .spread import Spread

_REASON_CHARACTERS: Final = 240


def draft(
    fleet: Fleet,
    verdicts: Mapping[str, Verdict],
    policies: tuple[EndpointPolicy, ...],
    previous: Plan | None,
    now: float,
    context: PlanContext,
) -> Draft:
    """The next plan. `now` is the planner's wall clock in seconds, for velocity and for people."""
    before = {entry.key: entry for entry in previous.shards} if previous else {}
    wanted = {policy.key: policy for policy in sorted(policies, key=lambda policy: policy.key)}
    planned_at = previous.record.at if previous else None
    outlook = Outlook(fleet, verdicts, now, context, before.values(), planned_at)
    outlook.reserved = reserved(wanted.values(), outlook, before, context.consented)
    outcomes = _outcomes(outlook, wanted, before)
    entries = dict(before)
    entries.update((planned.entry.key, planned.entry) for planned in outcomes if planned.entry is not None)
    for zone in sorted(set(context.zones) - context.unreadable):
        entries.setdefault((zone, first_name(context.stream, zone)), _first(context, zone))
    entries = {key: numbered(entry, before.get(key), context) for key, entry in entries.items()}
    absent = sorted(key for key, entry in before.items() if entry.kind == "live" and key not in wanted)
    decisions = [planned.decision for planned in outcomes]
    decisions += [_absent(key) for key in absent]
    windows = {key: policy.removal_window_s for key, policy in wanted.items()}
    if not _wanted(before, entries, windows, now, context):
        entries = before
    plan = None if entries is before else published(entries, previous, now, context, _reason(context, decisions))
    return Draft(
        plan=plan,
        decisions=tuple(decisions),
        refusals=tuple(planned.refusal for planned in outcomes if planned.refusal is not None),
        notes=tuple(_notes(decisions, previous, context)),
        spreads=tuple(Spread(one.decision.key, one.able, one.served, one.turns) for one in outcomes),
        loads=loads(wanted.values(), outlook, {one.decision.key: one.served for one in outcomes}),
    )


def _outcomes(outlook: Outlook, wanted: Mapping[Key, EndpointPolicy], before: Mapping[Key, Entry]) -> list[Planned]:
    """In the order of keys; those who follow another are planned after it."""
    found: dict[Key, Planned] = {}
    for key, policy in wanted.items():
        if not policy.follows:
            found[key] = _outcome(outlook, policy, before.get(key))
    for key, policy in wanted.items():
        if policy.follows:
            leader = (policy.zone, policy.follows)
            found[key] = _outcome(outlook, policy, before.get(key), found.get(leader), before.get(leader))
    return [found[key] for key in wanted]


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
    """With the `since` that rule 2 gives it."""
    fresh = not entry.same_contents(before) or context.raise_all or entry.key in context.raised
    since = context.generation if fresh or before is None else before.since
    had_tree = before is not None and before.knew_tree
    same = entry.since == since and entry.had_tree == had_tree
    return entry if same else replace(entry, since=since, had_tree=had_tree)


def _wanted(
    before: Mapping[Key, Entry],
    entries: Mapping[Key, Entry],
    windows: Mapping[Key, float],
    now: float,
    context: PlanContext,
) -> bool:
    """Whether a generation is to be spent."""
    if not before and not any(entry.kind == "live" for entry in entries.values()):
        return False
    if context.above:
        return True
    for key, entry in entries.items():
        if entry is before.get(key):
            continue
        if _decisive(entry) != _decisive(before.get(key)):
            return True
        if key in windows and velocity.misdated(before[key].departures, now, windows[key]):
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
    entries: Mapping[Key, Entry], previous: Plan | None, now: float, context: PlanContext, reason: str
) -> Plan:
    """The plan with these entries; every node of the preceding plan in which nothing changed is used again."""
    if previous is None:
        shards = Shards.of(entries.values())
    else:
        before = {entry.key: entry for entry in previous.shards}
        shards = previous.shards.updated(entry for key, entry in entries.items() if entry != before.get(key))
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


def _notes(decisions: Iterable[Decision], previous: Plan | None, context: PlanContext) -> Iterable[str]:
    for decision in decisions:
        if decision.action == "absent":
            yield f"{decision.key[1]} {decision.why}"
    for zone in sorted(set(previous.record.zones if previous else ()) - set(context.zones)):
        yield f"zone {zone} is in the plan and not in the configuration: carried on unchanged"
