"""What a newer plan makes due, and which of it goes first.

Urgent is what users suffer from: an answer that still has addresses the plan took out of it, and whatever an operator
holds (an emergency, a rollback). The rest follows, the newest first: what changed last is the likeliest to be right,
and what is overtaken meanwhile is never written.

Where admission is asked for, all that is due is *queued*, and begun in parts, as whoever runs the enactor admits it
(`recovery/catchup.py`). Only order rests on that: each change judges anew.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from standfast.model.entry import Entry, Key
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES
from standfast.ports.local import Admit, Admitted

from .agenda import Agenda, all_keys, joined, rotated
from .task import Result

UNANSWERED: Final[frozenset[Result]] = frozenset({"unknown", "blind"})
NOT_DONE: Final[frozenset[Result]] = UNANSWERED | {"conflict", "deferred", "look", "built", "refused", "unrecorded"}
"""Results after which an endpoint is not done with."""


def taken_up(agenda: Agenda, was: Plan | None, now: Plan, writer: str, behind: tuple[Key, ...]) -> Agenda:
    """With this plan in the place of that one: what changed is due; without a predecessor everything is, and is
    verified afterwards. `behind` are endpoints that were left for this plan to be judged by."""
    if was is None:
        keys = rotated(all_keys(now), writer)
        entries = {key: entry for key in keys if (entry := now.entry(key)) is not None}
        newest = tuple(sorted(keys, key=lambda key: -entries[key].since))
        urgent = tuple(key for key in newest if entries[key].held)
        return Agenda(due=(*urgent, *(key for key in newest if not entries[key].held)), urgent=urgent, everything=True)
    pairs = [(old, new) for old, new in now.shards.changes(was.shards) if new is not None]
    moved = [(old, new) for old, new in pairs if old is None or old.since != new.since]
    pressing = {new.key for old, new in moved if new.held or (old is not None and loses(old, new))}
    keys = rotated(tuple(new.key for _, new in moved), writer)
    urgent = tuple(key for key in keys if key in pressing)
    parted = tuple(key for group in agenda.groups for key in group)
    # Equal since and other bytes come from a fork: the marker can't tell, the addresses can.
    suspect = tuple(
        new.key for old, new in pairs if not new.same_contents(old) and old is not None and old.since == new.since
    )
    return structs.replace(
        agenda,
        groups=(),
        due=joined((*urgent, *(key for key in keys if key not in pressing)), agenda.due),
        urgent=joined(urgent, agenda.urgent),
        checks=joined(agenda.checks, (*suspect, *parted, *behind)),
    )


def loses(old: Entry, new: Entry) -> bool:
    """Whether something leaves its answer. In a rotation places are changed all the time; there a departure tells."""
    if new.turn is not None:
        return new.departures != old.departures
    stayed = {rrset.rtype: set(rrset.rdata) for rrset in new.rrsets}
    before = [rrset for rrset in old.rrsets if rrset.rtype in ADDRESS_TYPES]
    gone = any(set(rrset.rdata) - stayed.get(rrset.rtype, set()) for rrset in before)
    serving = {member.load_balancer for member in new.members if member.served}
    return gone or any(member.served and member.load_balancer not in serving for member in old.members)


def queueing(agenda: Agenda) -> Agenda:
    """All that is due waits to be admitted; what was admitted and not begun is the first to be asked for again."""
    if not (agenda.due or agenda.queued or agenda.turned_away):
        return agenda
    queued = joined(agenda.due, agenda.queued)
    known = set(queued) | set(agenda.held)
    urgent = tuple(key for key in agenda.urgent if key in known)
    return structs.replace(agenda, due=(), queued=queued, urgent=urgent, turned_away=False)


def returned(agenda: Agenda, keys: Iterable[Key]) -> Agenda:
    """These were begun and nobody knows what came of it: they wait again, at the front. Their markers will tell."""
    return queueing(structs.replace(agenda, due=joined(tuple(keys), agenda.due)))


def asked(agenda: Agenda) -> Admit:
    """Which of it shall be begun now?"""
    pressing = set(agenda.urgent)
    urgent = tuple(key for key in agenda.queued if key in pressing)
    return Admit(urgent, tuple(key for key in agenda.queued if key not in pressing) if urgent else agenda.queued)


def admitted(agenda: Agenda, reply: Admitted) -> Agenda:
    """After that answer. Raises AssertionError if it has keys that were not asked for."""
    if not reply.keys:
        return structs.replace(agenda, turned_away=True)
    begun = set(reply.keys)
    queued = tuple(key for key in agenda.queued if key not in begun)
    assert len(queued) + len(begun) == len(agenda.queued), "what was not asked for is admitted"
    return structs.replace(agenda, queued=queued, due=joined(agenda.due, reply.keys))
