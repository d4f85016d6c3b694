"""A store and zones by their specifications, to publish over; and the tasks to do so."""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from harness.planning import DOWN, UP, ZONE, fleet, policy
from standfast.core.publisher import (
    Assignment,
    Done,
    Outcome,
    Phase,
    PublisherReply,
    PublisherRequest,
    publish,
)
from standfast.model.marker import (
    Floor,
    Marker,
    MarkerState,
    floor_rdata,
    marker_rdata,
)
from standfast.model.name import floor_owner, marker_owner
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRset, RRType, txt_rdata
from standfast.ports import provider_spec, store_spec
from standfast.ports.provider import Key, Read, Readings, Unknown
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import (
    HeadMoved,
    HeadRead,
    PlanMissing,
    PlanRead,
    Published,
    SourceMoved,
)
from standfast.ports.store_spec import StoreState

OTHER = "other.example"
LOST = Unknown("timed out")


def task(
    *policies: EndpointPolicy,
    ill: Iterable[str] = (),
    held: Plan | None = None,
    zones: tuple[str, ...] = (ZONE,),
    begun: tuple[tuple[str, int], ...] = (),
    survey: bool = False,
) -> Assignment:
    some = fleet(4)
    verdicts = tuple((one.id, DOWN if one.id in ill else UP) for one in some.load_balancers)
    return Assignment(
        "main", zones, some, verdicts, policies or (policy(),), 5.0, "tests", held=held, begun=begun, survey=survey
    )


class World:
    """A store and zones as their specifications have them."""

    def __init__(self, plans: Iterable[Plan] = (), *zones: ZoneState) -> None:
        plans = tuple(plans)
        self.store = StoreState(plans[-1].head if plans else None, plans)
        self.zones = {zone.apex: zone for zone in zones or (ZoneState(ZONE, {}),)}
        self.asked: list[PublisherRequest] = []

    def answer(self, request: PublisherRequest) -> PublisherReply:
        self.asked.append(request)
        if isinstance(request, Read):
            if request.zone not in self.zones:
                return LOST
            _, reply = provider_spec.apply(self.zones[request.zone], request)
            assert isinstance(reply, Readings)
            return reply
        self.store, said = store_spec.apply(self.store, request)
        assert isinstance(said, HeadRead | PlanRead | PlanMissing | Published | HeadMoved | SourceMoved)
        return said

    def run(self, wanted: Assignment) -> Outcome:
        return run(wanted, self.answer)


def run(wanted: Assignment, answer: Callable[[PublisherRequest], PublisherReply]) -> Outcome:
    phase: Phase = publish(wanted)
    for _ in range(200):
        if isinstance(phase, Done):
            return phase.outcome
        assert hash(phase) == hash(replace(phase))
        phase = phase.heard(answer(phase.request))
    raise AssertionError("no end")


def floor_at(generation: int, zone: str = ZONE, *, frozen: bool = False) -> dict[Key, RRset]:
    owner = floor_owner("main", zone)
    floor = Floor("main", generation, "frozen" if frozen else "live", "f" * 16)
    return {(owner, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [floor_rdata(floor, zone, owner)])}


def marker_at(
    name: str, since: int, generation: int, plan: str, *, stream: str = "main", state: MarkerState = "live"
) -> dict[Key, RRset]:
    owner = marker_owner(name, ZONE)
    marker = Marker(stream, since, generation, plan, state, "a", "0" * 16)
    return {(owner, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [marker_rdata(marker, ZONE, owner)])}


def garbage_at(owner: str) -> dict[Key, RRset]:
    return {(owner, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [txt_rdata("garbage")])}


def zone_of(*parts: Mapping[Key, RRset]) -> ZoneState:
    return ZoneState(ZONE, {key: rrset for part in parts for key, rrset in part.items()})


def published(outcome: Outcome) -> Plan:
    assert outcome.kind == "published", outcome
    assert outcome.plan is not None
    return outcome.plan


def scripted(*replies: PublisherReply) -> Callable[[PublisherRequest], PublisherReply]:
    row = iter(replies)
    return lambda request: next(row)
