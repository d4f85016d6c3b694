"""The registry over HTTP: routes, keys, bounds. What is decided is the desk's."""

from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from standfast.config import scalars
from standfast.config.scalars import BadValue

from ..admitting import Busy
from .desk import Denied, Desk
from .wire import BODY_OCTETS_MAX, Wrong, come_again, rendered

_ENCODER: Final = msgspec.json.Encoder()
_JSON: Final = "application/json"


def application(desk: Desk) -> Starlette:
    """Everything that can be asked of a registry."""
    site = _Site(desk)
    routes = [
        Route("/v1/leases/{id}", site.lease, methods=["PUT", "DELETE"]),
        Route("/v1/leases", site.leases, methods=["GET"]),
        Route("/v1/registry", site.registry, methods=["GET"]),
        Route("/openapi.json", site.document, methods=["GET"]),
    ]
    missing = {404: _nothing, 405: _nothing}
    return Starlette(routes=routes, exception_handlers={Denied: _denied, Busy: _busy, Exception: _failed, **missing})


class _Site:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._document = rendered().encode()

    async def lease(self, request: Request) -> Response:
        """Take, renew or give back."""
        desk, token = self._desk, _token(request)
        holder = str(request.path_params["id"])
        try:
            scalars.identifier(holder)
        except BadValue as bad:
            raise Denied(422, bad.message, bad.remedy) from None
        if request.method == "DELETE":
            by = "operator" if desk.operates(token) else desk.key_of(token, holder)
            written = desk.leave(holder, by)
            if written is not None:
                await written
            return Response(status_code=204)
        key = desk.key_of(token, holder)
        body = await _body(request)
        async with desk.admission.turn(desk.config.answer_within_s, key):
            held, written = desk.renew(holder, desk.read(holder, body), key)
        if written is not None:
            await written
        return _json(held)

    async def leases(self, request: Request) -> Response:
        """All, for operators."""
        self._operator(request)
        return _json(self._desk.listed(request.query_params.get("after", "")[:64]))

    async def registry(self, request: Request) -> Response:
        """How it stands."""
        if not self._desk.may_look(_token(request)):
            raise Denied(401, "This takes a key.", "Send Authorization: Bearer KEY.")
        return _json(self._desk.standing())

    async def document(self, request: Request) -> Response:
        """The OpenAPI document."""
        return Response(self._document, media_type=_JSON)

    def _operator(self, request: Request) -> None:
        token = _token(request)
        if self._desk.config.operator is None:
            raise Denied(403, "Nobody may do this here.", "Give the registry an operator: env:NAME or file:PATH.")
        if not self._desk.operates(token):
            raise Denied(401, "This takes the operator's key.", "Send Authorization: Bearer KEY.")


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _body(request: Request) -> bytes:
    """Whole, within its bound. Raises Denied."""
    pieces, size = [], 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > BODY_OCTETS_MAX:
                raise Denied(413, f"The body is larger than {BODY_OCTETS_MAX} octets.", "Say less.")
            pieces.append(piece)
    except ClientDisconnect:
        raise Denied(400, "The connection ended before the body.", "Send it again.") from None
    return b"".join(pieces)


def _json(what: msgspec.Struct, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_ENCODER.encode(what), status, headers, media_type=_JSON)


async def _denied(request: Request, error: Exception) -> Response:
    assert isinstance(error, Denied)
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
    if error.retry_after_s is not None:
        headers |= come_again(error.retry_after_s)
    return _json(Wrong(error.message, error.remedy), error.status, headers)


async def _busy(request: Request, error: Exception) -> Response:
    assert isinstance(error, Busy)
    headers = come_again(error.retry_after_s, appointment=True)
    return _json(Wrong(f"Not now: {error.why}.", "Come again after Retry-After, not before."), 503, headers)


async def _nothing(request: Request, error: Exception) -> Response:
    return _json(Wrong("There is nothing here, or not for this method.", "See /openapi.json."), 404)


async def _failed(request: Request, error: Exception) -> Response:
    return _json(Wrong("This went wrong on our side.", "Come again; the journal has what happened."), 500)
