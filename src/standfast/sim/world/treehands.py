"""What people do to the trees of an endpoint by hand."""

from collections.abc import Callable, Iterable
from typing import Final

from standfast.model.name import rollback_owner, tree_parent
from standfast.model.routing import Variant, read_variant
from standfast.model.rrset import ADDRESS_TYPES, BESIDE, ROUTED_TYPES, RRset, RRType
from standfast.model.tree import TreeName, alias_rrset, read_tree_name, simple_target
from standfast.ports.provider import Key
from standfast.ports.provider_spec import ZoneState
from standfast.sim.tree_properties import Literally

from .histories import ZONE, Rrsets
from .telling import short

ELSEWHERE: Final = RRset.of(RRType.CNAME, 60, [b"\1y\0"])
TREE_ACTS: Final = (
    "leaves",
    "newest leaves",
    "earlier leaves",
    "top",
    "tree",
    "older root",
    "newer root",
    "dangling root",
    "one family",
    "weights",
    "rollback",
    "half a rollback",
    "rollback's tree",
    "older rollback",
)


def acts_on_trees(name: str) -> dict[str, tuple[str, Callable[[ZoneState], Rrsets]]]:
    """Every act on the trees of one endpoint: in words, and the zone's contents afterwards."""
    called, back = short(name), rollback_owner(name, ZONE)
    return {
        "leaves": (
            f"delete the leaves of the tree that {called} points at",
            lambda zone: _leafless(zone, _pointed(zone, name)),
        ),
        "newest leaves": (
            f"delete the leaves of the newest tree of {called}",
            lambda zone: _leafless(zone, _newest(zone, name)),
        ),
        "earlier leaves": (
            f"delete the leaves of the newest tree of {called} but the one that it points at",
            lambda zone: _leafless(zone, _newest(zone, name, but=_pointed(zone, name))),
        ),
        "top": (f"delete the top of the tree that {called} points at", lambda zone: _topless(zone, name)),
        "tree": (f"delete the tree that {called} points at", lambda zone: _treeless(zone, _pointed(zone, name))),
        "older root": (f"point {called} at its oldest tree", lambda zone: _aimed(zone, name, name, 0)),
        "newer root": (f"point {called} at its newest tree", lambda zone: _aimed(zone, name, name, -1)),
        "dangling root": (f"point {called} at nothing", lambda zone: _dangling(zone, name)),
        "one family": (f"delete the AAAA alias of {called}", lambda zone: _without(zone, (name, int(ROUTED_TYPES[1])))),
        "weights": (f"change weights in the tree of {called}", lambda zone: _weighted(zone, name)),
        "rollback": (
            f"delete the rollback alias of {called}",
            lambda zone: _without(zone, *((back, int(rtype)) for rtype in ROUTED_TYPES)),
        ),
        "half a rollback": (
            f"delete the rollback alias of {called} for AAAA",
            lambda zone: _without(zone, (back, int(ROUTED_TYPES[1]))),
        ),
        "rollback's tree": (
            f"delete the tree that the rollback alias of {called} points at",
            lambda zone: _treeless(zone, _pointed(zone, back)),
        ),
        "older rollback": (
            f"point the rollback alias of {called} at its oldest tree",
            lambda zone: _aimed(zone, name, back, 0),
        ),
        "aliased leaves": (
            f"put CNAMEs in place of the leaves of the newest tree of {called}",
            lambda zone: _led_away(zone, _leaves(zone, _newest(zone, name))),
        ),
        "aliased rollback": (
            f"put a CNAME in place of the rollback alias of {called}",
            lambda zone: _led_away(zone, ((back, int(rtype)) for rtype in ROUTED_TYPES)),
        ),
    }


def _without(zone: ZoneState, *keys: tuple[str, int]) -> Rrsets:
    return {key: rrset for key, rrset in zone.rrsets.items() if key not in keys}


def _pointed(zone: ZoneState, owner: str) -> TreeName | None:
    """The tree that an alias there points at."""
    known = Literally(zone)
    for rtype in ADDRESS_TYPES:
        if target := simple_target(known.get((owner, int(rtype)))):
            return read_tree_name(target, ZONE)
    return None


def _treeless(zone: ZoneState, tree: TreeName | None) -> Rrsets:
    gone = [key for key in zone.rrsets if tree is not None and read_tree_name(key[0], ZONE) == tree]
    return _without(zone, *gone)


def _newest(zone: ZoneState, name: str, but: TreeName | None = None) -> TreeName | None:
    trees = [since for since in _trees(zone, name) if but is None or since != but.since]
    return TreeName(tree_parent(name, ZONE), trees[-1]) if trees else None


def _trees(zone: ZoneState, name: str) -> list[int]:
    """The since of every tree of the endpoint of which something stands."""
    parent = tree_parent(name, ZONE)
    return sorted({t.since for key in zone.rrsets if (t := read_tree_name(key[0], ZONE)) and t.parent == parent})


def _leafless(zone: ZoneState, tree: TreeName | None) -> Rrsets:
    return _without(zone, *_leaves(zone, tree))


def _leaves(zone: ZoneState, tree: TreeName | None) -> list[Key]:
    return [key for key in zone.rrsets if tree and read_tree_name(key[0], ZONE) == tree and key[0] != tree.top]


def _led_away(zone: ZoneState, keys: Iterable[Key]) -> Rrsets:
    """A CNAME in place of all that stands there."""
    gone = [key for key in keys if key in zone.rrsets]
    return _without(zone, *gone) | {(owner, int(RRType.CNAME)): ELSEWHERE for owner, _ in gone}


def _topless(zone: ZoneState, name: str) -> Rrsets:
    tree = _pointed(zone, name)
    return _without(zone, *(key for key in zone.rrsets if tree is not None and key[0] == tree.top))


def _aimed(zone: ZoneState, name: str, owner: str, which: int) -> Rrsets:
    """The alias at `owner` pointed at one of the endpoint's trees, in the families that it has."""
    trees = _trees(zone, name)
    if not trees:
        return dict(zone.rrsets)
    top, rrsets = TreeName(tree_parent(name, ZONE), trees[which]).top, dict(zone.rrsets)
    for rtype in ADDRESS_TYPES:
        rrsets.pop((owner, int(BESIDE[rtype])), None)
        if Literally(zone).get((top, int(rtype))) is not None:
            rrsets.pop((owner, int(rtype)), None)
            rrsets[owner, int(BESIDE[rtype])] = alias_rrset(rtype, top)
    return rrsets


def _dangling(zone: ZoneState, name: str) -> Rrsets:
    nothing = TreeName(tree_parent(name, ZONE), 99).top
    routed = [key for key in zone.rrsets if key[0] == name and key[1] in ROUTED_TYPES]
    return dict(zone.rrsets) | {key: alias_rrset(zone.rrsets[key].answers, nothing) for key in routed}


def _weighted(zone: ZoneState, name: str) -> Rrsets:
    """Every weight at the top of the live tree becomes another one."""
    tree, rrsets = _pointed(zone, name), dict(zone.rrsets)
    for key, rrset in zone.rrsets.items():
        if tree is not None and key[0] == tree.top and rrset.rtype in ROUTED_TYPES:
            rrsets[key] = reweighted(rrset)
    return rrsets


def reweighted(rrset: RRset) -> RRset:
    """The same with other weights."""
    variants = [_heavier(read_variant(rdata)) for rdata in rrset.rdata]
    return RRset.of(rrset.rtype, rrset.ttl, [one.encode() for one in variants])


def _heavier(variant: Variant) -> Variant:
    return Variant(variant.identifier, variant.policy, 7, variant.target, evaluates=variant.evaluates)
