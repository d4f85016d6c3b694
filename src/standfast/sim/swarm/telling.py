"""A failed run told as a story: what happened to one endpoint, and what each process believed of it.

The scenario is run once more, with somebody listening. A region has hundreds of endpoints; the story shows the one
whose property was broken, its marker and its zone's floor, and leaves out what did not concern them.
"""

from collections import deque
from typing import Final

from msgspec.structs import replace

from standfast.model.marker import Marker
from standfast.model.name import floor_owner, marker_owner
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset, RRType
from standfast.model.tree import read_tree_name
from standfast.ports.provider import Prerequisite, Replace, Written
from standfast.ports.provider_spec import ZoneState
from standfast.sim.properties import contents_at, marker_at
from standfast.sim.story.story import Answer, Moment, Record, Scene, Story

from .enacting import EnactorProcess
from .running import Run, Simulation
from .scenario import STREAM, endpoint_names

MOMENTS_MAX: Final = 200
"""The last so many; a shrunk scenario has far fewer."""


def told(failed: Run, replayed_by: str = "") -> Story:
    """The story of a run that broke a property. Raises ValueError for one that did not."""
    if failed.broken is None:
        raise ValueError("nothing is broken, so there is nothing to tell")
    simulation = Simulation(failed.scenario)
    teller = _Teller(simulation, failed.broken.endpoint)
    beginning = teller.scene()
    again = simulation.run()
    if again.broken is None or again.digest != failed.digest:
        raise AssertionError("the same scenario came out otherwise: the simulator is not deterministic")
    what = f"{again.broken.rule}: {again.broken.what}"
    moments = teller.ended(what)
    return Story(
        title=f"seed {failed.scenario.seed}: {what}",
        actors=teller.actors,
        beginning=beginning,
        moments=moments,
        outcome=f"{what}, {again.broken.at:.3f} s after the beginning",
        replayed_by=replayed_by,
    )


class _Teller:
    """Listens to a simulation and keeps what concerns one endpoint."""

    def __init__(self, simulation: Simulation, endpoint: str) -> None:
        self._region = simulation.region
        zones = {name: zone for zone, name in endpoint_names(simulation.scenario)}
        default_zone, default_name = endpoint_names(simulation.scenario)[-1]
        self._name = endpoint or default_name
        self._zone = zones.get(self._name) or next(
            (zone for zone in self._region.servers if self._name.endswith(zone)), default_zone
        )
        self._moments: deque[Moment] = deque(maxlen=MOMENTS_MAX)
        self._region.on_note, self._region.on_change = self._noted, self._changed

    @property
    def actors(self) -> tuple[str, ...]:
        """The lanes, processes first."""
        seen = {moment.actor for moment in self._moments}
        order = [*self._region.processes, "store", "people", "fault", "judge"]
        return tuple(actor for actor in order if actor in seen)

    def scene(self) -> Scene:
        """The world now, as far as it concerns the endpoint."""
        zone = self._region.servers[self._zone].state
        state = self._region.depot.state
        store = (f"head {state.head.generation}" if state.head else "empty", f"{len(state.plans)} plans")
        return Scene(_records(zone, self._name), (_answer(zone, self._name),), store, self._beliefs())

    def _beliefs(self) -> tuple[tuple[str, str], ...]:
        return tuple((one.name, _belief(one, self._zone, self._name)) for one in self._region.enactors)

    def _add(self, actor: str, text: str, to: str = "", refused: str = "") -> None:
        at = f"{self._region.loop.now:,.3f} s"
        self._moments.append(Moment(actor, text, self.scene(), to=to, refused=refused, caption=at))

    def _noted(self, actor: str, text: str) -> None:
        self._add("people" if text.startswith("hand: ") else actor, text)

    def _changed(self, who: str, change: Replace, reply: object, before: ZoneState, after: ZoneState) -> None:
        names = [write.name for write in change.writes]
        if change.zone != self._zone or (self._name not in names and not change.floor.contents):
            return
        actor, _, how = who.partition(" ")
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        first = self._name if self._name in names else names[0] if names else "the floor"
        what = f"{first}{others}"
        refused = "" if isinstance(reply, Written) else _refusal(change, reply, before)
        act = f"collects trees of {what}" if collects(change) else f"changes {what}"
        text = act + (f" (this request arrives {how})" if how else "")
        self._add(actor, f"{text} → {type(reply).__name__}", change.zone, refused)

    def ended(self, violation: str) -> tuple[Moment, ...]:
        """The last change is the one that broke it, if a change did; else the judge says so at the end."""
        moments = list(self._moments)
        if moments:
            moments[-1] = replace(moments[-1], violation=violation)
        return tuple(moments)


