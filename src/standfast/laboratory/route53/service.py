"""One request in, one reply out: found, counted, let in, done."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from standfast.laboratory.route53.account import Account
from standfast.laboratory.route53.faults import ServiceError, throttled
from standfast.laboratory.route53.hosting import Hosting
from standfast.laboratory.route53.throttle import Bucket
from standfast.laboratory.route53.wire import RestXml

Operation = Callable[[dict[str, Any]], dict[str, Any]]


class Service:
    """Route 53's API of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.wire = RestXml("route53")
        self.hosting = Hosting(account)
        self.bucket = Bucket(account.settings.rate, account.settings.burst, account.clock)
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self._counting = threading.Lock()

    def operation(self, name: str) -> Operation:
        """What does an operation of the API; raises ServiceError for one the stand-in does not have."""
        method = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
        for part in (self.hosting,):
            if hasattr(part, method):
                found: Operation = getattr(part, method)
                return found
        raise ServiceError("NotImplemented", f"The stand-in does not do {name}", 501)

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and document for one request; a refusal is a ServiceError."""
        operation, in_path = self.wire.find(method, path)
        with self._counting:
            self.counts[operation.name] += 1
            allowed = self.bucket.take()
        try:
            if not allowed:
                raise throttled()
            given = self.wire.read(operation, in_path, query, body)
            return self.wire.write(operation, self.operation(operation.name)(given))
        except ServiceError as error:
            with self._counting:
                self.refusals[error.code] += 1
            raise
