"""Which health checks Route 53 shall make of whom, by the configuration and the fleet. Pure.

Who has an address that Route 53's checkers can't reach gets none under `auto`: a check that always fails would take it
out. Route 53 calls 2xx and 3xx healthy and no other status; where the configuration calls others good, or a path is too
long for it, only the connection is checked: what the two could judge otherwise must not take anybody out.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from standfast.config import Config, HealthConfig, LoadBalancerConfig, ZoneConfig
from standfast.config.hostedchecks import CHARACTERS_MAX, HostedChecksConfig
from standfast.model.check import CheckKind, CheckSettings, WantedCheck
from standfast.model.fleet import alias_of

SWITCH: Final = "switch"
CHILDREN_MAX: Final = 255


class Wishes(Struct, frozen=True):
    """What is wanted in one zone; and why a load balancer gets none, for those that get none."""

    wanted: tuple[WantedCheck, ...] = ()
    without: tuple[tuple[str, str], ...] = ()


def wishes_of(config: Config, zone: ZoneConfig, fleet: Iterable[LoadBalancerConfig]) -> Wishes:
    """Of every load balancer that an endpoint of the zone may answer with, in a layout that can hold a check."""
    hosted, health = zone.hosted, config.health
    if hosted is None:
        return Wishes()
    some = [one for one in config.endpoints if one.zone == zone.name and one.layout != "flat"]
    wanted, without = [], []
    for one in sorted(fleet, key=lambda one: one.id):
        if not any(endpoint.eligible((one,)) for endpoint in some):
            continue
        why = _why_not(hosted.checks, health, one)
        if why or health is None:
            without.append((one.id, why))
        else:
            wanted.append(wanted_of(one, hosted.checks, health))
    return Wishes(tuple(wanted), tuple(without))


def _why_not(checks: HostedChecksConfig, health: HealthConfig | None, one: LoadBalancerConfig) -> str:
    if checks.kind == "off":
        return "health_checks: off"
    if health is None:
        return "health: none"
    addresses = (*one.ipv4, *one.ipv6)
    if not addresses or len(addresses) >= CHILDREN_MAX:
        return f"it has {len(addresses)} addresses"
    if any(alias_of(text) for text in addresses):
        return "it is only a name: Route 53 goes by the health of what that leads to"
    closed = [text for text in addresses if not ipaddress.ip_address(text).is_global]
    if checks.kind == "auto" and closed:
        return f"Route 53's checkers can't reach {closed[0]}"
    return ""


def wanted_of(one: LoadBalancerConfig, checks: HostedChecksConfig, health: HealthConfig) -> WantedCheck:
    """A check for each address, all of which must be well, as ours has it; and one of the switch, turned round."""
    addresses = tuple(sorted((*one.ipv4, *one.ipv6)))
    parts = [(text, _settings(text, one.port or health.port, checks, health)) for text in addresses]
    if checks.switch:
        parts.append((SWITCH, _switch(checks, one.id)))
    return WantedCheck(one.id, addresses, tuple(parts))


def _settings(address: str, port: int, checks: HostedChecksConfig, health: HealthConfig) -> CheckSettings:
    kind = kind_of(health)
    if kind == "TCP":
        return CheckSettings(kind, address, port=port, interval_s=checks.interval_s, fall=checks.fall)
    return CheckSettings(
        kind,
        address,
        name=health.host or "",
        port=port,
        path=health.path or "/",
        search=health.body or "",
        interval_s=checks.interval_s,
        fall=checks.fall,
    )


def kind_of(health: HealthConfig) -> CheckKind:
    """The kind of check that never calls ill what the configuration calls well."""
    foreign = any(low < 200 or high > 399 for low, high in health.status)
    if health.kind == "tcp" or foreign or len(health.path or "") > CHARACTERS_MAX:
        return "TCP"
    if health.body:
        return "HTTPS_STR_MATCH" if health.kind == "https" else "HTTP_STR_MATCH"
    return "HTTPS" if health.kind == "https" else "HTTP"


def _switch(checks: HostedChecksConfig, load_balancer: str) -> CheckSettings:
    """Healthy while nothing is found there: a place that is away takes nobody out."""
    parts = urlsplit(checks.switch)
    secure = parts.scheme == "https"
    return CheckSettings(
        "HTTPS" if secure else "HTTP",
        name=parts.hostname or "",
        port=parts.port or (443 if secure else 80),
        path=f"{parts.path}/{load_balancer}",
        interval_s=checks.interval_s,
        fall=checks.fall,
        inverted=True,
    )
