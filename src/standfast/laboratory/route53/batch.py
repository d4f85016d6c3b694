"""A change batch against a zone's record sets: all of it, or none and every reason why.

Pure: a zone's contents and a batch give the changed groups or the messages. Each rule names its source; what the
documents leave open is a `Rules` switch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from standfast.laboratory.route53 import names, values
from standfast.laboratory.route53.sets import TYPES, RecordSet

Group = Mapping[str | None, RecordSet]
"""The record sets of one name and type, by set identifier."""

Groups = Mapping[tuple[str, str], Group]
"""The groups of a zone by name and type; no group is empty."""

ELEMENTS_MAX = 1_000
CHARACTERS_MAX = 32_000
WEIGHTED_MAX = 100
CLOUDFRONT_ZONES = frozenset({"Z2FDTNDATAQYW2", "Z3RFFRIM2A3IF5"})
"""API Reference, AliasTarget, HostedZoneId, "CloudFront distribution"; the second is China's."""
VALUES_MAX = 400


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the documents leave open."""

    order: Literal["written", "final"] = "written"
    """Whether an alias's target must stand before the alias's own change in the batch, every DELETE and the deleting
    half of every UPSERT having come first (as the authors of octoDNS found), or only when the whole batch is made."""

    delete_target: Literal["allow", "refuse"] = "allow"
    """Whether a record set may be deleted while an alias that stays points at it."""

    create_then_delete: Literal["allow", "refuse"] = "refuse"
    """Whether one batch may CREATE a set and then DELETE it. DELETE and then CREATE is allowed always."""

    weighted_ttl: Literal["same", "any"] = "same"
    """Whether the sets of a weighted group must have one TTL."""


class Change(msgspec.Struct, frozen=True):
    """One change of a batch."""

    action: str
    wanted: RecordSet


class Surroundings(msgspec.Struct, frozen=True):
    """What a zone's batch is judged with besides the zone's own sets."""

    zone: str
    apex: str
    elsewhere: Callable[[str, str, str], str | None]
    """For an alias into another zone: its id, the name and the type, giving what is wrong with it or None."""


class Draft:
    """A zone's groups with some of them changed; the base is not touched."""

    def __init__(self, base: Groups) -> None:
        self.base = base
        self.changed: dict[tuple[str, str], dict[str | None, RecordSet]] = {}

    def group(self, name: str, kind: str) -> Group:
        """The sets of a name and type now."""
        changed = self.changed.get((name, kind))
        return self.base.get((name, kind), {}) if changed is None else changed

    def _own(self, one: RecordSet) -> dict[str | None, RecordSet]:
        key = (one.name, one.type)
        if key not in self.changed:
            self.changed[key] = dict(self.base.get(key, {}))
        return self.changed[key]

    def put(self, one: RecordSet) -> None:
        """Add or replace a set."""
        self._own(one)[one.identifier] = one

    def remove(self, one: RecordSet) -> None:
        """Take a set away."""
        self._own(one).pop(one.identifier, None)

    def at(self, name: str) -> Iterator[str]:
        """The types that stand at a name."""
        return (kind for kind in sorted(TYPES) if self.group(name, kind))


def judge(groups: Groups, changes: Sequence[Change], around: Surroundings, rules: Rules) -> Draft | list[str]:
    """The draft of what a batch leaves, or every problem with it.

    Source: API Reference, ChangeResourceRecordSets, "Change batches and transactional changes": all changes are
    validated, then all are made or none.
    """
    problems = size_problems(changes)
    if problems:
        return problems
    problems = list(_repeated(changes, rules))
    wrong = [_unlike(draft, change, around) for draft, change in _in_turn(Draft(groups), changes)]
    final = _deleted(groups, changes)
    last = {_key(change.wanted): number for number, change in enumerate(changes)}
    created = [n for n in sorted(last.values()) if changes[n].action != "DELETE" and not wrong[n]]
    for number in created:
        if rules.order == "written":
            wrong[number] += _target_problems(final, changes[number].wanted, around)
        wrong[number] += _beside(final, changes[number].wanted, around, rules)
        final.put(changes[number].wanted)
    if rules.order == "final":
        for number in created:
            wrong[number] += _target_problems(final, changes[number].wanted, around)
    problems += [text for found in wrong for text in found]
    problems += _left(final, around, rules)
    return list(dict.fromkeys(problems)) or final


def _in_turn(draft: Draft, changes: Sequence[Change]) -> Iterator[tuple[Draft, Change]]:
    """Each change with what the changes before it leave."""
    for change in changes:
        yield draft, change
        if change.action == "DELETE":
            draft.remove(change.wanted)
        else:
            draft.put(change.wanted)


