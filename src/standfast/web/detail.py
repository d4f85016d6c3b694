"""One name, opened: its answer as planned and at every name server, why each address is in or out, and its history."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from msgspec import Struct

from standfast.config import Config
from standfast.errors import StandfastError
from standfast.model.entry import Entry
from standfast.model.marker import Damaged, Marker
from standfast.ports.provider import Unknown
from standfast.runtime.answering import TYPES, Answer, stands
from standfast.runtime.chronicle import Load, steps, stood_text
from standfast.runtime.explaining import cases, remarks, sentence
from standfast.runtime.observing import Seen
from standfast.runtime.verdict import by
from standfast.runtime.zonesight import EndpointSight

from .names import place_of
from .signs import Sign

HISTORY: Final = 20
SAID_MAX: Final = 60
"""So many load balancers are explained one by one."""


class Cell(Struct, frozen=True):
    """What one server says in one column; `differs` from what is planned."""

    text: str
    differs: bool = False


class Said(Struct, frozen=True):
    """One load balancer, in or out, and why."""

    sign: Sign
    text: str


class Change(Struct, frozen=True):
    """One generation in which the name changed."""

    generation: int
    at: float
    by: str
    changes: tuple[str, ...]
    why: str


class Detail(Struct, frozen=True):
    """`table` has a row for the plan and one for each server, `columns` their heads. `before`: what stood there before
    Standfast took it over."""

    entry: Entry
    short: str
    columns: tuple[str, ...]
    table: tuple[tuple[str, tuple[Cell, ...]], ...]
    said: tuple[Said, ...]
    remarks: tuple[str, ...]
    history: tuple[Change, ...]
    commands: tuple[str, ...]
    trouble: str = ""
    before: str = ""


def detail(sight: EndpointSight, seen: Seen, config: Config, answers: Iterable[Answer], load: Load) -> Detail:
    """All there is to say of one name."""
    entry = sight.entry
    short = seen.short(entry.key)
    trouble, said, told, history = "", [], [], []
    try:
        found = cases(seen, entry, config)[:SAID_MAX]
        admin = {one.id: one.admin for one in seen.store.fleet.load_balancers} if seen.store.fleet else {}
        said = [
            Said(place_of(c.member, admin.get(c.member.load_balancer, "up")), sentence(seen, entry, c)) for c in found
        ]
        told = remarks(seen, entry)
        history = list(islice(_changes(entry, seen, load), HISTORY))
    except StandfastError as error:
        trouble = str(error)
    return Detail(
        entry=entry,
        short=short,
        columns=tuple(rtype.name for rtype in TYPES),
        table=(("planned", _planned(entry)), *_servers(sight, answers)),
        said=tuple(said),
        remarks=tuple(told),
        history=tuple(history),
        commands=tuple(_commands(short, entry, history)),
        trouble=trouble,
        before=stood_text(entry.stood) if entry.stood else "",
    )


def _planned(entry: Entry) -> tuple[Cell, ...]:
    texts = (sorted(rrset.texts()) if (rrset := entry.rrset(rtype)) else [] for rtype in TYPES)
    return (*(Cell(" ".join(some) or "–") for some in texts), Cell(f"g{entry.since}"))


def _servers(sight: EndpointSight, answers: Iterable[Answer]) -> Iterable[tuple[str, tuple[Cell, ...]]]:
    entry = sight.entry
    markers = dict(sight.servers)
    for answer in answers:
        cells = []
        for rtype in TYPES:
            texts = answer.texts(rtype)
            if texts is None:
                reading = answer.readings[TYPES.index(rtype)]
                cells.append(Cell(f"? {reading.why}" if isinstance(reading, Unknown) else "?", True))
            else:
                differs = stands(entry, rtype, answer.readings[TYPES.index(rtype)]) != "same"
                cells.append(Cell(" ".join(sorted(texts)) or "nothing", differs))
        marker = markers.get(answer.server, sight.marker if not markers else None)
        cells.append(_marked(marker, entry))
        yield answer.server, tuple(cell if cell.text != "nothing" or cell.differs else Cell("–") for cell in cells)


def _marked(marker: object, entry: Entry) -> Cell:
    match marker:
        case Marker():
            state = "" if marker.state == "live" else f" {marker.state}"
            return Cell(f"g{marker.since}{state}", marker.since != entry.since or bool(state))
        case Damaged():
            return Cell(f"garbage: {marker.why}", True)
        case Unknown():
            return Cell(f"? {marker.why}", True)
        case None:
            return Cell("not asked")
    return Cell("no marker", True)


def _changes(entry: Entry, seen: Seen, load: Load) -> Iterable[Change]:
    for step in steps(seen.store.plans, load, entry.key):
        one = step.summary
        told = step.changes[0] if step.changes else None
        why = "; ".join(told.whys[:2]) if told and told.whys else one.reason[:200]
        who = f"{told.adopted_by} (adopted)" if told and told.adopted_by else by(one.author)
        yield Change(one.generation, one.at, who, told.changes if told else (), why)


def _commands(short: str, entry: Entry, history: list[Change]) -> Iterable[str]:
    yield f"standfast explain {short}"
    if entry.held:
        yield f"standfast resume {short}"
    elif len(history) > 1:
        yield f'standfast rollback {short} --to {history[1].generation} --reason "…"'
    if not entry.held:
        yield f'standfast hold {short} --reason "…"'
    yield f'standfast freeze {short} --reason "…"'
    for one in [member for member in entry.members if member.served][:2]:
        yield f"standfast drain {one.load_balancer} --wait"
