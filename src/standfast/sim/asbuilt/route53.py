"""A hosted zone like Route 53's, as far as the system as built leans on it: an executable specification.

Rule 1.  A change batch is all or nothing; its changes happen in their order.
Rule 2.  DELETE names a record set exactly, contents included; CREATE refuses one that exists; UPSERT does either.
Rule 3.  An alias must refer to something that exists when it is *written*. Deleting what it refers to is allowed
         later; a name whose alias leads nowhere answers NOERROR without data [TALK]. The rule for writing is known of
         Route 53 in general and is not in the accounts of the event [INF].
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Action: TypeAlias = Literal["CREATE", "DELETE", "UPSERT"]
Type: TypeAlias = Literal["A", "TXT"]
Status: TypeAlias = Literal["NOERROR", "NXDOMAIN"]

ALIAS_CHAIN_MAX: Final = 8
"""Aliases followed at most; a tree has three levels."""


class RecordSet(Struct, frozen=True, order=True):
    """One resource record set. An alias has no `values`; members of a weighted set share name and type.

    `weight` counts for members only (`identifier` not empty) and is an arbitrary number [TALK].
    """

    name: str
    type: Type
    identifier: str = ""
    values: tuple[str, ...] = ()
    alias: str = ""
    weight: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """What CREATE and UPSERT find it by."""
        return (self.name, self.type, self.identifier)


class Change(Struct, frozen=True):
    """One line of a change batch."""

    action: Action
    record: RecordSet


Batch: TypeAlias = tuple[Change, ...]


class HostedZone(Struct, frozen=True):
    """The record sets of one zone, sorted; its SOA and NS are left out, nothing here touches them."""

    apex: str
    records: tuple[RecordSet, ...] = ()

    def named(self, name: str, type: Type = "A") -> tuple[RecordSet, ...]:
        """All sets of a name and type: one, or the members of a weighted set."""
        return tuple(record for record in self.records if record.name == name and record.type == type)


class Applied(Struct, frozen=True):
    """The whole batch happened."""

    zone: HostedZone


class Refused(Struct, frozen=True):
    """Nothing happened: this line could not. `found` is what stood there, for people."""

    change: Change
    found: str


def apply(zone: HostedZone, batch: Batch) -> Applied | Refused:
    """Perform a change batch."""
    sets = {record.key: record for record in zone.records}
    names = {(record.name, record.type) for record in zone.records}
    for change in batch:
        record = change.record
        there = sets.get(record.key)
        if change.action == "DELETE" and there != record:
            return Refused(change, _shown(there))
        if change.action == "CREATE" and there is not None:
            return Refused(change, _shown(there))
        if change.action == "DELETE":
            del sets[record.key]
            names = {(some.name, some.type) for some in sets.values()}
            continue
        if record.alias and (record.alias, record.type) not in names:
            return Refused(change, f"no {record.alias}")
        sets[record.key] = record
        names.add((record.name, record.type))
    return Applied(HostedZone(zone.apex, tuple(sorted(sets.values()))))


def resolve(zone: HostedZone, name: str) -> tuple[Status, tuple[str, ...]]:
    """What the zone's servers answer to an A query: every address that may be drawn, whatever its weight above 0."""
    if not zone.named(name):
        known = any(record.name == name or record.name.endswith(f".{name}") for record in zone.records)
        return ("NOERROR" if known else "NXDOMAIN"), ()
    return "NOERROR", tuple(sorted(_addresses(zone, name, ALIAS_CHAIN_MAX)))


def _addresses(zone: HostedZone, name: str, chain: int) -> set[str]:
    found: set[str] = set()
    for record in zone.named(name):
        if record.identifier and not record.weight:
            continue
        found.update(record.values)
        if record.alias and chain:
            found |= _addresses(zone, record.alias, chain - 1)
    return found


def _shown(record: RecordSet | None) -> str:
    return "nothing" if record is None else record.alias or " ".join(record.values)
