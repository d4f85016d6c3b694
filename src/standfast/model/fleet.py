"""The fleet: all load balancers as last observed, and what is thought of their health."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

_SIX: Final = "::"
"""In front of a name, so that a colon tells IPv6 from IPv4 there too."""
AdminState: TypeAlias = Literal["up", "down", "drain"]
VerdictState: TypeAlias = Literal["up", "down", "unknown", "warming"]


class LoadBalancer(Struct, frozen=True, array_like=True):
    """What can serve. `capacity` is relative to the others' and positive; addresses are in canonical text.

    One that is only a name has in place of an address, in each family that it answers, what `alias_address` gives.

    `why` says who gave the admin state and for what, if that was not the configuration. `eased` is the part of its
    weight that counts while it starts slowly after it came back; no limit is loosened by it.
    """

    id: str
    az: str
    pool: str
    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    capacity: int
    admin: AdminState = "up"
    why: str = ""
    eased: float = 1.0


class Verdict(Struct, frozen=True, array_like=True):
    """What health checks conclude of one load balancer, and why in words.

    `unknown` is no evidence (a planner that just started, a checker that is silent): what is served stays as it is.
    `warming` is a newcomer that has not passed its first checks: it is not admitted, nor is that a removal.
    `outside` counts the vantage points outside its own AZ that see it down: what the loss of a whole AZ rests on.
    """

    state: VerdictState
    reason: str
    outside: int = 0


class Fleet(Struct, frozen=True):
    """Load balancers by id, in id order, with the revision of each source they were read from."""

    load_balancers: tuple[LoadBalancer, ...]
    sources: tuple[tuple[str, int], ...] = ()


def alias_address(name: str, zone_id: str, *, six: bool) -> str:
    """What stands for an address of a load balancer that is a name: the name, in the hosted zone of that id."""
    return f"{_SIX if six else ''}{name}@{zone_id}"


def alias_of(address: str) -> tuple[str, str] | None:
    """(name, id of its hosted zone) if this stands for one; None if it is an address."""
    name, found, zone_id = address.removeprefix(_SIX).partition("@")
    return (name, zone_id) if found else None


def reached_at(address: str) -> str:
    """Where a check connects to."""
    alias = alias_of(address)
    return alias[0] if alias else address


def readable(addresses: Iterable[str]) -> tuple[str, ...]:
    """As people read them: of one that is a name, that name, once for all families."""
    return tuple(dict.fromkeys(map(reached_at, addresses)))


def answered_with(address: str) -> str:
    """How an rrset's texts have it: an address, or a name with its dot."""
    alias = alias_of(address)
    return f"{alias[0]}." if alias else address
