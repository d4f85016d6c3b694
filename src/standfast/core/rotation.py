"""Weighted rotation on plain DNS, for those who switch it on: more may answer than fit, so they take turns. Pure.

One goes out and one comes in, at most once in a period of at least two TTLs, so that averaged over time each is in the
answer as much as its weight asks for: of k places load balancer i is due k·w/Σw, at most always. What it is owed is
kept as credit, in thousandths of a turn; the one that is owed most comes in for the one that has had most beyond its
due. Endpoints begin at different moments, by a hash of their names, and nobody turns within 60 s of another generation
or while less than all is well. A turn is a change by choice: it is exempt from the limits of what leaves and joins.
"""

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import Struct

from standfast.model.entry import Entry, Turn
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType

from .outlook import Outlook
from .selection import Candidate, Least, choose

_WHOLE = 1000
_CREDIT_MAX = 20 * _WHOLE
Identity = tuple[str, tuple[str, ...]]


class Turned(Struct, frozen=True):
    """Who is chosen; `came` and `went` changed places in this plan. `turn` is the memory that goes with it."""

    chosen: tuple[Candidate, ...]
    turn: Turn | None = None
    came: Identity | None = None
    went: Identity | None = None


def period_s(policy: EndpointPolicy) -> float:
    """Time between two turns of an endpoint: never below two TTLs."""
    return max(policy.rotation_s, 2.0 * policy.ttl)


def turned(
    policy: EndpointPolicy,
    outlook: Outlook,
    considered: Iterable[Candidate],
    able: tuple[Candidate, ...],
    previous: Entry | None,
    families: tuple[RRType, ...],
    least: Least,
    *,
    calm: bool,
) -> Turned:
    """Whom the rotation chooses; as without one where it is off or all of them fit.

    `calm`: nothing less than normal; nobody turns in a panic.
    """
    chosen = choose(policy.drawn_by, able, families, least, policy.max_answers)
    if not policy.rotation_s:
        return Turned(chosen)
    if len(chosen) == len(able):  # for now: who is away may be back soon, and what is remembered decides nothing here
        return Turned(chosen, previous.turn if previous is not None else None)
    now, period = outlook.now, period_s(policy)
    turn = Turn(now - period * _offset(policy.name)) if previous is None or previous.turn is None else previous.turn
    if previous is None:
        return Turned(chosen, turn)
    at = turn.at if turn.at <= now + period else now
    credits = _credits(able, len(chosen), turn, max(0.0, (now - at) / period))
    fine = {one.identity for one in able if one.wish == "in"}
    well = all(one.identity in fine for one in considered if one.present)  # who is of unknown health stays as well
    stays = _kept(policy, able, families, least, credits)
    if not calm or not well or not outlook.may_turn or now < at + period or any(not one.present for one in stays):
        return Turned(stays, turn)
    inside = sorted((one for one in able if one.present), key=lambda one: (credits[one.identity], one.identity))
    outside = sorted((one for one in able if not one.present), key=lambda one: (-credits[one.identity], one.identity))
    if not inside or not outside or credits[outside[0].identity] <= credits[inside[0].identity]:
        return Turned(stays, turn)
    came, went = outside[0], inside[0]
    order = [*(one for one in inside if one is not went), came, went, *outside[1:]]
    places = {one.identity: float(len(order) - place) for place, one in enumerate(order)}
    then = choose(policy.drawn_by, able, families, least, policy.max_answers, places)
    moved = {one.identity for one in then} ^ {one.identity for one in inside}
    if moved != {came.identity, went.identity}:
        return Turned(stays, turn)  # families don't allow these two to change places
    said = tuple(sorted((name, credit) for (name, _), credit in credits.items()))
    return Turned(then, Turn(now, said), came.identity, went.identity)


def due_shares(able: Iterable[Candidate], places: int) -> dict[Identity, float]:
    """How much of the time each is due a place: in proportion to its weight, and none more than always."""
    some, found = list(able), dict[Identity, float]()
    while some:
        total = sum(one.weight for one in some)
        full = [one for one in some if places * one.weight >= total]
        if not full:
            found.update((one.identity, places * one.weight / total) for one in some)
            break
        for one in full[: max(0, places)]:
            found[one.identity] = 1.0
        some, places = [one for one in some if one not in full], places - len(full)
    return found


def _offset(name: str) -> float:
    """A share of a period, by which endpoints begin at different moments."""
    return int.from_bytes(hashlib.sha256(f"turn\n{name}".encode()).digest()[:8], "big") / 2.0**64


def _credits(able: tuple[Candidate, ...], places: int, turn: Turn, periods: float) -> Mapping[Identity, int]:
    """What each is owed by now. Long pauses count as two periods: who was out of it is not repaid for hours."""
    known, due, span = dict(turn.credits), due_shares(able, places), min(periods, 2.0)
    found = {}
    for one in able:
        credit = known.get(one.load_balancer, 0) + round(span * _WHOLE * (due.get(one.identity, 0.0) - one.present))
        found[one.identity] = max(-_CREDIT_MAX, min(_CREDIT_MAX, credit))
    return found


def _kept(
    policy: EndpointPolicy,
    able: tuple[Candidate, ...],
    families: tuple[RRType, ...],
    least: Least,
    credits: Mapping[Identity, int],
) -> tuple[Candidate, ...]:
    """Those who are in stay in; free places go to those who are owed most."""
    places = {one.identity: (10.0 * _CREDIT_MAX if one.present else 0.0) + credits.get(one.identity, 0) for one in able}
    return choose(policy.drawn_by, able, families, least, policy.max_answers, places)
