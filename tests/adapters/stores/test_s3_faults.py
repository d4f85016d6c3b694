"""S3 that loses replies, conflicts, refuses and delays; objects that people delete; processes that race and die."""

from __future__ import annotations

import os
import random
import signal
import time
from functools import partial

import pytest
from msgspec.structs import replace

from adapters.stores.racing import publish_for_ever, race, race_for_a_source, started, whole_head
from conformance.store_kit import publish_all, sample_entry, sample_plan
from harness.s3 import (
    Front,
    MotoS3,
    Room,
    away,
    delaying,
    lose_reply,
    lose_request,
    once,
    refusing,
)
from standfast.adapters.stores import absence
from standfast.adapters.stores.s3 import GONE, S3Store
from standfast.adapters.stores.s3_bucket import Bucket, Place
from standfast.adapters.stores.s3_catalogue import INLINE_MAX, encode
from standfast.adapters.stores.s3_ledger import Ledger
from standfast.errors import StoreAbsent, StoreError
from standfast.model.shards import Shards
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    Collected,
    CollectPlans,
    HeadRead,
    Pin,
    Pinned,
    PlanMissing,
    PlanRead,
    Publish,
    Published,
    PutSource,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceRead,
    SourceStored,
)


def open_place(place: Place) -> S3Store:
    """As another process would."""
    return S3Store(Bucket(place), look_s=0.0)


UNHEARD = [
    pytest.param([once("PUT", "catalogue", lose_reply)], id="done, but nobody heard"),
    pytest.param([once("PUT", "catalogue", lose_request)], id="never arrived"),
    pytest.param([once("PUT", "catalogue", refusing(500, "InternalError"))], id="500, not done"),
    pytest.param([once("PUT", "catalogue", refusing(503, "SlowDown"))], id="503"),
    pytest.param([once("PUT", "catalogue", refusing(409, "ConditionalRequestConflict"))], id="409, not done"),
    pytest.param([once("PUT", "catalogue", refusing(412, "PreconditionFailed"))], id="412 by mistake"),
    pytest.param(
        [once("PUT", "catalogue", lose_reply), once("PUT", "catalogue", lose_request, 2)], id="done, then unheard twice"
    ),
]


@pytest.mark.parametrize("faults", UNHEARD)
def test_a_write_whose_reply_was_lost_is_settled_by_reading(room: Room, front: Front, faults: list[object]) -> None:
    settled(room, front, open_place(room.place), *faults)


def test_a_write_that_arrives_when_it_was_given_up_is_settled_by_reading(room: Room, front: Front) -> None:
    settled(room, front, open_place(replace(room.place, timeout_s=2.0)), once("PUT", "catalogue", delaying(2.6)))


def settled(room: Room, front: Front, store: S3Store, *faults: object) -> None:
    first, second = (sample_plan(g, [sample_entry(1, g)]) for g in (1, 2))
    assert store.perform(Publish(None, first)) == Published()
    version = room.catalogue().version
    front.faults += faults  # type: ignore[arg-type]
    assert store.perform(Publish(first.head, second)) == Published()
    assert store.perform(PutSource("fleet", 1, b"one")) == SourceStored(1)
    assert room.catalogue().version == version + 2, "each was done once"
    assert open_place(room.place).perform(ReadHead()) == HeadRead(second.head)


def test_a_write_that_was_lost_while_another_came_is_done_after_it(room: Room, front: Front, moto: MotoS3) -> None:
    """A newer version alone proves nothing: the nonce in it is another's."""
    store, other = open_place(room.place), open_place(replace(room.place, endpoint=moto.url))
    store.perform(ReadHead())
    version = room.catalogue().version

    def overtaken(front: Front, handler: object, body: bytes) -> None:
        assert other.perform(Pin(9, "theirs")) == Pinned()

    front.faults.append(once("PUT", "catalogue", overtaken))
    assert store.perform(PutSource("fleet", 1, b"ours")) == SourceStored(1)
    assert room.catalogue().pins == ((9, "theirs"),)
    assert open_place(room.place).perform(ReadSource("fleet")) == SourceRead(1, b"ours")
    assert room.catalogue().version == version + 2


