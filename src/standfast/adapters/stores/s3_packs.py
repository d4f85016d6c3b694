"""Shards in packs: what one publication adds is one object, so that publishing costs a few requests whatever changed.

Every shard keeps the name of its content; a pack is an immutable set of them. A plan names its packs, oldest first, and
the last has its record. Sizes fall from pack to pack: one that is not at least twice as large as what is added is
written anew together with it, and when less than half of all is still needed everything is. So a plan has few packs,
each octet is written again a logarithmic number of times, and whoever holds the plan before reads the new ones alone.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import zstandard
from msgspec import Struct

from standfast.model.plan import Plan
from standfast.model.shards import Node

from .s3_catalogue import unpacked_zstd
from .shardkeeping import BODY_MAX, Damage

QUANTUM: Final = 32 << 10
"""Octets below which a pack costs no less than this many: smaller ones are always joined."""
_MAGIC: Final = b"SFP1"

Index = Mapping[str, int]
"""The shards of a pack, each with its octets."""


class Layout(Struct, frozen=True):
    """Where a plan's shards go: packs that are kept, and the shards of a new one."""

    kept: tuple[str, ...]
    added: tuple[Node, ...]


def laid_out(plan: Plan, before: Sequence[str], known: Mapping[str, Index]) -> Layout:
    """`before` are the packs of the plan before, `known` what is in them; those that are not known are not used."""
    nodes = {node.digest: node for node in plan.shards.nodes()}
    kept = [name for name in before if any(digest in nodes for digest in known.get(name, ()))]
    while True:
        there = {digest for name in kept for digest in known[name]}
        added = [node for digest, node in nodes.items() if digest not in there]
        octets = max(QUANTUM, sum(len(node.stored) for node in added))
        if kept and sum(known[kept[-1]].values()) < 2 * octets:
            kept.pop()
            continue
        size = sum(sum(known[name].values()) for name in kept)
        if 2 * sum(octets for name in kept for digest, octets in known[name].items() if digest in nodes) < size:
            kept.clear()
            continue
        return Layout(tuple(kept), tuple(added))


def encode_pack(plan: Plan, added: Sequence[Node]) -> bytes:
    """The new pack with the plan's record."""
    contents = {node.digest: node.stored for node in sorted(added, key=lambda node: node.digest)}
    octets = msgspec.msgpack.encode({**contents, plan.digest: plan.stored})
    return _MAGIC + hashlib.sha256(octets).digest() + zstandard.ZstdCompressor(level=3).compress(octets)


def decode_pack(name: str, octets: bytes) -> dict[str, bytes]:
    """Its shards and record by digest, not yet compared with it. Raises Damage."""
    unpacked = unpacked_zstd(octets[36:], BODY_MAX, f"pack {name}") if octets[:4] == _MAGIC else b""
    if hashlib.sha256(unpacked).digest() != octets[4:36]:
        raise Damage(f"pack {name} does not match its checksum")
    try:
        return msgspec.msgpack.decode(unpacked, type=dict[str, bytes])
    except msgspec.MsgspecError as error:
        raise Damage(f"pack {name} does not decode: {error}") from None


def index_of(contents: Mapping[str, bytes]) -> Index:
    """What is in it."""
    return {digest: len(octets) for digest, octets in contents.items()}
