"""A plan: the complete desired state of a stream, immutable, numbered by generation, named by digest."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import msgspec

from .entry import Entry, Key
from .shards import Fetch, Node, ShardDamaged, Shards, ShardStrange, digest_of, read_shards

ROTATION: Final = "rotation: "
"""How the reason of a plan begins in which load balancers only changed places by turns."""


def is_rotation(reason: str) -> bool:
    """Whether a plan of that reason is routine: not counted by retention, left out of a history unless asked for."""
    return reason.startswith(ROTATION)


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The newest published plan: its generation and its digest."""

    generation: int
    digest: str


class PlanRecord(msgspec.Struct, frozen=True, array_like=True):
    """What a store keeps of a plan besides its shards; the plan's digest is that of these bytes.

    `sources` names each source the planner used with its revision. `author` and `reason` are for people, as is
    `at` (seconds since the epoch by the planner's clock): nothing is decided by it. `policy` is the digest of the
    configuration the planner had.
    """

    stream: str
    generation: int
    shards: str
    zones: tuple[str, ...]
    sources: tuple[tuple[str, int], ...]
    author: str
    reason: str
    at: float
    policy: str = ""

    def __post_init__(self) -> None:
        # Whole seconds given as an integer would be encoded as one, read back as a float and change the digest.
        if type(self.at) is not float:
            msgspec.structs.force_setattr(self, "at", float(self.at))


_record_decoder = msgspec.msgpack.Decoder(PlanRecord)


class Plan:
    """A plan with its entries. Equality and hash by digest. `stored` is given where it was read: another version's
    bytes may differ from those that this one would write."""

    def __init__(self, record: PlanRecord, shards: Shards, stored: bytes = b"") -> None:
        self.record = record
        self.shards = shards
        self._stored = stored

    @property
    def generation(self) -> int:
        """Its number; greater is newer."""
        return self.record.generation

    @cached_property
    def stored(self) -> bytes:
        """The record's bytes."""
        return self._stored or msgspec.msgpack.encode(self.record)

    @cached_property
    def digest(self) -> str:
        """The plan's name."""
        return digest_of(self.stored)

    @property
    def head(self) -> Head:
        """What a store's head would be if this plan were the newest."""
        return Head(self.generation, self.digest)

    def entry(self, key: Key) -> Entry | None:
        """The entry of that endpoint."""
        return self.shards.get(key)

    @cached_property
    def by_zone(self) -> Mapping[str, tuple[Entry, ...]]:
        """The entries of each zone, the zone's first entry in front, then by name."""
        zones: dict[str, list[Entry]] = {zone: [] for zone in self.record.zones}
        for entry in self.shards:
            zones.setdefault(entry.zone, []).append(entry)
        return {
            zone: tuple(sorted(entries, key=lambda entry: (entry.kind != "first", entry.name)))
            for zone, entries in zones.items()
        }

    def followers(self, followed: Entry) -> tuple[str, ...]:
        """The live endpoints that copy this one: as long as there are any it can't be retired."""
        there = self.by_zone.get(followed.zone, ())
        return tuple(one.name for one in there if one.kind == "live" and one.follows == followed.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Plan({self.record.stream} g{self.generation} {self.digest[:8]})"


def read_plan(digest: str, record: bytes, fetch: Fetch, known: Mapping[str, Node]) -> Plan:
    """A plan from stored bytes. Raises ShardDamaged if anything is not what its digest says."""
    decoded = read_record(digest, record)
    return Plan(decoded, read_shards(decoded.shards, fetch, known), record)


def read_record(digest: str, record: bytes) -> PlanRecord:
    """The record alone. Raises ShardDamaged, as `read_plan`."""
    if digest_of(record) != digest:
        raise ShardDamaged(f"plan {digest} does not match its digest")
    try:
        return _record_decoder.decode(record)
    except msgspec.DecodeError as error:
        raise ShardStrange(f"plan {digest} does not decode: {error}") from None
