"""What no plan and no write may do, whoever computed it: all violations at once.

The planner is checked by this before it publishes, and each enactor checks the entry again before it writes, so a
plan made by another version, or by hand, is held to the same rules. Nothing here knows health, velocity or policy.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct

from standfast.model.entry import Entry, Key
from standfast.model.marker import GENERATION_MAX
from standfast.model.name import FIRST_LABEL, first_name, is_below, parse_name, parse_stream, relative, reserved_label
from standfast.model.plan import Plan
from standfast.model.routing import VARIANTS_MAX, read_variant, variant_problem
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset, RRType, answer_count, type_name
from standfast.model.tree import tree_problem

TTL_MIN: Final = 1
TTL_MOST: Final = 604_800
"""A week, RFC 8767 §4's cap: a mistake above it could not be taken back."""
ADDRESSES_MAX: Final = 4_000
"""4,000 AAAA records take 112 kB uncompressed and 64 kB is the most a message holds; compression makes them fit."""
_OCTETS: Final[dict[int, int]] = {RRType.A: 4, RRType.AAAA: 16}


class Violation(Struct, frozen=True):
    """A rule that is broken, and by what. `key` is None if it concerns the plan as a whole."""

    key: Key | None
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.key[1]}: {self.text}" if self.key else self.text


def entry_violations(entry: Entry) -> tuple[Violation, ...]:
    """Everything that is wrong with one entry taken by itself."""
    if entry.kind == "live" and entry.layout == "flat" and _plainly_fine(entry):
        return ()
    found = [*_name(entry), *_since(entry)]
    if entry.kind == "live":
        found += _families(entry)
        for rrset in entry.rrsets:
            found += _rrset(rrset)
    elif entry.rrsets:
        found.append(("rrsets", f"it is a {entry.kind} entry and has addresses"))
    return tuple(Violation(entry.key, rule, text) for rule, text in found)


def plan_violations(plan: Plan, previous: Plan | None) -> tuple[Violation, ...]:
    """Everything that is wrong with `plan` as the successor of `previous`.

    Looks only at entries that differ from the preceding plan's: those were checked when that one was published.
    """
    found = [Violation(None, rule, text) for rule, text in _plan(plan, previous)]
    for before, after in plan.shards.changes(previous.shards if previous else None):
        if after is None:
            if before is not None:
                found.append(Violation(before.key, "absent", "it is missing; absence never retires an endpoint"))
            continue
        found += entry_violations(after)
        found += (Violation(after.key, rule, text) for rule, text in _succession(plan, before, after))
    return tuple(found)


_Found = Iterator[tuple[str, str]]


def _plainly_fine(entry: Entry) -> bool:
    """Whether none of the checks below could find anything: the common case, decided quickly."""
    if not 1 <= entry.since <= GENERATION_MAX or not _endpoint_name_fine(entry.name, entry.zone):
        return False
    served = {rrset.rtype: rrset for rrset in entry.rrsets}
    least = dict(entry.min_answers)
    if not least or len(served) != len(entry.rrsets) or served.keys() != least.keys():
        return False
    for rtype, rrset in served.items():
        rdata, octets = rrset.rdata, _OCTETS.get(rtype, -1)
        if not (TTL_MIN <= rrset.ttl <= TTL_MOST and 1 <= least[rtype] <= len(rdata) <= ADDRESSES_MAX):
            return False
        if list(rdata) != sorted(set(rdata)) or {len(octet) for octet in rdata} != {octets}:
            return False
        if not any(rdata[0]) or rdata[-1][0] >= (224 if octets == 4 else 0xFF):
            return False
    return len(least) == len(entry.min_answers)


@lru_cache(maxsize=65_536)
def _endpoint_name_fine(name: str, zone: str) -> bool:
    if _name_problem(zone) or _name_problem(name) or not is_below(name, zone):
        return False
    return reserved_label(name, zone) is None


