"""Hosted zones and the order and pages of their listings."""

from __future__ import annotations

import itertools
import uuid

import pytest
from botocore.exceptions import ClientError

from harness.route53 import Route53
from laboratory.zone53 import Zone53


def refusal(wrong: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return wrong.value.response["Error"]["Code"], wrong.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_names_are_listed_with_their_labels_reversed(zone: Zone53) -> None:
    labels = ["b", "a", "z.a", "a-b", "\\052", "a.b", "0"]
    zone.change(*(("CREATE", zone.a(one, "192.0.2.1")) for one in labels))
    zone.create_set(zone.rr("a", "TXT", '"t"'))
    listed = [(one["Name"].removesuffix(f".{zone.apex}"), one["Type"]) for one in zone.listed()]
    # '-' (45) sorts before '.' (46): com.example.a-b. comes before com.example.a.
    expected = ["0", "\\052", "a-b", "a", "z.a", "b", "a.b"]
    assert [name for name, kind in listed if kind == "A"] == sorted(
        expected, key=lambda one: ".".join(reversed(one.split("."))) + "."
    )
    assert listed.index(("a", "TXT")) == listed.index(("a", "A")) + 1


@pytest.mark.parametrize("size", ["1", "2", "3", "300"])
def test_pages_leave_nothing_out(zone: Zone53, size: str) -> None:
    plain = [zone.a(f"n{n}", "192.0.2.1") for n in range(3)]
    weighted = [zone.a("w", f"192.0.2.{n}", SetIdentifier=str(n), Weight=n) for n in range(1, 5)]
    zone.change(*(("CREATE", one) for one in plain + weighted))
    assert zone.listed(MaxItems=size) == plain + weighted


def test_a_listing_starts_where_it_is_told(zone: Zone53) -> None:
    weighted = [zone.a("w", f"192.0.2.{n}", SetIdentifier=str(n), Weight=n) for n in range(1, 4)]
    zone.change(*(("CREATE", one) for one in weighted), ("CREATE", zone.rr("w", "TXT", '"t"')))
    first = zone.client.list_resource_record_sets(
        HostedZoneId=zone.id,
        StartRecordName=zone.name("w").upper(),
        StartRecordType="A",
        StartRecordIdentifier="2",
        MaxItems="2",
    )
    assert first["ResourceRecordSets"] == weighted[1:]
    assert (first["NextRecordName"], first["NextRecordType"], first["IsTruncated"]) == (zone.name("w"), "TXT", True)
    assert "NextRecordIdentifier" not in first
    after = zone.client.list_resource_record_sets(HostedZoneId=zone.id, StartRecordName=zone.name("x"))
    assert after["ResourceRecordSets"] == []


def test_a_type_without_a_name_is_invalid(zone: Zone53) -> None:
    with pytest.raises(ClientError) as wrong:
        zone.client.list_resource_record_sets(HostedZoneId=zone.id, StartRecordType="A")
    assert refusal(wrong) == ("InvalidInput", 400)


def test_boto3s_paginators_work(zone: Zone53) -> None:
    zone.change(*(("CREATE", zone.a(f"n{n}", "192.0.2.1")) for n in range(7)))
    pages = zone.client.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone.id, PaginationConfig={"PageSize": 2}
    )
    assert len(list(itertools.chain.from_iterable(page["ResourceRecordSets"] for page in pages))) == 9


def test_hosted_zones(route53: Route53) -> None:
    client = route53.client()
    reference = str(uuid.uuid4())
    made = client.create_hosted_zone(
        Name="Listing.Example.NET", CallerReference=reference, HostedZoneConfig={"Comment": "c"}
    )
    zone = made["HostedZone"]
    assert zone["Name"] == "listing.example.net."
    assert zone["ResourceRecordSetCount"] == 2
    assert zone["Config"] == {"Comment": "c", "PrivateZone": False}
    assert len(made["DelegationSet"]["NameServers"]) == 4
    with pytest.raises(ClientError) as wrong:
        client.create_hosted_zone(Name="listing.example.net", CallerReference=reference)
    assert refusal(wrong) == ("HostedZoneAlreadyExists", 409)
    assert client.get_hosted_zone(Id=zone["Id"])["HostedZone"] == zone
    assert zone in client.list_hosted_zones()["HostedZones"]
    by_name = client.list_hosted_zones_by_name(DNSName="listing.example.net.", MaxItems="1")
    assert by_name["HostedZones"] == [zone]

    held = Zone53(client, zone["Id"].rpartition("/")[2], zone["Name"])
    held.create_set(held.a("x", "192.0.2.1"))
    with pytest.raises(ClientError) as wrong:
        client.delete_hosted_zone(Id=held.id)
    assert refusal(wrong) == ("HostedZoneNotEmpty", 400)
    held.change(("DELETE", held.a("x", "192.0.2.1")))
    client.delete_hosted_zone(Id=held.id)
    with pytest.raises(ClientError) as wrong:
        client.get_hosted_zone(Id=held.id)
    assert refusal(wrong) == ("NoSuchHostedZone", 404)
    assert f"No hosted zone found with ID: {held.id}" in str(wrong.value)
    with pytest.raises(ClientError) as wrong:
        client.list_resource_record_sets(HostedZoneId=held.id)
    assert refusal(wrong) == ("NoSuchHostedZone", 404)


def test_an_unknown_change_is_none(route53: Route53) -> None:
    with pytest.raises(ClientError) as wrong:
        route53.client().get_change(Id="C000000")
    assert refusal(wrong) == ("NoSuchChange", 404)


def test_what_the_stand_in_lacks_is_refused_by_name(route53: Route53) -> None:
    with pytest.raises(ClientError) as wrong:
        route53.client().list_traffic_policies()
    assert wrong.value.response["Error"] == {
        "Type": "Sender",
        "Code": "NotImplemented",
        "Message": "The stand-in does not do ListTrafficPolicies",
    }
