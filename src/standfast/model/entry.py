"""An entry: what one endpoint shall be, down to the bytes, and why.

These values are trees of tuples and cannot form cycles, so the garbage collector need not visit them (`gc=False`):
reading a plan of 10,000 entries takes a fifth of the time.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct, structs

from .rrset import RRset

EntryKind: TypeAlias = Literal["live", "retired", "first"]
Layout: TypeAlias = Literal["flat", "multivalue", "tree"]
"""How an entry stands in its zone: plain rrsets; one record set a load balancer; or aliases to a tree (Route 53)."""
Key: TypeAlias = tuple[str, str]
"""(zone, name): an endpoint's identity within its stream."""
WHOLE: Final = 100
"""Hundredths: all of a member's weight counts."""
TREES_REMEMBERED: Final = 4
"""So many of an endpoint's latest trees a plan names: more than a cleaner keeps of those that nobody needs."""


KEPT: Final = "kept: "
"""How the reason of a member begins that a guard keeps in the answer; what would be true of it else comes after a
semicolon."""
NOT_CHOSEN: Final = "not chosen"
"""How the reason of a member begins that is able, and whose turn it is not: nothing is the matter with it."""


class Member(Struct, frozen=True, array_like=True, gc=False):
    """One load balancer's place in an entry, with the reason it is or is not in the answer.

    `weight` is its capacity; shares follow it. `eased` is the part of it, in hundredths, that counts in the weights of
    aliases while it starts slowly; no limit looks at that.

    `health_check` is the id of the provider's own check of it, if it has one. Of a load balancer that is a name,
    `addresses` has that name for each family that it answers (`fleet.alias_address`).
    """

    load_balancer: str
    addresses: tuple[str, ...]
    weight: int
    served: bool
    reason: str
    health_check: str = ""
    eased: int = WHOLE


class Departure(Struct, frozen=True, array_like=True, gc=False):
    """Capacity that left an endpoint at `at` (seconds, the planner's wall clock): velocity's memory (G7).

    `installed` is what the endpoint's answer held just before: of the oldest departure in a window, what the share
    that may leave in that window is a share of. 0: not recorded. `az` is given where it left as part of the loss of a
    whole AZ.
    """

    load_balancer: str
    weight: int
    at: float

    def __post_init__(self) -> None:
        # Whole seconds given as an integer would be encoded as one, read back as a float and change the digest.
        if type(self.at) is not float:
            structs.force_setattr(self, "at", float(self.at))

    installed: int = 0
    az: str = ""


class Arrival(Struct, frozen=True, array_like=True, gc=False):
    """Capacity that joined an endpoint's answer at `at`, as in a Departure: the memory of adding back."""

    load_balancer: str
    weight: int
    at: float

    def __post_init__(self) -> None:
        if type(self.at) is not float:
            structs.force_setattr(self, "at", float(self.at))  # as in a Departure


class Turn(Struct, frozen=True, array_like=True, gc=False):
    """When load balancers last changed places in a rotation, and what each was owed then, in thousandths of a turn."""

    at: float
    credits: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if type(self.at) is not float:
            structs.force_setattr(self, "at", float(self.at))  # as in a Departure


class Stood(Struct, frozen=True, array_like=True, gc=False):
    """What queries were answered at a name before the plan of that generation took it over. Of a name with much data
    so much is left off as makes this small (`entering.STOOD_OCTETS`): `left_off` addresses."""

    generation: int
    rrsets: tuple[RRset, ...]
    left_off: int = 0


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """The desired state of one endpoint.

    `kind`, `layout` and `rrsets` determine every byte that is written; when they differ from the preceding plan's,
    `since` becomes the new plan's generation. `min_answers` gives the least number of addresses per family
    it serves: what refill restores. `held` is the operator's reason while a rollback or hold is in force;
    `taken` says who consented to take the name over when it first entered a plan. A `first` entry is the zone's
    synthetic one: a marker and no rrsets, and the only entry that may create the zone's floor. `follows` is the name
    of the endpoint of which it is a copy, `endpoint_kind` what users know it as (public, dual-stack, ipv6-only, fips,
    account, wildcard). `layout` says how it stands in the zone: of a flat or multivalue one, `rrsets` are what stands
    at its name; a tree is derived from its members, and its `rrsets` are what is given back at its name should the
    marker be lost (refill). `had_tree`: it had one in an earlier generation, so a rollback alias may still stand.
    `trees` are the since of its latest trees before this one, newest first: where a lost rollback alias may lead.
    `stood` is what was there before it was taken over, for people: nothing is decided by it.
    """

    zone: str
    name: str
    since: int
    kind: EntryKind = "live"
    rrsets: tuple[RRset, ...] = ()
    min_answers: tuple[tuple[int, int], ...] = ()
    held: str = ""
    taken: str = ""
    members: tuple[Member, ...] = ()
    departures: tuple[Departure, ...] = ()
    note: str = ""
    arrivals: tuple[Arrival, ...] = ()
    follows: str = ""
    endpoint_kind: str = ""
    turn: Turn | None = None
    layout: Layout = "flat"
    had_tree: bool = False
    trees: tuple[int, ...] = ()
    stood: Stood | None = None

    @property
    def key(self) -> Key:
        """(zone, name)."""
        return (self.zone, self.name)

    @property
    def has_tree(self) -> bool:
        """Whether root shall be an alias to a tree of its own."""
        return self.layout == "tree" and self.kind == "live"

    @property
    def knew_tree(self) -> bool:
        """Whether it has or had one, so that its rollback alias is looked after."""
        return self.had_tree or self.layout == "tree"

    @property
    def trees_so_far(self) -> tuple[int, ...]:
        """`trees` of the entry that follows this one with other contents."""
        return (self.since, *self.trees)[:TREES_REMEMBERED] if self.has_tree else self.trees

    def same_contents(self, other: "Entry | None") -> bool:
        """Whether both ask for the same bytes, so that `since` is carried on."""
        if other is None or self.kind != other.kind or self.layout != other.layout:
            return False
        return self.rrsets == other.rrsets and (self.layout != "tree" or self._leaves() == other._leaves())

    def _leaves(self) -> tuple[tuple[object, ...], ...]:
        """What of its members is in the bytes of a tree."""
        served = (member for member in self.members if member.served)
        return tuple(sorted((m.load_balancer, m.addresses, m.weight, m.health_check, m.eased) for m in served))

    def rrset(self, rtype: int) -> RRset | None:
        """The desired rrset that answers that type, plain or routed; None means that there shall be none."""
        for rrset in self.rrsets:
            if rrset.rtype == rtype or rrset.answers == rtype:
                return rrset
        return None
