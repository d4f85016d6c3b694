"""What must be true of every change that concerns a tree, and of every collection of one: G1, G2, G3, G5, G8.

As in `properties.py`: they look at a zone before and after, and at the change; who computed it does not matter.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from standfast.core.reach import whole
from standfast.model.entry import Entry
from standfast.model.marker import (
    GENERATION_MAX,
    Floor,
    FloorReading,
    Marker,
    MarkerReading,
    read_floor,
    read_marker,
)
from standfast.model.name import floor_owner, marker_owner, rollback_owner, tree_parent
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, BESIDE, ROUTED_TYPES, RRset, RRType
from standfast.model.tree import TreeName, aliases_in, read_tree_name, records, root_rrset, simple_target, top_of
from standfast.ports.provider import Write
from standfast.ports.provider_spec import ZoneState

Key = tuple[str, int]
_LEVELS: Final = 8


class Literally(Mapping[Key, RRset | None]):
    """A zone's records by owner name and what they answer, as they stand: no wildcard speaks."""

    def __init__(self, zone: ZoneState) -> None:
        self._zone = zone

    def __getitem__(self, key: Key) -> RRset | None:
        owner, rtype = key
        rrsets = self._zone.rrsets
        stands = rrsets.get((owner, RRType.CNAME)) or rrsets.get((owner, rtype))
        return stands or rrsets.get((owner, BESIDE[rtype])) if rtype in BESIDE else stands

    def __iter__(self) -> Iterator[Key]:
        return ((owner, rrset.answers) for (owner, _), rrset in self._zone.rrsets.items())

    def __len__(self) -> int:
        return len(self._zone.rrsets)


def marker_in(zone: ZoneState, name: str) -> MarkerReading:
    """What literally stands where the endpoint's marker belongs."""
    owner = marker_owner(name, zone.apex)
    return read_marker(zone.rrsets.get((owner, int(RRType.TXT))), zone.apex, owner)


def floor_in(zone: ZoneState, stream: str) -> FloorReading:
    """What literally stands where the stream's floor belongs."""
    owner = floor_owner(stream, zone.apex)
    return read_floor(zone.rrsets.get((owner, int(RRType.TXT))), zone.apex, owner)


def answers_in(zone: ZoneState, name: str, rtype: int) -> int:
    """With how many addresses the name can answer, aliases followed; a CNAME is none of ours."""
    stands = Literally(zone).get((name, int(rtype)))
    return len(zone.answers(name, int(rtype))) if stands is not None and stands.answers == rtype else 0


def reached(zone: ZoneState, name: str) -> frozenset[tuple[str, RRset]]:
    """Every record below the name that an answer of its may use."""
    known, found = Literally(zone), set[tuple[str, RRset]]()
    for rtype in ADDRESS_TYPES:
        level = [(target, int(rtype)) for target in aliases_in(known.get((name, int(rtype))))]
        for _ in range(_LEVELS):
            stands = [(key[0], rrset) for key in level if (rrset := known.get(key)) is not None]
            fresh = [one for one in stands if one not in found]
            found.update(fresh)
            level = [(target, int(rtype)) for _, rrset in fresh for target in aliases_in(rrset)]
    return frozenset(found)


def dangling(zone: ZoneState, owner: str) -> list[str]:
    """The types in which an alias stands at the name and does not lead to addresses in every branch."""
    known = Literally(zone)
    found = []
    for rtype in ADDRESS_TYPES:
        stands = known.get((owner, int(rtype)))
        if stands is not None and stands.rtype in ROUTED_TYPES and not whole(stands, int(rtype), known):
            found.append(rtype.name)
    return found


def not_its_tree(zone: ZoneState, entry: Entry, *, rollback: bool = True) -> str:
    """How root, tree and rollback alias differ from the entry's; empty if they do not. Asks no core."""
    name = entry.name
    for rtype in ADDRESS_TYPES:
        if Literally(zone).get((name, int(rtype))) != root_rrset(entry, rtype):
            return f"its {rtype.name} does not lead to its tree of since {entry.since}"
    for owner, rrset in records(entry):
        if zone.rrsets.get((owner, rrset.rtype)) != rrset:
            return f"{owner} is gone or changed"
    return _not_its_rollback(zone, entry) if rollback else ""


def _not_its_rollback(zone: ZoneState, entry: Entry) -> str:
    owner = rollback_owner(entry.name, zone.apex)
    stands = [rrset for rtype in ADDRESS_TYPES if (rrset := Literally(zone).get((owner, int(rtype)))) is not None]
    if not entry.has_tree:
        return "its rollback alias is still there" if stands else ""
    targets = {simple_target(one) for one in stands}
    if dangling(zone, owner) or targets & {"", top_of(entry)}:
        return "its rollback alias leads to nothing whole, or to its own tree"
    parent = tree_parent(entry.name, zone.apex)
    for top in targets or [TreeName(parent, since).top for since in entry.trees]:
        if len(_families(zone, top)) > len(stands):
            return "its rollback alias is gone, in a family at least, and there is a tree where it may lead"
    return ""


def _families(zone: ZoneState, top: str) -> list[RRType]:
    """The families in which a tree stands, and leads to addresses in every branch."""
    known = Literally(zone)
    return [rtype for rtype in ADDRESS_TYPES if whole(known.get((top, int(rtype))), int(rtype), known)]


def not_flat_any_more(zone: ZoneState, entry: Entry) -> str:
    """Whether an endpoint that has no tree any more still has what belongs to one."""
    return _not_its_rollback(zone, entry) if entry.knew_tree and not entry.has_tree else ""


