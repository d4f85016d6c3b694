"""Production planners as components: any number, each with its own view of the fleet, and no agreement but the store.

What each pass observes is left open: all load balancers up, or one of them down. The store's head and the zone's
floor are read by the planner's own phases; a publication may be applied and its reply lost, and a planner may die
anywhere.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.core.holding import Command, Resume, Retire, Rollback
from standfast.core.publisher import Assignment, Done, Phase, Publishing, publish
from standfast.model.entry import Layout
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.ports import provider_spec, store_spec
from standfast.ports.provider import Read
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import Published
from standfast.ports.store_spec import StoreState
from standfast.sim.search.product import Outcome, Step

from .acting import Act, Places
from .bounds import Run
from .enacting import TIME_OUT
from .histories import ENDPOINTS, STREAM, TTL, ZONE
from .telling import short

FLEET: Final = Fleet(
    (
        LoadBalancer("lb-1", "az-1", "main", ("192.0.2.1",), (), 100),
        LoadBalancer("lb-2", "az-2", "main", ("192.0.2.2",), (), 100),
    )
)
VIEWS: Final[dict[str, str]] = {"": "both are up", "lb-1": "lb-1 is down", "lb-2": "lb-2 is down"}
"""What a planner may observe, by the load balancer that is down."""
POLICY: Final = EndpointPolicy(ENDPOINTS[0], ZONE, TTL, min_answers=1, hold_below=0.0, removal_share=1.0)


class Planner(Struct, frozen=True):
    """Where the pass stands, and the newest plan this process knows."""

    phase: Phase | None = None
    held: Plan | None = None


def planners(run: Run, places: Places, plans: MutableMapping[str, Plan], at: dict[str, int]) -> list[Act]:
    """The rules of the planners, and their places. Each plan published is put into `plans`, by its digest."""
    acts = _setbacks(run, places, at["store"])
    for number in range(run.planners if run.publishing == "planner" else 0):
        lane = f"planner-{number + 1}"
        place, zone, store = places.add(lane, Planner()), at["zone"], at["store"]
        fired = _Fired(run, lane, plans)
        acts += [
            Act("planner begins", (place, store), (place,), fired.begin),
            Act("planner reads the zone", (place, zone), (place,), fired.look),
            Act("planner asks the store", (place, store), (place, store), fired.ask),
            Act("planner crashes", (place,), (place,), fired.die),
        ]
    return acts


def planned_alone(store: StoreState, zone: ZoneState) -> StoreState:
    """The store after one undisturbed pass of a planner just started: it publishes above whatever it finds.

    It wants a tree if the newest plan has one."""
    newest = next((plan.entry(POLICY.key) for plan in store.plans if plan.head == store.head), None)
    layout: Layout = "tree" if newest is not None and newest.has_tree else "flat"
    verdicts = tuple((one.id, Verdict("up", "")) for one in FLEET.load_balancers)
    phase: Phase = publish(
        Assignment(STREAM, (ZONE,), FLEET, verdicts, (replace(POLICY, layout=layout),), 0.0, "planner", survey=True)
    )
    while not isinstance(phase, Done):
        request = phase.request
        if isinstance(request, Read):
            reply: Any = provider_spec.apply(zone, request)[1]
        else:
            store, reply = store_spec.apply(store, request)
        phase = phase.heard(reply)
    return store


def _setbacks(run: Run, places: Places, store: int) -> list[Act]:
    """The store is lost or set back to an older copy, so many times: plans that enactors have are not in it."""
    if not run.setbacks:
        return []
    place = places.add("setbacks", run.setbacks)

    def set_back(at: StoreState, left: int) -> Iterable[Outcome]:
        for count in range(len(at.plans) if left else 0):
            kept = at.plans[:count]
            older = StoreState(kept[-1].head if kept else None, kept)
            what = f"is set back to plan {kept[-1].generation}" if kept else "is lost"
            yield Outcome(Step("store", what), (older, left - 1))

    return [Act("store is set back", (store, place), (store, place), set_back)]


class _Fired:
    """What one planner does."""

    def __init__(self, run: Run, lane: str, plans: MutableMapping[str, Plan]) -> None:
        self._run = run
        self._lane = lane
        self._plans = plans

    def begin(self, at: Planner, store: StoreState) -> Iterable[Outcome]:
        """A pass, with what it observes; an operator's command may take its place."""
        if at.phase is not None or len(store.plans) >= self._run.publications:
            return
        for down, view in VIEWS.items():
            yield Outcome(
                Step(self._lane, f"begins a pass: {view}"), (Planner(publish(self._task(at, down)), at.held),)
            )
        for text, command in self._commands(at, store):
            task = self._task(at, "", command)
            yield Outcome(Step(self._lane, text), (Planner(publish(task), at.held),))

    def _commands(self, at: Planner, store: StoreState) -> Iterable[tuple[str, Command]]:
        key = POLICY.key
        if at.held is not None and "retire" in self._run.operator:
            yield f"is told to retire {short(key[1])}", Retire((key,), "operator")
        if at.held is None or "rollback" not in self._run.operator:
            return
        for plan in store.plans:
            text = f"is told to roll {short(key[1])} back to plan {plan.generation}"
            yield text, Rollback(plan, (key,), "operator")
        yield f"is told to resume {short(key[1])}", Resume((key,), "operator")

    def _task(self, at: Planner, down: str, command: Command | None = None) -> Assignment:
        verdicts = tuple((one.id, Verdict("down" if one.id == down else "up", "")) for one in FLEET.load_balancers)
        return Assignment(
            STREAM,
            (ZONE,),
            FLEET,
            verdicts,
            (POLICY,),
            0.0,
            "planner",
            held=at.held,
            survey=at.held is None,
            command=command,
        )

    def die(self, at: Planner) -> Iterable[Outcome]:
        """It is started again, and knows nothing."""
        if at != Planner():
            yield Outcome(Step(self._lane, "crashes and is started again"), (Planner(),))

    def look(self, at: Planner, zone: ZoneState) -> Iterable[Outcome]:
        """Floors, markers, names."""
        if at.phase is None or isinstance(at.phase, Done) or not isinstance(at.phase.request, Read):
            return
        reply = provider_spec.apply(zone, at.phase.request)[1]
        after, text = self._after(at, at.phase.heard(reply), "reads the zone")  # type: ignore[arg-type]
        yield Outcome(Step(self._lane, text), (after,))

    def ask(self, at: Planner, store: StoreState) -> Iterable[Outcome]:
        """Head, plan, publication."""
        if at.phase is None or isinstance(at.phase, Done) or isinstance(at.phase.request, Read):
            return
        request = at.phase.request
        stored, reply = store_spec.apply(store, request)
        text = f"asks the store ({type(request).__name__})"
        if isinstance(at.phase, Publishing):
            plan = at.phase.plan
            text = f"publishes plan {plan.generation} → {type(reply).__name__}"
            self._plans.setdefault(plan.digest, plan)
        after, said = self._after(at, at.phase.heard(reply), text)  # type: ignore[arg-type]
        yield Outcome(Step(self._lane, said), (after, stored))
        if isinstance(reply, Published) and "lost" in self._run.faults:
            after, said = self._after(at, at.phase.heard(TIME_OUT), f"{text}, and the reply is lost")
            yield Outcome(Step(self._lane, said), (after, stored))

    def _after(self, at: Planner, phase: Phase, text: str) -> tuple[Planner, str]:
        if isinstance(phase, Done):
            held = phase.outcome.plan if phase.outcome.plan is not None else at.held
            return Planner(None, held), f"{text}; the pass ends: {phase.outcome.kind}"
        return Planner(phase, at.held), text
