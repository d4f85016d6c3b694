"""What `check` says about the room in a hosted zone: whether one of the usual size holds what is configured."""

from collections.abc import Iterable
from typing import Final

from standfast.config import Config, EndpointConfig, LoadBalancerConfig, ZoneConfig
from standfast.model.routing import MULTIVALUE_ANSWERS
from standfast.model.rrset import ADDRESS_TYPES

from .findings import Finding

RECORD_SETS: Final = 10_000
"""Record sets of a hosted zone, unless AWS raised that (Developer Guide, "Quotas on records")."""
_FAMILIES: Final = len(ADDRESS_TYPES)


def room_findings(config: Config, zone: ZoneConfig) -> list[Finding]:
    """Of one hosted zone, as far as the file itself says who the load balancers are."""
    some = [one for one in config.endpoints if one.zone == zone.name]
    wanted = sum(wanted_sets(one, one.eligible(config.load_balancers), config.retention.trees) for one in some)
    if wanted <= RECORD_SETS:
        return []
    text = (
        f"About {wanted:,} record sets are wanted in {zone.name}, and a hosted zone has {RECORD_SETS:,} unless AWS "
        "raised that. What does not fit is refused, name by name."
    )
    return [Finding("note", "records", zone.name, text, "Ask AWS for more, or spread the names over several zones.")]


def wanted_sets(endpoint: EndpointConfig, eligible: Iterable[LoadBalancerConfig], trees_kept: int) -> int:
    """Marker and contents. A tree stands twice while it is replaced, beside those that are kept to look back; each
    address is in a leaf, and each leaf has a weight above it."""
    some = list(eligible)
    addresses = sum(len(one.ipv4) + len(one.ipv6) for one in some)
    if endpoint.layout == "flat":
        return 1 + _FAMILIES
    if endpoint.layout == "tree" or (endpoint.layout == "auto" and len(some) > MULTIVALUE_ANSWERS):
        root_and_rollback = 2 * _FAMILIES
        return 1 + root_and_rollback + (2 + trees_kept) * 2 * addresses
    return 1 + addresses
