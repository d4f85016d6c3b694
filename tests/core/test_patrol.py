"""The patrol sees every endpoint of a zone in each round, page by page, and suspects what differs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.stores.memory import MemoryStore
from standfast.core.enactor import Enactor
from standfast.core.patrol import PAGE_MAX, Patrol, calls_of_a_round, contents_page, in_order, record_sets
from standfast.core.standing_by import learning, mustered, released, suspecting, unread
from standfast.model.entry import Key
from standfast.model.name import first_name, floor_owner, marker_owner, rollback_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.model.tree import alias_rrset
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent
from standfast.ports.provider import Confirm, Read, ReadChanges, Replace, Unknown
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import PlanMissing, Publish, ReadHead, ReadPlan
from world.invented import STREAM, ZONE, entry, plan_of

Damage = dict[Key, RRset | None]


def plan_with(count: int, generation: int = 1, changed: tuple[int, ...] = ()) -> Plan:
    entries = []
    for number in range(count):
        since = generation if number in changed else 1
        entries.append(entry(f"e{number:04d}.{ZONE}", since, f"192.0.2.{since}"))
    return plan_of(generation, entries)


class Lone:
    """An enactor over memory, driven by hand."""

    def __init__(self, plan: Plan) -> None:
        self.store, self.provider = MemoryStore(), MemoryProvider(ZONE, {})
        self.published: Plan | None = None
        self.publish(plan)
        self.core = Enactor("a", STREAM, blind=(ZONE,), paced=(ZONE,))
        self.asked: list[object] = []
        self.drawn = 0

    def publish(self, plan: Plan) -> None:
        self.store.perform(Publish(self.published.head if self.published else None, plan))
        self.published = plan

    def passing(self, occasion: str) -> None:
        self.asked.clear()
        self.core = self.core.wake(occasion, 0.0)  # type: ignore[arg-type]
        while (request := self.core.request) is not None:
            self.asked.append(request)
            match request:
                case ReadHead() | ReadPlan():
                    self.core = self.core.heard(self.store.perform(request))
                case Read() | Confirm() | Replace() | ReadChanges():
                    self.core = self.core.heard(self.provider.perform(request))
                case DrawNonce():
                    self.drawn += 1
                    self.core = self.core.heard(Nonce(f"{self.drawn:016x}"))
                case RecordIntent():
                    self.core = self.core.heard(Recorded())
                case KeepCopy():
                    self.core = self.core.heard(Kept())
                case RecallCopy():
                    self.core = self.core.heard(PlanMissing())

    def began(self) -> None:
        """It is for us to begin what is held."""
        while (request := unread(self.core)) is not None:
            learnt = mustered(self.core, request, self.provider.perform(request))
            assert learnt is not None
            self.core = learnt
        self.core = released(self.core, done=False)
        self.passing("news")

    def asks(self) -> list[object]:
        return [one for one in self.asked if isinstance(one, Read | Confirm | Replace)]

    def damage(self, name: str, rtype: int) -> None:
        rrsets = {key: rrset for key, rrset in self.provider.state.rrsets.items() if key != (name, rtype)}
        self.provider.state = ZoneState(ZONE, rrsets, self.provider.state.serial + 1)


def round_of(lone: Lone, offset: float = 0.0) -> tuple[list[Key], list[Read]]:
    """One whole round: suspects, and what was asked."""
    plan = lone.published
    assert plan is not None
    entries, patrol = in_order(plan.by_zone[ZONE]), Patrol(ZONE, offset)
    suspects: list[Key] = []
    asked: list[Read] = []
    while not patrol.rounds:
        patrol, request = patrol.begun(entries)
        assert request is not None
        asked.append(request)
        patrol, seen = patrol.heard(lone.provider.perform(request), plan, len(entries))
        suspects += seen.suspects
        lone.core = learning(lone.core, ZONE, seen.markers)
        assert len(asked) < 100
    return suspects, asked


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.integers(1, 600),
    st.floats(0, 1, exclude_max=True),
    st.sets(st.integers(0, 599), max_size=4),
    st.sets(st.integers(0, 599), max_size=4),
)
def test_a_round_sees_all_of_the_zone_and_suspects_what_differs(
    count: int, offset: float, markers: set[int], contents: set[int]
) -> None:
    lone = Lone(plan_with(count))
    lone.passing("start")
    lone.began()
    for number in markers:
        lone.damage(marker_owner(f"e{number:04d}.{ZONE}", ZONE), RRType.TXT)
    for number in contents:
        lone.damage(f"e{number:04d}.{ZONE}", RRType.A)
    suspects, asked = round_of(lone, offset)
    harmed = {number for number in markers | contents if number < count}
    assert {name for _, name in suspects} == {f"e{number:04d}.{ZONE}" for number in harmed}
    looked = {owner for request in asked for owner, _ in request.keys}
    assert {f"e{number:04d}.{ZONE}" for number in range(count)} <= looked
    assert all(len({owner for owner, _ in request.keys}) <= PAGE_MAX + 1 for request in asked), "the floor, once"
    assert len(asked) <= calls_of_a_round(count + 1, 1) + 3, "as told, and where the zone's end parts a page"


def test_suspects_are_read_anew_and_repaired() -> None:
    lone = Lone(plan_with(5))
    lone.passing("start")
    lone.began()
    lone.damage(f"e0003.{ZONE}", RRType.A)
    lone.passing("look")
    assert not lone.asks(), "nobody tells, so a look asks nothing"
    suspects, _ = round_of(lone)
    lone.core = suspecting(lone.core, suspects)
    lone.passing("news")
    assert (f"e0003.{ZONE}", int(RRType.A)) in lone.provider.state.rrsets
    assert round_of(lone)[0] == []


def test_a_page_that_cannot_be_read_is_asked_again_and_proves_nothing() -> None:
    plan = plan_with(3)
    entries, patrol = in_order(plan.by_zone[ZONE]), Patrol(ZONE)
    patrol, first = patrol.begun(entries)
    patrol, seen = patrol.heard(Unknown("throttled"), plan, len(entries))
    assert not seen.suspects
    assert not seen.markers
    assert patrol.begun(entries)[1] == first


def test_an_endpoint_that_changes_while_it_is_looked_at_is_not_suspected() -> None:
    lone = Lone(plan_with(3))
    lone.passing("start")
    lone.began()
    entries, patrol = in_order(plan_with(3).by_zone[ZONE]), Patrol(ZONE)
    lone.publish(plan_with(3, 2, (1,)))
    lone.passing("news")
    lone.began()
    plan = lone.published
    assert plan is not None
    for _ in range(2):
        patrol, request = patrol.begun(entries)
        assert request is not None
        patrol, seen = patrol.heard(lone.provider.perform(request), plan, len(entries))
        assert not seen.suspects


def test_what_is_due_is_held_until_it_is_ours_to_begin_and_then_needs_no_reading() -> None:
    lone = Lone(plan_with(400))
    lone.passing("start")
    assert not lone.asks()
    assert len(lone.core.agenda.held) == 401
    lone.began()
    lone.publish(plan_with(400, 2, tuple(range(100, 350))))
    lone.passing("news")
    assert len(lone.core.agenda.held) == 250
    assert not lone.asks()
    lone.began()
    assert not [one for one in lone.asks() if isinstance(one, Read)], "all of it is known from its own writes"
    assert not lone.core.agenda.held


def test_what_another_did_is_dropped_and_no_longer_believed() -> None:
    lone, other = Lone(plan_with(10)), Lone(plan_with(10))
    other.provider = lone.provider
    lone.passing("start")
    lone.began()
    other.passing("start")
    round_of(other)
    other.core = released(other.core, done=True)
    newer = plan_with(10, 2, (1, 2, 3))
    for one in (lone, other):
        one.publish(newer)
        one.passing("news")
    lone.began()
    other.core = released(other.core, done=True)
    assert not {f"e000{number}.{ZONE}" for number in (1, 2, 3)} & other.core.belief(ZONE).markers.keys()
    assert round_of(other)[0] == []
    # Whoever went wrongly by another's word finds it out by the next round.
    other.damage(marker_owner(f"e0002.{ZONE}", ZONE), RRType.TXT)
    suspects, _ = round_of(other)
    other.core = suspecting(other.core, suspects)
    other.passing("news")
    assert round_of(other)[0] == []


def test_pages_are_filled() -> None:
    one = entry(f"www.{ZONE}", 1, *(f"192.0.2.{number}" for number in range(1, 9)))
    assert record_sets(one) == 1, "a plain rrset is one record set, however many values it has"
    routed = replace(one, rrsets=tuple(RRset(RRType.ROUTED_A, 60, rrset.rdata) for rrset in one.rrsets))
    assert record_sets(routed) == 8
    assert len(contents_page((routed,) * 100)) == PAGE_MAX // 8
    assert contents_page((routed,)) == (routed,)
    assert calls_of_a_round(25_000, 8) == 90 + 715


def test_endpoints_that_had_trees_are_looked_at_together_and_their_rollback_aliases_with_them() -> None:
    plan = plan_with(40)
    lone = Lone(plan_of(1, [replace(one, had_tree=True) for one in plan.by_zone[ZONE] if one.kind == "live"]))
    lone.passing("start")
    lone.began()
    suspects, asked = round_of(lone)
    assert suspects == []
    assert len(asked) == 2, "markers, and all the contents"
    for name in (f"e0003.{ZONE}", f"e0039.{ZONE}"):
        owner = rollback_owner(name, ZONE)
        rrsets = dict(lone.provider.state.rrsets) | {(owner, int(RRType.AAAA)): alias_rrset(RRType.AAAA, name)}
        lone.provider.state = ZoneState(ZONE, rrsets, lone.provider.state.serial + 1)
    lone.damage(f"e0007.{ZONE}", RRType.A)
    suspects, _ = round_of(lone)
    assert suspects == [(ZONE, f"e000{number}.{ZONE}") for number in (3, 7)] + [(ZONE, f"e0039.{ZONE}")]


def test_a_lost_floor_is_found_and_rebuilt() -> None:
    lone = Lone(plan_with(5))
    lone.passing("start")
    lone.began()
    floor = (floor_owner(STREAM, ZONE), int(RRType.TXT))
    assert floor in lone.provider.state.rrsets
    lone.damage(*floor)
    suspects, _ = round_of(lone)
    assert suspects == [(ZONE, first_name(STREAM, ZONE))]
    lone.core = suspecting(lone.core, suspects)
    lone.passing("news")
    assert floor in lone.provider.state.rrsets
    assert round_of(lone)[0] == []
