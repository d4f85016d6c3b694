"""What rules are made of: places, one kind of rule, and a change that arrives at the zone and is checked there."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from standfast.model.marker import Marker
from standfast.model.plan import Plan
from standfast.model.rrset import RRType
from standfast.ports import provider_spec, trees_spec
from standfast.ports.provider import Conflict, Replace, ReplaceReply
from standfast.ports.provider_spec import ZoneState
from standfast.ports.trees import CollectTree
from standfast.sim.properties import NEVER, InEffect, in_effect, marker_at, wrong_with_write
from standfast.sim.search.product import Outcome, Step, Value
from standfast.sim.tree_properties import wrong_with_tree_collection

from .histories import STREAM, ZONE, Rrsets
from .telling import change_text, collection_text, failed_prerequisite, seal_text, short

Ordered: TypeAlias = Literal["", "seal", "emergency", "leave"]
"""What an operator does by a change: freezes or thaws, publishes without a plan, takes markers away."""
Ghosts: TypeAlias = tuple[tuple[str, InEffect], ...]
"""What stood last at endpoints whose marker can't be read now; of the others the marker itself tells."""
NOBODY_KNOWS: Final[Ghosts] = ()


class Act(NamedTuple):
    """A rule: its name, the places it reads and writes, and what may happen given their values."""

    name: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    fire: Callable[..., Iterable[Outcome]]


class Told(Protocol):
    """An operator, as far as the network is concerned."""

    @property
    def told(self) -> str:
        """How the last command ended, if nothing was ordered since."""

    @property
    def endpoint(self) -> str:
        """What it was about; empty: the whole zone."""


class Places:
    """The places of a world, by name, and what each holds at the start."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.start: list[Value] = []

    def add(self, name: str, value: Value) -> int:
        """A new place; its number."""
        self.names.append(name)
        self.start.append(value)
        return len(self.names) - 1


def zone_of(rrsets: Rrsets) -> ZoneState:
    """A zone with these contents. Its serial is always 1: see `Enacting` for what is made of serials."""
    return ZoneState(ZONE, rrsets, 1)


class Arrived(NamedTuple):
    """What became of a change that arrived."""

    zone: ZoneState
    ghosts: Ghosts
    reply: ReplaceReply
    refused: str
    violation: str


class Judge:
    """Lets changes arrive at the zone, by the provider's specification, and checks each of them."""

    def __init__(self, names: tuple[str, ...], plans: Mapping[str, Plan]) -> None:
        self.names = names
        self.plans = plans

    def effects(self, zone: ZoneState, ghosts: Ghosts) -> dict[str, InEffect]:
        """What is in effect of every endpoint."""
        known = dict(ghosts)
        return {name: in_effect(zone, name, known.get(name, NEVER)) for name in self.names}

    def ghosts(self, zone: ZoneState, effects: Mapping[str, InEffect]) -> Ghosts:
        """The ghosts after a change of the zone, given what was in effect before it."""
        found = []
        for name in self.names:
            marker = marker_at(zone, name)
            readable = isinstance(marker, Marker) and marker.state != "placeholder"
            if not readable and effects[name] != NEVER:
                found.append((name, effects[name]))
        return tuple(found)

    def collected(self, zone: ZoneState, ghosts: Ghosts, change: CollectTree) -> Arrived:
        """A deletion of tree records arrives now."""
        after, reply = trees_spec.apply(zone, change)
        if after is zone:
            refused = failed_prerequisite(zone, change.change) if isinstance(reply, Conflict) else ""
            return Arrived(zone, ghosts, reply, refused, "")  # type: ignore[arg-type]
        wrong = wrong_with_tree_collection(zone, after, self.names, self.plans.values(), STREAM)
        return Arrived(zone_of(after.rrsets), ghosts, reply, "", wrong[0] if wrong else "")  # type: ignore[arg-type]

    def arrive(self, zone: ZoneState, ghosts: Ghosts, change: Replace, *, operator: Ordered = "") -> Arrived:
        """The change arrives now."""
        after, reply = provider_spec.apply(zone, change)
        if after is zone:
            refused = failed_prerequisite(zone, change) if isinstance(reply, Conflict) else ""
            return Arrived(zone, ghosts, reply, refused, "")  # type: ignore[arg-type]
        effects = self.effects(zone, ghosts)
        wrong = wrong_with_write(
            zone, after, change, effects, self.plans, STREAM, operator=operator == "seal", leaves=operator == "leave"
        )
        after = zone_of(after.rrsets)
        return Arrived(after, self.ghosts(after, effects), reply, "", wrong[0] if wrong else "")  # type: ignore[arg-type]


class UnderWay(Struct, frozen=True):
    """A change that may arrive after its sender gave up or died. `operator`: what an operator does by it."""

    change: Replace | CollectTree
    operator: Ordered = ""

    @property
    def text(self) -> str:
        """What it is about."""
        if isinstance(self.change, CollectTree):
            return collection_text(self.change)
        return seal_text(self.change) if self.operator else change_text(self.change)


def flights(judge: Judge, zone: int, ghosts: int, slots: tuple[int, ...], operator: int | None) -> list[Act]:
    """Requests under way: each arrives some time, or never.

    `operator` is the operator's place, if there is one: what was told as sealed or left stays as it is, and what was
    told as frozen, thawed or published is not undone by what had been ordered before (G8).
    """

    def land(at: ZoneState, known: Ghosts, late: UnderWay | None, orders: Told | None = None) -> Iterable[Outcome]:
        if late is None:
            return
        if isinstance(late.change, CollectTree):
            arrived, blind = judge.collected(at, known, late.change), False
        else:
            arrived = judge.arrive(at, known, late.change, operator=late.operator)
            blind = asserts_no_floor(late.change)
        violation = arrived.violation
        landed = arrived.zone if not (orders and orders.told == "left" and blind) else at
        if orders is not None and not violation and _undone(orders, at, landed, operator=bool(late.operator)):
            what = short(orders.endpoint) if orders.endpoint else "the zone"
            violation = f"G8: {what} was told as {orders.told}, and then a late request changed it"
        text = f"a late request arrives: {late.text} → {type(arrived.reply).__name__}"
        step = Step("network", text, arrived.refused)
        yield Outcome(step, (arrived.zone, arrived.ghosts, None), violation)

    def vanish(late: UnderWay | None) -> Iterable[Outcome]:
        if late is not None:
            yield Outcome(Step("network", f"a late request is lost: {late.text}"), (None,))

    acts = []
    for slot in slots:
        writes = (zone, ghosts, slot)
        reads = writes if operator is None else (*writes, operator)
        acts.append(Act("late request arrives", reads, writes, land))
        acts.append(Act("late request is lost", (slot,), (slot,), vanish))
    return acts


def asserts_no_floor(change: Replace) -> bool:
    """Whether it was made for a zone without a floor. Absence has no nonce: such a message lands in a zone that was
    left as well (`docs/guarantees.md`, what is not promised)."""
    return any(one.rtype == RRType.TXT and not one.rdata for one in change.floor.prerequisites)


def _undone(orders: Told, before: ZoneState, after: ZoneState, *, operator: bool) -> bool:
    """Whether what was told of a command is no longer so, by a request sent before it."""
    if orders.endpoint:
        return (
            bool(orders.told) and operator and marker_at(before, orders.endpoint) != marker_at(after, orders.endpoint)
        )
    return before != after and (orders.told in ("sealed", "left") or (bool(orders.told) and operator))
