"""Who asks, and whether their policies let them: access keys, signatures, assumed roles and an IAM in small.

With a rights file only its keys are known, signatures are verified, and an action needs a statement that allows it.
Without one every key may do everything.
"""

from __future__ import annotations

import datetime
import fnmatch
import hmac
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from standfast.laboratory.route53.faults import ServiceError

FORBIDDEN = 403


class Statement(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """A statement of an identity-based policy."""

    effect: Literal["Allow", "Deny"]
    action: str | list[str]
    resource: str | list[str]
    condition: dict[str, dict[str, str | list[str]]] = {}
    sid: str = ""


class Policy(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """A policy document."""

    statement: list[Statement]
    version: str = "2012-10-17"


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user with one access key."""

    name: str
    access_key: str
    secret: str
    policies: list[Policy] = []


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role, and the names of the users that may assume it."""

    name: str
    trusts: list[str]
    policies: list[Policy] = []


class Rights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rights file."""

    users: list[User]
    roles: list[Role] = []


class Caller(msgspec.Struct, frozen=True):
    """Who a request is from; no policies at all stand for every right."""

    arn: str
    access_key: str
    secret: str
    policies: list[Policy] | None
    token: str = ""
    expires: float = 0.0
    name: str = ""


class Asked(msgspec.Struct, frozen=True):
    """An action on a resource (`*` for none in particular) with the values of its condition keys."""

    action: str
    resource: str
    context: Mapping[str, list[str]] = {}


class Signed(msgspec.Struct, frozen=True):
    """A request as its signature covers it; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def load(path: Path) -> Rights:
    """Raises ValueError naming the file and what is wrong in it."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Rights)
    except (OSError, msgspec.DecodeError) as wrong:
        raise ValueError(f"{path}: {wrong}") from None
    holders: list[User | Role] = [*found.users, *found.roles]
    unknown = sorted(
        {
            f"{one.name}: {operator}"
            for one in holders
            for policy in one.policies
            for statement in policy.statement
            for operator in statement.condition
            if operator.rpartition(":")[0] not in _AMONG
            or operator.rpartition(":")[2].replace("Not", "") not in _COMPARE
        }
    )
    if unknown:
        raise ValueError(f"{path}: the stand-in does not know these condition operators: {', '.join(unknown)}")
    return found


class Identities:
    """The callers of an account."""

    def __init__(self, account: str, rights: Rights | None, chance: random.Random) -> None:
        self.account = account
        self.rights = rights
        self.chance = chance
        users = rights.users if rights else []
        self.callers = {
            one.access_key: Caller(
                f"arn:aws:iam::{account}:user/{one.name}", one.access_key, one.secret, one.policies, name=one.name
            )
            for one in users
        }

    def caller(self, request: Signed, service: str, now: float) -> Caller:
        """Who signed a request. Raises ServiceError in the words of AWS (HTTP 403)."""
        given = re.search(r"Credential=([^/,\s]+)/(\d{8})/([^/,]+)/", request.headers.get("authorization", ""))
        if given is None:
            raise ServiceError("MissingAuthenticationToken", "Missing Authentication Token", FORBIDDEN)
        key = given[1]
        found = self.callers.get(key)
        if found is None and self.rights is None:
            return Caller(f"arn:aws:iam::{self.account}:user/{key}", key, "", None)
        if found is None or found.token != request.headers.get("x-amz-security-token", ""):
            raise ServiceError(
                "InvalidClientTokenId", "The security token included in the request is invalid.", FORBIDDEN
            )
        if found.expires and found.expires <= now:
            raise ServiceError("ExpiredToken", "The security token included in the request is expired", FORBIDDEN)
        if self.rights is not None and not _signature_holds(found, request, given[3], service):
            raise ServiceError(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
                FORBIDDEN,
            )
        return found

    def assume(self, caller: Caller, arn: str, session: str, seconds: int, now: float) -> Caller:
        """Temporary credentials of a role (API Reference of STS, AssumeRole). Raises ServiceError (AccessDenied)."""
        name = arn.rpartition("/")[2]
        policies: list[Policy] | None = None
        if self.rights is not None:
            role = next((one for one in self.rights.roles if one.name == name), None)
            if role is None or caller.name not in role.trusts:
                raise ServiceError(
                    "AccessDenied",
                    f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                    FORBIDDEN,
                )
            policies = role.policies
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        key = "ASIA" + "".join(self.chance.choices(letters, k=16))
        secret, token = ("".join(self.chance.choices(letters, k=size)) for size in (40, 120))
        user = f"arn:aws:sts::{self.account}:assumed-role/{name}/{session}"
        self.callers[key] = Caller(user, key, secret, policies, token, now + seconds)
        return self.callers[key]


def _signature_holds(caller: Caller, request: Signed, region: str, service: str) -> bool:
    """Signature Version 4, as botocore computes it over the headers that the client says it signed."""
    authorization = request.headers["authorization"]
    names = re.search(r"SignedHeaders=([^,\s]+)", authorization)
    given = re.search(r"Signature=([0-9a-f]{64})", authorization)
    if names is None or given is None:
        return False
    headers = {name: request.headers.get(name, "") for name in names[1].split(";")}
    again = AWSRequest(method=request.method, url=request.url, headers=headers, data=request.body)
    again.context["timestamp"] = request.headers.get("x-amz-date", "")
    signer = SigV4Auth(Credentials(caller.access_key, caller.secret), service, region)
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return hmac.compare_digest(signer.signature(text, again), given[1])


def check(caller: Caller, asked: Asked) -> None:
    """Raise ServiceError (AccessDenied) unless the caller's policies allow what is asked.

    Source: IAM User Guide, "Policy evaluation logic": an explicit deny wins, then an allow, else it is denied; the
    words are AWS's.
    """
    if caller.policies is None:
        return
    effects = {one.effect for policy in caller.policies for one in policy.statement if _applies(one, asked)}
    if effects == {"Allow"}:
        return
    on = "" if asked.resource == "*" else f" on resource: {asked.resource}"
    why = (
        "with an explicit deny in an identity-based policy"
        if "Deny" in effects
        else f"because no identity-based policy allows the {asked.action} action"
    )
    text = f"User: {caller.arn} is not authorized to perform: {asked.action}{on} {why}"
    raise ServiceError("AccessDenied", text, FORBIDDEN)


def _applies(statement: Statement, asked: Asked) -> bool:
    return (
        any(_like(asked.action.lower(), one.lower()) for one in _texts(statement.action))
        and any(_like(asked.resource, one) for one in _texts(statement.resource))
        and all(_holds(operator, keys, asked.context) for operator, keys in statement.condition.items())
    )


def _texts(given: str | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else given


def _like(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern in which `*` and `?` are wild."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


_AMONG = ("", "ForAllValues", "ForAnyValue")
_COMPARE = {
    "StringEquals": lambda text, wanted: text == wanted,
    "StringEqualsIgnoreCase": lambda text, wanted: text.lower() == wanted.lower(),
    "StringLike": _like,
}


def _holds(operator: str, keys: Mapping[str, str | list[str]], context: Mapping[str, list[str]]) -> bool:
    """One condition block; `load` lets through only operators that are known.

    Source: IAM User Guide, "Multivalued context keys": ForAllValues holds for a key without values too, ForAnyValue
    does not; without either the key has to have one value.
    """
    among, _, name = operator.rpartition(":")
    negated = "Not" in name
    compare = _COMPARE[name.replace("Not", "")]
    for key, wanted in keys.items():
        values = context.get(key, [])
        met = [any(compare(value, one) for one in _texts(wanted)) != negated for value in values]
        if among == "ForAllValues":
            holds = all(met)
        elif among == "ForAnyValue":
            holds = any(met)
        else:
            holds = len(met) == 1 and met[0] if values else negated
        if not holds:
            return False
    return True


def of_request(operation: str, given: Mapping[str, Any], names: list[str]) -> Asked:
    """What a Route 53 request asks for.

    Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Route 53"; Developer
    Guide, "Using IAM policy conditions for fine-grained access control": names in lower case without the final dot and
    with octal escapes.
    """
    resource = "*"
    if operation == "GetChange":
        resource = f"arn:aws:route53:::change/{given['Id']}"
    elif "HealthCheckId" in given:
        resource = f"arn:aws:route53:::healthcheck/{given['HealthCheckId']}"
    elif "ResourceType" in given and "ResourceId" in given:
        resource = f"arn:aws:route53:::{given['ResourceType']}/{given['ResourceId']}"
    elif (zone := given.get("HostedZoneId") or given.get("Id")) and operation != "ListHostedZonesByName":
        resource = f"arn:aws:route53:::hostedzone/{zone}"
    context: dict[str, list[str]] = {}
    if operation == "ChangeResourceRecordSets":
        changes = given["ChangeBatch"]["Changes"]
        kinds = [one["ResourceRecordSet"]["Type"] for one in changes]
        context = {
            "route53:ChangeResourceRecordSetsNormalizedRecordNames": [one.rstrip(".") for one in names],
            "route53:ChangeResourceRecordSetsRecordTypes": kinds,
            "route53:ChangeResourceRecordSetsActions": [one["Action"] for one in changes],
        }
    return Asked(f"route53:{operation}", resource, context)


def expiry(caller: Caller) -> datetime.datetime:
    """When temporary credentials end."""
    return datetime.datetime.fromtimestamp(caller.expires, datetime.UTC)
