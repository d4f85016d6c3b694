"""Conformance kit of plan stores: what every adapter must answer, scenario by scenario and beside the specification.

A store passes by subclassing `StoreKit` (or `LastingStoreKit`) with `make()`; see `test_store_sqlite.py`.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

import pytest

from standfast.adapters.stores.plan_store import PlanStore
from standfast.model.entry import Entry
from standfast.model.plan import Head, Plan, PlanRecord
from standfast.model.rrset import addresses
from standfast.model.shards import Shards
from standfast.ports.store import (
    Collected,
    CollectPlans,
    HeadMoved,
    HeadRead,
    ListPlans,
    Pin,
    Pinned,
    PlanList,
    PlanMissing,
    PlanRead,
    PlanSummary,
    Publish,
    Published,
    PutSource,
    PutSources,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceMoved,
    SourceRead,
    SourcesStored,
    SourceStored,
    StoreReply,
    StoreRequest,
)
from standfast.ports.store_spec import StoreState, apply

ZONE = "example.com"


def sample_entry(number: int, version: int, size: int = 2) -> Entry:
    """Endpoint `number` with contents that follow from `version`."""
    texts = tuple(f"10.{version % 250}.{number % 250}.{host}" for host in range(1, size + 1))
    return Entry(ZONE, f"svc-{number}.{ZONE}", max(version, 1), rrsets=addresses(60, texts), min_answers=((1, 1),))


def sample_plan(
    generation: int, shards: Shards | Iterable[Entry], sources: tuple[tuple[str, int], ...] = (), author: str = "kit"
) -> Plan:
    """A plan of these entries."""
    held = shards if isinstance(shards, Shards) else Shards.of(shards)
    record = PlanRecord(
        "main", generation, held.digest, (ZONE,), sources, author, f"reason {generation}", 1.5 * generation
    )
    return Plan(record, held)


def publish_all(store: PlanStore, plans: Iterable[Plan], head: Head | None = None) -> None:
    """Publish one after the other, each of which must succeed."""
    for plan in plans:
        assert store.perform(Publish(head, plan)) == Published()
        head = plan.head


def same_reply(found: StoreReply, wanted: StoreReply) -> bool:
    """Equal, and plans (whose equality is that of their digests) entry by entry."""
    if isinstance(found, PlanRead) and isinstance(wanted, PlanRead):
        return found == wanted and list(found.plan.shards) == list(wanted.plan.shards)
    return found == wanted


class StoreKit(ABC):
    """Inherit in a class named Test…; every test begins with an empty store."""

    steps = 150
    """Of a random sequence; fewer where each costs requests to a server."""

    @abstractmethod
    def make(self, directory: Path) -> PlanStore:
        """A store kept in this directory, which is empty at first."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterable[PlanStore]:
        store = self.make(tmp_path)
        yield store
        store.close()

    def test_an_empty_store_has_no_head_and_no_plans(self, store: PlanStore) -> None:
        assert store.perform(ReadHead()) == HeadRead(None)
        assert store.perform(ListPlans()) == PlanList(())
        assert store.perform(ReadPlan("0" * 32)) == PlanMissing()
        assert store.perform(ReadSource("fleet")) == SourceRead(0, b"")
        assert store.perform(CollectPlans((1, 2))) == Collected(())

    @pytest.mark.parametrize("count", [0, 1, 16, 17, 300])
    def test_a_published_plan_is_the_head_and_reads_whole(self, store: PlanStore, count: int) -> None:
        plan = sample_plan(7, [sample_entry(number, 7) for number in range(count)])
        assert store.perform(Publish(None, plan)) == Published()
        assert store.perform(ReadHead()) == HeadRead(plan.head)
        assert same_reply(store.perform(ReadPlan(plan.digest)), PlanRead(plan))

    @pytest.mark.parametrize(
        ("expect", "generation"),
        [
            pytest.param("none", 9, id="expects an empty store"),
            pytest.param("older", 9, id="expects the head before"),
            pytest.param("other digest", 9, id="expects another plan of head's generation"),
            pytest.param("head", 8, id="publishes head's generation again"),
            pytest.param("head", 3, id="publishes a lower generation"),
        ],
    )
    def test_head_moves_only_from_exactly_what_was_expected_and_upwards(
        self, store: PlanStore, expect: str, generation: int
    ) -> None:
        older, newer = (sample_plan(g, [sample_entry(1, g)]) for g in (4, 8))
        publish_all(store, [older, newer])
        expected = {"none": None, "older": older.head, "other digest": Head(8, older.digest), "head": newer.head}[
            expect
        ]
        refused = sample_plan(generation, [sample_entry(1, 99)])
        assert store.perform(Publish(expected, refused)) == HeadMoved(newer.head)
        assert store.perform(ReadHead()) == HeadRead(newer.head)
        assert store.perform(ReadPlan(refused.digest)) == PlanMissing()

    @pytest.mark.parametrize(
        ("named", "reply"),
        [
            pytest.param((("fleet", 5), ("health", 2)), Published(), id="both as stored"),
            pytest.param((("fleet", 6), ("health", 3)), Published(), id="newer than stored"),
            pytest.param((("unheard-of", 1),), Published(), id="a source the store has not"),
            pytest.param((("fleet", 4), ("health", 2)), SourceMoved("fleet", 5), id="first is older"),
            pytest.param((("fleet", 5), ("health", 1)), SourceMoved("health", 2), id="second is older"),
            pytest.param((("health", 1), ("fleet", 1)), SourceMoved("health", 2), id="the first named is reported"),
        ],
    )
    def test_a_plan_made_from_older_sources_is_not_published(
        self, store: PlanStore, named: tuple[tuple[str, int], ...], reply: StoreReply
    ) -> None:
        store.perform(PutSource("fleet", 5, b"five"))
        store.perform(PutSource("health", 2, b"two"))
        plan = sample_plan(1, [sample_entry(1, 1)], named)
        assert store.perform(Publish(None, plan)) == reply
        assert store.perform(ReadHead()) == HeadRead(plan.head if reply == Published() else None)

    def test_a_source_only_rises(self, store: PlanStore) -> None:
        for revision, body, stored in (
            (0, b"none", 0),
            (3, b"three", 3),
            (2, b"late", 3),
            (3, b"again", 3),
            (9, b"", 9),
        ):
            assert store.perform(PutSource("fleet", revision, body)) == SourceStored(stored)
        assert store.perform(ReadSource("fleet")) == SourceRead(9, b"")
        assert store.perform(PutSource("health", 1, bytes(range(256)) * 500)) == SourceStored(1)
        assert store.perform(ReadSource("health")) == SourceRead(1, bytes(range(256)) * 500)

    def test_several_sources_are_put_together_or_not_at_all(self, store: PlanStore) -> None:
        large = bytes(range(256)) * 300
        assert store.perform(PutSources((PutSource("a", 1, large), PutSource("b", 4, b"b4")))) == SourcesStored()
        assert store.perform(ReadSource("a")) == SourceRead(1, large)
        refused = PutSources((PutSource("a", 2, b"a2"), PutSource("c", 1, large), PutSource("b", 4, b"other")))
        assert store.perform(refused) == SourceMoved("b", 4)
        assert store.perform(ReadSource("a")) == SourceRead(1, large)
        assert store.perform(ReadSource("c")) == SourceRead(0, b"")
        assert store.perform(PutSources((PutSource("c", 0, b"none"),))) == SourceMoved("c", 0)
        assert store.perform(PutSources((PutSource("b", 5, large), PutSource("a", 9, b"a9")))) == SourcesStored()
        assert [store.perform(ReadSource(name)) for name in "ab"] == [SourceRead(9, b"a9"), SourceRead(5, large)]
        plan = sample_plan(1, [sample_entry(1, 1)], (("a", 8), ("b", 5)))
        assert store.perform(Publish(None, plan)) == SourceMoved("a", 9)
        assert store.perform(PutSources(())) == SourcesStored()

    def test_plans_are_listed_newest_first_with_their_pins(self, store: PlanStore) -> None:
        plans = [sample_plan(g, [sample_entry(1, g)], author=f"planner-{g}") for g in (2, 5, 11)]
        publish_all(store, plans)
        assert store.perform(Pin(5, "before the move")) == Pinned()
        assert store.perform(Pin(99, "not published yet")) == Pinned()
        assert store.perform(ListPlans()) == PlanList(
            tuple(
                PlanSummary(g, plan.digest, 1.5 * g, f"planner-{g}", f"reason {g}", "before the move" if g == 5 else "")
                for g, plan in reversed(list(zip((2, 5, 11), plans, strict=True)))
            )
        )

    def test_head_and_pinned_plans_are_never_collected(self, store: PlanStore) -> None:
        plans = [sample_plan(g, [sample_entry(n, n % g) for n in range(40)]) for g in range(1, 7)]
        publish_all(store, plans)
        store.perform(Pin(2, "kept"))
        store.perform(Pin(4, "for a while"))
        assert store.perform(CollectPlans((1, 2, 4, 6, 77))) == Collected((1,))
        store.perform(Pin(4, ""))
        assert store.perform(CollectPlans((4, 3, 2))) == Collected((3, 4))
        kept = {2, 5, 6}
        for plan in plans:
            wanted = PlanRead(plan) if plan.generation in kept else PlanMissing()
            assert same_reply(store.perform(ReadPlan(plan.digest)), wanted)

    def test_contents_that_come_back_after_collection_are_stored_again(self, store: PlanStore) -> None:
        there, gone = Shards.of(sample_entry(n, 1) for n in range(200)), Shards.of([sample_entry(1, 2)])
        first, second, third = sample_plan(1, there), sample_plan(2, gone), sample_plan(3, there)
        publish_all(store, [first, second])
        assert store.perform(CollectPlans((1,))) == Collected((1,))
        publish_all(store, [third], second.head)
        assert same_reply(store.perform(ReadPlan(third.digest)), PlanRead(third))

    def test_change_is_noticed(self, store: PlanStore) -> None:
        assert store.changed()
        assert not store.changed()

    @pytest.mark.parametrize("seed", range(6))
    def test_any_sequence_is_answered_as_the_specification_answers_it(self, store: PlanStore, seed: int) -> None:
        state, generator = StoreState(), random.Random(seed)
        versions: list[Shards] = [Shards.of(sample_entry(n, 0) for n in range(generator.choice((3, 40, 400))))]
        for step in range(self.steps):
            request = random_request(generator, state, versions)
            state, wanted = apply(state, request)
            found = store.perform(request)
            assert same_reply(found, wanted), f"seed {seed}, step {step}: {request} gave {found}, not {wanted}"
        for plan in state.plans:
            assert same_reply(store.perform(ReadPlan(plan.digest)), PlanRead(plan)), f"seed {seed}: {plan}"


