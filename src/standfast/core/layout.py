"""How an entry stands in its zone: plain rrsets, one record set a load balancer, or the leaves of a tree. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from standfast.model.entry import Layout
from standfast.model.fleet import LoadBalancer, alias_of, answered_with
from standfast.model.policy import EndpointPolicy
from standfast.model.routing import MULTIVALUE_ANSWERS, WEIGHT_MAX, Variant
from standfast.model.rrset import BESIDE, RRset, RRType, address_rdata

from .selection import Candidate, family_of, rdata_of

TREE_ANSWERS: Final = 4_000
"""A tree answers with one load balancer at a time, so none is left out for want of room."""


def layout_of(policy: EndpointPolicy, eligible: Collection[LoadBalancer]) -> Layout:
    """What the policy asks for, where these are eligible, whether they are well or not: the layout does not change with
    health. Names can't stand in a tree: its leaves are addresses."""
    if policy.layout != "auto":
        return policy.layout
    return "multivalue" if len(eligible) <= MULTIVALUE_ANSWERS or names_among(eligible) else "tree"


def names_among(some: Iterable[LoadBalancer]) -> list[str]:
    """The ids of load balancers that are only names."""
    return [one.id for one in some if any(alias_of(text) for text in (*one.ipv4, *one.ipv6))]


def rrsets_of(
    layout: Layout,
    served: Iterable[Candidate],
    families: Iterable[RRType],
    ttl: int,
    checks: Mapping[str, str] | None = None,
) -> tuple[RRset, ...]:
    """What answers for these. `checks` has the provider's health check of each load balancer that has one."""
    some = tuple(served)
    if layout == "multivalue":
        return tuple(_multivalue(some, family, ttl, checks or {}) for family in families)
    return tuple(RRset.of(family, ttl, rdata_of(some, family)) for family in families)


def _multivalue(served: tuple[Candidate, ...], family: RRType, ttl: int, checks: Mapping[str, str]) -> RRset:
    pairs = {(one.load_balancer, text) for one in served for text in one.addresses if family_of(text) == family}
    several = {name for name, text in pairs if any(who == name and other != text for who, other in pairs)}
    ids = {(name, text): f"{name} {answered_with(text)}" if name in several else name for name, text in pairs}
    if any(alias_of(text) for _, text in pairs):
        return _weighted(served, family, ttl, ids, checks)
    variants = [
        Variant(ids[pair], "multivalue", address=address_rdata(pair[1]), health_check=checks.get(pair[0], ""), ttl=ttl)
        for pair in pairs
    ]
    return RRset.of(BESIDE[family], ttl, [one.encode() for one in variants])


def _weighted(
    served: tuple[Candidate, ...],
    family: RRType,
    ttl: int,
    ids: Mapping[tuple[str, str], str],
    checks: Mapping[str, str],
) -> RRset:
    """Where one of them is a name: multivalue sets can't be aliases, so all are weighted, by capacity."""
    most = max(one.capacity for one in served)
    variants = []
    for one in served:
        weight = one.capacity if most <= WEIGHT_MAX else max(1, one.capacity * WEIGHT_MAX // most)
        for text in one.addresses:
            if family_of(text) != family:
                continue
            identifier, alias = ids[one.load_balancer, text], alias_of(text)
            if alias is not None:
                name, zone_id = alias
                variants.append(Variant(identifier, "weighted", weight, name, target_zone=zone_id, evaluates=True))
            else:
                check = checks.get(one.load_balancer, "")
                octets = address_rdata(text)
                variants.append(Variant(identifier, "weighted", weight, address=octets, health_check=check, ttl=ttl))
    ttls = [one.ttl for one in variants]
    return RRset.of(BESIDE[family], max(ttls, default=0), [one.encode() for one in dict.fromkeys(variants)])