def _deleted(groups: Groups, changes: Sequence[Change]) -> Draft:
    """A zone without what a batch deletes or is to overwrite, before anything of the batch is created."""
    draft = Draft(groups)
    for change in changes:
        if change.action != "CREATE":
            draft.remove(change.wanted)
    return draft


def size_problems(changes: Sequence[Change]) -> list[str]:
    """Problems with a batch's size; UPSERT counts twice, an alias as one element.

    Source: Developer Guide, Quotas, "Maximums on ChangeResourceRecordSets requests".
    """
    twice = [1 + (one.action == "UPSERT") for one in changes]
    elements = sum(max(1, len(one.wanted.values)) * times for one, times in zip(changes, twice, strict=True))
    letters = sum(sum(map(len, one.wanted.values)) * times for one, times in zip(changes, twice, strict=True))
    problems = []
    if not changes:
        problems.append("A change batch must have at least one change.")
    if elements > ELEMENTS_MAX:
        problems.append(f"Number of records limit of {ELEMENTS_MAX} exceeded.")
    if letters > CHARACTERS_MAX:
        problems.append(f"RDATA character limit of {CHARACTERS_MAX} exceeded.")
    return problems


def _key(one: RecordSet) -> tuple[str, str, str | None]:
    return one.name, one.type, one.identifier


def _repeated(changes: Sequence[Change], rules: Rules) -> Iterator[str]:
    """A set changed more than once, but for DELETE and then CREATE.

    Source: API Reference, ChangeResourceRecordSets: deleting the same set more than once is InvalidChangeBatch. The
    words are AWS's for any set that a batch changes twice.
    """
    actions: dict[tuple[str, str, str | None], list[str]] = {}
    for one in changes:
        actions.setdefault(_key(one.wanted), []).append(one.action)
    fine = [["DELETE", "CREATE"], *([["CREATE", "DELETE"]] if rules.create_then_delete == "allow" else [])]
    for (name, kind, _), made in actions.items():
        if len(made) > 1 and made not in fine:
            yield f"The request contains an invalid set of changes for a resource record set '{kind} {name}'"


def _unlike(draft: Draft, change: Change, around: Surroundings) -> list[str]:
    """What is wrong with a change in itself and beside the set it means.

    Source: API Reference, ChangeResourceRecordSets, "Create, delete, and upsert", and "Deleting resource record sets".
    """
    one = change.wanted
    if not names.within(one.name, around.apex):
        return [f"RRSet with DNS name {one.name} is not permitted in zone {around.apex}"]
    standing = draft.group(one.name, one.type).get(one.identifier)
    found = []
    if change.action == "DELETE":
        if standing is None:
            found.append(f"Tried to delete resource record set {one.described()} but it was not found")
        elif not standing.same_values(one):
            found.append(
                f"Tried to delete resource record set {one.described()} "
                "but the values provided do not match the current values"
            )
        return found
    if change.action == "CREATE" and standing is not None:
        found.append(f"Tried to create resource record set {one.described()} but it already exists")
    return found + _content_problems(one, around)


def _content_problems(one: RecordSet, around: Surroundings) -> list[str]:
    """What no zone could hold.

    Sources: Developer Guide, "Supported DNS record types" (values; CNAME not at the apex), "Quotas" (values of a set);
    API Reference, ResourceRecordSet (one value of a weighted set; wildcards and NS).
    """
    found = [text for value in one.values if (text := values.problem(one.type, value))]
    if len(set(one.values)) < len(one.values):
        found.append(f"Duplicate Resource Record: '{_first_twice(one.values)}'")
    if len(one.values) > VALUES_MAX:
        found.append(f"Cannot have more than {VALUES_MAX} records in a RRSet.")
    if len(one.values) > 1 and (one.routed or one.type in ("CNAME", "SOA")):
        found.append(f"RRSet {_titled(one)} cannot have more than one resource record.")
    if one.type == "CNAME" and one.name == around.apex:
        found.append(f"RRSet of type CNAME with DNS name {one.name} is not permitted at apex in zone {around.apex}")
    if one.type == "SOA" and one.name != around.apex:
        found.append(
            f"RRSet of type SOA with DNS name {one.name} is not permitted below the apex of zone {around.apex}"
        )
    if one.type == "DS" and one.name == around.apex:
        found.append(f"RRSet of type DS with DNS name {one.name} is not permitted at apex in zone {around.apex}")
    if one.type == "NS" and one.name.startswith("\\052."):
        found.append(f"RRSet of type NS with DNS name {one.name} is not permitted: NS has no wildcard")
    return found


