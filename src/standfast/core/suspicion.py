"""Somebody who may not be believed says that endpoints are damaged: the enactor verifies them itself."""

from collections.abc import Iterable

from msgspec import structs

from standfast.model.entry import Key

from .agenda import joined
from .enactor import Enactor


def doubted(core: Enactor, keys: Iterable[Key]) -> Enactor:
    """These endpoints are verified next. Whoever is kept as it is by somebody (a freeze, another stream) is not: that
    is asked about at each look."""
    plan = core.plan
    if plan is None:
        return core
    known = tuple(key for key in keys if plan.entry(key) is not None and key not in core.waiting)
    zones = dict(core.zones)
    for zone in {zone for zone, _ in known} & zones.keys():
        zones[zone] = zones[zone].doubted(name for where, name in known if where == zone)
    agenda = structs.replace(core.agenda, checks=joined(core.agenda.checks, known))
    return structs.replace(core, agenda=agenda, zones=tuple(zones.items()))
