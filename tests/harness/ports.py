"""Free loopback ports, never the same one for two test processes.

`named` listens with SO_REUSEPORT: two of them on one port start happily and share the traffic between them. So a
port is taken from a block that one process owns, by an advisory lock that ends with the process, and only if
nothing listens on it now, neither UDP nor TCP. The range lies below the kernel's ephemeral ports (32768 and up), so
that no outgoing connection sits on a port while its server restarts, and above those that a demo draws from.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
_FIRST, _LAST, _BLOCK = 20_000, 31_999, 200


class _Blocks:
    """The blocks this process owns; a forked child starts without any."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.locks: list[IO[str]] = []
        self.ports: list[int] = []
        self.next = 0

    def take(self) -> None:
        folder = Path(tempfile.gettempdir()) / f"standfast-test-ports.{os.getuid()}"
        folder.mkdir(exist_ok=True)
        starts = list(range(_FIRST, _LAST, _BLOCK))
        offset = self.pid % len(starts)  # neighbours in time start at different places
        for start in starts[offset:] + starts[:offset]:
            lock = (folder / str(start)).open("a")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            self.locks.append(lock)
            self.ports += range(start, start + _BLOCK)
            return
        raise RuntimeError(f"all {len(starts)} blocks of test ports are taken; see {folder}")


_blocks = _Blocks()


def free_port() -> int:
    """A port free for UDP and TCP on 127.0.0.1, not given out again until a whole block has been used."""
    global _blocks
    if _blocks.pid != os.getpid():
        _blocks = _Blocks()
    tried = 0
    while True:
        if tried >= len(_blocks.ports):
            _blocks.take()
            tried = 0
        port = _blocks.ports[_blocks.next % len(_blocks.ports)]
        _blocks.next += 1
        tried += 1
        if is_free(port):
            return port


def is_free(port: int, host: str = HOST) -> bool:
    """Whether nothing listens on a port now, neither UDP nor TCP."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
    ):
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections in TIME_WAIT are no listeners
        try:
            udp.bind((host, port))
            tcp.bind((host, port))
            tcp.listen(1)
        except OSError:
            return False
        return True
