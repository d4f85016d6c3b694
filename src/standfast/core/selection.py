"""Who may be in an answer, how few it may have, and which are chosen when there are too many. Pure.

A subset is chosen by weighted rendezvous hashing over (endpoint, load balancer) with weight = capacity: over many
endpoints each load balancer's part follows its capacity, and one that leaves or comes disturbs nobody but the one
whose place it gives or takes. A load balancer is taken with all its addresses or not at all, so both families of a
dual-stack one go together. First each family gets its minimum, in the order A, AAAA; then the rest is filled by
rank. No further balancing is done: the deviation that remains is computed and shown.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct

from standfast.model.fleet import LoadBalancer
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import ADDRESS_TYPES, RRType, address_rdata

from .prefixes import outside

Wish: TypeAlias = Literal["in", "stay", "out"]
Least: TypeAlias = Mapping[RRType, int]


class Candidate(Struct, frozen=True):
    """A load balancer with a set of addresses, considered for one endpoint.

    One whose addresses changed is two candidates: the old addresses, which want out, and the new. `installed` is
    its capacity as the present answer has it, None if it is not in it. `urgency` orders those that want out: the
    least is the first to leave, so the last is the least bad to keep. `asked` says that configuration, not health,
    decides about it. `eased` is the part of its weight that counts for now, in a rotation and in aliases.
    """

    load_balancer: str
    addresses: tuple[str, ...]
    capacity: int
    installed: int | None
    wish: Wish
    reason: str
    urgency: int = 0
    asked: bool = False
    eased: float = 1.0

    @property
    def weight(self) -> float:
        """What its turns follow."""
        return self.capacity * self.eased

    @property
    def present(self) -> bool:
        """Whether it is in the present answer."""
        return self.installed is not None

    @property
    def identity(self) -> tuple[str, tuple[str, ...]]:
        """Load balancer and addresses."""
        return (self.load_balancer, self.addresses)


def family_of(address: str) -> RRType:
    """A or AAAA, by the colon that every IPv6 address and no IPv4 address has."""
    return RRType.AAAA if ":" in address else RRType.A


def addresses_in(load_balancer: LoadBalancer, families: Iterable[RRType]) -> tuple[str, ...]:
    """Its addresses in those families, IPv4 first."""
    wanted = tuple(families)
    ipv4 = load_balancer.ipv4 if RRType.A in wanted else ()
    ipv6 = load_balancer.ipv6 if RRType.AAAA in wanted else ()
    return _in_order(ipv4) + _in_order(ipv6)


def _in_order(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return addresses if len(addresses) < 2 else tuple(sorted(addresses))


def excluded(policy: EndpointPolicy, load_balancer: LoadBalancer) -> str:
    """Why the policy leaves it out; empty if it does not."""
    if policy.azs and load_balancer.az not in policy.azs:
        return f"its AZ {load_balancer.az} is not among azs {', '.join(policy.azs)}"
    if policy.pools and load_balancer.pool not in policy.pools:
        return f"its pool {load_balancer.pool} is not among pools {', '.join(policy.pools)}"
    if policy.prefixes and (stray := outside((*load_balancer.ipv4, *load_balancer.ipv6), policy.prefixes)):
        return f"{', '.join(stray)} is outside the prefixes that may be published"
    if policy.families and not addresses_in(load_balancer, policy.families):
        return f"it has no {' or '.join(RRType(family).name for family in policy.families)} address"
    return ""


def eligible(policy: EndpointPolicy, some: Iterable[LoadBalancer]) -> tuple[LoadBalancer, ...]:
    """Those of them that the policy admits, in the order of their ids, whatever their health or admin state."""
    admitted = (one for one in some if not excluded(policy, one))
    return tuple(sorted(admitted, key=lambda one: one.id))


def families_wanted(policy: EndpointPolicy, admitted: Iterable[LoadBalancer]) -> tuple[RRType, ...]:
    """The configured families, else those of which any eligible load balancer has an address."""
    if policy.families:
        return tuple(sorted(set(policy.families)))
    some = tuple(admitted)
    has = {RRType.A: any(one.ipv4 for one in some), RRType.AAAA: any(one.ipv6 for one in some)}
    return tuple(family for family in ADDRESS_TYPES if has[family])


def least_answers(policy: EndpointPolicy, admitted: Iterable[LoadBalancer], families: Iterable[RRType]) -> Least:
    """min_answers of each family: as configured, else 2 where three load balancers are eligible in it, else 1."""
    if policy.min_answers is not None:
        return dict.fromkeys(families, max(1, policy.min_answers))
    some = tuple(admitted)
    return {family: 2 if sum(bool(addresses_in(one, (family,))) for one in some) >= 3 else 1 for family in families}


def answers(candidates: Iterable[Candidate], family: RRType) -> int:
    """How many different addresses of that family these give."""
    colon = family == RRType.AAAA  # as `family_of` tells them apart, without a call an address
    return len({address for one in candidates for address in one.addresses if (":" in address) is colon})


def rank(endpoint: str, candidate: Candidate) -> float:
    """The weighted rendezvous score, −weight ÷ ln(u): the highest are chosen."""
    octets = hashlib.sha256(f"{endpoint}\n{candidate.load_balancer}".encode()).digest()
    uniform = (int.from_bytes(octets[:8], "big") + 0.5) / 2.0**64
    return -candidate.capacity / math.log(uniform)


def choose(
    endpoint: str,
    candidates: tuple[Candidate, ...],
    families: Iterable[RRType],
    least: Least,
    most: int,
    places: Mapping[tuple[str, tuple[str, ...]], float] | None = None,
) -> tuple[Candidate, ...]:
    """At most `most` addresses of each family (or its minimum if that is more), by rank; all if they fit.

    `places` gives another rank, by identity.
    """
    room = {family: max(most, least[family]) for family in families}
    if all(answers(candidates, family) <= room[family] for family in room):
        return candidates
    if places is None:
        ranked = sorted(candidates, key=lambda one: (-rank(endpoint, one), one.identity))
    else:
        ranked = sorted(candidates, key=lambda one: (-places[one.identity], one.identity))
    chosen: list[Candidate] = []
    for family in room:
        for one in ranked:
            if answers(chosen, family) >= least[family]:
                break
            if one not in chosen and answers((one,), family):
                chosen.append(one)
    for one in sorted(chosen, key=ranked.index, reverse=True):
        # Taken for one family's minimum, then made superfluous by those taken for the other's.
        others = [other for other in chosen if other is not one]
        crowded = any(answers((one,), family) and answers(chosen, family) > room[family] for family in room)
        if crowded and all(answers(others, f) >= min(least[f], answers(chosen, f)) for f in room):
            chosen = others
    for one in ranked:
        if one not in chosen and all(answers((*chosen, one), family) <= room[family] for family in room):
            chosen.append(one)
    return tuple(sorted(chosen, key=lambda one: one.identity))


def rdata_of(candidates: Iterable[Candidate], family: RRType) -> list[bytes]:
    """Their addresses of that family in wire form."""
    return [_wire(address) for one in candidates for address in one.addresses if family_of(address) == family]


_wire = lru_cache(maxsize=65_536)(address_rdata)


def percent(share: float) -> str:
    """In words: 34 %."""
    return f"{share * 100:.3g} %"


def share_in(share: float, window_s: float) -> str:
    """A limit in words: 34 % in 10 min."""
    minutes = window_s / 60
    return f"{percent(share)} in " + (f"{minutes:g} min" if minutes > 1 and minutes.is_integer() else f"{window_s:g} s")
