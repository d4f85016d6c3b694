"""POST /events: what others changed (a deploy), as a mark in the lanes. Authenticated by the guard, bounded here."""

import time
from collections import deque
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from standfast.runtime.journal import Journal

BODY_OCTETS_MAX: Final = 4096
TEXT_MAX: Final = 200
A_MINUTE_MAX: Final = 60


class Posted(msgspec.Struct, forbid_unknown_fields=True):
    """What was changed, by whom, and what names it, such as a commit or a link."""

    what: str
    by: str = ""
    ref: str = ""


class Marks:
    """Takes marks into a journal of its own, at most so many a minute."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lately: deque[float] = deque(maxlen=A_MINUTE_MAX)

    async def post(self, request: Request) -> Response:
        """201, or what is wrong with it in one line."""
        octets = bytearray()
        try:
            async for part in request.stream():
                octets += part
                if len(octets) > BODY_OCTETS_MAX:
                    return _said(413, f"At most {BODY_OCTETS_MAX} octets.")
        except ClientDisconnect:
            return _said(400, "The request was cut off.")
        try:
            posted = msgspec.json.decode(bytes(octets), type=Posted)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _said(400, f'{error}. Give {{"what": "web 7f3a", "by": "ci", "ref": "…"}}.')
        for name in Posted.__struct_fields__:
            text = getattr(posted, name)
            if len(text) > TEXT_MAX or not text.isprintable():
                return _said(400, f"{name} must be one line of at most {TEXT_MAX} printable characters.")
        if not posted.what.strip():
            return _said(400, "what is empty. Say what was changed.")
        now = time.monotonic()
        if len(self._lately) == A_MINUTE_MAX and now - self._lately[0] < 60:
            return _said(429, f"At most {A_MINUTE_MAX} a minute.")
        self._lately.append(now)
        if not self._journal.write("deploy", what=posted.what.strip(), by=posted.by, ref=posted.ref):
            return _said(503, f"{self._journal.broken}.")
        return _said(201, "Marked.")


def _said(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status)