def test_two_who_put_one_revision_agree_on_whose_it_is(moto: MotoS3) -> None:
    room = Room(moto)
    open_place(room.place).close()
    version = room.catalogue().version
    race_for_a_source(partial(open_place, room.place), 15)
    assert room.catalogue().version == version + 15, "who came second wrote nothing"


def test_what_cannot_be_settled_is_unknown_and_found_later(room: Room, front: Front) -> None:
    store = open_place(room.place)
    plan = sample_plan(1, [sample_entry(1, 1)])
    store.perform(ReadHead())

    def lost_from_now(front: Front, handler: object, body: bytes) -> None:
        front.forwarded(handler, body)  # type: ignore[arg-type]
        front.faults.append(away)

    front.faults.append(once("PUT", "catalogue", lost_from_now))
    reply = store.perform(Publish(None, plan))
    assert isinstance(reply, Unknown), reply
    assert isinstance(store.perform(ReadHead()), Unknown)
    assert not store.replaced()
    front.faults.clear()
    assert store.perform(ReadHead()) == HeadRead(plan.head)


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (403, "AccessDenied", "Allow s3:GetObject there; docs/stores.md"),
        (403, "RequestTimeTooSkewed", "clock is wrong"),
        (403, "ExpiredToken", "credentials are refused (ExpiredToken)"),
        (404, "NoSuchBucket", "there is no such bucket"),
        (400, "InvalidArgument", "S3 refuses (400 InvalidArgument)"),
        (500, "InternalError", "an error of its own"),
    ],
)
def test_what_s3_refuses_is_said_with_the_remedy(room: Room, front: Front, status: int, code: str, text: str) -> None:
    store = open_place(room.place)
    front.faults.append(once("GET", "catalogue", refusing(status, code), 2))
    reply = store.perform(ReadHead())
    assert isinstance(reply, Unknown)
    assert text in reply.why
    with pytest.raises(StoreError) as raised:
        open_place(room.place)
    assert text in str(raised.value)
    assert store.perform(ReadHead()) == HeadRead(None)


def test_a_missing_right_to_write_changes_nothing(room: Room, front: Front) -> None:
    store = open_place(room.place)
    front.faults.append(once("PUT", "objects", refusing(403, "AccessDenied")))
    reply = store.perform(Publish(None, sample_plan(1, [sample_entry(1, 1)])))
    assert isinstance(reply, Unknown)
    assert "Allow s3:PutObject" in reply.why
    assert store.perform(ReadHead()) == HeadRead(None)


def test_a_service_that_ignores_conditions_is_refused(room: Room, front: Front) -> None:
    def heedless(front: Front, handler: object, body: bytes) -> bool:
        for name in ("If-Match", "If-None-Match"):
            if handler.command == "PUT" and name in handler.headers:  # type: ignore[attr-defined]
                del handler.headers[name]  # type: ignore[attr-defined]
        return False

    front.faults.append(heedless)
    with pytest.raises(StoreError, match="ignores conditions on writes"):
        open_place(room.place)
    front.faults.clear()
    store = open_place(room.place)
    front.faults.append(heedless)
    again = open_place(room.place)
    reply = again.perform(Publish(None, sample_plan(1, [sample_entry(1, 1)])))
    assert isinstance(reply, Unknown)
    assert "ignores conditions" in reply.why
    assert store.perform(ReadHead()) == HeadRead(None)


def test_who_cannot_be_reached_is_left_alone_for_a_while(
    room: Room, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absence, "PAUSES_S", (0.3, 600.0))
    store = open_place(room.place)
    front.faults.append(away)
    assert isinstance(store.perform(ReadHead()), Unknown)
    time.sleep(0.35)
    assert isinstance(store.perform(ReadHead()), Unknown)
    front.faults.clear()
    asked = store._bucket.requests
    for _ in range(5):
        assert isinstance(store.perform(ReadHead()), Unknown)
        store.changed()
    assert store._bucket.requests == asked, "an enactor would have waited each time"


