"""Between Route 53's record sets and our rrsets: names and text with octal escapes, variants, what we can't express.

A record set is kept as Route 53 gave it, since a DELETE must repeat it exactly. Sources: Developer Guide, "DNS domain
name format" and "TXT record type"; API reference, ResourceRecordSet.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from msgspec import json

from standfast.model.name import name_from_wire, name_to_wire
from standfast.model.routing import Policy, Variant, read_variant
from standfast.model.rrset import BESIDE, ROUTED_TYPES, RRset, RRType, address_rdata, rdata_text

Raw: TypeAlias = Mapping[str, Any]
"""A ResourceRecordSet as boto3 has it."""
TYPES: Final = {"A": RRType.A, "AAAA": RRType.AAAA, "CNAME": RRType.CNAME, "TXT": RRType.TXT, "NS": RRType.NS}
"""Those that we ever ask for, by Route 53's word."""
_PLAIN_KEYS: Final = frozenset({"Name", "Type", "TTL", "ResourceRecords"})
_VARIANT_KEYS: Final = _PLAIN_KEYS | {"SetIdentifier", "Weight", "MultiValueAnswer", "AliasTarget", "HealthCheckId"}
_STAR: Final = ord("*")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED_OCTET: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


class Inexpressible(Exception):
    """Data of ours that Route 53 has no record set for; the argument says which, as the end of a sentence."""


def own_name(name: str) -> str:
    """Our form of a name of theirs: lower case, without the final dot, `*` as itself. Other escapes stay: no name of
    ours has any, and a dot within a label would make another name of it."""
    return _ESCAPE.sub(lambda found: "*" if int(found[1], 8) == _STAR else found[0], name).lower().removesuffix(".")


def plain(name: str) -> bool:
    """Whether it has no escape in their form: where one that has stands in the order is not documented."""
    return "*" not in name and "\\" not in name


def their_name(name: str) -> str:
    """Their form of a name of ours."""
    return name.replace("*", "\\052") + "."


def order_of(name: str) -> str:
    """What ListResourceRecordSets sorts by: the labels reversed, with the trailing dot ("Sort order" there)."""
    return ".".join(reversed(name.split("."))) + "."


def kind_of(rtype: int) -> str:
    """Their word for the type that an rrset answers. Raises Inexpressible for one that we never keep there."""
    plain = BESIDE[rtype] if rtype in ROUTED_TYPES else rtype
    try:
        return next(word for word, known in TYPES.items() if known == plain)
    except StopIteration:
        raise Inexpressible(f"records of type {rtype} are not kept in Route 53 by Standfast") from None


def rrset_of(kind: str, raws: Sequence[Raw]) -> RRset | None:
    """The rrset that these record sets of one name and type are; None of none.

    What has no form of ours (latency, failover, geolocation…) is a variant that nobody can read: it answers nothing as
    far as we know, and is equal to nothing that we want.
    """
    if not raws:
        return None
    rtype = TYPES[kind]
    if len(raws) == 1 and raws[0].keys() <= _PLAIN_KEYS:
        try:
            return RRset.of(rtype, raws[0]["TTL"], [_rdata(kind, one["Value"]) for one in raws[0]["ResourceRecords"]])
        except (KeyError, ValueError):
            pass
    variants = [_variant(kind, raw) for raw in raws]
    ttls = {raw["TTL"] for raw in raws if "TTL" in raw}
    return RRset.of(BESIDE.get(rtype, rtype), max(ttls, default=0), variants)


def leads_to(raw: Raw) -> tuple[str, ...]:
    """The names that a record set leads to, in our form: an alias target, or what a CNAME names."""
    if "AliasTarget" in raw:
        return (own_name(raw["AliasTarget"]["DNSName"]),)
    values = raw.get("ResourceRecords", ()) if raw["Type"] == "CNAME" else ()
    return tuple(own_name(one["Value"]) for one in values)


