"""What Route 53 can hold in place of a plain rrset: variants, each with its identifier, policy, weight and target.

All variants of one owner name and type are one rrset of a private-use type (RFC 6895 §3.1) whose rdata each encode one
variant. So a routed rrset is read, asserted by value and replaced like any other, and nothing above the provider needs
to know the provider's own form. Rules: Route 53 API reference, ResourceRecordSet and AliasTarget.
"""

import ipaddress
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

Policy: TypeAlias = Literal["alias", "weighted", "multivalue"]
IDENTIFIER_MAX: Final = 128
"""Characters of a SetIdentifier."""
WEIGHT_MAX: Final = 255
VARIANTS_MAX: Final = 100
"""Weighted or multivalue record sets at one name and type (Route 53 quotas)."""
MULTIVALUE_ANSWERS: Final = 8
"""So many healthy multivalue records are in one answer at most."""
HEALTHLESS_ZONES: Final = frozenset({"Z2FDTNDATAQYW2", "Z3RFFRIM2A3IF5"})
"""The hosted zones of CloudFront's names, outside China and in it: an alias to one can't evaluate its health (API
reference, AliasTarget, EvaluateTargetHealth)."""
ADDRESS_OCTETS: Final = (4, 16)
"""Of an IPv4 and of an IPv6 address. What an alias out of the zone leads to is a name, and has others."""


class Variant(Struct, frozen=True, array_like=True, gc=False):
    """One of several record sets at an owner name and type; or the only one, a simple alias.

    `identifier` tells it from the others (SetIdentifier); empty for a simple alias, whose policy is "alias". It answers
    with `address` (rdata of A or AAAA), or with whatever `target` answers: a name in the same zone, or in the hosted
    zone `target_zone`. `weight` 0 to 255 counts if the policy is "weighted". `evaluates`: an alias stands for the
    health of its target (EvaluateTargetHealth). `health_check` is the id of the check that takes it out. `ttl` is of
    `address`; an alias has its target's, and 0 here.
    """

    identifier: str
    policy: Policy
    weight: int = 0
    target: str = ""
    address: bytes = b""
    health_check: str = ""
    ttl: int = 0
    target_zone: str = ""
    evaluates: bool = False

    def encode(self) -> bytes:
        """Its rdata: equal variants have equal bytes."""
        return _encoder.encode(self)

    @property
    def answer(self) -> str:
        """What it answers with, for people: an address, or the name of its target with a dot."""
        return str(ipaddress.ip_address(self.address)) if self.address else f"{self.target}."


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Variant)


@lru_cache(maxsize=65_536)
def read_variant(rdata: bytes) -> Variant:
    """The variant that these bytes encode. ValueError if they are not what `encode` gives."""
    try:
        variant = _decoder.decode(rdata)
    except msgspec.MsgspecError as error:
        raise ValueError(f"this is no variant of a routed rrset: {error}") from None
    if variant.encode() != rdata:
        raise ValueError("this is no variant of a routed rrset: it is not in canonical form")
    return variant


def variant_problem(variant: Variant, octets: int) -> str:
    """What no such record set could be, in words; empty if nothing. `octets` are those of an address of its type."""
    simple = variant.policy == "alias"
    if bool(variant.target) == bool(variant.address):
        return "it has either an address or a target"
    if variant.address and len(variant.address) != octets:
        return f"its address has {len(variant.address)} octets; it has {octets}"
    if simple and (variant.identifier or not variant.target or variant.weight):
        return "a simple alias has a target, no identifier and no weight"
    if not simple and not 1 <= len(variant.identifier) <= IDENTIFIER_MAX:
        return f"its identifier has {len(variant.identifier)} characters; 1 to {IDENTIFIER_MAX} are allowed"
    if variant.policy == "multivalue" and (variant.target or variant.weight):
        return "a multivalue record set has an address and no weight"
    if not 0 <= variant.weight <= WEIGHT_MAX:
        return f"its weight {variant.weight} is not within 0 and {WEIGHT_MAX}"
    if variant.target and (variant.ttl or variant.health_check):
        return "an alias has no TTL of its own, and the health check of its target"
    if variant.address and (variant.target_zone or variant.evaluates):
        return "only an alias has a target's zone, or evaluates its health"
    return ""


@lru_cache(maxsize=65_536)
def effective(rdata: tuple[bytes, ...]) -> tuple[Variant, ...]:
    """Those of a routed rrset's variants that are ever answered: with weights, those above 0, or all if none is.

    What can't be read answers nothing.
    """
    known = []
    for one in rdata:
        try:
            known.append(read_variant(one))
        except ValueError:
            continue
    weighty = tuple(one for one in known if one.policy != "weighted" or one.weight)
    return weighty or tuple(known)
