"""Putting up the tree of an entry, and the flip to it: what is put next, what is asserted. Pure.

    build ─▶ read whole ─▶ build ─▶ … ─▶ read whole ─▶ flip (root, rollback alias, marker, floor) ─▶ read again

Rule 1.  Only what is absent is created, and what stands as it should is left alone. So a tree that an enactor left half
         built, or that several build at once, is completed by whoever comes next.
Rule 2.  Every build asserts the endpoint's marker and the floor exactly as they were read. While that marker stands the
         tree is not live: whoever flips to it replaces the marker. Where it may be live already (marker and entry have
         the same since), the build replaces the marker itself.
Rule 3.  The flip asserts the tree's records by their exact values, the top first and then branch by branch, as many as
         fit, and then those of the tree that the rollback alias is pointed at: a tree that was damaged or collected
         since it was read makes it lose.
Rule 4.  The rollback alias never blocks a flip. It is pointed at the tree at which root points at this moment, if that
         is whole (root is then asserted); else it is kept, if what it points at is whole; else it is pointed at the
         newest whole tree among those that the plan names as the endpoint's earlier ones; else it is removed. One that
         is missing while such a tree stands is damage, and repaired like any other.
"""

from collections.abc import Iterable
from typing import Final

from standfast.model.entry import Entry
from standfast.model.marker import Marker, MarkerReading
from standfast.model.name import rollback_owner
from standfast.model.rrset import ADDRESS_TYPES, FLAT_TYPES, RRset, RRType
from standfast.model.tree import alias_rrset, downwards, records, rollback_keys, root_rrset, variants_of
from standfast.ports.provider import Content, Prerequisite

from .judgement import BuildDue, Due
from .reach import Contents, Known, below, earlier_tree, families_of, present_tree, standing_rollback

ELEMENTS: Final = 900
"""Record elements of one change; Route 53 takes 1,000, and marker, floor, root and rollback need theirs."""


def next_step(entry: Entry, marker: MarkerReading, known: Known, due: Due, elements: int) -> Due | BuildDue:
    """The next records to be put, in as few changes as may be; or the flip, if the tree stands whole."""
    puts: list[tuple[str, RRset, RRset | None]] = []
    used = 0
    for owner, rrset in records(entry):
        stands = known.get((owner, rrset.answers))
        if stands == rrset:
            continue
        used += len(rrset.rdata) + (len(stands.rdata) if stands is not None else 0)
        if puts and used > elements:
            break
        puts.append((owner, rrset, stands))
    if not puts:
        return due
    live = isinstance(marker, Marker) and marker.since == entry.since
    return BuildDue(tuple(puts), f"{due.why}; its tree is to be built", live, due.repair)


def built(due: BuildDue) -> tuple[tuple[Prerequisite, ...], tuple[Content, ...]]:
    """What a build asserts and puts of the tree."""
    asserted = tuple(as_seen(owner, rrset.answers, stands) for owner, rrset, stands in due.puts)
    puts = tuple(Content(owner, one.rtype, one.ttl, one.rdata) for owner, one, _ in due.puts)
    return asserted, (*puts, *_cleared((owner, stands) for owner, _, stands in due.puts))


def flipped(
    entry: Entry, contents: Contents, known: Known, elements: int
) -> tuple[tuple[Prerequisite, ...], tuple[Content, ...]]:
    """What a flip asserts and puts besides the marker: root in both families, the rollback alias, the tree."""
    puts = [_put(entry.name, rtype, root_rrset(entry, rtype)) for rtype in FLAT_TYPES]
    present = present_tree(entry, contents, known)
    top = present or standing_rollback(entry, known)
    # Half the room is enough for the tops of both trees, whatever their size.
    asserted = list(_records_asserted(downwards(entry), elements if top else elements // 2))
    top = top or earlier_tree(entry, known)
    targets = {int(rtype): alias_rrset(rtype, top) for rtype in (families_of(top, known) if top else ())}
    moved = list(_rollback(entry, known, targets))
    if present:
        asserted += (as_seen(entry.name, rtype, seen) for rtype, seen in zip(ADDRESS_TYPES, contents, strict=True))
    if present or moved:
        left = elements - sum(2 * len(one.rdata) for one in asserted)
        asserted += _records_asserted(_unwatched(below(targets, known)), left)
    puts += moved
    return tuple(asserted), tuple(puts)


def without_rollback(entry: Entry) -> tuple[Content, ...]:
    """What takes away the rollback alias of an entry that has no tree any more."""
    owner = rollback_owner(entry.name, entry.zone)
    return tuple(_put(owner, rtype, None) for rtype in FLAT_TYPES) if entry.knew_tree else ()


def _rollback(entry: Entry, known: Known, wanted: dict[int, RRset]) -> Iterable[Content]:
    owner = rollback_owner(entry.name, entry.zone)
    for rtype in ADDRESS_TYPES:
        if known.get((owner, int(rtype))) != wanted.get(int(rtype)):
            yield _put(owner, rtype, wanted.get(int(rtype)))
    yield from _cleared((owner, known.get(key)) for key in rollback_keys(entry))


def _cleared(seen: Iterable[tuple[str, RRset | None]]) -> Iterable[Content]:
    """A CNAME that somebody put where aliases or addresses belong goes: nothing can stand beside it."""
    owners = (owner for owner, rrset in seen if rrset is not None and rrset.rtype == RRType.CNAME)
    return [_put(owner, RRType.CNAME, None) for owner in dict.fromkeys(owners)]


def _records_asserted(some: Iterable[tuple[str, RRset]], elements: int) -> Iterable[Prerequisite]:
    """Records of a tree, the top first, as far as they fit: each is asserted by taking it away and putting it back."""
    used = 0
    for owner, rrset in some:
        used += 2 * len(rrset.rdata)
        if used > elements:
            return
        yield Prerequisite(owner, rrset.rtype, rrset.rdata)


def _unwatched(some: Iterable[tuple[str, RRset]]) -> Iterable[tuple[str, RRset]]:
    """Those that name no health check. What names one that somebody deleted can't be put back as it was, and would
    block the flip. The top names none, and is the first to go when a tree is collected."""
    return (one for one in some if not any(variant.health_check for variant in variants_of(one[1])))


def as_seen(owner: str, rtype: int, seen: RRset | None) -> Prerequisite:
    """That what was read of a key stands there, or nothing that answers it."""
    return Prerequisite(owner, seen.rtype, seen.rdata) if seen else Prerequisite(owner, rtype, ())


def _put(owner: str, rtype: int, rrset: RRset | None) -> Content:
    return Content(owner, rrset.rtype, rrset.ttl, rrset.rdata) if rrset else Content(owner, rtype, 0, ())
