"""Which load balancers one endpoint's answer shall have, and why each is or is not in it. Pure.

Health, configuration and operators say who *wants* in or out (`candidates`); the limits say who may go (`decide`):

1. Panic: where less than `hold_below` of the capacity that is checked is believed healthy, the checks are less
   credible than the answer that stands, so nothing is dropped; what is healthy is still added. Drained load balancers
   and newcomers that were never admitted are no evidence, so they count on neither side.
2. `min_answers`: nobody leaves who would take a family below it. The worst leave first, so the least bad are kept:
   those believed down go before those that left the fleet, these before drained ones, healthy ones last.
3. Velocity: see `velocity`.

Who is not known to be healthy or ill stays where it is; a newcomer that warms up is not let in. All limits hold for
removals by file and operator too; who an operator consented to goes beyond velocity, never beyond the others.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from standfast.model.entry import Departure, Entry, Member
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType

from . import velocity
from .decisions import Cause, Leaving
from .selection import Candidate, Least, Wish, addresses_in, answers, choose, eligible, excluded, family_of

NOT_CHECKED: Final = Verdict("unknown", "not checked yet")
_DOWN, _GONE, _UNKNOWN, _HEALTHY, _SPARE = range(5)
"""Urgency of leaving: see rule 2."""


class Membership(Struct, frozen=True):
    """What was decided: those in the answer, those that left it, and a reason for each that was considered.

    `departures` is velocity's new memory. `removed`, `removable` and `due` are as in a Decision.
    """

    served: tuple[Candidate, ...]
    members: tuple[Member, ...]
    departures: tuple[Departure, ...]
    joined: tuple[str, ...]
    left: tuple[str, ...]
    leaving: tuple[Leaving, ...]
    panic: bool
    healthy: float
    removed: float
    removable: float
    due: float | None


def candidates(
    policy: EndpointPolicy,
    fleet: Fleet,
    verdicts: Mapping[str, Verdict],
    previous: Entry | None,
    families: Iterable[RRType],
) -> tuple[Candidate, ...]:
    """Everybody to be considered: the eligible, and whoever is in the present answer."""
    wanted = tuple(families)
    present: dict[str, list[Member]] = {}
    for member in previous.members if previous else ():
        addresses = tuple(address for address in member.addresses if family_of(address) in wanted)
        if member.served and addresses:
            present.setdefault(member.load_balancer, []).append(Member(*_fields(member, addresses)))
    found: list[Candidate] = []
    for one in eligible(policy, fleet):
        verdict = verdicts.get(one.id, NOT_CHECKED)
        addresses = addresses_in(one, wanted)
        installed: int | None = None
        for member in present.pop(one.id, ()):
            if set(member.addresses) <= set(addresses):
                installed = max(installed or 0, member.weight)
            else:
                found.append(_leaver(member, _GONE, f"its addresses changed to {', '.join(addresses)}"))
        found.append(_wishing(one, addresses, verdict, installed))
    everybody = {one.id: one for one in fleet.load_balancers}
    for name, members in present.items():
        why, urgency = _why_not_eligible(policy, everybody.get(name), verdicts.get(name, NOT_CHECKED))
        found.extend(_leaver(member, urgency, why) for member in members)
    return tuple(sorted(found, key=lambda candidate: candidate.identity))


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


def _wishing(one: LoadBalancer, addresses: tuple[str, ...], verdict: Verdict, installed: int | None) -> Candidate:
    wish, why, urgency = _wish(one, verdict)
    return Candidate(one.id, addresses, one.capacity, installed, wish, why, urgency, asked=one.admin != "up")


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


def healthy_share(
    policy: EndpointPolicy, fleet: Fleet, verdicts: Mapping[str, Verdict], present: Iterable[str]
) -> float:
    """Capacity believed healthy ÷ capacity that is checked (rule 1); 1 if nothing is checked."""
    here, healthy, checked = set(present), 0, 0
    for one in eligible(policy, fleet):
        state = verdicts.get(one.id, NOT_CHECKED).state
        if one.admin == "up" and not (state == "warming" and one.id not in here):
            checked += one.capacity
            healthy += one.capacity if state == "up" else 0
    return healthy / checked if checked else 1.0


def panicking(policy: EndpointPolicy, healthy: float) -> bool:
    """Whether nothing more may be dropped."""
    return healthy < policy.hold_below


def decide(
    policy: EndpointPolicy,
    considered: tuple[Candidate, ...],
    previous: Entry | None,
    families: tuple[RRType, ...],
    least: Least,
    healthy: float,
    now: float,
    consented: frozenset[str] = frozenset(),
) -> Membership:
    """The answer's members, within every limit."""
    able = tuple(one for one in considered if _able(one, families))
    chosen = choose(policy.name, able, families, least, policy.max_answers)
    taken = {one.identity for one in chosen}
    spare = {one.identity for one in able} - taken
    leavers = sorted(
        (one for one in considered if one.present and one.identity not in taken),
        key=lambda one: (_SPARE if one.identity in spare else one.urgency, -(one.installed or 0), one.identity),
    )
    installed = sum(one.installed or 0 for one in considered)
    past = velocity.remembered(previous.departures if previous else (), now, policy.removal_window_s)
    removals = _Removals(policy, families, least, installed, healthy, [*chosen, *leavers], past, consented)
    for one in leavers:
        removals.consider(one, now)
    served = {one.identity for one in removals.served}
    total = f"{len(chosen)} of {len(able)} by weight"
    kept = removals.kept
    ids = {name for name, _ in served}
    were = {one.load_balancer for one in considered if one.present}
    return Membership(
        served=tuple(one for one in considered if one.identity in served),
        members=tuple(
            _member(one, one.identity in served, kept.get(one.identity, ""), total if one.identity in spare else "")
            for one in considered
        ),
        departures=removals.departures,
        joined=tuple(sorted(ids - were)),
        left=tuple(sorted(were - ids)),
        leaving=tuple(
            Leaving(one.load_balancer, one.installed or 0, installed, *_cause(one, spare, removals.beyond))
            for one in leavers
            if one.identity not in served
        ),
        panic=removals.panic,
        healthy=healthy,
        removed=velocity.used(removals.departures),
        removable=velocity.limit(removals.departures, policy.removal_share, installed),
        due=min(removals.dues, default=None),
    )