def _name(entry: Entry) -> _Found:
    for what, name in (("zone", entry.zone), ("name", entry.name)):
        if problem := _name_problem(name):
            yield ("name", f"its {what} {problem}")
            return
    if not is_below(entry.name, entry.zone):
        yield ("name", f"it is not in zone {entry.zone}")
        return
    if entry.kind == "first":
        if not _is_first(entry):
            yield ("reserved", f"a zone's first entry is named <stream>.{FIRST_LABEL}.{entry.zone}")
    elif label := reserved_label(entry.name, entry.zone):
        yield ("reserved", f"label {label} is reserved for markers and floors")


@lru_cache(maxsize=65_536)
def _name_problem(name: str) -> str:
    try:
        canonical = parse_name(name)
    except ValueError as error:
        return f"is no name: {error}"
    return "" if canonical == name else f"{name!r} is not in canonical form, {canonical!r}"


def _is_first(entry: Entry) -> bool:
    stream, _, rest = relative(entry.name, entry.zone).partition(".")
    try:
        return rest == FIRST_LABEL and parse_stream(stream) == stream
    except ValueError:
        return False


def _since(entry: Entry) -> _Found:
    if not 1 <= entry.since <= GENERATION_MAX:
        yield ("since", f"since {entry.since} is not within 1 and 2^48")


def _families(entry: Entry) -> _Found:
    if not entry.min_answers:
        yield ("min_answers", "it serves no family")
    families = [family for family, _ in entry.min_answers]
    if len(set(families)) != len(families):
        yield ("min_answers", "min_answers names a family twice")
    for family, least in entry.min_answers:
        if family not in ADDRESS_TYPES:
            yield ("min_answers", f"min_answers names type {family}, which is no address family")
            continue
        rrset = entry.rrset(family)
        count = answer_count(rrset.rtype, tuple(set(rrset.rdata))) if rrset else 0
        if least < 1:
            yield ("min_answers", f"min_answers {least} for {RRType(family).name} would allow an empty answer")
        elif count < least:
            yield ("min_answers", f"{count} {RRType(family).name} where min_answers is {least}")
    types = [rrset.answers for rrset in entry.rrsets]
    if len(set(types)) != len(types):
        yield ("rrsets", "it has two rrsets of one type")
    if entry.layout == "tree":
        if problem := tree_problem(entry):
            yield ("layout", problem)
    elif any((rrset.rtype in ROUTED_TYPES) is (entry.layout == "flat") for rrset in entry.rrsets):
        yield ("layout", f"its records are not those of layout {entry.layout}")
    for rtype in sorted(set(types) & set(ADDRESS_TYPES) - set(families)):
        yield ("min_answers", f"it has {RRType(rtype).name} and min_answers does not say how few there may be")


def _rrset(rrset: RRset) -> _Found:
    if rrset.rtype in ROUTED_TYPES:
        yield from _routed(rrset)
        return
    octets = _OCTETS.get(rrset.rtype)
    if octets is None:
        yield ("rrsets", f"type {rrset.rtype} is neither A nor AAAA")
        return
    name = RRType(rrset.rtype).name
    if not TTL_MIN <= rrset.ttl <= TTL_MOST:
        yield ("ttl", f"TTL {rrset.ttl} of {name} is not within {TTL_MIN} and {TTL_MOST}")
    if len(rrset.rdata) > ADDRESSES_MAX:
        yield ("size", f"{len(rrset.rdata)} {name} records; at most {ADDRESSES_MAX} fit one answer")
    if not rrset.rdata:
        yield ("rrsets", f"its {name} rrset is empty")
    if len(set(rrset.rdata)) != len(rrset.rdata):
        yield ("rrsets", f"its {name} rrset repeats an address")
    elif list(rrset.rdata) != sorted(rrset.rdata):
        yield ("rrsets", f"its {name} rrset is not sorted")
    for rdata in rrset.rdata:
        if len(rdata) != octets:
            yield ("address", f"{name} rdata of {len(rdata)} octets; it has {octets}")
        elif why := _unusable(rdata):
            yield ("address", f"{ipaddress.ip_address(rdata)} is {why}")


