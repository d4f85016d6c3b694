"""`standfast iam-policy`: the narrowest policy for each role at Route 53, as JSON to attach.

Change batches are narrowed by IAM's condition keys for ChangeResourceRecordSets (record names, types, actions). They
hold for a batch as a whole: one cannot say that TXT goes with markers only. Wildcards' names are written as Route 53
normalises them (`\\052`).
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from standfast import config as configuration
from standfast.config import Config, KeyRole, ZoneConfig
from standfast.errors import StandfastError
from standfast.model.routing import MULTIVALUE_ANSWERS

ROLES: Final[tuple[KeyRole, ...]] = ("enactor", "planner", "cleaner")
CHARACTERS_MAX: Final = 6_144
"""Of a managed policy, white space not counted (IAM quotas)."""
_MAKING: Final = ("route53:CreateHealthCheck", "route53:ListHealthChecks")
_KEEPING: Final = ("route53:ChangeTagsForResource", "route53:UpdateHealthCheck", "route53:GetHealthCheckStatus")
_FINDING: Final = ("route53:ListHealthChecks", "route53:ListTagsForResources")
_COLLECTING: Final = ("route53:ChangeTagsForResource", "route53:DeleteHealthCheck")
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_CHECKS: Final = "arn:{}:route53:::healthcheck/*"
"""Health checks have no names, and IAM has no condition on their tags: Standfast itself keeps to its own."""
_READING: Final = ("route53:GetHostedZone", "route53:ListResourceRecordSets")


@click.command("iam-policy", short_help="the narrowest AWS policy of each role, for zones at Route 53")
@click.option("--config", "file", default="standfast.yaml", envvar="STANDFAST_CONFIG", show_default=True)
@click.option("--role", type=click.Choice(ROLES), default=None, help="one role's policy alone [default: all, by role]")
def iam_policy_command(file: str, role: KeyRole | None) -> None:
    """Print what each role may do at Route 53 and no more: which names, types and actions.

    Attach each to the role or user as which that process works. Nothing is asked of AWS if `hosted_zone:` is given.
    """
    config = configuration.load(Path(file))
    zones = [zone for zone in config.zones if zone.hosted is not None]
    if not zones:
        message = "There is no zone at Route 53."
        raise StandfastError(message, "Elsewhere `standfast check --print-server-config` says what a server needs.")
    arns = {zone.name: zone_arn(zone) for zone in zones}
    found: dict[str, Any] = {one: policy_of(config, zones, arns, one) for one in ([role] if role else ROLES)}
    for note in _notes(found, zones):
        click.echo(note, err=True)
    if role is not None:
        click.echo(json.dumps(found[role], indent=2))
        return
    if assumed := sorted({arn for zone in zones if zone.hosted for _, arn in zone.hosted.roles}):
        statement = {"Sid": "Assume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": assumed}
        found["identity"] = {"Version": "2012-10-17", "Statement": [statement]}
    click.echo(json.dumps(found, indent=2))


def zone_arn(zone: ZoneConfig) -> str:
    """The hosted zone's ARN; asks AWS for its id if the file does not give it. Raises StandfastError."""
    zone_id = zone.hosted.zone_id if zone.hosted else ""
    if not zone_id:
        from standfast.runtime.hosted import zone_id_of

        zone_id = zone_id_of(zone)
    return f"arn:{partition_of(zone)}:route53:::hostedzone/{zone_id}"


def partition_of(zone: ZoneConfig) -> str:
    """The part of AWS that it is in, as ARNs name it: from its roles, else from its region (IAM, "ARNs")."""
    hosted = zone.hosted
    if hosted is not None and hosted.roles:
        return hosted.roles[0][1].split(":")[1]
    region = hosted.region if hosted is not None else ""
    return next((part for start, part in _PARTITIONS.items() if region.startswith(start)), "aws")


def _notes(policies: Mapping[str, dict[str, Any]], zones: Iterable[ZoneConfig]) -> Iterable[str]:
    """What people have to know about what they attach."""
    said = json.dumps(list(policies.values()))
    for zone in zones:
        if json.dumps(f"*.{zone.name}") in said:
            yield f"Note: the names of {zone.name} are too many for one policy, so it allows every name of the zone."
    for role, policy in policies.items():
        if (size := _characters(policy)) > CHARACTERS_MAX:
            yield (
                f"Note: the policy of the {role} has {size:,} characters, and IAM takes {CHARACTERS_MAX:,}: "
                "attach its statements as several policies."
            )


