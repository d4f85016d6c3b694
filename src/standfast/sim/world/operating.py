"""An operator who freezes and thaws: the production freezer as a component, which may die anywhere."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from standfast.core.freezer import Freezing, Phase, begin
from standfast.core.sealing import Command, Ended
from standfast.ports import provider_spec
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent
from standfast.ports.provider import Replace, Written
from standfast.ports.provider_spec import ZoneState
from standfast.sim.search.product import FRESH, Outcome, Step

from .acting import Act, Ghosts, Judge, Places, UnderWay
from .bounds import Run
from .enacting import TIME_OUT
from .histories import ENDPOINTS, STREAM, ZONE
from .telling import failed_prerequisite, seal_text, short

LANE: Final = "operator"
_PATIENCE: Final = 1
"""Conflicts that a command bears in a search: whoever gives up may give the command again."""
_SUCCESS: Final = ("sealed", "frozen", "thawed")


class Operator(Struct, frozen=True):
    """How many commands are left to give, and where the present one stands (None: there is none).

    `told` is how the last one ended if it succeeded (sealed, frozen, thawed) and nothing was ordered since; `endpoint`
    is what it was about, empty for the zone.
    """

    left: int
    phase: Freezing | None = None
    told: str = ""
    endpoint: str = ""


def orders(run: Run, names: tuple[str, ...]) -> dict[str, Command]:
    """The commands of a run, by their words."""
    verbs: tuple[Literal["freeze", "thaw"], ...] = ("freeze", "thaw")
    found = {}
    for verb in verbs:
        command = Command(verb, STREAM, ZONE, LANE, names, patience=_PATIENCE)
        found[f"{verb} zone"] = command
        found[f"{verb} endpoint"] = replace(command, endpoint=ENDPOINTS[0])
    return {words: found[words] for words in run.operator if words in found}


def operator(run: Run, judge: Judge, places: Places, at: dict[str, int]) -> list[Act]:
    """The rules of the operator, and the place."""
    if not run.operates:
        return []
    place = places.add(LANE, Operator(run.commands))
    fired = _Fired(run, judge)
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


class _Fired:
    """What the operator does."""

    def __init__(self, run: Run, judge: Judge) -> None:
        self._run = run
        self._judge = judge
        self._orders = orders(run, tuple(name for name in judge.names))

    def order(self, at: Operator) -> Iterable[Outcome]:
        """A command, while none is being carried out."""
        if at.phase is not None or not at.left:
            return
        for words, command in self._orders.items():
            text = (
                words.replace("endpoint", short(command.endpoint)) if command.endpoint else f"{command.verb} the zone"
            )
            for step, after in self._after(
                Operator(at.left - 1, endpoint=command.endpoint), begin(command), f"orders: {text}"
            ):
                yield Outcome(step, (after,))

    def die(self, at: Operator) -> Iterable[Outcome]:
        """The command ends where it stands."""
        if at.phase is not None:
            yield Outcome(Step(LANE, "is interrupted"), (Operator(at.left),))

    def ask(self, at: Operator, zone: ZoneState) -> Iterable[Outcome]:
        """A reading, or prerequisites alone."""
        if at.phase is None or isinstance(at.phase.request, Replace):
            return
        reply = provider_spec.apply(zone, at.phase.request)[1]  # type: ignore[arg-type]
        name = type(at.phase).__name__.lower()
        for step, after in self._after(at, at.phase.heard(reply), f"is {name}"):  # type: ignore[arg-type]
            yield Outcome(step, (after,))

    def write(self, at: Operator, zone: ZoneState, ghosts: Ghosts) -> Iterable[Outcome]:
        """The change arrives; its reply may be lost."""
        change = _change(at)
        if change is None or at.phase is None:
            return
        arrived = self._judge.arrive(zone, ghosts, change, operator=True)
        replies = [arrived.reply]
        if "lost" in self._run.faults and isinstance(arrived.reply, Written):
            replies.append(TIME_OUT)
        for reply in replies:
            lost = ", and the reply is lost" if reply is TIME_OUT else ""
            text = f"{seal_text(change)} → {type(arrived.reply).__name__}{lost}"
            for step, after in self._after(at, at.phase.heard(reply), text):  # type: ignore[arg-type]
                told = replace(step, refused=failed_prerequisite(zone, change))
                told = step if isinstance(arrived.reply, Written) else told
                yield Outcome(told, (after, arrived.zone, arrived.ghosts), arrived.violation)

    def late(self, at: Operator, slot: UnderWay | None) -> Iterable[Outcome]:
        """No answer comes, and the request is still under way."""
        change = _change(at)
        if change is None or slot is not None or at.phase is None:
            return
        for step, after in self._after(at, at.phase.heard(TIME_OUT), f"{seal_text(change)}: it is delayed"):  # type: ignore[arg-type]
            yield Outcome(step, (after, UnderWay(change, operator=True)))

    def _after(self, at: Operator, phase: Phase, text: str) -> Iterator[tuple[Step, Operator]]:
        while isinstance(phase, Ended) is False and isinstance(request := phase.request, DrawNonce | RecordIntent):  # type: ignore[union-attr]
            reply: Nonce | Recorded = Nonce(FRESH) if isinstance(request, DrawNonce) else Recorded()
            phase = phase.heard(reply)  # type: ignore[union-attr, arg-type]
        if isinstance(phase, Ended):
            told = phase.result if phase.result in _SUCCESS else ""
            why = f" ({phase.why})" if phase.why else ""
            yield (
                Step(LANE, f"{text}; the command ends: {phase.result}{why}"),
                Operator(at.left, None, told, at.endpoint if told else ""),
            )
        else:
            yield Step(LANE, text), Operator(at.left, phase, endpoint=at.endpoint)


def _change(at: Operator) -> Replace | None:
    request = at.phase.request if at.phase is not None else None
    return request if isinstance(request, Replace) else None
