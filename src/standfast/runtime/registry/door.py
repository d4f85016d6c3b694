"""The door before the desk: who can't be served in time is turned away before the request is even parsed.

To parse a request and to answer it costs nearly as much as to grant a lease; a registry that did so for all who storm
it would have no time left. So a whole request in one piece, on a connection that is at rest, is answered with a ready
refusal. Anything else goes the usual way, and is refused there.

Even that costs a tenth of a grant, and who is refused at once may come again at once, or leaves room for the next. So a
refusal is said late: each connection takes at most one in `Desk.held_back_s`, in which it costs nothing.
"""

import re
from collections.abc import Callable
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from .desk import Desk

BEHIND_OCTETS_MAX: Final = 64 << 10
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d{1,6})\r\n", re.IGNORECASE)
_BODY: Final = (
    b'{"error":"Not now: it could not be finished in time.","remedy":"Come again after Retry-After, not before."}'
)
_REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: %d\r\n"
    b"content-length: %d\r\n\r\n%b"
)


def protocol(desk: Desk) -> Callable[..., H11Protocol]:
    """The HTTP protocol of a server in front of that desk."""

    class Door(H11Protocol):
        _behind: bytes | None = None
        """While a refusal is held back, what came after the request that it is for."""

        def data_received(self, data: bytes) -> None:
            if self._behind is not None:
                self._behind += data
                if len(self._behind) > BEHIND_OCTETS_MAX:
                    self.transport.abort()
                return
            lease = data.startswith(b"PUT /v1/leases/") and self._at_rest() and _whole(data)
            if lease and not desk.may_enter():
                self._behind = b""
                self.loop.call_later(desk.held_back_s, self._refuse, desk.admission.turn_away())
                return
            super().data_received(data)
            if lease:  # behind the first step of the task that serves it, if one does: nothing else may end the count
                self.loop.call_soon(desk.arrived)

        def _refuse(self, wait_s: float) -> None:
            behind, self._behind = self._behind, None
            if self.transport.is_closing():
                return
            left = max(1, round(wait_s - desk.held_back_s))
            self.transport.write(_REFUSAL % (left, len(_BODY), _BODY))
            if behind:
                self.data_received(behind)

        def _at_rest(self) -> bool:
            return (self.cycle is None or self.cycle.response_complete) and not self.conn.trailing_data[0]

    return Door


def _whole(data: bytes) -> bool:
    """Whether this is one request, head and body, and nothing behind."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(data, 0, end + 2)
    return length is not None and len(data) == end + 4 + int(length[1])