def test_looking_makes_no_store(room: Room) -> None:
    with pytest.raises(StoreAbsent, match="no plan store in s3://"):
        S3Store(Bucket(room.place), make=False)
    assert room.keys() == []


# -- what others do to the objects


def set_back(room: Room, catalogue: bytes) -> None:
    """As with a versioned bucket: an earlier version is copied over the present one."""
    room.put("catalogue", catalogue)


def test_a_catalogue_that_was_set_back_or_removed_is_another_store(room: Room) -> None:
    store, other = open_place(room.place), open_place(room.place)
    first, second = (sample_plan(g, [sample_entry(1, g)]) for g in (1, 2))
    publish_all(store, [first])
    before = room.read("catalogue")
    publish_all(store, [second], first.head)
    assert other.perform(ReadHead()) == HeadRead(second.head)
    set_back(room, before)
    for one in (store, other):
        assert one.changed()
        reply = one.perform(ReadHead())
        assert isinstance(reply, Unknown)
        assert "set back" in reply.why
        assert one.replaced()
    fresh = open_place(room.place)
    assert fresh.perform(ReadHead()) == HeadRead(first.head)
    room.delete("catalogue")
    assert isinstance(fresh.perform(PutSource("fleet", 1, b"")), Unknown)
    assert fresh.replaced()
    assert room.keys("catalogue") == [], "who finds it gone does not make it"
    assert open_place(room.place).perform(ReadHead()) == HeadRead(None)


def test_set_back_and_written_over_is_noticed_too(room: Room) -> None:
    store = open_place(room.place)
    first, second, fork = (sample_plan(g, [sample_entry(1, v)]) for g, v in ((1, 1), (2, 2), (2, 3)))
    publish_all(store, [first])
    before = room.read("catalogue")
    publish_all(store, [second], first.head)
    set_back(room, before)
    publish_all(open_place(room.place), [fork], first.head)
    assert isinstance(store.perform(ReadHead()), Unknown)
    assert store.replaced(), "the same version, another history"


def test_a_delayed_write_does_not_meet_a_value_that_came_back(room: Room) -> None:
    """Head a, b, a: the ETag of equal bytes would be equal; the nonce makes them differ."""
    late = open_place(room.place)
    late.perform(ReadHead())
    store = open_place(room.place)
    assert store.perform(Pin(7, "x")) == Pinned()
    assert store.perform(Pin(7, "")) == Pinned()
    assert late.perform(Pin(8, "y")) == Pinned()
    now = room.catalogue()
    assert now.pins == ((8, "y"),)
    assert now.version == 4
    assert len(set(now.recent)) == 4


def test_a_pack_that_somebody_deletes_is_missed_and_written_anew(room: Room) -> None:
    store = open_place(room.place)
    shards = Shards.of(sample_entry(n, 0, 40) for n in range(600))
    first = sample_plan(1, shards)
    second = sample_plan(2, shards.updated([sample_entry(1, 2, 40)]))
    publish_all(store, [first, second])
    kept = room.catalogue().plans[-1].packs
    assert len(kept) == 2, "a small change beside a large plan is a small pack"
    room.delete(kept[0])
    assert open_place(room.place).perform(ReadPlan(second.digest)) == PlanMissing()
    third = sample_plan(3, shards.updated([sample_entry(1, 3, 40)]))
    publish_all(store, [third], second.head)
    reply = open_place(room.place).perform(ReadPlan(third.digest))
    assert isinstance(reply, PlanRead)
    assert list(reply.plan.shards) == list(third.shards)


@pytest.mark.parametrize("damage", [b"", b"SFP1", b"<html>Please log in.</html>", None])
def test_a_damaged_object_is_unknown_never_another_answer(room: Room, damage: bytes | None) -> None:
    store, generator = open_place(room.place), random.Random(3)
    plan = sample_plan(1, [sample_entry(n, 1) for n in range(30)])
    publish_all(store, [plan])
    for key in ("catalogue", room.catalogue().plans[0].packs[0]):
        sound = room.read(key)
        broken = bytearray(sound)
        broken[generator.randrange(len(broken))] ^= 1 << generator.randrange(8)
        room.put(key, bytes(broken) if damage is None else damage)
        if key == "catalogue":
            with pytest.raises(StoreError, match="is damaged"):
                open_place(room.place)
        else:
            reply = open_place(room.place).perform(ReadPlan(plan.digest))
            assert isinstance(reply, Unknown)
            assert "is damaged" in reply.why
        room.put(key, sound)


