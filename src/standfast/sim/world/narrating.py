"""A counterexample of the search as a story: the world after each step, and what every actor believes in it."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from standfast.core.enactor import Enactor
from standfast.core.stages import Changing, Idle
from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import SUBTREE, marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Replace
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store_spec import StoreState
from standfast.sim.properties import NEVER, contents_at, in_effect
from standfast.sim.search.product import Finding, Value
from standfast.sim.story.story import Answer, Moment, Record, Scene, Story

from .acting import Ghosts, UnderWay
from .cleaning import Cleaner
from .collecting import Collector
from .enacting import HalfRead
from .hands import Hands
from .histories import FIRST, FLOOR_OWNER, ZONE
from .operating import Operator
from .planning import Planner
from .reaching import lone_enactor, told_alone
from .telling import asking_text, listed, record_text, rrset_text, short
from .world import World

LONE: Final = "lone enactor"
"""The lane of the enactor that G4 is about."""
_AT: Final = {"network": "zone", "people": "zone"}


def story_of(world: World, finding: Finding) -> Story:
    """The story of a finding."""
    lanes, moments = _lanes(world, finding), []
    for step, state in zip(finding.steps, finding.states[1:], strict=True):
        scene = _scene(world, state)
        to = _addressee(step.text, step.actor)
        moments.append(Moment(step.actor, step.text, scene, to=to, refused=step.refused))
    if finding.property == "G4":
        afterwards = _alone(world, finding)
        moments, lanes = [*moments, *afterwards], (*lanes, LONE) if afterwards else lanes
    if moments:
        moments[-1] = replace(moments[-1], violation=finding.what)
    return Story(
        title=f"{finding.property} broken in run {world.run.name}",
        actors=lanes,
        beginning=_scene(world, finding.states[0]),
        moments=tuple(moments),
        outcome=finding.what,
    )


def _alone(world: World, finding: Finding) -> list[Moment]:
    """What a fresh enactor makes of the zone of a finding: all that it does is not enough."""
    held = dict(zip(world.places, finding.states[-1], strict=True))
    zone, store = held["zone"], held["store"]
    if not isinstance(zone, ZoneState) or not isinstance(store, StoreState):
        return []
    newest = next((plan for plan in store.plans if plan.head == store.head), None)
    if newest is None or not lone_enactor(zone, newest)[1]:
        return []  # the finding is about one that lives on: a fresh one would do
    found = []
    for text, after, core in told_alone(zone, newest):
        state = tuple(after if name == "zone" else value for name, value in held.items())
        scene = _scene(world, state)
        beliefs = (*scene.beliefs, (LONE, belief_text(core)))
        found.append(Moment(LONE, text, replace(scene, beliefs=beliefs), to="zone"))
    return found


def _lanes(world: World, finding: Finding) -> tuple[str, ...]:
    acting = {step.actor for step in finding.steps}
    places = [name for name in world.places if name in acting]
    others = sorted(acting - set(places))
    return (*places, *others, "store", "zone")


def _addressee(text: str, actor: str) -> str:
    words = (
        "reads",
        "replaces",
        "builds",
        "lists",
        "gives",
        "asks whether",
        "looks whether its change",
        "writes",
        "a late request arrives",
    )
    if actor in _AT or text.startswith(words):
        return "zone"
    return "store" if any(word in text for word in ("is given plan", "publishes", "asks the store", "collects")) else ""


def _scene(world: World, state: tuple[Value, ...]) -> Scene:
    held = dict(zip(world.places, state, strict=True))
    zone, store, ghosts = held["zone"], held["store"], held["ghosts"]
    if not isinstance(zone, ZoneState) or not isinstance(store, StoreState) or not isinstance(ghosts, tuple):
        raise TypeError("a world has a zone, a store and ghosts")
    beliefs = tuple((name, text) for name, value in held.items() if (text := belief_text(value)))
    flights = tuple(value.text for value in held.values() if isinstance(value, UnderWay))
    return Scene(
        zone=tuple(_records(zone)),
        answers=tuple(_answer(world, zone, ghosts, name) for name in world.names if name != FIRST),
        store=tuple(_plan_text(plan, store) for plan in store.plans),
        beliefs=beliefs,
        flights=flights,
    )


def _records(zone: ZoneState) -> Iterable[Record]:
    for (owner, rtype), rrset in sorted(zone.rrsets.items()):
        kind = "alias" if rtype == RRType.CNAME else "address"
        if owner.endswith(f".{SUBTREE}.{ZONE}"):
            kind = "floor" if owner == FLOOR_OWNER else "marker"
        yield Record(owner, kind, (rrset_text(owner, rrset),), rrset.texts()[0] if kind == "alias" else "")


def _answer(world: World, zone: ZoneState, ghosts: Ghosts, name: str) -> Answer:
    """What is answered, and whether that is fewer than what was last in effect there must have."""
    contents = [one for one in contents_at(zone, name) if one is not None and one.rtype != RRType.CNAME]
    texts = tuple(text for rrset in contents for text in rrset.texts())
    effect = in_effect(zone, name, dict(ghosts).get(name, NEVER))
    plan = world.plans.get(effect.plan)
    entry = plan.entry((ZONE, name)) if plan is not None else None
    least = entry.min_answers if entry is not None else ()
    short_of = any(sum(one.count for one in contents if one.answers == rtype) < most for rtype, most in least)
    exists = bool(contents) or any(owner == name for owner, _ in zone.rrsets)
    return Answer(name, "NOERROR" if exists else "NXDOMAIN", texts, short_of)


def _plan_text(plan: Plan, store: StoreState) -> str:
    pins = dict(store.pins)
    head = ", the head" if plan.head == store.head else ""
    pinned = ", pinned" if plan.generation in pins else ""
    contents = [
        f"{short(entry.name)} since {entry.since}" for entry in plan.by_zone.get(ZONE, ()) if entry.kind != "first"
    ]
    return f"plan {plan.generation} ({', '.join(contents)}){head}{pinned}"


def belief_text(value: Value) -> str:
    """What an actor holds to be true, in a few words; empty for what is no actor."""
    match value:
        case Enactor():
            return _enactor_text(value)
        case HalfRead():
            return f"{_enactor_text(value.core)}; has read {len(value.values)} of the keys"
        case Operator():
            doing = "between commands" if value.phase is None else f"{type(value.phase).__name__.lower()}"
            return f"{doing}{f'; told {value.told}' if value.told else ''}; {value.left} commands left"
        case Cleaner():
            return "between passes" if value.phase is None else type(value.phase).__name__.lower()
        case Collector():
            return "between passes" if value.phase is None else type(value.phase).__name__.lower()
        case Planner():
            held = f"holds plan {value.held.generation}" if value.held is not None else "holds no plan"
            return f"{held}, {'between passes' if value.phase is None else type(value.phase).__name__.lower()}"
        case Hands():
            return f"{value.left} acts left" + (", keep a copy of the zone" if value.kept else "")
    return ""


def _enactor_text(core: Enactor) -> str:
    if core.plan is None:
        return "knows nothing yet"
    text = f"holds plan {core.plan.generation}"
    if not isinstance(core.stage, Idle):
        text += f", {asking_text(core)} next"
    believed = [*_beliefs(core), *_sightings(core)]
    return f"{text}; believes {listed(believed)}" if believed else text


def _beliefs(core: Enactor) -> Iterable[str]:
    for zone, belief in core.zones:
        if belief.floor is not None:
            yield record_text(read_floor(belief.floor, zone, FLOOR_OWNER))
        for name, marker in sorted(belief.markers.items()):
            yield f"{short(name)} {record_text(read_marker(marker, zone, marker_owner(name, zone)))}"


def _sightings(core: Enactor) -> Iterable[str]:
    """What the change in hand rests on: the preconditions it will assert."""
    request = core.request if isinstance(core.stage, Changing) else None
    if not isinstance(request, Replace):
        return
    for part in (request.floor, *request.writes):
        for one in part.prerequisites:
            rrset = RRset(one.rtype, 0, one.rdata) if one.rdata else None
            read = read_floor if one.owner == FLOOR_OWNER else read_marker
            record = read(rrset, ZONE, one.owner) if one.rtype == RRType.TXT else None
            what = "the floor" if one.owner == FLOOR_OWNER else short(part.name)
            text = record_text(record) if isinstance(record, Marker | Floor) else rrset_text(one.owner, rrset)
            yield f"{what} {text.removeprefix('floor ')}"
