"""The one object of an S3 plan store that changes: head, plans, pins and the revision of every source, sealed.

Everything that is compared together stands in it, so that one conditional write is the transaction. `nonce` is new in
each version: the ETag of equal bytes is equal, and without it a write that was delayed could meet a catalogue that had
come back (ABA). The nonces of the last versions stand in it too, so that a writer who lost the reply finds its own.
"""

import hashlib
from typing import Final

import msgspec
import zstandard
from msgspec import Struct

from standfast.errors import StoreError
from standfast.model.plan import Head

from .shardkeeping import Damage

FORMAT: Final = 1
RECENT_MAX: Final = 64
INLINE_MAX: Final = 16 << 10
"""Octets of an observation, compressed, up to which it stands in the catalogue itself."""
_MAGIC: Final = b"SFC1"
_UNPACKED_MAX: Final = 2**27


class StoredPlan(Struct, frozen=True, array_like=True):
    """A plan without its entries; `packs` are the objects that hold them, oldest first, its record in the newest."""

    generation: int
    digest: str
    at: float
    author: str
    reason: str
    packs: tuple[str, ...]


class StoredSource(Struct, frozen=True, array_like=True):
    """An observation: packed here (`body`), or in the object `where`."""

    source: str
    revision: int
    digest: str
    body: bytes
    where: str = ""


class Catalogue(Struct, frozen=True, array_like=True):
    """One version of the store.

    `born` is drawn once, when the store is made. `recent` are the nonces of this version and those before, newest
    first. `fence` is drawn anew by each clean-up: only objects named after the present fence may be referred to for
    the first time (`s3.py`, Rule 3).
    """

    format: int
    born: str
    version: int
    recent: tuple[str, ...]
    fence: str
    generation: int = 0
    digest: str = ""
    plans: tuple[StoredPlan, ...] = ()
    pins: tuple[tuple[int, str], ...] = ()
    sources: tuple[StoredSource, ...] = ()

    @property
    def head(self) -> Head | None:
        """None before the first plan."""
        return Head(self.generation, self.digest) if self.digest else None

    def plan(self, digest: str) -> StoredPlan | None:
        """The stored plan of that digest."""
        return next((one for one in self.plans if one.digest == digest), None)

    def source(self, name: str) -> StoredSource | None:
        """The newest observation of a source."""
        return next((one for one in self.sources if one.source == name), None)

    @property
    def objects(self) -> frozenset[str]:
        """Every object that it refers to."""
        packs = {name for plan in self.plans for name in plan.packs}
        return frozenset(packs | {one.where for one in self.sources if one.where})

    def follows(self, earlier: "Catalogue") -> bool:
        """Whether it is a later version of that very store, or the same; as far as the recent nonces reach."""
        if self.born != earlier.born or self.version < earlier.version:
            return False
        back = self.version - earlier.version
        return back >= len(self.recent) or self.recent[back] == earlier.recent[0]


def encode(catalogue: Catalogue) -> bytes:
    """As stored."""
    octets = msgspec.msgpack.encode(catalogue)
    return _MAGIC + hashlib.sha256(octets).digest() + zstandard.ZstdCompressor(level=3).compress(octets)


def decode(octets: bytes) -> Catalogue:
    """From what is stored. Raises Damage, and StoreError if it is of a newer version."""
    if octets[: len(_MAGIC)] != _MAGIC:
        page = " but a page: of a proxy in between, or put there by somebody" if octets.lstrip()[:1] == b"<" else ""
        raise Damage(f"its catalogue is not one of ours{page}")
    seal, body = octets[4:36], octets[36:]
    unpacked = unpacked_zstd(body, _UNPACKED_MAX, "its catalogue")
    if hashlib.sha256(unpacked).digest() != seal:
        raise Damage("its catalogue does not match its checksum")
    try:
        (version, *_) = msgspec.msgpack.decode(unpacked, type=list[object])
        if version != FORMAT:
            message = f"It has format {version}; this program knows format {FORMAT}."
            raise StoreError(message, "Run the version of Standfast that wrote it, or a newer one.")
        return msgspec.msgpack.decode(unpacked, type=Catalogue)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Damage(f"its catalogue does not decode: {error}") from None


def unpacked_zstd(body: bytes, most: int, what: str) -> bytes:
    """Raises Damage, also for what would unpack to more than `most` octets."""
    try:
        if not 0 <= zstandard.frame_content_size(body) <= most:
            raise Damage(f"{what} unpacks to too much")
        return zstandard.ZstdDecompressor().decompress(body)
    except zstandard.ZstdError as error:
        raise Damage(f"{what} does not unpack: {error}") from None
