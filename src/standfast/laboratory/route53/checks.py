"""Health checks: what one may be set to, how it is created, changed and deleted, and its verdict."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from standfast.laboratory.route53.faults import invalid_input

Config = dict[str, str | int | bool | list[str]]

WEB_TYPES = frozenset(("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH"))
ENDPOINT_TYPES = WEB_TYPES | {"TCP"}
HEALTHY_SHARE = 0.18
"""The endpoint is healthy if more than this share of the checkers say so (Developer Guide, "How Route 53 determines
whether a health check is healthy")."""

CHILDREN_MAX = 255
TEXT_CHARACTERS_MAX = 255
_FIXED = ("Type", "RequestInterval", "MeasureLatency", "EndpointType")
_RESETTABLE = ("FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A health check: its settings by the names of the API, as CreateHealthCheck and UpdateHealthCheck left them."""

    id: str
    reference: str
    version: int
    config: Config

    def shown(self) -> dict[str, Any]:
        """The check as GetHealthCheck gives it."""
        return {
            "Id": self.id,
            "CallerReference": self.reference,
            "HealthCheckConfig": self.config,
            "HealthCheckVersion": self.version,
        }

    def flag(self, name: str) -> bool:
        """A setting that is on or off; off if absent."""
        return bool(self.config.get(name, False))

    def number(self, name: str) -> int:
        """A number among the settings; 0 if absent."""
        return int(str(self.config.get(name, 0)))

    @property
    def children(self) -> list[str]:
        """The checks that a calculated one counts."""
        return [str(one) for one in _list(self.config.get("ChildHealthChecks"))]


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def new(reference: str, given: Mapping[str, Any]) -> Check:
    """A fresh check. Raises ServiceError (InvalidInput) for settings that AWS would refuse."""
    return Check(id=str(uuid.uuid4()), reference=reference, version=1, config=completed(given))


def completed(given: Mapping[str, Any]) -> Config:
    """Settings with their defaults.

    Source: API Reference, HealthCheckConfig: interval 30 s, failure threshold 3, ports 80 and 443, SNI for HTTPS.
    """
    kind = given.get("Type", "")
    config: Config = {"Inverted": False, "Disabled": False}
    if kind in ENDPOINT_TYPES:
        config |= {"RequestInterval": 30, "FailureThreshold": 3, "MeasureLatency": False}
        config |= {"EnableSNI": kind.startswith("HTTPS")}
    if kind in WEB_TYPES:
        config["Port"] = 443 if kind.startswith("HTTPS") else 80
    config |= given
    problem = _problem(kind, config)
    if problem:
        raise invalid_input(f"Invalid request: {problem}")
    return config


def _problem(kind: str, config: Config) -> str | None:
    """What AWS would not take (API Reference, HealthCheckConfig), or None."""
    if kind not in ENDPOINT_TYPES | {"CALCULATED"}:
        return f"the stand-in has no health checks of type {kind!r}"
    if kind == "CALCULATED":
        children = _list(config.get("ChildHealthChecks"))
        if not 0 <= int(str(config.get("HealthThreshold", -1))) <= 256:
            return "a CALCULATED health check needs a HealthThreshold from 0 to 256"
        if len(children) > CHILDREN_MAX:
            return f"ChildHealthChecks has at most {CHILDREN_MAX} elements"
        return _superfluous(config, ("IPAddress", "FullyQualifiedDomainName", "Port", "ResourcePath", "SearchString"))
    if not config.get("IPAddress") and not config.get("FullyQualifiedDomainName"):
        return "either IPAddress or FullyQualifiedDomainName is needed"
    try:
        ipaddress.ip_address(str(config.get("IPAddress") or "127.0.0.1"))
    except ValueError:
        return f"{config['IPAddress']!r} is not a valid IP address"
    if not 1 <= int(str(config.get("Port", 0))) <= 65535:
        return "Port must be between 1 and 65535"
    if config["RequestInterval"] not in (10, 30):
        return "RequestInterval must be 10 or 30"
    if not 1 <= int(str(config["FailureThreshold"])) <= 10:
        return "FailureThreshold must be between 1 and 10"
    if kind.endswith("STR_MATCH") and not config.get("SearchString"):
        return "SearchString is needed"
    if max(len(str(config.get(one, ""))) for one in ("SearchString", "ResourcePath")) > TEXT_CHARACTERS_MAX:
        return f"SearchString and ResourcePath have at most {TEXT_CHARACTERS_MAX} characters"
    foreign = ["HealthThreshold", "ChildHealthChecks", *(() if kind.endswith("STR_MATCH") else ("SearchString",))]
    return _superfluous(config, [*foreign, *(("ResourcePath",) if kind == "TCP" else ())])


def _superfluous(config: Config, foreign: list[str] | tuple[str, ...]) -> str | None:
    found = [one for one in foreign if one in config]
    return f"{found[0]} is not for health checks of type {config['Type']}" if found else None


def updated(check: Check, given: Mapping[str, Any]) -> Check:
    """A check with what an UpdateHealthCheck gives, one version on.

    Source: API Reference, UpdateHealthCheck: what is not given stays, ResetElements go back to their default.
    """
    config = dict(check.config)
    for name in given.get("ResetElements") or ():
        if name not in _RESETTABLE:
            raise invalid_input(f"Invalid request: {name!r} cannot be reset")
        config.pop(name, None)
    beside = ("HealthCheckId", "HealthCheckVersion", "ResetElements", *_FIXED)
    config |= {name: value for name, value in given.items() if name not in beside}
    return msgspec.structs.replace(check, version=check.version + 1, config=completed(config))


def verdict(checks: Mapping[str, Check], seen: Mapping[str, list[bool]], one: str, gone: bool) -> bool:
    """Whether a health check is healthy; `seen` is what its checkers hold, `gone` stands for one that was deleted.

    Sources: Developer Guide, "How Route 53 determines whether a health check is healthy" (share of the checkers;
    calculated: so many healthy children), "Values that you specify when you create or update health checks" (a disabled
    check is healthy, inverted or a calculated one's child too; inverting turns the verdict round; a new check is
    healthy until there is data, an inverted one unhealthy).
    """
    check = checks.get(one)
    if check is None:
        return gone
    if check.flag("Disabled"):
        base = True
    elif check.config["Type"] == "CALCULATED":
        healthy = sum(verdict(checks, seen, child, gone) for child in check.children)
        base = healthy >= check.number("HealthThreshold")
    else:
        checkers = seen.get(one) or [True]
        base = sum(checkers) / len(checkers) > HEALTHY_SHARE
    return base != check.flag("Inverted")
