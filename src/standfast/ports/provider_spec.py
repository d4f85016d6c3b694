"""Executable specification of a provider: one zone as a value, and what each request does to it.

The zone is a mapping from (owner name, type) to rrset. Reading follows RFC 1034 §4.3.2 and RFC 4592 as far as a
reader of A, AAAA and TXT can tell: CNAME in place of other types, wildcards for names that do not exist, empty
non-terminals that hide a wildcard. Prerequisites are literal and ignore TTLs; a change is all or nothing; a CNAME is
not added beside other data nor other data beside a CNAME (RFC 2136 §3.4.2.2: skipped in silence).

Route 53's routed rrsets stand in place of plain ones. An alias must lead to something of its type when it is written;
nothing keeps that from being deleted later, and then a query finds an empty answer.
"""

from collections.abc import Mapping
from functools import cached_property

from standfast.model.name import is_below
from standfast.model.routing import effective, read_variant
from standfast.model.rrset import BESIDE, ROUTED_TYPES, RRset, RRType

from .provider import (
    Changes,
    Confirm,
    Conflict,
    Content,
    Fails,
    Holds,
    Key,
    Prerequisite,
    ProviderReply,
    ProviderRequest,
    Read,
    ReadChanges,
    Readings,
    Refused,
    Replace,
    Unknown,
    Written,
)


class ZoneState:
    """The contents of one zone and its serial. Immutable and hashable."""

    def __init__(self, apex: str, rrsets: Mapping[Key, RRset], serial: int = 1) -> None:
        self.apex = apex
        self.rrsets = dict(rrsets)
        self.serial = serial

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ZoneState) and (self.apex, self.rrsets) == (other.apex, other.rrsets)

    def __hash__(self) -> int:
        return hash((self.apex, frozenset(self.rrsets.items())))

    def lookup(self, owner: str, rtype: int) -> RRset | None:
        """What a query for it is answered with."""
        stands = self._standing(owner, rtype)
        if stands is not None or not any(owner.endswith(star) for star in self._stars) or self._exists(owner):
            return stands
        node = self._wildcard_for(owner)
        if node is None:
            return None
        return self._standing(node, rtype)

    def _standing(self, owner: str, rtype: int) -> RRset | None:
        """What stands literally at the owner name for that type: a CNAME, or it, or what excludes it."""
        rrsets = self.rrsets
        stands = rrsets.get((owner, RRType.CNAME)) or rrsets.get((owner, rtype))
        return stands if stands is not None or rtype not in BESIDE else rrsets.get((owner, BESIDE[rtype]))

    def answers(self, owner: str, rtype: int, depth: int = 8) -> frozenset[bytes]:
        """All addresses that a query can be answered with, aliases followed.

        An alias whose target is gone answers nothing; of one that leads out of the zone, its target's name stands here.
        """
        stands = self.lookup(owner, rtype)
        if stands is None or depth == 0:
            return frozenset()
        if stands.rtype not in ROUTED_TYPES:
            return frozenset(stands.rdata)
        found: set[bytes] = set()
        for one in effective(stands.rdata):
            if one.address:
                found.add(one.address)
            elif one.target_zone:
                found.add(one.target.encode())
            else:
                found |= self.answers(one.target, rtype, depth - 1)
        return frozenset(found)

    @cached_property
    def _stars(self) -> tuple[str, ...]:
        """How the names end that some wildcard could cover: looked for once a zone, for most have few or none."""
        return tuple({owner[1:] for owner, _ in self.rrsets if owner.startswith("*.")})

    def _exists(self, name: str) -> bool:
        below = "." + name
        return name == self.apex or any(owner == name or owner.endswith(below) for owner, _ in self.rrsets)

    def _wildcard_for(self, name: str) -> str | None:
        encloser = name
        while encloser != self.apex and not self._exists(encloser):
            encloser = encloser.partition(".")[2]
        source = f"*.{encloser}"
        return source if self._exists(source) else None

    def holds(self, prerequisite: Prerequisite) -> bool:
        """Whether it holds literally (RFC 2136 §3.2)."""
        rrset = self.rrsets.get((prerequisite.owner, prerequisite.rtype))
        if not prerequisite.rdata and prerequisite.rtype in BESIDE:
            rrset = rrset or self.rrsets.get((prerequisite.owner, BESIDE[prerequisite.rtype]))
        return (rrset.rdata if rrset else ()) == tuple(sorted(prerequisite.rdata))

    def changed(self, contents: tuple[Content, ...]) -> "ZoneState":
        """With every content put in place: all deletions, then all additions."""
        rrsets = dict(self.rrsets)
        for content in contents:
            rrsets.pop((content.owner, content.rtype), None)
            if content.rtype in BESIDE:
                rrsets.pop((content.owner, BESIDE[content.rtype]), None)
        for content in contents:
            if content.rdata and not _excluded(rrsets, content):
                rrset = RRset.of(content.rtype, content.ttl, content.rdata)
                rrsets[content.owner, content.rtype] = rrset
        if rrsets == self.rrsets:
            return self
        after = ZoneState(self.apex, rrsets, self.serial + 1)
        if not any(content.owner.startswith("*.") for content in contents):
            after.__dict__["_stars"] = self._stars  # as it was
        return after

    def dangles(self, contents: tuple[Content, ...]) -> bool:
        """Whether an alias among them leads to nothing of its type in this zone (`self` has them in place)."""
        for content in contents:
            if content.rtype in ROUTED_TYPES:
                for variant in map(read_variant, content.rdata):
                    inside = variant.target and not variant.target_zone
                    if inside and self._standing(variant.target, BESIDE[content.rtype]) is None:
                        return True
        return False

    def skips(self, contents: tuple[Content, ...]) -> bool:
        """Whether some of it would stand beside a CNAME, and so be skipped."""
        after = self.changed(contents)
        return any(content.rdata and (content.owner, content.rtype) not in after.rrsets for content in contents)


