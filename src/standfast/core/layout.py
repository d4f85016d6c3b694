"""How an entry stands in its zone: plain rrsets, one record set a load balancer, or the leaves of a tree. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, TypeAlias

from msgspec.structs import replace

from standfast.model.check import BalancerCheck, check_for
from standfast.model.entry import WHOLE, Entry, Layout, Member
from standfast.model.fleet import LoadBalancer, alias_of, answered_with
from standfast.model.policy import EndpointPolicy
from standfast.model.routing import HEALTHLESS_ZONES, MULTIVALUE_ANSWERS, WEIGHT_MAX, Variant, read_variant
from standfast.model.rrset import BESIDE, ROUTED_TYPES, RRset, RRType, address_rdata

from .selection import Candidate, family_of, rdata_of

Checks: TypeAlias = Mapping[tuple[str, tuple[str, ...]], str]
"""The provider's check of each load balancer at a set of addresses."""
TREE_ANSWERS: Final = 4_000
"""A tree answers with one load balancer at a time, so none is left out for want of room."""
TREE_ENDS: Final = MULTIVALUE_ANSWERS - 2
"""With so many eligible a tree is given up again: a fleet that goes to and fro between 8 and 9 keeps its layout."""


def layout_of(policy: EndpointPolicy, eligible: Collection[LoadBalancer], before: Entry | None = None) -> Layout:
    """What the policy asks for, where these are eligible, whether they are well or not: the layout does not change with
    health. Names can't stand in a tree: its leaves are addresses."""
    if policy.layout != "auto":
        return policy.layout
    fit = TREE_ENDS if before is not None and before.has_tree else MULTIVALUE_ANSWERS
    return "multivalue" if len(eligible) <= fit or names_among(eligible) else "tree"


def names_among(some: Iterable[LoadBalancer]) -> list[str]:
    """The ids of load balancers that are only names."""
    return [one.id for one in some if any(alias_of(text) for text in (*one.ipv4, *one.ipv6))]


def rrsets_of(
    layout: Layout,
    served: Iterable[Candidate],
    families: Iterable[RRType],
    ttl: int,
    checks: Checks | None = None,
) -> tuple[RRset, ...]:
    """What answers for these. `checks` has the provider's health check of each that has one."""
    some = tuple(served)
    if layout == "multivalue":
        return tuple(_multivalue(some, family, ttl, checks or {}) for family in families)
    return tuple(RRset.of(family, ttl, rdata_of(some, family)) for family in families)


def checks_of(known: Iterable[BalancerCheck], layout: Layout, some: Iterable[Candidate]) -> Checks:
    """Who is watched by the provider itself. A plain rrset of several addresses has no place for a check."""
    if layout == "flat" or not known:
        return {}
    return {one.identity: check_for(known, one.load_balancer, one.addresses) for one in some}


def watched(members: tuple[Member, ...], checks: Checks) -> tuple[Member, ...]:
    """Members with their checks; who is not answered has no record set that could name one."""
    if not checks:
        return members
    return tuple(
        replace(one, health_check=checks.get((one.load_balancer, one.addresses), "")) if one.served else one
        for one in members
    )


def slowly(
    layout: Layout, served: tuple[Candidate, ...], members: tuple[Member, ...], *, panic: bool
) -> tuple[tuple[Candidate, ...], tuple[Member, ...]]:
    """The same, where weights of aliases follow slow start; elsewhere nobody is eased.

    Relative to who counts most: those that came back all together have nobody to leave the work to. Nor has anybody in
    a panic, or while one is served that is not believed well: who is well is not spared at the cost of one that may be
    dead.
    """
    most = max((one.eased for one in served), default=1.0)
    follows = _has_weights(layout, served)
    if not follows or panic or any(one.wish != "in" for one in served):
        return tuple(replace(one, eased=1.0) for one in served), members
    shares = {one.identity: max(1, round(WHOLE * one.eased / most)) for one in served}
    return (
        tuple(replace(one, eased=shares[one.identity] / WHOLE) for one in served),
        tuple(_eased(one, shares.get((one.load_balancer, one.addresses), WHOLE)) for one in members),
    )


