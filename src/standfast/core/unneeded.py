"""Which trees of an endpoint nothing needs, for how long, and in which order their records go. Pure."""

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Entry
from standfast.model.marker import Floor, Marker, MarkerReading
from standfast.model.name import tree_parent
from standfast.model.plan import Plan
from standfast.model.rrset import RRset
from standfast.model.tree import TreeName, read_tree_name
from standfast.ports.provider import Prerequisite

Records: TypeAlias = tuple[tuple[str, RRset], ...]
Grown: TypeAlias = tuple[TreeName, Records]
"""A tree with what stands of it."""


class Unneeded(Struct, frozen=True, array_like=True):
    """A tree that nothing needed when last looked at: since when (monotonic seconds), and the largest TTL seen."""

    zone: str
    tree: TreeName
    at: float
    ttl: int


class Suspect(Struct, frozen=True):
    """An endpoint with trees that the plans at hand don't call their own."""

    entry: Entry
    trees: tuple[Grown, ...]


def trees_of(plan: Plan) -> frozenset[TreeName]:
    """The trees that a plan's entries call their own."""
    some = (entry for entry in plan.shards if entry.has_tree)
    return frozenset(TreeName(tree_parent(entry.name, entry.zone), entry.since) for entry in some)


def grouped(zone: str, records: Records) -> dict[TreeName, Records]:
    """The trees that records belong to; what was listed twice counts once."""
    trees: dict[TreeName, list[tuple[str, RRset]]] = {}
    for owner, rrset in dict.fromkeys(records):
        if (tree := read_tree_name(owner, zone)) is not None:
            trees.setdefault(tree, []).append((owner, rrset))
    return {tree: tuple(found) for tree, found in trees.items()}


def unfit(floor: Floor | None, marker: MarkerReading, stream: str) -> str:
    """Why nothing of this endpoint is taken."""
    if floor is None or floor.stream != stream:
        return "the zone has no floor that can be read"
    if floor.frozen:
        return "the zone is frozen"
    if not isinstance(marker, Marker) or marker.stream != stream:
        return "it has no marker of this stream that can be read"
    return "it is frozen" if marker.frozen else ""


def waited(
    memory: tuple[Unneeded, ...], zone: str, now: float, wait_s: float | None, unneeded: tuple[Grown, ...]
) -> tuple[tuple[Unneeded, ...], tuple[Grown, ...]]:
    """What is to be remembered of these trees, and those that were unneeded for as long as anybody may have cached
    them. `wait_s` None: nobody knows how long that is."""
    ripe, kept = [], []
    before = {(one.zone, one.tree): one for one in memory}
    for tree, records in unneeded:
        known = before.get((zone, tree), Unneeded(zone, tree, now, 0))
        ttl = max([known.ttl, *(rrset.ttl for _, rrset in records)])
        kept.append(replace(known, ttl=ttl))
        if wait_s is not None and now - known.at >= ttl + wait_s:
            ripe.append((tree, records))
    return tuple(kept), tuple(ripe)


def parts_of(records: Records, elements: int) -> tuple[tuple[Prerequisite, ...], ...]:
    """A tree's records in changes that fit, its top first: nothing that can be followed leads to what is gone."""
    parts: list[list[Prerequisite]] = []
    used = elements + 1
    for owner, rrset in sorted(records, key=lambda one: (one[0].count("."), one[0], one[1].rtype)):
        used += len(rrset.rdata)
        if used > elements:
            parts.append([])
            used = len(rrset.rdata)
        parts[-1].append(Prerequisite(owner, rrset.rtype, rrset.rdata))
    return tuple(tuple(part) for part in parts)


def unneeded_of(
    trees: tuple[Grown, ...], marker: Marker, referred: frozenset[TreeName | None], kept: frozenset[TreeName], keep: int
) -> tuple[Grown, ...]:
    """Below the marker's since, referred to by nothing, claimed by no plan, not among the newest `keep` of those."""
    found = [
        (tree, records)
        for tree, records in trees
        if tree.since < marker.since and tree not in referred and tree not in kept
    ]
    return tuple(found[:-keep] if keep else found)


def suspects_in(
    zone: str, records: Records, plan: Plan, kept: frozenset[TreeName]
) -> tuple[tuple[Suspect, ...], tuple[str, ...]]:
    """The endpoints that have trees which no plan claims, and parents of trees that belong to no endpoint."""
    entries = {tree_parent(entry.name, zone): entry for entry in plan.by_zone.get(zone, ())}
    trees: dict[str, list[Grown]] = {}
    for tree, some in grouped(zone, records).items():
        trees.setdefault(tree.parent, []).append((tree, some))
    suspects, orphans = [], []
    for parent, grown in sorted(trees.items()):
        if (entry := entries.get(parent)) is None:
            orphans.append(parent)
        elif any(tree not in kept for tree, _ in grown):
            suspects.append(Suspect(entry, tuple(sorted(grown, key=lambda one: one[0].since))))
    return tuple(suspects), tuple(orphans)
