"""The way out: this state as a script that writes it without us."""

from collections.abc import Iterable, Mapping
from typing import Final

from standfast.config import Config
from standfast.model.entry import Entry, Key
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.runtime.zonesight import EndpointSight
from standfast.runtime.zonetext import Step, update_lines

from .moments import utc

_TYPES: Final = (RRType.A, RRType.AAAA)


def nsupdate(plan: Plan, config: Config, sights: Iterable[EndpointSight], seen_at: float) -> str:
    """A script for `nsupdate -k KEYFILE`: one message for each name, which replaces its addresses whole if the name
    still stands as `sights` have it, seen at `seen_at`."""
    lines = [
        f"; The addresses of every name as planned in g{plan.generation}, {utc(plan.record.at)}.",
        f"; Each part is refused as a whole if its name is not as it was seen at {utc(seen_at)}: load this again then.",
        "; Freeze or stop Standfast first, or it puts back what it has planned: standfast freeze --all",
        "; Then: nsupdate -k KEYFILE THIS-FILE",
    ]
    there = {one.entry.key: one for one in sights}
    for zone in config.zones:
        if zone.by_api:
            form = "aws" if zone.hosted is not None else "octodns"
            lines += ["", f"; Zone {zone.name} is kept by {zone.where}, which takes no nsupdate:"]
            lines.append(f"; standfast plan --format {form} --zone {zone.name}")
            continue
        lines += ["", f"server {zone.host} {zone.port}", f"zone {zone.name}."]
        for entry in plan.by_zone.get(zone.name, ()):
            if entry.kind == "live":
                lines += ["", *_entry(entry, there)]
    return "\n".join(lines) + "\n"


def _entry(entry: Entry, there: Mapping[Key, EndpointSight]) -> Iterable[str]:
    sight = there.get(entry.key)
    found = None if sight is None or sight.seen is None else [one for one in sight.seen if one is not None]
    if found is None:
        why = sight.unread if sight else "it was not looked at"
        yield f"; What stands at {entry.name} is not known ({why}): it is replaced, whatever it is.".replace("\n", " ")
    alias = None if found is None else next((_target(one) for one in found if one.rtype == RRType.CNAME), "")
    yield from update_lines(entry.name, [_step(entry, rtype, found or []) for rtype in _TYPES], alias)


def _step(entry: Entry, rtype: RRType, found: Iterable[RRset]) -> Step:
    before = next((one.texts() for one in found if one.answers == rtype), ())
    after = entry.rrset(rtype)
    return Step(rtype.name, before, after.texts() if after else (), after.ttl if after else 0)


def _target(alias: RRset) -> str:
    return alias.texts()[0].rstrip(".")
