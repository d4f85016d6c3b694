"""The provider of Route 53 where the world has changed: proxies, other credentials, zones made anew; and odd names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conformance.provider_subject import TXT, ZONE, A, Client, a, below, exactly, rrset, txt
from harness.ports import HOST
from harness.route53 import ACCESS_KEY, Route53, running
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.calls import Access, CallFailed, Calls, Page
from standfast.adapters.providers.route53.pace import Pace
from standfast.adapters.providers.route53.reading import read_names
from standfast.adapters.providers.route53.records import own_name
from standfast.model.name import marker_owner, tree_parent
from standfast.ports.provider import Conflict, Read, Readings, Unknown, Written

LISTING = (
    '<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>{}'
    "</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>24</MaxItems></ListResourceRecordSetsResponse>"
)
SET = (
    f"<ResourceRecordSet><Name>{below('e')}.</Name><Type>A</Type><SetIdentifier>x</SetIdentifier><Weight>{{}}</Weight>"
    "<TTL>{}</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>"
    "</ResourceRecordSet>"
)


class Answers:
    """What a server says next, whatever it is asked."""

    def __init__(self) -> None:
        self.url, self.status, self.body = "", 200, b""

    def be(self, status: int, body: str) -> None:
        self.status, self.body = status, body.encode()


@contextmanager
def answering() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = answers.status, answers.body  # whoever has read an answer may say at once what is next
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    answers.url = f"http://{HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")


@contextmanager
def opened(endpoint: str, zone_id: str = "") -> Iterator[Client]:
    provider = Route53Provider(ZONE, zone_id, Access(endpoint=endpoint), pace=Pace(10_000, 10_000), timeout_s=10.0)
    try:
        yield Client(provider)
    finally:
        provider.close()


@pytest.mark.usefixtures("keys")
def test_an_error_page_of_a_proxy_settles_nothing() -> None:
    """It may have taken the place of a reply to a change that was made."""
    with answering() as answers, opened(answers.url, "Z1") as client:
        for status in (302, 400, 403, 407, 502):
            for body in ("", "<html><body>not from here</body></html>"):
                answers.be(status, body)
                client.provider._remember({below("e"): ()})  # type: ignore[attr-defined]
                reply = client.replace([], [a(below("e"), 1)])
                assert isinstance(reply, Unknown), (status, body, reply)
                assert "proxy" in reply.why


@pytest.mark.usefixtures("keys")
def test_numbers_that_no_record_set_has_are_no_reading() -> None:
    with answering() as answers, opened(answers.url, "Z1") as client:
        for weight, ttl in ((9, -1), (9, 2**31), (-1, 60), (10**30, 60), (9, 10**30)):
            answers.be(200, LISTING.format(SET.format(weight, ttl)))
            reply = client.provider.perform(Read(ZONE, ((below("e"), int(A)),)))
            assert isinstance(reply, Unknown), (weight, ttl)
        answers.be(200, LISTING.format(SET.format(9, 60)))
        assert isinstance(client.provider.perform(Read(ZONE, ((below("e"), int(A)),))), Readings)


def test_a_zone_that_was_deleted_and_made_again_is_found_under_its_new_id(monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        first = service.zone(ZONE)
        with opened(service.endpoint) as client, opened(service.endpoint, first) as told:
            client.put(txt(below("m"), "g1"), a(below("e"), 1))
            _emptied(service, first)
            second = service.zone(ZONE)
            change = [exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2"), a(below("e"), 2)]
            reply = client.replace(*change)
            assert not isinstance(reply, Written)
            assert client.replace(*change) == Conflict(), "what stood in the old one is believed no more"
            client.put(txt(below("m"), "g2"), a(below("e"), 2))
            assert client.provider.zone_id() == second  # type: ignore[attr-defined]
            assert client.read((below("m"), TXT), (below("e"), A)) == (rrset(txt("", "g2")), rrset(a("", 2)))
            missing = told.provider.perform(Read(ZONE, ((below("m"), int(TXT)),)))
            assert isinstance(missing, Unknown), "whoever was told an id keeps to it"
            assert "mend hosted_zone" in missing.why


def _emptied(service: Route53, zone_id: str) -> None:
    client = service.client()
    raws = client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    gone = [{"Action": "DELETE", "ResourceRecordSet": raw} for raw in raws if raw["Type"] not in ("NS", "SOA")]
    client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": gone})
    client.delete_hosted_zone(Id=zone_id)


def test_credentials_that_were_renewed_are_taken_up_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tools write them that log people in: a file with a key that has expired, and later another."""
    file = tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with running() as service:
        service.zone(ZONE)
        said = {"code": "ExpiredToken", "message": "The security token included in the request is expired"}
        service.order("fail", access_key="AKIAOLD", count=1000, status=403, **said)
        with opened(service.endpoint) as client:
            asked = Read(ZONE, ((below("e"), int(A)),))
            nobody = client.provider.perform(asked)
            assert isinstance(nobody, Unknown)
            assert "there are no credentials" in nobody.why
            file.write_text("[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = x\n", encoding="ascii")
            old = client.provider.perform(asked)
            assert isinstance(old, Unknown)
            assert "renew" in old.why
            file.write_text(
                f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = x\n", encoding="ascii"
            )
            assert isinstance(client.provider.perform(asked), Readings)