def test_a_newer_format_is_left_alone(room: Room) -> None:
    store = open_place(room.place)
    newer = replace(room.catalogue(), format=2)
    room.put("catalogue", encode(newer))
    with pytest.raises(StoreError, match="format 2; this program knows format 1"):
        open_place(room.place)
    reply = store.perform(Pin(1, "x"))
    assert isinstance(reply, Unknown)
    assert room.read("catalogue") == encode(newer)


def test_a_large_observation_has_an_object_of_its_own_and_its_loss_is_not_silence(room: Room) -> None:
    store = open_place(room.place)
    first, second = (random.Random(n).randbytes(2 * INLINE_MAX) for n in (1, 2))
    assert store.perform(PutSource("fleet", 1, first)) == SourceStored(1)
    assert store.perform(PutSource("fleet", 2, second)) == SourceStored(2)
    assert open_place(room.place).perform(ReadSource("fleet")) == SourceRead(2, second)
    assert len(room.keys("objects/")) == 1, "what was put over is gone"
    assert store.perform(PutSource("fleet", 2, first)) == SourceStored(2)
    assert store.perform(ReadSource("fleet")) == SourceRead(2, second)
    room.delete(*room.keys("objects/"))
    assert open_place(room.place).perform(ReadSource("fleet")) == SourceRead(2, GONE)
    assert store.perform(PutSource("fleet", 3, first)) == SourceStored(3)
    assert store.perform(ReadSource("fleet")) == SourceRead(3, first)


# -- clean-up


def test_what_a_publisher_left_half_way_is_collected_and_nothing_else(room: Room, front: Front) -> None:
    store = open_place(room.place)
    some = [sample_plan(g, [sample_entry(n, g) for n in range(20)]) for g in range(1, 5)]
    publish_all(store, some[:3])
    front.faults.append(once("PUT", "catalogue", refusing(403, "AccessDenied")))
    assert isinstance(store.perform(Publish(some[2].head, some[3])), Unknown)
    left = set(room.keys("objects/")) - room.catalogue().objects
    assert len(left) == 1, "the pack of a publisher that died after writing it"
    assert open_place(room.place).perform(CollectPlans((1,))) == Collected((1,))
    assert set(room.keys("objects/")) == room.catalogue().objects
    assert len(room.catalogue().plans) == 2
    for plan in some[1:3]:
        assert isinstance(open_place(room.place).perform(ReadPlan(plan.digest)), PlanRead)


