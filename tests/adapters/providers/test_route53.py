"""The provider of Route 53 under faults, on the stand-in: throttled, busy, lost replies, odd listings, full batches."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import dns.message
import dns.query
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from conformance.provider_routed_kit import multivalue
from conformance.provider_subject import TXT, ZONE, A, Client, a, below, cname, exactly, rrset, txt
from harness.route53 import Route53, running
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.calls import Access, Page
from standfast.adapters.providers.route53.pace import Pace
from standfast.adapters.providers.route53.reading import Standing, read_names
from standfast.adapters.providers.route53.records import (
    order_of,
    own_name,
    raws_of,
    rrset_of,
    their_name,
)
from standfast.core.layout import rrsets_of
from standfast.core.selection import Candidate
from standfast.model.fleet import LoadBalancer, alias_address
from standfast.model.name import marker_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import (
    Conflict,
    Content,
    Prerequisite,
    Read,
    Readings,
    Refused,
    Replace,
    Unknown,
    Write,
    Written,
)

Connect: TypeAlias = Callable[..., Client]
fixed = settings(derandomize=True, deadline=None, max_examples=150, database=None)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Route53]:
    with running() as one:
        for name, value in one.environment().items():
            monkeypatch.setenv(name, value)
        one.zone(ZONE)
        yield one


@pytest.fixture
def connected() -> Iterator[Connect]:
    """Makes providers, and closes them at the end."""
    opened: list[Route53Provider] = []

    def connect(zone_id: str = "", timeout_s: float = 10.0) -> Client:
        opened.append(Route53Provider(ZONE, zone_id, pace=Pace(10_000, 10_000), timeout_s=timeout_s))
        return Client(opened[-1])

    yield connect
    for one in opened:
        one.close()


# What a batch costs, and what it does when something is otherwise


def test_what_is_known_is_not_read_again(service: Route53, connected: Connect) -> None:
    client = connected()
    client.put(txt(below("m"), "g1"), a(below("e"), 1))
    before = service.counts()
    for number in range(2, 6):
        wanted = exactly(txt(below("m"), f"g{number - 1}"))
        assert client.replace([wanted], [txt(below("m"), f"g{number}"), a(below("e"), number)]) == Written()
    after = service.counts()
    assert after["ChangeResourceRecordSets"] - before["ChangeResourceRecordSets"] == 4
    assert after["ListResourceRecordSets"] == before["ListResourceRecordSets"]


def test_what_people_changed_costs_one_conflict(service: Route53, connected: Connect) -> None:
    client, other = connected(), connected()
    client.put(txt(below("m"), "g1"), a(below("e"), 1))
    other.put(a(below("e"), 9))
    change = [exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2"), a(below("e"), 2)]
    assert client.replace(*change) == Conflict()
    assert client.value(below("m"), TXT) == rrset(txt("", "g1"))
    assert client.replace(*change) == Written()
    assert client.value(below("e"), A) == rrset(a("", 2))


def test_after_a_conflict_only_what_aws_complains_of_is_read(
    service: Route53, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = connected(), connected()
    names = [below(f"e{number}") for number in range(8)]
    client.put(txt(below("m"), "g1"), *(a(name, 1) for name in names))
    other.put(a(names[2], 9))
    other.put(a(names[5]))
    change = [exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2"), *(a(name, 2) for name in names)]
    assert client.replace(*change) == Conflict()
    asked: list[str] = []
    provider = client.provider
    assert isinstance(provider, Route53Provider)
    looked = provider._looked

    def spied(some: Iterable[str]) -> Standing:
        asked.extend(some := list(some))
        return looked(some)

    monkeypatch.setattr(provider, "_looked", spied)
    assert client.replace(*change) == Written()
    assert sorted(asked) == [names[2], names[5]]
    assert [client.value(name, A) for name in names] == [rrset(a("", 2))] * 8


def test_record_sets_without_a_form_of_ours_are_seen_and_replaced(service: Route53, connected: Connect) -> None:
    """As a person may leave them: a weighted set of several with a health check that nobody told us of."""
    client = connected()
    given = {
        "Name": below("e"),
        "Type": "A",
        "SetIdentifier": "by hand",
        "Weight": 7,
        "TTL": 30,
        "ResourceRecords": [{"Value": "192.0.2.7"}],
    }
    zone = client.provider.zone_id()  # type: ignore[attr-defined]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": given}]}
    by_hand = service.client()
    by_hand.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    by_hand.close()
    seen = client.value(below("e"), A)
    assert seen is not None
    assert (seen.rtype, seen.texts()) == (RRType.ROUTED_A, ("192.0.2.7",))
    client.put(a(below("e"), 1))
    assert client.value(below("e"), A) == rrset(a("", 1))


def test_what_a_hand_adds_under_a_new_identifier_is_seen_when_it_is_read_back(
    service: Route53, connected: Connect
) -> None:
    client, other = connected(), connected()
    client.put(multivalue(below("e"), 1, 2), txt(below("m"), "g1"))
    other.put(multivalue(below("e"), 1, 2, 9))
    marker = exactly(txt(below("m"), "g1"))
    assert client.replace([marker], [multivalue(below("e"), 1, 3), txt(below("m"), "g2")]) == Written()
    seen = client.value(below("e"), A)
    assert seen is not None
    assert seen.texts() == ("192.0.2.1", "192.0.2.3", "192.0.2.9"), "a batch can't assert that nothing else is there"
    client.put(multivalue(below("e"), 1, 3))
    assert client.value(below("e"), A) == rrset(multivalue("", 1, 3))
    absent = Prerequisite(below("e"), A, ())
    assert client.replace([absent], [multivalue(below("e"), 4)]) == Conflict(), "absence is looked at anew"


def test_a_change_too_large_is_refused_before_it_is_sent(service: Route53, connected: Connect) -> None:
    client = connected()
    sent = service.counts().get("ChangeResourceRecordSets", 0)
    many = [a(below(f"e{number}"), *range(1, 12)) for number in range(100)]
    reply = client.replace([], many)
    assert isinstance(reply, Refused)
    assert "1100 records" in reply.why
    long = [txt(below(f"t{number}"), "x" * 250) for number in range(130)]
    reply = client.replace([], long)
    assert isinstance(reply, Refused)
    assert "characters" in reply.why
    assert service.counts().get("ChangeResourceRecordSets", 0) == sent


def test_a_load_balancer_that_is_a_name_stands_beside_one_that_has_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the planner makes it; answered by DNS; taken away and put back exactly."""
    services = tmp_path / "services.json"
    names = {"edge-1.elb.example.net.": {"A": {"ttl": 60, "values": ["192.0.2.77"]}}}
    services.write_text(json.dumps({"Z1ELB": {"suffix": "elb.example.net.", "names": names}}), encoding="ascii")
    elb = LoadBalancer("lb-2", "b", "default", (alias_address("edge-1.elb.example.net", "Z1ELB", six=False),), (), 50)
    some = (Candidate("lb-1", ("192.0.2.1",), 100, None, "in", ""), Candidate("lb-2", elb.ipv4, 50, None, "in", ""))
    (wanted,) = rrsets_of("multivalue", some, (A,), 60)
    with running("--services", str(services)) as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        service.zone(ZONE)
        provider = Route53Provider(ZONE, pace=Pace(10_000, 10_000))
        client = Client(provider)
        client.put(Content(below("e"), wanted.rtype, wanted.ttl, wanted.rdata), txt(below("m"), "g1"))
        assert Client(provider).value(below("e"), A) == wanted
        said = dns.query.udp(dns.message.make_query(below("e"), "A"), *_at(service))
        assert {rr.to_text() for rrset in said.answer for rr in rrset} <= {"192.0.2.1", "192.0.2.77"}
        assert said.answer
        client.put(a(below("e"), 1))
        assert client.value(below("e"), A) == rrset(a("", 1))
        gone = replace(elb, ipv4=(alias_address("edge-9.elb.example.net", "Z1ELB", six=False),))
        some = (some[0], replace(some[1], addresses=gone.ipv4))
        (wanted,) = rrsets_of("multivalue", some, (A,), 60)
        refused = client.replace([], [Content(below("e"), wanted.rtype, wanted.ttl, wanted.rdata)])
        assert isinstance(refused, Refused), "nobody's change: asking again is no use"
        assert "edge-9.elb.example.net" in refused.why
        provider.close()


