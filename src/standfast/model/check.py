"""Health checks that a provider makes itself (Route 53's): what one is set to, how it is made, who has it. Pure.

A check never changes: other settings are another check. Its caller reference is a digest of all that it is, so that
several planners, a crash and a lost reply never make two of it; a reference whose check was deleted is spent for ever,
and the next *turn* of it is taken. Sources: Route 53 API reference, CreateHealthCheck and HealthCheckConfig.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

CheckKind: TypeAlias = Literal["TCP", "HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "CALCULATED"]
PREFIX: Final = "sf-"
TURNS_MAX: Final = 1_000
STREAM_TAG: Final = "standfast:stream"
ZONE_TAG: Final = "standfast:zone"
BALANCER_TAG: Final = "standfast:load-balancer"
HEALTHY_SHARE: Final = 0.18
"""An endpoint is healthy while more than this share of Route 53's checkers say so (Developer Guide, "How Route 53
determines whether a health check is healthy")."""


class CheckSettings(Struct, frozen=True, array_like=True, omit_defaults=False):
    """What is checked. `name` is sent as Host, and asked for where there is no address. An inverted check is healthy
    when what it finds is not. A CALCULATED one is healthy while at least `least` of its `children` are."""

    kind: CheckKind
    address: str = ""
    name: str = ""
    port: int = 0
    path: str = ""
    search: str = ""
    interval_s: int = 10
    fall: int = 3
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    least: int = 0


class WantedCheck(Struct, frozen=True):
    """What shall watch one load balancer at these addresses: each part a check; several are counted by another."""

    load_balancer: str
    addresses: tuple[str, ...]
    parts: tuple[tuple[str, CheckSettings], ...]

    @property
    def digest(self) -> str:
        """Names all that it is."""
        return _digest(self.load_balancer, msgspec.json.encode(self).decode())


class BalancerCheck(Struct, frozen=True):
    """The check of a load balancer at these addresses. `id` is named by record sets, `parts` are what it consists of;
    `digest` is that of what was wanted. Without an `id` it is not whole: its parts wait for the rest, and are kept."""

    load_balancer: str
    addresses: tuple[str, ...]
    id: str
    digest: str
    parts: tuple[tuple[str, str], ...]

    @property
    def ids(self) -> frozenset[str]:
        """All checks of it."""
        return frozenset(one for one in (self.id, *(one for _, one in self.parts)) if one)


class StandingCheck(Struct, frozen=True):
    """A check as the provider has it. `settings` None: of a kind that we never make."""

    id: str
    reference: str
    version: int
    settings: CheckSettings | None


def owner_mark(stream: str, zone: str) -> str:
    """How all references of this stream in this zone begin."""
    return f"{PREFIX}{_digest(stream, zone)[:16]}-"


def reference(stream: str, zone: str, load_balancer: str, part: str, settings: CheckSettings, turn: int) -> str:
    """The caller reference (64 characters at most) by which this check is made, and found again."""
    what = _digest(load_balancer, part, msgspec.json.encode(settings).decode())
    return f"{owner_mark(stream, zone)}{what[:32]}-{turn}"


def tags_of(stream: str, zone: str, load_balancer: str, part: str) -> tuple[tuple[str, str], ...]:
    """The tags that say whose it is, and its name in AWS's console."""
    name = f"{stream} {load_balancer} {part}".strip()[:256]
    return (("Name", name), (STREAM_TAG, stream), (ZONE_TAG, zone), (BALANCER_TAG, load_balancer))


def check_for(checks: Iterable[BalancerCheck], load_balancer: str, addresses: Iterable[str]) -> str:
    """The id of the check that watches it at these addresses; empty if none does."""
    some = set(addresses)
    known = (one for one in checks if one.id and one.load_balancer == load_balancer)
    return next((one.id for one in known if some <= set(one.addresses)), "")


def healthy(observations: Iterable[bool], *, inverted: bool = False) -> bool | None:
    """What Route 53 concludes of what its checkers saw last; None while none has looked."""
    some = list(observations)
    if not some:
        return None
    return (sum(some) / len(some) > HEALTHY_SHARE) != inverted


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
