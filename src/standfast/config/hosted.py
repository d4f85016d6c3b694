"""A zone at Route 53: which hosted zone, as whom it is reached, how often it may be asked."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from standfast.config import keys, scalars
from standfast.config.document import Mapping, shown
from standfast.config.hostedchecks import HostedChecksConfig, bind_checks
from standfast.config.rolekeys import IN_LINE, KeyRole
from standfast.config.scalars import BadValue
from standfast.config.section import Section

HOST: Final = "route53.amazonaws.com"
RATE: Final = 2.0
BURST: Final = 10
PATROL_S: Final = 60.0
FOUND_WITHIN_S: Final = 60.0
RATE_MAX: Final = 10.0
"""So many requests a second AWS answers an account at most (Quotas, "Quotas on API requests")."""
_ROLE: Final = re.compile(r"arn:aws[a-z-]{0,20}:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}\Z", re.ASCII)
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]{1,12}){1,3}-[0-9]{1,2}\Z")
_burst: Final = scalars.whole("a number of requests", 1, 50)


@dataclass(frozen=True, slots=True)
class HostedConfig:
    """`zone_id` empty: looked up by the zone's name. `roles` are the ARNs that roles assume; none: each works with the
    credentials it has. `region` is where STS is asked, `endpoint` a URL in place of AWS's own. Together all requests of
    a process are at most `rate` a second, and `burst` at once. `checks` are Route 53's own health checks. A round of
    the patrol begins `patrol_seconds` after the one before at the earliest; an emptied name is found by asking the name
    servers within `found_seconds`."""

    zone_id: str = ""
    region: str = ""
    roles: tuple[tuple[KeyRole, str], ...] = ()
    endpoint: str = ""
    rate: float = RATE
    burst: int = BURST
    checks: HostedChecksConfig = field(default_factory=HostedChecksConfig)
    patrol_seconds: float = PATROL_S
    found_seconds: float = FOUND_WITHIN_S

    def role(self, role: KeyRole) -> str:
        """The ARN that a role assumes; empty: none."""
        known = dict(self.roles)
        return next((known[one] for one in IN_LINE[role] if one in known), "")


def bind_hosted(zone: Section, url: Callable[[str], str]) -> HostedConfig:
    """What a zone with `provider: route53` says of it, with every problem."""
    for other in ("server", "tsig"):
        if zone.get(other) is not None:
            zone.problem(other, f"{other} has no meaning with Route 53.", "Leave it out: AWS has its own credentials.")
    return HostedConfig(
        zone.read("hosted_zone", scalars.hosted_zone, ""),
        zone.read("region", _region, ""),
        _roles(zone),
        zone.read("endpoint", url, ""),
        zone.read("requests_per_second", _rate, RATE),
        zone.read("burst", _burst, BURST),
        bind_checks(zone),
        zone.read("patrol", scalars.duration(1, 86_400), PATROL_S),
        zone.read("found_within", scalars.duration(5, 86_400), FOUND_WITHIN_S),
    )


def refuse_hosted(zone: Section) -> None:
    """Problems for keys that only Route 53 has."""
    for key in keys.HOSTED:
        if zone.get(key) is not None:
            zone.problem(key, f"{key} is for zones at Route 53.", "Leave it out, or give provider: route53.")


def _roles(zone: Section) -> tuple[tuple[KeyRole, str], ...]:
    node = zone.get("assume_role")
    if not isinstance(node, Mapping):
        arn = zone.read("assume_role", _role, "")
        return (("enactor", arn),) if arn else ()
    section = zone.section("assume_role", keys.TSIG)
    if section is None:
        return ()
    found = ((role, section.read(role, _role, "")) for role in IN_LINE)
    return tuple((role, arn) for role, arn in found if arn)


def _role(text: str) -> str:
    if not _ROLE.match(text):
        remedy = "Give its ARN: assume_role: arn:aws:iam::123456789012:role/standfast-enactor."
        raise BadValue(f"{shown(text)} is not a role.", remedy)
    return text


def _region(text: str) -> str:
    if not _REGION.match(text):
        raise BadValue(f"{shown(text)} is not a region.", "Give it as AWS does: region: eu-west-1.")
    return text


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.1 <= rate <= RATE_MAX:
        remedy = f"Give 0.1 to {RATE_MAX:g}; AWS answers an account {RATE_MAX:g} a second, all its tools together."
        raise BadValue(f"{shown(text)} is not a number of requests a second.", remedy)
    return rate
