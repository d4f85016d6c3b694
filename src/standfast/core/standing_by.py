"""Several enactors at one account's requests: one begins what is due, the others hold it, and only order rests on that.

    held ──▶ dropped   the one who began has settled it; markers and floor are no longer believed, the patrol looks
         └─▶ due       nobody gets on with it: then we do, as ever

Nothing here is a promise to anybody. An enactor that takes another for alive begins later, one that takes it for dead
begins at once; both write only by the change that asserts what it rests on (change.py).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import structs

from standfast.model.entry import Key
from standfast.model.name import marker_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Read, Readings, ReadReply, Unknown

from .agenda import joined
from .due import queueing
from .enactor import Enactor
from .patrol import PAGE_MAX, in_order

FEW: Final = 50
"""Endpoints whose markers one change reads as it goes."""


def released(core: Enactor, *, done: bool) -> Enactor:
    """What was held is due, or was done by another: then what was believed of it is old."""
    agenda, held = core.agenda, core.agenda.held
    if not held:
        return core
    if not done:
        return structs.replace(core, agenda=structs.replace(agenda, held=(), due=joined(held, agenda.due)))
    zones = dict(core.zones)
    for zone in {zone for zone, _ in held} & zones.keys():
        zones[zone] = zones[zone].doubted(name for where, name in held if where == zone)
    return structs.replace(core, agenda=structs.replace(agenda, held=()), zones=tuple(zones.items()))


def put_aside(core: Enactor, zones: Iterable[str]) -> Enactor:
    """What is left to do in these zones waits for a later pass: they are not to be asked for now."""
    agenda, some = core.agenda, set(zones)
    busy = {group[0][0] for group in agenda.groups} | {key[0] for key in (*agenda.due, *agenda.checks)}
    if not some & busy:
        return core
    agenda = queueing(agenda) if core.admission else agenda
    for zone in sorted(some & busy):
        agenda = agenda.without(zone, ())
    return structs.replace(core, agenda=agenda)


def suspecting(core: Enactor, keys: Iterable[Key]) -> Enactor:
    """These endpoints are to be verified by a reading of their own; whoever is kept as it is by somebody is not."""
    plan = core.plan
    if plan is None:
        return core
    known = tuple(key for key in keys if plan.entry(key) is not None and key not in core.waiting)
    return structs.replace(core, agenda=structs.replace(core.agenda, checks=joined(core.agenda.checks, known)))


def learning(core: Enactor, zone: str, markers: Iterable[tuple[str, RRset | None]]) -> Enactor:
    """With markers that were just read; believed as any other, until a change asserts them."""
    belief = core.belief(zone)
    learnt = belief.learnt(belief.floor, tuple(markers))
    others = tuple(known for known in core.zones if known[0] != zone)
    return structs.replace(core, zones=(*others, (zone, learnt)))


def unread(core: Enactor) -> Read | None:
    """A page of markers of what is held and of which nothing is believed; None if there are not more than a change
    reads by itself."""
    plan = core.plan
    if plan is None:
        return None
    missing: dict[str, list[str]] = {}
    for zone, name in core.agenda.held:
        if name not in core.belief(zone).markers:
            missing.setdefault(zone, []).append(name)
    for zone, names in missing.items():
        if len(names) > FEW:
            some = in_order(entry for name in names if (entry := plan.entry((zone, name))) is not None)[:PAGE_MAX]
            return Read(zone, tuple((marker_owner(one.name, zone), int(RRType.TXT)) for one in some)) if some else None
    return None


def mustered(core: Enactor, request: Read, reply: ReadReply) -> Enactor | None:
    """After such a page; None if it could not be read."""
    plan = core.plan
    if plan is None or isinstance(reply, Unknown) or not isinstance(reply, Readings):
        return None
    names: Mapping[str, str] = {
        marker_owner(entry.name, entry.zone): entry.name for entry in plan.by_zone.get(request.zone, ())
    }
    found: list[tuple[str, RRset | None]] = []
    for (owner, _), value in zip(request.keys, reply.values, strict=True):
        if isinstance(value, Unknown):
            return None
        found.append((names[owner], value))
    return learning(core, request.zone, found)
