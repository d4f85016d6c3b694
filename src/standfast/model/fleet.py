"""The fleet: all load balancers as last observed, and what is thought of their health."""

from typing import Literal, TypeAlias

from msgspec import Struct

AdminState: TypeAlias = Literal["up", "down", "drain"]
VerdictState: TypeAlias = Literal["up", "down", "unknown", "warming"]


class LoadBalancer(Struct, frozen=True, array_like=True):
    """What can serve. `capacity` is relative to the others' and positive; addresses are in canonical text.

    `why` says who gave the admin state and for what, if that was not the configuration.
    """

    id: str
    az: str
    pool: str
    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    capacity: int
    admin: AdminState = "up"
    why: str = ""


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
