"""What can be switched on in the region, each by itself, and what of production it switches on.

*dns* protections keep the endpoint from being emptied, or from staying so. *client* ones are about who asks. *recovery*
ones are about coming back from whatever happened.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from standfast.errors import StandfastError
from standfast.sim.asbuilt.remedies import Remedy

Protection: TypeAlias = Literal[
    "fence",
    "safe-clean-up",
    "repair",
    "uncoupled",
    "serve-stale",
    "keep-last",
    "lease-grace",
    "admission",
    "throttled-propagation",
    "warm-up",
    "az-velocity",
    "slow-start",
    "self-restart",
]
Family: TypeAlias = Literal["dns", "client", "recovery"]


class Switch(Struct, frozen=True):
    """A protection for people."""

    protection: Protection
    family: Family
    says: str


SWITCHES: Final = (
    Switch("fence", "dns", "a generation marker is compared and set in the change that moves the root"),
    Switch("safe-clean-up", "dns", "clean-up spares root and rollback, and asserts them in the change that deletes"),
    Switch("repair", "dns", "a missing tree that the root refers to is rebuilt, and looked for without a newer plan"),
    Switch("uncoupled", "dns", "rollback is set in a change of its own: it can't hold the root back"),
    Switch("serve-stale", "client", "resolvers use an old answer if the authority fails (RFC 8767)"),
    Switch("keep-last", "client", "resolvers keep the last addresses when an answer comes back without any"),
    Switch("lease-grace", "recovery", "a lease runs out only while who grants it can be reached"),
    Switch("admission", "recovery", "work that cannot finish in time is refused at the door, with when to come back"),
    Switch("throttled-propagation", "recovery", "launches wait for room in the queue of network changes"),
    Switch("warm-up", "recovery", "a new instance serves after checks have passed, and leaves after three have failed"),
    Switch("az-velocity", "recovery", "health checks take out no more than a share of capacity in a window"),
    Switch("slow-start", "recovery", "who comes back is given its load bit by bit"),
    Switch("self-restart", "recovery", "a subsystem that died of a lost dependency is started again"),
)
REMEDIES: Final[dict[Protection, frozenset[Remedy]]] = {
    "fence": frozenset({"fence"}),
    "safe-clean-up": frozenset({"assert-referenced"}),
    "repair": frozenset({"repair", "heal"}),
    "uncoupled": frozenset({"decoupled"}),
}
"""What they are in the system as built. All four together are no remedies any more: production's cores run instead."""
ALL: Final[tuple[Protection, ...]] = get_args(Protection)


def family(*names: Family) -> frozenset[Protection]:
    """All of those families."""
    return frozenset(one.protection for one in SWITCHES if one.family in names)


def chosen(names: Iterable[str]) -> frozenset[Protection]:
    """Protections by name; `all`, `dns`, `client` and `recovery` stand for those of a family.

    Raises StandfastError for a name that is none.
    """
    found: set[Protection] = set()
    families: dict[str, tuple[Family, ...]] = {
        "all": ("dns", "client", "recovery"), "dns": ("dns",), "client": ("client",), "recovery": ("recovery",)
    }  # fmt: skip
    for name in names:
        one = next((each for each in ALL if each == name), None)
        if one is None and name not in families:
            raise StandfastError(
                f"--with {name}: there is no such protection.", f"There are: {', '.join((*families, *ALL))}."
            )
        found |= {one} if one is not None else family(*families[name])
    return frozenset(found)
