"""Resource record sets: as requests give them, as answers show them, and what tells one from another."""

from __future__ import annotations

from typing import Any

import msgspec

from standfast.laboratory.route53 import names
from standfast.laboratory.route53.faults import ServiceError, invalid_change_batch, invalid_input

ROUTABLE_TYPES = frozenset(
    ("A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NAPTR", "PTR", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT")
)
"""Types that sets with a routing policy may have (API Reference, ResourceRecordSet, Type)."""

TYPES = ROUTABLE_TYPES | {"NS", "SOA", "DS"}
"""All types (API Reference, ResourceRecordSet, Type)."""

UNALIASED_TYPES = frozenset({"NS", "SOA"})
"""Types that no alias may have (API Reference, ResourceRecordSet, Type)."""

ELSEWHERE = (
    "Region",
    "GeoLocation",
    "Failover",
    "CidrRoutingConfig",
    "GeoProximityLocation",
    "TrafficPolicyInstanceId",
)
"""What the stand-in does not do; refused by name rather than half done."""

TTL_MAX = 2_147_483_647
WEIGHT_MAX = 255
IDENTIFIER_CHARACTERS_MAX = 128


class Alias(msgspec.Struct, frozen=True):
    """What an alias record set points at; `name` is canonical."""

    zone: str
    name: str
    evaluate_health: bool


class RecordSet(msgspec.Struct, frozen=True, kw_only=True):
    """One resource record set; names canonical, values as they were given."""

    name: str
    type: str
    identifier: str | None = None
    weight: int | None = None
    multivalue: bool | None = None
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: Alias | None = None
    health_check: str | None = None

    @property
    def routed(self) -> bool:
        """Whether it has a routing policy other than simple."""
        return self.identifier is not None

    @property
    def policy(self) -> str:
        """simple, weighted or multivalue."""
        if self.weight is not None:
            return "weighted"
        return "multivalue" if self.multivalue else "simple"

    def same_values(self, other: RecordSet) -> bool:
        """Whether a DELETE that gives `other` matches: everything must be the same.

        Source: API Reference, ChangeResourceRecordSets, "you must specify all the same values that you specified
        when you created it". The order of the values is not one of them: the documents call them a set.
        """
        return _shape(self) == _shape(other)

    def shown(self) -> dict[str, Any]:
        """The set as ListResourceRecordSets gives it."""
        alias = self.alias and {
            "HostedZoneId": self.alias.zone,
            "DNSName": self.alias.name,
            "EvaluateTargetHealth": self.alias.evaluate_health,
        }
        shown = {
            "Name": self.name,
            "Type": self.type,
            "SetIdentifier": self.identifier,
            "Weight": self.weight,
            "MultiValueAnswer": self.multivalue,
            "TTL": self.ttl,
            "ResourceRecords": [{"Value": value} for value in self.values] or None,
            "AliasTarget": alias,
            "HealthCheckId": self.health_check,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def described(self) -> str:
        """How messages of AWS name the set."""
        identifier = "" if self.identifier is None else f", set-identifier='{self.identifier}'"
        return f"[name='{self.name}', type='{self.type}'{identifier}]"


def _shape(one: RecordSet) -> RecordSet:
    return msgspec.structs.replace(one, values=tuple(sorted(one.values)))


def read(action: str, given: dict[str, Any]) -> RecordSet:
    """A set as a Change gives it. Raises ServiceError (InvalidInput) for what is wrong in itself, first things first.

    Sources: API Reference, ResourceRecordSet and AliasTarget; the words are those that AWS answers with.
    """
    name, kind = given["Name"], given["Type"]
    identifier = given.get("SetIdentifier", "null")
    where = f"in Change with [Action={action}, Name={name}, Type={kind}, SetIdentifier={identifier}]"
    if action not in ("CREATE", "DELETE", "UPSERT"):
        raise invalid_input(f"Invalid request: '{action}' is no action {where}")
    if kind not in TYPES:
        raise invalid_input(f"Invalid request: '{kind}' is no type of record set {where}")
    unsupported = [field for field in ELSEWHERE if field in given]
    if unsupported:
        raise invalid_input(f"The stand-in does not do {', '.join(unsupported)} {where}")
    _check_source(given, where)
    _check_policy(given, where)
    alias = given.get("AliasTarget")
    return RecordSet(
        name=record_name(name),
        type=kind,
        identifier=given.get("SetIdentifier"),
        weight=given.get("Weight"),
        multivalue=given.get("MultiValueAnswer"),
        ttl=given.get("TTL"),
        values=tuple(one["Value"] for one in given.get("ResourceRecords") or ()),
        alias=alias and _alias(alias),
        health_check=given.get("HealthCheckId"),
    )


def record_name(text: str) -> str:
    """The canonical name of a record set in a batch, or of its alias's target.

    Raises ServiceError (InvalidChangeBatch): in a batch that is what a name is refused with that is none.
    """
    try:
        return names.canonical(text)
    except ServiceError as wrong:
        raise invalid_change_batch([wrong.message]) from None


def _check_source(given: dict[str, Any], where: str) -> None:
    """Exactly one of an alias target and a TTL with values."""
    ttl, values, alias = (given.get(field) for field in ("TTL", "ResourceRecords", "AliasTarget"))
    sources = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
    if alias and (ttl is not None or values):
        raise invalid_input(f"Invalid request: Expected exactly one of {sources}, but found more than one {where}")
    if not alias and (ttl is None or not values):
        raise invalid_input(f"Invalid request: Expected exactly one of {sources}, but found none {where}")
    if ttl is not None and not 0 <= ttl <= TTL_MAX:
        raise invalid_input(f"Invalid request: TTL must be between 0 and {TTL_MAX} {where}")


def _check_policy(given: dict[str, Any], where: str) -> None:
    """A set identifier goes with exactly one routing policy, and a policy with an identifier."""
    identifier, weight, multivalue = (given.get(field) for field in ("SetIdentifier", "Weight", "MultiValueAnswer"))
    policies = (weight is not None) + bool(multivalue)
    expected = "[Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig]"
    if policies and identifier is None:
        raise invalid_input(f"Invalid request: Missing field 'SetIdentifier' {where}")
    if identifier is not None and policies != 1:
        found = "more than one" if policies else "none"
        raise invalid_input(f"Invalid request: Expected exactly one of {expected}, but found {found} {where}")
    if identifier is not None and not 1 <= len(identifier) <= IDENTIFIER_CHARACTERS_MAX:
        raise invalid_input(
            f"Invalid request: SetIdentifier must have 1 to {IDENTIFIER_CHARACTERS_MAX} characters {where}"
        )
    if weight is not None and not 0 <= weight <= WEIGHT_MAX:
        raise invalid_input(f"Invalid request: Weight must be between 0 and {WEIGHT_MAX} {where}")
    if multivalue and given.get("AliasTarget"):
        raise invalid_input(f"Invalid request: MultiValueAnswer cannot be used with AliasTarget {where}")
    if identifier is not None and given["Type"] not in ROUTABLE_TYPES:
        raise invalid_input(f"Invalid request: a record set of type {given['Type']} has no routing policy {where}")
    if given.get("AliasTarget") and given["Type"] in UNALIASED_TYPES:
        raise invalid_input(f"Invalid request: a record set of type {given['Type']} cannot be an alias {where}")


def _alias(given: dict[str, Any]) -> Alias:
    return Alias(given["HostedZoneId"], record_name(given["DNSName"]), given["EvaluateTargetHealth"])
