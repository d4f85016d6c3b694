"""What a plan would change in the zones: each endpoint's entry beside what the primary answers now."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from standfast.core.decisions import Decision
from standfast.core.judgement import damage_of
from standfast.core.reach import Known, addresses
from standfast.model.entry import Entry, Key, Member
from standfast.model.fleet import answered_with
from standfast.model.marker import ABSENT, Marker, MarkerReading, read_marker
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset, RRType
from standfast.model.tree import aliases_in, root_rrset
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider
from standfast.runtime.zonesight import led_to

BATCH: Final = 900
"""Keys of one Read."""
_Reading: TypeAlias = RRset | Unknown | None
_OCTETS: Final = {RRType.A: 4, RRType.AAAA: 16}


class TypeChange(Struct, frozen=True):
    """One type at the name: addresses and TTLs, of a tree those of its leaves. TTLs are None where there is no such
    rrset. `seen` and `wanted` are what stands at the name itself, and what shall."""

    rtype: str
    stay: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    ttl_before: int | None
    ttl_after: int | None
    seen: RRset | None = None
    wanted: RRset | None = None

    @property
    def differs(self) -> bool:
        """Whether anything is to be written for it."""
        retimed = self.ttl_before is not None and self.ttl_after is not None and self.ttl_before != self.ttl_after
        shaped = self.seen is not None and self.wanted is not None and self.seen.rtype != self.wanted.rtype
        return bool(self.added or self.removed) or retimed or shaped


class EndpointChange(Struct, frozen=True):
    """One endpoint. `reasons` has (address, load balancer, why) for every address that comes or goes.

    `unread` says why the zone could not be compared; `held` is the operator's reason. `beyond` is what its aliases lead
    to, `damage` how its tree differs from the entry's, as a clause.
    """

    entry: Entry
    marker: MarkerReading
    types: tuple[TypeChange, ...]
    alias: str
    reasons: tuple[tuple[str, str, str], ...]
    decision: Decision | None
    unread: str = ""
    beyond: tuple[tuple[tuple[str, int], RRset | None], ...] = ()
    damage: str = ""
    alias_ttl: int = 0

    @property
    def layout_before(self) -> str:
        """How what stands at the name is laid out; empty if nothing does."""
        for one in self.types:
            if one.seen is not None:
                routed = one.seen.rtype in ROUTED_TYPES
                return "tree" if aliases_in(one.seen) else "multivalue" if routed else "flat"
        return ""

    @property
    def marker_differs(self) -> bool:
        """Whether the marker is to be written: it is missing, damaged, or of another `since`."""
        return not isinstance(self.marker, Marker) or self.marker.since != self.entry.since

    @property
    def differs(self) -> bool:
        """Whether an enactor would write."""
        return self.marker_differs or bool(self.alias or self.damage) or any(one.differs for one in self.types)


def differences(
    plan: Plan, decisions: Iterable[Decision], providers: "Mapping[str, ZoneProvider | Unknown]"
) -> tuple[EndpointChange, ...]:
    """Every live endpoint of the plan beside its zone, in the order of zones and names."""
    said = {decision.key: decision for decision in decisions}
    changes = []
    for zone in sorted(plan.by_zone):
        entries = [entry for entry in plan.by_zone[zone] if entry.kind == "live"]
        provider = providers.get(zone, Unknown("it is not in the configuration"))
        readings = _readings(zone, entries, provider)
        deep = [one for one in entries if one.knew_tree or any(map(_leads, readings[one.key]))]
        below = _below(zone, deep, [readings[one.key][1:] for one in deep], provider)
        changes += [_change(one, readings[one.key], said.get(one.key), below.get(one.name, ())) for one in entries]
    return tuple(changes)


def _leads(reading: _Reading) -> bool:
    return isinstance(reading, RRset) and bool(aliases_in(reading))


def _below(
    zone: str, entries: list[Entry], readings: list[tuple[_Reading, ...]], provider: ZoneProvider | Unknown
) -> Mapping[str, tuple[tuple[tuple[str, int], RRset | None], ...] | Unknown]:
    return {} if isinstance(provider, Unknown) or not entries else led_to(provider, zone, entries, readings)


def _readings(zone: str, entries: list[Entry], provider: ZoneProvider | Unknown) -> dict[Key, tuple[_Reading, ...]]:
    width = len(ADDRESS_TYPES) + 1
    found: dict[Key, tuple[_Reading, ...]] = {}
    for at in range(0, len(entries), BATCH // width):
        some = entries[at : at + BATCH // width]
        keys: list[tuple[str, int]] = []
        for entry in some:
            keys.append((marker_owner(entry.name, zone), int(RRType.TXT)))
            keys.extend((entry.name, int(rtype)) for rtype in ADDRESS_TYPES)
        reply = provider if isinstance(provider, Unknown) else provider.perform(Read(zone, tuple(keys)))
        values = reply.values if isinstance(reply, Readings) else (reply,) * len(keys)
        for place, entry in enumerate(some):
            found[entry.key] = values[place * width : (place + 1) * width]
    return found


def _change(
    entry: Entry,
    values: tuple[_Reading, ...],
    decision: Decision | None,
    beyond: tuple[tuple[tuple[str, int], RRset | None], ...] | Unknown,
) -> EndpointChange:
    unread = next((value.why for value in (*values, beyond) if isinstance(value, Unknown)), "")
    if unread or isinstance(beyond, Unknown):
        return EndpointChange(entry, ABSENT, (), "", (), decision, unread)
    known = dict(beyond)
    first, *contents = (value for value in values if not isinstance(value, Unknown))
    alias = next((value for value in contents if value is not None and value.rtype == RRType.CNAME), None)
    types = []
    for rtype, value in zip(ADDRESS_TYPES, contents, strict=True):
        seen = value if value is not None and value.answers == rtype else None
        if seen is not None or entry.rrset(rtype) is not None:
            types.append(_type_change(entry, rtype, seen, known))
    marker = read_marker(first, entry.zone, marker_owner(entry.name, entry.zone))
    current = entry.has_tree and isinstance(marker, Marker) and marker.since == entry.since
    return EndpointChange(
        entry,
        marker,
        tuple(types),
        alias.texts()[0].rstrip(".") if alias is not None else "",
        tuple(_reasons(types, decision.members if decision and decision.members else entry.members)),
        decision,
        beyond=beyond,
        damage=damage_of(entry, tuple(contents), known) if current else "",
        alias_ttl=alias.ttl if alias is not None else 0,
    )


def _type_change(entry: Entry, rtype: RRType, seen: RRset | None, known: Known) -> TypeChange:
    held = entry.rrset(rtype)
    before = _texts(seen, rtype, known)
    after = held.texts() if held else ()
    return TypeChange(
        rtype.name,
        tuple(text for text in after if text in before),
        tuple(text for text in after if text not in before),
        tuple(text for text in before if text not in after),
        _ttl(seen, rtype, known),
        held.ttl if held else None,
        seen,
        root_rrset(entry, rtype) if entry.has_tree else held,
    )


def _texts(seen: RRset | None, rtype: RRType, known: Known) -> tuple[str, ...]:
    """What it may answer with: where it leads to other names of the zone, what stands there."""
    if seen is None or not aliases_in(seen):
        return seen.texts() if seen is not None else ()
    some = addresses(seen, rtype, known)
    return RRset.of(rtype, 0, [one for one in some if len(one) == _OCTETS[rtype]]).texts() if some else ()


def _ttl(seen: RRset | None, rtype: RRType, known: Known) -> int | None:
    """Of what people get; None where nothing stands, or a tree without leaves."""
    if seen is None or not aliases_in(seen):
        return seen.ttl if seen is not None else None
    leaves = (one for one in known.values() if one is not None and one.answers == rtype and not aliases_in(one))
    return max((one.ttl for one in leaves), default=None)


def _reasons(types: Iterable[TypeChange], members: tuple[Member, ...]) -> Iterable[tuple[str, str, str]]:
    """Why each address that comes or goes does so."""
    served: dict[str, Member] = {}
    known: dict[str, Member] = {}
    for member in members:
        for address in map(answered_with, member.addresses):
            (served if member.served else known)[address] = member
    for change in types:
        for address in (*change.added, *change.removed):
            found = served.get(address) or known.get(address)
            if found is not None:
                yield address, found.load_balancer, found.reason
            else:
                yield address, "", "no load balancer that serves this name has it"
