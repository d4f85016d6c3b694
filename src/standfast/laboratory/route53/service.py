"""One request in, one reply out: found, counted, let in, done."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import botocore.session
import msgspec

from standfast.laboratory.route53 import rights, sets
from standfast.laboratory.route53.account import Account
from standfast.laboratory.route53.checking import Checking
from standfast.laboratory.route53.faults import ServiceError, throttled
from standfast.laboratory.route53.hosting import Hosting
from standfast.laboratory.route53.meddling import Door, Fault, Request
from standfast.laboratory.route53.nameserver import Asking
from standfast.laboratory.route53.probing import Prober
from standfast.laboratory.route53.rights import Caller, Signed
from standfast.laboratory.route53.throttle import Bucket
from standfast.laboratory.route53.wire import RestXml, query_answer

Operation = Callable[[dict[str, Any]], dict[str, Any]]
ROLE_SECONDS, ROLE_SECONDS_MIN, ROLE_SECONDS_MAX = 3600, 900, 43_200


class Reply(msgspec.Struct, frozen=True):
    """An HTTP reply."""

    status: int
    headers: dict[str, str]
    document: bytes


class Service:
    """Route 53's API of one account, and the part of STS's that gives roles."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.wire = RestXml("route53")
        self.sts = botocore.session.Session().get_service_model("sts")
        self.prober = Prober(account)
        self.hosting = Hosting(account)
        self.checking = Checking(account, self.prober)
        self.asking = Asking(account, self.checking.verdict)
        self.door = Door()
        settings = account.settings
        loaded = rights.load(settings.rights) if settings.rights else None
        self.identities = rights.Identities(settings.account, loaded, account.chance)
        self.bucket = Bucket(settings.rate, settings.burst, account.clock)
        self.counts: Counter[str] = Counter()
        self.by_key: dict[str, Counter[str]] = {}
        self.refusals: Counter[str] = Counter()
        self._counting = threading.Lock()

    def operation(self, name: str) -> Operation:
        """What does an operation of the API; raises ServiceError for one the stand-in does not have."""
        method = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
        for part in (self.hosting, self.checking, self.asking):
            if hasattr(part, method):
                found: Operation = getattr(part, method)
                return found
        raise ServiceError("NotImplemented", f"The stand-in does not do {name}", 501)

    def answer(self, request: Signed, number: str) -> Reply:
        """The reply to a request with this number; raises Dropped if its client is to get none."""
        try:
            if request.method == "POST" and urlsplit(request.url).path in ("", "/"):
                return self._roles(request, number)
            return self._zones(request)
        except ServiceError as error:
            with self._counting:
                self.refusals[error.code] += 1
            return Reply(error.status, {}, self.wire.refuse(error, number))

    def counted(self) -> dict[str, object]:
        """How often each operation was asked, in all and by access key, and how often each error was answered."""
        with self._counting:
            by_key = {key: dict(counts) for key, counts in self.by_key.items()}
            return {"operations": dict(self.counts), "by_key": by_key, "refusals": dict(self.refusals)}

    def forget_counts(self) -> None:
        """Count from nothing."""
        with self._counting:
            self.counts.clear()
            self.by_key.clear()
            self.refusals.clear()

    def _enter(self, operation: str, caller: Caller, body: bytes) -> Fault | None:
        """Count a request and pass the door; gives what is to befall its reply."""
        with self._counting:
            self.counts[operation] += 1
            self.by_key.setdefault(caller.access_key, Counter())[operation] += 1
        return self.door.enter(Request(operation, caller.access_key, body))

    def _zones(self, request: Signed) -> Reply:
        parts = urlsplit(request.url)
        operation, in_path = self.wire.find(request.method, parts.path)
        caller = self.identities.caller(request, "route53", time.time())
        fault = self._enter(operation.name, caller, request.body)
        with self._counting:
            allowed = self.bucket.take()
        if not allowed:
            raise throttled()
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        given = self.wire.read(operation, in_path, query, request.body)
        rights.check(caller, rights.of_request(operation.name, given, _names(given)))
        result = self.wire.write(operation, self.operation(operation.name)(given))
        self.door.leave(fault)
        return Reply(*result)

    def _roles(self, request: Signed, number: str) -> Reply:
        """AssumeRole and GetCallerIdentity of STS (query protocol)."""
        given = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        action, now = given.get("Action", ""), time.time()
        caller = self.identities.caller(request, "sts", now)
        fault = self._enter(action, caller, request.body)
        if action == "GetCallerIdentity":
            result = {"UserId": caller.access_key, "Account": self.account.settings.account, "Arn": caller.arn}
        elif action == "AssumeRole":
            seconds = given.get("DurationSeconds", str(ROLE_SECONDS))
            if not seconds.isdigit() or not ROLE_SECONDS_MIN <= int(seconds) <= ROLE_SECONDS_MAX:
                raise ServiceError(
                    "ValidationError", f"DurationSeconds is from {ROLE_SECONDS_MIN} to {ROLE_SECONDS_MAX}"
                )
            if not given.get("RoleArn") or not given.get("RoleSessionName"):
                raise ServiceError("ValidationError", "RoleArn and RoleSessionName are needed")
            given_role = self.identities.assume(caller, given["RoleArn"], given["RoleSessionName"], int(seconds), now)
            result = _role(given_role)
        else:
            raise ServiceError("InvalidAction", f"Could not find operation {action}")
        self.door.leave(fault)
        return Reply(200, {}, query_answer(self.sts, action, result, number))


def _role(caller: Caller) -> dict[str, Any]:
    return {
        "Credentials": {
            "AccessKeyId": caller.access_key,
            "SecretAccessKey": caller.secret,
            "SessionToken": caller.token,
            "Expiration": rights.expiry(caller),
        },
        "AssumedRoleUser": {"AssumedRoleId": f"AROA:{caller.arn.rpartition('/')[2]}", "Arn": caller.arn},
    }


def _names(given: dict[str, Any]) -> list[str]:
    return [
        sets.record_name(one["ResourceRecordSet"]["Name"]) for one in given.get("ChangeBatch", {}).get("Changes", ())
    ]
