"""Zones at Route 53, as a configuration names them: who reaches them as whom, and how often a process may ask."""

import re
from functools import lru_cache
from typing import Final

from standfast.adapters.providers.listing import Listing
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.calls import Access, CallFailed
from standfast.adapters.providers.route53.pace import Pace
from standfast.config import KeyRole, ZoneConfig
from standfast.errors import ProviderError
from standfast.ports.provider import Unknown

from .phrases import capital

_UNUSABLE: Final = re.compile(r"[^A-Za-z0-9=,.@-]")
READING: Final[KeyRole] = "planner"
"""As whom those read who never write: commands that look, the page."""
TIMEOUT_S: Final = 15.0


def hosted_provider(zone: ZoneConfig, role: KeyRole = READING, who: str = "") -> Route53Provider:
    """The hosted zone, reached as that role does. Raises ProviderError if the library for AWS is not installed."""
    hosted = zone.hosted
    if hosted is None:
        raise AssertionError(f"{zone.name} is not at Route 53")
    session = _UNUSABLE.sub("-", f"standfast-{who or role}")
    access = Access(hosted.role(role), session, hosted.region, hosted.endpoint)
    pace = _pace(access.role, access.endpoint, hosted.rate, hosted.burst)
    return Route53Provider(zone.name, hosted.zone_id, access, pace=pace, timeout_s=TIMEOUT_S)


def zone_id_of(zone: ZoneConfig) -> str:
    """The hosted zone's id, asked for if the file does not give it. Raises ProviderError."""
    provider = hosted_provider(zone)
    try:
        return provider.zone_id()
    except CallFailed as failed:
        message = f"{capital(failed.why)}."
        raise ProviderError(message, "Give hosted_zone: its id, and nothing is asked.") from None
    finally:
        provider.close()


def hosted_listing(zone: ZoneConfig) -> Listing | Unknown:
    """Everything in the hosted zone, page by page."""
    provider = hosted_provider(zone)
    try:
        return provider.listing()
    finally:
        provider.close()


@lru_cache(maxsize=64)
def _pace(role: str, endpoint: str, rate: float, burst: int) -> Pace:
    """One for all zones that a process reaches as the same role: AWS counts by account."""
    return Pace(rate, burst)
