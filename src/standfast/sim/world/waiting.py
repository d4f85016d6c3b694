"""Time for cleaners of trees, in a few ticks: who may have cached a tree's names, and how long ago something led there.

Only the runs with `ticks` have it. Elsewhere a cleaner's grace is over from the start.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from standfast.core.unneeded import Unneeded, seen_until
from standfast.model.name import is_below, tree_subtree
from standfast.model.tree import aliases_in, read_tree_name
from standfast.ports.provider_spec import ZoneState
from standfast.ports.trees import CollectTree
from standfast.sim.search.product import Outcome, Step

from .acting import Act, Places
from .bounds import Run
from .histories import TTL, ZONE

GRACE: Final = 2
"""Ticks that caches remember what they were told."""
LONG_AGO: Final = -1e9
"""Seconds to wait where clocks stand still: none, whatever the TTLs are."""


class Clock(Struct, frozen=True):
    """The tick, and the trees that aliases led to at ticks: (since, the last such tick)."""

    now: int = 0
    led: tuple[tuple[int, int], ...] = ()

    def too_soon(self, change: CollectTree) -> str:
        """What a deletion that arrives now takes from those who still remember it; empty: nothing."""
        gone = {tree.since for one in change.doomed if (tree := read_tree_name(one.owner, ZONE)) is not None}
        for since, then in self.led:
            if since in gone and self.now - then < GRACE:
                return f"G1: its tree of {since} was collected {self.now - then} ticks after an alias led there"
        return ""


def clock(run: Run, places: Places, at: dict[str, int]) -> list[Act]:
    """The rule by which time passes, and its place; none where it does not."""
    if not run.ticks:
        return []
    place = at["clock"] = places.add("clock", Clock())

    def passes(clock: Clock, zone: ZoneState) -> Iterable[Outcome]:
        if clock.now < run.ticks:
            now = clock.now + 1
            led = dict(clock.led) | dict.fromkeys(_led_to(zone), now)
            yield Outcome(Step("time", "passes"), (Clock(now, tuple(sorted(led.items()))),))

    return [Act("time passes", (place, at["zone"]), (place,), passes)]


def _led_to(zone: ZoneState) -> Iterable[int]:
    """The since of every tree that an alias outside of trees leads to."""
    for (owner, _), rrset in zone.rrsets.items():
        if not is_below(owner, tree_subtree(ZONE)):
            yield from (tree.since for one in aliases_in(rrset) if (tree := read_tree_name(one, ZONE)) is not None)


def wait_s(run: Run) -> float:
    """What a cleaner waits beyond the TTLs of records."""
    return float(GRACE - TTL) if run.ticks else LONG_AGO


def remembered(memory: tuple[Unneeded, ...], began: float, clock: Clock | None) -> tuple[Unneeded, ...]:
    """What a pass that ends now leaves for the next one."""
    return () if clock is None else seen_until(memory, began, float(clock.now))
