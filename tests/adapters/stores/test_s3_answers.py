"""What S3, or whoever stands before it, may answer: nothing but S3's own word is news, and each text has its remedy."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from conformance.store_kit import publish_all, sample_entry, sample_plan
from harness.s3 import CREDENTIALS, Front, FrontHandler, MotoS3, Room, once, refusing
from standfast.adapters.stores import s3_bucket
from standfast.adapters.stores.s3 import S3Store
from standfast.adapters.stores.s3_bucket import Bucket, Trouble
from standfast.adapters.stores.s3_catalogue import INLINE_MAX
from standfast.errors import StoreAbsent, StoreError
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    Collected,
    CollectPlans,
    HeadRead,
    ListPlans,
    Pin,
    Pinned,
    PutSource,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceStored,
)

Act = Callable[[Front, FrontHandler, bytes], None]
PAGE = b"<html><head><title>404</title></head><body><h1>default backend</h1></body></html>"


def opened(room: Room, *, make: bool = True) -> S3Store:
    """As another process would."""
    return S3Store(room.bucket(), make=make, look_s=0.0)


def page(status: int, body: bytes) -> Act:
    return lambda front, handler, _: handler.answer(status, [], body)


PAGES = [
    pytest.param(page(404, PAGE), id="404 of a proxy"),
    pytest.param(page(404, b"404 page not found\n"), id="404 of an ingress"),
    pytest.param(page(404, b""), id="404 and nothing"),
    pytest.param(page(401, PAGE), id="a proxy that wants a password"),
    pytest.param(page(302, PAGE), id="a portal"),
    pytest.param(page(400, b"<Error>x<Code><a>1</a></Code></Error>"), id="XML that is no answer"),
    pytest.param(page(200, b"<Error><Code>InternalError</Code></Error>"), id="200 with an error in it"),
]


@pytest.mark.parametrize("act", PAGES)
def test_that_something_is_gone_is_not_believed_of_a_page(room: Room, front: Front, act: Act) -> None:
    """A proxy whose backend is away says 404: a planner that took it for an empty store would begin anew."""
    store, plan = opened(room), sample_plan(1, [sample_entry(n, 1) for n in range(40)])
    publish_all(store, [plan])
    assert store.perform(PutSource("fleet", 1, random.Random(1).randbytes(2 * INLINE_MAX))) == SourceStored(1)
    reader = opened(room)
    front.faults.append(once("GET", "objects/", act, 99))
    for request in (ReadPlan(plan.digest), ReadSource("fleet")):
        reply = reader.perform(request)
        assert isinstance(reply, Unknown), (request, reply)
        assert "proxy" in reply.why
    front.faults[:] = [once("GET", "catalogue", act, 99)]
    for question in (ReadHead(), ListPlans(), ReadPlan(plan.digest), ReadSource("fleet")):
        assert isinstance(reader.perform(question), Unknown), question
    assert not reader.replaced()
    for make in (True, False):
        with pytest.raises(StoreError) as raised:
            opened(room, make=make)
        assert not isinstance(raised.value, StoreAbsent)
    front.faults.clear()
    assert reader.perform(ReadHead()) == HeadRead(plan.head)


@pytest.mark.parametrize("act", PAGES[2:])
def test_a_write_that_a_page_answers_is_settled_by_reading(room: Room, front: Front, act: Act) -> None:
    store, version = opened(room), room.catalogue().version

    def done_all_the_same(front: Front, handler: FrontHandler, body: bytes) -> None:
        front.forwarded(handler, body)
        act(front, handler, body)

    for number, answered in enumerate((act, done_all_the_same), 1):
        front.faults[:] = [once("PUT", "catalogue", answered)]
        assert store.perform(Pin(number, "kept")) == Pinned()
        assert room.catalogue().version == version + number, "it was done once"


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_that_dribbles_is_none(
    room: Room, front: Front, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each octet comes in time, however crowded the machine; the whole never would: a planner must not hang for it."""
    monkeypatch.setattr(s3_bucket, "TIMES", 0.1)

    def dribbles(front: Front, handler: FrontHandler, body: bytes) -> bool:
        handler.send_response(status)
        handler.send_header("ETag", '"e"')
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        for _ in range(80):
            handler.wfile.write(b" ")
            time.sleep(0.25)
        return True

    opened(room)
    bucket = Bucket(replace(room.place, timeout_s=20.0))
    front.faults.append(dribbles)
    for ask in (lambda: bucket.get("catalogue"), lambda: bucket.put("x", b"x"), lambda: list(bucket.keys("objects/"))):
        began = time.monotonic()
        with pytest.raises(Trouble, match="was not complete within 2 s") as raised:
            ask()
        assert raised.value.away
        assert time.monotonic() - began < 15.0


