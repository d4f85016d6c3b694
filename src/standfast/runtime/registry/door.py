"""The door before the desk: who can't be served in time is turned away before the request is even parsed.

To parse a request and to answer it costs nearly as much as to grant a lease; a registry that did so for all who storm
it would have no time left. So a whole request in one piece, on a connection that is at rest, is answered with a ready
refusal. Anything else goes the usual way, and is refused there.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from .desk import Desk

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
        def data_received(self, data: bytes) -> None:
            lease = data.startswith(b"PUT /v1/leases/") and self._at_rest() and _whole(data)
            if lease and not desk.may_enter():
                wait_s = max(1, round(desk.admission.turn_away()))
                self.transport.write(_REFUSAL % (wait_s, len(_BODY), _BODY))
                return
            super().data_received(data)

        def _at_rest(self) -> bool:
            return (self.cycle is None or self.cycle.response_complete) and not self.conn.trailing_data[0]

    return Door


class Arriving:
    """Around the application, which everybody reaches whom the door let in."""

    def __init__(self, app: Any, desk: Desk) -> None:
        self.app, self.desk = app, desk

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """It has arrived."""
        if scope["type"] == "http" and scope["method"] == "PUT":
            self.desk.arrived()
        await self.app(scope, receive, send)


def _whole(data: bytes) -> bool:
    """Whether this is one request, head and body, and nothing behind."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(data, 0, end + 2)
    return length is not None and len(data) == end + 4 + int(length[1])
