"""Standfast itself as a system to explore: production cores, the ports' specifications, faults and hands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from standfast.core.enactor import Enactor
from standfast.model.plan import Plan
from standfast.ports import store_spec
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import Publish
from standfast.ports.store_spec import StoreState
from standfast.sim.search.product import Outcome, Property, Rule, Step, Symbol, Value

from .acting import NOBODY_KNOWS, Act, Judge, Places, flights, zone_of
from .bounds import Run
from .cleaning import cleaner
from .collecting import collectors
from .enacting import Enacting, HalfRead
from .hands import hands
from .histories import ENDPOINTS, FIRST, ZONE, names_in, record_owners
from .operating import LANE, leaving, operator
from .planning import planned_alone, planners
from .reaching import lone_enactor, survivor
from .symbols import Symbols
from .waiting import clock

LETTERS = "abcdefgh"


class Always(NamedTuple):
    """A property of every state."""

    name: str
    reads: tuple[int, ...]
    broken: Callable[..., str]


class World:
    """One run as a system of components."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.title = f"{run.name}: {run.about}"
        self.names = names_in(run.plans) if run.plans else (FIRST, ENDPOINTS[0])
        self._symbols = Symbols(ZONE, record_owners(self.names))
        self.plans: dict[str, Plan] = {plan.digest: plan for plan in run.plans}
        places = Places()
        judge = Judge(self.names, self.plans)
        at = {
            "zone": places.add("zone", zone_of({})),
            "ghosts": places.add("ghosts", NOBODY_KNOWS),
            "store": places.add("store", _store(run)),
        }
        slots = tuple(places.add(f"late request {number + 1}", None) for number in range(run.flights))
        at |= {f"slot{number}": place for number, place in enumerate(slots)}
        acts = operator(run, judge, places, at)
        ordering = places.names.index(LANE) if run.operates else None
        acts += flights(judge, at["zone"], at["ghosts"], slots, ordering)
        acts += hands(run, judge, places, at["zone"], at["ghosts"])
        acts += cleaner(run, places, at)
        acts += clock(run, places, at)
        gathering, gatherers = collectors(run, judge, places, at)
        acts += gathering
        acts += planners(run, places, self.plans, at)
        if run.publishing == "atomic":
            acts.append(_publishing(run, at["store"]))
        if ordering is not None:
            at["operator"] = ordering
        self._enactors = self._add_enactors(places, acts, judge, at)
        if ordering is not None and "leave" in run.operator:
            acts.append(leaving(run, judge, ordering, self._enactors))
        self.places = tuple(places.names)
        self.start = tuple(places.start)
        self.rules: Sequence[Rule] = tuple(acts)
        self.properties: Sequence[Property] = tuple(self._all_properties(at))
        alike = self._enactors if not run.distinct else ()
        groups = (slots, alike[: run.cut_off], alike[run.cut_off :], gatherers)
        self.interchangeable = tuple(group for group in groups if len(group) > 1)

    def symbols(self, value: Value) -> tuple[Symbol, ...]:
        """Nonces."""
        return self._symbols.of(value)

    def renamed(self, value: Value, names: Mapping[Symbol, Symbol]) -> Value:
        """With other nonces."""
        renamed: Value = self._symbols.renamed(value, names)
        return renamed

    def _add_enactors(self, places: Places, acts: list[Act], judge: Judge, at: Mapping[str, int]) -> tuple[int, ...]:
        enacting, run, found = Enacting(self.run, judge), self.run, []
        for number in range(run.enactors):
            lane = f"enactor-{LETTERS[number]}"
            core: Enactor = enacting.fresh(lane if run.distinct else "enactor")
            place = places.add(lane, core)
            acts += enacting.acts(lane, place, core, cut_off=number < run.cut_off, **at)
            found.append(place)
        return tuple(found)

    def _all_properties(self, at: Mapping[str, int]) -> Iterable[Property]:
        def reaches(zone: ZoneState, store: StoreState) -> str:
            if (
                self.run.setbacks or "emergency" in self.run.operator
            ):  # enactors wait for a plan above what they find: a planner has its turn first
                store = planned_alone(store, zone)
            newest = next((plan for plan in store.plans if plan.head == store.head), None)
            return lone_enactor(zone, newest)[1] if newest is not None else ""

        def survives(zone: ZoneState, store: StoreState, core: Enactor | HalfRead) -> str:
            newest = next((plan for plan in store.plans if plan.head == store.head), None)
            whole = core if isinstance(core, Enactor) else core.core
            return survivor(zone, whole, newest) if newest is not None else ""

        if self.run.reachable:
            yield Always("G4", (at["zone"], at["store"]), reaches)
        for place in self._enactors if self.run.survivors else ():
            yield Always("G4", (at["zone"], at["store"], place), survives)


def _store(run: Run) -> StoreState:
    store = StoreState()
    for plan in run.plans if run.publishing == "before" else ():
        store, _ = store_spec.apply(store, Publish(store.head, plan))
    return store


def _publishing(run: Run, place: int) -> Act:
    def publish(store: StoreState) -> Iterable[Outcome]:
        for plan in run.plans:
            if store.head is None or plan.generation > store.head.generation:
                after, _ = store_spec.apply(store, Publish(store.head, plan))
                yield Outcome(Step("planner", f"publishes plan {plan.generation}"), (after,))
                return

    return Act("planner publishes", (place,), (place,), publish)
