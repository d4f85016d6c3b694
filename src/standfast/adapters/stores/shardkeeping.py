"""What stores of shards have in common: shards packed for keeping, recent ones in memory, and which nobody needs."""

import zlib
from collections import deque
from typing import Final

from standfast.model.plan import Plan, PlanRecord, read_record
from standfast.model.shards import Fetch, Node, Outline, ShardDamaged, ShardStrange, read_outline

BODY_MAX: Final = 2**28
"""Bytes of one unpacked shard: a bound on what damaged data can make us allocate."""
_COMPRESS_ABOVE: Final = 512
_FORGET_ABOVE: Final = 1024


class Damage(Exception):
    """The store holds something other than what was put there; the text says what."""


class Strange(Damage):
    """It holds what was put there, by a version of Standfast that this one can't read."""


def damage(error: ShardDamaged) -> Damage:
    """Of which kind it is."""
    return Strange(str(error)) if isinstance(error, ShardStrange) else Damage(str(error))


def damage_told(place: object, error: Exception, remedy: str) -> tuple[str, str]:
    """What is wrong at the store of that name, and what to do: `remedy`, if it is damaged."""
    if isinstance(error, Strange | ShardStrange):
        text = f"{place} has what another version of Standfast wrote and this one can't read: {error}."
        return text, "Nothing is lost: run the version that wrote it, or a newer one."
    return f"{place} is damaged: {error}.", remedy


def record_of(digest: str, record: object) -> PlanRecord:
    """The record, checked against its plan's digest. Raises Damage."""
    if not isinstance(record, bytes):
        raise Damage(f"plan {digest} does not match its digest")
    try:
        return read_record(digest, record)
    except ShardDamaged as error:
        raise damage(error) from None


def unneeded(fetch: Fetch, doomed: set[str], kept: set[str]) -> set[str]:
    """The shards below `doomed` roots that no `kept` root reaches, at the cost of those and what lies beside them.

    Both are walked from the top side by side, place by place; a subtree that a kept plan has at the same place is
    left at once. A branch can stand at one depth only (deeper, it would contain itself); a leaf can stand deeper in
    another plan, so a doomed leaf is carried down beside kept branches, by the path of its entries. `fetch` gives the
    stored bytes of those that are there. Raises Damage.
    """
    candidates: set[str] = set()
    needed: set[str] = set()
    places: list[tuple[set[str], set[str]]] = [(doomed, kept)]
    depth = 0
    while places:
        pending: list[tuple[set[str], set[str]]] = []
        for lost, held in places:
            needed |= held
            remaining = lost - held
            if remaining:
                candidates |= remaining
                pending.append((remaining, held))
        wanted = sorted(set().union(*(lost | held for lost, held in pending)))
        bodies = fetch(wanted)
        outlines = {digest: _outline(digest, bodies.get(digest), depth) for digest in wanted}
        places = [place for lost, held in pending for place in _below(lost, held, outlines)]
        depth += 1
    return candidates - needed


def _outline(digest: str, octets: bytes | None, depth: int) -> Outline:
    try:
        return read_outline(digest, octets, depth)
    except ShardDamaged as error:
        raise damage(error) from None


def _below(lost: set[str], held: set[str], outlines: dict[str, Outline]) -> list[tuple[set[str], set[str]]]:
    kept_branches = [outlines[digest] for digest in held if outlines[digest].branch]
    slots: dict[int, tuple[set[str], set[str]]] = {}
    for digest in lost:
        outline = outlines[digest]
        if outline.branch or kept_branches:
            for slot, child in outline.children:
                slots.setdefault(slot, (set(), set()))[0].add(child)
    for outline in kept_branches:
        for slot, child in outline.children:
            if slot in slots:
                slots[slot][1].add(child)
    return list(slots.values())


class RecentNodes:
    """The shards of the two plans read or published last (and, for a while, some older ones) by digest.

    A shard is what its digest says wherever it came from, so they serve any later plan.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._plans: deque[Plan] = deque(maxlen=2)
        self._limit = _FORGET_ABOVE

    def plan(self, digest: str) -> Plan | None:
        """The plan, if it is one of the two."""
        return next((plan for plan in self._plans if plan.digest == digest), None)

    def remember(self, plan: Plan) -> None:
        """Costs what differs; once in a while, what both plans have."""
        if self.plan(plan.digest) is not None:
            return
        self._plans.append(plan)
        self._add(plan)
        if len(self.nodes) > self._limit:
            self.nodes = {}
            for recent in self._plans:
                self._add(recent)
            self._limit = 2 * len(self.nodes) + _FORGET_ABOVE

    def _add(self, plan: Plan) -> None:
        for node in plan.shards.nodes(self.nodes.__contains__):
            self.nodes[node.digest] = node


def pack(octets: bytes) -> bytes:
    """Compressed if that pays, with a first byte that says so."""
    if len(octets) > _COMPRESS_ABOVE:
        compressed = zlib.compress(octets, 1)
        if len(compressed) * 8 < len(octets) * 7:
            return b"z" + compressed
    return b"r" + octets


def unpack(digest: str, body: object) -> bytes:
    """What `pack` was given. Raises Damage."""
    if isinstance(body, bytes) and body[:1] == b"r":
        return body[1:]
    if not isinstance(body, bytes) or body[:1] != b"z":
        raise Damage(f"shard {digest} is neither raw nor compressed")
    try:
        return zlib.decompressobj().decompress(body[1:], BODY_MAX)
    except zlib.error as error:
        raise Damage(f"shard {digest} does not unpack: {error}") from None
