"""Somebody who may not be believed says that endpoints are damaged: the enactor verifies them itself."""

from collections.abc import Iterable

from msgspec import structs

from standfast.model.entry import Key

from .enactor import Enactor
from .standing_by import suspecting


def doubted(core: Enactor, keys: Iterable[Key]) -> Enactor:
    """These endpoints are verified next, and nothing is believed of their markers any more."""
    known = tuple(keys)
    zones = dict(core.zones)
    for zone in {zone for zone, _ in known} & zones.keys():
        zones[zone] = zones[zone].doubted(name for where, name in known if where == zone)
    return suspecting(structs.replace(core, zones=tuple(zones.items())), known)
