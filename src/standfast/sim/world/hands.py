"""What people do to a zone by hand: each act is a rule, and all acts together are bounded."""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset, RRType, txt_rdata
from standfast.ports.provider_spec import ZoneState
from standfast.sim.search.product import Outcome, Step

from .acting import Act, Ghosts, Judge, Places, zone_of
from .bounds import Run
from .histories import ENDPOINTS, FIRST, FLOOR_KEY, Rrsets, marker_key
from .telling import short
from .treehands import acts_on_trees

GARBAGE: Final = RRset.of(RRType.TXT, 60, [txt_rdata("standfast1 k=marker g=9")])
FOREIGN: Final = RRset.of(RRType.A, 60, [b"\x0a\0\0\1", b"\x0a\0\0\2"])
ALIAS: Final = RRset.of(RRType.CNAME, 60, [b"\1x\0"])


class Hands(Struct, frozen=True):
    """How many acts are left, and what people kept a copy of, to put it back one day."""

    left: int
    kept: tuple[tuple[tuple[str, int], RRset], ...] = ()


def _addresses(name: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, int(rtype)) for rtype in (*ADDRESS_TYPES, *ROUTED_TYPES))


def _without(zone: ZoneState, *keys: tuple[str, int]) -> Rrsets:
    return {key: rrset for key, rrset in zone.rrsets.items() if key not in keys}


def _acts_on(name: str) -> dict[str, tuple[str, Callable[[ZoneState], Rrsets]]]:
    """Every act on one endpoint: in words, and the zone's contents afterwards."""
    called, marker = short(name), marker_key(name)
    return {
        "addresses": (f"delete the addresses of {called}", lambda zone: _without(zone, *_addresses(name))),
        "marker": (f"delete the marker of {called}", lambda zone: _without(zone, marker)),
        "marker and addresses": (
            f"delete {called}, its marker as well",
            lambda zone: _without(zone, marker, *_addresses(name)),
        ),
        "marker and floor": (
            f"delete the marker of {called} and the floor",
            lambda zone: _without(zone, marker, FLOOR_KEY),
        ),
        "garbage marker": (
            f"write nonsense over the marker of {called}",
            lambda zone: {**zone.rrsets, marker: GARBAGE},
        ),
        "foreign addresses": (
            f"give {called} other addresses",
            lambda zone: {**_without(zone, *_addresses(name)), (name, int(RRType.A)): FOREIGN},
        ),
        "alias": (
            f"put a CNAME in the place of {called}",
            lambda zone: {**_without(zone, *_addresses(name)), (name, int(RRType.CNAME)): ALIAS},
        ),
    }


ZONE_ACTS: Final[dict[str, tuple[str, Callable[[ZoneState], Rrsets]]]] = {
    "floor": ("delete the floor", lambda zone: _without(zone, FLOOR_KEY)),
    "garbage floor": ("write nonsense over the floor", lambda zone: {**zone.rrsets, FLOOR_KEY: GARBAGE}),
    "first": ("delete the marker of the first entry", lambda zone: _without(zone, marker_key(FIRST))),
    "everything": ("delete everything", lambda zone: {}),
}
RESTORES: Final = ("older marker", "older marker and addresses", "older zone")
"""Acts that put back what people had kept a copy of."""
ALL_ACTS: Final = (*_acts_on(ENDPOINTS[0]), *ZONE_ACTS, *RESTORES)


def hands(run: Run, judge: Judge, places: Places, zone: int, ghosts: int) -> list[Act]:
    """The rules of people's hands, with a place for how much they may still do."""
    if not run.acts:
        return []
    place = places.add("people", Hands(run.acts))
    endpoints = [name for name in judge.names if name != FIRST]
    possible = [act for name in endpoints for what, act in _acts_on(name).items() if what in run.hands]
    possible += [act for name in endpoints for what, act in acts_on_trees(name).items() if what in run.hands]
    possible += [act for what, act in ZONE_ACTS.items() if what in run.hands]
    people = _People(judge, tuple(possible), tuple(what for what in RESTORES if what in run.hands))
    found = [Act("people change the zone", (zone, ghosts, place), (zone, ghosts, place), people.change)]
    if people.restores:
        found.append(Act("people keep a copy", (zone, place), (place,), people.keep))
        found.append(Act("people put back", (zone, ghosts, place), (zone, ghosts, place), people.put_back))
    return found


class _People:
    """Somebody with a key for the zone."""

    def __init__(
        self, judge: Judge, acts: tuple[tuple[str, Callable[[ZoneState], Rrsets]], ...], restores: tuple[str, ...]
    ) -> None:
        self._judge = judge
        self._acts = acts
        self.restores = restores

    def change(self, zone: ZoneState, ghosts: Ghosts, hands: Hands) -> Iterable[Outcome]:
        """One act, if it changes anything."""
        if not hands.left:
            return
        for text, act in self._acts:
            after = zone_of(act(zone))
            if after != zone:
                yield self._done(text, zone, ghosts, after, hands)

    def keep(self, zone: ZoneState, hands: Hands) -> Iterable[Outcome]:
        """They copy the zone as it is: once."""
        if hands.left and not hands.kept and zone.rrsets:
            kept = tuple(sorted(zone.rrsets.items()))
            yield Outcome(Step("people", "keep a copy of the zone"), (replace(hands, kept=kept),))

    def put_back(self, zone: ZoneState, ghosts: Ghosts, hands: Hands) -> Iterable[Outcome]:
        """They put back something from their copy; it is used up."""
        if not hands.left or not hands.kept:
            return
        kept = dict(hands.kept)
        name = next(one for one in self._judge.names if one != FIRST)
        keys = {
            "older marker": (marker_key(name),),
            "older marker and addresses": (marker_key(name), *_addresses(name)),
        }
        for what in self.restores:
            if what == "older zone":
                after = zone_of(kept)
            else:
                after = zone_of(_without(zone, *keys[what]) | {key: kept[key] for key in keys[what] if key in kept})
            if after != zone:
                text = f"put back an {what}" + ("" if what == "older zone" else f" of {short(name)}")
                yield self._done(text, zone, ghosts, after, replace(hands, kept=()))

    def _done(self, text: str, zone: ZoneState, ghosts: Ghosts, after: ZoneState, hands: Hands) -> Outcome:
        left = replace(hands, left=hands.left - 1)
        left = left if left.left else Hands(0)  # nothing can be put back any more
        ghosts = self._judge.ghosts(after, self._judge.effects(zone, ghosts))
        return Outcome(Step("people", text), (after, ghosts, left))
