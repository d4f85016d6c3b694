"""What changed from plan to plan, and since when something has been as it is: read off the stored plans. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from standfast.model.entry import Entry, Key, Member, Stood
from standfast.model.plan import Plan, is_rotation
from standfast.model.rrset import ADDRESS_TYPES, RRType, type_name
from standfast.ports.store import PlanSummary

Load: TypeAlias = Callable[[str], Plan | None]
"""The plan of that digest; None if it is gone."""


class EndpointChange(Struct, frozen=True):
    """One endpoint from one plan to the next. `changes` in the signs of people: `− lb-b2`, `TTL 300 → 60`.

    `whys` are the reasons of those load balancers that joined or left. `adopted_by` consented if the name was taken
    over here: then the change is against what stood there.
    """

    key: Key
    changes: tuple[str, ...]
    whys: tuple[str, ...]
    adopted_by: str = ""


class Step(Struct, frozen=True):
    """One stored plan against the stored plan before it. `complete` is False where nothing older is stored."""

    summary: PlanSummary
    changes: tuple[EndpointChange, ...]
    before: int | None
    complete: bool = True


def steps(plans: Sequence[PlanSummary], load: Load, key: Key | None = None, *, turns: bool = True) -> Iterator[Step]:
    """Newest first; with a key only those in which that endpoint changed. `plans` are newest first too. Without
    `turns` those in which load balancers only took turns in a rotation are passed over."""
    following: Plan | None = None
    for place, summary in enumerate(plans):
        older = plans[place + 1] if place + 1 < len(plans) else None
        plan = following or load(summary.digest)
        following = load(older.digest) if older else None
        if plan is None:
            continue
        if not turns and is_rotation(summary.reason):
            continue
        changed = tuple(_changed(plan, following, key))
        if changed or key is None:
            yield Step(summary, changed, older.generation if older else None, older is None or following is not None)


def _changed(plan: Plan, older: Plan | None, key: Key | None) -> Iterator[EndpointChange]:
    if key is not None:
        pairs = [(older.entry(key) if older else None, plan.entry(key))]
    else:
        pairs = plan.shards.changes(older.shards if older else None)
    for before, after in pairs:
        if after is None or after.kind == "first" or after == before:
            continue
        if before is None and after.stood is not None and after.stood.generation == plan.generation:
            texts = ["adopted", *_since_stood(after.stood, after)]
            yield EndpointChange(after.key, tuple(texts), tuple(whys(before, after)), after.taken)
        elif texts := difference(before, after):
            yield EndpointChange(after.key, tuple(texts), tuple(whys(before, after)))


def difference(before: Entry | None, after: Entry) -> list[str]:
    """What people would call the change."""
    found = []
    if before is None:
        found.append("new")
    elif before.kind != after.kind:
        found.append(after.kind)
    left, joined = _moves(before, after)
    found += [f"− {one}" for one in left] + [f"+ {one}" for one in joined]
    if before is not None:
        found += _ttls(before, after)
        if before.held != after.held:
            found.append(
                "held" if after.held and not before.held else "resumed" if before.held and not after.held else ""
            )
        if not found and after.since != before.since:
            found.append("written anew")
    return [one for one in found if one]


def _since_stood(stood: Stood, after: Entry) -> Iterator[str]:
    """What a take-over changed: addresses that went, load balancers that came, whole families, TTLs."""
    was = {one.answers: one for one in stood.rrsets}
    old = {text for one in stood.rrsets for text in one.texts()}
    new = set(addresses_of(after))
    if not stood.left_off:
        yield from (f"− {text}" for one in stood.rrsets for text in one.texts() if text not in new)
    both = [one for one in after.rrsets if one.answers in was]
    there = {text for one in both for text in one.texts()}
    for member in after.members:
        if member.served and any(text in there and text not in old for text in member.addresses):
            yield f"+ {member.load_balancer}"
    yield from (f"+ {one.count} {type_name(one.rtype)}" for one in after.rrsets if one.answers not in was)
    yield from sorted({f"TTL {was[one.answers].ttl} → {one.ttl}" for one in both if was[one.answers].ttl != one.ttl})


def stood_text(stood: Stood) -> str:
    """What was there before Standfast, in a line: `5 A, 2 AAAA, TTL 300`."""
    some = [f"{one.count} {type_name(one.rtype)}" for one in stood.rrsets if one.rdata]
    more = [f"and {stood.left_off} more"] if stood.left_off else []
    ttls = " and ".join(str(ttl) for ttl in sorted({one.ttl for one in stood.rrsets}))
    return ", ".join((*some, *more, f"TTL {ttls}"))


def _moves(before: Entry | None, after: Entry) -> tuple[list[str], list[str]]:
    """Load balancers that left and joined; addresses where no load balancer is named."""
    was, now = _served(before), _served(after)
    if was != now or not (was ^ now):
        named = sorted({one for one, _ in was - now} - {one for one, _ in now - was})
        joined = sorted({one for one, _ in now - was} - {one for one, _ in was - now})
        moved = sorted({one for one, _ in was - now} & {one for one, _ in now - was})
        if named or joined or moved:
            return named, [*joined, *(f"{one} (new address)" for one in moved)]
    old, new = addresses_of(before), addresses_of(after)
    return [one for one in old if one not in new], [one for one in new if one not in old]


def _served(entry: Entry | None) -> set[tuple[str, tuple[str, ...]]]:
    return {(one.load_balancer, one.addresses) for one in entry.members if one.served} if entry else set()


def addresses_of(entry: Entry | None) -> list[str]:
    """All addresses of its answer, A first."""
    return [text for rrset in entry.rrsets for text in rrset.texts()] if entry else []


def _ttls(before: Entry, after: Entry) -> Iterator[str]:
    changed = set()
    for rtype in ADDRESS_TYPES:
        old, new = before.rrset(rtype), after.rrset(rtype)
        if old is not None and new is not None and old.ttl != new.ttl:
            changed.add(f"TTL {old.ttl} → {new.ttl}")
        elif new is None and old is not None:
            yield f"no {RRType(rtype).name}"
    yield from sorted(changed)


def whys(before: Entry | None, after: Entry) -> list[str]:
    """The reasons of those that joined or left, each once."""
    was = {one for one, _ in _served(before)}
    reasons = dict.fromkeys(one.reason for one in after.members if one.served != (one.load_balancer in was))
    if before is not None and after.held and not before.held:
        return [after.held]
    return list(reasons)


class Since(Struct, frozen=True):
    """When something became as it is. `exact` is False if it is so in the oldest plan that is still stored."""

    summary: PlanSummary
    exact: bool


def since_when(plans: Sequence[PlanSummary], load: Load, same: Callable[[Plan], bool]) -> Since | None:
    """The oldest plan from which on all plans were `same`, the newest included; None if the newest is not."""
    found: PlanSummary | None = None
    for summary in plans:
        plan = load(summary.digest)
        if plan is None:
            return Since(found, False) if found else None
        if not same(plan):
            return Since(found, True) if found else None
        found = summary
    return Since(found, found.generation == 1) if found else None


def member_of(entry: Entry | None, load_balancer: str) -> Member | None:
    """Its place in the entry; the served one if it has several."""
    some = [one for one in entry.members if one.load_balancer == load_balancer] if entry else []
    return next((one for one in some if one.served), some[0] if some else None)


def missing(generations: Iterable[int], first: int = 1) -> list[tuple[int, int]]:
    """The gaps (from, to) below the newest of these generations that are not stored."""
    gaps, expected = [], first
    for generation in sorted(generations):
        if generation > expected:
            gaps.append((expected, generation - 1))
        expected = generation + 1
    return gaps
