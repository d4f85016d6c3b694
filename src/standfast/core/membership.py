"""Which load balancers one endpoint's answer shall have, and why each is or is not in it. Pure.

Health, configuration and operators say who *wants* in or out (`candidates`); the limits say who may go (`removal`) and
how quickly others join (`adding`). `decide` puts it together.

Those who leave go in this order: those believed down, those that left the fleet, those of unknown health, drained
ones, healthy ones; so the least bad are kept. Who is not known to be healthy or ill stays where it is; a newcomer that
warms up is not let in. All limits hold for removals by file and operator too.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.defaults import AZ_AGAIN_S
from standfast.model.entry import KEPT, NOT_CHOSEN, Arrival, Departure, Entry, Member, Turn
from standfast.model.fleet import LoadBalancer, Verdict
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType

from . import velocity
from .adding import Adding, admit
from .azloss import lost_azs
from .decisions import Budget, HeldBack, Joining, Leaving, Refusal
from .outlook import Outlook
from .removal import Removals, panicking
from .rotation import turned
from .selection import Candidate, Least, Wish, excluded, family_of

NOT_CHECKED: Final = Verdict("unknown", "not checked yet")
_DOWN, _GONE, _UNKNOWN, _HEALTHY, _SPARE = range(5)
"""Urgency of leaving: see above."""


class Membership(Struct, frozen=True):
    """What was decided: those in the answer, those that left it, and a reason for each that was considered.

    `departures` and `arrivals` are the new memory of the limits. `removed`, `removable`, `until`, `adding`, `held_back`
    and `due` are as in a Decision. `refusal` is what people are asked for.
    """

    served: tuple[Candidate, ...]
    members: tuple[Member, ...]
    departures: tuple[Departure, ...]
    arrivals: tuple[Arrival, ...]
    turn: Turn | None
    joined: tuple[str, ...]
    left: tuple[str, ...]
    leaving: tuple[Leaving, ...]
    joining: tuple[Joining, ...]
    held_back: tuple[HeldBack, ...]
    refusal: Refusal | None
    panic: bool
    healthy: float
    removed: float
    removable: float
    until: float | None
    adding: Budget
    due: float | None


def candidates(
    policy: EndpointPolicy, outlook: Outlook, previous: Entry | None, families: tuple[RRType, ...]
) -> tuple[Candidate, ...]:
    """Everybody to be considered: the eligible, and whoever is in the present answer."""
    present: dict[str, list[Member]] = {}
    for member in previous.members if previous else ():
        addresses = tuple(address for address in member.addresses if family_of(address) in families)
        if member.served and addresses:
            present.setdefault(member.load_balancer, []).append(Member(*_fields(member, addresses)))
    found: list[Candidate] = []
    verdicts = outlook.verdicts
    for one in outlook.eligible(policy):
        addresses = outlook.addresses(one, families)
        installed: int | None = None
        for member in present.pop(one.id, ()):
            if set(member.addresses) <= set(addresses):
                installed = max(installed or 0, member.weight)
            else:
                found.append(_leaver(member, _GONE, f"its addresses changed to {', '.join(addresses)}"))
        wish, why, urgency = outlook.wish(one, _wish, verdicts.get(one.id, NOT_CHECKED))
        asked = one.admin != "up"
        found.append(Candidate(one.id, addresses, one.capacity, installed, wish, why, urgency, asked, one.eased))
    for name, members in present.items():
        why, urgency = _why_not_eligible(policy, outlook.by_id.get(name), verdicts.get(name, NOT_CHECKED))
        found.extend(_leaver(member, urgency, why) for member in members)
    return tuple(sorted(found, key=_identity))


def _identity(one: Candidate) -> tuple[str, tuple[str, ...]]:
    return (one.load_balancer, one.addresses)


def _fields(member: Member, addresses: tuple[str, ...]) -> tuple[str, tuple[str, ...], int, bool, str]:
    return (member.load_balancer, addresses, member.weight, member.served, member.reason)


def _leaver(member: Member, urgency: int, why: str) -> Candidate:
    weight = member.weight
    return Candidate(member.load_balancer, member.addresses, weight, weight, "out", why, urgency, asked=True)


def _why_not_eligible(policy: EndpointPolicy, one: LoadBalancer | None, verdict: Verdict) -> tuple[str, int]:
    if one is None:
        return "it is not in the fleet any more", _GONE
    return excluded(policy, one), _urgency(verdict)


def _urgency(verdict: Verdict) -> int:
    return {"down": _DOWN, "up": _HEALTHY}.get(verdict.state, _UNKNOWN)


def _wish(one: LoadBalancer, verdict: Verdict) -> tuple[Wish, str, int]:
    if one.admin == "down":
        return "out", one.why or "taken down by configuration", min(_GONE, _urgency(verdict))
    if one.admin == "drain":
        return "out", one.why or "drained by configuration", _urgency(verdict)
    if verdict.state == "up":
        return "in", verdict.reason, _SPARE
    if verdict.state == "down":
        return "out", verdict.reason, _DOWN
    return "stay", verdict.reason, _UNKNOWN


def healthy_share(policy: EndpointPolicy, outlook: Outlook, present: Iterable[str]) -> float:
    """Capacity believed healthy ÷ capacity that is checked (rule 1 of `removal`); 1 if nothing is checked."""
    here, healthy, checked = set(present), 0, 0
    for one in outlook.eligible(policy):
        state = outlook.verdicts.get(one.id, NOT_CHECKED).state
        if one.admin == "up" and not (state == "warming" and one.id not in here):
            checked += one.capacity
            healthy += one.capacity if state == "up" else 0
    return healthy / checked if checked else 1.0


def all_answered(considered: Iterable[Candidate], outlook: Outlook, healthy: float) -> tuple[Candidate, ...]:
    """In a panic under `on_panic: all`: whoever was ever admitted wants in; drained ones and newcomers do not."""
    why = f"panic: {healthy:.0%} believed healthy, so all are answered"
    return tuple(
        replace(one, wish="in", reason=f"{why}; {one.reason}")
        if not one.asked and outlook.verdicts.get(one.load_balancer, NOT_CHECKED).state in ("down", "unknown")
        else one
        for one in considered
    )


def decide(
    policy: EndpointPolicy,
    outlook: Outlook,
    considered: tuple[Candidate, ...],
    previous: Entry | None,
    families: tuple[RRType, ...],
    least: Least,
    healthy: float,
) -> Membership:
    """The answer's members, within every limit."""
    now = outlook.now
    able = tuple(one for one in considered if _able(one, families))
    calm = not panicking(policy, healthy)
    turn = turned(policy, outlook, considered, able, previous, families, least, calm=calm)
    chosen = turn.chosen
    everything = policy.on_panic == "all" and not calm
    adding = admit(policy, previous, able, chosen, families, least, now, unlimited=everything, turn=turn.came)
    waiting = {one.identity: held.why for one, held in adding.waiting}
    if waiting:
        joining = {one.identity for one in chosen if not one.present} - waiting.keys()
        now_able = tuple(one for one in able if one.present or one.identity in joining)
        chosen = turned(policy, outlook, considered, now_able, previous, families, least, calm=calm).chosen
    taken = {one.identity for one in chosen}
    spare = {one.identity for one in able} - taken - waiting.keys()
    leavers = sorted(
        (one for one in considered if one.present and one.identity not in taken),
        key=lambda one: (_SPARE if one.identity in spare else one.urgency, -(one.installed or 0), one.identity),
    )
    installed = sum(one.installed or 0 for one in considered)
    before = previous.departures if previous else ()
    past = velocity.remembered(before, now, policy.removal_window_s)
    lost = lost_azs(policy, outlook, considered, healthy, before) if leavers else {}
    removals = Removals(
        policy, outlook, families, least, installed, healthy, [*chosen, *leavers], past, spare, lost, turn.went
    )
    for one in leavers:
        removals.consider(one)
    total = f"{len(chosen)} of {len(able)} by weight"
    return _membership(
        policy,
        considered,
        removals,
        _older(before, past, now),
        adding,
        turn.turn,
        {
            **{identity: f"waits: {why}" for identity, why in waiting.items()},
            **dict.fromkeys(spare, f"{NOT_CHOSEN}: {total}"),
        },
    )


