"""The door before the desk: who can't be served in time is turned away before the request is even parsed.

To parse a request and to answer it costs nearly as much as to grant a lease; a registry that did so for all who storm
it would have no time left. So a whole request in one piece, on a connection that is at rest, is answered with a ready
refusal. Anything else goes the usual way, and is refused there.

Even that costs a tenth of a grant, and who is refused at once may come again at once, or leaves room for the next. So a
refusal is said as late as the client waits for sure: until then its connection takes no other, and costs nothing.
"""

import asyncio
import heapq
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol

from .desk import Desk
from .wire import come_again

AWAY_S: Final = 5
"""After so many seconds who found no connection comes again."""
STEP_S: Final = 0.005
SAID_MAX: Final = 512
"""Refusals said in one round: more than can come in one."""
PIECE_OCTETS: Final = 16 << 10
BEHIND_OCTETS_MAX: Final = 64 << 10
LOOKS: Final = 8
"""So many looks for those who are waited for in vain, within the time that they are waited for."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d{1,6})\r\n", re.IGNORECASE)
_HTTP_1_0, _CONNECTION, _CHUNKED = b" http/1.0\r\n", b"\r\nconnection:", b"\r\ntransfer-encoding:"
_LAST: Final = re.compile(rb"\r\nconnection:[^\r]*\bclose\b")
_CLOSED: Final = {"connection": "close"}
_BODY: Final = (
    b'{"error":"Not now: it could not be finished in time.","remedy":"Come again after Retry-After, not before."}'
)
_FULL: Final = (
    b'{"error":"There are as many connections as this registry takes.","remedy":"Come again after Retry-After."}'
)
_HEAD: Final = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b"


def protocol(desk: Desk) -> Callable[..., H11Protocol]:
    """The HTTP protocol of a server in front of that desk."""
    return partial(Door, desk, _HeldBack(), _Patience(desk))


class Door(H11Protocol):
    """One connection."""

    _behind: bytes | None = None
    """While a refusal is held back, what came after the request that it is for."""
    _refused: "_Held"
    """The refusal that is held back."""
    _since = 0.0
    """When it began to be the client's turn to say something, by the loop's time."""

    def __init__(self, desk: Desk, row: "_HeldBack", patience: "_Patience", **named: Any) -> None:
        super().__init__(**named)
        self._desk, self._row, self._watchful = desk, row, patience
        self._joined: float | None = desk.joined_at()
        self._made = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self._made = self.loop.time()
        self._watchful.watch(self.loop, self.connections)
        if hasattr(transport, "max_size"):
            transport.max_size = PIECE_OCTETS  # a buffer of 256 kB for each request of 300 octets costs a tenth of it
        if len(self.connections) > self._desk.connections:
            self._desk.turned_away()
            transport.write(_refusal(come_again(AWAY_S) | _CLOSED, _FULL))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._behind is not None:  # nobody is left to hear it: nothing of it shall wait for its time
            self._behind, self._refused.say = None, None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._behind is not None:
            self._behind += data
            if len(self._behind) > BEHIND_OCTETS_MAX:
                self.transport.abort()
            return
        lease = False
        if self._at_rest():
            self._since = self.loop.time()
            lease = data.startswith(b"PUT /v1/leases/") and _whole(data)
        came = self._came_at()
        if lease and not self._desk.may_enter():
            head = data.lower()
            if _CHUNKED not in head:
                self._hold(came, last=_HTTP_1_0 in head or (_CONNECTION in head and _LAST.search(head) is not None))
                return
            lease = False
        super().data_received(data)
        if lease:  # behind the first step of the task that serves it, if one does: nothing else may end the count
            self.loop.call_soon(self._desk.arrived)

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """The server stops: a refusal that is held back is said now, for its moment is as good as ever."""
        if self._behind is not None:
            self._refused.last = True
            self._refuse()
        super().shutdown()

    def waited_for_s(self, now: float) -> float:
        """For how long it has been the client's turn; 0 if it is ours."""
        asked = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        return 0.0 if asked or self._behind is not None else now - self._since

    def _came_at(self) -> float:
        """When what is read now came at the earliest: after the look before this one; or, if the connection was not
        known to that, while it stood in line to be accepted."""
        joined, self._joined = self._joined, None
        looked = self._desk.came_at()
        return looked if joined is None or self._made < looked else min(joined, looked)

    def _hold(self, came: float, *, last: bool) -> None:
        self._unset_keepalive_if_required()  # it is not the client whom the connection waits for
        self._behind = b""
        appointment = self.loop.time() + self._desk.admission.turn_away()
        self._refused = _Held(appointment, last, self._refuse)
        self._row.hold(self.loop, came + self._desk.held_back_s, self._refused)

    def _refuse(self) -> None:
        behind, self._behind, self._refused.say = self._behind, None, None
        if self.transport.is_closing():
            return
        self._since = self.loop.time()
        last, when = self._refused.last, come_again(self._refused.appointment - self._since, appointment=True)
        self.transport.write(_refusal(when | _CLOSED if last else when, _BODY))
        if last:
            self.transport.close()
        elif behind:
            self.data_received(behind)

    def _at_rest(self) -> bool:
        return (self.cycle is None or self.cycle.response_complete) and not self.conn.trailing_data[0]


class _Held(Struct):
    """A refusal that is held back; `appointment` is a time of the loop. `last`: the connection ends with it. `say` says
    it; None: there is nothing to be said any more."""

    appointment: float
    last: bool
    say: Callable[[], None] | None


class _HeldBack:
    """Refusals until they are said, the first due first: with one timer, and not each its own."""

    def __init__(self) -> None:
        self._row: list[tuple[float, int, _Held]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def hold(self, loop: asyncio.AbstractEventLoop, due: float, one: _Held) -> None:
        """It is said when it is `due`, a time of the loop."""
        self._count += 1
        heapq.heappush(self._row, (due, self._count, one))
        if self._timer is None or due < self._timer.when():
            self._wake_at(loop, due)

    def _wake_at(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when, self._wake, loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        now, said, self._timer = loop.time(), 0, None
        try:
            while self._row and self._row[0][0] <= now and said < SAID_MAX:
                _, _, one = heapq.heappop(self._row)
                said += 1
                if one.say is not None:
                    one.say()
        finally:  # whatever one of them does, the others are told
            if self._row:
                self._wake_at(loop, max(now + STEP_S, self._row[0][0]) if said < SAID_MAX else now)


class _Patience:
    """Hangs up on whoever is waited for in vain: who never asks, stops in the middle, or lost its power when refused.

    All are looked through now and then, which costs less than a timer for each request.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looking = False

    def watch(self, loop: asyncio.AbstractEventLoop, connections: "set[Any]") -> None:
        """These are looked through for as long as there are any."""
        if not self._looking:
            self._looking = True
            loop.call_later(self._desk.patience_s / LOOKS, self._look, loop, connections)

    def _look(self, loop: asyncio.AbstractEventLoop, connections: "set[Any]") -> None:
        now, self._looking = loop.time(), False
        for one in [one for one in connections if one.waited_for_s(now) > self._desk.patience_s]:
            one.transport.abort()
        if connections:
            self.watch(loop, connections)


def _refusal(when: dict[str, str], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in when.items())
    return _HEAD % (lines.encode(), len(body), body)


def _whole(data: bytes) -> bool:
    """Whether this is one request, head and body, and nothing behind."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(data, 0, end + 2)
    return length is not None and len(data) == end + 4 + int(length[1])
