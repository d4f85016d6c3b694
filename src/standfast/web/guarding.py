"""Who may ask, and what every answer carries: host names, passwords, tokens, bounded requests, security headers."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from standfast.config.schema import WebConfig

QUERY_OCTETS_MAX: Final = 2048
HEADERS: Final = (
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), clipboard-write=(self)"),
)
_OPEN: Final = "/static/"
"""Style and script say nothing of anybody; a browser asks for them with the same password anyway."""


class Guard:
    """Around the whole application. Refusals are one line that says what to do."""

    def __init__(self, app: ASGIApp, web: WebConfig) -> None:
        self._app, self._web = app, web
        self._loopback = ipaddress.ip_address(web.host).is_loopback
        self._names = frozenset({"localhost", web.host, *web.hosts})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or refuse it; with the headers in both cases."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def carry(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in _headers(message))]
            await send(message)

        refusal = self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, carry)

    def _refusal(self, request: Request) -> Response | None:
        if len(request.url.query) > QUERY_OCTETS_MAX or len(request.url.path) > QUERY_OCTETS_MAX:
            return _refused(414, "The address is too long.")
        if not self._named(request.headers.get("host", "")):
            # A page of another site could otherwise read this one by letting its own name point here.
            return _refused(
                421, "This page does not go by that name. Ask for it by address, or add the name to web: hosts."
            )
        if request.method not in ("GET", "HEAD", "POST"):
            return _refused(405, "This page is for looking at.")
        if request.method == "POST":
            return None if self._bearer(request) else self._unknown(request, posting=True)
        if self._web.password is None and self._loopback:
            return None
        if self._bearer(request) or self._basic(request):
            return None
        return self._unknown(request, posting=False)

    def _named(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        name = name.strip("[]").lower().rstrip(".")
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback if self._loopback else True  # no other site's name is an address

    def _bearer(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        return self._web.token is not None and kind.lower() == "bearer" and _same(given.strip(), self._web.token)

    def _basic(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if self._web.password is None or kind.lower() != "basic":
            return False
        try:
            password = base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, ValueError):
            return False
        return _same(password, self._web.password)

    def _unknown(self, request: Request, *, posting: bool) -> Response:
        if posting:
            if self._web.token is None:
                return _refused(403, "Nothing can be posted here: web: has no token.")
            return _refused(401, "Give Authorization: Bearer TOKEN.", {"www-authenticate": "Bearer"})
        if self._web.password is None:
            return _refused(401, "Give Authorization: Bearer TOKEN.", {"www-authenticate": "Bearer"})
        challenge = {"www-authenticate": 'Basic realm="Standfast", charset="UTF-8"'}
        return _refused(401, "Give the password of this page; any user name will do.", challenge)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _refused(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers)


def _headers(message: Message) -> Iterable[tuple[str, str]]:
    """Those of every answer; what shows how things stand is kept by nobody."""
    yield from HEADERS
    if not any(name == b"cache-control" for name, _ in message["headers"]):
        yield "cache-control", "no-store"
