"""What each kind of plan store promises, by which mechanism, and what is weaker; `docs/capabilities.md` shows it."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class StorePromises(Struct, frozen=True):
    """One kind of store, in words.

    `order`: how requests come into one order. `lost_reply`: how a write whose reply was lost is settled.
    `fence`: why clean-up takes nothing that a publication under way refers to. `another`: how a lost, replaced or
    restored store is noticed. `damage`: how what was written over is told from what was put. `durable`: what survives
    when a machine goes. `weaker`: what the others do better.
    """

    order: str
    lost_reply: str
    fence: str
    another: str
    damage: str
    durable: str
    weaker: str


STORES: Final[Mapping[str, StorePromises]] = {
    "SQLite": StorePromises(
        order="one transaction a request, the write lock first",
        lost_reply="Unknown, found by the next reading; the file is local",
        fence="deleted in the transaction that checks head, pins and what remaining plans reach",
        another="another file at the path",
        damage="digests of shards, records and observations; sealed rows, sums of seals",
        durable="synchronous=FULL: every commit, on that disk",
        weaker="one machine; a lost disk loses the store",
    ),
    "S3": StorePromises(
        order="one conditional write of the catalogue a request (If-Match), with a fresh nonce",
        lost_reply="by reading the nonce; the same bytes again only under the same condition",
        fence="clean-up draws a new fence by conditional write; objects of older fences are never referred to anew",
        another="a catalogue that does not follow the one seen before, by version and nonces",
        damage="digests of shards, records and observations; checksums of catalogue and packs",
        durable="as S3 keeps objects; earlier versions if the bucket keeps them",
        weaker="others' writes are seen after `look:` (1 s); meant for a few writers, each about once a second",
    ),
    "PostgreSQL": StorePromises(
        order="one transaction a request, the lock of one row first",
        lost_reply="by reading the nonce under that same lock",
        fence="deleted in the transaction that checks head, pins and what remaining plans reach",
        another="a version that does not follow the one seen before, by version and nonces",
        damage="digests of shards, records and observations; rows of pins are the server's matter",
        durable="synchronous_commit at least on; standbys as you replicate",
        weaker="a failover that lost commits is a store set back",
    ),
}