def _variant(kind: str, raw: Raw) -> bytes:
    if raw.keys() <= _VARIANT_KEYS and kind in ("A", "AAAA"):
        weighted, several = "Weight" in raw, bool(raw.get("MultiValueAnswer"))
        policy: Policy = "weighted" if weighted else "multivalue" if several else "alias"
        target, values = raw.get("AliasTarget", {}), raw.get("ResourceRecords", [])
        try:
            variant = Variant(
                identifier=raw.get("SetIdentifier", ""),
                policy=policy,
                weight=raw.get("Weight", 0),
                target=own_name(target["DNSName"]) if target else "",
                address=address_rdata(values[0]["Value"]) if len(values) == 1 else b"",
                health_check=raw.get("HealthCheckId", ""),
                ttl=raw.get("TTL", 0),
                target_zone=target.get("HostedZoneId", ""),
                evaluates=bool(target.get("EvaluateTargetHealth")),
            )
        except (KeyError, ValueError):
            variant = None
        if variant is not None and bool(variant.address) != bool(variant.target):
            return variant.encode()
    return b"\xc1" + json.encode(dict(sorted(raw.items())))


def raws_of(owner: str, rrset: RRset, zone_id: str) -> tuple[Raw, ...]:
    """The record sets for an rrset of ours. Raises Inexpressible."""
    kind, name = kind_of(rrset.rtype), their_name(owner)
    if rrset.rtype not in ROUTED_TYPES:
        values = [{"Value": _value(rrset.rtype, rdata)} for rdata in rrset.rdata]
        return ({"Name": name, "Type": kind, "TTL": rrset.ttl, "ResourceRecords": values},)
    try:
        variants = [read_variant(rdata) for rdata in rrset.rdata]
    except ValueError as error:
        raise Inexpressible(f"{owner} has a record set that can't be written: {error}") from None
    return tuple(_variant_raw(name, kind, variant, zone_id) for variant in variants)


def local(rrset: RRset, zone_id: str) -> RRset:
    """With alias targets in this very hosted zone as targets without a zone, which is how plans have them."""
    if rrset.rtype not in ROUTED_TYPES:
        return rrset
    return RRset.of(rrset.rtype, rrset.ttl, [_local(rdata, zone_id) for rdata in rrset.rdata])


def _local(rdata: bytes, zone_id: str) -> bytes:
    try:
        variant = read_variant(rdata)
    except ValueError:
        return rdata
    if variant.target_zone != zone_id:
        return rdata
    return Variant(
        variant.identifier,
        variant.policy,
        variant.weight,
        variant.target,
        health_check=variant.health_check,
        evaluates=variant.evaluates,
    ).encode()


def _variant_raw(name: str, kind: str, variant: Variant, zone_id: str) -> Raw:
    raw: dict[str, Any] = {"Name": name, "Type": kind}
    if variant.identifier:
        raw["SetIdentifier"] = variant.identifier
    if variant.policy == "weighted":
        raw["Weight"] = variant.weight
    elif variant.policy == "multivalue":
        raw["MultiValueAnswer"] = True
    if variant.health_check:
        raw["HealthCheckId"] = variant.health_check
    if variant.target:
        raw["AliasTarget"] = {
            "HostedZoneId": variant.target_zone or zone_id,
            "DNSName": their_name(variant.target),
            "EvaluateTargetHealth": variant.evaluates,
        }
        return raw
    value = rdata_text(TYPES[kind], variant.address)
    return {**raw, "TTL": variant.ttl, "ResourceRecords": [{"Value": value}]}


def _rdata(kind: str, value: str) -> bytes:
    """Raises ValueError."""
    if kind in ("A", "AAAA"):
        return address_rdata(value)
    if kind in ("CNAME", "NS"):
        return name_to_wire(own_name(value))
    strings = _STRING.findall(value)
    if not strings or _STRING.sub("", value).strip():
        raise ValueError(f"{value!r} is no sequence of character-strings")
    return b"".join(_character_string(text) for text in strings)


def _character_string(text: str) -> bytes:
    octets = _ESCAPED_OCTET.sub(_octet, text.encode("latin-1"))
    if len(octets) > 255:
        raise ValueError(f"{len(octets)} octets do not fit one character-string of 255")
    return bytes((len(octets),)) + octets


def _octet(found: "re.Match[bytes]") -> bytes:
    return bytes((int(found[1], 8) & 255,)) if len(found[1]) == 3 else found[1]


def _value(rtype: int, rdata: bytes) -> str:
    if rtype in (RRType.CNAME, RRType.NS):
        return their_name(name_from_wire(rdata))
    if rtype != RRType.TXT:
        return rdata_text(rtype, rdata)
    parts, at = [], 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        if end > len(rdata):
            raise Inexpressible("a character-string is cut off")
        parts.append('"' + "".join(_shown(octet) for octet in rdata[at + 1 : end]) + '"')
        at = end
    return " ".join(parts)


def _shown(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 32 <= octet <= 126 else f"\\{octet:03o}"
