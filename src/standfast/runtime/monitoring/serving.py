"""`/metrics` over HTTP, of one process on one port.

`metrics: listen` names the planner's port; the others of one machine count up from it, so that one file serves them
all and Prometheus sees which process is gone: cleaner + 1, monitor + 2, prober + 3, web + 4, registry + 5, and enactors
+ 10 and up.
What is served has no secrets; still it listens on loopback unless told. That a port is taken stops nobody's work.
"""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET6
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST

from .meter import Meter

OFFSETS: Final[Mapping[str, int]] = {
    "planner": 0,
    "cleaner": 1,
    "monitor": 2,
    "prober": 3,
    "web": 4,
    "registry": 5,
    "enactor": 10,
}
AT_ONCE: Final = 8
"""So many scrapes at the same time; more are told to come back."""
TIMEOUT_S: Final = 5.0
AGAIN_S: Final = 5.0


def port_of(base: int, role: str, place: int = 0) -> int | None:
    """Where the `place`th process of a role serves; None if the role has no metrics."""
    return base + OFFSETS[role] + place if role in OFFSETS else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], meter: Meter) -> None:
        if ip_address(address[0]).version == 6:
            self.address_family = AF_INET6
        self.meter, self.turns = meter, threading.BoundedSemaphore(AT_ONCE)
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up in the midst is no news."""


class _Handler(BaseHTTPRequestHandler):
    timeout = TIMEOUT_S
    server: _Server

    def do_GET(self) -> None:
        """The one page."""
        if self.path.partition("?")[0] != "/metrics":
            self._answer(404, b"/metrics is here.\n", "text/plain")
        elif not self.server.turns.acquire(blocking=False):
            self._answer(503, b"Too many at once.\n", "text/plain")
        else:
            try:
                self._answer(200, self.server.meter.text(), CONTENT_TYPE_LATEST)
            finally:
                self.server.turns.release()

    def _answer(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """A scrape is no news."""


def serve(meter: Meter, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Serve in a thread until the process ends; `tell` hears why it can't for now, and then that it can."""

    def run() -> None:
        wait = threading.Event()
        while True:
            try:
                server = _Server((host, port), meter)
            except OSError as error:
                tell(f"metrics can't be served on {host} port {port}: {error.strerror}; is another process there?")
                wait.wait(AGAIN_S)
                continue
            tell("")
            with server:
                server.serve_forever()

    threading.Thread(target=run, name="metrics", daemon=True).start()
