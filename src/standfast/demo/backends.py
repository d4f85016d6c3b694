"""One load balancer of the demo, as a process of its own: a real HTTP server that answers /healthz, until it is killed.

    python -m standfast.demo.backends --name lb-a1 --port 8080 --parent-fd 5 127.0.1.11 ::1

It ends when the process that started it is gone, which it sees by the pipe it inherited.
"""

import argparse
import os
import socket
import threading
from typing import Final

_WAIT_S: Final = 2.0
_REQUEST_OCTETS_MAX: Final = 4096


def listening(address: str, port: int) -> socket.socket:
    """A socket that accepts connections there. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((address, port))
        one.listen(64)
    except OSError:
        one.close()
        raise
    return one


def serve(listener: socket.socket, name: str) -> None:
    """Answer for ever."""
    while True:
        try:
            one, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(one, name), daemon=True).start()


def _answer(one: socket.socket, name: str) -> None:
    with one:
        one.settimeout(_WAIT_S)
        try:
            request = b""
            while b"\r\n\r\n" not in request and len(request) < _REQUEST_OCTETS_MAX:
                octets = one.recv(_REQUEST_OCTETS_MAX)
                if not octets:
                    return
                request += octets
            one.sendall(response(request, name))
        except OSError:
            return


def response(request: bytes, name: str) -> bytes:
    """What is answered to these octets."""
    words = request.split(b"\r\n", 1)[0].split()
    if len(words) != 3 or words[0] not in (b"GET", b"HEAD"):
        status, body = "400 Bad Request", "?"
    elif words[1].split(b"?")[0] in (b"/", b"/healthz"):
        status, body = "200 OK", f"{name} serves"
    else:
        status, body = "404 Not Found", f"{name} has / and /healthz"
    text = f"{body}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return head.encode() + (b"" if words[:1] == [b"HEAD"] else text)


def end_with_parent(descriptor: int) -> None:
    """End this process as soon as the other end of that pipe is closed."""

    def wait() -> None:
        try:
            while os.read(descriptor, 1):
                pass
        except OSError:
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m standfast.demo.backends", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--parent-fd", type=int)
    parser.add_argument("address", nargs="+")
    given = parser.parse_args()
    if given.parent_fd is not None:
        end_with_parent(given.parent_fd)
    first, *rest = [listening(address, given.port) for address in given.address]
    for listener in rest:
        threading.Thread(target=serve, args=(listener, given.name), daemon=True).start()
    serve(first, given.name)


if __name__ == "__main__":
    main()
