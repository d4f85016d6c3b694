"""What an enactor looks at next: order, batches that fit one message, and which endpoints an owner name concerns.

Nothing here decides whether anything is written.
"""

import hashlib
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import Struct, structs

from standfast.model.entry import Entry, Key
from standfast.model.name import ROLLBACK_LABEL, SUBTREE, TREE_LABEL, first_name, floor_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.model.tree import read_tree_name
from standfast.ports.provider import Room

BATCH_OCTETS: Final = Room().octets
VERIFY_BATCH: Final = 64
"""Endpoints verified in one go, so that a newer head is noticed within milliseconds."""
_NEW_MARKER_OCTETS: Final = 235
_MARKER_OCTETS: Final = 415
"""With the old marker asserted and deleted. Besides the names of stream and writer, which each marker has."""
_MARKER_CHARACTERS: Final = 132
"""Of its text, besides the names of stream and writer."""
_ADDRESS_OCTETS: Final = {1: 16, 28: 28}
_ADDRESS_CHARACTERS: Final = {1: 14, 28: 28}


class Marked(NamedTuple):
    """What an endpoint's marker adds to a change, about; and whether it is new."""

    octets: int
    characters: int
    new: bool


class Agenda(Struct, frozen=True):
    """What is left to do. `groups` are endpoints that must go together in one small change, first of all; `due` may
    have changed with the plan; `checks` are to be verified with their addresses; `everything` is to be verified once
    nothing is due. `aside` is left to a later pass, for the provider gave no answer: so one zone's server that is down
    keeps nobody from looking after the other zones. `held` is due once it is for this enactor to begin. `queued` is due
    once it is admitted (due.py), those of it that are `urgent` first; `turned_away` is set when nothing more of it is
    in this pass."""

    groups: tuple[tuple[Key, ...], ...] = ()
    due: tuple[Key, ...] = ()
    checks: tuple[Key, ...] = ()
    everything: bool = False
    aside: tuple[Key, ...] = ()
    held: tuple[Key, ...] = ()
    queued: tuple[Key, ...] = ()
    urgent: tuple[Key, ...] = ()
    turned_away: bool = False

    @property
    def done(self) -> bool:
        """Nothing left for this pass."""
        return not (self.groups or self.due or self.checks or self.everything or self.to_admit)

    @property
    def to_admit(self) -> bool:
        """Whether something waits to be admitted in this pass."""
        return bool(self.queued) and not self.turned_away

    @property
    def bulk(self) -> bool:
        """Whether more is to be written than the change at hand."""
        return bool(self.due or self.queued)

    @property
    def empty(self) -> bool:
        """Nothing left."""
        return self.done and not self.aside and not self.queued

    @property
    def waiting(self) -> int:
        """For people: how much is due."""
        return len(self.due) + len(self.groups) + len(self.aside) + len(self.held) + len(self.queued)

    def without(self, zone: str, keys: tuple[Key, ...]) -> "Agenda":
        """These endpoints, and all else that is left to do in their zone, put aside. What is queued goes on waiting."""
        rest = tuple(key for group in self.groups for key in group) + self.due + self.checks
        return structs.replace(
            self,
            groups=tuple(group for group in self.groups if group[0][0] != zone),
            due=tuple(key for key in self.due if key[0] != zone),
            checks=tuple(key for key in self.checks if key[0] != zone),
            aside=joined(self.aside, keys + tuple(key for key in rest if key[0] == zone)),
        )

    def resumed(self, but: tuple[str, ...] = ()) -> "Agenda":
        """What was put aside is to be verified, except in these zones."""
        kept = tuple(key for key in self.aside if key[0] in but)
        aside = tuple(key for key in self.aside if key[0] not in but) if kept else self.aside
        return structs.replace(self, checks=joined(self.checks, aside), aside=kept)

    def holding(self, zones: tuple[str, ...]) -> "Agenda":
        """What is due in these zones waits: it may be for another enactor to begin (standing_by.py)."""
        if not zones:
            return self
        held = tuple(key for key in self.due if key[0] in zones)
        due = tuple(key for key in self.due if key[0] not in zones)
        return structs.replace(self, due=due, held=joined(self.held, held))


def all_keys(plan: Plan, but: tuple[str, ...] = ()) -> tuple[Key, ...]:
    """Every entry's key, of all zones but these."""
    return tuple(entry.key for zone, entries in plan.by_zone.items() if zone not in but for entry in entries)


def rotated(keys: tuple[Key, ...], writer: str) -> tuple[Key, ...]:
    """The same keys from this enactor's own offset: a little order spares the provider, safety never rests on it."""
    if not keys:
        return keys
    offset = int.from_bytes(hashlib.sha256(writer.encode()).digest()[:4]) % len(keys)
    return keys[offset:] + keys[:offset]


def joined(keys: tuple[Key, ...], more: tuple[Key, ...]) -> tuple[Key, ...]:
    if not more:
        return keys
    known = set(keys)
    return (*keys, *(key for key in dict.fromkeys(more) if key not in known))


