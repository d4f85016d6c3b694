"""The same requests to the stand-in and to moto: the same answers where moto has the rule, and known ones where not.

moto is a second reading of AWS's documents. Where the two differ the document decides, and the difference stands here,
so that a moto that comes round is noticed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from harness.route53 import Route53
from laboratory.zone53 import Refused, Zone53

Step = Callable[[Any], Any]
Batch = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def moto_client() -> Iterator[Any]:
    with mock_aws():
        keys = {"aws_access_key_id": "AKIAX", "aws_secret_access_key": "x"}
        yield boto3.client("route53", region_name="us-east-1", **keys)


def fresh(client: Any) -> Zone53:
    made = client.create_hosted_zone(Name="beside.example.com.", CallerReference=str(uuid.uuid4()))
    return Zone53(client, made["HostedZone"]["Id"].rpartition("/")[2], "beside.example.com.")


def outcome(zone: Zone53, batches: list[Batch]) -> tuple[list[str], list[dict[str, Any]]]:
    """The codes a zone answers some batches with, and what it holds in the end."""
    codes = []
    for batch in batches:
        try:
            zone.change(*batch)
            codes.append("made")
        except Refused as told:
            codes.append(told.code)
    return codes, zone.listed()


ZONE = Zone53(None, "", "beside.example.com.")
A1, A2 = ZONE.a("www", "192.0.2.1"), ZONE.a("www", "192.0.2.2")
M1, M2, M3 = (ZONE.rr("m", "TXT", f'"g={n}"') for n in (1, 2, 3))
W1, W2 = (ZONE.a("w", f"192.0.2.{n}", SetIdentifier=str(n), Weight=n) for n in (1, 2))

AGREED: dict[str, list[Batch]] = {
    "create and delete": [[("CREATE", A1)], [("DELETE", A1)]],
    "upsert creates and replaces": [[("UPSERT", A1)], [("UPSERT", A2)]],
    "an identical set exists": [[("CREATE", A1)], [("CREATE", A1)]],
    "delete and create in one batch": [[("CREATE", M1)], [("DELETE", M1), ("CREATE", M2)]],
    "weighted sets side by side": [[("CREATE", W1), ("CREATE", W2)], [("DELETE", W1)]],
    "the order of names and types": [
        [("CREATE", ZONE.a(label, "192.0.2.1")) for label in ("b", "a", "z.a", "a.b")],
        [("CREATE", ZONE.rr("a", "TXT", '"t"'))],
    ],
    "another zone's name": [[("CREATE", {**A1, "Name": "www.other.example."})]],
    "too many elements": [[("CREATE", ZONE.a(f"n{n}", "192.0.2.1")) for n in range(1001)]],
}

DIFFERENT: dict[str, tuple[list[Batch], list[str], list[str]]] = {
    "a stale delete": (
        [[("CREATE", M1)], [("DELETE", M1), ("CREATE", M2)], [("DELETE", M1), ("CREATE", M3)]],
        ["made", "made", "InvalidChangeBatch"],
        ["made", "made", "made"],
    ),
    "a CREATE with other values": (
        [[("CREATE", A1)], [("CREATE", A2)]],
        ["made", "InvalidChangeBatch"],
        ["made", "made"],
    ),
    "an address beside a CNAME": (
        [[("CREATE", ZONE.rr("www", "CNAME", "a.example."))], [("CREATE", A1)]],
        ["made", "InvalidChangeBatch"],
        ["made", "made"],
    ),
    "an address that is none": ([[("CREATE", ZONE.a("x", "192.0.2.256"))]], ["InvalidChangeBatch"], ["made"]),
    "an absent set": ([[("DELETE", A1)]], ["InvalidChangeBatch"], ["InvalidInput"]),
    "neither values nor alias": (
        [[("CREATE", {"Name": "x.beside.example.com.", "Type": "A", "TTL": 60})]],
        ["InvalidInput"],
        ["made"],
    ),
}


@pytest.mark.parametrize("name", AGREED)
def test_moto_answers_alike(route53: Route53, moto_client: Any, name: str) -> None:
    assert outcome(fresh(route53.client()), AGREED[name]) == outcome(fresh(moto_client), AGREED[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_moto_answers_otherwise(route53: Route53, moto_client: Any, name: str) -> None:
    batches, ours, motos = DIFFERENT[name]
    assert outcome(fresh(route53.client()), batches)[0] == ours
    assert outcome(fresh(moto_client), batches)[0] == motos


def test_moto_keeps_half_of_a_refused_batch_and_the_stand_in_nothing(route53: Route53, moto_client: Any) -> None:
    batches: list[Batch] = [[("CREATE", M1), ("CREATE", {**A1, "Name": "www.other.example."})]]
    assert outcome(fresh(route53.client()), batches) == (["InvalidChangeBatch"], [])
    assert outcome(fresh(moto_client), batches) == (["InvalidChangeBatch"], [M1])


def codes(client: Any) -> list[str]:
    """What a service says to requests about zones, health checks, changes and tags, one after the other."""
    said: list[str] = []

    def say(step: Step) -> Any:
        try:
            answer = step(client)
        except ClientError as wrong:
            said.append(wrong.response["Error"]["Code"])
            return None
        said.append("done")
        return answer

    reference, config = str(uuid.uuid4()), {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80}
    zone = fresh(client)
    check = say(lambda c: c.create_health_check(CallerReference=reference, HealthCheckConfig=config))["HealthCheck"]
    said.append(str(sorted(check["HealthCheckConfig"].items())))
    say(lambda c: c.get_health_check(HealthCheckId=check["Id"]))
    say(lambda c: c.update_health_check(HealthCheckId=check["Id"], FailureThreshold=5))
    tags = {"ResourceType": "healthcheck", "ResourceId": check["Id"]}
    say(lambda c: c.change_tags_for_resource(**tags, AddTags=[{"Key": "a", "Value": "1"}]))
    said.append(str(say(lambda c: c.list_tags_for_resource(**tags))["ResourceTagSet"]["Tags"]))
    say(lambda c: c.delete_health_check(HealthCheckId=check["Id"]))
    say(lambda c: c.get_health_check(HealthCheckId=check["Id"]))
    say(lambda c: c.get_hosted_zone(Id="ZNOBODY"))
    say(lambda c: c.list_resource_record_sets(HostedZoneId="ZNOBODY"))
    zone.create_set(A1)
    say(lambda c: c.delete_hosted_zone(Id=zone.id))
    zone.change(("DELETE", A1))
    say(lambda c: c.delete_hosted_zone(Id=zone.id))
    say(lambda c: c.get_hosted_zone(Id=zone.id))
    return said


def test_zones_checks_and_tags_answer_alike(route53: Route53, moto_client: Any) -> None:
    assert codes(route53.client()) == codes(moto_client)
