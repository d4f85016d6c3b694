"""Where aliases lead: what a name answers, and whether a tree is whole, by what was read of the zone. Pure.

Everything is judged by readings of the very pass; what was not read is *open*, and nothing is concluded from it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from standfast.model.entry import Entry
from standfast.model.name import tree_parent
from standfast.model.routing import effective
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset, RRType
from standfast.model.tree import (
    TreeName,
    alias_rrset,
    aliases_in,
    read_tree_name,
    records,
    rollback_keys,
    root_rrset,
    simple_target,
    top_of,
)

Key: TypeAlias = tuple[str, int]
"""(owner name, A or AAAA)."""
Known: TypeAlias = Mapping[Key, RRset | None]
"""What stands below the endpoint's own name, by what it answers."""
Contents: TypeAlias = tuple[RRset | None, ...]
"""Readings at the endpoint's name, one for each of ADDRESS_TYPES; a CNAME that stands there is the reading."""
NOTHING: Final[Known] = {}
LEVELS: Final = 8
"""Aliases that are followed one after the other; a tree has three. More is a circle."""
READ_MAX: Final = 25_000
"""Records read for one endpoint: a tree of the largest size. What leads further stays open, and counts as broken."""


def open_keys(entry: Entry, contents: Contents, known: Known) -> tuple[Key, ...]:
    """What has to be read next to know what the name answers and whether its tree, and its rollback's, are whole."""
    wanted: list[Key] = []
    if entry.knew_tree:
        wanted += rollback_keys(entry)
    wanted += tree_keys(entry)
    for rtype, reading in zip(ADDRESS_TYPES, contents, strict=True):
        wanted += _below(reading, rtype, known)
        wanted += _both(reading, known)
    for owner, number in rollback_keys(entry):
        wanted += _below(known.get((owner, number)), number, known)
        wanted += _both(known.get((owner, number)), known)
    if len(known) > READ_MAX:
        return ()
    if found := tuple(key for key in dict.fromkeys(wanted) if key not in known):
        return found
    lost = entry.has_tree and not present_tree(entry, contents, known) and not standing_rollback(entry, known)
    return _earlier_keys(entry, known) if lost else ()


def _both(reading: RRset | None, known: Known) -> Iterator[Key]:
    """What a simple alias leads to in both families: a rollback alias has each that its tree has."""
    if target := simple_target(reading):
        for rtype in ADDRESS_TYPES:
            yield from _below(alias_rrset(rtype, target), rtype, known)


def _earlier_keys(entry: Entry, known: Known) -> tuple[Key, ...]:
    """What has to be read next to know the newest whole tree of earlier generations. All tops stand side by side."""
    tops = [(top, int(rtype)) for top in earlier_tops(entry) for rtype in ADDRESS_TYPES]
    if found := tuple(key for key in tops if key not in known):
        return found
    for top in earlier_tops(entry):
        below_it = (key for rtype in ADDRESS_TYPES for key in _below(known.get((top, int(rtype))), rtype, known))
        if found := tuple(key for key in dict.fromkeys(below_it) if key not in known):
            return found
        if families_of(top, known):
            break
    return ()


def earlier_tops(entry: Entry) -> tuple[str, ...]:
    """The tops of its trees of earlier generations, newest first, as far as the plan names them."""
    parent = tree_parent(entry.name, entry.zone)
    return tuple(TreeName(parent, since).top for since in entry.trees if since < entry.since)


def families_of(top: str, known: Known) -> tuple[RRType, ...]:
    """The families in which a tree stands whole."""
    return tuple(rtype for rtype in ADDRESS_TYPES if whole(known.get((top, int(rtype))), rtype, known))


def earlier_tree(entry: Entry, known: Known) -> str:
    """The top of its newest whole tree of earlier generations; empty if there is none."""
    return next((top for top in earlier_tops(entry) if families_of(top, known)), "")


def tree_keys(entry: Entry) -> tuple[Key, ...]:
    """Where the records of the entry's own tree stand."""
    return tuple((owner, rrset.answers) for owner, rrset in records(entry))


def _below(reading: RRset | None, rtype: int, known: Known) -> Iterable[Key]:
    """The keys that a reading leads to, level by level as far as they are known; the first unknown ones included."""
    level, seen = [(target, int(rtype)) for target in aliases_in(reading)], set[Key]()
    for _ in range(LEVELS):
        if not level:
            return
        fresh = [key for key in dict.fromkeys(level) if key not in seen]
        yield from fresh
        seen.update(fresh)
        level = [(target, int(rtype)) for key in fresh for target in aliases_in(known.get(key))]


