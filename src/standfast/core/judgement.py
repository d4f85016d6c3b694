"""What an enactor does about one endpoint: the rules of the write protocol, one by one. Pure.

Rule 1.  Compare `since` on the very marker value that becomes the precondition: write if the marker's is lower, or
         equal with damage to repair; never if it is higher.
Rule 2.  A missing or unreadable marker says nothing about the past, so the floor speaks for it: write only with a
         plan at or above the floor. Below it, the one thing allowed is to give an endpoint that has too few
         addresses its addresses back (refill).
Rule 3.  Nothing is written under a frozen floor or marker, under a tombstone, under another stream's marker, or from
         one of two plans that share a generation; nor anything outside the prefixes that the writer may publish.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.model.entry import Entry
from standfast.model.fleet import answered_with
from standfast.model.marker import Marker, MarkerReading
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, rdata_text

from .guard import entry_violations
from .prefixes import Prefixes, prefix_violations
from .reach import NOTHING, Contents, Known, addresses, rollback_right, tree_damage

Standing: TypeAlias = Literal[
    "in_step",
    "superseded",
    "frozen",
    "foreign",
    "forked",
    "retired",
    "unsafe",
    "left",
    "look",
    "unrecorded",
]


class FloorView(Struct, frozen=True):
    """A zone's floor as this change sees it.

    `rdata` is what the change asserts (none: absence); `alias` the CNAME that stands in the floor's place, if one does.
    `lost` means that the floor is missing or unreadable and `generation` was rebuilt from the markers; `orphan` that no
    marker was readable either, so that only the zone's first entry may create it.
    """

    generation: int
    frozen: bool
    rdata: tuple[bytes, ...]
    lost: bool = False
    orphan: bool = False
    alias: tuple[bytes, ...] = ()


class Leave(Struct, frozen=True):
    """Nothing is written for this endpoint."""

    standing: Standing
    why: str


class Due(Struct, frozen=True):
    """The entry is written whole."""

    why: str
    repair: bool = False


class BuildDue(Struct, frozen=True):
    """Records of the entry's tree are put first, `puts` of them with what stands in each one's place; then root flips.

    `live`: root may be pointing at this very tree, so the marker is replaced with each such change.
    """

    puts: tuple[tuple[str, RRset, RRset | None], ...]
    why: str
    live: bool
    repair: bool = False


class RefillDue(Struct, frozen=True):
    """Only these address types are given back, without a marker."""

    rtypes: tuple[int, ...]
    why: str


Judgement: TypeAlias = Leave | Due | RefillDue
NEEDS_CONTENTS: Final = Leave("look", "its marker is gone and the plan is below the floor: look at the addresses")


def judge(
    entry: Entry,
    plan: Plan,
    marker: MarkerReading,
    floor: FloorView,
    contents: Contents | None,
    *,
    refills_only: bool = False,
    insisted: bool = False,
    prefixes: Prefixes = (),
    known: Known = NOTHING,
) -> Judgement:
    """What to do about `entry` of `plan`.

    `prefixes` are what whoever writes may publish, by its own configuration: the plan is not asked.
    `contents` is None if the addresses were not read; `known` is what was read of what they lead to. `insisted`: these
    very contents came back after a repair.
    """
    if floor.frozen:
        return Leave("frozen", "the zone is frozen")
    if isinstance(marker, Marker):
        verdict = _under_marker(entry, plan, marker, floor, contents, insisted, known)
    elif plan.generation < floor.generation or refills_only:
        verdict = _refill(entry, plan, floor, contents, known)
        if plan.generation >= floor.generation and isinstance(verdict, Leave) and verdict != NEEDS_CONTENTS:
            # It is due, and no refill: once the journal can be written again, nothing else would tell.
            verdict = Leave("unrecorded", "its marker is missing or unreadable, and the journal can't be written")
    else:
        verdict = Due("its marker is missing or unreadable")
    if isinstance(verdict, Leave):
        return verdict
    if violations := (*entry_violations(entry), *prefix_violations(entry, prefixes)):
        return Leave("unsafe", "; ".join(str(violation) for violation in violations))
    return verdict


def _under_marker(
    entry: Entry, plan: Plan, marker: Marker, floor: FloorView, contents: Contents | None, insisted: bool, known: Known
) -> Judgement:
    if marker.stream != plan.record.stream:
        return Leave("foreign", f"its marker belongs to stream {marker.stream}")
    if marker.frozen:
        return Leave("frozen", "it is frozen")
    if marker.generation == plan.generation and marker.plan != plan.digest:
        return Leave("forked", f"two plans have generation {plan.generation}; a newer one must be published")
    if marker.state == "retired" and entry.kind != "retired":
        return Leave("retired", "a tombstone stands here: it was retired")
    if marker.since > entry.since:
        return Leave("superseded", f"its marker is at {marker.since}, above this plan's {entry.since}")
    if marker.since < entry.since and marker.generation > plan.generation:
        # In one history since never falls from plan to plan: this plan was lost with a store, and the newer one wins.
        return Leave("superseded", f"its marker was written from {marker.generation}, which does not know this plan")
    if marker.since < entry.since:
        return Due(f"{marker.since} → {entry.since}")
    if floor.lost and entry.kind == "first":
        return Due("the zone's floor is missing or unreadable", repair=True)
    if contents is not None and (damage := damage_of(entry, contents, known)):
        if insisted and harmless(entry, contents, known):
            return Leave("left", f"{damage}; the same change came back within ten minutes, so somebody means it")
        return Due(damage, repair=True)
    return Leave("in_step", f"at {marker.since}")


def _refill(entry: Entry, plan: Plan, floor: FloorView, contents: Contents | None, known: Known) -> Judgement:
    if entry.kind != "live" or floor.lost:
        return Leave("superseded", f"the floor is at {floor.generation}, above this plan's {plan.generation}")
    if contents is None:
        return NEEDS_CONTENTS
    short = starving(entry, contents, known)
    if not short:
        return Leave("superseded", f"the floor is at {floor.generation}, above this plan's {plan.generation}")
    return RefillDue(short, "it has fewer addresses than min_answers and no marker")


def damage_of(entry: Entry, contents: Contents, known: Known = NOTHING) -> str:
    """How what stands at the name, and below it, differs from the entry, in words; empty if it does not.

    A first entry has no name in the zone that anybody resolves, so what a wildcard makes of it is no damage.
    """
    if entry.kind == "first":
        return ""
    if entry.has_tree:
        return tree_damage(entry, contents, known)
    found = []
    for rtype, reading in zip(ADDRESS_TYPES, contents, strict=True):
        wanted = entry.rrset(rtype)
        if reading is not None and reading.answers != rtype:
            found.append("a CNAME stands in its place")
        elif reading is None and wanted is not None:
            found.append(f"its {rtype.name} records are gone")
        elif reading is not None and wanted is None:
            found.append(f"it has {rtype.name} records that no plan gives it")
        elif reading is not None and wanted is not None and reading != wanted:
            found.append(f"its {rtype.name} rrset was changed")
    if entry.knew_tree and not rollback_right(entry, known):
        found.append("its rollback alias is still there")
    return "; ".join(dict.fromkeys(found))


def starving(entry: Entry, contents: Contents, known: Known = NOTHING) -> tuple[int, ...]:
    """The address types in which the endpoint has fewer addresses than its `min_answers`, aliases followed."""
    counts: dict[int, int] = {
        rtype: len(addresses(reading, rtype, known)) for rtype, reading in zip(ADDRESS_TYPES, contents, strict=True)
    }
    return tuple(rtype for rtype, least in entry.min_answers if counts.get(rtype, 0) < least)


def harmless(entry: Entry, contents: Contents, known: Known = NOTHING) -> bool:
    """Whether damaged contents may be left to whoever insists on them (tug-of-war).

    Every family has `min_answers` addresses, and none belongs to a load balancer that the plan keeps out.
    """
    if starving(entry, contents, known):
        return False
    kept_out = {answered_with(text) for member in entry.members if not member.served for text in member.addresses}
    present = {text for reading in contents if reading is not None for text in reading.texts()} | {
        rdata_text(rtype, octets)
        for rtype, reading in zip(ADDRESS_TYPES, contents, strict=True)
        for octets in addresses(reading, rtype, known)
    }
    return not present & kept_out
