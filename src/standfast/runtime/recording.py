"""What the journal is told of a change and of a plan: enough to judge them later from the journals alone (G10).

Of a change it is told what the change asserts and what it puts, read off the very request that is sent, so that a
change which differs from what was meant is seen to differ.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from standfast.core.decisions import Decision, Leaving
from standfast.core.reach import addresses as addresses_below
from standfast.core.reach import whole as stands_whole
from standfast.core.rotation import period_s
from standfast.core.task import Outcome
from standfast.model.entry import Entry
from standfast.model.fleet import Verdict
from standfast.model.marker import Absent, Floor, Marker, read_floor, read_marker
from standfast.model.name import floor_owner, marker_owner
from standfast.model.plan import Head, Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset, RRType, answer_count, answers_type, type_name
from standfast.model.tree import aliases_in, root_rrset
from standfast.ports.local import IntendedWrite, RecordIntent
from standfast.ports.provider import MARKER_TTL, Content, Key, Write

_FAMILIES: Final = {int(rtype): rtype.name for rtype in ADDRESS_TYPES}


@runtime_checkable
class TellsSerial(Protocol):
    """A provider that may know the zone's serial as it was read after the last change made there."""

    serial: int | None


def serial_facts(provider: object) -> dict[str, Any]:
    """The zone's serial where what was written was read back, if the provider can tell it."""
    known = provider.serial if isinstance(provider, TellsSerial) else None
    return {} if known is None else {"serial": known}


def intent_facts(request: RecordIntent) -> dict[str, Any]:
    """An intent as the journal has it. Without the change itself (`request.change`) only names and numbers."""
    facts: dict[str, Any] = {
        "zone": request.zone,
        "generation": request.generation,
        "plan": request.plan,
        "nonce": request.nonce,
        "writes": [
            {"name": one.name, "before": one.since_before, "over": one.over, "since": one.since, "why": one.why}
            for one in request.writes
        ],
    }
    if request.change is None:
        return facts
    parts = {part.name: part for part in request.change.writes}
    facts["stream"] = request.stream
    facts["floor"] = _floor_facts(request, request.change.floor)
    for told, one in zip(facts["writes"], request.writes, strict=True):
        told.update(_write_facts(request, one, parts[one.name]))
    return facts


def _asserted(part: Write, owner: str) -> RRset | str | None:
    """The TXT rrset that the change asserts at `owner`; None: absence. A word where it asserts something else."""
    there = [one for one in part.prerequisites if one.owner == owner]
    if not there:
        return "unasserted"
    if any(one.rtype == RRType.CNAME and one.rdata for one in there):
        return "unreadable"
    rdata = next((one.rdata for one in there if one.rtype == RRType.TXT), ())
    return RRset(RRType.TXT, MARKER_TTL, rdata) if rdata else None  # as it was read, so that it is known already


def _put(part: Write, owner: str, rtype: int) -> RRset | None:
    """The rrset of that type that the change puts at `owner`."""
    for one in part.contents:
        if one.owner == owner and one.rtype == rtype and one.rdata:
            return RRset(one.rtype, one.ttl, one.rdata)
    return None


def _floor_facts(request: RecordIntent, part: Write) -> dict[str, Any]:
    zone, owner = request.zone, floor_owner(request.stream, request.zone)
    seen, sets = _asserted(part, owner), read_floor(_put(part, owner, RRType.TXT), zone, owner)
    facts: dict[str, Any] = {"found": seen, "generation": None, "over": "", "sets": None, "state": None}
    if not isinstance(seen, str):
        before = read_floor(seen, zone, owner)
        facts["found"] = "absent" if isinstance(before, Absent) else "unreadable"
        if isinstance(before, Floor):
            facts.update(found=before.state, generation=before.generation, over=before.nonce)
    if isinstance(sets, Floor):
        facts.update(sets=sets.generation, state=sets.state)
    elif any(one.owner == owner and one.rtype == RRType.TXT for one in part.contents):
        facts["goes"] = True
    return facts