def _excluded(rrsets: Mapping[Key, RRset], content: Content) -> bool:
    if content.rtype == RRType.CNAME:
        return any(owner == content.owner and rtype != RRType.CNAME for owner, rtype in rrsets)
    if content.rtype in BESIDE and (content.owner, BESIDE[content.rtype]) in rrsets:
        return True
    return (content.owner, int(RRType.CNAME)) in rrsets


def apply(state: ZoneState, request: ProviderRequest) -> tuple[ZoneState, ProviderReply]:
    """What the request does to the zone and what is answered. Pure."""
    match request:
        case Read():
            return state, Readings(tuple(_reading(state, key) for key in request.keys))
        case Confirm():
            if outside := _outside(state, request.prerequisites):
                return state, outside
            return state, Holds() if all(map(state.holds, request.prerequisites)) else Fails()
        case ReadChanges():
            return state, Changes(state.serial, () if request.serial == state.serial else None)
        case Replace():
            parts = (request.floor, *request.writes)
            wanted = tuple(one for part in parts for one in part.prerequisites)
            contents = tuple(one for part in parts for one in part.contents)
            if outside := _outside(state, wanted):
                return state, outside
            if not all(map(state.holds, wanted)):
                return state, Conflict()
            if outside := _outside(state, contents):
                return state, outside
            after = state.changed(contents)
            return (state, Conflict()) if after.dangles(contents) else (after, Written())


def _reading(state: ZoneState, key: Key) -> RRset | Unknown | None:
    owner, rtype = key
    return state.lookup(owner, rtype) if is_below(owner, state.apex) else Unknown(f"{owner} is not in {state.apex}")


def _outside(state: ZoneState, parts: tuple[Prerequisite, ...] | tuple[Content, ...]) -> Refused | None:
    """The refusal of whatever lies outside the zone (RFC 2136 §3.2, §3.4.1: NOTZONE)."""
    outside = next((part.owner for part in parts if not is_below(part.owner, state.apex)), None)
    return Refused(f"NOTZONE: {outside} lies outside zone {state.apex}") if outside is not None else None