def _first_twice(texts: Sequence[str]) -> str:
    return next(text for number, text in enumerate(texts) if text in texts[:number])


def _titled(one: RecordSet) -> str:
    identifier = "" if one.identifier is None else f", SetIdentifier {one.identifier}"
    return f"with DNS name {one.name}, type {one.type}{identifier}"


def _target_problems(draft: Draft, one: RecordSet, around: Surroundings) -> list[str]:
    """Whether an alias's target is there: asked when the alias is written, never later.

    Sources: API Reference, AliasTarget ("another resource record set in the same hosted zone", of the same type;
    EvaluateTargetHealth, "CloudFront distributions": those words are made); the words are AWS's. That a target has to
    be created before its alias within a batch, and that UPSERT deletes before all changes, is what octoDNS's authors
    found (octodns-route53, `_mod_keyer`).
    """
    if one.alias is None:
        return []
    what = f"Tried to create an alias that targets {one.alias.name}, type {one.type} in zone {one.alias.zone}"
    if one.alias.zone in CLOUDFRONT_ZONES and one.alias.evaluate_health:
        return [f"EvaluateTargetHealth cannot be set to true in an alias that targets {one.alias.name}"]
    if one.alias.zone != around.zone:
        wrong = around.elsewhere(one.alias.zone, one.alias.name, one.type)
        return [f"{what}, but {wrong}"] if wrong else []
    found = []
    if not names.within(one.alias.name, around.apex):
        found.append(f"{what}, but the alias target name does not lie within the target zone")
    if not draft.group(one.alias.name, one.type) or one.alias.name == one.name:
        found.append(f"{what}, but that target was not found")
    return found


def _beside(draft: Draft, one: RecordSet, around: Surroundings, rules: Rules) -> list[str]:
    """What may not stand beside what.

    Sources: Developer Guide, "CNAME record type" and RFC 1034 §3.6.2 (nothing beside a CNAME); API Reference,
    ResourceRecordSet, Weight (no other policy beside weighted sets; 100 of them), TTL (one in a weighted group),
    SetIdentifier; Quotas, "Quotas on records".
    """
    found = [
        f"RRSet of type {one.type} with DNS name {one.name} is not permitted because a conflicting RRSet of "
        f"type {kind} with the same DNS name already exists in zone {around.apex}"
        for kind in draft.at(one.name)
        if kind != one.type and "CNAME" in (kind, one.type)
    ]
    others = [other for key, other in draft.group(one.name, one.type).items() if key != one.identifier]
    if any(other.policy != one.policy for other in others):
        found.append(f"RRSet {_titled(one)} cannot be created {_UNLIKE[one.policy]}")
    elif one.policy == "weighted":
        if len(others) >= WEIGHTED_MAX:
            found.append(f"RRSet {_titled(one)} cannot be created as {WEIGHTED_MAX} weighted sets exist with its name.")
        ttls = {other.ttl for other in others if other.ttl is not None}
        if rules.weighted_ttl == "same" and one.ttl is not None and ttls - {one.ttl}:
            found.append(f"RRSet {_titled(one)} cannot be created as weighted sets must contain the same TTL.")
    return found


_UNLIKE = {
    "simple": "as other RRSets exist with the same name and type.",
    "weighted": "as a non-weighted set exists with the same name and type.",
    "multivalue": "because a non multivalue answer rrset exists with the same name and type.",
}


def _left(draft: Draft, around: Surroundings, rules: Rules) -> list[str]:
    """What a zone must hold after a batch.

    Source: Developer Guide, "NS and SOA records that Route 53 creates for a public hosted zone": neither can be
    deleted.
    """
    found = []
    if not draft.group(around.apex, "SOA"):
        found.append("A HostedZone must contain exactly one SOA record.")
    if not draft.group(around.apex, "NS"):
        found.append("A HostedZone must contain at least one NS record for the zone itself.")
    if rules.delete_target == "refuse":
        gone = {key for key, group in draft.changed.items() if not group}
        found += [
            f"Tried to delete resource record set [name='{one.alias.name}', type='{one.type}'] "
            f"but the alias '{one.name}' points at it"
            for key in sorted({*draft.base, *draft.changed} if gone else ())
            for one in draft.group(*key).values()
            if one.alias and one.alias.zone == around.zone and (one.alias.name, one.type) in gone
        ]
    return found
