"""The plans of a run: short histories in which contents change, return, and stay."""

from typing import Final, TypeAlias

from msgspec.structs import replace

from standfast.model.entry import Entry, Member
from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.plan import Plan, PlanRecord
from standfast.model.routing import Variant
from standfast.model.rrset import RRset, RRType, address_rdata, addresses
from standfast.model.shards import Shards

ZONE: Final = "example"
STREAM: Final = "main"
ENDPOINTS: Final = (f"www.{ZONE}", f"api.{ZONE}")
FIRST: Final = first_name(STREAM, ZONE)
FLOOR_OWNER: Final = floor_owner(STREAM, ZONE)
TTL: Final = 60
_ADDRESSES: Final = {
    "a": ("192.0.2.1",),
    "b": ("192.0.2.2",),
    "c": ("192.0.2.3",),
    "d": ("192.0.2.4",),
    "A": ("192.0.2.1", "192.0.2.11"),
    "B": ("192.0.2.2", "192.0.2.12"),
    "C": ("192.0.2.3", "192.0.2.13"),
    "6": ("192.0.2.1", "2001:db8::1"),
    "7": ("192.0.2.2", "2001:db8::2"),
}
"""Contents by letter: a small letter is one address, a capital two, a digit one of each family."""
_TREES: Final = {
    "t": (("lb-1", "192.0.2.1"),),
    "u": (("lb-2", "192.0.2.2"),),
    "v": (("lb-3", "192.0.2.3"),),
    "T": (("lb-1", "192.0.2.1", "2001:db8::1"), ("lb-2", "192.0.2.2")),
    "U": (("lb-1", "192.0.2.1", "2001:db8::1"), ("lb-3", "192.0.2.3", "2001:db8::3")),
}
"""Contents in the tree layout by letter: load balancers, each with its addresses."""
_SEVERAL: Final = {
    "m": (("lb-1", "192.0.2.1"), ("lb-2", "192.0.2.2")),
    "n": (("lb-2", "192.0.2.2"), ("lb-3", "192.0.2.3")),
}
"""Contents in the multivalue layout by letter: load balancers, each with its address."""
RETIRED: Final = "-"
LEFT_OUT: Final = "."
"""The plan does not know the endpoint: its store had forgotten it."""

Contents: TypeAlias = tuple[str, ...]
"""What each of ENDPOINTS has in one plan, a letter each."""


def history(*plans: str) -> tuple[Plan, ...]:
    """Plans 1, 2, … from contents: "ab" gives www the contents a and api b; a `-` retires, a `.` leaves it out; one
    letter, one endpoint. The letters t, u, v, T, U stand for trees, m and n for several values.

    An entry's since is the generation in which its contents last changed, as the planner counts.
    """
    found: list[Plan] = []
    latest: dict[str, tuple[str, Entry]] = {}
    for generation, letters in enumerate(plans, start=1):
        entries = []
        for name, letter in zip(ENDPOINTS, letters, strict=False):
            if letter == LEFT_OUT:
                latest.pop(name, None)
                continue
            before, was = latest.get(name, ("", None))
            same = was is not None and before == letter
            now = entry(name, was.since if was is not None and same else generation, letter)
            if was is not None:
                now = replace(now, had_tree=was.knew_tree, trees=was.trees if same else was.trees_so_far)
            latest[name] = letter, now
            entries.append(now)
        found.append(plan_of(generation, entries))
    return tuple(found)


def entry(name: str, since: int, letter: str) -> Entry:
    """An entry with these contents."""
    if letter == RETIRED:
        return Entry(ZONE, name, since, kind="retired")
    if letter in _TREES:
        return _tree_entry(name, since, letter)
    if letter in _SEVERAL:
        return _multivalue_entry(name, since, letter)
    rrsets = addresses(TTL, _ADDRESSES[letter])
    return Entry(ZONE, name, since, rrsets=rrsets, min_answers=tuple((one.rtype, len(one.rdata)) for one in rrsets))


def _tree_entry(name: str, since: int, letter: str) -> Entry:
    members = tuple(Member(one, tuple(some), 100, True, "") for one, *some in _TREES[letter])
    rrsets = addresses(TTL, [text for member in members for text in member.addresses])
    least = tuple((one.rtype, 1) for one in rrsets)
    return Entry(ZONE, name, since, rrsets=rrsets, min_answers=least, members=members, layout="tree")


def _multivalue_entry(name: str, since: int, letter: str) -> Entry:
    members = tuple(Member(one, tuple(some), 100, True, "") for one, *some in _SEVERAL[letter])
    variants = [
        Variant(one, "multivalue", address=address_rdata(text), ttl=TTL).encode() for one, text in _SEVERAL[letter]
    ]
    rrsets = (RRset.of(RRType.ROUTED_A, TTL, variants),)
    return Entry(
        ZONE, name, since, rrsets=rrsets, min_answers=((int(RRType.A), 1),), members=members, layout="multivalue"
    )


def plan_of(generation: int, entries: list[Entry]) -> Plan:
    """A plan with the zone's synthetic first entry."""
    shards = Shards.of([Entry(ZONE, FIRST, 1, kind="first"), *entries])
    return Plan(PlanRecord(STREAM, generation, shards.digest, (ZONE,), (), "planner", "", 0.0), shards)


def names_in(plans: tuple[Plan, ...]) -> tuple[str, ...]:
    """The endpoints of all these plans, the first entry in front."""
    found = {entry.name for plan in plans for entry in plan.by_zone[ZONE]} - {FIRST}
    return (FIRST, *sorted(found, key=lambda name: ENDPOINTS.index(name)))


def record_owners(names: tuple[str, ...]) -> tuple[str, ...]:
    """Every owner name at which a marker or floor may stand."""
    return (FLOOR_OWNER, *(marker_owner(name, ZONE) for name in names))


def marker_key(name: str) -> tuple[str, int]:
    """Where the marker of an endpoint stands."""
    return marker_owner(name, ZONE), int(RRType.TXT)


FLOOR_KEY: Final = (FLOOR_OWNER, int(RRType.TXT))
Rrsets: TypeAlias = dict[tuple[str, int], RRset]
