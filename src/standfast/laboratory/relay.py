"""The moving parts of the update proxy: its listeners, its connections to the server and the bytes between them.

DNS over TCP is a stream of messages, each behind two bytes of length (RFC 1035 §4.2.2, RFC 7766 §8). A client's
connection has one connection to the server, opened when first needed; if the server closes an idle one while a
message of that client is held or lost, the client does not notice.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Protocol

from standfast.laboratory import wire
from standfast.laboratory.ending import all_ended
from standfast.laboratory.faults import Fate, Rule, SeenUpdate

Address = tuple[str, int]
_UDP_PEERS_MAX = 512  # clients remembered for their replies; a prober with a socket per query uses one each
_PORT_ATTEMPTS = 50


class Sender(Protocol):
    """Who sent a message."""

    @property
    def listening(self) -> bool:
        """Whether a reply could still reach it."""

    async def deliver(self, reply: bytes) -> None:
        """Give it a reply, if it listens."""


class Desk(Protocol):
    """Who decides the fate of each UPDATE and keeps the record."""

    upstream: Address
    reply_timeout: float

    def judge(self, message: bytes, transport: str, sender: Sender) -> tuple[SeenUpdate, Rule]:
        """Enter an UPDATE in the log and say which rule is its fate."""

    def answered(self, seen: SeenUpdate, reply: bytes | None) -> None:
        """Note the server's reply to these bytes, or that there was none."""


class Relay:
    """Everything that runs in the proxy's event loop."""

    def __init__(self, proxy: Desk) -> None:
        self.proxy = proxy
        self._server: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._peers: OrderedDict[Address, _UdpPeer] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Bind UDP and TCP to one port, a free one if `port` is 0; OSError if it is taken."""
        loop = asyncio.get_running_loop()
        for attempt in range(_PORT_ATTEMPTS):
            server = await asyncio.start_server(self._accept, host, port, limit=1 << 17)
            bound: int = server.sockets[0].getsockname()[1]
            try:
                udp, _ = await loop.create_datagram_endpoint(lambda: _UdpFront(self), (host, bound))
            except OSError:
                server.close()
                await server.wait_closed()
                if port or attempt == _PORT_ATTEMPTS - 1:
                    raise
                continue
            self._server, self._udp = server, udp
            return bound
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Stop listening and end all tasks."""
        if self._udp is not None:
            self._udp.close()
        for peer in self._peers.values():
            peer.close()
        await all_ended(self._server, self._tasks)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something until it ends or the proxy stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def send(self, transport: str, message: bytes, copies: int) -> list[bytes | None]:
        """Send bytes to the server on a new connection and give its replies, None where none came in time."""
        send_one = self._send_udp if transport == "udp" else self._send_tcp
        return [await send_one(message) for _ in range(copies)]

    async def repeat(self, seen: SeenUpdate, rule: Rule) -> None:
        """Send bytes again after their first reply (or for want of one, after the time-out)."""
        waited = 0.0
        while not seen.rcodes and waited < self.proxy.reply_timeout:
            await asyncio.sleep(0.005)
            waited += 0.005
        await asyncio.sleep(rule.delay)
        for reply in await self.send(seen.transport, seen.message, rule.copies):
            self.proxy.answered(seen, reply)

    def from_udp(self, message: bytes, source: Address) -> None:
        """Take one datagram from a client."""
        peer = self._peers.get(source)
        if peer is None:
            peer = self._peers[source] = _UdpPeer(self, source)
            self.spawn(peer.open())
            if len(self._peers) > _UDP_PEERS_MAX:
                self._peers.popitem(last=False)[1].close()
        self._peers.move_to_end(source)
        peer.take(message)

    def to_udp(self, message: bytes, source: Address) -> None:
        """Send one datagram to a client."""
        if self._udp is not None and not self._udp.is_closing():
            self._udp.sendto(message, source)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # the task of this callback belongs to asyncio's streams: what `close` may cancel runs in one of ours
        await asyncio.wait([self.spawn(_TcpSession(self, reader, writer).run())])
        writer.close()  # of a session too that was cancelled before it had begun

    async def _send_tcp(self, message: bytes) -> bytes | None:
        try:
            async with asyncio.timeout(self.proxy.reply_timeout):
                reader, writer = await asyncio.open_connection(*self.proxy.upstream, limit=1 << 17)
                try:
                    write_frame(writer, message)
                    while (reply := await read_frame(reader)) is not None:
                        if wire.is_reply(reply) and wire.message_id(reply) == wire.message_id(message):
                            return reply
                    return None
                finally:
                    writer.close()
        except OSError:  # TimeoutError is one
            return None

    async def _send_udp(self, message: bytes) -> bytes | None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setblocking(False)
            try:
                async with asyncio.timeout(self.proxy.reply_timeout):
                    one.connect(self.proxy.upstream)
                    await loop.sock_sendall(one, message)
                    while True:
                        reply = await loop.sock_recv(one, 65535)
                        if wire.is_reply(reply) and wire.message_id(reply) == wire.message_id(message):
                            return reply
            except OSError:
                return None


