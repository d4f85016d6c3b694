"""The rules of a change batch, one by one, as a client sees them."""

from __future__ import annotations

from typing import Any

import pytest

from laboratory.zone53 import Refused, Zone53


def refused(zone: Zone53, *changes: tuple[str, dict[str, Any]]) -> Refused:
    before = zone.listed()
    with pytest.raises(Refused) as told:
        zone.change(*changes)
    assert zone.listed() == before, "a refused batch changes nothing"
    return told.value


def test_all_or_none(zone: Zone53) -> None:
    zone.create_set(zone.a("old", "192.0.2.1"))
    told = refused(
        zone,
        ("CREATE", zone.a("new", "192.0.2.2")),
        ("DELETE", zone.a("old", "192.0.2.1")),
        ("DELETE", zone.a("absent", "192.0.2.1")),
        ("CREATE", zone.a("x", "999.1.1.1")),
    )
    assert told.code == "InvalidChangeBatch"
    assert told.message == (
        f"[Tried to delete resource record set [name='absent.{zone.apex}', type='A'] but it was not found, "
        "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) "
        "encountered with '999.1.1.1'']"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"TTL": 61},
        {"ResourceRecords": [{"Value": "192.0.2.2"}]},
        {"ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}]},
        {"Weight": 2},
    ],
)
def test_delete_must_match_exactly(zone: Zone53, other: dict[str, Any]) -> None:
    one = zone.create_set(zone.a("www", "192.0.2.1", SetIdentifier="a", Weight=1))
    told = refused(zone, ("DELETE", {**one, **other}))
    assert "but the values provided do not match the current values" in told.message
    zone.change(("DELETE", one))
    assert zone.listed() == []


def test_a_marker_is_compared_and_set_in_one_batch(zone: Zone53) -> None:
    zone.create_set(zone.rr("m", "TXT", '"g=1"'))
    swap = [("DELETE", zone.rr("m", "TXT", '"g=1"')), ("CREATE", zone.rr("m", "TXT", '"g=2"'))]
    zone.change(*swap)
    told = refused(zone, *swap)
    assert "do not match the current values" in told.message
    assert zone.listed() == [zone.rr("m", "TXT", '"g=2"')]


def test_create_refuses_what_stands_and_upsert_replaces_it(zone: Zone53) -> None:
    one = zone.create_set(zone.a("www", "192.0.2.1"))
    told = refused(zone, ("CREATE", zone.a("www", "192.0.2.2")))
    assert told.message == (
        f"[Tried to create resource record set [name='www.{zone.apex}', type='A'] but it already exists]"
    )
    assert refused(zone, ("CREATE", one)).code == "InvalidChangeBatch"
    zone.change(("UPSERT", zone.a("www", "192.0.2.2", ttl=5)), ("UPSERT", zone.a("new", "192.0.2.3")))
    assert zone.listed() == [zone.a("new", "192.0.2.3"), zone.a("www", "192.0.2.2", ttl=5)]


def test_the_order_of_the_values_is_no_part_of_a_set(zone: Zone53) -> None:
    zone.create_set(zone.a("www", "192.0.2.1", "192.0.2.2"))
    zone.change(("DELETE", zone.a("www", "192.0.2.2", "192.0.2.1")))


@pytest.mark.parametrize(
    "actions",
    [("DELETE", "DELETE"), ("CREATE", "CREATE"), ("UPSERT", "UPSERT"), ("DELETE", "UPSERT"), ("CREATE", "DELETE")],
)
def test_a_batch_changes_a_set_once_or_deletes_and_creates_it(zone: Zone53, actions: tuple[str, str]) -> None:
    one = zone.a("www", "192.0.2.1")
    if actions[0] == "DELETE":
        zone.create_set(one)
    told = refused(zone, *((action, one) for action in actions))
    assert f"invalid set of changes for a resource record set 'A www.{zone.apex}'" in told.message


def test_nothing_stands_beside_a_cname(zone: Zone53) -> None:
    zone.create_set(zone.rr("www", "CNAME", "elsewhere.example."))
    told = refused(zone, ("CREATE", zone.a("www", "192.0.2.1")))
    assert told.message == (
        f"[RRSet of type A with DNS name www.{zone.apex} is not permitted because a conflicting RRSet of type CNAME "
        f"with the same DNS name already exists in zone {zone.apex}]"
    )
    refused(zone, ("CREATE", zone.rr("x", "CNAME", "a.example.")), ("CREATE", zone.rr("x", "TXT", '"t"')))
    zone.change(
        ("DELETE", zone.rr("www", "CNAME", "elsewhere.example.")),
        ("CREATE", zone.a("www", "192.0.2.1")),
    )


def test_no_cname_and_no_ds_at_the_apex(zone: Zone53) -> None:
    told = refused(zone, ("CREATE", zone.rr("@", "CNAME", "elsewhere.example.")))
    assert f"RRSet of type CNAME with DNS name {zone.apex} is not permitted at apex in zone {zone.apex}" in told.message
    refused(zone, ("CREATE", zone.rr("@", "DS", "12345 13 2 " + "ab" * 32)))


