"""Route 53's own health checks of a zone's load balancers: for whom, how often, and the switch beside them."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from standfast.config import keys, scalars
from standfast.config.document import Mapping, shown
from standfast.config.scalars import BadValue
from standfast.config.section import Section

ChecksFor: TypeAlias = Literal["auto", "all", "off"]
INTERVALS_S: Final = (10, 30)
INTERVAL_S: Final = 10
FALL: Final = 3
CHARACTERS_MAX: Final = 255
"""Of a path, a text and a name in a health check (API reference, HealthCheckConfig)."""
_for: Final = scalars.choice("one of these", get_args(ChecksFor), "Give auto, all or off.")
_fall: Final = scalars.whole("a number of checks", 1, 10)


@dataclass(frozen=True, slots=True)
class HostedChecksConfig:
    """`kind` auto: of load balancers whose addresses are all public, for Route 53's checkers can't reach others; `all`:
    of every one; `off`: of none. `switch` is a URL: what is found at `<switch>/<load balancer>` takes that one out,
    with nothing of ours or of Route 53's API in the way."""

    kind: ChecksFor = "auto"
    interval_s: int = INTERVAL_S
    fall: int = FALL
    switch: str = ""


def bind_checks(zone: Section) -> HostedChecksConfig:
    """The key `health_checks`: a word, or a mapping."""
    if not isinstance(zone.get("health_checks"), Mapping):
        return HostedChecksConfig(zone.read("health_checks", _for, "auto"))
    section = zone.section("health_checks", keys.HEALTH_CHECKS)
    if section is None:
        return HostedChecksConfig()
    found = HostedChecksConfig(
        section.read("for", _for, "auto"),
        section.read("interval", _interval, INTERVAL_S),
        section.read("fall", _fall, FALL),
        section.read("switch", _switch, ""),
    )
    if found.kind == "off" and found.switch:
        section.problem("switch", "switch has no meaning where health checks are off.", "Leave it out, or for: off.")
    return found


def _interval(text: str) -> int:
    seconds = scalars.duration(1, 3600)(text)
    if seconds not in INTERVALS_S:
        raise BadValue(f"{shown(text)} is not an interval of Route 53's checks.", "Give 10s or 30s.")
    return int(seconds)


def _switch(text: str) -> str:
    url = scalars.url(text).rstrip("/")
    parts = urlsplit(url)
    if parts.query or parts.fragment or len(parts.path) > CHARACTERS_MAX - 64 or len(parts.hostname or "") > 255:
        raise BadValue(
            f"{shown(text)} is not a place for switches.", "Give a URL of at most 190 characters without ? and #."
        )
    return url