def _cause(
    one: Candidate, spare: Collection[tuple[str, tuple[str, ...]]], beyond: Collection[str]
) -> tuple[Cause, str]:
    """Whoever is able and not chosen goes by choice; else whoever decided about it is the cause."""
    if one.load_balancer in beyond:
        return "consent", f"an operator consented; {one.reason}"
    if one.identity in spare:
        return "choice", "others were chosen"
    return ("configuration" if one.asked else "health"), one.reason


class _Removals:
    """One removal after the other, each judged after those before it."""

    def __init__(
        self,
        policy: EndpointPolicy,
        families: tuple[RRType, ...],
        least: Least,
        installed: int,
        healthy: float,
        served: list[Candidate],
        departures: tuple[Departure, ...],
        consented: frozenset[str],
    ) -> None:
        self.policy = policy
        self.families = families
        self.least = least
        self.installed = installed
        self.healthy = healthy
        self.panic = panicking(policy, healthy)
        self.served = served
        self.departures = departures
        self.consented = consented
        self.beyond: set[str] = set()
        self.kept: dict[tuple[str, tuple[str, ...]], str] = {}
        self.dues: list[float] = []

    def consider(self, one: Candidate, now: float) -> None:
        """Let it go, or say why not."""
        rest = [other for other in self.served if other is not one]
        if why := self._against(one, rest):
            self.kept[one.identity] = why
            return
        self.served = rest
        departure = Departure(one.load_balancer, one.installed or 0, now, self.installed)
        self.departures = (*self.departures, departure)

    def _against(self, one: Candidate, rest: list[Candidate]) -> str:
        policy, weight = self.policy, one.installed or 0
        if self.panic:
            return f"only {percent(self.healthy)} of capacity is believed healthy, under {percent(policy.hold_below)}"
        if short := below_least(rest, one, self.families, self.least):
            family, count = short
            some = f"{count} {family.name} answer{'' if count == 1 else 's'}"
            return f"removing it would leave {some}, min_answers is {self.least[family]}"
        if velocity.allows(self.departures, weight, policy.removal_share, self.installed):
            return ""
        due = velocity.possible_at(
            self.departures, weight, policy.removal_share, self.installed, policy.removal_window_s
        )
        if one.load_balancer in self.consented:
            self.beyond.add(one.load_balancer)
            return ""
        if due is not None:
            self.dues.append(due)
        return f"{percent(policy.removal_share)} per {policy.removal_window_s:g} s is used up"


def _able(one: Candidate, families: tuple[RRType, ...]) -> bool:
    wanted = one.wish == "in" or (one.wish == "stay" and one.present)
    return wanted and any(family_of(address) in families for address in one.addresses)


def below_least(
    rest: list[Candidate], leaver: Candidate, families: tuple[RRType, ...], least: Least
) -> tuple[RRType, int] | None:
    """The first family that `leaver`, going, would take below min_answers, and to how many; None: it may go."""
    for family in families:
        count = answers(rest, family)
        if count < least[family] and count < answers([*rest, leaver], family):
            return family, count
    return None


def _member(one: Candidate, served: bool, kept: str, passed_over: str) -> Member:
    """One that is kept keeps its weight: a lower capacity must not let it pass velocity's limit next time."""
    why = f"not chosen: {passed_over}" if passed_over else one.reason
    if kept:
        why = f"kept: {kept}; {why}"
    elif one.wish == "stay" and not passed_over:
        why = f"stays in: {why}" if served else f"stays out: {why}"
    weight = one.installed if kept and one.installed is not None else one.capacity
    return Member(one.load_balancer, one.addresses, weight, served, why)


def percent(share: float) -> str:
    """In words: 34 %."""
    return f"{share * 100:.3g} %"
