"""What is wanted of one endpoint: the part of a configuration that a planner reads."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from .entry import Key
from .rrset import RRType

TTL_DEFAULT: Final = 60
"""Seconds. AWS advises 60 or 120 for records that fail over; below 30 many clients do not follow."""
MAX_ANSWERS_DEFAULT: Final = 8
"""Eight addresses fit any UDP answer."""
HOLD_BELOW_DEFAULT: Final = 0.5
"""Envoy's panic threshold is 50 %, gdnsd's up_thresh 0.5."""
REMOVAL_SHARE_DEFAULT: Final = 0.34
"""34 %, so that one AZ of three (33.4 %) passes."""
REMOVAL_WINDOW_S_DEFAULT: Final = 600.0
ADDING_SHARE_DEFAULT: Final = 0.34
ADDING_WINDOW_S_DEFAULT: Final = 60.0
"""34 % in 60 s: what returns all at once is met by everybody at once, and one generation a TTL is enough."""
RESERVE_DEFAULT: Final = 0.2
"""20 %: what remains for retries, and for the next that dies, where endpoints say what they need."""
AZ_REMAINING: Final = 0.6
"""What must be healthy besides an AZ that goes by itself. 60 and not 67 %: two AZs of three are 66.7 %."""
AZ_OBSERVERS: Final = 2
"""Vantage points outside the AZ that must see a load balancer down: one alone may itself be cut off."""
AZ_CONFIRM_S: Final = 30.0
"""How long after the first half of an AZ the rest may follow."""
AZ_AGAIN_S: Final = 1800.0
"""How long after one AZ went no other may go by itself."""

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
    in `prefixes` may be published; none: every address.
    """

    name: str
    zone: str
    ttl: int = TTL_DEFAULT
    min_answers: int | None = None
    max_answers: int = MAX_ANSWERS_DEFAULT
    azs: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    families: tuple[RRType, ...] = ()
    hold_below: float = HOLD_BELOW_DEFAULT
    removal_share: float = REMOVAL_SHARE_DEFAULT
    removal_window_s: float = REMOVAL_WINDOW_S_DEFAULT
    adding_share: float = ADDING_SHARE_DEFAULT
    adding_window_s: float = ADDING_WINDOW_S_DEFAULT
    az_loss: AzLoss = "auto"
    on_panic: OnPanic = "hold"
    kind: EndpointKind = ""
    follows: str = ""
    need: int = 0
    reserve: float = RESERVE_DEFAULT
    rotation_s: float = 0.0
    prefixes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """(zone, name)."""
        return (self.zone, self.name)

    @property
    def drawn_by(self) -> str:
        """The name by which a subset is chosen: a follower's is that of the one it follows."""
        return self.follows or self.name