def collects(change: Replace) -> bool:
    """Whether it takes records of trees away and puts nothing."""
    contents = [one for write in change.writes for one in write.contents]
    trees = all(read_tree_name(one.owner, change.zone) is not None for one in contents)
    return bool(contents) and trees and not any(one.rdata for one in contents)


def _records(zone: ZoneState, name: str) -> tuple[Record, ...]:
    marker, floor = marker_owner(name, zone.apex), floor_owner(STREAM, zone.apex)
    wanted = [(name, int(rtype)) for rtype in (*ADDRESS_TYPES, *ROUTED_TYPES, RRType.CNAME)]
    wanted += [(marker, int(RRType.TXT)), (floor, int(RRType.TXT))]
    kinds = {marker: "marker", floor: "floor"}
    found = []
    for owner, rtype in wanted:
        rrset = zone.rrsets.get((owner, rtype))
        if rrset is not None:
            what = kinds.get(owner, "alias" if rtype in (*ROUTED_TYPES, RRType.CNAME) else "address")
            found.append(Record(owner, what, rrset.texts()))
    return tuple(found)


def _answer(zone: ZoneState, name: str) -> Answer:
    present = [one for one in dict.fromkeys(contents_at(zone, name)) if one is not None]
    addresses = tuple(text for one in present if one.rtype != RRType.CNAME for text in one.texts())
    return Answer(name, "NOERROR" if present or _exists(zone, name) else "NXDOMAIN", addresses)


def _exists(zone: ZoneState, name: str) -> bool:
    return any(owner == name or owner.endswith(f".{name}") for owner, _ in zone.rrsets)


def _belief(one: EnactorProcess, zone: str, name: str) -> str:
    if not one.alive:
        return "dead"
    core = one.core
    if core.plan is None:
        return "holds no plan"
    entry = core.plan.entry((zone, name))
    wanted = f"since {entry.since}" if entry is not None else "not in it"
    marker = core.belief(zone).markers.get(name)
    still = "; stands still" if one.resumes_at > one.region.loop.now else ""
    return f"holds {core.plan.generation}, {name}: {wanted}; believes {_seen(marker, zone, name)}{still}"


def _seen(rrset: RRset | None, zone: str, name: str) -> str:
    if rrset is None:
        return "nothing of its marker"
    marker = marker_at(ZoneState(zone, {(marker_owner(name, zone), int(RRType.TXT)): rrset}), name)
    return f"its marker at {marker.since}" if isinstance(marker, Marker) else "its marker unreadable"


def _refusal(change: Replace, reply: object, before: ZoneState) -> str:
    """The first precondition that did not hold: expected and found."""
    if why := getattr(reply, "why", ""):
        return str(why)
    for part in (change.floor, *change.writes):
        for wanted in part.prerequisites:
            if not before.holds(wanted):
                return f"{wanted.owner}: expected {_expected(wanted)}, found {_found(before, wanted)}"
    return ""


def _expected(wanted: Prerequisite) -> str:
    return " ".join(RRset.of(wanted.rtype, 0, wanted.rdata).texts()) or "nothing"


def _found(zone: ZoneState, wanted: Prerequisite) -> str:
    rrset = zone.rrsets.get((wanted.owner, wanted.rtype))
    return " ".join(rrset.texts()) if rrset is not None else "nothing"
