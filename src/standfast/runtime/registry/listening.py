"""The socket that a registry listens on: it never takes more connections than there are files for.

A door knows a TLS connection only when its handshake is over. Until then strangers could open as many as this process
may open files, and the plan store, whose files are opened now and then, would find none left.
"""

import errno
import socket
import time
from collections.abc import Callable
from typing import Any, Final

from standfast.config import RegistryConfig
from standfast.errors import StandfastError

EXHAUSTED_S: Final = 0.5
"""After an accept that failed for want of files, asyncio would try (and log) the rest of its backlog at once."""


class Listener(socket.socket):
    """`most` connections may be open, handshakes included; `turned_away` is told of each more, which is hung up on."""

    most = 0
    open = 0
    _exhausted_at = float("-inf")

    def __init__(self, file: int, turned_away: Callable[[], None]) -> None:
        super().__init__(fileno=file)
        self._turned_away = turned_away

    def accept(self) -> tuple[socket.socket, Any]:
        """As a socket's. Raises BlockingIOError if nobody (more) can be accepted now."""
        if time.monotonic() - self._exhausted_at < EXHAUSTED_S:
            raise BlockingIOError(errno.EAGAIN, "no files left")
        while True:
            try:
                file, address = self._next()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._exhausted_at = time.monotonic()
                raise
            line = _Line(self, file)
            if self.open <= self.most:
                return line, address
            line.close()
            self._turned_away()

    def _next(self) -> tuple[int, Any]:
        line, address = super().accept()
        return line.detach(), address


class _Line(socket.socket):
    """One connection, counted while it is open."""

    def __init__(self, listener: Listener, file: int) -> None:
        super().__init__(fileno=file)
        self._listener: Listener | None = listener
        listener.open += 1

    def close(self) -> None:
        """Once counts."""
        if self._listener is not None:
            self._listener.open -= 1
            self._listener = None
        super().close()


def listening(config: RegistryConfig, turned_away: Callable[[], None]) -> Listener:
    """Raises StandfastError if that can't be listened on."""
    try:
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        there = socket.create_server((config.host, config.port), family=family, backlog=2048)
        return Listener(there.detach(), turned_away)
    except OSError as error:
        message = f"The registry can't be served at {config.host}:{config.port}: {error.strerror}."
        raise StandfastError(message, "Stop what listens there, or give another registry: listen.") from None
