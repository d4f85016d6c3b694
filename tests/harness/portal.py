"""A captive portal: whatever is asked, with whatever method, is answered with status 200 and a page for people."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGES = {
    "html": b"<!DOCTYPE html><html><body><p>Please log in</p></body></html>",
    "nothing": b"",
    "xml": b'<?xml version="1.0"?><Welcome><Guest>you</Guest></Welcome>',
    "json": b'{"please": "log in"}',
    "torn": b'<?xml version="1.0"?><ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRec',
    "octets": bytes(range(256)) * 16,
}
"""Bodies, by what they are."""


class _Handler(BaseHTTPRequestHandler):
    server: _Portal

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.page)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Portal(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page: bytes, proof: tuple[Path, Path] | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page, self.asked = page, list[str]()
        self.url = f"{'https' if proof else 'http'}://127.0.0.1:{self.server_address[1]}"
        if proof:
            trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            trust.load_cert_chain(*proof)
            self.socket = trust.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not accept our certificate: nothing to say."""


@contextmanager
def portal(page: bytes, proof: tuple[Path, Path] | None = None) -> Iterator[_Portal]:
    """One that runs, with TLS if it has a certificate and key; `url` is where, `asked` what it was asked."""
    server = _Portal(page, proof)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
