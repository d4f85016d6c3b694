"""What people do by hand to trees of aliases, in a zone as Route 53's. Elsewhere they find nothing to do it to."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from standfast.model.name import rollback_owner, tree_parent
from standfast.model.rrset import ADDRESS_TYPES, BESIDE, ROUTED_TYPES, RRset, addresses
from standfast.model.tree import TreeName, alias_rrset, read_tree_name
from standfast.ports.provider import Key
from standfast.ports.provider_spec import ZoneState

Records: TypeAlias = dict[Key, RRset]
Hand: TypeAlias = Callable[[Records, str, str, Sequence[ZoneState], random.Random], Records]
"""(records, apex, endpoint's name, older states, draw) → records; the records given may be altered."""


def _of(rrsets: Records, apex: str, name: str) -> dict[TreeName, list[Key]]:
    """The keys of each tree of the endpoint, the oldest tree first."""
    parent = tree_parent(name, apex)
    found: dict[TreeName, list[Key]] = {}
    for key in sorted(rrsets):
        tree = read_tree_name(key[0], apex)
        if tree is not None and tree.parent == parent:
            found.setdefault(tree, []).append(key)
    return dict(sorted(found.items(), key=lambda one: one[0].since))


def _tree_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    """Of all its trees one, most often the newest."""
    trees = _of(rrsets, apex, name)
    if trees:
        tree = list(trees)[-1] if draw.random() < 0.6 else draw.choice(list(trees))
        for key in trees[tree]:
            rrsets.pop(key)
    return rrsets


def _leaves_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    """Some records of one tree, the top among them at times."""
    trees = _of(rrsets, apex, name)
    if trees:
        keys = trees[draw.choice(list(trees)[-2:])]
        for key in draw.sample(keys, draw.randint(1, len(keys))):
            rrsets.pop(key)
    return rrsets


def _aimed(rrsets: Records, apex: str, name: str, owner: str, draw: random.Random) -> Records:
    """What stands at `owner` becomes an alias to one of the trees, or to one that never was."""
    tops = [tree.top for tree in _of(rrsets, apex, name)]
    if not tops:
        return rrsets
    top = draw.choice([*tops, tops[0], TreeName(tree_parent(name, apex), 999_999).top])
    for rtype in ADDRESS_TYPES:
        rrsets.pop((owner, int(rtype)), None)
        if rrsets.pop((owner, int(BESIDE[rtype])), None) is not None or draw.random() < 0.5:
            rrsets[owner, int(BESIDE[rtype])] = alias_rrset(rtype, top)
    return rrsets


def _root_elsewhere(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    return _aimed(rrsets, apex, name, name, draw)


def _rollback_elsewhere(
    rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random
) -> Records:
    return _aimed(rrsets, apex, name, rollback_owner(name, apex), draw)


def _rollback_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    for rtype in ROUTED_TYPES:
        rrsets.pop((rollback_owner(name, apex), int(rtype)), None)
    return rrsets


def _stray_tree(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    """A tree of a name that no plan has: left by a store that was lost."""
    if _of(rrsets, apex, name):
        top = TreeName(tree_parent(f"lost{draw.randrange(4)}.{apex}", apex), draw.randint(1, 9)).top
        for rrset in addresses(60, ["203.0.113.5"]):
            rrsets[f"a1.{top}", rrset.rtype] = rrset
        if draw.random() < 0.7:
            rrsets[top, int(ROUTED_TYPES[0])] = alias_rrset(ADDRESS_TYPES[0], f"a1.{top}")
    return rrsets


TREE_HANDS: Final[Mapping[str, Hand]] = {
    "hand: tree gone": _tree_gone,
    "hand: leaves gone": _leaves_gone,
    "hand: root elsewhere": _root_elsewhere,
    "hand: rollback elsewhere": _rollback_elsewhere,
    "hand: rollback gone": _rollback_gone,
    "hand: stray tree": _stray_tree,
}