class LastingStoreKit(StoreKit):
    """For stores whose contents outlive `close`: they are read back through a new connection."""

    @pytest.mark.parametrize("small_first", [True, False])
    def test_a_shard_that_another_plan_has_at_another_depth_stays(self, tmp_path: Path, small_first: bool) -> None:
        large = Shards.of(sample_entry(number, 1) for number in range(17))
        small = Shards(next(leaf for leaf in large.nodes() if leaf.count < 17))
        order = (small, large) if small_first else (large, small)
        plans = [sample_plan(generation, shards) for generation, shards in enumerate((*order, Shards.of([])), start=1)]
        store = self.make(tmp_path)
        publish_all(store, plans)
        assert store.perform(CollectPlans((1,))) == Collected((1,))
        store.close()
        again = self.make(tmp_path)
        assert same_reply(again.perform(ReadPlan(plans[1].digest)), PlanRead(plans[1]))
        again.close()

    def test_contents_outlive_the_connection(self, tmp_path: Path) -> None:
        plan = sample_plan(1, [sample_entry(n, 1) for n in range(100)])
        store = self.make(tmp_path)
        publish_all(store, [plan])
        store.perform(Pin(1, "kept"))
        store.perform(PutSource("fleet", 1, b"one"))
        store.close()
        again = self.make(tmp_path)
        assert same_reply(again.perform(ReadPlan(plan.digest)), PlanRead(plan))
        assert again.perform(ListPlans()) == PlanList((PlanSummary(1, plan.digest, 1.5, "kit", "reason 1", "kept"),))
        assert again.perform(ReadSource("fleet")) == SourceRead(1, b"one")
        again.close()