def _at(service: Route53) -> tuple[str, float | None, int]:
    host, port = service.dns[0]
    return host, 5.0, port


# Faults


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("Throttling", 400, "throttles this account"),
        ("PriorRequestNotComplete", 400, "not complete"),
        ("InternalFailure", 500, "HTTP 500"),
        ("ServiceUnavailable", 503, "HTTP 503"),
    ],
)
def test_what_settles_nothing_is_unknown_and_never_sent_again(
    service: Route53, connected: Connect, code: str, status: int, words: str
) -> None:
    client = connected()
    client.put(txt(below("m"), "g1"))
    service.order("fail", operation="ChangeResourceRecordSets", count=1, code=code, message="so it is", status=status)
    before = service.counts()["ChangeResourceRecordSets"]
    reply = client.replace([exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2")])
    assert isinstance(reply, Unknown)
    assert words in reply.why
    assert service.counts()["ChangeResourceRecordSets"] - before <= 1
    assert client.value(below("m"), TXT) == rrset(txt("", "g1"))
    assert client.replace([exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2")]) == Written()


@pytest.mark.parametrize("code", ["Throttling", "PriorRequestNotComplete"])
def test_whoever_is_told_to_wait_asks_half_as_often(service: Route53, code: str) -> None:
    pace = Pace(100.0, 10)
    provider = Route53Provider(ZONE, pace=pace)
    client = Client(provider)
    client.put(txt(below("m"), "g1"))
    service.order("fail", operation="ChangeResourceRecordSets", count=1, code=code, message="so it is", status=400)
    client.replace([exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2")])
    provider.close()
    assert pace.rate == 50.0


@pytest.mark.parametrize("operation", ["ChangeResourceRecordSets", "AssumeRole"])
def test_the_library_never_sends_again_whatever_the_environment_says(
    service: Route53, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    role = "arn:aws:iam::123456789012:role/enactor-role" if operation == "AssumeRole" else ""
    provider = Route53Provider(ZONE, access=Access(role), pace=Pace(10_000, 10_000))
    service.order("fail", operation=operation, count=5, code="InternalFailure", message="so it is", status=500)
    reply = Client(provider).replace([], [txt(below("m"), "g1")])
    provider.close()
    assert isinstance(reply, Unknown | Refused), reply
    assert service.counts()[operation] == 1


@pytest.mark.parametrize("made", [True, False])
def test_a_lost_reply_is_settled_by_reading(service: Route53, connected: Connect, made: bool) -> None:
    client = connected(timeout_s=5.0)
    client.put(txt(below("m"), "g1"))
    service.order("drop_reply" if made else "drop_request", operation="ChangeResourceRecordSets", count=1)
    assert isinstance(client.replace([exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2")]), Unknown)
    assert client.value(below("m"), TXT) == rrset(txt("", "g2" if made else "g1"))


def test_a_held_change_that_is_late_is_refused(service: Route53, connected: Connect) -> None:
    """October 2025: by the time it arrives its marker is gone, so it fails as a whole."""
    late, other = connected(timeout_s=30.0), connected()
    late.put(txt(below("m"), "g1"), a(below("e"), 1))
    late.read((below("m"), TXT), (below("e"), A))
    service.order("hold", operation="ChangeResourceRecordSets", count=1)
    replies: list[object] = []
    change = [exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2 late"), a(below("e"), 2)]
    thread = threading.Thread(target=lambda: replies.append(late.replace(*change)))
    thread.start()
    (held,) = service.order("wait_held", count=1, timeout=60)
    assert other.replace([exactly(txt(below("m"), "g1"))], [txt(below("m"), "g3"), a(below("e"), 3)]) == Written()
    service.order("release", number=held["number"])
    thread.join(30)
    assert replies == [Conflict()]
    assert other.read((below("m"), TXT), (below("e"), A)) == (rrset(txt("", "g3")), rrset(a("", 3)))


def test_reading_waits_out_throttling_and_a_failed_page_is_no_empty_one(service: Route53, connected: Connect) -> None:
    client = connected()
    client.put(a(below("e"), 1))
    service.order("fail", operation="ListResourceRecordSets", count=2, code="Throttling", message="x", status=400)
    assert client.value(below("e"), A) == rrset(a("", 1))
    service.order("fail", operation="ListResourceRecordSets", count=1, code="InternalFailure", message="x", status=500)
    reply = client.provider.perform(Read(ZONE, ((below("e"), A),)))
    assert isinstance(reply, Unknown)


def test_two_zones_of_one_name_are_told_apart_by_id(service: Route53, connected: Connect) -> None:
    second = service.zone(ZONE)
    reply = connected().provider.perform(Read(ZONE, ((below("e"), A),)))
    assert isinstance(reply, Unknown)
    assert "there are 2 public hosted zones" in reply.why
    assert second in reply.why
    assert connected(second).value(below("e"), A) is None


def test_markers_side_by_side_come_with_one_page(service: Route53, connected: Connect) -> None:
    client = connected()
    names = [below(f"e{number:03}") for number in range(100)]
    writes = tuple(Write(name, (), (txt(marker_owner(name, ZONE), "g1"),)) for name in names)
    assert client.provider.perform(Replace(ZONE, Write("", (), ()), writes)) == Written()
    before = service.counts()["ListResourceRecordSets"]
    reply = connected().provider.perform(Read(ZONE, tuple((marker_owner(name, ZONE), int(TXT)) for name in names)))
    assert isinstance(reply, Readings)
    assert all(reply.values)
    assert service.counts()["ListResourceRecordSets"] - before == 1


# Listings


class Listed:
    """A zone as pages of so many record sets at most."""

    def __init__(self, names: list[str], page: int) -> None:
        self.raws = [{"Name": their_name(name), "Type": "TXT", "TTL": 1} for name in sorted(names, key=order_of)]
        self.page = page

    def __call__(self, start: tuple[str, str, str], items: int) -> Page:
        rest = [raw for raw in self.raws if order_of(own_name(str(raw["Name"]))) >= order_of(own_name(start[0]))]
        most = min(items, self.page)
        following = (str(rest[most]["Name"]), "TXT", "") if len(rest) > most else None
        return Page(tuple(rest[:most]), following)


NAMES = st.lists(
    st.lists(st.sampled_from(["a", "b-", "b", "_x", "*", "c-d"]), min_size=1, max_size=3)
    .filter(lambda labels: "*" not in labels[1:])
    .map(lambda labels: ".".join([*labels, ZONE])),
    max_size=12,
    unique=True,
)


@fixed
@given(NAMES, NAMES, st.integers(1, 5))
def test_names_are_found_whatever_the_pages(there: list[str], wanted: list[str], page: int) -> None:
    found = read_names(wanted, Listed(there, page))
    assert {name: bool(raws) for name, raws in found.items()} == {name: name in there for name in wanted}


def test_where_a_listing_is_out_of_order_each_name_is_asked_for_by_itself() -> None:
    """Then nothing is concluded from what a page does not have."""
    names = [below(inner) for inner in "abcd"]
    asked = []

    def listed(start: tuple[str, str, str], items: int) -> Page:
        asked.append(own_name(start[0]))
        there = {"a": ("a", "d", "b"), "b": ("b",), "c": ("d",), "d": ("d",)}[own_name(start[0]).partition(".")[0]]
        return Page(tuple({"Name": their_name(below(one)), "Type": "TXT"} for one in there), None)

    found = read_names(names, listed)
    assert asked == names
    assert {name: bool(raws) for name, raws in found.items()} == {name: name != below("c") for name in names}


# Records


@fixed
@given(st.lists(st.binary(max_size=255), min_size=1, max_size=3))
def test_text_goes_there_and_back(strings: list[bytes]) -> None:
    rdata = b"".join(bytes((len(one),)) + one for one in strings)
    wanted = RRset.of(RRType.TXT, 60, [rdata])
    assert rrset_of("TXT", raws_of(below("m"), wanted, "Z1")) == wanted


def test_names_go_there_and_back() -> None:
    for name in (ZONE, below("*"), below("_standfast"), below("a-b")):
        assert own_name(their_name(name)) == name
    alias = cname(below("x"), below("*"))
    assert rrset_of("CNAME", raws_of(below("x"), rrset(alias), "Z1")) == rrset(alias)


def test_a_foreign_policy_is_a_reading_equal_to_nothing_of_ours() -> None:
    raw: Mapping[str, Any] = {
        "Name": their_name(below("e")),
        "Type": "A",
        "SetIdentifier": "eu",
        "Region": "eu-west-1",
        "TTL": 60,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    seen = rrset_of("A", [raw])
    assert seen is not None
    assert (seen.count, seen.texts()) == (0, ())
    assert seen != rrset(a("", 1))
    assert Prerequisite(below("e"), seen.rtype, seen.rdata)


# Pace


def test_turns_follow_the_rate_and_throttling_halves_it() -> None:
    now, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(2.0, 3, clock=lambda: now[0], sleep=sleep)
    for _ in range(3):
        assert pace.turn(10)
    assert not slept
    for _ in range(4):
        assert pace.turn(10)
    assert sum(slept) == pytest.approx(2.0)
    pace.slow_down()
    assert pace.rate == 1.0
    assert not pace.turn(0.5), "it would wait longer than that"
    assert pace.turn(5)
    for _ in range(100):
        pace.slow_down()
    assert pace.rate == 0.1
    for _ in range(100):
        pace.went_well()
    assert pace.rate == 2.0
    assert "2" in pace.standing