def policy_of(config: Config, zones: Iterable[ZoneConfig], arns: dict[str, str], role: KeyRole) -> dict[str, Any]:
    """The policy of one role: with each name of its own, as far as IAM has room; zones with the most names give way."""
    some = list(zones)
    wide: frozenset[str] = frozenset()
    for zone in sorted(some, key=lambda one: -_room(names_of(config, one))):
        if _characters(_policy(config, some, arns, role, wide)) <= CHARACTERS_MAX:
            break
        wide |= {zone.name}
    return _policy(config, some, arns, role, wide)


def _policy(
    config: Config, some: list[ZoneConfig], arns: dict[str, str], role: KeyRole, wide: frozenset[str]
) -> dict[str, Any]:
    statements: list[dict[str, Any]] = []
    if any(zone.hosted is not None and not zone.hosted.zone_id for zone in some):
        statements.append(_allow("FindZones", ["route53:ListHostedZonesByName"], "*"))
    for number, zone in enumerate(some):
        tail = str(number or "")
        statements.append(_allow(f"Read{tail}", list(_READING), arns[zone.name]))
        if role == "enactor" or (role == "cleaner" and has_trees(config, zone)):
            names = None if zone.name in wide else names_of(config, zone)
            statements.append(_changing(f"Change{tail}", zone, arns[zone.name], names))
    if any(has_checks(config, zone) for zone in some) and role == "planner":
        checks = _CHECKS.format(partition_of(some[0]))
        statements += [_allow("MakeChecks", list(_MAKING), "*"), _allow("KeepChecks", list(_KEEPING), checks)]
    if any(has_checks(config, zone) for zone in some) and role == "cleaner":
        statements.append(_allow("FindChecks", list(_FINDING), "*"))
        statements.append(_allow("CollectChecks", list(_COLLECTING), _CHECKS.format(partition_of(some[0]))))
    return {"Version": "2012-10-17", "Statement": statements}


def has_checks(config: Config, zone: ZoneConfig) -> bool:
    """Whether Route 53 may be asked to check load balancers of the zone."""
    named = any(one.zone == zone.name and one.layout != "flat" for one in config.endpoints)
    return zone.hosted is not None and zone.hosted.checks.kind != "off" and config.health is not None and named


def has_trees(config: Config, zone: ZoneConfig) -> bool:
    """Whether an endpoint of the zone may have a tree, which the cleaner takes away when it is old. What its change
    asserts it deletes and creates, live names among it: IAM can't tell that apart."""
    declared = all(source.kind == "declared" for source in config.sources)
    many = {
        one.name
        for one in config.endpoints
        if not declared or len(one.eligible(config.load_balancers)) > MULTIVALUE_ANSWERS
    }
    mine = [one for one in config.endpoints if one.zone == zone.name]
    return any(one.layout == "tree" or (one.layout == "auto" and one.name in many) for one in mine)


def names_of(config: Config, zone: ZoneConfig) -> list[str]:
    """The endpoints' names as Route 53 normalises them."""
    return sorted(one.name.replace("*", "\\052") for one in config.endpoints if one.zone == zone.name)


def _room(names: list[str]) -> int:
    return sum(len(json.dumps(name)) + 1 for name in names)


def _characters(policy: dict[str, Any]) -> int:
    return len(json.dumps(policy, separators=(",", ":")))


def _allow(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _changing(sid: str, zone: ZoneConfig, arn: str, names: list[str] | None) -> dict[str, Any]:
    key = "route53:ChangeResourceRecordSets"
    subtree = f"*._standfast.{zone.name}"
    allowed = [*names, subtree] if names is not None else [zone.name, f"*.{zone.name}"]
    return {
        **_allow(sid, [key], arn),
        "Condition": {
            "ForAllValues:StringLike": {f"{key}NormalizedRecordNames": allowed},
            "ForAllValues:StringEquals": {
                f"{key}RecordTypes": ["A", "AAAA", "CNAME", "TXT"],
                f"{key}Actions": ["CREATE", "DELETE"],
            },
        },
    }
