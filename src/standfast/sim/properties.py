"""What must be true of every write, every collection and every report: G1, G2, G3, G4, G5, G8, G10 as pure functions.

They look at a zone before and after one change, and at the change; who computed it does not matter. The search, the
simulator and the mutants use these same functions. Each answers with sentences that begin with the guarantee's number
("G2: www went from since 3 to 2"); no sentence, nothing is wrong.

G1 and G5 are checked on each change of ours. Nothing else but people's hands changes a zone, so what no change of
ours can bring about, no state has, unless people made it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from standfast.core.judgement import damage_of
from standfast.core.task import Outcome
from standfast.model.entry import Entry
from standfast.model.marker import (
    EMERGENCY,
    GENERATION_MAX,
    Floor,
    FloorReading,
    Marker,
    MarkerReading,
    read_floor,
    read_marker,
)
from standfast.model.name import ROLLBACK_LABEL, first_name, floor_owner, marker_owner, subtree
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, BESIDE, RRset, RRType
from standfast.model.tree import read_tree_name
from standfast.ports.provider import Replace
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store_spec import StoreState

from .tree_properties import answers_in, is_build, not_flat_any_more, not_its_tree, wrong_with_aliases


class InEffect(Struct, frozen=True, array_like=True):
    """What stood last under a readable marker of an endpoint: its since, and the plan that the marker named.

    The ghost of G2: should the marker be lost, this is what may not be gone below. since 0: nothing ever stood.
    """

    since: int = 0
    generation: int = 0
    plan: str = ""


NEVER: Final = InEffect()


def marker_at(zone: ZoneState, name: str) -> MarkerReading:
    """What literally stands where the endpoint's marker belongs."""
    owner = marker_owner(name, zone.apex)
    return read_marker(zone.rrsets.get((owner, int(RRType.TXT))), zone.apex, owner)


def floor_at(zone: ZoneState, stream: str) -> FloorReading:
    """What literally stands where the stream's floor belongs."""
    owner = floor_owner(stream, zone.apex)
    return read_floor(zone.rrsets.get((owner, int(RRType.TXT))), zone.apex, owner)


def contents_at(zone: ZoneState, name: str) -> tuple[RRset | None, ...]:
    """What literally stands at the endpoint's name: a reading for each of ADDRESS_TYPES, a CNAME in place of both."""
    alias = zone.rrsets.get((name, int(RRType.CNAME)))
    rrsets = zone.rrsets
    return tuple(alias or rrsets.get((name, rtype)) or rrsets.get((name, BESIDE[rtype])) for rtype in ADDRESS_TYPES)


def in_effect(zone: ZoneState, name: str, before: InEffect) -> InEffect:
    """The ghost after any change of the zone, by us or by people: what people put back is in effect as well."""
    marker = marker_at(zone, name)
    if not isinstance(marker, Marker) or marker.state == "placeholder":
        return before
    return InEffect(marker.since, marker.generation, marker.plan)


def wrong_with_write(
    before: ZoneState,
    after: ZoneState,
    change: Replace,
    effects: Mapping[str, InEffect],
    plans: Mapping[str, Plan],
    stream: str,
    *,
    operator: bool = False,
    leaves: bool = False,
) -> list[str]:
    """Everything that one change, which the zone took, does against G1, G2, G5 and G8.

    `effects` are the ghosts before it by endpoint, `plans` all that were ever published by digest. `operator`: it is
    a step of freezing or thawing, which may touch what is frozen; `leaves`: a step of the way out, which takes markers
    and in the end the floor away, and nothing else. Costs what the change touches.
    """
    found: list[str] = []
    floor = floor_at(before, stream)
    if isinstance(floor, Floor):
        found += _lower_floor(floor, floor_at(after, stream)) if not leaves else []
        found += _same_nonce("the floor", floor, floor_at(after, stream))
        if floor.frozen and not operator and after != before:
            found.append("G8: it was written under a frozen floor")
    for write in change.writes:
        name = write.name
        was, now = marker_at(before, name), marker_at(after, name)
        ghost = effects.get(name, NEVER)
        if not operator:
            found += _disobedient(name, was, before, after)
        if leaves:
            found += _more_than_a_marker(name, now, before, after)
            continue
        found += _backwards(name, was, now, ghost, before, effects, stream)
        found += _forgetful(name, was, now, floor_at(after, stream))
        found += _not_above(name, was, now, floor)
        found += _same_nonce(f"the marker of {name}", was, now)
        found += _too_few(name, now, ghost, before, after, plans)
        found += wrong_with_aliases(write, before, after, stream)
        if is_build(write, before.apex):
            continue  # root is flipped by another change
        if not operator or contents_at(after, name) != contents_at(before, name):  # thawing repairs nothing
            found += _mixed(name, now, after, plans)
    return found