def wrong_with_aliases(write: Write, before: ZoneState, after: ZoneState, stream: str) -> list[str]:
    """G3: no write of ours puts an alias that leads nowhere. G2: what is live is never altered under an old marker."""
    found, name = [], write.name
    for owner, what in ((name, "root"), (rollback_owner(name, before.apex), "the rollback alias")):
        put = any(one.owner == owner and one.rtype in ROUTED_TYPES and one.rdata for one in write.contents)
        if put and (types := dangling(after, owner)):
            found.append(f"G3: {what} of {name} was pointed at what is not whole ({', '.join(types)})")
    altered = any(read_tree_name(one.owner, before.apex) for one in write.contents)
    if altered and _promised(before, name) - after.rrsets.items() and not _renewed(name, before, after, stream):
        found.append(f"G2: the live tree of {name} was altered, and neither its marker nor the floor was renewed")
    return found


def _promised(zone: ZoneState, name: str) -> set[tuple[Key, RRset]]:
    """What the name's answers use and its marker promises: not a tree above it, at which people pointed root."""
    marker = marker_in(zone, name)
    since = marker.since if isinstance(marker, Marker) else GENERATION_MAX
    trees = ((owner, rrset, read_tree_name(owner, zone.apex)) for owner, rrset in reached(zone, name))
    return {((owner, rrset.rtype), rrset) for owner, rrset, tree in trees if tree is None or tree.since <= since}


def is_build(write: Write, apex: str) -> bool:
    """Whether it puts records of a tree and leaves root alone."""
    some = any(read_tree_name(one.owner, apex) for one in write.contents)
    return some and all(one.owner != write.name for one in write.contents)


def _renewed(name: str, before: ZoneState, after: ZoneState, stream: str) -> bool:
    was, floor = marker_in(before, name), floor_in(before, stream)
    if isinstance(was, Marker):
        return marker_in(after, name) != was
    return not isinstance(floor, Floor) or floor_in(after, stream) != floor


def wrong_with_tree_collection(
    before: ZoneState, after: ZoneState, names: Iterable[str], plans: Collection[Plan], stream: str
) -> list[str]:
    """G1, G3, G8: everything that a deletion of tree records does wrong. `names` are the endpoints there are, `plans`
    all that anybody may enact."""
    found = []
    floor = floor_in(before, stream)
    if isinstance(floor, Floor) and floor.frozen:
        found.append("G8: a tree was collected under a frozen floor")
    gone = {owner for owner, _ in before.rrsets.keys() - after.rrsets.keys()}
    if any(read_tree_name(owner, before.apex) is None for owner in gone):
        found.append("G3: a collection deleted what is no tree's")
    for name in names:
        for owner, what in ((name, "root"), (rollback_owner(name, before.apex), "the rollback alias")):
            if broken := set(dangling(after, owner)) - set(dangling(before, owner)):
                found.append(f"G3: {what} of {name} refers to what was collected ({', '.join(sorted(broken))})")
        lost = [rtype for rtype in ADDRESS_TYPES if answers_in(after, name, rtype) < answers_in(before, name, rtype)]
        if lost:
            found.append(f"G1: a collection took addresses of {name}")
        found += _too_new(before, name, gone, plans, stream)
    return found


def _too_new(before: ZoneState, name: str, gone: set[str], plans: Collection[Plan], stream: str) -> list[str]:
    """G3: a tree at its endpoint's since or above it is live, or an install under way."""
    marker = marker_in(before, name)
    parent = tree_parent(name, before.apex)
    trees = {tree for owner in gone if (tree := read_tree_name(owner, before.apex)) is not None}
    some = sorted((tree for tree in trees if tree.parent == parent), key=lambda tree: tree.since)
    if not some:
        return []
    if not isinstance(marker, Marker):  # one of people's meanwhile is none: there is nothing of ours to assert
        return _under_way(before, name, some, plans, stream)
    if marker.frozen:
        return [f"G8: a tree of {name} was collected, and it is frozen"]
    return [
        f"G3: {name} stands at since {marker.since}, and its tree of {tree.since} was collected"
        for tree in some
        if tree.since >= marker.since
    ]


def _under_way(
    before: ZoneState, name: str, trees: Iterable[TreeName], plans: Collection[Plan], stream: str
) -> list[str]:
    """G3: where there is no marker, whoever has a plan at or above the floor may be about to flip to a tree of its."""
    floor = floor_in(before, stream)
    if not isinstance(floor, Floor):
        return [f"G3: a tree of {name} was collected, and neither a marker nor a floor can be read"]
    claimed = {
        entry.since: plan.generation
        for plan in plans
        if plan.generation >= floor.generation
        and (entry := plan.entry((before.apex, name))) is not None
        and entry.has_tree
    }
    return [
        f"G3: {name} has no marker, and its tree of {tree.since} was collected, which is plan {claimed[tree.since]}'s"
        for tree in trees
        if tree.since in claimed and tree.since <= floor.generation
    ]


def unneeded_in(zone: ZoneState, name: str) -> list[int]:
    """The since of every tree of the endpoint below its marker's that neither root nor rollback alias leads to."""
    marker, parent, known = marker_in(zone, name), tree_parent(name, zone.apex), Literally(zone)
    owners = (name, rollback_owner(name, zone.apex))
    led = {one for owner in owners for rtype in ADDRESS_TYPES for one in aliases_in(known.get((owner, int(rtype))))}
    found = {tree for owner, _ in zone.rrsets if (tree := read_tree_name(owner, zone.apex)) is not None}
    below = marker.since if isinstance(marker, Marker) else 0
    return sorted(tree.since for tree in found if tree.parent == parent and tree.since < below and tree.top not in led)
