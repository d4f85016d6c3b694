"""Who may do what: access keys, signatures, assumed roles and narrow policies, with AWS's words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.route53 import Route53, running
from laboratory.zone53 import Refused, Zone53

ADMIN, NARROW, STRANGER = "AKIAADMIN0000000001", "AKIANARROW000000001", "AKIASTRANGER0000001"
EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NAMES = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
TYPES = "route53:ChangeResourceRecordSetsRecordTypes"
ACTIONS = "route53:ChangeResourceRecordSetsActions"


def narrow(zones: str = "*") -> dict[str, Any]:
    """One zone's records at and below `lb`, A and TXT, no UPSERT; never those of `lb-secret`."""
    zone = f"arn:aws:route53:::hostedzone/{zones}"
    allowed = {
        "ForAllValues:StringLike": {NAMES: ["lb.rights.example.com", "*.lb.rights.example.com"]},
        "ForAllValues:StringEquals": {TYPES: ["A", "TXT"], ACTIONS: ["CREATE", "DELETE"]},
    }
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "route53:ChangeResourceRecordSets",
                "Resource": zone,
                "Condition": allowed,
            },
            {"Effect": "Allow", "Action": ["route53:Get*", "route53:ListResourceRecordSets"], "Resource": zone},
            {
                "Effect": "Deny",
                "Action": "route53:ChangeResourceRecordSets",
                "Resource": "*",
                "Condition": {"ForAnyValue:StringEquals": {NAMES: "secret.lb.rights.example.com"}},
            },
        ],
    }


@pytest.fixture(scope="module")
def route53(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Route53]:
    """A stand-in with an administrator, a narrow user and a role."""
    rights = {
        "users": [
            {"name": "admin", "access_key": ADMIN, "secret": "admin-secret", "policies": [EVERYTHING]},
            {"name": "enactor", "access_key": NARROW, "secret": "narrow-secret", "policies": [narrow()]},
        ],
        "roles": [{"name": "enactor-role", "trusts": ["enactor"], "policies": [narrow()]}],
    }
    file = tmp_path_factory.mktemp("rights") / "rights.json"
    file.write_text(json.dumps(rights))
    with running("--rights", str(file)) as one:
        yield one


@pytest.fixture(scope="module")
def zone_id(route53: Route53) -> str:
    client = route53.client(ADMIN, "admin-secret")
    made = client.create_hosted_zone(Name="rights.example.com", CallerReference=str(uuid.uuid4()))
    return str(made["HostedZone"]["Id"]).rpartition("/")[2]


@pytest.fixture
def zone(route53: Route53, zone_id: str) -> Zone53:
    """The zone in the hands of the narrow user."""
    return Zone53(route53.client(NARROW, "narrow-secret"), zone_id, "rights.example.com.")


def error(wrong: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return wrong.value.response["Error"]["Code"], wrong.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_what_the_policy_names_is_allowed(zone: Zone53) -> None:
    zone.change(("CREATE", zone.a("lb", "192.0.2.1")), ("CREATE", zone.rr("x.lb", "TXT", '"t"')))
    zone.change(("DELETE", {**zone.a("lb", "192.0.2.1"), "Name": "LB.rights.example.com"}))
    assert zone.listed() == [zone.rr("x.lb", "TXT", '"t"')]


@pytest.mark.parametrize(
    ("action", "label", "kind", "value"),
    [
        ("CREATE", "other", "A", "192.0.2.1"),
        ("CREATE", "lb", "AAAA", "2001:db8::1"),
        ("UPSERT", "lb", "A", "192.0.2.1"),
        ("CREATE", "notlb", "A", "192.0.2.1"),
    ],
)
def test_one_change_outside_the_policy_denies_the_batch(
    zone: Zone53, action: str, label: str, kind: str, value: str
) -> None:
    with pytest.raises(Refused) as told:
        zone.change(("CREATE", zone.a("fine.lb", "192.0.2.1")), (action, zone.rr(label, kind, value)))
    assert told.value.code == "AccessDenied"
    assert told.value.message == (
        "User: arn:aws:iam::123456789012:user/enactor is not authorized to perform: "
        f"route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/{zone.id} "
        "because no identity-based policy allows the route53:ChangeResourceRecordSets action"
    )


def test_a_deny_wins(zone: Zone53) -> None:
    with pytest.raises(Refused) as told:
        zone.change(("CREATE", zone.a("secret.lb", "192.0.2.1")))
    assert "with an explicit deny in an identity-based policy" in told.value.message


def test_actions_without_a_resource_are_denied_without_one(zone: Zone53) -> None:
    with pytest.raises(ClientError) as wrong:
        zone.client.list_hosted_zones()
    assert error(wrong) == ("AccessDenied", 403)
    assert "to perform: route53:ListHostedZones because no identity-based policy" in str(wrong.value)


def test_strangers_and_wrong_secrets(route53: Route53, zone_id: str) -> None:
    for key, secret, code in (
        (STRANGER, "x", "InvalidClientTokenId"),
        (NARROW, "not-the-secret", "SignatureDoesNotMatch"),
    ):
        with pytest.raises(ClientError) as wrong:
            route53.client(key, secret).get_hosted_zone(Id=zone_id)
        assert error(wrong) == (code, 403)


def test_a_role_is_assumed(route53: Route53, zone_id: str) -> None:
    sts = route53.client(NARROW, "narrow-secret", service="sts")
    arn = "arn:aws:iam::123456789012:role/enactor-role"
    given = sts.assume_role(RoleArn=arn, RoleSessionName="one")
    keys = given["Credentials"]
    assert given["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/enactor-role/one"
    assumed = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    zone = Zone53(route53.client(*assumed), zone_id, "rights.example.com.")
    zone.change(("CREATE", zone.a("role.lb", "192.0.2.1")))
    with pytest.raises(Refused) as told:
        zone.change(("CREATE", zone.a("other", "192.0.2.1")))
    assert "User: arn:aws:sts::123456789012:assumed-role/enactor-role/one is not" in told.value.message
    who = route53.client(*assumed, service="sts").get_caller_identity()
    assert (who["Account"], who["Arn"]) == ("123456789012", given["AssumedRoleUser"]["Arn"])
    with pytest.raises(ClientError) as wrong:
        route53.client(keys["AccessKeyId"], keys["SecretAccessKey"]).get_hosted_zone(Id=zone_id)
    assert error(wrong) == ("InvalidClientTokenId", 403)


def test_a_role_trusts_whom_it_names(route53: Route53) -> None:
    with pytest.raises(ClientError) as wrong:
        route53.client(ADMIN, "admin-secret", service="sts").assume_role(
            RoleArn="arn:aws:iam::123456789012:role/enactor-role", RoleSessionName="one"
        )
    assert error(wrong) == ("AccessDenied", 403)
    assert "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::" in str(wrong.value)


ODD = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.1"}}}
ODD_USER = {"name": "odd", "access_key": "AKIAODD", "secret": "s", "policies": [{"Statement": [ODD]}]}


@pytest.mark.parametrize(
    ("content", "words"),
    [('{"users": [{"name": 1}]}', "Expected"), (json.dumps({"users": [ODD_USER]}), "operators: odd: IpAddress")],
)
def test_a_rights_file_that_is_none_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    file = tmp_path / "rights.json"
    file.write_text(content)
    with pytest.raises(RuntimeError), running("--rights", str(file)):
        pass
    told = capfd.readouterr().err
    assert str(file) in told
    assert words in told
    assert "Traceback" not in told
