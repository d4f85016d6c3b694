"""One persistent TCP connection to a DNS server: queries pipelined and asked again, an update sent exactly once.

Frames carry two octets of length (RFC 1035 §4.2.2); many queries may be under way at once and replies come in any
order, matched by id (RFC 7766 §6.2.1.1). Updates may be posted one behind the other, and their replies collected later.
A server may close an idle connection whenever it likes. For a query that means to ask again; for an update that was
sent it means that nobody knows, so a connection that was idle is looked at, and renewed if in doubt, before an update
goes out. After any disappointment the connection is given up, so no late reply can be taken for another.
"""

import random
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

IN_FLIGHT_MAX: Final = 256
"""Queries under way at once."""
IDLE_MAX_S: Final = 4.0
"""A connection idle for longer is renewed before an update; servers close theirs after 5 to 30 seconds."""
STREAM_OCTETS_MAX: Final = 32 * 2**20
_BARREN_CONNECTIONS_MAX: Final = 2
_CHUNK: Final = 2**18
_QUICK_ACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


class Lost(Exception):
    """No reply, or none that is whole. `sent` tells whether the server may have got the request."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent


class Connection:
    """A connection that is made when first needed. Every wait ends `timeout_s` after the last sign of life."""

    def __init__(self, host: str, port: int, timeout_s: float = 5.0) -> None:
        self.host = host
        self.port = port
        self.timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._used = 0.0
        self._random = random.SystemRandom()
        self._posted: dict[bytes, bytes | None] = {}
        """Ids of updates under way that were posted, and their replies that came before they were asked for."""
        self._turn = threading.RLock()

    def close(self) -> None:
        """Give the connection up; the next request makes a new one. What was posted is lost."""
        with self._turn:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            self._buffer.clear()
            self._posted.clear()

    def new_id(self) -> int:
        """A message id that nobody can guess."""
        return self._random.getrandbits(16)

    def exchange(self, message: bytes) -> bytes:
        """Send one message once and give the reply with its id. Raises Lost."""
        replies: list[bytes] = []

        def take(reply: bytes) -> bool:
            replies.append(reply)
            return True

        self.stream(message, take)
        return replies[0]

    def post(self, message: bytes) -> None:
        """Send one message once; its reply is for `collect`. Several may be under way, and nothing else. Raises Lost.

        Another thread may be collecting meanwhile.
        """
        deadline = time.monotonic() + self.timeout_s
        with self._turn:
            sock = self._socket if self._posted else self._ready(deadline)
            if sock is None:
                raise Lost(f"{self} was given up", sent=False)
            self._posted[message[:2]] = None
        try:
            sock.sendall(len(message).to_bytes(2, "big") + message)
        except OSError as problem:
            self.close()
            raise Lost(f"{self}: {problem.strerror or problem}", sent=True) from None

    def collect(self, message: bytes) -> bytes:
        """The reply to a message that was posted. Raises Lost."""
        deadline = time.monotonic() + self.timeout_s
        try:
            while True:
                with self._turn:
                    if message[:2] not in self._posted or (sock := self._socket) is None:
                        raise Lost(f"{self} was given up before it answered", sent=True)
                    if (reply := self._posted[message[:2]]) is not None:
                        self._used = time.monotonic()
                        return reply
                sock.settimeout(self._left(deadline))
                data = sock.recv(_CHUNK)
                if not data:
                    raise Lost(f"{self} closed the connection before it answered", sent=True)
                with self._turn:
                    self._buffer += data
                    for frame in self._frames():
                        if frame[:2] in self._posted:
                            self._posted[frame[:2]] = frame
        except TimeoutError:
            self.close()
            raise Lost(f"{self} did not answer within {self.timeout_s:g} s", sent=True) from None
        except (OSError, Lost) as problem:
            self.close()
            raise problem if isinstance(problem, Lost) else Lost(f"{self}: {problem}", sent=True) from None
        finally:
            with self._turn:
                self._posted.pop(message[:2], None)

    def stream(self, message: bytes, take: Callable[[bytes], bool]) -> None:
        """Send one message once and hand its replies over until `take` says that it was the last. Raises Lost.

        All of it has `timeout_s`, and at most STREAM_OCTETS_MAX. What `take` raises goes through.
        """
        deadline = time.monotonic() + self.timeout_s
        sock = self._ready(deadline)
        received = 0
        try:
            sock.settimeout(self._left(deadline))
            sock.sendall(len(message).to_bytes(2, "big") + message)
            while True:
                for frame in self._frames():
                    if frame[:2] == message[:2] and take(frame):
                        self._used = time.monotonic()
                        return
                sock.settimeout(self._left(deadline))
                data = sock.recv(_CHUNK)
                received += len(data)
                if not data:
                    raise Lost(f"{self} closed the connection before it answered", sent=True)
                if received > STREAM_OCTETS_MAX:
                    raise Lost(f"{self} sent more than {STREAM_OCTETS_MAX} octets", sent=True)
                self._buffer += data
        except TimeoutError:
            self.close()
            raise Lost(f"{self} did not answer within {self.timeout_s:g} s", sent=True) from None
        except OSError as problem:
            self.close()
            raise Lost(f"{self}: {problem.strerror or problem}", sent=True) from None
        except BaseException:
            self.close()
            raise

    def ask(self, queries: Sequence[bytes], take: Callable[[int, bytes], None]) -> str:
        """Ask all queries (messages without their id), pipelined, and hand over each reply with its query's number.

        Returns why some were not answered; empty if all were. Queries cut off by the server's closing the
        connection are asked again on a new one.
        """
        for first in range(0, len(queries), 2**16):
            why = _Pipeline(self, queries[first : first + 2**16], first, take).run()
            if why:
                self.close()
                return why
        return ""

    def open(self, deadline: float) -> socket.socket:
        """The connection, made if there is none. Raises Lost."""
        if self._socket is None:
            self._buffer.clear()
            try:
                self._socket = socket.create_connection((self.host, self.port), self._left(deadline))
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError:
                raise Lost(f"{self} did not accept a connection within {self.timeout_s:g} s", sent=False) from None
            except OSError as problem:
                raise Lost(f"cannot connect to {self}: {problem.strerror or problem}", sent=False) from None
            self._used = time.monotonic()
        return self._socket

    def receive(self, data: bytes) -> list[bytes]:
        """The messages that these octets complete."""
        self._buffer += data
        self._used = time.monotonic()
        return self._frames()

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"

    def _ready(self, deadline: float) -> socket.socket:
        """A connection that the server has not closed as far as can be seen. Raises Lost."""
        idle_s = time.monotonic() - self._used
        if self._socket is not None and (idle_s > IDLE_MAX_S or self._buffer or _speaks(self._socket)):
            self.close()
        return self.open(deadline)

    def _left(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _frames(self) -> list[bytes]:
        buffer, at, frames = self._buffer, 0, []
        while len(buffer) >= at + 2:
            end = at + 2 + int.from_bytes(buffer[at : at + 2], "big")
            if len(buffer) < end:
                break
            frames.append(bytes(buffer[at + 2 : end]))
            at = end
        del buffer[:at]
        return frames


def _speaks(sock: socket.socket) -> bool:
    """Whether anything, an end included, waits to be read where nothing was asked."""
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


class _Pipeline:
    """Many queries under way on one connection."""

    def __init__(
        self, connection: Connection, queries: Sequence[bytes], first: int, take: Callable[[int, bytes], None]
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._first = first
        self._take = take
        # SystemRandom would cost more than the queries; TCP's sequence numbers keep strangers out
        self._ids = random.sample(range(2**16), len(queries))
        self._waiting = deque(range(len(queries)))
        self._in_flight: dict[int, int] = {}
        self._out = memoryview(b"")
        self._lively = time.monotonic()
        self._end = self._lively + connection.timeout_s + len(queries) / 1000
        self._barren = 0

    def run(self) -> str:
        """Ask them; why it ended early, or nothing."""
        try:
            while self._waiting or self._in_flight:
                sock = self._connection.open(self._deadline())
                sock.settimeout(0)
                try:
                    alive = self._turn(sock)
                except BlockingIOError:
                    continue
                except TimeoutError:
                    raise
                except OSError:
                    alive = False
                if not alive and not self._again():
                    return f"{self._connection} closed the connection before it answered"
        except TimeoutError:
            return f"{self._connection} did not answer within {self._connection.timeout_s:g} s"
        except Lost as lost:
            return lost.why
        return ""

    def _turn(self, sock: socket.socket) -> bool:
        """Wait until something can be sent or read, and do it; False if the server closed the connection."""
        if not self._out and self._waiting and len(self._in_flight) <= IN_FLIGHT_MAX // 2:
            self._fill()
        if _QUICK_ACK is not None:
            # BIND and Knot hold back the second answer until the first is acknowledged (RFC 896), and Linux
            # acknowledges late: 40 ms for every reading of two names
            sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        poller = select.poll()
        poller.register(sock, select.POLLIN | (select.POLLOUT if self._out else 0))
        left = self._deadline() - time.monotonic()
        events = poller.poll(max(0.0, left) * 1000)
        if not events:
            raise TimeoutError
        if events[0][1] & select.POLLOUT:
            self._out = self._out[sock.send(self._out) :]
        if events[0][1] & ~select.POLLOUT:
            data = sock.recv(_CHUNK)
            for frame in self._connection.receive(data):
                number = self._in_flight.pop(int.from_bytes(frame[:2], "big"), None)
                if number is not None:
                    self._lively, self._barren = time.monotonic(), 0
                    self._take(self._first + number, frame)
            return bool(data)
        return True

    def _fill(self) -> None:
        parts = []
        while self._waiting and len(self._in_flight) < IN_FLIGHT_MAX:
            number = self._waiting.popleft()
            message_id, query = self._ids[number], self._queries[number]
            self._in_flight[message_id] = number
            parts.append(((len(query) + 2) << 16 | message_id).to_bytes(4, "big") + query)
        self._out = memoryview(b"".join(parts))

    def _again(self) -> bool:
        """After the connection ended: put what was under way back, unless this keeps happening."""
        self._connection.close()
        self._out = memoryview(b"")
        self._waiting.extendleft(sorted(self._in_flight.values(), reverse=True))
        self._in_flight.clear()
        self._barren += 1
        return self._barren <= _BARREN_CONNECTIONS_MAX

    def _deadline(self) -> float:
        return min(self._end, self._lively + self._connection.timeout_s)