# Names


def test_an_escaped_dot_makes_no_other_name() -> None:
    assert own_name("a\\056b.example.") == "a\\056b.example"
    assert own_name("\\052.Example.") == "*.example"
    assert own_name("b\\344r.example.") == "b\\344r.example"


def test_where_a_page_ends_at_an_escaped_name_nothing_further_is_known() -> None:
    """Where such a name stands in the order is not documented: here it does by its escape, before every letter."""
    there = [f"{name}.z.example." for name in ("1", "2", "3", "\\344", "e", "www")]

    def listed(start: tuple[str, str, str], items: int) -> Page:
        at = there.index(start[0]) if start[0] in there else 0
        some = [{"Name": name, "Type": "A"} for name in there[at : at + 3]]
        return Page(tuple(some), (there[at + 3], "A", "") if len(there) > at + 3 else None)

    found = read_names(["1.z.example", "e.z.example", "www.z.example"], listed)
    assert {name: len(raws) for name, raws in found.items()} == {"1.z.example": 1, "e.z.example": 1, "www.z.example": 1}


def test_pages_that_lead_round_in_a_circle_are_no_reading() -> None:
    def listed(start: tuple[str, str, str], items: int) -> Page:
        other = "TXT" if start[1] == "A" else "A"
        return Page(({"Name": "e.z.example.", "Type": other},), ("e.z.example.", other, ""))

    with pytest.raises(CallFailed, match="never end"):
        read_names(["e.z.example"], listed)
    with pytest.raises(CallFailed, match="never end"):
        read_names(["*.z.example"], lambda start, items: Page((), ("e.z.example.", f"A{len(start[1])}{start[1]}", "")))


ZONES = (
    '<ListHostedZonesByNameResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZones>{}</HostedZones>'
    "<IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>"
)
PRIVATE = (
    f"<HostedZone><Id>/hostedzone/Z9</Id><Name>{ZONE}.</Name><CallerReference>1</CallerReference>"
    "<Config><PrivateZone>true</PrivateZone></Config></HostedZone>"
)


@pytest.mark.usefixtures("keys")
def test_a_private_hosted_zone_is_not_taken_for_the_public_one_and_told() -> None:
    with answering() as answers, opened(answers.url) as client:
        answers.be(200, ZONES.format(PRIVATE))
        reply = client.provider.perform(Read(ZONE, ((below("e"), int(A)),)))
        assert isinstance(reply, Unknown)
        assert "no public hosted zone" in reply.why
        assert "private: Z9" in reply.why
    with answering() as answers:
        answers.be(200, f"<GetHostedZoneResponse>{PRIVATE}</GetHostedZoneResponse>")
        calls = Calls(Access(endpoint=answers.url), Pace(100, 100))
        assert calls.zone("Z9") == (ZONE, (), True)
        calls.close()


def test_trees_of_long_ago_are_forgotten() -> None:
    """An endpoint that changes every minute has half a million of them in a year."""
    provider = Route53Provider(ZONE, "Z1")
    parents = [tree_parent(name, ZONE) for name in (below("a"), below("b"))]
    names = [
        f"{leaf}{since:015d}.{parent}"
        for parent in parents
        for since in range(1, 2001)
        for leaf in ("", "lb-1.", "lb-2.")
    ]
    provider._remember(dict.fromkeys([below("a"), marker_owner(below("a"), ZONE), *names], ()))
    assert isinstance(provider.perform(Read(ZONE, ())), Readings)
    kept = [name for name in names if name in provider._known]
    assert kept == [name for name in names if int(name.removeprefix("lb-1.").removeprefix("lb-2.")[:15]) > 1994]
    assert {below("a"), marker_owner(below("a"), ZONE)} <= provider._known.keys()
    provider.close()