def _routed(rrset: RRset) -> _Found:
    """What Route 53 would refuse, or no client could use, of record sets that stand beside one another."""
    name, octets = type_name(rrset.rtype), _OCTETS[rrset.answers]
    variants = []
    for rdata in rrset.rdata:
        try:
            variants.append(read_variant(rdata))
        except ValueError as error:
            yield ("rrsets", str(error))
    if not variants or list(rrset.rdata) != sorted(set(rrset.rdata)):
        yield ("rrsets", f"its {name} record sets are none, not sorted, or repeated")
    if len({one.identifier for one in variants}) != len(variants):
        yield ("rrsets", f"two of its {name} record sets have one identifier")
    if len({one.policy for one in variants}) > 1:
        yield ("rrsets", f"its {name} record sets have several policies")
    if len(variants) > VARIANTS_MAX:
        yield ("size", f"{len(variants)} {name} record sets; at most {VARIANTS_MAX} stand at one name")
    for one in variants:
        if why := variant_problem(one, octets):
            yield ("rrsets", f"{name} record set {one.identifier or 'alias'}: {why}")
        elif one.address and (why := _unusable(one.address)):
            yield ("address", f"{one.answer} is {why}")
        elif one.address and (one.ttl != rrset.ttl or not TTL_MIN <= one.ttl <= TTL_MOST):
            yield ("ttl", f"TTL {one.ttl} of {name} record set {one.identifier or 'alias'} is not to be used here")


def _unusable(rdata: bytes) -> str:
    if not any(rdata):
        return "the unspecified address"
    if rdata[0] == 0xFF if len(rdata) == 16 else 224 <= rdata[0] <= 239:
        return "a multicast address"
    return "the broadcast address" if rdata == b"\xff\xff\xff\xff" else ""


def _plan(plan: Plan, previous: Plan | None) -> _Found:
    record = plan.record
    if not 1 <= record.generation <= GENERATION_MAX:
        yield ("generation", f"generation {record.generation} is not within 1 and 2^48")
    if previous is not None and record.generation <= previous.generation:
        yield ("generation", f"generation {record.generation} is not above {previous.generation}")
    if previous is not None and record.stream != previous.record.stream:
        yield ("stream", f"it is of stream {record.stream}, the preceding plan of {previous.record.stream}")
    for zone in _missing(previous.record.zones if previous else (), record.zones):
        yield ("absent", f"zone {zone} is missing; absence never retires anything")
    for zone in record.zones:
        first = plan.entry((zone, first_name(record.stream, zone)))
        if first is None or first.kind != "first":
            yield ("first", f"zone {zone} has no first entry")


def _missing(wanted: Iterable[str], there: Iterable[str]) -> list[str]:
    return sorted(set(wanted) - set(there))


def _succession(plan: Plan, before: Entry | None, after: Entry) -> _Found:
    if after.since > plan.generation:
        yield ("since", f"since {after.since} is above the plan's generation {plan.generation}")
    if after.zone not in plan.record.zones:
        yield ("zone", f"zone {after.zone} is not among the plan's")
    if before is None:
        return
    if after.since < before.since:
        yield ("since", f"since goes back from {before.since} to {after.since}")
    if not after.same_contents(before) and after.since != plan.generation:
        yield ("since", f"its contents change and since stays at {after.since}")
    if before.kind == "live" and after.kind == "retired" and (names := plan.followers(after)):
        yield ("follows", f"it can't be retired while {', '.join(names)} follow it")
    if before.kind != after.kind and (before.kind, after.kind) != ("live", "retired"):
        yield ("kind", f"a {before.kind} entry cannot become {after.kind}")