def test_soa_and_ns_of_the_apex_stay(zone: Zone53) -> None:
    held = zone.client.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
    assert [(one["Type"], one["TTL"], len(one["ResourceRecords"])) for one in held] == [
        ("NS", 172800, 4),
        ("SOA", 900, 1),
    ]
    told = refused(zone, *(("DELETE", one) for one in held))
    assert "A HostedZone must contain exactly one SOA record." in told.message
    assert "A HostedZone must contain at least one NS record for the zone itself." in told.message
    zone.change(("UPSERT", {**held[0], "TTL": 60}))


def test_names_lie_in_the_zone(zone: Zone53) -> None:
    told = refused(zone, ("CREATE", {**zone.a("x", "192.0.2.1"), "Name": "www.other.example."}))
    assert told.message == f"[RRSet with DNS name www.other.example. is not permitted in zone {zone.apex}]"
    refused(zone, ("CREATE", {**zone.a("x", "192.0.2.1"), "Name": f"not{zone.apex}"}))


def test_names_are_lower_case_with_octal_escapes(zone: Zone53) -> None:
    zone.change(("CREATE", {**zone.a("x", "192.0.2.1"), "Name": f"*.WWW.{zone.apex.rstrip('.')}"}))
    assert zone.listed() == [zone.a("\\052.www", "192.0.2.1")]
    refused(zone, ("CREATE", zone.a("\\052.www", "192.0.2.2")))


def test_weighted_sets(zone: Zone53) -> None:
    weighted = [zone.a("www", f"192.0.2.{n}", SetIdentifier=f"s{n:03}", Weight=n) for n in range(1, 101)]
    zone.change(*(("CREATE", one) for one in weighted))
    assert zone.listed() == weighted
    told = refused(zone, ("CREATE", zone.a("www", "192.0.2.200", SetIdentifier="more", Weight=1)))
    assert "100 weighted sets" in told.message
    told = refused(zone, ("UPSERT", {**weighted[0], "TTL": 61}))
    assert "type A, SetIdentifier s001 cannot be created as weighted sets must contain the same TTL." in told.message
    zone.change(*(("UPSERT", {**one, "TTL": 61}) for one in weighted))
    told = refused(zone, ("CREATE", zone.a("www", "192.0.2.9")))
    assert "cannot be created as other RRSets exist with the same name and type." in told.message
    told = refused(zone, ("CREATE", zone.a("www", "192.0.2.9", SetIdentifier="m", MultiValueAnswer=True)))
    assert "because a non multivalue answer rrset exists with the same name and type." in told.message


def test_a_simple_set_excludes_weighted_ones(zone: Zone53) -> None:
    zone.create_set(zone.a("www", "192.0.2.1"))
    told = refused(zone, ("CREATE", zone.a("www", "192.0.2.9", SetIdentifier="w", Weight=1)))
    assert "SetIdentifier w cannot be created as a non-weighted set exists with the same name and type." in told.message
    zone.change(
        ("DELETE", zone.a("www", "192.0.2.1")),
        ("CREATE", zone.a("www", "192.0.2.9", SetIdentifier="w", Weight=1)),
    )


def test_a_routed_set_has_one_value(zone: Zone53) -> None:
    told = refused(zone, ("CREATE", zone.a("www", "192.0.2.1", "192.0.2.2", SetIdentifier="w", Weight=1)))
    assert "more than one resource record" in told.message


def test_delete_by_identifier_leaves_the_others(zone: Zone53) -> None:
    one, two = (zone.create_set(zone.a("www", f"192.0.2.{n}", SetIdentifier=str(n), Weight=n)) for n in (1, 2))
    zone.create_set(zone.a("other", "192.0.2.3", SetIdentifier="1", Weight=1))
    zone.change(("DELETE", one))
    assert zone.listed() == [zone.a("other", "192.0.2.3", SetIdentifier="1", Weight=1), two]


def test_an_alias_target_must_stand_with_its_type(zone: Zone53) -> None:
    target = f"targets a.{zone.apex}, type A in zone {zone.id}"
    told = refused(zone, ("CREATE", zone.alias("www", "a")))
    assert told.message == f"[Tried to create an alias that {target}, but that target was not found]"
    zone.create_set(zone.a("a", "192.0.2.1"))
    refused(zone, ("CREATE", zone.alias("www", "a", "AAAA")))
    foreign = zone.alias("www", "a")
    foreign["AliasTarget"]["DNSName"] = "a.other.example."
    told = refused(zone, ("CREATE", foreign))
    assert "but the alias target name does not lie within the target zone" in told.message
    assert "but that target was not found" in told.message
    zone.change(("CREATE", zone.alias("www", "a")))
    assert zone.listed() == [zone.a("a", "192.0.2.1"), zone.alias("www", "a")]
    refused(zone, ("DELETE", zone.alias("www", "a", evaluate=True)))