def error(status: int, code: str, text: str) -> Act:
    return page(status, f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode())


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (error(301, "PermanentRedirect", "use s3-mars"), "not in region eu-west-1 (PermanentRedirect: use s3-mars)"),
        (error(400, "AuthorizationHeaderMalformed", "expecting mars"), "Mend `region:`"),
        (error(403, "AccessDenied", "x is not authorized to perform: kms:Decrypt"), "Allow kms:Decrypt"),
        (error(400, "KMS.DisabledException", "the key is disabled"), "its key can't be used (KMS.DisabledException"),
        (error(403, "AccessDenied", "with an explicit deny in a policy"), "explicit deny in a policy). Allow s3:GetO"),
        (error(503, "SlowDown", "Reduce your request rate"), "S3 asks for fewer requests (503 SlowDown)"),
        (error(501, "NotImplemented", "no such header"), "can't do what is asked of it (NotImplemented)"),
    ],
)
def test_what_is_refused_is_told_with_the_remedy(room: Room, front: Front, act: Act, text: str) -> None:
    store = opened(room)
    front.faults.append(once("GET", "catalogue", act, 3))
    reply = store.perform(ReadHead())
    assert isinstance(reply, Unknown)
    assert text in reply.why


def test_a_store_that_vanishes_while_it_is_opened_is_trouble_and_no_traceback(room: Room, front: Front) -> None:
    front.faults.append(once("PUT", "trial", refusing(404, "NoSuchKey")))
    with pytest.raises(StoreError, match="trial is missing"):
        opened(room)
    front.faults[:] = [once("GET", "catalogue", refusing(404, "NoSuchKey"), 2)]
    with pytest.raises(StoreError, match="catalogue was removed"):
        opened(room)
    assert opened(room).perform(ReadHead()) == HeadRead(None)


def test_objects_of_others_below_the_prefix_are_left_alone(moto: MotoS3) -> None:
    """A bucket that was there before, and `prefix: ''` or one that something else uses too."""
    room = Room(moto)
    store = opened(room)
    theirs = ("objects/invoice-0001.pdf", "objects/00000000-aaaa-bbbb-cccc-000000000000", "objects/a/b", "readme")
    for key in theirs:
        room.put(key, b"theirs")
    publish_all(store, [sample_plan(g, [sample_entry(n, g) for n in range(20)]) for g in (1, 2)])
    assert store.perform(CollectPlans((1,))) == Collected((1,))
    assert set(theirs) <= set(room.keys())
    assert set(room.keys("objects/")) - set(theirs) == room.catalogue().objects


@pytest.mark.parametrize(
    ("method", "key", "right"), [("POST", "delete", "s3:DeleteObject"), ("GET", "list-type", "s3:ListBucket")]
)
def test_a_clean_up_that_may_not_delete_says_so_before_it_goes_on(
    room: Room, front: Front, method: str, key: str, right: str
) -> None:
    """Else objects would gather for ever, and only `check` would know."""
    store = opened(room)
    publish_all(store, [sample_plan(g, [sample_entry(n, g) for n in range(20)]) for g in (1, 2, 3)])
    front.faults.append(once(method, key, refusing(403, "AccessDenied"), 2))
    assert store.perform(CollectPlans((1,))) == Collected((1,))
    reply = store.perform(CollectPlans((2,)))
    assert isinstance(reply, Unknown)
    assert f"Allow {right}" in reply.why
    assert "no more are collected" in reply.why
    assert [one.generation for one in room.catalogue().plans] == [2, 3]
    assert store.perform(CollectPlans((2,))) == Collected((2,))
    assert set(room.keys("objects/")) == room.catalogue().objects


def test_keys_that_were_renewed_in_their_file_are_used_without_a_restart(
    room: Room, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    keys = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    s3_bucket._client.cache_clear()

    def put(name: str) -> None:
        keys.write_text(f"[default]\naws_access_key_id = {name}\naws_secret_access_key = s\n", encoding="ascii")

    def only_new(front: Front, handler: FrontHandler, body: bytes) -> bool:
        if "Credential=NEW/" in handler.headers["Authorization"]:
            return False
        handler.refuse(403, "InvalidAccessKeyId")
        return True

    put("OLD")
    store = opened(room)
    front.faults.append(only_new)
    reply = store.perform(ReadHead())
    assert isinstance(reply, Unknown)
    assert "credentials are refused (InvalidAccessKeyId). Renew them" in reply.why
    put("NEW")
    store.perform(ReadHead())
    assert store.perform(ReadHead()) == HeadRead(None)
    s3_bucket._client.cache_clear()
