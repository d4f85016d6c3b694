"""What may be asked about the trees of a zone: which there are, page by page, and that some of their records go.

Kept apart from `provider.py`: whoever may ask this can't replace anything, and whoever replaces can't ask this.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from standfast.model.name import is_below, tree_subtree
from standfast.model.rrset import RRset
from standfast.model.tree import read_tree_name

from .provider import Content, Prerequisite, Replace, ReplaceReply, Unknown, Write

PAGE: Final = 300
"""Owner names of one page, about; Route 53 gives 300 record sets at a time."""


class ListTree(Struct, frozen=True):
    """What stands below `_tree` in the zone, from the owner name `start` on (empty: from the first one)?"""

    zone: str
    start: str = ""
    most: int = PAGE


class TreeListed(Struct, frozen=True):
    """A page of records in the provider's order, every owner name with all that stands at it.

    `more` is the owner name with which the next page begins; empty: this was the last. Literal: no wildcard speaks
    here. What changed between two pages may be missing or be there twice.
    """

    records: tuple[tuple[str, RRset], ...]
    more: str = ""


class ListPointers(Struct, frozen=True):
    """Which names of the zone, whoever put them, lead to trees under one of these parents; and whose floors are there?

    A page of the whole zone, from the owner name `start` on (empty: from the first one).
    """

    zone: str
    parents: frozenset[str]
    start: str = ""
    most: int = PAGE


class PointersListed(Struct, frozen=True):
    """A page's (owner name, target) pairs of aliases and CNAMEs, without those inside one tree, and the streams that
    have floors. `more` as in TreeListed."""

    pointers: tuple[tuple[str, str], ...]
    streams: tuple[str, ...] = ()
    more: str = ""


class CollectTree(Struct, frozen=True):
    """Delete these records, each exactly as given, if every prerequisite holds: one atomic change.

    `name` is the endpoint whose tree it was. `doomed` lie below `_tree`: no provider takes any other.
    """

    zone: str
    name: str
    asserted: tuple[Prerequisite, ...]
    doomed: tuple[Prerequisite, ...]

    @property
    def outside(self) -> str:
        """An owner name that may not be deleted by this, if there is one."""
        below = tree_subtree(self.zone)
        stray = (one.owner for one in self.doomed if one.owner == below or not is_below(one.owner, below))
        return next(stray, "")

    @property
    def change(self) -> Replace:
        """The same as a change, for providers: everything asserted, the doomed ones put away."""
        floor, *rest = self.asserted
        gone = tuple(Content(one.owner, one.rtype, 0, ()) for one in self.doomed)
        parts = (Write(self.name, (*rest, *self.doomed), gone),)
        return Replace(self.zone, Write(floor.owner, (floor,), ()), parts)


def pointers_of(owner: str, targets: Iterable[str], parents: frozenset[str], zone: str) -> Iterator[tuple[str, str]]:
    """Those of the targets that are of trees under one of these parents, and of another tree than the owner is."""
    own = read_tree_name(owner, zone)
    for target in targets:
        tree = read_tree_name(target, zone)
        if tree is not None and tree != own and tree.parent in parents:
            yield owner, target


TreeRequest: TypeAlias = ListTree | ListPointers | CollectTree
TreeReply: TypeAlias = TreeListed | PointersListed | Unknown | ReplaceReply


class TreeProvider(Protocol):
    """Who can hold trees, for one zone. Blocking; the network's conditions are replies, never exceptions."""

    def perform_tree(self, request: TreeRequest) -> TreeReply:
        """One of these requests."""
