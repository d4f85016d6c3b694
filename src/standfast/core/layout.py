"""How an entry stands in its zone: plain rrsets, one record set a load balancer, or the leaves of a tree. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from standfast.model.entry import Layout
from standfast.model.policy import EndpointPolicy
from standfast.model.routing import MULTIVALUE_ANSWERS, Variant
from standfast.model.rrset import BESIDE, RRset, RRType, address_rdata

from .selection import Candidate, family_of, rdata_of

TREE_ANSWERS: Final = 4_000
"""A tree answers with one load balancer at a time, so none is left out for want of room."""


def layout_of(policy: EndpointPolicy, eligible: int) -> Layout:
    """What the policy asks for, where so many load balancers are eligible, whether they are well or not: the layout
    does not change with health."""
    if policy.layout != "auto":
        return policy.layout
    return "multivalue" if eligible <= MULTIVALUE_ANSWERS else "tree"


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
    variants = [
        Variant(
            identifier=f"{name} {text}" if name in several else name,
            policy="multivalue",
            address=address_rdata(text),
            health_check=checks.get(name, ""),
            ttl=ttl,
        )
        for name, text in pairs
    ]
    return RRset.of(BESIDE[family], ttl, [one.encode() for one in variants])
