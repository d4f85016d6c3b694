"""What the laboratory does to requests on order: hold, lose, slow or fail them, or lose their replies."""

from __future__ import annotations

import threading
import time
from typing import Literal

import msgspec

from standfast.laboratory.route53.faults import ServiceError

HOLD_SECONDS_MAX = 900.0
ANY_COUNT_MAX = 1_000_000


class Dropped(Exception):
    """The client gets no reply: its connection is closed."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What befalls the next `count` requests of an operation, of an access key, that mention a text; empty: any.

    A held request has not happened yet: nothing is counted against limits, no zone is busy, until it is released. It
    happens at its release even if its client has long gone.
    """

    fate: Literal["hold", "drop_request", "drop_reply", "delay", "delay_reply", "fail"]
    operation: str = ""
    access_key: str = ""
    mention: str = ""
    count: int = 1
    seconds: float = 0.0
    code: str = "InternalFailure"
    message: str = "We encountered an internal error. Please try again."
    status: int = 500

    def meets(self, request: Request) -> bool:
        """Whether a request is one of those."""
        return (
            self.operation in ("", request.operation)
            and self.access_key in ("", request.access_key)
            and self.mention.encode() in request.body
        )


class Request(msgspec.Struct, frozen=True):
    """A request as the door sees it."""

    operation: str
    access_key: str
    body: bytes


class _Held:
    def __init__(self, number: int, request: Request) -> None:
        self.number, self.request, self.at = number, request, time.time()
        self.let_go = threading.Event()
        self.lost = False


class Door:
    """Where requests arrive."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._held: list[_Held] = []
        self._numbers = 0
        self._changed = threading.Condition()

    def order(self, fault: Fault) -> None:
        """Let a fault befall the next requests that it meets; earlier orders come first."""
        if not 1 <= fault.count <= ANY_COUNT_MAX:
            raise ValueError(f"a count of {fault.count} is not from 1 to {ANY_COUNT_MAX}")
        with self._changed:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all orders and let everything held go."""
        with self._changed:
            self._faults.clear()
            for one in self._held:
                one.let_go.set()

    def held(self) -> list[dict[str, object]]:
        """What stands at the door, oldest first."""
        with self._changed:
            return [
                {
                    "number": one.number,
                    "operation": one.request.operation,
                    "access_key": one.request.access_key,
                    "at": one.at,
                    "body": one.request.body.decode(errors="replace"),
                }
                for one in self._held
            ]

    def wait_held(self, count: int = 1, timeout: float = 30.0) -> list[dict[str, object]]:
        """Wait until so many stand at the door; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._held) >= count, timeout):
                raise TimeoutError(f"{len(self._held)} of {count} requests are held after {timeout} s")
        return self.held()

    def release(self, number: int, lose: bool = False) -> None:
        """Let a held request in, or lose it; raises ValueError if it is not held."""
        with self._changed:
            found = [one for one in self._held if one.number == number]
            if not found:
                raise ValueError(f"request {number} is not held")
            found[0].lost = lose
            found[0].let_go.set()

    def enter(self, request: Request) -> Fault | None:
        """Pass the door, after waiting if held; gives what is to befall the reply. Raises Dropped or ServiceError."""
        fault = self._take(request)
        if fault is None or fault.fate in ("drop_reply", "delay_reply"):
            return fault
        if fault.fate == "drop_request":
            raise Dropped
        if fault.fate == "fail":
            raise ServiceError(fault.code, fault.message, fault.status)
        if fault.fate == "delay":
            time.sleep(min(fault.seconds, HOLD_SECONDS_MAX))
            return None
        self._hold(request)
        return None

    def leave(self, fault: Fault | None) -> None:
        """What befalls a reply on its way out; raises Dropped."""
        if fault and fault.fate == "drop_reply":
            raise Dropped
        if fault:
            time.sleep(min(fault.seconds, HOLD_SECONDS_MAX))

    def _take(self, request: Request) -> Fault | None:
        with self._changed:
            for place, fault in enumerate(self._faults):
                if fault.meets(request):
                    if fault.count == 1:
                        del self._faults[place]
                    else:
                        self._faults[place] = msgspec.structs.replace(fault, count=fault.count - 1)
                    return fault
        return None

    def _hold(self, request: Request) -> None:
        with self._changed:
            self._numbers += 1
            one = _Held(self._numbers, request)
            self._held.append(one)
            self._changed.notify_all()
        in_time = one.let_go.wait(HOLD_SECONDS_MAX)
        with self._changed:
            self._held.remove(one)
        if one.lost or not in_time:
            raise Dropped
