"""Records as other tools take them: lines of a zone file (RFC 1035 §5.1), octoDNS's YAML, nsupdate's lines. Pure."""

import json
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from standfast.model.name import relative
from standfast.model.rrset import RRset, RRType

Named = tuple[str, RRset]
"""An owner name and one of its rrsets."""


class Step(Struct, frozen=True):
    """One type at a name: what was seen there, and what shall be. `written`: whether anything is done about it."""

    rtype: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    ttl: int = 0
    written: bool = True


def zone_lines(records: Iterable[Named]) -> list[str]:
    """One line a record, with absolute names."""
    return [
        f"{name}. {rrset.ttl} IN {RRType(rrset.rtype).name} {text}"
        for name, rrset in sorted(records, key=lambda one: (one[0], one[1].rtype))
        for text in rrset.texts()
    ]


def octodns_lines(zone: str, records: Iterable[Named]) -> list[str]:
    """What octoDNS's YamlProvider reads for the zone: names relative to it, in the order that it insists on."""
    owners: dict[str, list[RRset]] = {}
    for name, rrset in sorted(records, key=lambda one: (one[0], one[1].rtype)):
        owners.setdefault(relative(name, zone), []).append(rrset)
    lines = ["---"]
    for owner in sorted(owners, key=_natural):
        lines.append(f"{json.dumps(owner)}:")
        for rrset in owners[owner]:
            texts = [json.dumps(text) for text in rrset.texts()]
            values = f"value: {texts[0]}" if rrset.rtype == RRType.CNAME else f"values: [{', '.join(texts)}]"
            lines += [f"- ttl: {rrset.ttl}", f"  type: {RRType(rrset.rtype).name}", f"  {values}"]
    return lines


def _natural(text: str) -> list[tuple[int, int, str]]:
    """e2 before e10."""
    return [(0, int(one), "") if one.isdigit() else (1, 0, one) for one in re.split(r"(\d+)", text) if one]


def update_lines(name: str, steps: Iterable[Step], alias: str | None = "") -> Iterator[str]:
    """One message for `nsupdate`: it is refused as a whole if the name is not as it was seen.

    Each of A and AAAA needs a step. `alias` is the CNAME's target that was seen there, which goes; empty: none was
    seen. None: what stands there is not known, so nothing is asked for, and a CNAME goes too. Typed deletes only: a
    whole-name delete would take what is not ours.
    """
    some = tuple(steps)
    if alias is not None:
        for step in some:
            yield from (f"prereq yxrrset {name}. {step.rtype} {text}" for text in step.before)
            if not step.before:
                yield f"prereq nxrrset {name}. {step.rtype}"
        yield f"prereq yxrrset {name}. CNAME {alias}." if alias else f"prereq nxrrset {name}. CNAME"
    if alias != "":
        yield f"update delete {name}. CNAME"
    for step in some:
        if step.written:
            yield f"update delete {name}. {step.rtype}"
            yield from (f"update add {name}. {step.ttl} {step.rtype} {text}" for text in step.after)
    yield "send"
