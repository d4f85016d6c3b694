"""Which trees of an endpoint nothing needs, for how long, and in which order their records go. Pure."""

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Floor, Marker, MarkerReading
from standfast.model.name import name_of_parent, tree_parent
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
    """An endpoint with trees that the plans at hand don't call their own. An `orphan` is in no plan at hand; `treed`:
    the newest plan wants a tree for it."""

    zone: str
    name: str
    trees: tuple[Grown, ...]
    orphan: bool = False
    treed: bool = False


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


def unfit(floor: Floor | None, marker: MarkerReading | None, stream: str) -> str:
    """Why nothing of this endpoint is taken. `marker` None: it need not have one."""
    if floor is None or floor.stream != stream:
        return "the zone has no floor that can be read"
    if floor.frozen:
        return "the zone is frozen"
    if marker is None:
        return ""
    if not isinstance(marker, Marker) or marker.stream != stream:
        return "it has no marker of this stream that can be read"
    return "it is frozen" if marker.frozen else ""


def waited(
    memory: tuple[Unneeded, ...],
    zone: str,
    now: float,
    wait_s: float | None,
    unneeded: tuple[Grown, ...],
    least_s: float = 0.0,
) -> tuple[tuple[Unneeded, ...], tuple[Grown, ...]]:
    """What is to be remembered of these trees, and those that were unneeded for as long as anybody may have cached
    them. `wait_s` None: nobody knows how long that is."""
    ripe, kept = [], []
    before = {(one.zone, one.tree): one for one in memory}
    for tree, records in unneeded:
        known = before.get((zone, tree), Unneeded(zone, tree, now, 0))
        ttl = max([known.ttl, *(rrset.ttl for _, rrset in records)])
        kept.append(replace(known, ttl=ttl))
        if wait_s is not None and now - known.at >= max(ttl + wait_s, least_s):
            ripe.append((tree, records))
    return tuple(kept), tuple(ripe)


def seen_until(memory: tuple[Unneeded, ...], began: float, ended: float) -> tuple[Unneeded, ...]:
    """What a pass of that time leaves for the next: what it saw unneeded for the first time may have been needed until
    it looked, which was at its end at the latest."""
    return tuple(replace(one, at=ended) if one.at == began else one for one in memory)


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


def unclaimed(
    trees: tuple[Grown, ...], floor: Floor, head: int, referred: frozenset[TreeName | None], kept: frozenset[TreeName]
) -> tuple[Grown, ...]:
    """Trees that nobody of this stream can be about to flip to, of an endpoint that has no marker and is not in plan
    `head`: who writes without a marker has a plan at or above the floor, and names trees by its entry's since.

    Only for a floor at the head or above: then no older plan is written; a newer one gives such an endpoint a since
    above the head, and raises the floor to that before a record of the tree stands.
    """
    some = ((tree, records) for tree, records in trees if not head < tree.since <= floor.generation)
    return tuple((tree, records) for tree, records in some if tree not in referred and tree not in kept)


def suspects_in(
    zone: str, records: Records, plan: Plan, kept: frozenset[TreeName]
) -> tuple[tuple[Suspect, ...], tuple[str, ...]]:
    """The endpoints that have trees which no plan claims, those of the plan first; and parents of which nobody can tell
    whose they are."""
    entries = {tree_parent(entry.name, zone): entry for entry in plan.by_zone.get(zone, ())}
    trees: dict[str, list[Grown]] = {}
    for tree, some in grouped(zone, records).items():
        trees.setdefault(tree.parent, []).append((tree, some))
    suspects, nameless = [], []
    for parent, found in sorted(trees.items()):
        entry, grown = entries.get(parent), tuple(sorted(found, key=lambda one: one[0].since))
        if all(tree in kept for tree, _ in grown):
            continue
        if entry is not None:
            suspects.append(Suspect(zone, entry.name, grown, treed=entry.has_tree))
        elif name := name_of_parent(parent, zone):
            suspects.append(Suspect(zone, name, grown, orphan=True))
        else:
            nameless.append(parent)
    return tuple(sorted(suspects, key=lambda one: one.orphan)), tuple(nameless)
