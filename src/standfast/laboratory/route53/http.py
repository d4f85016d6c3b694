"""The HTTP server: bytes to requests, replies to bytes; and the laboratory's own orders under a secret path."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
import traceback
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from standfast.laboratory.route53.account import ServiceZone
from standfast.laboratory.route53.faults import ServiceError
from standfast.laboratory.route53.meddling import Dropped, Fault
from standfast.laboratory.route53.rights import Signed
from standfast.laboratory.route53.service import Reply, Service

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

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed in mid-connection is nothing to tell of; a mistake of ours is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

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
    wbufsize = -1
    """Head and body leave together: apart, the body waits 40 ms for the delayed ACK of the head."""
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
            self._reply(Reply(error.status, {}, self.server.service.wire.refuse(error, request)), request)
            return
        body = self.rfile.read(int(length))
        if self.path.startswith("/standin/"):
            self._order(self.path, body)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = f"http://{headers.get('host', '')}{self.path}"
        try:
            reply = self.server.service.answer(Signed(self.command, url, headers, body), request)
        except Dropped:
            self.close_connection = True
            return
        except Exception:  # a mistake of ours: it is to be seen here, and is the service's fault to the client
            traceback.print_exc()
            error = ServiceError("InternalFailure", "The stand-in made a mistake; see its standard error.", 500)
            reply = Reply(error.status, {}, self.server.service.wire.refuse(error, request))
        self._reply(reply, request)

    def _order(self, path: str, body: bytes) -> None:
        if not secrets.compare_digest(path.encode(), f"/standin/{self.server.secret}".encode()):
            self._json(404, {"error": "no such place"})
            return
        try:
            self._json(200, {"ok": self._perform(json.loads(body or b'{"do": "counts"}'))})
        except (ValueError, KeyError, TypeError, TimeoutError) as wrong:
            self._json(400, {"error": f"{type(wrong).__name__}: {wrong}"})

    def _perform(self, order: dict[str, Any]) -> object:
        """Do what an order says. Raises ValueError, KeyError, TypeError or TimeoutError with what is wrong with it."""
        arguments = dict(order)
        verb, service = arguments.pop("do"), self.server.service
        if verb in ("hold", "drop_request", "drop_reply", "delay", "delay_reply", "fail"):
            service.door.order(msgspec.convert({**arguments, "fate": verb}, Fault))
            return None
        if verb == "propagation":
            service.account.propagation = msgspec.convert(arguments["seconds"], tuple[float, ...]) or (0.0,)
            return None
        if verb == "services":
            service.account.services = msgspec.convert(arguments["zones"], dict[str, ServiceZone])
            return None
        if verb == "via":
            service.prober.via.update(msgspec.convert(arguments["checks"], dict[str, str]))
            return None
        verbs: dict[str, Callable[..., object]] = {
            "counts": service.counted,
            "forget_counts": service.forget_counts,
            "held": service.door.held,
            "wait_held": service.door.wait_held,
            "release": service.door.release,
            "clear": service.door.clear,
            "verdict": service.checking.verdict,
        }
        if verb not in verbs:
            raise ValueError(f"unknown verb {verb!r}")
        return verbs[verb](**arguments)

    def _json(self, status: int, answer: object) -> None:
        self._reply(Reply(status, {}, json.dumps(answer).encode()), "", "application/json")

    def _reply(self, reply: Reply, request: str, kind: str = "text/xml") -> None:
        with contextlib.suppress(ConnectionError):  # a client that has gone needs no reply
            self.send_response(reply.status)
            for name, value in {**reply.headers, "x-amzn-RequestId": request, "Content-Type": kind}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.document)))
            self.end_headers()
            self.wfile.write(reply.document)
            self.wfile.flush()