def test_a_batch_creates_targets_before_their_aliases(zone: Zone53) -> None:
    target, alias = ("CREATE", zone.a("a", "192.0.2.1")), ("CREATE", zone.alias("www", "a"))
    assert "that target was not found" in refused(zone, alias, target).message
    zone.change(target, alias)
    again = [("UPSERT", zone.alias("www", "a")), ("UPSERT", zone.a("a", "192.0.2.2"))]
    assert "that target was not found" in refused(zone, *again).message
    zone.change(*reversed(again))


def test_an_alias_to_cloudfront_evaluates_no_health(zone: Zone53) -> None:
    alias = zone.alias("www", "a", evaluate=True)
    for there in ("Z2FDTNDATAQYW2", "Z3RFFRIM2A3IF5"):
        alias["AliasTarget"] = {**alias["AliasTarget"], "HostedZoneId": there}
        assert "EvaluateTargetHealth" in refused(zone, ("CREATE", alias)).message


def test_a_target_may_go_and_leave_its_alias_dangling(zone: Zone53) -> None:
    zone.change(("CREATE", zone.a("a", "192.0.2.1")), ("CREATE", zone.alias("www", "a")))
    zone.change(("DELETE", zone.a("a", "192.0.2.1")))
    assert zone.listed() == [zone.alias("www", "a")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"TTL": None},
            "found none in Change with [Action=CREATE, Name=www.example.com., Type=A, SetIdentifier=null]",
        ),
        ({"SetIdentifier": "x"}, "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer,"),
        ({"Weight": 1}, "Missing field 'SetIdentifier'"),
        ({"Weight": 256, "SetIdentifier": "x"}, "Weight must be between"),
        ({"TTL": 2147483648}, "TTL must be between"),
        ({"Region": "us-east-1", "SetIdentifier": "x"}, "does not do Region"),
    ],
)
def test_a_set_that_is_none_is_invalid_input(zone: Zone53, given: dict[str, Any], words: str) -> None:
    one = {**zone.a("www", "192.0.2.1"), "Name": "www.example.com.", **given}
    told = refused(zone, ("CREATE", {name: value for name, value in one.items() if value is not None}))
    assert told.code == "InvalidInput"
    assert words in told.message


def test_a_batch_has_at_most_a_thousand_elements_and_upsert_counts_twice(zone: Zone53) -> None:
    sets = [zone.a(f"n{n}", *(f"192.0.2.{m}" for m in range(100))) for n in range(10)]
    told = refused(zone, *(("CREATE", one) for one in sets), ("CREATE", zone.a("more", "192.0.2.1")))
    assert told.message == "[Number of records limit of 1000 exceeded.]"
    assert "1000 exceeded" in refused(zone, *(("UPSERT", one) for one in sets[:6])).message
    zone.change(*(("UPSERT", one) for one in sets[:5]))
    zone.change(*(("CREATE", one) for one in sets[5:]), *(("UPSERT", one) for one in sets[:2]))


def test_a_batch_has_at_most_32000_characters_and_upsert_counts_twice(zone: Zone53) -> None:
    text = '"' + "x" * 253 + '"'
    long = [zone.rr(f"t{n}", "TXT", " ".join([text] * 12)) for n in range(11)]  # 3,071 characters each
    told = refused(zone, *(("CREATE", one) for one in long))
    assert told.message == "[RDATA character limit of 32000 exceeded.]"
    assert "32000" in refused(zone, *(("UPSERT", one) for one in long[:6])).message
    zone.change(*(("CREATE", one) for one in long[:10]))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "192.0.2.256"),
        ("A", "2001:db8::1"),
        ("AAAA", "192.0.2.1"),
        ("TXT", "no quotes"),
        ("TXT", '"' + "x" * 256 + '"'),
        ("MX", "mail.example."),
        ("CAA", "0 issue"),
        ("SRV", "1 2 x a.example."),
        ("CNAME", "a..example."),
        ("CNAME", "two names."),
        ("TXT", '"' + "x" * 4000 + '"'),
    ],
)
def test_values_are_of_their_type(zone: Zone53, kind: str, value: str) -> None:
    assert "Invalid Resource Record" in refused(zone, ("CREATE", zone.rr("x", kind, value))).message


def test_a_health_check_named_must_exist(zone: Zone53) -> None:
    one = zone.a("x", "192.0.2.1", SetIdentifier="a", Weight=1, HealthCheckId="00000000-0000-0000-0000-000000000000")
    told = refused(zone, ("CREATE", one))
    assert told.code == "NoSuchHealthCheck"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "x" * 64,
            "[FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '" + "x" * 64 + "']",
        ),
        ("a..b", "DomainLabelEmpty (Domain label is empty) encountered with 'a..b."),
        (".".join(["x" * 60] * 4), "encountered with"),
        ("ä", "encountered with"),
    ],
)
def test_names_that_are_none(zone: Zone53, name: str, words: str) -> None:
    told = refused(zone, ("CREATE", zone.a(name, "192.0.2.1")))
    assert told.code == "InvalidChangeBatch"
    assert words in told.message
