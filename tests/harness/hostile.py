"""An HTTP server on loopback that answers as it should, until it is told to misbehave in one of a few named ways."""

import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

FAULTS: Final = ("500", "html", "html as data", "nothing", "truncated", "slow", "huge", "cut off", "away")
LOGIN: Final = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Please log in.</body></html>"
Answer = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """One connection; faults come before the real answer."""

    protocol_version = "HTTP/1.1"
    server: "HostileServer"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append(f"{self.command} {self.path}")
        try:
            fault = self.server.fault
            if fault:
                self.misbehave(fault)
            else:
                self.server.answer(self, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = handle_any

    def reply(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        """A plain answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def misbehave(self, fault: str) -> None:
        kind = self.server.kind
        self.close_connection = True
        if fault == "500":
            self.reply(500, "text/html", b"<html>Internal Server Error</html>")
        elif fault == "html":
            self.reply(200, "text/html", LOGIN)
        elif fault == "html as data":
            self.reply(200, kind, b"<html><body><p>Please log in.</p></body></html>")
        elif fault == "nothing":
            self.reply(200, kind, b"")
        elif fault == "cut off":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(64 * 1024 * 1024))
            self.end_headers()
            start = b"<" if "xml" in kind else b'{"load_balancers": {"'
            self.wfile.write(start)
            if fault == "huge":
                while True:
                    self.wfile.write(b"x" * 65536)
            while fault == "slow" and self.server.fault == fault:
                self.wfile.write(b"x")
                time.sleep(0.02)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class HostileServer(ThreadingHTTPServer):
    """`fault` is one of FAULTS, or empty. `kind` is the content type that its clients expect."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answer, kind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.kind = answer, kind
        self.fault = ""
        self.asked: list[str] = []
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def misbehaving(self, fault: str) -> None:
        """From now on. `away`: every connection is closed before it is read."""
        self.fault = fault

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return self.fault != "away"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what is tested here."""

    def end(self) -> None:
        self.fault = "away"
        self.shutdown()
        self.server_close()