def keys_of(plan: Plan | None, zone: str, owners: tuple[str, ...] | None) -> tuple[Key, ...]:
    """The endpoints that these owner names belong to; all of the zone's if nobody can tell."""
    if plan is None:
        return ()
    below, hashed = f".{SUBTREE}.{zone}", "_h-"
    if owners is None or any(f".{hashed}" in f".{owner}" and owner.endswith(below) for owner in owners):
        return tuple(entry.key for entry in plan.by_zone.get(zone, ()))
    names: list[str] = []
    for owner in owners:
        if owner == floor_owner(plan.record.stream, zone):
            names.append(first_name(plan.record.stream, zone))
        elif owner.endswith(below):
            names.append(_endpoint_of(_inner_of(owner, zone), zone))
        else:
            names.append(owner)
    return tuple((zone, name) for name in dict.fromkeys(names) if plan.entry((zone, name)) is not None)


def _inner_of(owner: str, zone: str) -> str:
    """What of an owner name of ours tells the endpoint: of a marker, a record of a tree, a rollback alias."""
    tree = read_tree_name(owner, zone)
    return (
        (tree.parent if tree is not None else owner)
        .removesuffix(f".{SUBTREE}.{zone}")
        .removesuffix(f".{TREE_LABEL if tree is not None else ROLLBACK_LABEL}")
    )


def _endpoint_of(label: str, zone: str) -> str:
    """The endpoint whose marker has this owner name, relative to the subtree (inverse of `marker_owner`)."""
    if label == "_apex":
        return zone
    if label == "_any" or label.startswith("_any."):
        label = "*" + label.removeprefix("_any")
    return f"{label}.{zone}"


def marked(stream: str, writer: str, *, new: bool) -> Marked:
    """About what an endpoint's marker adds to a change; a `new` one has no predecessor to be asserted and deleted."""
    names = len(stream) + len(writer)
    octets = _NEW_MARKER_OCTETS + names if new else _MARKER_OCTETS + 2 * names
    return Marked(octets, (2 - new) * (_MARKER_CHARACTERS + names), new)


def next_batch(
    plan: Plan,
    agenda: Agenda,
    quarantine: dict[Key, int],
    marker: Callable[[Key], Marked],
    room: Callable[[str], Room],
) -> tuple[tuple[Entry, ...], bool, Agenda]:
    """What goes into the next change: entries of one zone that fit one message, and what remains.

    `marker` tells what an endpoint's marker takes in a change; where it is new, nothing is taken to stand at the
    endpoint's name. A change has about what `room` says of its zone at most, and one endpoint at least. An estimate
    that is too low costs one refusal, after which the batch is halved.
    """
    if agenda.groups:
        # Verified: a repair that was refused together with others is known by its addresses alone.
        keys, groups = agenda.groups[0], agenda.groups[1:]
        entries, used = _taken(plan, keys, quarantine, marker, len(keys), room)
        return entries, True, structs.replace(agenda, groups=(keys[used:], *groups) if keys[used:] else groups)
    if agenda.due:
        entries, used = _taken(plan, agenda.due, quarantine, marker, len(agenda.due), room)
        return entries, False, structs.replace(agenda, due=agenda.due[used:])
    entries, used = _taken(plan, agenda.checks, quarantine, marker, VERIFY_BATCH, room)
    return entries, True, structs.replace(agenda, checks=agenda.checks[used:])


def _taken(
    plan: Plan,
    keys: tuple[Key, ...],
    quarantine: dict[Key, int],
    marker: Callable[[Key], Marked],
    most: int,
    room: Callable[[str], Room],
) -> tuple[tuple[Entry, ...], int]:
    entries: list[Entry] = []
    octets = used = records = characters = 0
    for key in keys:
        entry = plan.entry(key)
        if entry is None or quarantine.get(key) == entry.since:
            used += 1
            continue
        has = room(entry.zone)
        its = marker(key)
        octets += _octets(entry, its.octets)
        full = octets > has.octets
        if has.records:
            records, characters = records + _records(entry, its.new), characters + _characters(entry, its)
            full = full or records > has.records or characters > has.characters > 0
        if entries and (full or len(entries) >= most or entry.zone != entries[0].zone):
            break
        if entry.kind != "first" and any(
            "tree" in (entry.layout, one.layout) for one in entries if one.kind != "first"
        ):
            break  # a tree is looked at whole before root flips, and goes alone
        entries.append(entry)
        used += 1
    return tuple(dict.fromkeys(entries)), used


def _octets(entry: Entry, marker: int) -> int:
    """About what an endpoint adds to a change: its name twice, below the zone's; marker; addresses."""
    names = 2 * (len(entry.name) - len(entry.zone))
    return names + marker + sum(_ADDRESS_OCTETS.get(r.rtype, 64) * len(r.rdata) for r in entry.rrsets)


def _records(entry: Entry, new: bool) -> int:
    """About how many records an endpoint's change deletes and creates: markers, and every address twice."""
    return 2 - new + sum(len(rrset.rdata) + _deleted(entry, rrset, new) for rrset in entry.rrsets)


def _characters(entry: Entry, marker: Marked) -> int:
    """About how many characters their text has."""
    texts = sum(
        _ADDRESS_CHARACTERS.get(rrset.answers, 64) * (len(rrset.rdata) + _deleted(entry, rrset, marker.new))
        for rrset in entry.rrsets
    )
    return marker.characters + texts


def _deleted(entry: Entry, rrset: RRset, new: bool) -> int:
    """Whoever is considered for the answer may have been in the last one, but for those that many more are."""
    if new:
        return 0
    colon = rrset.answers == RRType.AAAA
    considered = sum((":" in address) is colon for member in entry.members for address in member.addresses)
    return min(max(considered, len(rrset.rdata)), len(rrset.rdata) + 2)
