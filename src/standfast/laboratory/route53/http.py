"""The HTTP server: bytes to requests, replies to bytes; and the laboratory's own orders under a secret path."""

from __future__ import annotations

import json
import secrets
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from standfast.laboratory.route53.faults import ServiceError
from standfast.laboratory.route53.service import Service

BODY_BYTES_MAX = 4 << 20
IDLE_SECONDS = 120


class Server(ThreadingHTTPServer):
    """Serves one service on a loopback address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        super().__init__(address, _Handler)
        self.service = service
        self.secret = secrets.token_urlsafe(16)

    @property
    def url(self) -> str:
        """The endpoint for SDKs."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    @property
    def orders_url(self) -> str:
        """Where the laboratory's orders go; whoever knows it may give them."""
        return f"{self.url}/standin/{self.secret}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are counted, not logged."""

    def _serve(self) -> None:
        request = str(uuid.uuid4())
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            error = ServiceError("RequestEntityTooLarge", f"A body has at most {BODY_BYTES_MAX} bytes", 413)
            self._reply(error.status, {}, self.server.service.wire.refuse(error, request), request)
            return
        body = self.rfile.read(int(length))
        parts = urlsplit(self.path)
        if parts.path.startswith("/standin/"):
            self._order(parts.path, body)
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            status, headers, document = self.server.service.answer(self.command, parts.path, query, body)
        except ServiceError as error:
            status, headers, document = error.status, {}, self.server.service.wire.refuse(error, request)
        self._reply(status, headers, document, request)

    def _order(self, path: str, body: bytes) -> None:
        if not secrets.compare_digest(path.encode(), f"/standin/{self.server.secret}".encode()):
            self._json(404, {"error": "no such place"})
            return
        try:
            self._json(200, {"ok": self._perform(json.loads(body or b'{"do": "counts"}'))})
        except (ValueError, KeyError, TypeError, TimeoutError) as wrong:
            self._json(400, {"error": f"{type(wrong).__name__}: {wrong}"})

    def _perform(self, order: dict[str, Any]) -> object:
        service = self.server.service
        if order["do"] == "counts":
            return {"operations": dict(service.counts), "refusals": dict(service.refusals)}
        raise ValueError(f"unknown verb {order['do']!r}")

    def _json(self, status: int, answer: object) -> None:
        self._reply(status, {}, json.dumps(answer).encode(), "", "application/json")

    def _reply(self, status: int, headers: dict[str, str], body: bytes, request: str, kind: str = "text/xml") -> None:
        self.send_response(status)
        for name, value in {**headers, "x-amzn-RequestId": request, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
