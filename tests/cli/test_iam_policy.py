"""`standfast iam-policy` and what `standfast check` says of rights, on the stand-in with policies that bind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.route53 import Route53, running
from standfast import config as configuration
from standfast.cli import iampolicy
from standfast.cli.checking.hostedroom import room_findings

ZONE = "lb.example.com"
ACCOUNT = "123456789012"
ENACTOR = ("AKIAENACTOR", "enactor-secret")
FULL = {"Effect": "Allow", "Action": ["route53:*"], "Resource": "*"}


def configured(folder: Path, zone: str, endpoints: str = "{www: {}, '*.apps': {layout: flat}}") -> Path:
    path = folder / "standfast.yaml"
    path.write_text(
        f"zone: {{name: {ZONE}, provider: route53, {zone} requests_per_second: 10, burst: 50}}\n"
        f"state: {folder / 'state'}\nhealth: none\n"
        "load_balancers: {lb-1: {az: a, ip: [192.0.2.1, '2001:db8::1']}, lb-2: {az: b, ip: 192.0.2.2}}\n"
        f"endpoints: {endpoints}\n",
        encoding="ascii",
    )
    return path


def standfast(file: Path, *arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "standfast", *arguments, "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(environment or {"AWS_EC2_METADATA_DISABLED": "true"})},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def hosted(tmp_path: Path) -> tuple[Route53, str, dict[str, Any]]:
    """A stand-in with a user who may do everything, and a hosted zone; `rights` is what a second one starts with."""
    rights = {"users": [{"name": "root", "access_key": "AKIAROOT", "secret": "s", "policies": [{"Statement": [FULL]}]}]}
    with running("--data", str(tmp_path / "data"), "--rights", str(written(tmp_path, rights))) as service:
        zone_id = str(
            service.client("AKIAROOT", "s").create_hosted_zone(Name=ZONE, CallerReference="1")["HostedZone"]["Id"]
        ).rpartition("/")[2]
    return service, zone_id, rights


def written(folder: Path, rights: dict[str, Any]) -> Path:
    path = folder / "rights.json"
    path.write_text(json.dumps(rights), encoding="ascii")
    return path


def with_enactor(rights: dict[str, Any], policy: dict[str, Any]) -> dict[str, Any]:
    user = {"name": "enactor", "access_key": ENACTOR[0], "secret": ENACTOR[1], "policies": [policy]}
    return {"users": [*rights["users"], user]}


def test_the_printed_policy_is_enough_and_less_is_told(
    hosted: tuple[Route53, str, dict[str, Any]], tmp_path: Path
) -> None:
    _, zone_id, rights = hosted
    file = configured(tmp_path, f"hosted_zone: {zone_id},")
    code, said, _ = standfast(file, "iam-policy", "--role", "enactor")
    assert code == 0
    policy = json.loads(said)
    (change,) = [one for one in policy["Statement"] if one["Action"] == ["route53:ChangeResourceRecordSets"]]
    names = change["Condition"]["ForAllValues:StringLike"]["route53:ChangeResourceRecordSetsNormalizedRecordNames"]
    assert names == ["\\052.apps.lb.example.com", "www.lb.example.com", "*._standfast.lb.example.com"]
    assert "UPSERT" not in said
    options = ("--data", str(tmp_path / "data"), "--rights", str(written(tmp_path, with_enactor(rights, policy))))
    with running(*options) as service:
        code, said, errors = standfast(file, "check", environment=service.environment(*ENACTOR))
        assert code == 0, said + errors
        assert "may change A, AAAA and CNAME of 2 names" in said
        assert service.client("AKIAROOT", "s").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    names.remove("www.lb.example.com")
    options = ("--data", str(tmp_path / "data"), "--rights", str(written(tmp_path, with_enactor(rights, policy))))
    with running(*options) as service:
        code, said, _ = standfast(file, "check", environment=service.environment(*ENACTOR))
        assert code == 1
        assert "AWS allows no change of A, AAAA" in said
        assert "at www.lb.example.com" in said
        assert "iam-policy" in said
        assert "apps" not in said.replace("standfast iam-policy", "")
        left = service.client("AKIAROOT", "s").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
        assert {raw["Type"] for raw in left} == {"NS", "SOA"}, "check changes nothing"
    policy["Statement"] = [one for one in policy["Statement"] if "Condition" in one]
    options = ("--data", str(tmp_path / "data"), "--rights", str(written(tmp_path, with_enactor(rights, policy))))
    with running(*options) as service:
        code, said, _ = standfast(file, "check", environment=service.environment(*ENACTOR))
        assert code == 1
        assert "AWS allows no GetHostedZone" in said


def test_roles_are_assumed_and_refusals_are_named(hosted: tuple[Route53, str, dict[str, Any]], tmp_path: Path) -> None:
    _, zone_id, rights = hosted
    arn = f"arn:aws:iam::{ACCOUNT}:role/writer"
    file = configured(tmp_path, f"hosted_zone: {zone_id}, assume_role: '{arn}',")
    code, said, _ = standfast(file, "iam-policy")
    assert code == 0
    by_role = json.loads(said)
    assert by_role["identity"]["Statement"][0]["Resource"] == [arn]
    for role in ("planner", "cleaner"):
        assert "Condition" not in json.dumps(by_role[role]), f"the {role} changes nothing"
    known = with_enactor(rights, by_role["identity"])
    known["roles"] = [{"name": "writer", "trusts": ["enactor"], "policies": [by_role["enactor"]]}]
    options = ("--data", str(tmp_path / "data"), "--rights", str(written(tmp_path, known)))
    with running(*options) as service:
        code, said, errors = standfast(file, "check", environment=service.environment(*ENACTOR))
        assert code == 0, said + errors
        assert f"role {arn} may change" in said
    known["roles"][0]["trusts"] = []
    options = ("--data", str(tmp_path / "data"), "--rights", str(written(tmp_path, known)))
    with running(*options) as service:
        code, said, _ = standfast(file, "check", environment=service.environment(*ENACTOR))
        assert code == 1
        assert "AssumeRole" in said or "assume" in said


def test_without_credentials_or_zone_the_remedy_is_named(tmp_path: Path) -> None:
    file = configured(tmp_path, "")
    bare = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"), "")
    lonely = {**bare, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path), "AWS_CONFIG_FILE": "/nonexistent"}
    code, said, _ = standfast(file, "check", environment=lonely)
    assert code == 1
    assert "no credentials" in said
    code, _, errors = standfast(file, "iam-policy", environment=lonely)
    assert code == 1
    assert ". Give hosted_zone" in " ".join(errors.split())


def test_the_cleaner_of_trees_may_change_what_it_asserts(tmp_path: Path) -> None:
    file = configured(tmp_path, "hosted_zone: Z1,", "{www: {layout: tree}}")
    code, said, _ = standfast(file, "iam-policy", "--role", "cleaner")
    assert code == 0
    assert "*._standfast.lb.example.com" in said


def test_names_that_are_too_many_are_allowed_by_zone(tmp_path: Path) -> None:
    some = ", ".join(f"name-{number:04}: {{}}" for number in range(300))
    file = configured(tmp_path, "hosted_zone: Z1,", f"{{{some}}}")
    code, said, errors = standfast(file, "iam-policy", "--role", "enactor")
    assert code == 0
    assert "too many" in errors
    assert f"*.{ZONE}" in said
    assert len("".join(said.split())) < 6_144


def test_a_policy_of_several_zones_fits_as_a_whole_and_the_largest_gives_way(tmp_path: Path) -> None:
    zones = "".join(f"- {{name: {one}.example.com, provider: route53, hosted_zone: Z1}}\n" for one in ("ga", "gb"))
    counts = {"ga": 160, "gb": 120}
    names = [f"name-{number:04}.{one}.example.com" for one, count in counts.items() for number in range(count)]
    text = "zones:\n" + zones + "health: none\nload_balancers: {lb-1: {az: a, ip: 192.0.2.1}}\nendpoints:\n"
    file = tmp_path / "standfast.yaml"
    file.write_text(text + "".join(f"  {name}: {{}}\n" for name in names), encoding="ascii")
    code, said, errors = standfast(file, "iam-policy", "--role", "enactor")
    assert code == 0, errors
    assert "names of ga.example.com are too many" in errors
    assert "gb.example.com" not in errors
    assert len("".join(said.split())) <= 6_144
    assert "name-0007.gb.example.com" in said


def test_arns_are_of_the_part_of_aws_that_roles_or_region_are_in(tmp_path: Path) -> None:
    role = "assume_role: 'arn:aws-us-gov:iam::123456789012:role/enactor',"
    for more, part in ((role, "aws-us-gov"), ("region: cn-north-1,", "aws-cn"), ("region: eu-west-1,", "aws")):
        file = configured(tmp_path, f"hosted_zone: Z1, health_checks: all, {more}")
        file.write_text(file.read_text().replace("health: none", "health: {http: /}"))
        config = configuration.load(file)
        for kind in iampolicy.ROLES:
            zone = config.zones[0]
            policy = iampolicy.policy_of(config, [zone], {ZONE: iampolicy.zone_arn(zone)}, kind)
            arns = re.findall(r"arn:[a-z-]+:", json.dumps(policy))
            assert arns
            assert set(arns) == {f"arn:{part}:"}


def test_rights_to_keep_health_checks_are_printed_and_missing_ones_told(
    hosted: tuple[Route53, str, dict[str, Any]], tmp_path: Path
) -> None:
    _, zone_id, rights = hosted
    file = configured(tmp_path, f"hosted_zone: {zone_id}, health_checks: all,")
    file.write_text(file.read_text().replace("health: none", "health: {http: /}"))
    printed = {role: json.loads(standfast(file, "iam-policy", "--role", role)[1]) for role in ("planner", "cleaner")}
    enactor = json.loads(standfast(file, "iam-policy", "--role", "enactor")[1])
    assert "HealthCheck" not in json.dumps(enactor)
    assert "DeleteHealthCheck" not in json.dumps(printed["planner"]), "the planner deletes none"
    assert "CreateHealthCheck" not in json.dumps(printed["cleaner"])

    def said() -> str:
        policies = [enactor, *printed.values()]
        user = {"name": "all", "access_key": ENACTOR[0], "secret": ENACTOR[1], "policies": policies}
        given = written(tmp_path, {"users": [*rights["users"], user]})
        with running("--data", str(tmp_path / "data"), "--rights", str(given)) as service:
            found = standfast(file, "check", environment=service.environment(*ENACTOR))[1]
            assert service.client("AKIAROOT", "s").list_health_checks()["HealthChecks"] == [], "check makes none"
        return found

    enough = said()
    assert "4 health checks of 2 load balancers" in enough
    assert "AWS allows the" not in enough
    for one in (*printed["planner"]["Statement"], *printed["cleaner"]["Statement"]):
        one["Action"] = [name for name in one["Action"] if name[8:] not in ("CreateHealthCheck", "DeleteHealthCheck")]
    less = said()
    assert "AWS allows the planner no CreateHealthCheck: health checks are not kept" in less
    assert "AWS allows the cleaner no DeleteHealthCheck" in less


@pytest.mark.parametrize(
    ("endpoints", "balancers", "about"),
    [(600, 8, 10_200), (1_000, 3, 0), (1, 100, 0), (30, 100, 0), (8, 100, 12_840)],
)
def test_more_record_sets_than_a_hosted_zone_holds_are_told(endpoints: int, balancers: int, about: int) -> None:
    """Eight of the last kind are trees; the 30 are flat."""
    layout = "layout: flat" if endpoints == 30 else ""
    some = ", ".join(
        f"lb-{number}: {{az: a, ip: ['10.0.0.{number}', 'fd00::{number}']}}" for number in range(balancers)
    )
    names = ", ".join(f"n{number}: {{{layout}}}" for number in range(endpoints))
    text = (
        f"zone: {{name: {ZONE}, provider: route53}}\nhealth: none\nload_balancers: {{{some}}}\nendpoints: {{{names}}}\n"
    )
    config, problems, _ = configuration.check(text, "f.yaml")
    assert config is not None, problems
    found = room_findings(config, config.zones[0])
    assert [f"{about:,}" in one.text for one in found] == ([True] if about else [])