def random_request(generator: random.Random, state: StoreState, versions: list[Shards]) -> StoreRequest:
    """Any request, valid ones and late ones mixed; plans share, lose and get back shards."""
    top = state.head.generation if state.head else 0
    some = generator.sample(range(1, top + 3), min(top + 2, generator.randrange(1, 6)))
    match generator.choice(
        ("publish",) * 5 + ("read",) * 3 + ("head", "list", "pin", "collect", "collect", "put", "puts", "source")
    ):
        case "publish":
            base = generator.choice(versions)
            changed = [
                sample_entry(n, generator.randrange(50)) for n in generator.sample(range(500), generator.randrange(4))
            ]
            shards = base.updated(changed) if generator.random() < 0.9 else Shards.of(changed)
            versions.append(shards)
            heads = [state.head] * 6 + [None, *(plan.head for plan in state.plans)]
            expect = generator.choice(heads)
            sources = tuple(
                (name, generator.randrange(1, 12)) for name in ("fleet", "health") if generator.random() < 0.2
            )
            return Publish(expect, sample_plan(max(1, top + generator.randrange(-1, 4)), shards, sources))
        case "read":
            return ReadPlan(generator.choice([plan.digest for plan in state.plans] + ["f" * 32]))
        case "head":
            return ReadHead()
        case "list":
            return ListPlans()
        case "pin":
            return Pin(generator.choice(some), generator.choice(("", "kept", "kept longer")))
        case "collect":
            return CollectPlans(tuple(some))
        case "put":
            return PutSource(generator.choice(("fleet", "health")), generator.randrange(12), generator.randbytes(20))
        case "puts":
            names = generator.sample(("fleet", "health", "other"), generator.randrange(1, 4))
            raised = [state.source(name)[0] + generator.choice((1, 1, 1, 2, 0)) for name in names]
            return PutSources(
                tuple(PutSource(name, up, generator.randbytes(20)) for name, up in zip(names, raised, strict=True))
            )
        case _:
            return ReadSource(generator.choice(("fleet", "health", "other")))