class _Ledger:
    """Which replies a client's UPDATEs are waiting for, by message id."""

    def __init__(self) -> None:
        self._open: dict[int, list[tuple[SeenUpdate, Rule]]] = {}

    def expect(self, seen: SeenUpdate, rule: Rule) -> None:
        self._open.setdefault(wire.message_id(seen.message), []).append((seen, rule))

    def settle(self, reply: bytes) -> tuple[SeenUpdate, Rule] | None:
        if not (wire.is_update(reply) and wire.is_reply(reply)):
            return None
        waiting = self._open.get(wire.message_id(reply))
        return waiting.pop(0) if waiting else None


class _TcpSession:
    """A client's connection and the one to the server that belongs to it."""

    def __init__(self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._relay = relay
        self._reader = reader
        self._writer = writer
        self._upstream: asyncio.StreamWriter | None = None
        self._back: asyncio.Task[None] | None = None
        self._ledger = _Ledger()
        self._owed = 0  # messages of this client that the server has not seen
        self.listening = True

    async def run(self) -> None:
        try:
            while (message := await read_frame(self._reader)) is not None:
                await self._take(message)
        except OSError:
            pass  # the server cannot be reached: the client sees its connection end, as it would without us
        finally:
            self._hang_up()
            if self._back is not None:
                self._back.cancel()
            if self._upstream is not None:
                self._upstream.close()

    async def deliver(self, reply: bytes) -> None:
        if self.listening:
            self._owed = max(0, self._owed - 1)
            write_frame(self._writer, reply)
            with contextlib.suppress(OSError):
                await self._writer.drain()

    async def _take(self, message: bytes) -> None:
        if not wire.is_update(message) or wire.is_reply(message):
            await self._forward(message)
            return
        seen, rule = self._relay.proxy.judge(message, "tcp", self)
        if rule.fate in (Fate.HELD, Fate.REQUEST_DROPPED):
            self._owed += 1
            if rule.close:
                self._hang_up()
            return
        self._ledger.expect(seen, rule)
        await self._forward(message)
        if rule.fate is Fate.DUPLICATED:
            self._relay.spawn(self._relay.repeat(seen, rule))

    async def _forward(self, message: bytes) -> None:
        if self._upstream is None:
            reader, self._upstream = await asyncio.open_connection(*self._relay.proxy.upstream, limit=1 << 17)
            self._back = self._relay.spawn(self._return(reader, self._upstream))
        write_frame(self._upstream, message)
        await self._upstream.drain()

    async def _return(self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while (reply := await read_frame(reader)) is not None:
                settled = self._ledger.settle(reply)
                if settled is not None:
                    seen, rule = settled
                    self._relay.proxy.answered(seen, reply)
                    if rule.fate is Fate.REPLY_DROPPED:
                        self._owed += 1
                        if rule.close:
                            self._hang_up()
                        continue
                if self.listening:
                    write_frame(self._writer, reply)
                    await self._writer.drain()
        upstream.close()
        if self._upstream is upstream:
            self._upstream = None
        if not self._owed:
            self._hang_up()

    def _hang_up(self) -> None:
        self.listening = False
        self._writer.close()


class _UdpPeer(asyncio.DatagramProtocol):
    """A UDP client and the socket towards the server that stands for it."""

    listening = True

    def __init__(self, relay: Relay, source: Address) -> None:
        self._relay = relay
        self._source = source
        self._upstream: asyncio.DatagramTransport | None = None
        self._early: list[bytes] = []
        self._ledger = _Ledger()
        self._closed = False

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            self._upstream, _ = await loop.create_datagram_endpoint(
                lambda: self, remote_addr=self._relay.proxy.upstream
            )
            for message in self._early:
                self._upstream.sendto(message)
            self._early.clear()
            if self._closed:
                self._upstream.close()

    async def deliver(self, reply: bytes) -> None:
        self._relay.to_udp(reply, self._source)

    def close(self) -> None:
        self._closed = True
        if self._upstream is not None:
            self._upstream.close()

    def take(self, message: bytes) -> None:
        if wire.is_update(message) and not wire.is_reply(message):
            seen, rule = self._relay.proxy.judge(message, "udp", self)
            if rule.fate in (Fate.HELD, Fate.REQUEST_DROPPED):
                return
            self._ledger.expect(seen, rule)
            if rule.fate is Fate.DUPLICATED:
                self._relay.spawn(self._relay.repeat(seen, rule))
        if self._upstream is None:
            self._early.append(message)
        else:
            self._upstream.sendto(message)

    def datagram_received(self, data: bytes, addr: object) -> None:
        settled = self._ledger.settle(data)
        if settled is not None:
            seen, rule = settled
            self._relay.proxy.answered(seen, data)
            if rule.fate is Fate.REPLY_DROPPED:
                return
        self._relay.to_udp(data, self._source)

    def error_received(self, exc: Exception) -> None:
        """The server's port is closed just now: UDP loses the message, as it may."""


class _UdpFront(asyncio.DatagramProtocol):
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._relay.from_udp(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A client went away before its reply: nothing to do."""


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next message of a stream, or None at its end (a message cut short is an end)."""
    try:
        length = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def write_frame(writer: asyncio.StreamWriter, message: bytes) -> None:
    """Put one message into a stream."""
    writer.write(len(message).to_bytes(2, "big") + message)
