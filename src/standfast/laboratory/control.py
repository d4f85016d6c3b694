"""The update proxy as a process of its own, steered by JSON lines over a unix socket.

    python -m standfast.laboratory.control --upstream 127.0.0.1:5300 --port 0 --control /tmp/x/proxy.sock

prints `proxy on 127.0.0.1:PORT`. Each line sent to the socket is an object whose `do` names a verb of `UpdateProxy`,
with its arguments; each answer is one line, `{"ok": …}` or `{"error": "…"}`. `mention` stands for `match`: an owner
name. Messages travel as hex, rcodes as names, a missing reply as null.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any

from standfast.laboratory.proxy import Rcode, SeenUpdate, UpdateProxy, mentions

LINE_BYTES_MAX = 1 << 16
_FAULTS = {"hold_next", "drop_replies", "drop_requests", "duplicate"}


def perform(proxy: UpdateProxy, order: dict[str, Any]) -> object:
    """Do what one line orders. Raises ValueError, KeyError, TypeError or TimeoutError with what is wrong with it."""
    arguments = dict(order)
    verb = arguments.pop("do")
    if "mention" in arguments:
        arguments["match"] = mentions(arguments.pop("mention"))
    if verb in _FAULTS:
        getattr(proxy, verb)(**arguments)
        return None
    if verb == "clear":
        proxy.clear()
        return None
    if verb == "held":
        return [_shown(held.seen) for held in proxy.held]
    if verb == "wait_held":
        return [_shown(held.seen) for held in proxy.wait_held(**arguments)]
    if verb == "release":
        number = arguments.pop("number")
        for held in proxy.held:
            if held.seen.number == number:
                rcodes = proxy.release(held, **arguments)
                return {"rcodes": _names(rcodes), "listened": held.listened_at_release}
        raise ValueError(f"update {number} is not held")
    if verb == "log":
        return [_shown(seen) for seen in proxy.log]
    raise ValueError(f"unknown verb {verb!r}")


def ask(control: Path, verb: str, timeout: float = 30.0, **arguments: object) -> Any:
    """Send one order to a proxy in another process and give its answer; RuntimeError with what it objects to."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.settimeout(timeout)
        one.connect(str(control))
        one.sendall(json.dumps({"do": verb, **arguments}).encode() + b"\n")
        with one.makefile("rb") as lines:
            answer = json.loads(lines.readline() or b'{"error": "the proxy went away"}')
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["ok"]


def _shown(seen: SeenUpdate) -> dict[str, object]:
    return {
        "number": seen.number,
        "at": seen.at,
        "transport": seen.transport,
        "fate": seen.fate.value,
        "rcodes": _names(seen.rcodes),
        "message": seen.message.hex(),
    }


def _names(rcodes: list[Rcode | None]) -> list[str | None]:
    return [None if one is None else one.name for one in rcodes]


class _Control(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    proxy: UpdateProxy


class _Orders(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Control)
        while line := self.rfile.readline(LINE_BYTES_MAX):
            try:
                answer: dict[str, object] = {"ok": perform(self.server.proxy, json.loads(line))}
            except (ValueError, KeyError, TypeError, AttributeError, TimeoutError, RuntimeError) as wrong:
                answer = {"error": f"{type(wrong).__name__}: {wrong}"}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


def main(arguments: list[str] | None = None) -> int:
    """Run a proxy until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m standfast.laboratory.control", description=__doc__)
    parser.add_argument("--upstream", required=True, metavar="HOST:PORT")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=Path, required=True, metavar="SOCKET")
    given = parser.parse_args(arguments)
    host, _, port = given.upstream.rpartition(":")
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the one interrupted may just hold the event's lock, in `wait`, for ever.
        signal.signal(number, lambda *_: threading.Thread(target=over.set, daemon=True).start())
    with UpdateProxy((host, int(port)), port=given.port) as proxy, _Control(str(given.control), _Orders) as control:
        control.proxy = proxy
        threading.Thread(target=control.serve_forever, name="control", daemon=True).start()
        sys.stdout.write(f"proxy on {proxy.host}:{proxy.port}\n")
        sys.stdout.flush()
        over.wait()
        control.shutdown()
    given.control.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
