"""A plan's entries as a content-addressed trie, so that cost follows change and not size.

Entries are placed by the hexadecimal digits of SHA-256 of their key. A node with at most `LEAF_MAX` entries is one
leaf; a larger one branches sixteen ways. The shape depends on the contents alone, so equal sets of entries have
equal digests, and two plans share every node in which they agree: publishing, fetching and comparing touch the
rest.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, TypeAlias

import msgspec

from .earlier import as_today
from .entry import Entry, Key
from .name import is_below

LEAF_MAX: Final = 16
_FAN_OUT: Final = 16
_DIGEST_CHARACTERS: Final = 32

Fetch: TypeAlias = Callable[[list[str]], Mapping[str, bytes]]


class ShardDamaged(ValueError):
    """A stored node is missing, does not match its digest, or does not decode."""


class ShardStrange(ShardDamaged):
    """What is stored is what was put there, and this version of Standfast can't read it: another one wrote it."""


def digest_of(octets: bytes) -> str:
    """The name of stored bytes: 32 hexadecimal characters of SHA-256."""
    return hashlib.sha256(octets).hexdigest()[:_DIGEST_CHARACTERS]


class _StoredLeaf(msgspec.Struct, frozen=True, array_like=True, tag="leaf", gc=False):
    entries: tuple[Entry, ...]


class _StoredBranch(msgspec.Struct, frozen=True, array_like=True, tag="branch", gc=False):
    children: tuple[str, ...]
    count: int


_Read: TypeAlias = "tuple[_StoredLeaf | _StoredBranch, bytes]"
"""A node, and its bytes if this version would have written others."""
_decoder: msgspec.msgpack.Decoder[_StoredLeaf | _StoredBranch] = msgspec.msgpack.Decoder(_StoredLeaf | _StoredBranch)


@lru_cache(maxsize=1 << 16)
def _path(key: Key) -> str:
    return hashlib.sha256("\n".join(key).encode()).hexdigest()


class Leaf:
    """Up to LEAF_MAX entries, sorted by key. `digest` is given where it was just verified; `stored` where those bytes
    are another version's."""

    def __init__(self, entries: tuple[Entry, ...], digest: str = "", stored: bytes = b"") -> None:
        self.entries = entries
        self.count: int = len(entries)
        self._digest, self._stored = digest, stored

    @cached_property
    def stored(self) -> bytes:
        """The bytes kept in a store: those that `digest` names."""
        return self._stored or msgspec.msgpack.encode(_StoredLeaf(self.entries))

    @property
    def digest(self) -> str:
        """Name of `stored`."""
        if not self._digest:
            self._digest = digest_of(self.stored)
        return self._digest


class Branch:
    """Sixteen children, some absent. `digest` is given where it was just verified."""

    def __init__(self, children: "tuple[Node | None, ...]", digest: str = "") -> None:
        self.children = children
        self._digest = digest
        self.count: int = sum(child.count for child in children if child is not None)

    @cached_property
    def stored(self) -> bytes:
        """The bytes kept in a store."""
        names = tuple(child.digest if child else "" for child in self.children)
        return msgspec.msgpack.encode(_StoredBranch(names, self.count))

    @property
    def digest(self) -> str:
        """Name of `stored`."""
        if not self._digest:
            self._digest = digest_of(self.stored)
        return self._digest


Node: TypeAlias = Leaf | Branch


class Shards:
    """An immutable set of entries by key; equality and hash by digest."""

    def __init__(self, root: Node) -> None:
        self.root = root

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Shards":
        """From entries with distinct keys."""
        placed = sorted((_path(entry.key), entry) for entry in entries)
        return cls(_build(placed, 0))

    @property
    def digest(self) -> str:
        """Names the whole set."""
        return self.root.digest

    def __len__(self) -> int:
        return self.root.count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shards) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __iter__(self) -> Iterator[Entry]:
        return _walk(self.root)

    def get(self, key: Key) -> Entry | None:
        """The entry of that key."""
        node, path, depth = self.root, _path(key), 0
        while isinstance(node, Branch):
            child = node.children[int(path[depth], 16)]
            if child is None:
                return None
            node, depth = child, depth + 1
        return next((entry for entry in node.entries if entry.key == key), None)

    def updated(self, entries: Iterable[Entry]) -> "Shards":
        """With these entries added or put in place of those with the same key."""
        placed = sorted((_path(entry.key), entry) for entry in entries)
        return Shards(_updated(self.root, placed, 0)) if placed else self

    def changes(self, before: "Shards | None") -> list[tuple[Entry | None, Entry | None]]:
        """(entry before, entry now) wherever they differ, in key order."""
        found: list[tuple[Entry | None, Entry | None]] = []
        _compare(before.root if before else None, self.root, found)
        found.sort(key=lambda pair: (pair[1] or pair[0] or _NEVER).key)
        return found

    def nodes(self, known: Callable[[str], bool] = lambda digest: False) -> Iterator[Node]:
        """Every node below the root, root included, without descending into those already `known`."""
        waiting: list[Node] = [self.root]
        while waiting:
            node = waiting.pop()
            if known(node.digest):
                continue
            yield node
            if isinstance(node, Branch):
                waiting.extend(child for child in node.children if child)


_NEVER: Final = Entry("", "", 0)