def _write_facts(request: RecordIntent, one: IntendedWrite, part: Write) -> dict[str, Any]:
    zone, owner = request.zone, marker_owner(one.name, request.zone)
    put, addresses = None, list[Content]()
    for content in part.contents:
        if content.rdata and content.owner == owner and content.rtype == RRType.TXT:
            put = content.rdata
        elif content.rdata and content.owner == one.name and answers_type(content.rtype) in _FAMILIES:
            addresses.append(content)
    seen = _asserted(part, owner)
    act = one.act or ("refill" if one.refill else "write" if one.kind else "mark")  # a freeze has no entry
    facts: dict[str, Any] = {
        "act": act,
        "kind": one.kind,
        "found": seen if isinstance(seen, str) else _state(seen, zone, owner, request.stream),
        "puts": _marker_facts(put, request) if put else None,
        "least": _by_family(one.least),
        "answers": {},
    }
    standing = _standing(part) if any(content.rtype in ROUTED_TYPES for content in addresses) else {}
    for content in addresses:
        facts["answers"][type_name(content.rtype)], whole = _answers(content, standing)
        if not whole:
            facts["partly"] = True
    if act == "refill":
        asserted = [
            (answers_type(p.rtype), answer_count(p.rtype, p.rdata)) for p in part.prerequisites if p.owner == one.name
        ]
        facts["had"] = _by_family((rtype, count) for rtype, count in asserted if rtype in _FAMILIES)
    elif act == "write":
        facts["contents"] = _contents(one.kind, addresses)
    return facts


def _answers(content: Content, standing: Mapping[Key, RRset | None]) -> tuple[int, bool]:
    """With how many addresses it can answer, of an alias those that the change asserts to stand below it; and whether
    that is all that it leads to. A large tree does not fit a change."""
    rrset = RRset.of(content.rtype, content.ttl, content.rdata)
    if not aliases_in(rrset):
        return answer_count(content.rtype, content.rdata), True
    return len(addresses_below(rrset, rrset.answers, standing)), stands_whole(rrset, rrset.answers, standing)


def _standing(part: Write) -> dict[Key, RRset | None]:
    """The addresses, and aliases, that a change asserts to stand, by what they answer."""
    return {
        (one.owner, answers_type(one.rtype)): RRset.of(one.rtype, 0, one.rdata)
        for one in part.prerequisites
        if one.rdata and answers_type(one.rtype) in _FAMILIES
    }


def _contents(kind: str, rrsets: Iterable[RRset] | Iterable[Content]) -> str:
    """A digest of everything that determines an endpoint's bytes, A first."""
    octets = msgspec.msgpack.encode(sorted((one.rtype, one.ttl, one.rdata) for one in rrsets))
    return hashlib.sha256(kind.encode() + b"\0" + octets).hexdigest()[:16]


def _at_its_name(entry: Entry) -> tuple[RRset, ...]:
    """What shall stand at the endpoint's own name."""
    if not entry.has_tree:
        return entry.rrsets
    return tuple(rrset for rtype in ADDRESS_TYPES if (rrset := root_rrset(entry, rtype)) is not None)


def _state(seen: RRset | None, zone: str, owner: str, stream: str) -> str:
    if seen is None:
        return "absent"
    marker = read_marker(seen, zone, owner)
    if isinstance(marker, Marker):
        return marker.state if marker.stream == stream else "foreign"
    return "absent" if isinstance(marker, Absent) else "unreadable"


def _marker_facts(put: tuple[bytes, ...], request: RecordIntent) -> dict[str, Any] | None:
    """What the text says that the change puts. Its checksum is not computed once more: tens of thousands are written
    in a second, and a wrong one is damage that readers find."""
    fields = dict(word.partition("=")[::2] for word in put[0].decode("latin-1").split(" "))
    try:
        facts: dict[str, Any] = {"since": int(fields["n"]), "state": fields["st"]}
        generation, plan = int(fields["g"]), fields["p"]
    except (KeyError, ValueError):
        return None
    if (generation, plan) != (request.generation, request.plan):
        facts.update(generation=generation, plan=plan)
    return facts


