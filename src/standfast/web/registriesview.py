"""The registries on the page: leases held, what is admitted, who is still to come, and who is away."""

from msgspec import Struct

from standfast.runtime.observing import Seen

from .signs import GOOD, Sign

AWAY = Sign("■", "bad", "away")
BUSY = Sign("▲", "watch", "they come back")
STILL = Sign("▲", "watch", "ages stand still")


class Registry(Struct, frozen=True):
    """One registry; `why` is what is to be read about it."""

    name: str
    sign: Sign
    held: int
    unheard: int
    why: str


def registries(seen: Seen) -> tuple[Registry, ...]:
    """All that ever kept leases in the plan store."""
    found = []
    for one in seen.store.registries:
        sign = AWAY if one.silent else BUSY if one.backlog else STILL if one.why else GOOD
        found.append(Registry(one.name, sign, one.held, 0 if one.silent else one.held - one.heard, one.state))
    return tuple(found)