def _build(placed: list[tuple[str, Entry]], depth: int) -> Node:
    if len(placed) <= LEAF_MAX:
        return Leaf(tuple(sorted((entry for _, entry in placed), key=lambda entry: entry.key)))
    groups: list[list[tuple[str, Entry]]] = [[] for _ in range(_FAN_OUT)]
    for path, entry in placed:
        groups[int(path[depth], 16)].append((path, entry))
    return Branch(tuple(_build(group, depth + 1) if group else None for group in groups))


def _updated(node: Node | None, placed: list[tuple[str, Entry]], depth: int) -> Node:
    if node is None:
        return _build(placed, depth)
    if isinstance(node, Leaf):
        merged = {entry.key: (_path(entry.key), entry) for entry in node.entries}
        merged.update((entry.key, (path, entry)) for path, entry in placed)
        return _build(sorted(merged.values()), depth)
    children = list(node.children)
    groups: dict[int, list[tuple[str, Entry]]] = {}
    for path, entry in placed:
        groups.setdefault(int(path[depth], 16), []).append((path, entry))
    for slot, group in groups.items():
        children[slot] = _updated(children[slot], group, depth + 1)
    return Branch(tuple(children))


def _walk(node: Node) -> Iterator[Entry]:
    if isinstance(node, Leaf):
        yield from node.entries
        return
    for child in node.children:
        if child:
            yield from _walk(child)


def _compare(old: Node | None, new: Node | None, found: list[tuple[Entry | None, Entry | None]]) -> None:
    if old is not None and new is not None and old.digest == new.digest:
        return
    if isinstance(old, Branch) and isinstance(new, Branch):
        for before, after in zip(old.children, new.children, strict=True):
            _compare(before, after, found)
        return
    was = {entry.key: entry for entry in _walk(old)} if old else {}
    now = {entry.key: entry for entry in _walk(new)} if new else {}
    differing = (key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
    found.extend((was.get(key), now.get(key)) for key in differing)


def read_shards(root: str, fetch: Fetch, known: Mapping[str, Node]) -> Shards:
    """The set named `root`, fetching level by level only nodes that `known` lacks.

    Raises ShardDamaged if a node is missing or is not what its digest says.
    """
    stored: dict[str, _Read] = {}
    wanted = [root] if root not in known else []
    while wanted:
        answer = fetch(wanted)
        following: list[str] = []
        for digest in wanted:
            octets = answer.get(digest)
            node = _checked(digest, octets)
            # The bytes of another version are kept: ours of the same entries would have another name.
            own = isinstance(node, _StoredBranch) or msgspec.msgpack.encode(node) == octets
            stored[digest] = node, b"" if own else octets or b""
            if isinstance(node, _StoredBranch):
                following.extend(c for c in node.children if c and c not in known and c not in stored)
        wanted = following
    return Shards(_assembled(root, stored, known))


class Outline(NamedTuple):
    """Where a stored node leads: for a branch, (slot, child's digest); a leaf leads to itself, by its path."""

    branch: bool
    children: tuple[tuple[int, str], ...]


def read_outline(digest: str, octets: bytes | None, depth: int) -> Outline:
    """The outline of a stored node at that depth: what a store needs to know which nodes reach which.

    Raises ShardDamaged if it is missing or is not what its digest says.
    """
    node = _checked(digest, octets)
    if isinstance(node, _StoredBranch):
        return Outline(True, tuple((slot, child) for slot, child in enumerate(node.children) if child))
    paths = (_path(entry.key) for entry in node.entries[:1])
    return Outline(False, tuple((int(path[depth], 16), digest) for path in paths))


def _checked(digest: str, octets: bytes | None) -> _StoredLeaf | _StoredBranch:
    if octets is None:
        raise ShardDamaged(f"shard {digest} is missing")
    if digest_of(octets) != digest:
        raise ShardDamaged(f"shard {digest} does not match its digest")
    node = _decoded(digest, octets)
    if isinstance(node, _StoredBranch) and len(node.children) != _FAN_OUT:
        raise ShardDamaged(f"shard {digest} has {len(node.children)} children instead of {_FAN_OUT}")
    if isinstance(node, _StoredLeaf) and (
        astray := next((e for e in node.entries if not is_below(e.name, e.zone)), None)
    ):
        # It has neither marker nor records there: whoever works out where they are must not meet it.
        raise ShardDamaged(f"shard {digest} names {astray.name[:80]!a}, which is not in its zone {astray.zone[:80]!a}")
    return node


def _decoded(digest: str, octets: bytes) -> _StoredLeaf | _StoredBranch:
    try:
        return _decoder.decode(octets)
    except msgspec.DecodeError as error:
        try:
            return msgspec.convert(as_today(octets), type=_StoredLeaf)
        except msgspec.MsgspecError:
            raise ShardStrange(f"shard {digest} does not decode: {error}") from None


def _assembled(digest: str, stored: Mapping[str, _Read], known: Mapping[str, Node]) -> Node:
    if digest in known:
        return known[digest]
    node, octets = stored[digest]
    if isinstance(node, _StoredLeaf):
        return Leaf(node.entries, digest, octets)
    return Branch(tuple(_assembled(child, stored, known) if child else None for child in node.children), digest)