def _more_than_a_marker(name: str, now: MarkerReading, before: ZoneState, after: ZoneState) -> list[str]:
    """G1: whoever leaves takes the marker away, and leaves the name as it was."""
    if isinstance(now, Marker):
        return [f"G2: leaving wrote a marker of {name}"]
    touched = contents_at(before, name) != contents_at(after, name)
    return [f"G1: leaving changed the addresses of {name}"] if touched else []


def ours_in(zone: ZoneState) -> list[str]:
    """Every owner name of ours at which a record of the protocol stands. Trees serve on, as addresses do."""
    below, serving = f".{subtree(zone.apex)}", f".{ROLLBACK_LABEL}.{subtree(zone.apex)}"
    return sorted(
        owner
        for owner, _ in zone.rrsets
        if owner.endswith(below) and not owner.endswith(serving) and read_tree_name(owner, zone.apex) is None
    )


def _lower_floor(was: Floor, now: FloorReading) -> list[str]:
    if not isinstance(now, Floor):
        return ["G2: a change took a readable floor away"]
    return [f"G2: the floor went from {was.generation} to {now.generation}"] if now.generation < was.generation else []


def _disobedient(name: str, was: MarkerReading, before: ZoneState, after: ZoneState) -> list[str]:
    """G8 and rule 8: what may not be written whatever a plan says."""
    if not isinstance(was, Marker):
        return []
    touched = marker_at(after, name) != was or contents_at(after, name) != contents_at(before, name)
    if was.frozen and touched:
        return [f"G8: {name} was written although it is frozen"]
    return []


def _backwards(
    name: str,
    was: MarkerReading,
    now: MarkerReading,
    ghost: InEffect,
    before: ZoneState,
    effects: Mapping[str, InEffect],
    stream: str,
) -> list[str]:
    """G2. Excepted exactly: the endpoint's marker is lost and the zone does not remember what it said."""
    if isinstance(was, Marker) and was.state != "placeholder":
        if not isinstance(now, Marker):
            return [f"G2: a change took the marker of {name} away"]
        if now.stream != was.stream:
            return [f"G2: {name} was taken over from stream {was.stream} without consent"]
        if was.state == "retired" and now.state != "retired":
            return [f"G2: {name} was retired and was revived"]
        if now.state != "placeholder" and now.since < was.since:
            return [f"G2: {name} went from since {was.since} to {now.since}"]
        return []
    if not isinstance(now, Marker) or now.state == "placeholder" or now.since >= ghost.since:
        return []
    if remembered(before, effects, stream) < ghost.generation:
        return []
    return [f"G2: {name} went from since {ghost.since} to {now.since} while its marker was gone"]


def _forgetful(name: str, was: MarkerReading, now: MarkerReading, floor: FloorReading) -> list[str]:
    """G2 later on: a write leaves behind what the zone has to remember should the marker, or the floor, be lost.

    The generation that a marker names never goes down, and the floor has reached what a write brings. Without this, the
    exception above would excuse whoever made the zone forget.
    """
    if not isinstance(now, Marker) or now.state == "placeholder":
        return []
    before = was.generation if isinstance(was, Marker) and was.state != "placeholder" else None
    if before is not None and now.generation < before:
        return [f"G2: the marker of {name} went from generation {before} to {now.generation}"]
    if now.generation != before and (not isinstance(floor, Floor) or floor.generation < now.generation):
        return [f"G2: {name} was written at generation {now.generation}, and the floor does not tell"]
    return []


