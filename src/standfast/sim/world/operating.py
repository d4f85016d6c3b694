"""An operator in the zone itself: the production cores of freeze, thaw, emergency publish and leave, as a component
which may die anywhere."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from standfast.core.direct import Acting, Ended, Phase, begin
from standfast.core.emergency import Emergency
from standfast.core.freezer import Freezing
from standfast.core.leaving import Leave
from standfast.model.rrset import RRType, addresses
from standfast.ports import provider_spec
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent
from standfast.ports.provider import Replace, Written
from standfast.ports.provider_spec import ZoneState
from standfast.sim.properties import ours_in
from standfast.sim.search.product import FRESH, Outcome, Step

from .acting import Act, Ghosts, Judge, Ordered, Places, UnderWay
from .bounds import Run
from .enacting import TIME_OUT
from .histories import ENDPOINTS, STREAM, TTL, ZONE
from .telling import failed_prerequisite, seal_text, short

LANE: Final = "operator"
_PATIENCE: Final = 1
"""Conflicts that a command bears in a search: whoever gives up may give the command again."""
_SUCCESS: Final = ("sealed", "frozen", "thawed", "done")
_TOLD: Final = {"emergency": "published", "leave": "left"}
EMERGENCY: Final = ("192.0.2.9",)
"""What an emergency publishes."""


class Idling(Protocol):
    """An enactor, as far as the operator looks at it."""

    @property
    def request(self) -> object:
        """None: it is between two passes."""


class Operator(Struct, frozen=True):
    """How many commands are left to give, and where the present one stands (None: there is none).

    `told` is how the last one ended if it succeeded (sealed, frozen, thawed, published, left) and nothing was ordered
    since; `endpoint` is what it was about, empty for the zone; `act` what its changes do. `leaving`: everybody was
    stopped for good before, to leave.
    """

    left: int
    phase: Acting | None = None
    told: str = ""
    endpoint: str = ""
    act: Ordered = "seal"
    leaving: bool = False


class Order(Struct, frozen=True):
    """Something an operator may order: how it begins, what it is about, what its changes do."""

    phase: Phase
    endpoint: str
    act: Ordered


def orders(run: Run, names: tuple[str, ...]) -> dict[str, Order]:
    """The commands of a run, by their words."""
    verbs: tuple[Literal["freeze", "thaw"], ...] = ("freeze", "thaw")
    found = {}
    for verb in verbs:
        command = Freezing(verb, STREAM, ZONE, LANE, names, patience=_PATIENCE)
        found[f"{verb} zone"] = Order(begin(command), "", "seal")
        found[f"{verb} endpoint"] = Order(begin(replace(command, endpoint=ENDPOINTS[0])), ENDPOINTS[0], "seal")
    rescue, least = addresses(TTL, EMERGENCY), ((int(RRType.A), 1),)
    emergency = Emergency(STREAM, ZONE, LANE, ENDPOINTS[0], rescue, least, patience=_PATIENCE)
    found["emergency"] = Order(begin(emergency), ENDPOINTS[0], "emergency")
    way_out = Leave(STREAM, ZONE, LANE, names, size=1, patience=_PATIENCE)
    found["leave"] = Order(begin(way_out), "", "leave")
    return {words: found[words] for words in run.operator if words in found}


def operator(run: Run, judge: Judge, places: Places, at: dict[str, int]) -> list[Act]:
    """The rules of the operator, and the place."""
    if not run.operates:
        return []
    place = places.add(LANE, Operator(run.commands))
    fired = Fired(run, judge)
    zone, ghosts = at["zone"], at["ghosts"]
    acts = [
        Act("operator orders", (place,), (place,), fired.order),
        Act("operator asks", (place, zone), (place,), fired.ask),
        Act("operator writes", (place, zone, ghosts), (place, zone, ghosts), fired.write),
    ]
    if run.crashes:
        acts.append(Act("operator is interrupted", (place,), (place,), fired.die))
    slots = [number for name, number in at.items() if name.startswith("slot")]
    acts += [Act("operator's request is late", (place, one), (place, one), fired.late) for one in slots]
    return acts


def leaving(run: Run, judge: Judge, place: int, enactors: tuple[int, ...]) -> Act:
    """The order to leave: given when no enactor is in the midst of anything, and none begins a pass from then on."""
    return Act("operator leaves", (place, *enactors), (place,), Fired(run, judge).leave)


class Fired:
    """What the operator does."""

    def __init__(self, run: Run, judge: Judge) -> None:
        self._run = run
        self._judge = judge
        self._orders = orders(run, tuple(name for name in judge.names))

    def order(self, at: Operator) -> Iterable[Outcome]:
        """A command, while none is being carried out."""
        if at.phase is not None or not at.left:
            return
        for words, order in self._orders.items():
            if order.act != "leave":
                yield from self._begun(at, words, order)

    def leave(self, at: Operator, *enactors: Idling) -> Iterable[Outcome]:
        """The way out, while none is being carried out; it is the last command."""
        if at.phase is None and at.left and all(one.request is None for one in enactors):
            yield from self._begun(replace(at, leaving=True), "leave", self._orders["leave"])

    def _begun(self, at: Operator, words: str, order: Order) -> Iterable[Outcome]:
        text = words.replace("endpoint", short(order.endpoint)).replace("zone", "the zone")
        started = replace(at, left=at.left - 1, phase=None, told="", endpoint=order.endpoint, act=order.act)
        for step, after in self._after(started, order.phase, f"orders: {text}"):
            yield Outcome(step, (after,))

    def die(self, at: Operator) -> Iterable[Outcome]:
        """The command ends where it stands."""
        if at.phase is not None:
            ended = Operator(at.left, leaving=at.leaving)
            yield Outcome(Step(LANE, "is interrupted"), (ended,))

    def ask(self, at: Operator, zone: ZoneState) -> Iterable[Outcome]:
        """A reading, or prerequisites alone."""
        if at.phase is None or isinstance(at.phase.request, Replace):
            return
        reply = provider_spec.apply(zone, at.phase.request)[1]  # type: ignore[arg-type]
        name = type(at.phase).__name__.lower()
        for step, after in self._after(at, at.phase.heard(reply), f"is {name}"):  # type: ignore[arg-type]
            yield Outcome(step, (after,), _left_behind(after, zone))

    def write(self, at: Operator, zone: ZoneState, ghosts: Ghosts) -> Iterable[Outcome]:
        """The change arrives; its reply may be lost."""
        change = _change(at)
        if change is None or at.phase is None:
            return
        arrived = self._judge.arrive(zone, ghosts, change, operator=at.act)
        replies = [arrived.reply]
        if "lost" in self._run.faults and isinstance(arrived.reply, Written):
            replies.append(TIME_OUT)
        for reply in replies:
            lost = ", and the reply is lost" if reply is TIME_OUT else ""
            text = f"{seal_text(change)} → {type(arrived.reply).__name__}{lost}"
            for step, after in self._after(at, at.phase.heard(reply), text):  # type: ignore[arg-type]
                told = replace(step, refused=failed_prerequisite(zone, change))
                told = step if isinstance(arrived.reply, Written) else told
                wrong = arrived.violation or _left_behind(after, arrived.zone)
                yield Outcome(told, (after, arrived.zone, arrived.ghosts), wrong)

    def late(self, at: Operator, slot: UnderWay | None) -> Iterable[Outcome]:
        """No answer comes, and the request is still under way."""
        change = _change(at)
        if change is None or slot is not None or at.phase is None:
            return
        for step, after in self._after(at, at.phase.heard(TIME_OUT), f"{seal_text(change)}: it is delayed"):  # type: ignore[arg-type]
            yield Outcome(step, (after, UnderWay(change, operator=at.act)))

    def _after(self, at: Operator, phase: Phase, text: str) -> Iterator[tuple[Step, Operator]]:
        while not isinstance(phase, Ended):
            request = phase.request
            if not isinstance(request, DrawNonce | RecordIntent):
                break
            reply: Nonce | Recorded = Nonce(FRESH) if isinstance(request, DrawNonce) else Recorded()
            phase = phase.heard(reply)  # type: ignore[arg-type]
        if isinstance(phase, Ended):
            told = _TOLD.get(at.act, phase.result) if phase.result in _SUCCESS else ""
            why = f" ({phase.why})" if phase.why else ""
            over = Operator(at.left, None, told, at.endpoint if told else "", leaving=at.leaving)
            yield Step(LANE, f"{text}; the command ends: {phase.result}{why}"), over
        else:
            yield Step(LANE, text), replace(at, phase=phase)


def _left_behind(after: Operator, zone: ZoneState) -> str:
    """Whether the zone is told as left and something of ours is there."""
    found = ours_in(zone) if after.told == "left" and after.phase is None else []
    return f"G8: the zone is told as left, and there still is {found[0]}" if found else ""


def _change(at: Operator) -> Replace | None:
    request = at.phase.request if at.phase is not None else None
    return request if isinstance(request, Replace) else None
