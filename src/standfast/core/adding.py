"""How much may join an endpoint's answer, and when. Pure.

What died together returns together, and everybody would meet it at once, cold. So in any window no more capacity joins
than a share of what shall be installed, or one load balancer, whichever is more. A new endpoint begins with everybody,
and for one window whoever is found healthy after that joins at once (it is remembered as an arrival without a name);
who is needed for `min_answers` joins at once; and in a panic that answers with all nothing is held back.

An arrival dated in the future (a clock was set back) counts as now; one dated more than a window ahead is forgotten,
for this limit protects newcomers from a rush and safety does not rest on it.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Arrival, Entry
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType

from .decisions import Budget, HeldBack, Joining
from .selection import Candidate, Least, answers, family_of, rank, share_in

_ROUNDING = 1e-9


class Adding(Struct, frozen=True):
    """Who of those chosen may join now. `arrivals` is the new memory, `waiting` has a reason for each that may not,
    `budget` is how much of the window is used with these."""

    arrivals: tuple[Arrival, ...]
    waiting: tuple[tuple[Candidate, HeldBack], ...] = ()
    joining: tuple[Joining, ...] = ()
    budget: Budget = Budget()


def remembered(arrivals: Iterable[Arrival], now: float, window_s: float) -> tuple[Arrival, ...]:
    """Those of the present window, none dated later than now."""
    return tuple(
        one if one.at <= now else replace(one, at=now)
        for one in arrivals
        if one.at <= now + window_s and one.at + window_s > now
    )


def admit(
    policy: EndpointPolicy,
    previous: Entry | None,
    able: Iterable[Candidate],
    chosen: Iterable[Candidate],
    families: tuple[RRType, ...],
    least: Least,
    now: float,
    *,
    unlimited: bool,
    turn: tuple[str, tuple[str, ...]] | None = None,
) -> Adding:
    """Let those who are new to the answer in, the highest in rank first, as far as the window allows.

    `turn` is who changes places with another in a rotation. Whoever is in the answer and `able` stays as long as those
    wait who would take their place.
    """
    some = tuple(chosen)
    past = remembered(previous.arrivals, now, policy.adding_window_s) if previous is not None else ()
    joining = [one for one in some if not one.present]
    total = sum(one.capacity for one in some)
    if previous is None:
        return Adding((Arrival("", 0, now),))
    if not joining:
        return Adding(past, budget=_budget(past, policy, total))
    entering = any(not one.load_balancer for one in past)
    inside = [one for one in able if one.present]
    waiting: list[tuple[Candidate, HeldBack]] = []
    joins: list[Joining] = []
    for one in sorted(joining, key=lambda one: (-rank(policy.drawn_by, one), one.identity)):
        if one.identity == turn:
            joins.append(Joining(one.load_balancer, one.capacity, total, "rotation"))
            inside.append(one)
            continue
        share = _allows(past, one.capacity, policy, total)
        if unlimited or entering or share or _needed(one, inside, families, least):
            cause: Literal["share", "needed", "panic", "entering"] = (
                "share" if share else "entering" if entering else "panic" if unlimited else "needed"
            )
            joins.append(Joining(one.load_balancer, one.capacity, total, cause))
            inside.append(one)
            past = (*past, Arrival(one.load_balancer, one.capacity, now))
            continue
        due = _possible_at(past, one.capacity, policy, total)
        why = f"{share_in(policy.adding_share, policy.adding_window_s)} has just joined"
        waiting.append((one, HeldBack(one.load_balancer, "adding", why, due)))
    return Adding(past, tuple(waiting), tuple(joins), _budget(past, policy, total))


def _budget(past: Iterable[Arrival], policy: EndpointPolicy, total: int) -> Budget:
    """That an endpoint entered is remembered as an arrival without a name, and uses nothing."""
    named = [one for one in past if one.load_balancer]
    until = min((one.at + policy.adding_window_s for one in named), default=None)
    return Budget(sum(one.weight for one in named), policy.adding_share * total, policy.adding_share, until)


def _needed(one: Candidate, inside: list[Candidate], families: tuple[RRType, ...], least: Least) -> bool:
    gives = {family_of(address) for address in one.addresses}
    return any(family in gives and answers(inside, family) < least[family] for family in families)


def _allows(past: tuple[Arrival, ...], weight: int, policy: EndpointPolicy, total: int) -> bool:
    return not past or sum(one.weight for one in past) + weight <= policy.adding_share * total + _ROUNDING


def _possible_at(past: tuple[Arrival, ...], weight: int, policy: EndpointPolicy, total: int) -> float:
    """The first moment at which it may join: at the latest when all of these have passed out of the window."""
    moments = sorted(one.at + policy.adding_window_s for one in past)
    return next(
        moment for moment in moments if _allows(remembered(past, moment, policy.adding_window_s), weight, policy, total)
    )