def addresses(reading: RRset | None, rtype: int, known: Known, levels: int = LEVELS) -> frozenset[bytes]:
    """All that a query for it may be answered with; the name of a target in another zone stands for its addresses."""
    if reading is None or reading.answers != rtype or not levels:
        return frozenset()
    if reading.rtype not in ROUTED_TYPES:
        return frozenset(reading.rdata)
    found: set[bytes] = set()
    for one in effective(reading.rdata):
        if one.address:
            found.add(one.address)
        elif one.target_zone:
            found.add(one.target.encode())
        else:
            found |= addresses(known.get((one.target, int(rtype))), rtype, known, levels - 1)
    return frozenset(found)


def whole(reading: RRset | None, rtype: int, known: Known, levels: int = LEVELS) -> bool:
    """Whether something stands there and every alias in it leads to addresses."""
    if reading is None or reading.answers != rtype or not levels:
        return False
    return all(whole(known.get((target, int(rtype))), rtype, known, levels - 1) for target in aliases_in(reading))


def present_tree(entry: Entry, contents: Contents, known: Known) -> str:
    """The top of the tree of this endpoint that root points at, in each family that stands, if it is whole; or empty.

    The entry's own tree is none that one could go back to.
    """
    return _tree_of(entry, zip(ADDRESS_TYPES, contents, strict=True), known)


def standing_rollback(entry: Entry, known: Known) -> str:
    """The top of the whole tree that its rollback alias points at; empty if there is none, or it dangles."""
    return _tree_of(entry, ((rtype, known.get((owner, rtype))) for owner, rtype in rollback_keys(entry)), known)


def _tree_of(entry: Entry, readings: Iterable[tuple[int, RRset | None]], known: Known) -> str:
    tops = set()
    for rtype, reading in readings:
        if reading is None:
            continue
        if not whole(reading, rtype, known):
            return ""
        tops.add(simple_target(reading))
    top = tops.pop() if len(tops) == 1 else ""
    tree = read_tree_name(top, entry.zone) if top else None
    ours = tree is not None and tree.parent == tree_parent(entry.name, entry.zone) and tree.top == top
    return top if ours and top != top_of(entry) else ""


def below(aliases: Mapping[int, RRset], known: Known) -> Iterable[tuple[str, RRset]]:
    """All records that these aliases of each family lead to, the top first."""
    for rtype, alias in aliases.items():
        for owner, number in _below(alias, rtype, known):
            if (rrset := known.get((owner, number))) is not None:
                yield owner, rrset


def tree_damage(entry: Entry, contents: Contents, known: Known, *, rollback: bool = True) -> str:
    """How root, tree and rollback alias differ from what they should be, in words; empty if they do not."""
    found = []
    for rtype, reading in zip(ADDRESS_TYPES, contents, strict=True):
        wanted = root_rrset(entry, rtype)
        if reading == wanted:
            continue
        if reading is not None and reading.answers != rtype:
            found.append("a CNAME stands in its place")
        elif reading is None:
            found.append(f"its {rtype.name} alias is gone")
        elif wanted is None:
            found.append(f"it has {rtype.name} records that no plan gives it")
        else:
            found.append(f"its {rtype.name} alias does not point at its tree")
    gone, altered = missing(entry, known)
    if gone:
        found.append(f"{len(gone)} records of its tree are gone")
    if altered:
        found.append(f"{len(altered)} records of its tree were changed")
    if rollback and not rollback_right(entry, known):
        found.append("its rollback alias is gone or dangles")
    return "; ".join(dict.fromkeys(found))


def missing(entry: Entry, known: Known) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """The records of its own tree that are gone, and those that are other than they should be."""
    gone, altered = [], []
    for owner, rrset in records(entry):
        key = owner, rrset.answers
        stands = known.get(key)
        if stands is None:
            gone.append(key)
        elif stands != rrset:
            altered.append(key)
    return tuple(gone), tuple(altered)


def rollback_right(entry: Entry, known: Known) -> bool:
    """Whether its rollback alias stands as it may: at a whole tree, in each of its families; or not at all, where no
    earlier tree is whole, or the layout is another."""
    readings = {rtype: known.get((owner, rtype)) for owner, rtype in rollback_keys(entry)}
    if not any(readings.values()):
        return not (entry.has_tree and earlier_tree(entry, known))
    if not entry.has_tree or not (top := standing_rollback(entry, known)):
        return False
    return all(readings[rtype] is not None for rtype in families_of(top, known))
