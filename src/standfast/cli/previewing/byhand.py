"""A plan for hand work without us: an nsupdate script, a Route 53 change batch, octoDNS YAML. Markers are left out.

The first two assert what was seen, endpoint by endpoint: whoever changed a name meanwhile is not overwritten.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from standfast.adapters.providers.route53.batch import Batch
from standfast.adapters.providers.route53.records import Inexpressible, raws_of
from standfast.config import Config, ZoneConfig
from standfast.errors import StandfastError
from standfast.model.rrset import ROUTED_TYPES, RRset, RRType
from standfast.model.tree import aliases_in, records
from standfast.runtime.zonetext import Step, octodns_lines, update_lines

from .differences import EndpointChange, TypeChange
from .showing import Preview

FORMATS: Final = ("nsupdate", "aws", "octodns")
_TYPES: Final = (RRType.A.name, RRType.AAAA.name)


def by_hand(preview: Preview, config: Config, form: str, zone: str = "") -> str:
    """The text. Raises StandfastError where it can't be made."""
    if preview.unread:
        message = f"What stands in DNS is not known: {'; '.join(preview.unread)}."
        raise StandfastError(message, "`standfast check` says why.")
    names = sorted({change.entry.zone for change in preview.changes} & {one.name for one in config.zones})
    if zone and zone not in names:
        raise StandfastError(f"There is no zone {zone} in the plan.", f"There are: {', '.join(names)}.")
    zones = [zone] if zone else names
    if form == "nsupdate":
        return _nsupdate(preview, config, zones)
    if len(zones) > 1:
        raise StandfastError(f"{form} takes one zone at a time.", f"Give --zone, one of {', '.join(zones)}.")
    some = [one for one in preview.changes if one.entry.zone in zones]
    return _aws(preview, some) if form == "aws" else _octodns(some, "".join(zones))


def _differing(changes: Iterable[EndpointChange]) -> list[EndpointChange]:
    some = (one for one in changes if one.differs)
    return [one for one in some if one.alias or one.damage or any(_to_write(one, kind) for kind in one.types)]


def _to_write(change: EndpointChange, kind: TypeChange) -> bool:
    """Another generation's tree has another root, whatever it answers."""
    return kind.differs or (change.entry.has_tree and kind.seen != kind.wanted)


def _title(preview: Preview) -> str:
    plan = preview.drawn.wanted
    return f"Standfast, plan g{plan.generation}" if plan else "Standfast"


def _before(one: TypeChange) -> tuple[str, ...]:
    return (*one.stay, *one.removed)


def _after(one: TypeChange) -> tuple[str, ...]:
    return (*one.stay, *one.added)


def _nsupdate(preview: Preview, config: Config, zones: Sequence[str]) -> str:
    lines = [
        f"; {_title(preview)}, for hand work without Standfast: nsupdate -k KEYFILE THIS",
        "; Each part is refused as a whole if the name is not as it was seen. Where an enactor runs, it puts back what",
        "; its own plan says.",
    ]
    for zone in config.zones:
        some = _differing(one for one in preview.changes if one.entry.zone == zone.name and zone.name in zones)
        if some and zone.by_api:
            lines += ["", f"; Zone {zone.name} is kept by {zone.where}, which takes no nsupdate: {_other_form(zone)}"]
            continue
        if some:
            lines += ["", f"server {zone.host} {zone.port}", f"zone {zone.name}."]
        for one in some:
            lines += ["", *_update(one)]
    if len(lines) == 3:
        lines.append("; Nothing is to be done.")
    return "\n".join(lines) + "\n"


def _other_form(zone: ZoneConfig) -> str:
    return f"standfast plan --format {'aws' if zone.hosted is not None else 'octodns'} --zone {zone.name}"


def _update(one: EndpointChange) -> Iterator[str]:
    kinds = {kind.rtype: kind for kind in one.types}
    yield f"; {one.entry.name}: {'; '.join(_words(one))}"
    yield from update_lines(one.entry.name, [_step(rtype, kinds.get(rtype)) for rtype in _TYPES], one.alias)


def _step(rtype: str, kind: TypeChange | None) -> Step:
    if kind is None:
        return Step(rtype, written=False)
    return Step(rtype, _before(kind), _after(kind), kind.ttl_after or 0, kind.differs)


def _words(one: EndpointChange) -> Iterator[str]:
    """Who comes and who goes, and why, on one line."""
    signs = {text: "+" for kind in one.types for text in kind.added}
    for address, name, why in one.reasons:
        yield f"{signs.get(address, '-')} {address} {name}: {why}".replace("\n", " ")


def _aws(preview: Preview, changes: Sequence[EndpointChange]) -> str:
    """DELETE what stands, exactly, and CREATE what shall: Route 53 refuses the batch if anything is otherwise."""
    found: list[dict[str, Any]] = []
    ids = dict(preview.hosted)
    for one in _differing(changes):
        zone_id = ids.get(one.entry.zone, "")
        known = dict(one.beyond)
        for owner, rrset in records(one.entry):  # bottom up: an alias needs its target
            if (stands := known.get((owner, rrset.answers))) != rrset:
                gone = (item for item in _aws_sets("DELETE", owner, stands, zone_id) if item not in found)
                found += [*gone, *_aws_sets("CREATE", owner, rrset, zone_id)]  # a CNAME stands for both families
        if one.alias:
            found.append(_aws_change("DELETE", one.entry.name, "CNAME", one.alias_ttl, (f"{one.alias}.",)))
        for kind in one.types:
            if _to_write(one, kind):
                found += _aws_sets("DELETE", one.entry.name, kind.seen, zone_id)
                found += _aws_sets("CREATE", one.entry.name, kind.wanted, zone_id)
    if oversize := Batch(tuple(found), {}).oversize:
        message = f"This can't be one change batch of Route 53: {oversize}."
        raise StandfastError(message, "Write them by an enactor, or name fewer endpoints.")
    return json.dumps({"Comment": _title(preview), "Changes": found}, indent=2, ensure_ascii=False) + "\n"


def _aws_sets(action: str, name: str, rrset: RRset | None, zone_id: str) -> list[dict[str, Any]]:
    """One change for plain records, one for each variant. Raises StandfastError for what only an API has a form for."""
    if rrset is None:
        return []
    if rrset.rtype not in ROUTED_TYPES:
        return [_aws_change(action, name, RRType(rrset.rtype).name, rrset.ttl, rrset.texts())]
    if not zone_id and aliases_in(rrset):
        raise StandfastError("An alias names its zone's id, and that is not known.", "Give hosted_zone: in the file.")
    try:
        return [{"Action": action, "ResourceRecordSet": raw} for raw in raws_of(name, rrset, zone_id)]
    except Inexpressible as problem:
        message = f"{problem}."
        raise StandfastError(message, "Delete it in the console, and ask again.") from None


def _aws_change(action: str, name: str, rtype: str, ttl: int | None, texts: Sequence[str]) -> dict[str, Any]:
    records = [{"Value": text} for text in texts]
    return {
        "Action": action,
        "ResourceRecordSet": {"Name": f"{name}.", "Type": rtype, "TTL": ttl or 0, "ResourceRecords": records},
    }


def _octodns(changes: Sequence[EndpointChange], zone: str) -> str:
    """What shall stand at each endpoint."""
    records = ((one.entry.name, rrset) for one in changes for rrset in one.entry.rrsets)
    return "\n".join(octodns_lines(zone, records)) + "\n"
