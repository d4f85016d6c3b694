"""One endpoint's next entry: families, minimum answers, members, words. Pure."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.fleet import LoadBalancer
from standfast.model.policy import EndpointKind, EndpointPolicy
from standfast.model.rrset import RRset, RRType, type_name

from .decisions import Action, Decision, Refusal
from .guard import entry_violations
from .layout import TREE_ANSWERS, checks_of, layout_of, names_among, rrsets_of, slowly, watched, weighed
from .membership import Membership, all_answered, candidates, decide, healthy_share
from .outlook import Outlook
from .removal import panicking
from .rotation import due_shares
from .selection import (
    Candidate,
    Least,
    addresses_in,
    answers,
    family_of,
)


class Planned(Struct, frozen=True):
    """What came of one endpoint. `entry` is None if it does not enter, or stays as it was by a refusal.

    `able`, `served` and `parts` are as in a Spread.
    """

    entry: Entry | None
    decision: Decision
    refusal: Refusal | None = None
    able: tuple[tuple[str, int], ...] = ()
    served: tuple[str, ...] = ()
    parts: tuple[tuple[str, float], ...] = ()


def plan_endpoint(policy: EndpointPolicy, outlook: Outlook, before: Entry | None, taken: str) -> Planned:
    """The entry that the policy, health and the limits give; `since` is still to be settled."""
    some, wanted, least = outlook.eligible(policy), outlook.families(policy), outlook.least(policy)
    layout = layout_of(policy, some, before)
    if layout == "tree":
        policy = replace(policy, max_answers=TREE_ANSWERS)
    if layout != "multivalue" and (names := names_among(some)):
        why = f"{', '.join(names[:4])} is only a name, and layout {layout} has addresses"
        remedy = "a name needs Route 53 and layout multivalue; else give addresses, or keep it out by azs or pools"
        return _refusal(policy, Refusal(policy.key, "alias", why, remedy), before)
    if refusal := _impossible(policy, some, wanted, least, before):
        return _refusal(policy, refusal, before)
    considered = candidates(policy, outlook, before, wanted)
    healthy = healthy_share(policy, outlook, (one.load_balancer for one in considered if one.present))
    had = tuple(family for family, _ in before.min_answers) if before else ()
    ready = tuple(family for family in wanted if _ups(considered, family) >= least[family])
    families = tuple(family for family in wanted if family in had or family in ready)
    waiting = tuple(family for family in wanted if family not in families)
    if waiting and (before is None or not families):
        return _refusal(policy, _not_yet(policy, considered, waiting, least), before)
    if policy.on_panic == "all" and panicking(policy, healthy):
        considered = all_answered(considered, outlook, healthy)
    membership = decide(policy, outlook, considered, before, families, least, healthy)
    notes = _waiting(waiting, least)
    checks = checks_of(outlook.context.checks.get(policy.zone, ()), layout, membership.served)
    served, members = slowly(layout, membership.served, membership.members, panic=membership.panic)
    membership = replace(membership, members=watched(members, checks))
    rrsets = rrsets_of(layout, served, families, policy.ttl, checks)
    entry = _entry(policy, membership, rrsets, least, outlook.context.generation, taken, notes)
    entry = replace(entry, layout=layout) if layout != entry.layout else entry
    if violations := entry_violations(entry):
        text = "; ".join(violation.text for violation in violations)
        return _refusal(policy, Refusal(policy.key, "guard", text, "mend the configuration"), before)
    return _planned(policy, before, entry, membership, considered)


def _refusal(policy: EndpointPolicy, refusal: Refusal, before: Entry | None) -> Planned:
    members = before.members if before else ()
    return Planned(None, Decision(policy.key, "refused", refusal.reason, members), refusal)


def _impossible(
    policy: EndpointPolicy,
    some: tuple[LoadBalancer, ...],
    wanted: tuple[RRType, ...],
    least: Least,
    before: Entry | None,
) -> Refusal | None:
    """Why this configuration can't serve the endpoint whatever health says."""
    if not wanted:
        return Refusal(policy.key, "eligible", "no load balancer is eligible", "see its azs, pools and families")
    for family in wanted:
        has = len({address for one in some for address in addresses_in(one, (family,))})
        if has < least[family]:
            why = f"the eligible load balancers have {has} {family.name}, min_answers is {least[family]}"
            return Refusal(policy.key, "min_answers", why, "admit more load balancers, or lower min_answers")
    if before is None:
        return None
    for number, _ in before.min_answers:
        if number not in wanted and not policy.families:
            name = RRType(number).name
            why = f"it serves {name}, and no eligible load balancer has such an address any more"
            others = ", ".join(family.name for family in wanted)
            return Refusal(policy.key, "family", why, f"to give {name} up, say so: `families: [{others}]`")
    for member in before.members:
        if member.served and not any(family_of(address) in wanted for address in member.addresses):
            why = f"{member.load_balancer} serves it in a family that it shall no longer have"
            return Refusal(policy.key, "family", why, "drain such load balancers first, then change `families`")
    return None


