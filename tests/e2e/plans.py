"""Plans for tests of whole processes: contents of endpoints over generations, and what they look like in DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from e2e.prober import History, Question, Values
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model.entry import Entry
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import ADDRESS_TYPES, RRType, addresses
from standfast.model.shards import Shards
from standfast.ports.store import HeadRead, Publish, Published, ReadHead, StoreReply

TTL = 60
MIN_ANSWERS = 2
Contents = tuple[str, ...]


def v4(*numbers: int) -> Contents:
    """192.0.2.N for each."""
    return tuple(f"192.0.2.{number}" for number in numbers)


def both(*numbers: int) -> Contents:
    """192.0.2.N and 2001:db8::N for each."""
    return v4(*numbers) + tuple(f"2001:db8::{number:x}" for number in numbers)


class Plans:
    """The plans of one stream, drawn and published by hand; `store` may be reached by other processes meanwhile."""

    def __init__(self, store: SqliteStore, zone: str, stream: str = "main") -> None:
        self.store, self.zone, self.stream = store, zone, stream
        self.entries: dict[str, Entry] = {}
        self.published: list[Plan] = []

    @property
    def generation(self) -> int:
        """That of the newest."""
        return self.published[-1].generation if self.published else 0

    def publish(self, changes: Mapping[str, Contents]) -> Plan:
        """The next plan: these endpoints change, `since` only where contents do, the others are carried on."""
        reply = self.offer(changes)
        assert isinstance(reply, Published), reply
        return self.published[-1]

    def offer(self, changes: Mapping[str, Contents]) -> StoreReply:
        """As `publish`, but the store may have its troubles: what it says."""
        before = dict(self.entries)
        generation = self.generation + 1
        if not self.entries:
            first = first_name(self.stream, self.zone)
            self.entries[first] = Entry(self.zone, first, generation, kind="first")
        for name, texts in changes.items():
            entry = self._entry(name, generation, texts)
            if not entry.same_contents(self.entries.get(name)):
                self.entries[name] = entry
        shards = Shards.of(self.entries.values())
        record = PlanRecord(self.stream, generation, shards.digest, (self.zone,), (), "tests", "", 0.0)
        plan = Plan(record, shards)
        head = self.store.perform(ReadHead())
        assert isinstance(head, HeadRead), head
        reply = self.store.perform(Publish(head.head, plan))
        if isinstance(reply, Published):
            self.published.append(plan)
        else:
            self.entries = before
        return reply

    def _entry(self, name: str, since: int, texts: Contents) -> Entry:
        rrsets = addresses(TTL, texts)
        return Entry(self.zone, name, since, "live", rrsets, tuple((rrset.rtype, MIN_ANSWERS) for rrset in rrsets))


def values_of(entry: Entry | None, rtype: str) -> Values:
    """What the entry lets the server answer."""
    rrset = entry.rrset(RRType[rtype]) if entry is not None else None
    return frozenset(rrset.texts()) if rrset is not None else frozenset()


def histories(plans: Sequence[Plan], questions: Sequence[Question], zone: str) -> dict[Question, History]:
    """The contents of each question in the order of generations, from where there are any."""
    found: dict[Question, dict[int, Values]] = {question: {} for question in questions}
    for plan in sorted(plans, key=lambda one: one.generation):
        for name, rtype in questions:
            entry = plan.entry((zone, name))
            if entry is not None and (values := values_of(entry, rtype)):
                found[name, rtype][entry.since] = values
    return {question: sorted(contents.items(), key=lambda pair: pair[0]) for question, contents in found.items()}


TYPES = tuple(rtype.name for rtype in ADDRESS_TYPES)
