"""Endpoints that follow another: account-specific names of a service. Pure.

On RFC 2136 a follower is published as a copy of the followed one's address rrsets and never as CNAME: where a CNAME may
stand and addresses already do, servers answer NOERROR and skip it, and the name would be empty. So both change in one
generation, and what is refused for the one is refused for the other.

A follower whose answer was another's until now (it was an endpoint of its own, or was rolled back alone) does not
jump: it is planned by the followed one's settings, within its own limits, until both have the same answer.
"""

from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.policy import EndpointPolicy

from .decisions import Action, Decision, Refusal
from .endpoint import Planned, forgetful, plan_endpoint, told
from .outlook import Outlook


def plan_follower(
    policy: EndpointPolicy,
    outlook: Outlook,
    before: Entry | None,
    taken: str,
    leader: Planned | None,
    leader_before: Entry | None,
) -> Planned:
    """The follower's entry. `leader` is what came of the followed one in this very draft."""
    stands = leader.entry if leader is not None and leader.entry is not None else leader_before
    if leader is None or stands is None or stands.kind != "live":
        why = f"{policy.follows}, which it follows, is not in the plan"
        remedy = f"it enters with {policy.follows}"
        return _refused(policy, before, Refusal(policy.key, "follows", why, remedy))
    in_step = before is None or (leader_before is not None and before.rrsets == leader_before.rrsets)
    if not in_step and before is not None and before.rrsets != stands.rrsets:
        if stands.held:
            why = f"{policy.follows} is held, and it has another answer"
            remedy = f"it follows when {policy.follows} is resumed"
            return _refused(policy, before, Refusal(policy.key, "follows", why, remedy))
        approached = plan_endpoint(policy, outlook, before, taken)
        if approached.entry is None or approached.entry.rrsets != stands.rrsets:
            return approached
    return _copied(policy, outlook, before, taken, leader, stands)


def _refused(policy: EndpointPolicy, before: Entry | None, refusal: Refusal) -> Planned:
    return Planned(None, Decision(policy.key, "refused", refusal.reason, before.members if before else ()), refusal)


def _copied(
    policy: EndpointPolicy, outlook: Outlook, before: Entry | None, taken: str, leader: Planned, stands: Entry
) -> Planned:
    entry = replace(
        stands,
        name=policy.name,
        since=outlook.context.generation,
        held="",
        taken=taken,
        follows=policy.follows,
        endpoint_kind="account",
    )
    action: Action = "entered" if before is None else "kept" if entry.same_contents(before) else "changed"
    if before is not None and action == "kept" and told(entry) == told(before):
        entry = forgetful(entry, before)
    drawn = leader.decision
    served = {member.load_balancer for member in entry.members if member.served}
    was = {member.load_balancer for member in before.members if member.served} if before else set()
    decision = replace(
        drawn,
        key=policy.key,
        action=action,
        why=f"{policy.name} follows {policy.follows}: {drawn.why}",
        members=entry.members,
        joined=tuple(sorted(served - was)),
        left=tuple(sorted(was - served)),
        leaving=tuple(one for one in drawn.leaving if one.load_balancer in was),
        joining=drawn.joining if before is not None else (),
    )
    return Planned(entry, decision, None, leader.able, leader.served, leader.parts)
