"""From what stands and what is asked to one change batch: exact deletions of what stands, then creations.

Never UPSERT: a batch in which every record set that it touches is deleted exactly as it was seen, or created where
nothing stood, is a compare-and-set of all of them. What is asserted and shall stay is deleted and created as it was.
Absence of what is not created either is looked at and not asserted: no batch can say it. (Rule 5 of the write protocol:
every write of ours where a marker is missing gives the floor a new nonce, which is asserted.)
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from standfast.model.rrset import RRset
from standfast.ports.provider import Content, Prerequisite

from .reading import Standing
from .records import Inexpressible, Raw, kind_of, local, raws_of, rrset_of

ELEMENTS_MAX: Final = 1_000
CHARACTERS_MAX: Final = 32_000
"""Of all values of one batch (Quotas, "Maximums on ChangeResourceRecordSets requests")."""


class Batch(Struct, frozen=True):
    """What is sent, and what stands at the names it touches once it is made."""

    changes: tuple[Mapping[str, Any], ...]
    after: Standing

    @property
    def oversize(self) -> str:
        """Why it can't be one batch, as a clause; empty if it can."""
        elements = sum(max(1, len(_values(one))) for one in self.changes)
        characters = sum(len(value) for one in self.changes for value in _values(one))
        if elements > ELEMENTS_MAX:
            return f"it has {elements} records, and a batch has at most {ELEMENTS_MAX}"
        if characters > CHARACTERS_MAX:
            return f"its values have {characters} characters, and a batch has at most {CHARACTERS_MAX}"
        return ""


def reading_of(standing: Standing, owner: str, rtype: int, zone_id: str) -> RRset | None:
    """What a query for the key finds there, literally: a CNAME in place of all else."""
    for kind in ("CNAME", kind_of(rtype)):
        rrset = rrset_of(kind, _of_kind(standing[owner], kind))
        if rrset is not None:
            return local(rrset, zone_id)
    return None


def holds(standing: Standing, wanted: Prerequisite, zone_id: str) -> bool:
    """Whether it holds literally."""
    kind = kind_of(wanted.rtype)
    rrset = rrset_of(kind, _of_kind(standing[wanted.owner], kind))
    if rrset is None or not wanted.rdata:
        return rrset is None and not wanted.rdata
    return rrset.rtype == wanted.rtype and local(rrset, zone_id).rdata == tuple(sorted(wanted.rdata))


def batch_of(
    standing: Standing, prerequisites: Iterable[Prerequisite], contents: Iterable[Content], zone_id: str
) -> Batch:
    """The batch. Everything asserted holds in `standing`. Raises Inexpressible, also for what would stand beside."""
    wanted: dict[tuple[str, str], tuple[Raw, ...]] = {}
    for one in prerequisites:
        if one.rdata:
            key = one.owner, kind_of(one.rtype)
            wanted[key] = _of_kind(standing[one.owner], key[1])
    for content in contents:
        key = content.owner, kind_of(content.rtype)
        rrset = RRset.of(content.rtype, content.ttl, content.rdata)
        wanted[key] = raws_of(content.owner, rrset, zone_id) if content.rdata else ()
    after = dict(standing)
    deletions: list[Raw] = []
    creations: list[Raw] = []
    for (owner, kind), made in wanted.items():
        deletions += _of_kind(standing[owner], kind)
        creations += made
        after[owner] = (*(raw for raw in after[owner] if raw["Type"] != kind), *made)
    for owner in dict.fromkeys(owner for owner, _ in wanted):
        kinds = {raw["Type"] for raw in after[owner]}
        if "CNAME" in kinds and len(kinds) > 1:
            raise Inexpressible(f"a CNAME and other records can't both stand at {owner}")
    return Batch(tuple(_in_order(deletions, creations)), after)


def _in_order(deletions: Sequence[Raw], creations: Sequence[Raw]) -> Iterable[Mapping[str, Any]]:
    """Aliases go first and come last, so that each has its target while it stands."""
    for raw in sorted(deletions, key=lambda raw: "AliasTarget" not in raw):
        yield {"Action": "DELETE", "ResourceRecordSet": dict(raw)}
    for raw in sorted(_after_targets(creations), key=lambda raw: "AliasTarget" in raw):
        yield {"Action": "CREATE", "ResourceRecordSet": dict(raw)}


def _after_targets(creations: Sequence[Raw]) -> list[Raw]:
    """An alias to an alias after that one, as far as they are created together."""
    waiting = [raw for raw in creations if "AliasTarget" in raw]
    ordered = [raw for raw in creations if "AliasTarget" not in raw]
    while waiting:
        due = {(raw["Name"], raw["Type"]) for raw in waiting}
        ready = [raw for raw in waiting if (raw["AliasTarget"]["DNSName"], raw["Type"]) not in due]
        ordered += ready or waiting
        waiting = [raw for raw in waiting if raw not in ready] if ready else []
    return ordered


def _of_kind(raws: Iterable[Raw], kind: str) -> tuple[Raw, ...]:
    return tuple(raw for raw in raws if raw["Type"] == kind)


def _values(change: Mapping[str, Any]) -> list[str]:
    return [one["Value"] for one in change["ResourceRecordSet"].get("ResourceRecords", ())]
