"""G4 beyond what is reachable: every zone of a family of damages, made by whomever, is healed by one lone enactor.

The family is a product: each record of a zone that stood as it should (the floor; the first entry's marker; marker
and addresses of each endpoint) is independently as it was, or damaged in one of the ways below. Not in it: floors
and markers above the newest plan (the planner publishes above them), and what enactors must leave alone (freezes,
tombstones, markers of other streams).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Final, TypeAlias

from msgspec import Struct

from standfast.model.marker import Floor, Marker, floor_rdata, marker_rdata
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider_spec import ZoneState

from .acting import zone_of
from .hands import ALIAS, FOREIGN, GARBAGE
from .histories import FIRST, FLOOR_KEY, FLOOR_OWNER, STREAM, TTL, ZONE, Rrsets, marker_key
from .reaching import lone_enactor
from .telling import rrset_text, what_stands

RECORD_DAMAGES: Final = ("healthy", "absent", "garbage", "older", "alias")
ADDRESS_DAMAGES: Final = ("healthy", "absent", "older", "foreign", "alias")
Part: TypeAlias = tuple[str, Rrsets]
"""How one part of the zone stands, in a word, and its records."""


class Family(Struct, frozen=True):
    """The damages of one history of plans."""

    about: str
    plans: tuple[Plan, ...]

    @property
    def parts(self) -> tuple[tuple[Part, ...], ...]:
        """Each record with all ways in which it may stand."""
        newest, older = self.plans[-1], self.plans[-2]
        names = [entry.name for entry in newest.by_zone[ZONE]]
        parts = [floors_of(newest, older)]
        parts += [markers_of(name, newest, older) for name in names]
        parts += [_addresses(name, newest, older) for name in names if name != FIRST]
        return tuple(parts)

    @property
    def size(self) -> int:
        """How many zones it has."""
        count = 1
        for part in self.parts:
            count *= len(part)
        return count

    def zones(self) -> Iterator[tuple[str, ZoneState]]:
        """Every zone, and what is wrong with it in words."""
        for parts in product(*self.parts):
            rrsets: Rrsets = {}
            for _, records in parts:
                rrsets |= records
            yield ", ".join(text for text, _ in parts if text), zone_of(rrsets)


class Healed(Struct, frozen=True):
    """What became of a family. `ill` are damages that were not healed, with the reason and the zone as it ended."""

    about: str
    zones: int
    seconds: float
    complete: bool
    ill: tuple[tuple[str, str, ZoneState, ZoneState], ...] = ()


def heal(family: Family, progress: Callable[[int], None] = lambda seen: None, most: int = 3) -> Healed:
    """Let a lone enactor loose on every zone of the family; stop after `most` that it could not heal."""
    begun, ill, seen, complete = time.monotonic(), [], 0, True
    try:
        for damage, zone in family.zones():
            after, why = lone_enactor(zone, family.plans[-1])
            seen += 1
            if why:
                ill.append((damage, why, zone, after))
                if len(ill) >= most:
                    complete = False
                    break
            if seen % 64 == 0:
                progress(seen)
    except KeyboardInterrupt:
        complete = False
    return Healed(family.about, seen, time.monotonic() - begun, complete, tuple(ill))


def floors_of(newest: Plan, older: Plan) -> tuple[Part, ...]:
    """The floor: as it should be, then damaged."""

    def stands(plan: Plan, nonce: int) -> RRset:
        floor = Floor(STREAM, plan.generation, "live", f"{nonce:016x}")
        return RRset.of(RRType.TXT, TTL, [floor_rdata(floor, ZONE, FLOOR_OWNER)])

    return _record("the floor", FLOOR_KEY, stands(newest, 1), stands(older, 2))


def markers_of(name: str, newest: Plan, older: Plan) -> tuple[Part, ...]:
    """A marker: as it should be, then damaged."""
    owner = marker_owner(name, ZONE)

    def stands(plan: Plan, nonce: int) -> RRset | None:
        entry = plan.entry((ZONE, name))
        if entry is None:
            return None
        marker = Marker(STREAM, entry.since, plan.generation, plan.digest, "live", "enactor", f"{nonce:016x}")
        return RRset.of(RRType.TXT, TTL, [marker_rdata(marker, ZONE, owner)])

    return _record(what_stands(owner, RRType.TXT), marker_key(name), stands(newest, 1), stands(older, 2))


def _record(called: str, key: tuple[str, int], healthy: RRset | None, older: RRset | None) -> tuple[Part, ...]:
    found: list[Part] = [("", {key: healthy} if healthy is not None else {}), (f"{called} is gone", {})]
    found.append((f"{called} is garbage", {key: GARBAGE}))
    if older is not None:
        found.append((f"{called} is an older one", {key: older}))
    found.append((f"a CNAME stands in place of {called}", {(key[0], int(RRType.CNAME)): ALIAS}))
    return tuple(found)


def _addresses(name: str, newest: Plan, older: Plan) -> tuple[Part, ...]:
    def stands(plan: Plan) -> Rrsets:
        entry = plan.entry((ZONE, name))
        return {(name, int(rrset.rtype)): rrset for rrset in (entry.rrsets if entry is not None else ())}

    called = f"{what_stands(name, RRType.A).removesuffix(' A')} addresses"
    found: list[Part] = [("", stands(newest)), (f"{called} are gone", {})]
    if stands(older) != stands(newest):
        found.append((f"{called} are older ones", stands(older)))
    found.append((f"{called} are other ones", {(name, int(RRType.A)): FOREIGN}))
    found.append((f"a CNAME stands in place of {called}", {(name, int(RRType.CNAME)): ALIAS}))
    return tuple(found)


def ill_text(zone: ZoneState) -> Iterable[str]:
    """A zone, a line a record."""
    return (
        f"{what_stands(owner, rtype)}: {rrset_text(owner, rrset)}"
        for (owner, rtype), rrset in sorted(zone.rrsets.items())
    )