def weighed(layout: Layout, members: tuple[Member, ...]) -> tuple[tuple[str, float], ...]:
    """Each load balancer's part of the answers, where weights of aliases decide; else nothing: all are alike."""
    served = [one for one in members if one.served]
    if not _has_weights(layout, served):
        return ()
    weights: dict[str, int] = {}
    for one in served:
        weights[one.load_balancer] = weights.get(one.load_balancer, 0) + one.weight * one.eased
    whole = sum(weights.values())
    return tuple((name, weight / whole) for name, weight in weights.items()) if whole else ()


def _has_weights(layout: Layout, served: Iterable[Candidate | Member]) -> bool:
    """Whether it stands as aliases with weights: a tree, or record sets with a name among them."""
    if layout != "multivalue":
        return layout == "tree"
    return any(alias_of(text) for one in served for text in one.addresses)


def _eased(member: Member, share: int) -> Member:
    if share == WHOLE or not member.served:
        return member
    return replace(member, eased=share, reason=f"starts slowly, {share} % of its weight: {member.reason}")


def _multivalue(served: tuple[Candidate, ...], family: RRType, ttl: int, checks: Checks) -> RRset:
    held = {
        (one.load_balancer, text): checks.get(one.identity, "")
        for one in served
        for text in one.addresses
        if family_of(text) == family
    }
    several = {name for name, text in held if any(who == name and other != text for who, other in held)}
    ids = {(name, text): f"{name} {answered_with(text)}" if name in several else name for name, text in held}
    if any(alias_of(text) for _, text in held):
        return _weighted(served, family, ttl, ids, held)
    variants = [
        Variant(ids[pair], "multivalue", address=address_rdata(pair[1]), health_check=check, ttl=ttl)
        for pair, check in held.items()
    ]
    return RRset.of(BESIDE[family], ttl, [one.encode() for one in variants])


def _weighted(
    served: tuple[Candidate, ...],
    family: RRType,
    ttl: int,
    ids: Mapping[tuple[str, str], str],
    held: Mapping[tuple[str, str], str],
) -> RRset:
    """Where one of them is a name: multivalue sets can't be aliases, so all are weighted, by capacity. Each address is
    drawn by itself: who has several shares its weight among them."""
    several = {one.identity: max(1, sum(family_of(text) == family for text in one.addresses)) for one in served}
    parted = any(one.eased != 1.0 or several[one.identity] > 1 for one in served)
    capacities = {
        one.identity: max(1, round(one.capacity * one.eased * WHOLE / several[one.identity]))
        if parted
        else one.capacity
        for one in served
    }
    most = max(capacities.values())
    variants = []
    for one in served:
        capacity = capacities[one.identity]
        weight = capacity if most <= WEIGHT_MAX else max(1, capacity * WEIGHT_MAX // most)
        for text in one.addresses:
            if family_of(text) != family:
                continue
            pair, alias = (one.load_balancer, text), alias_of(text)
            if alias is not None:
                name, zone_id = alias
                evaluates = zone_id not in HEALTHLESS_ZONES
                variants.append(Variant(ids[pair], "weighted", weight, name, target_zone=zone_id, evaluates=evaluates))
            else:
                octets, check = address_rdata(text), held[pair]
                variants.append(Variant(ids[pair], "weighted", weight, address=octets, health_check=check, ttl=ttl))
    ttls = [one.ttl for one in variants]
    return RRset.of(BESIDE[family], max(ttls, default=0), [one.encode() for one in dict.fromkeys(variants)])


def rechecked(entry: Entry, known: Iterable[BalancerCheck]) -> Entry:
    """Old contents with the checks of now: those that it names may be deleted, or watch what was."""
    some = tuple(known)
    now = {one.health_check: check_for(some, one.load_balancer, one.addresses) for one in entry.members}
    rrsets = tuple(_rechecked(rrset, now) if rrset.rtype in ROUTED_TYPES else rrset for rrset in entry.rrsets)
    members = tuple(
        replace(one, health_check=now[one.health_check]) if one.health_check else one for one in entry.members
    )
    return replace(entry, rrsets=rrsets, members=members)


def _rechecked(rrset: RRset, now: Mapping[str, str]) -> RRset:
    variants = [read_variant(rdata) for rdata in rrset.rdata]
    some = (replace(one, health_check=now.get(one.health_check, "")) if one.health_check else one for one in variants)
    return RRset.of(rrset.rtype, rrset.ttl, [one.encode() for one in some])
