"""Executable specification of a provider: one zone as a value, and what each request does to it.

The zone is a mapping from (owner name, type) to rrset. Reading follows RFC 1034 §4.3.2 and RFC 4592 as far as a
reader of A, AAAA and TXT can tell: CNAME in place of other types, wildcards for names that do not exist, empty
non-terminals that hide a wildcard. Prerequisites are literal and ignore TTLs; a change is all or nothing; a CNAME is
not added beside other data nor other data beside a CNAME (RFC 2136 §3.4.2.2: skipped in silence).
"""

from collections.abc import Mapping
from functools import cached_property

from standfast.model.name import is_below
from standfast.model.rrset import RRset, RRType

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
        stands = self.rrsets.get((owner, RRType.CNAME)) or self.rrsets.get((owner, rtype))
        if stands is not None or not any(owner.endswith(star) for star in self._stars) or self._exists(owner):
            return stands
        node = self._wildcard_for(owner)
        if node is None:
            return None
        return self.rrsets.get((node, RRType.CNAME)) or self.rrsets.get((node, rtype))

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
        return (rrset.rdata if rrset else ()) == tuple(sorted(prerequisite.rdata))

    def changed(self, contents: tuple[Content, ...]) -> "ZoneState":
        """With every content put in place: all deletions, then all additions."""
        rrsets = dict(self.rrsets)
        for content in contents:
            rrsets.pop((content.owner, content.rtype), None)
        for content in contents:
            if content.rdata and not _excluded(rrsets, content):
                rrset = RRset.of(content.rtype, content.ttl, content.rdata)
                rrsets[content.owner, content.rtype] = rrset
        return self if rrsets == self.rrsets else ZoneState(self.apex, rrsets, self.serial + 1)

    def skips(self, contents: tuple[Content, ...]) -> bool:
        """Whether some of it would stand beside a CNAME, and so be skipped."""
        after = self.changed(contents)
        return any(content.rdata and (content.owner, content.rtype) not in after.rrsets for content in contents)


def _excluded(rrsets: Mapping[Key, RRset], content: Content) -> bool:
    if content.rtype == RRType.CNAME:
        return any(owner == content.owner and rtype != RRType.CNAME for owner, rtype in rrsets)
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
            return state.changed(contents), Written()


def _reading(state: ZoneState, key: Key) -> RRset | Unknown | None:
    owner, rtype = key
    return state.lookup(owner, rtype) if is_below(owner, state.apex) else Unknown(f"{owner} is not in {state.apex}")


def _outside(state: ZoneState, parts: tuple[Prerequisite, ...] | tuple[Content, ...]) -> Refused | None:
    """The refusal of whatever lies outside the zone (RFC 2136 §3.2, §3.4.1: NOTZONE)."""
    outside = next((part.owner for part in parts if not is_below(part.owner, state.apex)), None)
    return Refused(f"NOTZONE: {outside} lies outside zone {state.apex}") if outside is not None else None
