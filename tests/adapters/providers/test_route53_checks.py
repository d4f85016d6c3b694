"""Route 53's health checks through an unmodified boto3 at the stand-in: what the naive model says, they do."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.ports import HOST, free_port
from harness.route53 import ACCESS_KEY, SECRET_KEY, Route53, running
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.calls import Access, Calls
from standfast.adapters.providers.route53.checks import CheckDesk
from standfast.adapters.providers.route53.pace import Pace
from standfast.core.checkkeeper import CheckTask, Kept, keep
from standfast.core.raising import ELEMENTS, flipped
from standfast.model.check import CheckSettings, WantedCheck, owner_mark
from standfast.model.entry import Entry, Member
from standfast.model.name import rollback_owner
from standfast.model.rrset import RRType, addresses
from standfast.model.tree import records, root_rrset, top_of
from standfast.ports.checks import (
    CheckGone,
    CheckMade,
    ChecksListed,
    DeleteCheck,
    Done,
    ListChecks,
    ListUses,
    MakeCheck,
    MendCheck,
    ReadStatus,
    ReadTags,
    ReferenceSpent,
    StatusRead,
    TagCheck,
    TagsRead,
    UsesListed,
)
from standfast.ports.provider import Content, Prerequisite, Refused, Replace, ReplaceReply, Unknown, Write, Written

ZONE = "lb.example.com"
NOBODY = "00000000-0000-4000-8000-000000000000"
TCP = CheckSettings("TCP", "127.0.0.1", port=9, interval_s=10, fall=3)


@pytest.fixture(scope="module")
def service() -> Iterator[Route53]:
    with running("--hurry", "50") as one:
        yield one


@pytest.fixture
def desk(service: Route53, monkeypatch: pytest.MonkeyPatch) -> Iterator[CheckDesk]:
    for key, value in service.environment(ACCESS_KEY, SECRET_KEY).items():
        monkeypatch.setenv(key, value)
    zone_id = service.zone(ZONE)
    calls = Calls(Access(), Pace(100.0, 100), timeout_s=5.0)
    yield CheckDesk(ZONE, calls, lambda: zone_id)
    calls.close()


def made(desk: CheckDesk, reference: str, settings: CheckSettings = TCP) -> str:
    reply = desk.perform(MakeCheck(ZONE, reference, settings))
    assert isinstance(reply, CheckMade), reply
    return reply.id


def until(wanted: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not wanted():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_check_lives_and_dies_as_the_model_has_it(desk: CheckDesk, service: Route53) -> None:
    one = made(desk, "sf-life-0")
    assert made(desk, "sf-life-0") == one, "asking twice is asking once"
    assert desk.perform(MakeCheck(ZONE, "sf-life-0", CheckSettings("TCP", "127.0.0.1", port=10))) == ReferenceSpent()
    assert desk.perform(TagCheck(ZONE, one, (("k", "v"),))) == Done()
    assert desk.perform(ReadTags(ZONE, (one,))) == TagsRead(((("k", "v"),),))
    listed = desk.perform(ListChecks(ZONE, "sf-life"))
    assert isinstance(listed, ChecksListed)
    (standing,) = listed.checks
    assert (standing.id, standing.settings) == (one, TCP), "read back as it was made"
    turned = CheckSettings("TCP", "127.0.0.1", port=9, interval_s=10, fall=3, inverted=True)
    assert desk.perform(MendCheck(ZONE, one, standing.version, turned)) == Done()
    assert isinstance(desk.perform(MendCheck(ZONE, one, standing.version, TCP)), Refused), "by compare-and-set"
    service.client().update_health_check(HealthCheckId=one, FullyQualifiedDomainName="by-hand.example")
    assert desk.perform(MendCheck(ZONE, one, standing.version + 2, TCP)) == Done()
    mended = desk.perform(ListChecks(ZONE, "sf-life"))
    assert isinstance(mended, ChecksListed)
    assert [check.settings for check in mended.checks] == [TCP], "what was added by hand went again"
    assert desk.perform(DeleteCheck(ZONE, one)) == Done()
    assert desk.perform(DeleteCheck(ZONE, one)) == CheckGone()
    assert desk.perform(ReadStatus(ZONE, one)) == CheckGone()
    assert desk.perform(MakeCheck(ZONE, "sf-life-0", TCP)) == ReferenceSpent()
    with pytest.raises(ValueError, match=r"of lb\.example\.com"):
        desk.perform(ListChecks("other.example", ""))


def test_which_checks_a_zone_names_and_which_others_count(desk: CheckDesk, service: Route53) -> None:
    one, other = made(desk, "sf-uses-0"), made(desk, "sf-uses-1")
    made(desk, "theirs", CheckSettings("CALCULATED", children=(other,), least=1))
    listed = desk.perform(ListChecks(ZONE, "sf-uses"))
    assert isinstance(listed, ChecksListed)
    assert other in listed.counted
    raw = {"Name": f"deep.{ZONE}", "Type": "A", "SetIdentifier": "x", "Weight": 1, "TTL": 5, "HealthCheckId": one}
    change = {"Action": "CREATE", "ResourceRecordSet": {**raw, "ResourceRecords": [{"Value": "192.0.2.1"}]}}
    zone_id = desk._zone_id()
    service.client().change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [change]})
    assert desk.perform(ListUses(ZONE)) == UsesListed(frozenset({one})), "whoever wrote it"


def test_what_is_refused_and_what_nobody_knows(desk: CheckDesk, service: Route53) -> None:
    missing = CheckSettings("CALCULATED", children=(NOBODY,), least=1)
    assert isinstance(desk.perform(MakeCheck(ZONE, "sf-odd-0", missing)), CheckGone | Refused)
    for order in ("drop_reply", "drop_request"):
        service.order(order, operation="CreateHealthCheck", count=1)
        assert isinstance(desk.perform(MakeCheck(ZONE, f"sf-{order}-0", TCP)), Unknown)
        one = made(desk, f"sf-{order}-0")
        listed = desk.perform(ListChecks(ZONE, f"sf-{order}"))
        assert isinstance(listed, ChecksListed)
        assert [standing.id for standing in listed.checks] == [one], "made twice"
    service.order(
        "fail", operation="CreateHealthCheck", count=1, code="TooManyHealthChecks", message="limit", status=400
    )
    full = desk.perform(MakeCheck(ZONE, "sf-full-0", TCP))
    assert isinstance(full, Refused)
    assert "quota" in full.why
    service.order("fail", operation="ListHealthChecks", count=1, code="Throttling", message="slow", status=400)
    assert isinstance(desk.perform(ListChecks(ZONE, "sf-")), Unknown), "G6: unknown is not empty"


def test_a_load_balancer_is_taken_out_by_its_switch(desk: CheckDesk, service: Route53) -> None:
    """Well while it answers and nothing is found at its switch."""
    with balancer("/healthz") as port, balancer() as switches:
        parts = [("127.0.0.1", CheckSettings("HTTP", "127.0.0.1", port=port, path="/healthz", fall=1))]
        switch = CheckSettings("HTTP", name="127.0.0.1", port=switches, path="/lb/lb-1", fall=1, inverted=True)
        wanted = WantedCheck("lb-1", ("127.0.0.1",), (*parts, ("switch", switch)))
        phase = keep(CheckTask("main", ZONE, (wanted,)))
        while not isinstance(phase, Kept):
            phase = phase.heard(desk.perform(phase.request))  # type: ignore[arg-type]
        (check,) = phase.checks
        listed = desk.perform(ListChecks(ZONE, owner_mark("main", ZONE)))
        assert isinstance(listed, ChecksListed)
        assert {one.id for one in listed.checks} == check.ids
        again = keep(CheckTask("main", ZONE, (wanted,), known=phase.checks, audit=True))
        assert isinstance(again.heard(listed), Kept), "nothing of it was edited"  # type: ignore[union-attr, arg-type]

        def well() -> bool:
            return bool(service.order("verdict", check=check.id))

        def looked() -> bool:
            reply = desk.perform(ReadStatus(ZONE, dict(check.parts)["switch"]))
            return isinstance(reply, StatusRead) and bool(reply.observations)

        until(lambda: looked() and well(), "well at first")
        PATHS[switches].add("/lb/lb-1")
        until(lambda: not well(), "its switch is thrown")
        PATHS[switches].clear()
        until(well, "taken back")
        PATHS[port].clear()
        until(lambda: not well(), "dead")


PATHS: dict[int, set[str]] = {}
"""What each server has, by its port."""


@contextmanager
def balancer(*paths: str) -> Iterator[int]:
    """An HTTP server that has just these paths."""
    port = free_port()
    PATHS[port] = set(paths)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in PATHS[port] else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not to the log."""

    server = http.server.ThreadingHTTPServer((HOST, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()


def planted(since: int, *checks: str) -> Entry:
    """An entry with a tree, a load balancer for each of these checks."""
    members = tuple(
        Member(f"lb-{number}", (f"192.0.2.{number}",), 10, True, "", check) for number, check in enumerate(checks, 1)
    )
    rrsets = addresses(60, [text for member in members for text in member.addresses])
    least = ((int(RRType.A), 1),)
    return Entry(ZONE, f"www.{ZONE}", since, rrsets=rrsets, min_answers=least, members=members, layout="tree")


def test_a_check_deleted_by_hand_in_the_tree_before_blocks_no_flip(desk: CheckDesk, service: Route53) -> None:
    """The rollback alias goes to that tree, which the flip asserts by putting it back as it stands."""
    lost, new = made(desk, "sf-tree-0"), made(desk, "sf-tree-1")
    before, now = planted(1, lost, lost), planted(2, new, new)
    zone_id = desk._zone_id()
    provider = Route53Provider(ZONE, zone_id, pace=Pace(100.0, 100))

    def put(asserted: tuple[Prerequisite, ...], contents: Iterable[Content]) -> ReplaceReply:
        change = Replace(ZONE, Write("", (), ()), (Write(before.name, asserted, tuple(contents)),))
        return provider.perform(change)

    def standing(one: Entry) -> tuple[Content, ...]:
        return tuple(Content(owner, rrset.rtype, rrset.ttl, rrset.rdata) for owner, rrset in records(one))

    root = root_rrset(before, RRType.A)
    assert root is not None
    assert put((), (*standing(before), Content(before.name, root.rtype, 0, root.rdata))) == Written()
    assert put((), standing(now)) == Written()
    assert desk.perform(DeleteCheck(ZONE, lost)) == Done()
    known = {(owner, rrset.answers): rrset for one in (before, now) for owner, rrset in records(one)}
    asserted, puts = flipped(now, (root, None), known, ELEMENTS)
    assert {top_of(before), top_of(now)} <= {one.owner for one in asserted}
    assert put(asserted, puts) == Written()
    raws = service.client().list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    leads = {
        raw["Name"]: raw["AliasTarget"]["DNSName"] for raw in raws if raw.get("AliasTarget") and "Weight" not in raw
    }
    assert leads == {f"www.{ZONE}.": f"{top_of(now)}.", f"{rollback_owner(now.name, ZONE)}.": f"{top_of(before)}."}
    provider.close()
