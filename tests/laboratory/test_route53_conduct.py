"""How the stand-in conducts itself: throttling, one change of a zone at a time, orders, coming back after a kill."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from harness.ports import free_port
from harness.route53 import Route53, running, start
from laboratory.test_route53_answers import ask, data
from laboratory.zone53 import Refused, Zone53
from standfast.laboratory.route53 import sets
from standfast.laboratory.route53.__main__ import _parser, main, settings_of
from standfast.laboratory.route53.batch import Change, Draft, Surroundings, judge
from standfast.laboratory.route53.zones import Zone, born


def test_requests_beyond_the_burst_are_throttled_for_the_whole_account() -> None:
    with running("--rate", "0.001", "--burst", "5") as one:
        for key in ("AKIAONE", "AKIATWO"):
            one.client(key).get_hosted_zone_count()
        one.client().list_hosted_zones()
        one.client().list_health_checks()
        one.client().get_checker_ip_ranges()
        with pytest.raises(ClientError) as wrong:
            one.client().get_hosted_zone_count()
    told = wrong.value.response
    assert (told["Error"]["Code"], told["Error"]["Message"]) == ("Throttling", "Rate exceeded")
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_the_bucket_fills_again() -> None:
    with running("--rate", "4", "--burst", "1") as one:
        client = one.client()
        done = 0
        deadline = time.monotonic() + 60
        while done < 5 and time.monotonic() < deadline:
            try:
                client.get_hosted_zone_count()
                done += 1
            except ClientError:
                time.sleep(0.01)
        assert done == 5
        assert one.order("counts")["refusals"].get("Throttling", 0) > 0


def test_a_zone_takes_one_change_at_a_time() -> None:
    with running("--processing", "2") as one, ThreadPoolExecutor(4) as pool:
        zone, other = (Zone53.create(one, f"{name}.example.com.") for name in ("busy", "idle"))
        waiting = pool.submit(zone.change, ("CREATE", zone.a("a", "192.0.2.1")))
        deadline = time.monotonic() + 60
        while one.counts().get("ChangeResourceRecordSets", 0) < 1:
            assert time.monotonic() < deadline
        beside = pool.submit(other.change, ("CREATE", other.a("a", "192.0.2.1")))
        with pytest.raises(Refused) as told:
            zone.change(("CREATE", zone.a("b", "192.0.2.1")))
        assert told.value.code == "PriorRequestNotComplete"
        assert told.value.message == "The request was rejected because Route 53 was still processing a prior request."
        waiting.result()
        beside.result()
        assert zone.listed() == [zone.a("a", "192.0.2.1")]


def test_a_held_change_happens_at_its_release(route53: Route53, zone: Zone53) -> None:
    slow, swift = (Zone53(route53.client(key), zone.id, zone.apex) for key in ("AKIASLOW", "AKIASWIFT"))
    zone.create_set(zone.rr("m", "TXT", '"g=1"'))
    route53.order("hold", operation="ChangeResourceRecordSets", access_key="AKIASLOW")
    swap = [("DELETE", zone.rr("m", "TXT", '"g=1"')), ("CREATE", zone.rr("m", "TXT", '"g=2"'))]
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(slow.change, *swap)
        held = route53.order("wait_held")
        assert (held[0]["access_key"], "g=2" in held[0]["body"]) == ("AKIASLOW", True)
        assert slow.listed() == [zone.rr("m", "TXT", '"g=1"')], "other operations of the key pass"
        swift.change(swap[0], ("CREATE", zone.rr("m", "TXT", '"g=3"')))
        route53.order("release", number=held[0]["number"])
        with pytest.raises(Refused) as told:
            late.result(60)
    assert "do not match the current values" in told.value.message
    assert zone.listed() == [zone.rr("m", "TXT", '"g=3"')]
    assert route53.order("held") == []


def test_a_lost_reply_is_of_a_change_that_happened(route53: Route53, zone: Zone53) -> None:
    route53.order("drop_reply", operation="ChangeResourceRecordSets", mention="lost-reply")
    zone.create_set(zone.a("other", "192.0.2.1"))
    with pytest.raises(HTTPClientError):
        zone.change(("CREATE", zone.a("lost-reply", "192.0.2.1")))
    route53.order("drop_request", operation="ChangeResourceRecordSets")
    with pytest.raises(HTTPClientError):
        zone.change(("CREATE", zone.a("lost-request", "192.0.2.1")))
    assert zone.listed() == [zone.a("lost-reply", "192.0.2.1"), zone.a("other", "192.0.2.1")]


def test_requests_can_be_slowed_and_failed(route53: Route53, zone: Zone53) -> None:
    route53.order("fail", operation="ChangeResourceRecordSets", count=2, code="ServiceUnavailable", status=503)
    for _ in range(2):
        with pytest.raises(Refused) as told:
            zone.change(("CREATE", zone.a("www", "192.0.2.1")))
        assert told.value.code == "ServiceUnavailable"
    route53.order("delay", operation="ChangeResourceRecordSets", seconds=0.3)
    began = time.monotonic()
    zone.change(("CREATE", zone.a("www", "192.0.2.1")))
    assert time.monotonic() - began >= 0.3
    route53.order("delay_reply", operation="ChangeResourceRecordSets", seconds=2.0)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(zone.change, ("DELETE", zone.a("www", "192.0.2.1")))
        while zone.listed():
            assert not late.done(), "it is made before it is told"
        late.result(60)


def test_calls_are_counted_by_operation_and_key(route53: Route53, zone: Zone53) -> None:
    route53.order("forget_counts")
    client = route53.client("AKIACOUNTED")
    for _ in range(3):
        client.list_resource_record_sets(HostedZoneId=zone.id)
    with pytest.raises(ClientError):
        client.get_hosted_zone(Id="ZNONE")
    counted = route53.order("counts")
    assert counted["by_key"]["AKIACOUNTED"] == {"ListResourceRecordSets": 3, "GetHostedZone": 1}
    assert counted["operations"] == counted["by_key"]["AKIACOUNTED"]
    assert counted["refusals"] == {"NoSuchHostedZone": 1}


def test_orders_need_the_secret_and_sense(route53: Route53) -> None:
    with pytest.raises(urllib.error.HTTPError) as wrong:
        urllib.request.urlopen(f"{route53.endpoint}/standin/guess", b'{"do": "counts"}', timeout=60)  # noqa: S310
    with wrong.value:
        assert wrong.value.code == 404
    for order, words in (({"verb": "nonsense"}, "unknown verb"), ({"verb": "release", "number": 9}, "not held")):
        with pytest.raises(RuntimeError, match=words):
            route53.order(**order)
    with pytest.raises(RuntimeError):
        route53.order("hold", count="many")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("rrset", b"<Change", "MalformedInput"),
        ("rrset", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "MalformedInput"),
        ("rrset", b"", "InvalidInput"),
        ("rrset", b"<ChangeResourceRecordSetsRequest><ChangeBatch/></ChangeResourceRecordSetsRequest>", "InvalidInput"),
        ("nonsense", b"", "UnknownOperationException"),
    ],
)
def test_what_is_no_request_is_told(route53: Route53, zone: Zone53, path: str, body: bytes, code: str) -> None:
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/route53/aws4_request"}
    url = f"{route53.endpoint}/2013-04-01/hostedzone/{zone.id}/{path}"
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as wrong:
        urllib.request.urlopen(request, timeout=60)  # noqa: S310
    with wrong.value:
        assert f"<Code>{code}</Code>".encode() in wrong.value.read()


def test_what_was_answered_for_outlives_a_kill(tmp_path: Path) -> None:
    file, port = tmp_path / "route53.jsonl", free_port()
    first = start("--data", str(file), "--propagation", "3600", port=port)
    zone = Zone53.create(first, "kept.example.com.")
    sets = [zone.a("w", f"192.0.2.{n}", SetIdentifier=str(n), Weight=1) for n in range(3)]
    zone.change(*(("CREATE", one) for one in sets), ("CREATE", zone.alias("www", "w")))
    zone.change(("DELETE", sets[0]))
    config = {"Type": "TCP", "IPAddress": "127.0.0.1", "Port": 1}
    check = zone.client.create_health_check(CallerReference="kept", HealthCheckConfig=config)["HealthCheck"]
    zone.client.change_tags_for_resource(
        ResourceType="healthcheck", ResourceId=check["Id"], AddTags=[{"Key": "k", "Value": "v"}]
    )
    before = zone.listed()
    os.kill(first.process.pid, signal.SIGKILL)
    first.stop()
    with file.open("ab") as kept:
        kept.write(b'{"type":"zone","cut sh')
    with running("--data", str(file), port=port) as again:
        assert zone.listed() == before == [*sets[1:], zone.alias("www", "w")]
        assert zone.client.get_health_check(HealthCheckId=check["Id"])["HealthCheck"] == check
        tags = zone.client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check["Id"])
        assert tags["ResourceTagSet"]["Tags"] == [{"Key": "k", "Value": "v"}]
        assert data(ask(again, zone.name("www")))
        zone.change(("DELETE", sets[1]))
    with running("--data", str(file), port=port):
        assert zone.listed() == [sets[2], zone.alias("www", "w")]


def test_a_file_that_is_not_its_own_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.jsonl"
    file.write_text('{"type": "zone"}\n')
    with pytest.raises(RuntimeError), running("--data", str(file)):
        pass
    assert f"{file}:1: not a line of this stand-in's data" in capfd.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ("--hurry", "0"), ("--propagation", "0,-1"), ("--burst", "0"), ("--account", "12"), ("--rate", "x"),
        ("--via", "192.0.2.1:80=192.0.2.1:80"),
    ],
)  # fmt: skip
def test_a_switch_that_makes_no_sense_is_told(options: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*options])
    told = capsys.readouterr().err
    assert options[0].lstrip("-") in told
    assert "Traceback" not in told


def test_it_listens_on_loopback_only(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), running("--dns", "0.0.0.0:0"):
        pass
    assert "no loopback address" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "choice", "allowed"),
    [
        ("--order", "written", False),
        ("--order", "final", True),
        ("--delete-target", "allow", True),
        ("--delete-target", "refuse", False),
        ("--create-then-delete", "refuse", False),
        ("--create-then-delete", "allow", True),
        ("--weighted-ttl", "same", False),
        ("--weighted-ttl", "any", True),
    ],
)
def test_what_the_documents_leave_open_is_a_switch(option: str, choice: str, allowed: bool) -> None:
    rules = settings_of(vars(_parser().parse_args([option, choice]))).rules
    zone = Zone53(None, "Z1", "switch.example.com.")
    a, alias = zone.a("a", "192.0.2.1"), zone.alias("www", "a")
    b, to_b = zone.a("b", "192.0.2.2"), zone.alias("to-b", "b")
    weighted = [zone.a("w", f"192.0.2.{n}", ttl=n, SetIdentifier=str(n), Weight=1) for n in (1, 2)]
    batch = {
        "--order": [("CREATE", alias), ("CREATE", a)],
        "--delete-target": [("DELETE", b)],
        "--create-then-delete": [("CREATE", a), ("DELETE", a), ("CREATE", zone.a("c", "192.0.2.3"))],
        "--weighted-ttl": [("CREATE", one) for one in weighted],
    }[option]
    held = Zone("Z1", zone.apex, "")
    held.adopt(born(held, ["ns.example."]))
    around = Surroundings("Z1", zone.apex, lambda *_: "no other zone")
    for given in ([("CREATE", b), ("CREATE", to_b)], batch):
        judged = judge(held.groups, [Change(action, sets.read(action, one)) for action, one in given], around, rules)
        if isinstance(judged, Draft):
            held.adopt(judged)
    assert isinstance(judged, Draft) == allowed, judged
    assert not allowed or option != "--create-then-delete" or held.records() == 5


def test_a_listing_can_lag_behind() -> None:
    with running("--stale-listing", "2") as one:
        zone = Zone53.create(one, "stale.example.com.")
        zone.create_set(zone.a("www", "192.0.2.1"))
        assert zone.listed() == []
        deadline = time.monotonic() + 60
        while not zone.listed():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_two_hundred_increments_by_eight_hands_lose_none(route53: Route53, zone: Zone53) -> None:
    """Compare-and-set of a marker by DELETE and CREATE: what moto loses (providers' notes), this must not."""
    zone.create_set(zone.rr("m", "TXT", '"0"'))
    won: list[int] = []
    others: list[str] = []
    lock = threading.Lock()

    def work(key: str) -> None:
        mine = Zone53(route53.client(key), zone.id, zone.apex)
        while len(won) < 200:
            page = mine.client.list_resource_record_sets(
                HostedZoneId=zone.id, StartRecordName=zone.name("m"), StartRecordType="TXT", MaxItems="1"
            )
            old = page["ResourceRecordSets"][0]
            value = int(json.loads(old["ResourceRecords"][0]["Value"]))
            try:
                mine.change(("DELETE", old), ("CREATE", zone.rr("m", "TXT", f'"{value + 1}"')))
            except Refused as told:
                others.append(told.code)
            else:
                with lock:
                    won.append(value + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [f"AKIAHAND{n}" for n in range(8)]))
    assert set(others) <= {"InvalidChangeBatch", "PriorRequestNotComplete"}
    assert sorted(won) == list(range(1, len(won) + 1))
