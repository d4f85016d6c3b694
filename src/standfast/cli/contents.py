"""The contents of an endpoint as a plan has them, and what stood at its name before: for people and for programs."""

from collections.abc import Iterator
from typing import Any

from standfast.errors import StandfastError
from standfast.model.entry import WHOLE, Entry, Key, Member, Stood
from standfast.model.fleet import readable
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType, type_name
from standfast.model.tree import records, top_of

from .wording import as_text, dump, table

LEFT_OFF = "and {} more, which were not saved"


def entry_lines(entry: Entry) -> list[str]:
    """Records as in a zone file, the names of a tree, then who is in and who is out, with weights."""
    held = f"   HELD: {entry.held}" if entry.held else ""
    lines = [f"{entry.name}   since g{entry.since}{held}" + (f"   {entry.kind}" if entry.kind != "live" else "")]
    if entry.follows:
        lines.append(f"   a copy of {entry.follows}")
    lines += _record_lines(entry.rrsets)
    if entry.layout != "flat" and entry.kind == "live":
        lines.append(f"   layout {entry.layout}" + (f": {top_of(entry)}" if entry.has_tree else ""))
        lines += [f"      {owner}" for owner in _tree_names(entry)[1:]]
    rows = [
        ("in" if one.served else "out", one.load_balancer, _weight(one), " ".join(readable(one.addresses)), one.reason)
        for one in entry.members
    ]
    return lines + table(rows, "   ")


def _record_lines(rrsets: tuple[RRset, ...]) -> list[str]:
    return [f"   {RRType(rrset.answers).name:<5} {rrset.ttl:>6}  {text}" for rrset in rrsets for text in rrset.texts()]


def _weight(member: Member) -> str:
    slow = f", {member.eased} % of it (slow start)" if member.eased != WHOLE else ""
    return f"weight {member.weight}{slow}"


def _tree_names(entry: Entry) -> list[str]:
    """Owner names of its tree, the top first."""
    return list(dict.fromkeys(owner for owner, _ in reversed(records(entry))))


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry for programs."""
    return {
        "name": entry.name,
        "zone": entry.zone,
        "kind": entry.kind,
        "since": entry.since,
        "held": entry.held or None,
        "layout": entry.layout,
        "tree": _tree_names(entry) or None,
        "follows": entry.follows or None,
        "taken_by": entry.taken or None,
        "rrsets": list(_rrsets_json(entry.rrsets)),
        "members": [
            {
                "load_balancer": one.load_balancer,
                "addresses": list(one.addresses),
                "weight": one.weight,
                "slow_start_percent": one.eased,
                "served": one.served,
                "reason": one.reason,
                "health_check": one.health_check or None,
            }
            for one in entry.members
        ],
        "note": entry.note or None,
    }


def _rrsets_json(rrsets: tuple[RRset, ...]) -> Iterator[dict[str, Any]]:
    for one in rrsets:
        yield {"type": type_name(one.rtype), "ttl": one.ttl, "data": list(one.texts())}


def before_standfast(plan: Plan, key: Key | None) -> Stood | None:
    """What stood at the name when it was taken over, as the plan has it."""
    entry = plan.entry(key) if key is not None else None
    return entry.stood if entry is not None else None


def stood_json(stood: Stood) -> dict[str, Any]:
    """What stood there for programs."""
    return {
        "taken_in": stood.generation,
        "rrsets": list(_rrsets_json(stood.rrsets)),
        "left_off": stood.left_off,
    }


def show_before(plan: Plan, key: Key | None, as_json: bool) -> None:
    """`history --show 0`: of one endpoint, or of all that were taken over. Raises StandfastError if nothing is."""
    some = [entry for entry in plan.shards if entry.stood is not None and key in (None, entry.key)]
    if not some:
        whose = key[1] if key else "any name"
        message = f"Of what stood at {whose} before Standfast nothing is saved: no plan that is known took it over."
        raise StandfastError(message, f"`standfast history {key[1]}`" if key else "`standfast history`")
    some.sort(key=lambda entry: entry.key)
    if as_json:
        rows = [(entry, entry.stood) for entry in some if entry.stood is not None]
        endpoints = [
            {"name": e.name, "zone": e.zone, "taken_by": e.taken or None, **stood_json(stood)} for e, stood in rows
        ]
        dump({"generation": 0, "endpoints": endpoints})
        return
    for entry in some:
        as_text(_stood_lines(entry))


def _stood_lines(entry: Entry) -> Iterator[str]:
    if (stood := entry.stood) is None:
        return
    yield f"{entry.name}   before Standfast; taken over in g{stood.generation}, agreed to by {entry.taken}"
    yield from _record_lines(stood.rrsets)
    if stood.left_off:
        yield f"   {LEFT_OFF.format(stood.left_off)}"
