"""A load balancer of a test: a real HTTP server at one loopback address, as a process of its own.

python tests/e2e/balancers.py 127.0.0.11 20080
"""

from __future__ import annotations

import http.server
import signal
import sys


class Healthy(http.server.BaseHTTPRequestHandler):
    """Well, whatever it is asked."""

    def do_GET(self) -> None:
        """200 and nothing else."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not to the log."""


def main() -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Healthy).serve_forever()


if __name__ == "__main__":
    main()