def _not_above(name: str, was: MarkerReading, now: MarkerReading, floor: FloorReading) -> list[str]:
    """G2, G5: what is published without a plan is above everything that was begun, for no plan orders it."""
    if now == was or not isinstance(now, Marker) or now.plan != EMERGENCY or not isinstance(floor, Floor):
        return []
    if isinstance(was, Marker) and (was.plan, was.since) == (now.plan, now.since):
        return []  # frozen or thawed
    below = now.since <= floor.generation
    return [f"G2: {name} was published at {now.since}, and the floor stood at {floor.generation}"] if below else []


def _same_nonce(what: str, was: MarkerReading | FloorReading, now: MarkerReading | FloorReading) -> list[str]:
    """G10: a lost reply is settled by the nonce, so a value that is put never has the nonce of the one before it."""
    if not isinstance(was, Marker | Floor) or not isinstance(now, Marker | Floor):
        return []
    return [f"G10: {what} was replaced under its old nonce"] if now != was and now.nonce == was.nonce else []


def remembered(zone: ZoneState, names: Iterable[str], stream: str) -> int:
    """The generation that the zone remembers: its floor's; where that is lost, the highest of its markers; 0: none.

    Every write asserts the floor, and leaves it at least as high as every marker (`_forgetful`). Below a marker only
    people can set it, and then there is nothing that a write could assert in its place.
    """
    floor = floor_at(zone, stream)
    if isinstance(floor, Floor) and floor.stream == stream:
        return floor.generation
    markers = (marker_at(zone, name) for name in names)
    return max((one.generation for one in markers if isinstance(one, Marker) and one.stream == stream), default=0)


def _too_few(
    name: str, now: MarkerReading, ghost: InEffect, before: ZoneState, after: ZoneState, plans: Mapping[str, Plan]
) -> list[str]:
    """G1: after a full write, of the entry written; after a refill, no family that had enough has too few."""
    found = []
    had = {int(rtype): answers_in(before, name, rtype) for rtype in ADDRESS_TYPES}
    has = {int(rtype): answers_in(after, name, rtype) for rtype in ADDRESS_TYPES}
    touched = contents_at(before, name) != contents_at(after, name)
    if isinstance(now, Marker) and now.state == "retired":
        return []  # an explicit act, and the tombstone says so
    if isinstance(now, Marker) and now.plan == EMERGENCY:
        some = sum(has.values())
        return [] if some else [f"G1: {name} was left without an address in an emergency"]
    if isinstance(now, Marker) and now.state != "placeholder":
        entry = _entry(name, now.plan, before.apex, plans)
        for rtype, least in entry.min_answers if entry is not None else ():
            if has[rtype] < least and (touched or has[rtype] < had[rtype]):
                found.append(f"G1: {name} was left with {has[rtype]} {RRType(rtype).name}, below {least}")
        return found
    served = _entry(name, ghost.plan, before.apex, plans)
    for rtype, least in served.min_answers if served is not None and served.kind == "live" else ():
        if has[rtype] < min(least, had[rtype]):
            text = f"went from {had[rtype]} to {has[rtype]} {RRType(rtype).name}, below {least}"
            found.append(f"G1: {name} {text}")
    return found


def _mixed(name: str, now: MarkerReading, after: ZoneState, plans: Mapping[str, Plan]) -> list[str]:
    """G5 at the moment of our write: under a live marker stands the entry it names, whole."""
    if not isinstance(now, Marker) or now.state not in ("live", "retired"):
        return []
    if now.plan == EMERGENCY:
        return []  # no plan says what shall stand there; the floor's compare-and-set lets one since be written once
    entry = _entry(name, now.plan, after.apex, plans)
    if entry is None or entry.since != now.since:
        return [f"G5: the marker of {name} names an entry of since {now.since} that its plan {now.generation} has not"]
    tree = entry.has_tree
    if damage := not_its_tree(after, entry, rollback=False) if tree else damage_of(entry, contents_at(after, name)):
        return [f"G5: {name} is at since {now.since}, and {damage}"]
    return []