def _older(before: Iterable[Departure], past: Iterable[Departure], now: float) -> tuple[Departure, ...]:
    """Departures of whole AZs that velocity no longer counts and that still forbid another AZ to go."""
    counted = {(one.load_balancer, one.at) for one in past}
    return tuple(
        one
        for one in before
        if one.az and one.at + AZ_AGAIN_S > now >= one.at and (one.load_balancer, one.at) not in counted
    )


def _membership(
    policy: EndpointPolicy,
    considered: tuple[Candidate, ...],
    removals: Removals,
    older: tuple[Departure, ...],
    adding: Adding,
    turn: Turn | None,
    outside: Mapping[tuple[str, tuple[str, ...]], str],
) -> Membership:
    """With words. `outside` says of those who are able and not chosen why."""
    served = {one.identity for one in removals.served}
    ids = {name for name, _ in served}
    were = {one.load_balancer for one in considered if one.present}
    held_back = (*removals.held_back, *(held for _, held in adding.waiting))
    counted = removals.departures
    return Membership(
        served=tuple(one for one in considered if one.identity in served),
        members=tuple(
            _member(one, one.identity in served, removals.kept.get(one.identity, ""), outside.get(one.identity, ""))
            for one in considered
        ),
        departures=(*older, *counted),
        arrivals=adding.arrivals,
        turn=turn,
        joining=adding.joining,
        joined=tuple(sorted(ids - were)),
        left=tuple(sorted(were - ids)),
        leaving=tuple(removals.leaving),
        held_back=held_back,
        refusal=removals.refusal,
        panic=removals.panic,
        healthy=removals.healthy,
        removed=velocity.used(counted),
        removable=velocity.limit(counted, policy.removal_share, removals.installed),
        until=min((one.at + policy.removal_window_s for one in counted), default=None),
        adding=adding.budget,
        due=min((one.due for one in held_back if one.due is not None), default=None),
    )


def _able(one: Candidate, families: tuple[RRType, ...]) -> bool:
    wanted = one.wish == "in" or (one.wish == "stay" and one.present)
    return wanted and any(family_of(address) in families for address in one.addresses)


def _member(one: Candidate, served: bool, kept: str, outside: str) -> Member:
    """One that is kept keeps its weight: a lower capacity must not let it pass velocity's limit next time."""
    why = outside or one.reason
    if kept:
        why = f"{KEPT}{kept}; {why}"
    elif one.wish == "stay" and not outside:
        why = f"stays in: {why}" if served else f"stays out: {why}"
    weight = one.installed if kept and one.installed is not None else one.capacity
    return Member(one.load_balancer, one.addresses, weight, served, why)
