"""Two orders for one endpoint, given to the zone itself: publish these addresses now, and take it from another stream.

    emergency publish   needs nothing but the DNS server. The planner, back again, takes over what it wrote, held.
    adopt --take        puts a marker of ours in the place of another stream's; the addresses stay as they are.

Rule 1.  Both are numbered above the floor, above the endpoint's own marker and above every plan that is known, and the
         floor is raised to that number in the same change: no older plan writes over them, and a planner sees that
         the zone is above its head and reads all markers.
Rule 2.  The marker names no plan but how it came there. A planner that finds `emergency` on a marker its entry has not
         passed takes the addresses that stand there for the entry, and holds them.
Rule 3.  Neither writes under a freeze, over a tombstone, or without a readable floor. Only a take-over crosses
         another stream's marker, and never one that is frozen.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Entry, Key, Layout, Member
from standfast.model.fleet import Fleet, answered_with
from standfast.model.marker import EMERGENCY, GENERATION_MAX, Floor, Marker, MarkerReading
from standfast.model.name import first_name, floor_owner
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset
from standfast.model.shards import Shards
from standfast.ports.local import IntendedWrite
from standfast.ports.provider import Replace

from .decisions import Presence
from .direct import PATIENCE, Change, Ended, Sights
from .drafting import NO_PLAN, Mark
from .prefixes import Prefixes, prefix_violations

NO_FLOOR: Final = "the floor at {} is missing or unreadable; freezing the zone and thawing it rebuilds it"


class Emergency(Struct, frozen=True):
    """Publish `rrsets` at `name`. `least` is what the endpoint then promises by family, `above` the highest generation
    of any plan at hand (0: there is none)."""

    stream: str
    zone: str
    writer: str
    name: str
    rrsets: tuple[RRset, ...]
    least: tuple[tuple[int, int], ...]
    why: str = "emergency publish"
    above: int = 0
    patience: int = PATIENCE

    @property
    def batch(self) -> tuple[str, ...]:
        """The one endpoint."""
        return (self.name,)

    def decide(self, sights: Sights) -> Change | Ended:
        """By what stands there."""
        if self.name == first_name(self.stream, self.zone) or not any(rrset.rdata for rrset in self.rrsets):
            return Ended("refused", "there is nothing to publish")
        marker = sights.marker(self.name)
        if isinstance(marker, Marker) and marker.stream != self.stream:
            return Ended("refused", f"{self.name} belongs to stream {marker.stream}")
        ready = _ready(sights, marker, self.name, self.above)
        if isinstance(ready, Ended):
            return ready
        before, over = (marker.since, marker.nonce) if isinstance(marker, Marker) else (None, "")
        intended = IntendedWrite(self.name, before, ready, self.why, over, "live", self.least)
        put = Marker(self.stream, ready, ready, EMERGENCY, "live", self.writer, "")
        part = Mark(self.name, dict(sights.marks)[self.name], put, self.rrsets)
        raised = Floor(self.stream, ready, "live", "")
        return Change(sights, ready, EMERGENCY, (intended,), raised, (part,))

    def written(self, change: Change, made: Replace) -> Ended:
        """That was all."""
        return Ended("done", "", change.generation)

    def refused(self, why: str) -> Ended:
        """By the provider."""
        return Ended("refused", why)


class TakeOver(Struct, frozen=True):
    """Put our marker in the place of another stream's at `name`; the addresses stay."""

    stream: str
    zone: str
    writer: str
    name: str
    above: int = 0
    patience: int = PATIENCE

    @property
    def batch(self) -> tuple[str, ...]:
        """The one endpoint."""
        return (self.name,)

    def decide(self, sights: Sights) -> Change | Ended:
        """By what stands there."""
        marker = sights.marker(self.name)
        if not isinstance(marker, Marker) or marker.stream == self.stream:
            return Ended("refused", f"{self.name} is not under another stream's marker")
        ready = _ready(sights, marker, self.name, self.above)
        if isinstance(ready, Ended):
            return ready
        why = f"taken over from stream {marker.stream}"
        intended = IntendedWrite(self.name, marker.since, ready, why, marker.nonce, act="take")
        put = Marker(self.stream, ready, ready, NO_PLAN, "live", self.writer, "")
        part = Mark(self.name, dict(sights.marks)[self.name], put)
        return Change(sights, ready, NO_PLAN, (intended,), Floor(self.stream, ready, "live", ""), (part,))

    def written(self, change: Change, made: Replace) -> Ended:
        """That was all."""
        return Ended("done", "", change.generation)

    def refused(self, why: str) -> Ended:
        """By the provider."""
        return Ended("refused", why)


