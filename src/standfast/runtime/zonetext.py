"""Records as other tools take them: lines of a zone file (RFC 1035 §5.1), octoDNS's YAML, nsupdate's lines. Pure."""

import json
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from standfast.model.name import relative
from standfast.model.routing import effective
from standfast.model.rrset import ROUTED_TYPES, RRset, RRType, rdata_text, type_name

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
    """One line a record, with absolute names. Of Route 53's record sets all addresses; for names it has no form."""
    lines = []
    for name, rrset in sorted(records, key=lambda one: (one[0], one[1].rtype)):
        family = type_name(rrset.rtype)
        lines += [f"{name}. {rrset.ttl} IN {family} {text}" for text in _plain_texts(rrset)]
        lines += [f"; {name}. {family} is an alias to {text}" for text in _names(rrset)]
    return lines


def _plain_texts(rrset: RRset) -> list[str]:
    """The rdata, of variants the addresses alone."""
    if rrset.rtype not in ROUTED_TYPES:
        return list(rrset.texts())
    return [rdata_text(rrset.answers, octets) for octets in rrset.octets()]


def _names(rrset: RRset) -> list[str]:
    """What variants lead to."""
    if rrset.rtype not in ROUTED_TYPES:
        return []
    return list(dict.fromkeys(f"{one.target}." for one in effective(rrset.rdata) if one.target))


def octodns_lines(zone: str, records: Iterable[Named]) -> list[str]:
    """What octoDNS's YamlProvider reads for the zone: names relative to it, in the order that it insists on."""
    owners: dict[str, list[RRset]] = {}
    for name, rrset in sorted(records, key=lambda one: (one[0], one[1].rtype)):
        owners.setdefault(relative(name, zone), []).append(rrset)
    lines = ["---"]
    for owner in sorted(owners, key=_natural):
        bare = "" if any(map(_plain_texts, owners[owner])) else " []"
        lines.append(f"{json.dumps(owner)}:{bare}")
        for rrset in owners[owner]:
            texts, family = [json.dumps(text) for text in _plain_texts(rrset)], type_name(rrset.rtype)
            lines += [f"# {family} is an alias to {text}" for text in _names(rrset)]
            if not texts:
                continue
            values = f"value: {texts[0]}" if rrset.rtype == RRType.CNAME else f"values: [{', '.join(texts)}]"
            lines += [f"- ttl: {rrset.ttl}", f"  type: {family}", f"  {values}"]
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
