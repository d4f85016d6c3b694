"""Where the zone's other name servers are asked, if not at port 53 of what their names resolve to."""

from dataclasses import dataclass
from typing import Final

from standfast.config import scalars
from standfast.config.scalars import BadValue
from standfast.config.section import Section

SECONDARIES_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class SecondaryConfig:
    """A name server of the zone beside the primary: its name as in the NS record (or the first label of it; any name
    for a server without an NS record), and where to ask it."""

    name: str
    host: str
    port: int


def bind_secondaries(zone: Section) -> tuple[SecondaryConfig, ...]:
    """What stands under `secondaries:`, with every problem."""
    entries = zone.children("secondaries") or ()
    if len(entries) > SECONDARIES_MAX:
        zone.problem("secondaries", f"There are {len(entries)} name servers.", f"Give at most {SECONDARIES_MAX}.")
    found: dict[str, SecondaryConfig] = {}
    for key, _ in entries[:SECONDARIES_MAX]:
        try:
            name = scalars.owner_name(key.text)
        except BadValue as bad:
            zone.findings.problem(key.mark, zone.below("secondaries"), bad.message, bad.remedy)
            continue
        section = zone.section("secondaries", tuple(one.text for one, _ in entries))
        where = section.read(key.text, scalars.server(53), None) if section else None
        if where is not None:
            found[name] = SecondaryConfig(name, *where)
    return tuple(found.values())
