"""Many lease holders in one process, each with its own state, over a bounded number of kept-alive connections.

Each behaves as `standfast agent` does (`recovery/holding.py`), or as a naive retry loop does: no answer within the
time-out, or a refusal, and it tries again at once. A request whose time is over is given up, and so is its connection.
Sockets are served by epoll and nothing else in between: who measures must not be what is waited for. What has arrived
is read before any time-out is declared, and how late this process ever came is told: `lag`.
Prints one JSON line: for each tenth of a second, how many got their lease; how many tries and refusals it took.
"""

import argparse
import errno
import heapq
import json
import random
import select
import socket
import time
from collections import deque
from typing import Final

import click

from standfast.recovery.holding import Holder, beginning

TENTH_S: Final = 0.1
ROUND_MAX: Final = 512
CONNECTING_MAX: Final = 256
"""Fewer than a listener's backlog: what it drops is tried again by the kernel after a second."""


class Connection:
    """One connection, one request at a time. `deadline` is that of the request under way."""

    __slots__ = ("buffer", "deadline", "holder", "open", "socket")

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex((host, port))
        self.holder: int | None = None
        self.deadline, self.buffer, self.open = 0.0, b"", False


class Crowd:
    """All holders of this process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.done: list[int] = []
        self.tries = self.refusals = self.timeouts = self.left = 0
        self.lag = 0.0
        self._epoll = select.epoll()
        self._there: dict[int, Connection] = {}
        self._wanted, self._connecting, self._open = options.connections, 0, 0
        self._free: deque[Connection] = deque()
        self._asked: deque[tuple[float, Connection]] = deque()  # by deadline
        self._random = random.Random(options.seed)
        self._due: list[tuple[float, int]] = []
        self._ready: deque[int] = deque()
        self._holders: dict[int, Holder] = {}
        self._head = (
            f" HTTP/1.1\r\nhost: registry\r\nauthorization: Bearer {options.key}\r\n"
            "content-type: application/json\r\ncontent-length: "
        )
        self._began = 0.0

    def run(self) -> None:
        """Until everybody holds a lease, or the time is over."""
        options = self.options
        while self._open < options.connections:
            self._connect()
            self._serve_sockets(0.05)
        while (rest := options.at - time.time()) > 0:
            self._serve_sockets(min(rest, 0.05))
        self._began = now = time.monotonic()
        self.left = options.holders
        for number in range(options.holders):
            self._holders[number] = beginning(now, self._random.random(), spread_s=options.spread)
            heapq.heappush(self._due, (self._holders[number].due, number))
        looked = time.monotonic()
        while self.left and looked - self._began < options.most:
            self._connect()
            self._serve_sockets(self._rest(time.monotonic()))
            now = time.monotonic()
            self.lag, looked = max(self.lag, now - looked), now
            self._give_up(now)
            self._ask(now)

    # -- sockets ---------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        while self._wanted and self._connecting < CONNECTING_MAX:
            self._wanted, self._connecting = self._wanted - 1, self._connecting + 1
            one = Connection(self.options.host, self.options.port)
            self._there[one.socket.fileno()] = one
            self._epoll.register(one.socket.fileno(), select.EPOLLOUT)

    def _rest(self, now: float) -> float:
        """How long nothing but a socket has to be waited for."""
        if self._ready and self._free:
            return 0.0
        first = min(self._due[0][0] if self._due else now + 1.0, self._asked[0][0] if self._asked else now + 1.0)
        return max(0.0, min(first - now, 0.02))

    def _serve_sockets(self, wait_s: float) -> None:
        for file, events in self._epoll.poll(wait_s, ROUND_MAX):
            one = self._there.get(file)
            if one is None:
                continue
            if one.open:
                self._read(one)
            elif events & (select.EPOLLERR | select.EPOLLHUP):
                self._connecting -= 1
                self._drop(one)
            else:
                one.open, self._connecting, self._open = True, self._connecting - 1, self._open + 1
                self._epoll.modify(file, select.EPOLLIN)
                self._free.append(one)

    def _read(self, one: Connection) -> None:
        try:
            data = one.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            holder = one.holder
            self._drop(one)
            if holder is not None:
                self._unheard(holder, time.monotonic())
            return
        one.buffer += data
        if one.holder is None or (answer := _answer(one.buffer)) is None:
            return
        holder, one.holder, one.buffer = one.holder, None, b""
        self._free.append(one)
        self._answered(holder, *answer)

    def _drop(self, one: Connection) -> None:
        """It is over; another in its place."""
        file = one.socket.fileno()
        self._epoll.unregister(file)
        del self._there[file]
        one.socket.close()
        if one.open:
            self._open -= 1
        one.open, one.holder = False, None
        self._wanted += 1

    # -- holders ---------------------------------------------------------------------------------------------------

    def _give_up(self, now: float) -> None:
        while self._asked and self._asked[0][0] <= now:
            deadline, one = self._asked.popleft()
            if one.holder is None or one.deadline != deadline:
                continue
            self._read(one)  # it may have come since
            if one.holder is None or one.deadline != deadline:
                continue
            self.timeouts += 1
            holder = one.holder
            self._drop(one)
            self._unheard(holder, now)

    def _ask(self, now: float) -> None:
        """Send whoever is due, as far as there are connections."""
        while self._due and self._due[0][0] <= now:
            self._ready.append(heapq.heappop(self._due)[1])
        while self._ready and self._free:
            one = self._free.popleft()
            if not one.open:
                continue
            holder = self._ready.popleft()
            self.tries += 1
            one.holder, one.deadline = holder, now + self.options.timeout
            self._asked.append((one.deadline, one))
            try:
                one.socket.send(self._request(holder))
            except OSError as error:
                if error.errno not in (errno.EPIPE, errno.ECONNRESET):
                    raise
                self._drop(one)
                self._unheard(holder, now)

    def _request(self, holder: int) -> bytes:
        number = self.options.first + holder
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        body = f'{{"az":"a","ip":["{address}"],"pool":"edge","capacity":100,"health":"up"}}'
        return f"PUT /v1/leases/{self.options.prefix}{holder}{self._head}{len(body)}\r\n\r\n{body}".encode()

    def _answered(self, holder: int, status: int, retry: float | None) -> None:
        """One try is over."""
        now = time.monotonic()
        if status == 200:
            self.left -= 1
            self.done.append(int((now - self._began) / TENTH_S))
            del self._holders[holder]
            return
        self.refusals += 1
        if self.options.naive or retry is None:
            self._unheard(holder, now)
        else:
            self._holders[holder] = self._holders[holder].appointed(now, retry, self._random.random(), exact=True)
            heapq.heappush(self._due, (self._holders[holder].due, holder))

    def _unheard(self, holder: int, now: float) -> None:
        if self.options.naive:
            self._ready.append(holder)
            return
        self._holders[holder] = self._holders[holder].failed(now, self._random.random())
        heapq.heappush(self._due, (self._holders[holder].due, holder))


def _answer(buffer: bytes) -> tuple[int, float | None] | None:
    """Status and Retry-After-Ms, in seconds, of a whole answer; None: it is not whole yet."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    at = head.find(b"content-length: ")
    length = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    if len(buffer) < end + 4 + length:
        return None
    at = head.find(b"retry-after-ms: ")
    return int(head[9:12]), int(head[at + 16 :].split(b"\r\n", 1)[0]) / 1000 if at >= 0 else None


def main() -> None:
    """One process of the crowd."""
    options = argparse.ArgumentParser()
    for name, kind, default in (
        ("--holders", int, 1000), ("--connections", int, 100), ("--timeout", float, 3.0), ("--spread", float, 1.0),
        ("--most", float, 600.0), ("--at", float, 0.0), ("--seed", int, 1), ("--host", str, "127.0.0.1"),
        ("--port", int, 0), ("--key", str, ""), ("--prefix", str, "h-"), ("--first", int, 0),
    ):  # fmt: skip
        options.add_argument(name, type=kind, default=default)
    options.add_argument("--naive", action="store_true")
    crowd = Crowd(options.parse_args())
    crowd.run()
    tenths = [0] * (max(crowd.done, default=0) + 1)
    for tenth in crowd.done:
        tenths[tenth] += 1
    facts = {"tries": crowd.tries, "refusals": crowd.refusals, "timeouts": crowd.timeouts, "left": crowd.left}
    click.echo(json.dumps({**facts, "lag": round(crowd.lag, 3), "tenths": tenths}))


if __name__ == "__main__":
    main()
