"""Trees of endpoints that are in no plan at hand: which of them go, and what is told of those that stay. Pure.

They are left by a store that was lost with its newest plans, by `standfast leave`, by an enactor that died building for
a name that came to nothing. Nobody flips to them any more; but the name may be another stream's, or still answer by one
of them, or somebody may have pointed an alias of his own at one. So the whole zone is looked through before they go.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Absent, Damaged, Floor, Marker, MarkerReading
from standfast.model.tree import TreeName, read_tree_name

from .gathering import Combed, Progress
from .unneeded import Grown, Suspect, Unneeded, unclaimed, unneeded_of, waited

LOOK_AGAIN_S: Final = 86_400.0
"""What stays though nothing of ours needs it is looked at again after a day: each look reads the whole zone."""
ADOPT: Final = "take the name into `endpoints:`; to be rid of it, `standfast retire` it then"


class Verdict(Struct, frozen=True):
    """Trees that nothing needs (some may have to be seen for longer), and what is told of others."""

    unneeded: tuple[Grown, ...] = ()
    told: tuple[str, ...] = ()


def due(progress: Progress, zone: str) -> Combed:
    """Under which names of the zone there are trees that nobody's plan knows, and that have waited long enough."""
    charge, found = progress.charge, set[str]()
    wait = dict(charge.wait_s).get(zone)
    for suspect in progress.suspects:
        if suspect.orphan and suspect.zone == zone:
            some = tuple(one for one in suspect.trees if one[0] not in progress.kept)
            _, ripe = waited(charge.memory, zone, charge.now, wait, some, charge.least_s)
            found |= {tree.parent for tree, _ in ripe}
    return Combed(zone, frozenset(found))


def elsewhere(suspect: Suspect, marker: MarkerReading, stream: str) -> bool:
    """Whether an endpoint that no plan of ours knows is another stream's: its own cleaner sees to it."""
    return suspect.orphan and isinstance(marker, Marker) and marker.stream != stream


def unreadable(suspect: Suspect, marker: MarkerReading) -> str:
    """Why nothing is taken of an orphan whose marker can't be believed."""
    if not suspect.orphan or not isinstance(marker, Damaged):
        return ""
    return f"it is in no plan and its marker can't be read ({marker.why}); if it is nobody's, delete that TXT record"


def judged(progress: Progress, floor: Floor, marker: Marker | Absent, referred: frozenset[TreeName | None]) -> Verdict:
    """Of the first suspect: Rules 2, 3 and 6."""
    suspect, kept = progress.suspects[0], progress.kept
    trees, head = suspect.trees, progress.plan.generation
    if isinstance(marker, Absent):
        if floor.generation < head:
            why = f"{suspect.name} is in no plan and has no marker: its trees go once plan {head} was written there"
            return Verdict((), (why,))
        unneeded = unclaimed(trees, floor, head, referred, kept)
    else:
        answering = any(tree in referred for tree, _ in trees)
        keep = progress.charge.keep if suspect.treed or answering else 0
        unneeded = unneeded_of(trees, marker, referred, kept, keep)
    return Verdict(unneeded, _stay(suspect, marker, referred)) if suspect.orphan else Verdict(unneeded)


def _stay(suspect: Suspect, marker: Marker | Absent, referred: frozenset[TreeName | None]) -> tuple[str, ...]:
    """What of an orphan stays until people say what is meant."""
    leading = [tree.since for tree, _ in suspect.trees if tree in referred]
    if leading:
        return (f"{suspect.name} is in no plan, and leads to its tree of since {leading[-1]}: {ADOPT}",)
    ahead = [tree.since for tree, _ in suspect.trees if isinstance(marker, Marker) and tree.since >= marker.since]
    if ahead:
        return (f"{suspect.name} is in no plan, and its marker does not say what its tree of {ahead[-1]} is: {ADOPT}",)
    return ()


def withheld(
    suspect: Suspect, marker: Marker | Absent, ripe: tuple[Grown, ...], combed: Combed | None, stream: str
) -> tuple[frozenset[TreeName], tuple[str, ...]]:
    """Which of an orphan's ripe trees stay by what the whole zone shows, and why."""
    if not suspect.orphan or combed is None:
        return frozenset(tree for tree, _ in ripe if suspect.orphan), ()
    some = frozenset(tree for tree, _ in ripe)
    others = sorted(combed.streams - {stream})
    if some and others and isinstance(marker, Absent):
        why = f"{suspect.name} has no marker, and its trees may be stream {', '.join(others)}'s: if not, delete them"
        return some, (why,)
    held: dict[TreeName, str] = {}
    for owner, target in combed.pointers:
        tree = read_tree_name(target, suspect.zone)
        if tree in some:
            held[tree] = f"{owner} leads to a tree of {suspect.name}, which no plan knows: point it elsewhere"
    return frozenset(held), tuple(dict.fromkeys(held.values()))


def put_off(memory: tuple[Unneeded, ...], trees: frozenset[TreeName], now: float) -> tuple[Unneeded, ...]:
    """The same, with these trees not to be looked at before a day is over."""
    return tuple(replace(one, at=now + LOOK_AGAIN_S) if one.tree in trees else one for one in memory)
