"""What is wanted of one endpoint: the part of a configuration that a planner reads."""

from typing import Literal, TypeAlias

from msgspec import Struct

from . import defaults
from .entry import Key, Layout
from .rrset import RRType

EndpointKind: TypeAlias = Literal["", "public", "dual-stack", "ipv6-only", "fips", "account", "wildcard"]
"""Empty: as the families that it serves tell."""
AzLoss: TypeAlias = Literal["auto", "ask"]
OnPanic: TypeAlias = Literal["hold", "all"]


class EndpointPolicy(Struct, frozen=True):
    """How one endpoint is to be kept.

    `min_answers` holds per family and counts addresses; None means 2 where at least three load balancers are
    eligible in that family, else 1 (2 of 2 would forbid every failover). Empty `azs` and `pools` mean all of them,
    empty `families` those that the eligible load balancers have. Under `hold_below`, a share of capacity believed
    healthy, nothing more is dropped. In `removal_window_s` seconds no more capacity leaves than `removal_share` of
    what was installed, or one load balancer, whichever is more; in `adding_window_s` no more joins than
    `adding_share` of what shall be installed, or one. `az_loss`: whether a whole AZ may go by health alone if enough
    observers outside it agree, or is asked for. `on_panic`: under `hold_below` the answer is held, or is `all` that
    was ever admitted. `follows` is the name, in the same zone, of the endpoint whose answers it copies; all else is
    then that one's. `need` is the capacity that it must have; 0: not said; `reserve` the share of capacity that is to
    stay free of it. `rotation_s`: how often another of more than `max_answers` has its turn; 0: never. Only addresses
    in `prefixes` may be published; none: every address. `layout` auto: multivalue up to as many load balancers as one
    such answer holds, and a tree above, until a good few less are left.
    """

    name: str
    zone: str
    ttl: int = defaults.TTL
    min_answers: int | None = None
    max_answers: int = defaults.MAX_ANSWERS
    azs: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    families: tuple[RRType, ...] = ()
    hold_below: float = defaults.HOLD_BELOW
    removal_share: float = defaults.REMOVAL[0]
    removal_window_s: float = defaults.REMOVAL[1]
    adding_share: float = defaults.ADDING[0]
    adding_window_s: float = defaults.ADDING[1]
    az_loss: AzLoss = defaults.AZ_LOSS
    on_panic: OnPanic = defaults.ON_PANIC
    kind: EndpointKind = ""
    follows: str = ""
    need: int = 0
    reserve: float = defaults.RESERVE
    rotation_s: float = defaults.ROTATION_S
    prefixes: tuple[str, ...] = ()
    layout: Layout | Literal["auto"] = "flat"

    @property
    def key(self) -> Key:
        """(zone, name)."""
        return (self.zone, self.name)

    @property
    def drawn_by(self) -> str:
        """The name by which a subset is chosen: a follower's is that of the one it follows."""
        return self.follows or self.name