def _by_family(counts: Iterable[tuple[int, int]]) -> dict[str, int]:
    return {_FAMILIES.get(rtype) or RRType(rtype).name: count for rtype, count in counts}


def outcome_facts(outcome: Outcome, took_s: float) -> dict[str, Any]:
    """An outcome as the journal has it. `took_s`: since the change was sent."""
    facts = {
        "zone": outcome.zone,
        "name": outcome.name,
        "result": outcome.result,
        "why": outcome.why,
        "before": outcome.before,
        "since": outcome.since,
        "nonce": outcome.nonce,
        "took_ms": round(took_s * 1000, 1) if outcome.nonce else None,
    }
    return facts | {"unrecorded": outcome.unrecorded} if outcome.unrecorded else facts


def plan_facts(
    plan: Plan,
    decisions: Iterable[Decision],
    over: Head | None,
    policies: Iterable[EndpointPolicy],
    verdicts: Mapping[str, Verdict],
) -> dict[str, Any]:
    """A published plan for the journal. `over` is the head that publishing it asserted; `verdicts` what it was
    planned with."""
    limits = {policy.key: policy for policy in policies}
    return {
        "stream": plan.record.stream,
        "generation": plan.generation,
        "digest": plan.digest,
        "over": {"generation": over.generation, "digest": over.digest} if over else None,
        "author": plan.record.author,
        "reason": plan.record.reason,
        "planned_at": plan.record.at,
        "sources": dict(plan.record.sources),
        "changes": [
            _change_facts(one, plan.entry(one.key), limits.get(one.key), verdicts)
            for one in decisions
            if one.action in ("entered", "changed") or one.joined or one.left
        ],
    }


def _change_facts(
    one: Decision, entry: Entry | None, policy: EndpointPolicy | None, verdicts: Mapping[str, Verdict]
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "zone": one.key[0],
        "name": one.key[1],
        "added": list(one.joined),
        "removed": list(one.left),
        "why": one.why,
        "served": len({member.load_balancer for member in one.members if member.served}),
        "of": len({member.load_balancer for member in one.members}),
        "healthy": round(one.healthy, 4),
        "window": [round(one.removed, 3), round(one.removable, 3)],
        "leaving": [
            {
                "load_balancer": who.load_balancer,
                "weight": who.weight,
                "installed": who.installed,
                "cause": who.cause,
                "state": verdicts[who.load_balancer].state if who.load_balancer in verdicts else "unknown",
                "why": who.why,
                **_az_facts(who, verdicts),
            }
            for who in one.leaving
        ],
        "joining": [
            {"load_balancer": who.load_balancer, "weight": who.weight, "of": who.of, "cause": who.cause}
            for who in one.joining
        ],
    }
    if entry is not None:
        facts["since"] = entry.since
        facts["least"] = _by_family(entry.min_answers)
        facts["answers"] = _by_family((rrset.answers, rrset.count) for rrset in entry.rrsets)
        facts["contents"] = _contents(entry.kind, _at_its_name(entry))
        facts["departures"] = [[gone.load_balancer, gone.weight, gone.at, gone.installed] for gone in entry.departures]
    if policy is not None:
        facts["limits"] = {
            "share": policy.removal_share,
            "window_s": policy.removal_window_s,
            "hold_below": policy.hold_below,
            "az_loss": policy.az_loss,
            "adding_share": policy.adding_share,
            "adding_window_s": policy.adding_window_s,
            "rotation_s": period_s(policy) if policy.rotation_s else 0.0,
        }
    return facts


def _az_facts(who: Leaving, verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Of one that goes with its whole AZ: which, and how many outside it see it down."""
    if not who.az:
        return {}
    return {"az": who.az, "outside": verdicts[who.load_balancer].outside if who.load_balancer in verdicts else 0}
