"""A receiver of webhooks on loopback, which answers as it is told to."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """`answers` are the codes it gives, the last one for ever; `slow_s` how long it takes; `got` what it was sent."""

    def __init__(self, *answers: int, slow_s: float = 0.0, headers: dict[str, str] | None = None) -> None:
        self.answers, self.slow_s, self.headers = list(answers) or [200], slow_s, headers or {}
        self.got: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self._closed = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.times.append(time.monotonic())
                receiver.got.append(json.loads(body))
                receiver.paths.append(self.path)
                receiver._closed.wait(receiver.slow_s)
                code = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                try:
                    self.send_response(code)
                    for name, text in receiver.headers.items():
                        self.send_header(name, text)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    return

            def log_message(self, format: str, *arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/services/very-secret"

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