def _entry(name: str, digest: str, apex: str, plans: Mapping[str, Plan]) -> Entry | None:
    plan = plans.get(digest)
    return plan.entry((apex, name)) if plan is not None else None


def wrong_with_collection(before: StoreState, after: StoreState, zones: Iterable[ZoneState]) -> list[str]:
    """G3: nothing that anything live refers to may be collected.

    Live are the head, pinned plans, the plans in which the present contents of the head's entries began (held ones
    and rollback targets among them), and every plan from the lowest since of any zone's readable markers on.
    """
    kept = {plan.generation for plan in after.plans}
    gone = [plan for plan in before.plans if plan.generation not in kept]
    if not gone:
        return []
    pinned = {generation for generation, _ in before.pins}
    newest = next((plan for plan in before.plans if plan.head == before.head), None)
    begun = {entry.since for entry in newest.shards if entry.kind != "first"} if newest is not None else set()
    lowest = min((since for zone in zones for since in _sinces(zone, newest)), default=GENERATION_MAX)
    found = []
    for plan in gone:
        number = plan.generation
        if plan.head == before.head:
            found.append(f"G3: the head's plan {number} was collected")
        elif number in pinned:
            found.append(f"G3: plan {number} is pinned and was collected")
        elif number in begun:
            found.append(f"G3: plan {number}, in which contents of the head began, was collected")
        elif number >= lowest:
            found.append(f"G3: plan {number} was collected, and a marker in the zone still stands at {lowest}")
    return found


def _sinces(zone: ZoneState, plan: Plan | None) -> Iterable[int]:
    for entry in plan.by_zone.get(zone.apex, ()) if plan is not None else ():
        marker = marker_at(zone, entry.name)
        if entry.kind != "first" and isinstance(marker, Marker) and marker.state not in ("retired", "placeholder"):
            yield marker.since


def wrong_with_report(outcomes: Iterable[Outcome], *, witnessed: bool) -> list[str]:
    """G10: written is told only on a reply that says so, or on a reading that shows the change's own nonce."""
    if witnessed:
        return []
    return [f"G10: {one.name} is told as {one.result}, and nothing shows it" for one in outcomes if one.result in _DONE]


_DONE: Final = ("written", "refilled")


def not_reached(zone: ZoneState, plan: Plan) -> str:
    """G4: how the zone differs from what this plan, the newest, makes of it; empty if it has been reached.

    What is frozen stays as it is, and a zone under a frozen floor is right as it stands. A tombstone stays one.
    """
    stream = plan.record.stream
    floor = floor_at(zone, stream)
    if isinstance(floor, Floor) and floor.frozen:
        return ""
    first = marker_at(zone, first_name(stream, zone.apex))
    if not isinstance(floor, Floor) and isinstance(first, Marker) and first.frozen:
        return ""  # the floor is lost, and its first entry remembers that the zone is frozen
    if not isinstance(floor, Floor) or floor.stream != stream:
        return "the zone has no floor that can be read"
    found = [_short_of(zone, entry, stream) for entry in plan.by_zone.get(zone.apex, ())]
    return "; ".join(text for text in found if text)


def _short_of(zone: ZoneState, entry: Entry, stream: str) -> str:
    marker = marker_at(zone, entry.name)
    if not isinstance(marker, Marker):
        return f"{entry.name} has no marker that can be read"
    if marker.frozen or marker.stream != stream or (marker.state == "retired" and entry.kind != "retired"):
        return ""
    if marker.since != entry.since:
        return f"{entry.name} is at since {marker.since}, and the newest plan says {entry.since}"
    if (entry.kind == "retired") != (marker.state == "retired"):
        return f"{entry.name} shall be {entry.kind} and its marker is {marker.state}"
    if entry.has_tree:
        damage = not_its_tree(zone, entry)
    else:
        damage = damage_of(entry, contents_at(zone, entry.name)) or not_flat_any_more(zone, entry)
    return f"{entry.name}: {damage}" if damage else ""
