"""What a plan would change in the zones: each endpoint's entry beside what the primary answers now."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from standfast.core.decisions import Decision
from standfast.model.entry import Entry, Key, Member
from standfast.model.marker import ABSENT, Marker, MarkerReading, read_marker
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider

BATCH: Final = 900
"""Keys of one Read."""


class TypeChange(Struct, frozen=True):
    """One type at the name. TTLs are None where there is no such rrset. `seen` and `wanted` are as they stand."""

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

    `unread` says why the zone could not be compared; `held` is the operator's reason.
    """

    entry: Entry
    marker: MarkerReading
    types: tuple[TypeChange, ...]
    alias: str
    reasons: tuple[tuple[str, str, str], ...]
    decision: Decision | None
    unread: str = ""

    @property
    def marker_differs(self) -> bool:
        """Whether the marker is to be written: it is missing, damaged, or of another `since`."""
        return not isinstance(self.marker, Marker) or self.marker.since != self.entry.since

    @property
    def differs(self) -> bool:
        """Whether an enactor would write."""
        return self.marker_differs or bool(self.alias) or any(one.differs for one in self.types)


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
        changes += [_change(entry, readings[entry.key], said.get(entry.key)) for entry in entries]
    return tuple(changes)


def _readings(
    zone: str, entries: list[Entry], provider: ZoneProvider | Unknown
) -> dict[Key, tuple[RRset | Unknown | None, ...]]:
    width = len(ADDRESS_TYPES) + 1
    found: dict[Key, tuple[RRset | Unknown | None, ...]] = {}
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


def _change(entry: Entry, values: tuple[RRset | Unknown | None, ...], decision: Decision | None) -> EndpointChange:
    unread = next((value.why for value in values if isinstance(value, Unknown)), "")
    if unread:
        return EndpointChange(entry, ABSENT, (), "", (), decision, unread)
    marker, *contents = (value for value in values if not isinstance(value, Unknown))
    alias = next((value for value in contents if value is not None and value.rtype == RRType.CNAME), None)
    types = []
    for rtype, value in zip(ADDRESS_TYPES, contents, strict=True):
        seen = value if value is not None and value.answers == rtype else None
        wanted = entry.rrset(rtype)
        if seen is not None or wanted is not None:
            types.append(_type_change(rtype, seen, wanted))
    return EndpointChange(
        entry,
        read_marker(marker, entry.zone, marker_owner(entry.name, entry.zone)),
        tuple(types),
        alias.texts()[0].rstrip(".") if alias is not None else "",
        tuple(_reasons(types, decision.members if decision and decision.members else entry.members)),
        decision,
    )


def _type_change(rtype: RRType, seen: RRset | None, wanted: RRset | None) -> TypeChange:
    before = seen.texts() if seen else ()
    after = wanted.texts() if wanted else ()
    return TypeChange(
        rtype.name,
        tuple(text for text in after if text in before),
        tuple(text for text in after if text not in before),
        tuple(text for text in before if text not in after),
        seen.ttl if seen else None,
        wanted.ttl if wanted else None,
        seen,
        wanted,
    )


def _reasons(types: Iterable[TypeChange], members: tuple[Member, ...]) -> Iterable[tuple[str, str, str]]:
    """Why each address that comes or goes does so."""
    served: dict[str, Member] = {}
    known: dict[str, Member] = {}
    for member in members:
        for address in member.addresses:
            (served if member.served else known)[address] = member
    for change in types:
        for address in (*change.added, *change.removed):
            found = served.get(address) or known.get(address)
            if found is not None:
                yield address, found.load_balancer, found.reason
            else:
                yield address, "", "no load balancer that serves this name has it"