def test_a_publication_under_way_is_fenced(room: Room, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pack is written; clean-up comes before its catalogue, and deletes the pack; it must be written again."""
    store, cleaner = open_place(room.place), open_place(room.place)
    some = [sample_plan(g, [sample_entry(n, g) for n in range(20)]) for g in range(1, 4)]
    publish_all(store, some[:2])
    packed = S3Store._packed
    lost: list[str] = []

    def then_cleaned(self: S3Store, plan: object, before: tuple[str, ...], fence: str) -> tuple[str, ...]:
        packs = packed(self, plan, before, fence)  # type: ignore[arg-type]
        if not lost:
            lost.append(packs[-1])
            assert cleaner.perform(CollectPlans((1,))) == Collected((1,))
            assert packs[-1] not in room.keys("objects/"), "nothing referred to it, so it went"
        return packs

    monkeypatch.setattr(S3Store, "_packed", then_cleaned)
    assert store.perform(Publish(some[1].head, some[2])) == Published()
    assert lost[0] not in room.catalogue().objects
    assert set(room.keys("objects/")) == room.catalogue().objects
    assert isinstance(open_place(room.place).perform(ReadPlan(some[2].digest)), PlanRead)


def test_a_cleaner_that_stood_still_deletes_nothing_that_came_meanwhile(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its fence, and sleeps; much is published, of contents that had been collected; then it deletes."""
    store, cleaner = open_place(room.place), open_place(room.place)
    some = [sample_plan(g, [sample_entry(n, g % 2) for n in range(20)]) for g in range(1, 8)]
    publish_all(store, some[:3])
    sweep = Ledger.sweep

    def later(self: Ledger, fence: str) -> None:
        monkeypatch.setattr(Ledger, "sweep", sweep)
        publish_all(store, some[3:], some[2].head)
        sweep(self, fence)

    monkeypatch.setattr(Ledger, "sweep", later)
    assert cleaner.perform(CollectPlans((1, 2))) == Collected((1, 2))
    for plan in some[2:]:
        assert isinstance(open_place(room.place).perform(ReadPlan(plan.digest)), PlanRead)
    assert set(room.keys("objects/")) == room.catalogue().objects


def test_listing_goes_through_all_pages(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = room.bucket()
    store = S3Store(bucket)
    publish_all(store, [sample_plan(1, [sample_entry(1, 1)]), sample_plan(2, [sample_entry(1, 2)])])
    for number in range(25):
        room.put(f"objects/{'0' * 12}-{number:016x}", b"left by a publisher that died")
    room.put("objects/check-00000000000000ff", b"left by a check")
    listing = bucket._client.list_objects_v2
    monkeypatch.setattr(bucket._client, "list_objects_v2", lambda **named: listing(**named, MaxKeys=4))
    assert len(list(bucket.keys("objects/"))) == 28
    store.perform(CollectPlans((1,)))
    assert set(room.keys("objects/")) == room.catalogue().objects


# -- cost


def test_what_publishing_and_following_cost(room: Room, front: Front) -> None:
    shards = Shards.of(sample_entry(n, 0) for n in range(5000))
    store, reader = open_place(room.place), open_place(room.place)
    head = None
    worst = 0
    for generation in range(1, 31):
        shards = shards.updated(sample_entry(n, generation) for n in range(generation, generation + 25))
        plan = sample_plan(generation, shards)
        before = len(front.asked)
        assert store.perform(Publish(head, plan)) == Published()
        asked = front.asked[before:]
        puts = [one for one in asked if one.startswith("PUT")]
        if generation > 2:
            assert len(puts) == 2, asked
            assert len(asked) <= 3 + len(room.catalogue().plans[-1].packs), asked
        before = len(front.asked)
        assert isinstance(reader.perform(ReadPlan(plan.digest)), PlanRead)
        if generation > 1:
            worst = max(worst, len(front.asked) - before)
        head = plan.head
    assert worst <= 3, "the catalogue, and what is new"
    packs = room.catalogue().plans[-1].packs
    assert 2 <= len(packs) <= 8
    octets = [len(room.read(name)) for name in packs]
    assert sum(octets[1:]) < octets[0] * 1.5
    before = len(front.asked)
    for _ in range(10):
        reader.perform(ReadHead())
    assert len(front.asked) - before == 10


# -- several processes


@pytest.mark.slow
def test_processes_that_race_lose_nothing(moto: MotoS3) -> None:
    room = Room(moto)
    opened = partial(open_place, room.place)
    assert len(race(opened, 2, 6)) == 12
    opened().perform(CollectPlans(tuple(range(1, 100))))
    assert set(room.keys("objects/")) == room.catalogue().objects


@pytest.mark.slow
def test_publishers_killed_in_the_middle_leave_a_whole_store(moto: MotoS3) -> None:
    room, generator = Room(moto), random.Random(11)
    opened = partial(open_place, room.place)
    store = opened()
    for attempt in range(3):
        process = started(publish_for_ever, opened, attempt)
        before = room.catalogue().version
        until = time.monotonic() + 20
        while room.catalogue().version == before and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(generator.random() * 0.2)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert whole_head(opened()) is not None
    plan = sample_plan(100_000, [sample_entry(1, 1)])
    assert store.perform(Publish(whole_head(store), plan)) == Published()
    store.perform(CollectPlans(tuple(range(1, 100_000))))
    assert set(room.keys("objects/")) == room.catalogue().objects
