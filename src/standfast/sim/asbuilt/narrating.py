"""What a search found, told: the zones as trees, what resolvers are answered, what each enactor believes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from standfast.sim.search.product import Finding, Step, Value
from standfast.sim.story.story import Answer, Moment, Record, Scene, Story

from . import plans
from .driving import Region, Turn
from .enactor import Enactor
from .route53 import HostedZone, resolve
from .system import STORE, AsBuilt

PREVENTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "backwards": ("fence", "check-in-lock"),
    "emptied": ("assert-referenced", "fence"),
    "dangling": ("assert-referenced",),
    "unhealed": ("decoupled", "repair"),
    "wedged": ("decoupled", "repair"),
}
"""Remedies each of which, by itself, removes the failure in every state explored; a test asks the search."""

_PLANNER: Final = "planner"
_AFTERWARDS_MAX: Final = 12
_MEANING: Final[Mapping[str, str]] = {
    "backwards": "An older plan replaces a newer one: the lock says who may write, not how old the plan is.",
    "emptied": "Customers are answered NOERROR with no addresses, for A and AAAA alike.",
    "dangling": "The operators' one-step way back leads nowhere.",
    "unhealed": "The next plan cannot be installed: root and rollback move together, and what rollback would refer to "
    "is gone.",
    "wedged": "From here on no enactor can ever bring this endpoint to a newer plan, whatever is published.",
}


def narrated(system: AsBuilt, finding: Finding, replayed_by: str = "") -> Story:
    """The story of a counterexample; one of no return goes on with what the next plan meets."""
    telling = _Telling(system)
    beginning = telling.scene(finding.states[0])
    moments = []
    for number, (step, before, after) in enumerate(
        zip(finding.steps, finding.states, finding.states[1:], strict=False), start=1
    ):
        telling.notice(number, before, after)
        last = number == len(finding.steps)
        moments.append(telling.moment(step, before, after, finding if last else None))
    if finding.property in ("unhealed", "wedged"):
        moments += _afterwards(system, finding.states[-1])
    title = f"{finding.property}: {finding.what}"
    actors = (_PLANNER, *system.places[1 + len(system.how.endpoints) :])
    return Story(title, actors, beginning, tuple(moments), _MEANING.get(finding.property, ""), replayed_by)


class _Telling:
    """Remembers at which step each enactor took and checked its plan: what it believes is as old as that."""

    def __init__(self, system: AsBuilt) -> None:
        self.system = system
        self.checked: dict[str, int] = {}

    def notice(self, number: int, before: Sequence[Value], after: Sequence[Value]) -> None:
        """Take down who has just checked its plan."""
        for name, was, now in zip(self.system.places, before, after, strict=True):
            if isinstance(was, Enactor) and was.phase in ("checking", "rechecking") and was != now:
                self.checked[name] = number

    def scene(self, state: Sequence[Value]) -> Scene:
        """The world in a state."""
        zones = [value for value in state if isinstance(value, HostedZone)]
        enactors = {n: v for n, v in zip(self.system.places, state, strict=True) if isinstance(v, Enactor)}
        beliefs = {name: belief(one, self.checked.get(name, 0)) for name, one in enactors.items()}
        holders = {one.lock: name for name, one in enactors.items() if one.lock}
        return scene(zones, int(str(state[STORE])), beliefs, holders)

    def moment(self, step: Step, before: Sequence[Value], after: Sequence[Value], finding: Finding | None) -> Moment:
        """A step with the world after it; the last one breaks the property."""
        actor = next((v for n, v in zip(self.system.places, before, strict=True) if n == step.actor), None)
        touched = [
            n for n, old, new in zip(self.system.how.endpoints, before[1:], after[1:], strict=False) if old != new
        ]
        store = step.actor == _PLANNER or (isinstance(actor, Enactor) and actor.phase == "idle")
        return Moment(
            step.actor,
            step.text,
            self.scene(after),
            touched[0] if touched else "store" if store else "",
            step.refused,
            f"{finding.property}: {finding.what}" if finding else "",
            _MEANING.get(finding.property, "") if finding else "",
            prevented_by=PREVENTED_BY.get(finding.property, ()) if finding else (),
        )


def scene(
    zones: Iterable[HostedZone],
    latest: int,
    beliefs: Mapping[str, str],
    holders: Mapping[str, str] | None = None,
) -> Scene:
    """Zones, the latest plan and beliefs; `holders`: a lock's value → who believes to hold it."""
    held = list(zones)
    answers = tuple(Answer(zone.apex, *resolve(zone, zone.apex)) for zone in held)
    store = (f"latest: plan {latest}" if latest else "no plan yet",)
    records = tuple(record for zone in held for record in _records(zone, holders or {}))
    return Scene(records, answers, store, tuple((name, text) for name, text in beliefs.items() if text))


def belief(enactor: Enactor, checked: int = 0) -> str:
    """What an enactor holds to be true; `checked` is the step in which it last compared its plan with the zones."""
    if not enactor.plan:
        return ""
    parts = [f"holds {enactor.plan}"]
    if enactor.phase != "checking" and checked:
        parts.append(f"checked at step {checked}")
    if enactor.lock:
        parts.append("holds the lock")
    if enactor.doomed:
        parts.append(f"{' and '.join(map(str, enactor.doomed))} are too old")
    return "; ".join(parts)


def _records(zone: HostedZone, holders: Mapping[str, str]) -> Iterable[Record]:
    done: set[str] = set()
    for record in sorted(zone.records, key=lambda one: (one.name != zone.apex, one.name)):
        if record.name in done:
            continue
        done.add(record.name)
        if record.type == "TXT":
            is_lock = record.name == plans.lock_name(zone.apex)
            value = holders.get(record.values[0], "nobody alive") if is_lock else record.values[0]
            yield Record(record.name, "lock" if is_lock else "marker", (f"held by {value}" if is_lock else value,))
        elif record.identifier:
            yield Record(record.name, "weighted set", tuple(one.alias for one in zone.named(record.name)))
        elif record.alias:
            yield Record(record.name, "alias", (record.alias,), record.alias)
        else:
            yield Record(record.name, "leaf", record.values)


def _afterwards(system: AsBuilt, state: Sequence[Value]) -> list[Moment]:
    """The next plan in the hands of an enactor that knows nothing of all this: the same refusal, for ever."""
    zones = [value for value in state if isinstance(value, HostedZone)]
    region = Region(system.how, ("next enactor",), latest=int(str(state[STORE])) + 1, zones=zones)
    text = f"publishes plan {region.latest}"
    moments = [Moment(_PLANNER, text, scene(region.zones, region.latest, {}), "store")]
    while len(moments) < _AFTERWARDS_MAX and not moments[-1].refused:
        moments.append(_turned(region, region.turn("next enactor", expired=True)))
    return moments


def _turned(region: Region, turn: Turn) -> Moment:
    beliefs = {"next enactor": belief(turn.after)}
    return Moment("next enactor", turn.text, scene(region.zones, region.latest, beliefs), refused=turn.refused)
