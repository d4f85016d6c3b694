"""The tree of an entry: its records by name and bytes, bottom up, and names read back. Pure.

    www.example                                              root: a simple alias, A and AAAA
    └─ 000000000000007.www._tree._standfast.example          top: one weighted alias a load balancer
       └─ lb-1.000000000000007.www._tree._standfast.example  leaf: the load balancer's addresses

The 15 digits are the entry's `since`, never the plan's generation: two plans with the same entry would otherwise flip
each other's trees for ever. Above 100 load balancers (Route 53's cap on record sets of one name and type) there is a
level between, `_m00`, `_m01`, … Beside the root stands the rollback alias, `www._rollback._standfast.example`.

A tree that was built is never altered while it is live, unless its endpoint's marker is replaced in the same change.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

from .entry import WHOLE, Entry, Member
from .name import is_below, rollback_owner, tree_parent, tree_subtree
from .routing import VARIANTS_MAX, WEIGHT_MAX, Variant, read_variant
from .rrset import ADDRESS_TYPES, BESIDE, ROUTED_TYPES, RRset, RRType, address_rdata, address_type

Record: TypeAlias = tuple[str, RRset]
"""(owner name, rrset)."""
LEAVES_MAX: Final = VARIANTS_MAX * VARIANTS_MAX
_SINCE: Final = re.compile(r"[0-9]{15}\Z")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\Z")


class TreeName(Struct, frozen=True, array_like=True):
    """What an owner name below `_tree` says: whose tree (the common parent of an endpoint's trees), and its since."""

    parent: str
    since: int

    @property
    def top(self) -> str:
        """The tree's topmost name."""
        return f"{self.since:015d}.{self.parent}"


def top_of(entry: Entry) -> str:
    """The topmost name of the entry's tree: what root and rollback point at."""
    return TreeName(tree_parent(entry.name, entry.zone), entry.since).top


def read_tree_name(owner: str, apex: str) -> TreeName | None:
    """Which tree an owner name belongs to; None if it is no name of a tree."""
    below = tree_subtree(apex)
    if not is_below(owner, below) or owner == below:
        return None
    first, _, rest = owner.partition(".")
    if _SINCE.match(first):
        since, parent = first, rest
    else:
        since, _, parent = rest.partition(".")
    if not _SINCE.match(since) or parent == below or not is_below(parent, below):
        return None
    return TreeName(parent, int(since))


@lru_cache(maxsize=1024)
def records(entry: Entry) -> tuple[Record, ...]:
    """Everything of the entry's tree: leaves first, the top last, so that no alias is ever put before its target.

    Empty if the entry has no tree.
    """
    if not entry.has_tree:
        return ()
    top = top_of(entry)
    leaves = _leaves(entry)
    found: list[Record] = []
    for label, members in leaves:
        found += ((f"{label}.{top}", one) for one in _leaf(entry, members))
    if len(leaves) <= VARIANTS_MAX:
        return (*found, *_level(entry, top, top, [(label, members) for label, members in leaves]))
    groups = []
    for number, start in enumerate(range(0, len(leaves), VARIANTS_MAX)):
        some, label = leaves[start : start + VARIANTS_MAX], f"_m{number:02d}"
        found += _level(entry, f"{label}.{top}", top, some)
        groups.append((label, tuple(one for _, members in some for one in members)))
    return (*found, *_level(entry, top, top, groups))


@lru_cache(maxsize=64)
def downwards(entry: Entry) -> tuple[Record, ...]:
    """The same, the top first and then branch by branch: the first so many have whole branches among them."""
    at: dict[str, list[RRset]] = {}
    for owner, rrset in records(entry):
        at.setdefault(owner, []).append(rrset)
    found: list[Record] = []
    waiting = [top_of(entry)]
    while waiting:
        owner = waiting.pop()
        some = at.pop(owner, [])
        found += ((owner, one) for one in some)
        waiting += sorted({target for one in some for target in aliases_in(one)}, reverse=True)
    return tuple(found)


def root_rrset(entry: Entry, rtype: int) -> RRset | None:
    """What stands at the endpoint's own name for A or AAAA: an alias to the top; None for a family not served."""
    return alias_rrset(rtype, top_of(entry)) if entry.rrset(rtype) is not None else None


def alias_rrset(rtype: int, target: str) -> RRset:
    """A simple alias that answers A or AAAA with what `target` answers."""
    return RRset(int(BESIDE[rtype]), 0, (Variant("", "alias", target=target).encode(),))


def variants_of(rrset: RRset | None) -> tuple[Variant, ...]:
    """The variants of a routed rrset that can be read; of any other, none."""
    found = []
    for rdata in rrset.rdata if rrset is not None and rrset.rtype in ROUTED_TYPES else ():
        try:
            found.append(read_variant(rdata))
        except ValueError:
            continue
    return tuple(found)


def aliases_in(rrset: RRset | None) -> tuple[str, ...]:
    """The names in this zone that a routed rrset leads to; what can't be read leads nowhere."""
    return tuple(one.target for one in variants_of(rrset) if one.target and not one.target_zone)


def simple_target(rrset: RRset | None) -> str:
    """Where a simple alias leads; empty if it is none."""
    targets = aliases_in(rrset)
    if rrset is None or len(rrset.rdata) != 1 or len(targets) != 1:
        return ""
    return targets[0] if read_variant(rrset.rdata[0]).policy == "alias" else ""


def rollback_keys(entry: Entry) -> tuple[tuple[str, int], ...]:
    """Where its rollback alias is read: one key a family."""
    owner = rollback_owner(entry.name, entry.zone)
    return tuple((owner, int(rtype)) for rtype in ADDRESS_TYPES)


def tree_problem(entry: Entry) -> str:
    """Why no such tree can be built; empty if it can."""
    leaves = _leaves(entry)
    if len(leaves) > LEAVES_MAX:
        return f"its tree would have {len(leaves)} load balancers; two levels of {VARIANTS_MAX} hold {LEAVES_MAX}"
    if len(tree_parent(entry.name, entry.zone)) + 82 > 255:
        return f"the zone's name is too long for the names of a tree: {entry.zone}"
    for rtype in ADDRESS_TYPES:
        rrset = entry.rrset(rtype)
        held = {octets for _, members in leaves for octets in _octets(members, rtype)}
        if held != set(rrset.rdata if rrset is not None else ()):
            return f"its load balancers have other {RRType(rtype).name} addresses than its rrset"
    return ""


def leaf_label(load_balancer: str) -> str:
    """The label of a load balancer's leaf: its id where that is a label and could not be taken for a since."""
    if _LABEL.match(load_balancer) and not _SINCE.match(load_balancer):
        return load_balancer
    return f"_h-{hashlib.sha256(load_balancer.encode()).hexdigest()[:32]}"


def _leaves(entry: Entry) -> list[tuple[str, tuple[Member, ...]]]:
    """The load balancers that are answered, in the order of their labels; one that is there twice is one leaf."""
    found: dict[str, list[Member]] = {}
    for member in entry.members:
        if member.served:
            found.setdefault(leaf_label(member.load_balancer), []).append(member)
    return [(label, tuple(members)) for label, members in sorted(found.items())]


def _octets(members: Iterable[Member], rtype: int) -> list[bytes]:
    texts = {text for member in members for text in member.addresses}
    return sorted(address_rdata(text) for text in texts if address_type(text) == rtype)


def _leaf(entry: Entry, members: tuple[Member, ...]) -> Iterable[RRset]:
    """A leaf's rrset of each family; with a health check it is a record set that the check takes out."""
    check = next((member.health_check for member in members if member.health_check), "")
    for rtype in ADDRESS_TYPES:
        octets, wanted = _octets(members, rtype), entry.rrset(rtype)
        if not octets or wanted is None:
            continue
        if not check:
            yield RRset.of(rtype, wanted.ttl, octets)
            continue
        variants = (
            Variant(f"{number:02d}", "weighted", 1, address=one, health_check=check, ttl=wanted.ttl)
            for number, one in enumerate(octets, 1)
        )
        yield RRset.of(BESIDE[rtype], wanted.ttl, [one.encode() for one in variants])


def _level(entry: Entry, owner: str, top: str, below: list[tuple[str, tuple[Member, ...]]]) -> Iterable[Record]:
    """The weighted aliases at `owner`, of each family that one of the load balancers below has."""
    for rtype in ADDRESS_TYPES:
        some = [(label, members) for label, members in below if _octets(members, rtype)]
        if entry.rrset(rtype) is None or not some:
            continue
        weights = _scaled([[m for m in members if _octets((m,), rtype)] for _, members in some])
        variants = (
            Variant(label, "weighted", weight, f"{label}.{top}", evaluates=True)
            for (label, _), weight in zip(some, weights, strict=True)
        )
        yield owner, RRset.of(BESIDE[rtype], 0, [one.encode() for one in variants])


def _scaled(groups: list[list[Member]]) -> list[int]:
    """Their shares, by capacity and slow start, within 1 and Route 53's 255; nobody who is served gets nothing."""
    eased = any(member.eased != WHOLE for members in groups for member in members)
    weights = [sum(one.weight * (one.eased if eased else 1) for one in members) for members in groups]
    most = max(weights)
    if most <= WEIGHT_MAX:
        return [max(1, one) for one in weights]
    return [max(1, round(one * WEIGHT_MAX / most)) for one in weights]
