"""Many lease holders in one process, each with its own state, over a bounded number of kept-alive connections.

Each behaves as `standfast agent` does (`recovery/holding.py`), or as a naive retry loop does: no answer within the
time-out, or a refusal, and it tries again at once. A request whose time is over is given up, and so is its connection.
Prints one JSON line: for each tenth of a second, how many got their lease; how many tries and refusals it took.
"""

import argparse
import asyncio
import heapq
import json
import random
import time
from collections import deque
from typing import Final

import click

from standfast.recovery.holding import Holder, beginning

TENTH_S: Final = 0.1


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, crowd: "Crowd") -> None:
        self.crowd = crowd
        self.transport: asyncio.Transport | None = None
        self.holder: int | None = None
        self.turn = 0
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can be used."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.crowd.free.append(self)
        self.crowd.serve()

    def ask(self, holder: int, request: bytes) -> None:
        """Send that holder's request."""
        assert self.transport is not None
        self.holder, self.turn, self._buffer = holder, self.turn + 1, b""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """A whole answer, sooner or later."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self.holder is None:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        holder, self.holder = self.holder, None
        status = int(head[9:12])
        at = head.find(b"retry-after: ")
        retry = float(head[at + 13 :].split(b"\r\n", 1)[0]) if at >= 0 else None
        self.crowd.free.append(self)
        self.crowd.answered(holder, status, retry)

    def connection_lost(self, exc: Exception | None) -> None:
        """Another in its place."""
        self.crowd.lost(self)


class Crowd:
    """All holders of this process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.free: deque[Connection] = deque()
        self.asked: deque[tuple[float, Connection, int]] = deque()  # by deadline
        self.done: list[int] = []
        self.tries = self.refusals = self.timeouts = self.left = 0
        self._random = random.Random(options.seed)
        self._due: list[tuple[float, int]] = []
        self._ready: deque[int] = deque()
        self._holders: dict[int, Holder] = {}
        self.over = False
        """Nothing is asked or connected anew."""
        self._began = 0.0
        self._open = 0

    async def run(self) -> None:
        """Until everybody holds a lease, or the time is over."""
        options, loop = self.options, asyncio.get_running_loop()
        for _ in range(options.connections):
            self._connect(loop)
        while self._open < options.connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(max(0.0, options.at - time.time()))
        self._began = now = time.monotonic()
        self.left = options.holders
        for number in range(options.holders):
            self._holders[number] = beginning(now, self._random.random(), spread_s=options.spread)
            heapq.heappush(self._due, (self._holders[number].due, number))
        while self.left and time.monotonic() - self._began < options.most:
            self._tick()
            await asyncio.sleep(0.005)
        self.over = True
        for one in [*(asked[1] for asked in self.asked), *self.free]:
            if one.transport is not None:
                one.transport.abort()

    def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        async def connect() -> None:
            while not self.over:
                try:
                    await loop.create_connection(lambda: Connection(self), self.options.host, self.options.port)
                    self._open += 1
                    return
                except OSError:
                    await asyncio.sleep(0.05)

        loop.create_task(connect())

    def _tick(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            self._ready.append(heapq.heappop(self._due)[1])
        while self.asked and self.asked[0][0] <= now:
            _, one, turn = self.asked.popleft()
            if one.turn != turn or one.holder is None:
                continue
            holder, one.holder = one.holder, None
            if one.transport is not None:
                one.transport.abort()
            self.timeouts += 1
            self._unheard(holder, now)
        self.serve()

    def serve(self) -> None:
        """Send whoever is due, as far as there are connections."""
        now = time.monotonic()
        while self._ready and self.free and not self.over:
            one, holder = self.free.popleft(), self._ready.popleft()
            if one.transport is None or one.transport.is_closing():
                self._ready.appendleft(holder)
                continue
            self.tries += 1
            self.asked.append((now + self.options.timeout, one, one.turn + 1))
            one.ask(holder, self._request(holder))

    def _request(self, holder: int) -> bytes:
        name = f"{self.options.prefix}{holder}"
        number = self.options.first + holder
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        body = b'{"az":"a","ip":["%b"],"pool":"edge","capacity":100,"health":"up"}' % address.encode()
        head = (
            f"PUT /v1/leases/{name} HTTP/1.1\r\nhost: registry\r\nauthorization: Bearer {self.options.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def answered(self, holder: int, status: int, retry: float | None) -> None:
        """One try is over."""
        now = time.monotonic()
        if status == 200:
            self.left -= 1
            self.done.append(int((now - self._began) / TENTH_S))
            del self._holders[holder]
        elif self.over:
            return
        else:
            self.refusals += 1
            if self.options.naive or retry is None:
                self._unheard(holder, now)
            else:
                self._holders[holder] = self._holders[holder].appointed(now, retry, self._random.random())
                heapq.heappush(self._due, (self._holders[holder].due, holder))
        self.serve()

    def _unheard(self, holder: int, now: float) -> None:
        if self.options.naive:
            self._ready.append(holder)
            return
        self._holders[holder] = self._holders[holder].failed(now, self._random.random())
        heapq.heappush(self._due, (self._holders[holder].due, holder))

    def lost(self, connection: Connection) -> None:
        """A connection has ended; its request is unheard."""
        if self.over:
            return
        holder, connection.holder = connection.holder, None
        if holder is not None:
            self._unheard(holder, time.monotonic())
        self._connect(asyncio.get_running_loop())


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
    asyncio.run(crowd.run())
    tenths = [0] * (max(crowd.done, default=0) + 1)
    for tenth in crowd.done:
        tenths[tenth] += 1
    facts = {"tries": crowd.tries, "refusals": crowd.refusals, "timeouts": crowd.timeouts, "left": crowd.left}
    click.echo(json.dumps({**facts, "tenths": tenths}))


if __name__ == "__main__":
    main()
