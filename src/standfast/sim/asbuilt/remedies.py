"""What can be switched on in the system as built, each by itself: remedies from public accounts, and ours.

None is a description of the mend that was shipped: that has not been disclosed [TALK].
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from standfast.errors import StandfastError

Remedy: TypeAlias = Literal[
    "recheck",
    "check-in-lock",
    "fair-lock",
    "one-lock",
    "no-cleanup",
    "velocity",
    "locked-cleanup",
    "spare-referenced",
    "assert-referenced",
    "floor",
    "decoupled",
    "repair",
    "heal",
    "since",
    "fence",
]
Origin: TypeAlias = Literal["public", "ours"]
Rendering: TypeAlias = Literal["enactor", "provider"]
"""Who could not cope with a rollback that would refer to nothing. The talk's words point to the enactor's code; a
provider that refuses the batch would look the same from outside. Both are inference [INF]."""


class Switch(Struct, frozen=True):
    """A remedy for people: who proposed it, and what it does in one line."""

    remedy: Remedy
    origin: Origin
    says: str


SWITCHES: Final = (
    Switch("recheck", "public", "freshness is checked again before each endpoint, outside its lock"),
    Switch("check-in-lock", "ours", "freshness is checked under the endpoint's lock, just before the root moves"),
    Switch("fair-lock", "public", "who waits for a lock gets it in turn: nobody loses many times running"),
    Switch("one-lock", "public", "one lock across all endpoints, for a whole pass (considered and rejected then)"),
    Switch("no-cleanup", "public", "old trees are never deleted"),
    Switch("velocity", "public", "clean-up deletes at most one tree of an endpoint in a pass"),
    Switch("locked-cleanup", "public", "clean-up takes the lock of the endpoint, and its batch asserts it"),
    Switch("spare-referenced", "public", "clean-up looks at root and rollback, and spares what they refer to"),
    Switch("assert-referenced", "ours", "clean-up asserts root and rollback in the batch that deletes"),
    Switch("floor", "ours", "clean-up counts age from what the root refers to, if that is older than its own plan"),
    Switch("decoupled", "ours", "rollback is set in a batch of its own, after the root; if that fails, so be it"),
    Switch("repair", "ours", "a missing tree that the root refers to is rebuilt before the root moves"),
    Switch("heal", "ours", "with nothing newer to do, an enactor still looks whether roots lead somewhere"),
    Switch("since", "ours", "what did not change for an endpoint is not written: its tree keeps its number"),
    Switch("fence", "ours", "a generation marker is compared and set in the batch that moves the root"),
)

OURS: Final[frozenset[Remedy]] = frozenset(
    {"assert-referenced", "floor", "decoupled", "repair", "heal", "since", "fence"}
)
"""All that Standfast does, as far as it has a meaning in this system."""


class Built(Struct, frozen=True):
    """How one system is built: its endpoints, in the order of a pass; `distance` in generations from which a tree is
    too old (not published [TALK]; from 2 on, so that the way back by one generation is kept); what is switched on.
    """

    endpoints: tuple[str, ...]
    distance: int = 2
    remedies: frozenset[Remedy] = frozenset()
    rendering: Rendering = "enactor"

    def has(self, remedy: Remedy) -> bool:
        """Whether that is switched on."""
        return remedy in self.remedies

    def tree(self, endpoint: int, plan: int) -> int:
        """The number of the endpoint's tree under a plan: as built, each plan makes all trees anew [TALK].

        With `since` it is the generation in which the endpoint last changed. Every second endpoint here is a quiet
        one, whose entry never changed after the first plan.
        """
        return 1 if self.has("since") and endpoint % 2 else plan


def chosen(names: Iterable[str]) -> frozenset[Remedy]:
    """Remedies by name; `ours` stands for all of ours. Raises StandfastError for a name that is none."""
    found: set[Remedy] = set()
    known: tuple[Remedy, ...] = get_args(Remedy)
    for name in names:
        if name == "ours":
            found |= OURS
            continue
        remedy = next((one for one in known if one == name), None)
        if remedy is None:
            raise StandfastError(f"--with {name}: there is no such remedy.", f"There are: ours, {', '.join(known)}.")
        found.add(remedy)
    return frozenset(found)