def _ready(sights: Sights, marker: MarkerReading, name: str, above: int) -> int | Ended:
    """The generation to be written, or why nothing is."""
    floor = sights.floor_read
    if floor is None:
        return Ended("refused", NO_FLOOR.format(floor_owner(sights.stream, sights.zone)))
    if floor.frozen:
        return Ended("refused", f"the zone {sights.zone} is frozen: thaw it first")
    if isinstance(marker, Marker) and marker.frozen:
        return Ended("refused", f"{name} is frozen: thaw it first")
    if isinstance(marker, Marker) and marker.state == "retired":
        return Ended("refused", f"{name} was retired: a tombstone stands there, for ever")
    own = max(marker.since, marker.generation) if isinstance(marker, Marker) else 0
    generation = 1 + max(floor.generation, own, above)
    if generation > GENERATION_MAX:
        return Ended("refused", f"a floor or marker says generation {generation - 1}; there is no number above it")
    return generation


def with_emergencies(
    previous: Plan | None,
    found: Mapping[Key, Marker],
    presences: Mapping[Key, Presence],
    fleet: Fleet,
    stream: str,
    prefixes: Mapping[str, Prefixes],
) -> tuple[Plan | None, frozenset[Key]]:
    """The preceding plan as if what operators published without one had stood in it, held; and the endpoints of which
    that could not be read, or has addresses outside the `prefixes` of its zone: they are held as they are, and nothing
    may raise them.

    Where no address stands any more, the emergency is over: the entry is the preceding plan's.
    """
    entries, unread = [], set()
    for key, marker in found.items():
        seen = presences.get(key, Presence(None))
        rrsets = tuple(one for one in seen.rrsets or () if one.answers in ADDRESS_TYPES and one.rdata)
        strays = prefix_violations(Entry(*key, max(1, marker.since), rrsets=rrsets), prefixes.get(key[0], ()))
        if seen.rrsets is None or strays:
            unread.add(key)
            why = "what it has is outside the prefixes that may be published" if strays else "not read yet"
            if previous is not None and (known := previous.entry(key)) is not None:
                entries.append(replace(known, held=known.held or f"{_said(marker)}, {why}"))
            continue
        alias = any(one.answers not in ADDRESS_TYPES for one in seen.rrsets)
        if rrsets and not alias:
            entries.append(_held(key, marker, rrsets, previous.entry(key) if previous else None, fleet))
    if not entries:
        return previous, frozenset(unread)
    if previous is None:
        shards = Shards.of(entries)
        return Plan(PlanRecord(stream, 0, shards.digest, (), (), "", "", 0.0), shards), frozenset(unread)
    shards = previous.shards.updated(entries)
    return Plan(replace(previous.record, shards=shards.digest), shards), frozenset(unread)


def _held(key: Key, marker: Marker, rrsets: tuple[RRset, ...], before: Entry | None, fleet: Fleet) -> Entry:
    """The entry that has these addresses. It promises no more than before, and no more than it has."""
    zone, name = key
    had = dict(before.min_answers) if before else {}
    least = tuple((one.answers, min(had.get(one.answers, 1), one.count)) for one in rrsets)
    there = {text for one in rrsets for text in one.texts()}
    members = tuple(
        Member(one.id, addresses, one.capacity, served, f"{'in' if served else 'out'} by emergency publish")
        for one in sorted(fleet.load_balancers, key=lambda one: one.id)
        for served in (bool(there & {answered_with(text) for text in (*one.ipv4, *one.ipv6)}),)
        for addresses in (tuple(text for text in (*one.ipv4, *one.ipv6) if not served or answered_with(text) in there),)
    )
    base = before or Entry(zone, name, max(1, marker.since))
    layout: Layout = "multivalue" if any(one.rtype in ROUTED_TYPES for one in rrsets) else "flat"
    return replace(
        base,
        layout=layout,
        had_tree=base.knew_tree,
        trees=base.trees_so_far,
        rrsets=rrsets,
        min_answers=least,
        held=_said(marker),
        members=members,
        note="emergency publish",
    )


def _said(marker: Marker) -> str:
    return f"emergency publish by {marker.writer} (g{marker.since})"
