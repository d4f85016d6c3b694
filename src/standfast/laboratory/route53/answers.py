"""What a Route 53 DNS server answers a question with, from the sets it has seen and the health it is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import msgspec

from standfast.laboratory.route53.names import within
from standfast.laboratory.route53.sets import RecordSet

MULTIVALUE_MAX = 8
"""Values in an answer (API Reference, ResourceRecordSet, MultiValueAnswer)."""

ALIASES_MAX = 32
"""How many aliases are followed in a row; a ring of them ends there without data."""

Key = tuple[str, str]


class Records(msgspec.Struct, frozen=True):
    """Records of one name and type in an answer; TTL in seconds."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True):
    """An answer in parts; `exists` is false for NXDOMAIN, `referral` holds the NS of a delegation."""

    exists: bool
    records: tuple[Records, ...] = ()
    soa: Records | None = None
    referral: Records | None = None


class Elsewhere(msgspec.Struct, frozen=True):
    """What an AWS service's own name resolves to, such as a load balancer's."""

    ttl: int
    values: tuple[str, ...]
    healthy: bool = True


class Contents(msgspec.Struct, frozen=True):
    """One zone as one server sees it."""

    zone: str
    apex: str
    sets: Mapping[Key, tuple[RecordSet, ...]]
    names: Mapping[str, int]
    healthy: Callable[[str], bool]
    """The verdict of a health check by its id."""
    services: Callable[[str, str, str], Elsewhere | None]
    """What an alias into another zone resolves to, by that zone's id, name and type."""
    chance: random.Random


def answer(zone: Contents, name: str, kind: str) -> Answer:
    """Answer a question; `name` is canonical and lies in the zone.

    Sources: RFC 1034 §4.3.2 with RFC 4592 (wildcards), RFC 2308 (the SOA of a negative answer); Developer Guide,
    "Choosing between alias and non-alias records": an alias answers as if the target's records were its own, with the
    target's TTL. An alias whose target is gone has no data; that this is NOERROR is what users see.
    """
    if delegated := _delegation(zone, name, kind):
        return Answer(True, referral=delegated)
    soa = _negative_soa(zone)
    owner = name if zone.names.get(name) else _wildcard(zone, name)
    if owner is None:
        return Answer(False, soa=soa)
    kinds = sorted({held for at, held in _standing(zone, owner)}) if kind == "ANY" else [kind]
    found = [Records(name, one, *chosen) for one in kinds if (chosen := resolve(zone, owner, one))]
    if not found and kind != "CNAME" and (chosen := resolve(zone, owner, "CNAME")):
        found = [Records(name, "CNAME", *chosen)]
    return Answer(True, tuple(found), None if found else soa)


def _standing(zone: Contents, owner: str) -> list[Key]:
    return [key for key in zone.sets if key[0] == owner]


def _delegation(zone: Contents, name: str, kind: str) -> Records | None:
    """The NS of the highest cut between the apex and a name; the DS of a cut is the parent's own (RFC 4035 §3.1.4)."""
    found = None
    while name != zone.apex and within(name, zone.apex):
        cut = zone.sets.get((name, "NS"))
        if cut and kind != "DS":
            found = Records(name, "NS", cut[0].ttl or 0, cut[0].values)
        name, kind = name.partition(".")[2], ""
    return found


def _negative_soa(zone: Contents) -> Records | None:
    soa = zone.sets.get((zone.apex, "SOA"))
    if not soa:
        return None
    minimum = int(soa[0].values[0].split()[-1])
    return Records(zone.apex, "SOA", min(soa[0].ttl or 0, minimum), soa[0].values)


def _wildcard(zone: Contents, name: str) -> str | None:
    """The wildcard that stands for a name that does not exist: the one at its closest encloser (RFC 4592 §3.3.1)."""
    above = name
    while above != zone.apex:
        above = above.partition(".")[2]
        if zone.names.get(above):
            star = f"\\052.{above}"
            return star if zone.names.get(star) else None
    return None


def resolve(zone: Contents, name: str, kind: str, depth: int = 0) -> tuple[int, tuple[str, ...]] | None:
    """TTL and values that stand for a name and type, aliases followed; None for no data."""
    group = zone.sets.get((name, kind))
    if not group or depth > ALIASES_MAX:
        return None
    if group[0].policy == "multivalue":
        chosen = _several(zone, group)
        return min(one.ttl or 0 for one in chosen), tuple(value for one in chosen for value in one.values)
    one = _one(zone, group)
    if one.alias is None:
        return one.ttl or 0, one.values
    if one.alias.zone == zone.zone:
        return resolve(zone, one.alias.name, kind, depth + 1)
    there = zone.services(one.alias.zone, one.alias.name, kind)
    return (there.ttl, there.values) if there and there.values else None


def _several(zone: Contents, group: Sequence[RecordSet]) -> list[RecordSet]:
    """Up to eight healthy multivalue sets in random order; if none is healthy, up to eight of all.

    Source: API Reference, ResourceRecordSet, MultiValueAnswer.
    """
    able = [one for one in group if sound(zone, one)] or list(group)
    return zone.chance.sample(able, min(len(able), MULTIVALUE_MAX))


def _one(zone: Contents, group: Sequence[RecordSet]) -> RecordSet:
    """The set of a simple or weighted group that answers this time.

    Sources: Developer Guide, "Weighted routing", "Health checks and weighted routing" (weights above 0 first; then, if
    all of those are unhealthy, the sets of weight 0) and "How Route 53 chooses records when health checking is
    configured" (if none is healthy, all are taken for healthy); API Reference, ResourceRecordSet, Weight (all 0: equal
    chances).
    """
    able = [one for one in group if sound(zone, one)]
    for among in (able, list(group)):
        weighty = [one for one in among if one.weight]
        if weighty:
            return zone.chance.choices(weighty, [one.weight or 0 for one in weighty])[0]
        if among:
            return zone.chance.choice(among)
    raise AssertionError("a group is never empty")


def sound(zone: Contents, one: RecordSet, depth: int = 0) -> bool:
    """Whether a set counts as healthy: by its health check, and by its target if it evaluates that.

    Sources: API Reference, ResourceRecordSet, HealthCheckId, and AliasTarget, EvaluateTargetHealth; Developer Guide,
    "How health checks work in complex configurations": a branch with one healthy set is healthy.
    """
    if one.health_check is not None and not zone.healthy(one.health_check):
        return False
    if one.alias is None or not one.alias.evaluate_health:
        return True
    if one.alias.zone != zone.zone:
        there = zone.services(one.alias.zone, one.alias.name, one.type)
        return there is not None and there.healthy
    group = zone.sets.get((one.alias.name, one.type), ())
    return depth < ALIASES_MAX and any(sound(zone, target, depth + 1) for target in group)
