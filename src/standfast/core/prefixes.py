"""Which networks may be published, and what to do about an address outside them. Pure.

Asked twice, and independently: by the planner with its configuration, and by each enactor with its own (a store that
was tampered with, or an address that was released and belongs to somebody else by now, must not reach DNS).

A load balancer with an address outside is not a load balancer that is gone: whoever has none in the answer stays out,
and who is in the answer stays there with the addresses it has there, as long as these are inside.
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.fleet import Fleet, LoadBalancer, Verdict, alias_of
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import rdata_text

from .guard import Violation

if TYPE_CHECKING:
    from .outlook import Outlook

Prefixes: TypeAlias = tuple[str, ...]
"""Networks in canonical text; none: every address may be published."""
RULE = "prefixes"


REMEDY = "if they are yours, add their network to `prefixes:` of planner and enactors; else see who put them there"


@lru_cache(maxsize=256)
def _networks(prefixes: Prefixes) -> tuple[tuple[int, int, int], ...]:
    """(octets, network, mask) of each."""
    found = [ipaddress.ip_network(text) for text in prefixes]
    return tuple((one.max_prefixlen // 8, int(one.network_address), int(one.netmask)) for one in found)


@lru_cache(maxsize=65_536)
def inside(rdata: bytes, prefixes: Prefixes) -> bool:
    """Whether the address (4 or 16 octets) may be published."""
    if not prefixes:
        return True
    octets, number = len(rdata), int.from_bytes(rdata, "big")
    return any(octets == width and number & mask == network for width, network, mask in _networks(prefixes))


def outside(addresses: Iterable[str], prefixes: Prefixes) -> tuple[str, ...]:
    """Those of them that may not be published."""
    if not prefixes:
        return ()
    some = (one for one in addresses if alias_of(one) is None)  # a name is no network's
    return tuple(one for one in some if not inside(ipaddress.ip_address(one).packed, prefixes))


def prefix_violations(entry: Entry, prefixes: Prefixes) -> tuple[Violation, ...]:
    """Every address of an entry that may not be published."""
    if not prefixes:
        return ()
    found = [
        rdata_text(rrset.answers, rdata)
        for rrset in entry.rrsets
        for rdata in rrset.octets()
        if not inside(rdata, prefixes)
    ]
    if not found:
        return ()
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    verb = "is" if len(found) == 1 else "are"
    text = f"{', '.join(found[:5])}{more} {verb} outside the prefixes that may be published"
    return (Violation(entry.key, RULE, text),)


Stray: TypeAlias = tuple[LoadBalancer, tuple[str, ...]]
"""A load balancer, and those of its addresses that may not be published."""


def strays(policy: EndpointPolicy, fleet: Fleet) -> tuple[Stray, ...]:
    """All of them in the AZs and pools of this policy."""
    some = (one for one in fleet.load_balancers if _concerned(policy, one))
    pairs = ((one, outside((*one.ipv4, *one.ipv6), policy.prefixes)) for one in some)
    return tuple((one, stray) for one, stray in pairs if stray)


def _concerned(policy: EndpointPolicy, one: LoadBalancer) -> bool:
    return (not policy.azs or one.az in policy.azs) and (not policy.pools or one.pool in policy.pools)


def strayed(some: tuple[Stray, ...]) -> str:
    """In words; empty if nobody has."""
    texts = [f"{one.id} has {', '.join(addresses)}" for one, addresses in some[:3]]
    more = f" and {len(some) - 3} more load balancers" if len(some) > 3 else ""
    return f"{'; '.join(texts)}{more}, outside the prefixes that may be published" if some else ""


def confined(outlook: "Outlook", policy: EndpointPolicy, before: Entry | None, some: tuple[Stray, ...]) -> "Outlook":
    """The outlook for this endpoint, strays made harmless: see the module's docstring."""
    kept: dict[str, LoadBalancer] = {}
    judged = dict(outlook.verdicts) if some else {}
    for one, stray in some:
        installed = _installed(before, one.id)
        if not installed or outside(installed, policy.prefixes):
            continue  # not eligible: it stays out, or leaves within the limits
        four = tuple(address for address in installed if ":" not in address)
        six = tuple(address for address in installed if ":" in address)
        kept[one.id] = replace(one, ipv4=four, ipv6=six)
        # What is checked is the stray address: it says nothing of those that are in the answer.
        judged[one.id] = Verdict("unknown", f"the fleet has it at {', '.join(stray)}, outside the prefixes")
    if not kept:
        return outlook
    fleet = outlook.fleet
    everybody = tuple(kept.get(one.id, one) for one in fleet.load_balancers)
    return outlook.over(Fleet(everybody, fleet.sources), judged)


def _installed(before: Entry | None, load_balancer: str) -> tuple[str, ...]:
    members = before.members if before else ()
    mine = (one.addresses for one in members if one.served and one.load_balancer == load_balancer)
    return tuple(sorted({address for addresses in mine for address in addresses}))
