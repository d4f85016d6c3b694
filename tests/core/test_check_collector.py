"""The collector of health checks: what refers keeps, what is unknown keeps, and every interleaving with a planner.

The store and the zone are their specifications, AWS is the naive model of `harness.checkdesk`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from harness.checkdesk import Account
from harness.planning import WWW, ZONE
from harness.publishing import marker_at, zone_of
from standfast.core.checkcollector import ChecksSwept, CollectTask, Doom, Doomed, Finding, checks_named
from standfast.core.checkkeeper import CheckTask, Kept, keep
from standfast.model.check import BalancerCheck, CheckSettings, WantedCheck, owner_mark, tags_of
from standfast.model.entry import Entry, Member
from standfast.model.plan import Plan, PlanRecord
from standfast.model.routing import Variant
from standfast.model.rrset import RRset, RRType, address_rdata
from standfast.model.shards import Shards
from standfast.ports import provider_spec, store_spec
from standfast.ports.checks import DeleteCheck
from standfast.ports.provider import Read, Unknown
from standfast.ports.store import Publish, Published, ReadPlan, StoreReply, StoreRequest
from standfast.ports.store_spec import StoreState
from standfast.runtime.checkboards import CHECKS, DOOMED, CheckBoards, SharedDoomed, read_checks, read_doomed, usable
from standfast.runtime.sharing import Board

LB = WantedCheck("lb-1", ("192.0.2.1",), (("192.0.2.1", CheckSettings("HTTP", "192.0.2.1", port=80, path="/")),))


class World:
    """Store, zone and account. `enact` is a write of a plan, else the head, by a well-behaved enactor."""

    def __init__(self) -> None:
        self.store, self.account, self.marker = StoreState(None, ()), Account(), 0
        self.unreadable: set[type] = set()

    def perform(self, request: StoreRequest) -> StoreReply:
        self.store, reply = store_spec.apply(self.store, request)
        return reply

    def made(self) -> BalancerCheck:
        return kept(self.account, CheckTask("main", ZONE, (LB,))).checks[0]

    def publish(self, check: str, sources: tuple[tuple[str, int], ...] = ()) -> bool:
        head = self.store.head
        generation = (head.generation if head else 0) + 1
        reply = self.perform(Publish(head, plan(generation, check, sources)))
        return isinstance(reply, Published)

    @property
    def head(self) -> Plan:
        return next(one for one in self.store.plans if self.store.head and one.digest == self.store.head.digest)

    def enact(self, some: Plan | None = None) -> None:
        some = some or self.head
        if some.generation > self.marker:  # compare-and-set on the marker, by `since`
            self.marker = some.generation
            self.account.uses[ZONE] = set(checks_named(some.shards))

    def answer(self, request: object) -> object:
        if type(request) in self.unreadable:
            return Unknown("away")
        if isinstance(request, Doom):
            return next(iter(list(doom(self, request))[-1:]))
        if isinstance(request, Read):
            zone = zone_of(marker_at(WWW[1], self.marker, self.marker, "") if self.marker else {})
            return provider_spec.apply(zone, request)[1]
        if type(request).__module__.endswith("ports.store"):
            return self.perform(request)  # type: ignore[arg-type]
        return self.account.perform(request)  # type: ignore[arg-type]

    def changed(self) -> bool:
        return True

    def task(self) -> CollectTask:
        shared, doomed = Board(self, CHECKS), Board(self, DOOMED)
        shared.read(), doomed.read()
        ids = frozenset().union(*(one.ids for one in (read_checks(shared.body) or {}).get(ZONE, ())))
        gone = frozenset((read_doomed(doomed.body) or {}).get(ZONE, ()))
        return CollectTask("main", ZONE, (ZONE,), ids, gone, seen=frozenset(self.account.checks))

    def sweep(self) -> ChecksSwept:
        phase = Finding(self.task())
        while not isinstance(phase, ChecksSwept):
            phase = phase.heard(self.answer(phase.request))  # type: ignore[assignment, arg-type]
        return phase

    def dangling(self) -> set[str]:
        """Checks that the head or the zone names and that are gone."""
        named = self.account.uses.get(ZONE, set()) | (checks_named(self.head.shards) if self.store.head else set())
        return named - self.account.checks.keys()


def plan(generation: int, check: str, sources: tuple[tuple[str, int], ...] = ()) -> Plan:
    variant = Variant("lb-1", "multivalue", address=address_rdata("192.0.2.1"), health_check=check, ttl=60)
    rrset = RRset.of(RRType.ROUTED_A, 60, [variant.encode()])
    member = Member("lb-1", ("192.0.2.1",), 1, True, "", check)
    entry = Entry(*WWW, generation, rrsets=(rrset,), min_answers=((1, 1),), members=(member,), layout="multivalue")
    shards = Shards.of([entry])
    return Plan(PlanRecord("main", generation, shards.digest, (ZONE,), sources, "t", "", 0.0), shards)


def kept(account: Account, task: CheckTask) -> Kept:
    phase = keep(task)
    while not isinstance(phase, Kept):
        phase = phase.heard(account.perform(phase.request))  # type: ignore[arg-type]
    return phase


def doom(world: World, request: Doom) -> Iterator[Doomed | Unknown | None]:
    """As the cleaner does it, act by act; the last is the reply."""
    shared, doomed = Board(world, CHECKS), Board(world, DOOMED)
    doomed.read()
    yield None
    after = msgspec.json.encode(SharedDoomed({ZONE: tuple(sorted(request.ids))}))
    if doomed.body != after and doomed.put(after) != "put":
        yield Unknown("another was quicker")
        return
    yield None
    shared.read(), doomed.read()
    ids = frozenset().union(*(one.ids for one in (read_checks(shared.body) or {}).get(ZONE, ())))
    yield Doomed(frozenset((read_doomed(doomed.body) or {}).get(ZONE, ())), ids)


def spare() -> tuple[World, str]:
    """A check that a plan named, and the head does not any more; all of it installed, the old plan collected."""
    world = World()
    one = world.made().id
    world.publish(one)
    world.enact()
    world.publish("")
    world.enact()
    world.store = replace(world.store, plans=(world.head,))
    return world, one


def test_what_nothing_names_goes() -> None:
    world, one = spare()
    assert world.sweep().deleted == (one,)
    assert not world.account.checks


def test_what_anything_names_stays() -> None:
    def named_by_the_zone(world: World, one: str) -> None:
        world.account.uses[ZONE] = {one}

    def named_by_a_plan_in_the_store(world: World, one: str) -> None:
        world.store = replace(world.store, plans=(plan(1, one), *world.store.plans))

    def shared_by_planners(world: World, one: str) -> None:
        CheckBoards(world, "p").share(ZONE, [BalancerCheck("lb-1", ("192.0.2.1",), one, "", (("x", one),))])

    def counted_by_another(world: World, one: str) -> None:
        world.account.checks["theirs"] = replace(
            world.account.checks[one], id="theirs", reference="x", settings=CheckSettings("CALCULATED", children=(one,))
        )

    def not_installed(world: World, one: str) -> None:
        world.publish("")

    def anothers(world: World, one: str) -> None:
        world.account.tags[one] = dict(tags_of("other", ZONE, "lb-1", ""))

    for refers in (
        named_by_the_zone,
        named_by_a_plan_in_the_store,
        shared_by_planners,
        counted_by_another,
        not_installed,
        anothers,
    ):
        world, one = spare()
        refers(world, one)
        swept = world.sweep()
        assert swept.deleted == (), f"G3: deleted although {refers.__name__}"
        assert swept.why
        assert one in world.account.checks


def test_a_check_of_another_stream_is_not_even_looked_at() -> None:
    world, one = spare()
    world.account.checks[one] = replace(world.account.checks[one], reference=owner_mark("other", ZONE) + "x-0")
    assert world.sweep().why == "every health check is wanted"


def test_what_counts_others_goes_with_them_or_before() -> None:
    world, _ = spare()
    two = WantedCheck(
        "lb-2", ("192.0.2.2", "192.0.2.3"), tuple((x, LB.parts[0][1]) for x in ("192.0.2.2", "192.0.2.3"))
    )
    whole = kept(world.account, CheckTask("main", ZONE, (two,))).checks[0]
    world.account.uses[ZONE] = {whole.id}
    assert not whole.ids & set(world.sweep().deleted), "a check that is named lost what it counts"
    world.account.uses[ZONE] = set()
    assert world.sweep().deleted[0] == whole.id
    assert not world.account.checks


def test_what_was_made_a_moment_ago_is_left() -> None:
    world, one = spare()
    phase = Finding(replace(world.task(), seen=frozenset()))
    swept = phase.heard(world.answer(phase.request))  # type: ignore[arg-type]
    assert isinstance(swept, ChecksSwept)
    assert swept.spare == {one}


def test_one_that_lost_its_tags_is_tagged_first() -> None:
    world, one = spare()
    world.account.tags.clear()
    assert world.sweep().deleted == ()
    assert world.sweep().deleted == (one,)


def test_what_cant_be_read_keeps_everything() -> None:
    world, one = spare()
    asked: list[type] = []
    phase: object = Finding(world.task())
    while not isinstance(phase, ChecksSwept):
        request = phase.request  # type: ignore[attr-defined]
        asked.append(type(request))
        phase = phase.heard(world.answer(request))  # type: ignore[attr-defined]
    assert len(set(asked)) == 9
    for kind in set(asked):
        world, one = spare()
        world.unreadable = {kind}
        assert world.sweep().deleted == (), f"G6: deleted although {kind.__name__} was not answered"
        assert one in world.account.checks


def cleaner(world: World) -> Iterator[None]:
    """A pass, act by act."""
    phase = Finding(world.task())
    while not isinstance(phase, ChecksSwept):
        yield
        if isinstance(phase.request, Doom):
            reply: object = None
            for said in doom(world, phase.request):
                reply = said
                yield
        else:
            reply = world.answer(phase.request)
        phase = phase.heard(reply)  # type: ignore[assignment, arg-type]


def planner(world: World) -> Iterator[None]:
    """Comes to want the spare check again: finds it made, shares it, publishes by it, has it enacted; act by act."""
    boards = CheckBoards(world, "p1")
    for _ in range(3):
        boards.look()
        yield
        known, gone = boards.checks.get(ZONE, ()), frozenset(boards.doomed.get(ZONE, ()))
        found = kept(world.account, CheckTask("main", ZONE, (LB,), known=known, doomed=gone))
        yield
        boards.share(ZONE, found.checks)
        yield
        checks = dict(usable(boards.checks, boards.doomed, {})).get(ZONE, ())
        published = world.publish(checks[0].id if checks else "", boards.sources)
        yield
        world.enact()
        if published and checks:
            return
        yield


def test_no_interleaving_with_a_planner_leaves_a_name_without_its_check() -> None:
    """A planner that comes to want a check while a cleaner deletes it."""
    lengths = []
    for actor in (cleaner, planner):
        world, _ = spare()
        lengths.append(sum(1 for _ in actor(world)) + 1)
    count = 0
    for places in itertools.combinations(range(sum(lengths)), lengths[1]):
        world, _ = spare()
        actors = [cleaner(world), planner(world)]
        for place in range(sum(lengths)):
            next(actors[place in places], None)
            assert not world.dangling(), f"G3: {places}: {world.dangling()} is named, and was deleted"
        for _ in range(3 * lengths[1]):
            next(actors[1], None)
            assert not world.dangling(), f"G3: {places}: {world.dangling()} is named, and was deleted"
        count += 1
    assert count > 500


def test_no_interleaving_with_a_late_enactor_leaves_a_name_without_its_check() -> None:
    """The head, which names it no more, is not installed yet; an enactor still has the plan that does."""
    for before, after in itertools.combinations_with_replacement(range(18), 2):
        world, one = spare()
        world.marker, world.account.uses[ZONE] = 0, set()
        run = cleaner(world)
        for place in range(20):
            if place == before:
                world.enact(plan(1, one))
            if place == after:
                world.enact()
            next(run, None)
            assert not world.dangling(), f"G3: written at {before}, renewed at {after}: {world.dangling()} was deleted"
        assert world.sweep().deleted == (one,) or one not in world.account.checks, "nothing names it now"


def test_requests_say_what_each_may_do() -> None:
    from typing import get_args

    from standfast.core.checkcollector import CheckCollectorRequest
    from standfast.ports.checks import KeeperRequest

    assert DeleteCheck not in get_args(KeeperRequest), "a planner deletes no check"
    assert DeleteCheck in get_args(CheckCollectorRequest)
    assert ReadPlan in get_args(CheckCollectorRequest)
    assert not {Publish} & set(get_args(CheckCollectorRequest))