def _ups(considered: tuple[Candidate, ...], family: RRType) -> int:
    return answers((one for one in considered if one.wish == "in"), family)


def _not_yet(
    policy: EndpointPolicy, considered: tuple[Candidate, ...], waiting: tuple[RRType, ...], least: Least
) -> Refusal:
    if not any(one.wish == "in" for one in considered):
        why = "no load balancer has passed its checks yet"
    else:
        some = ", ".join(f"{_ups(considered, f)} of at least {least[f]} {f.name}" for f in waiting)
        why = f"too few load balancers have passed their checks yet: {some}"
    states = "; ".join(f"{one.load_balancer}: {one.reason}" for one in considered if one.wish != "in")
    return Refusal(policy.key, "healthy", why, f"it enters by itself when enough have ({states})")


def _waiting(waiting: tuple[RRType, ...], least: Least) -> tuple[str, ...]:
    return tuple(f"{family.name} waits for {least[family]} load balancers that pass" for family in waiting)


def _entry(
    policy: EndpointPolicy,
    membership: Membership,
    rrsets: tuple[RRset, ...],
    least: Least,
    generation: int,
    taken: str,
    notes: tuple[str, ...],
) -> Entry:
    """min_answers of the entry is what it can promise: what it has, as long as that is less than is wanted."""
    promised: list[tuple[int, int]] = []
    for rrset in rrsets:
        want, has = least[RRType(rrset.answers)], rrset.count
        promised.append((rrset.answers, min(want, has)))
        if has < want:
            notes = (*notes, f"min_answers {want} is not reached yet: {has} {type_name(rrset.rtype)}")
    return Entry(
        zone=policy.zone,
        name=policy.name,
        since=generation,
        rrsets=rrsets,
        min_answers=tuple(promised),
        taken=taken,
        members=membership.members,
        departures=membership.departures,
        arrivals=membership.arrivals,
        turn=membership.turn,
        note="; ".join(notes),
        endpoint_kind=policy.kind or _kind(tuple(RRType(rrset.answers) for rrset in rrsets)),
    )


def _kind(families: tuple[RRType, ...]) -> EndpointKind:
    """As the families that it serves tell."""
    if len(families) > 1:
        return "dual-stack"
    return "ipv6-only" if RRType.AAAA in families else "public"


def _planned(
    policy: EndpointPolicy,
    before: Entry | None,
    entry: Entry,
    membership: Membership,
    considered: tuple[Candidate, ...],
) -> Planned:
    action: Action = "entered" if before is None else "kept" if entry.same_contents(before) else "changed"
    if action == "kept" and before is not None and told(entry) == told(before):
        entry = forgetful(entry, before)
    decision = Decision(
        key=policy.key,
        action=action,
        why=_why(action, entry, membership),
        members=membership.members,
        joined=membership.joined,
        left=membership.left,
        leaving=membership.leaving,
        joining=membership.joining,
        held_back=membership.held_back,
        until=membership.until,
        share=policy.removal_share,
        panic=membership.panic,
        healthy=membership.healthy,
        removed=membership.removed,
        removable=membership.removable,
        due=membership.due,
        adding=membership.adding,
    )
    able = [one for one in considered if one.wish == "in" or _stays(one)]
    served = tuple(sorted({one.load_balancer for one in membership.served}))
    parts = _turns(able, len(served)) if entry.turn is not None else weighed(entry.layout, entry.members)
    could = tuple((one.load_balancer, one.capacity) for one in able)
    return Planned(entry, decision, membership.refusal, able=could, served=served, parts=parts)


def _turns(able: Iterable[Candidate], places: int) -> tuple[tuple[str, float], ...]:
    """Each one's part of the answers, averaged over a whole rotation."""
    due = due_shares(able, places)
    whole = sum(due.values())
    return tuple((name, share / whole) for (name, _), share in due.items()) if whole else ()


def _stays(one: Candidate) -> bool:
    return one.wish == "stay" and one.present


def told(entry: Entry) -> object:
    """All of an entry that is explanation of what stands."""
    turning = entry.turn is not None
    return (entry.min_answers, entry.members, entry.note, entry.follows, entry.endpoint_kind, turning)


def forgetful(entry: Entry, before: Entry) -> Entry:
    """Departures and arrivals that passed out of their window are no reason to write the entry anew."""
    if entry.departures == before.departures and entry.arrivals == before.arrivals:
        return before
    same = {(one.load_balancer, one.at) for one in before.departures}
    return before if all((one.load_balancer, one.at) in same for one in entry.departures) else entry


def _why(action: Action, entry: Entry, membership: Membership) -> str:
    served = len({member.load_balancer for member in entry.members if member.served})
    every = len({member.load_balancer for member in entry.members})
    changes = " ".join([f"+ {name}" for name in membership.joined] + [f"− {name}" for name in membership.left])
    if not changes:
        changes = {"entered": "new", "changed": "addresses, weights or TTL changed"}.get(action, "no change")
    panic = "; panic: nothing is dropped" if membership.panic else ""
    note = f"; {entry.note}" if entry.note else ""
    return f"{entry.name} {changes} ({served} of {every}{panic}{note})"
