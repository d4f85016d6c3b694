"""The sockets: UDP and TCP on one port, with a bound on everything a stranger can make us hold (RFC 7766).

Queries are answered on the spot. An update waits for its turn and for the disk in a task of its own that neither
a client who hangs up nor `stop` cancels: once begun, it ends with zone and file agreeing. On one TCP connection
requests are answered in the order they came, so a client may send a chain of dependent updates without waiting for
each answer.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, cast

from standfast.adapters.nameserver.authentication import Keyring
from standfast.adapters.nameserver.persistence import ZoneStore
from standfast.adapters.nameserver.responder import PendingUpdate, Responder

log = logging.getLogger(__name__)

IDLE_TIMEOUT: Final = 10.0
"""Seconds a TCP client may say, or take, nothing before we hang up."""
HANG_UP_S: Final = 1.0
"""So long the last answer may take to go out when we hang up."""
MAX_CONNECTIONS: Final = 128
MAX_UPDATES: Final = 256
"""Updates under way at once; one more over UDP is dropped, as BIND does: the client asks again."""
_PORT_ATTEMPTS: Final = 20


class Nameserver:
    """An authoritative server for some zones. The stores stay the caller's, to close after `stop`."""

    def __init__(
        self,
        zones: Mapping[str, ZoneStore],
        keys: Keyring,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        idle_timeout: float = IDLE_TIMEOUT,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        """`zones` maps apex to store; `keys` maps key name to secret (bytes mean hmac-sha256) or dnspython Key."""
        self._responder = Responder(zones, keys)
        self._host = host
        self._port = port
        self._idle_timeout = idle_timeout
        self._max_connections = max_connections
        self._server: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._updates: set[asyncio.Task[bytes]] = set()

    async def start(self) -> int:
        """Listen; the port (the same for UDP and TCP). Raises OSError if it is taken."""
        for attempt in range(_PORT_ATTEMPTS):
            server = await asyncio.start_server(self._connected, self._host, self._port, backlog=128)
            port = int(server.sockets[0].getsockname()[1])
            try:
                self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(self._host, port)
                )
            except OSError:
                server.close()
                await server.wait_closed()
                if self._port or attempt == _PORT_ATTEMPTS - 1:
                    raise
            else:
                self._server = server
                return port
        raise AssertionError("unreachable")

    async def stop(self) -> None:
        """Stop listening, hang up, and wait for updates that have begun."""
        if self._server is not None:
            self._server.close()
        if self._udp is not None:
            self._udp.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, *self._updates, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        self._server = self._udp = None
        await asyncio.sleep(0)  # lets closed transports tell their protocols

    # -- UDP -------------------------------------------------------------------------------------------------------

    def datagram(self, wire: bytes, client: tuple[str, int], transport: asyncio.DatagramTransport) -> None:
        """Answer one datagram, now or when its update is on disk."""
        response = self._responder.respond(wire, tcp=False)
        if isinstance(response, bytes):
            transport.sendto(response, client)
        elif isinstance(response, PendingUpdate) and len(self._updates) < MAX_UPDATES:
            task = self._begin(response)
            task.add_done_callback(lambda done: _send_result(done, client, transport))

    def _begin(self, update: PendingUpdate) -> asyncio.Task[bytes]:
        task = asyncio.get_running_loop().create_task(update.run())
        self._updates.add(task)
        task.add_done_callback(self._updates.discard)
        return task

    # -- TCP -------------------------------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= self._max_connections:
            writer.close()
            return
        self._connections.add(task)
        try:
            while True:
                await self._one_request(reader, writer)
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            pass  # the client left, or says nothing
        except asyncio.CancelledError:
            pass  # stop(); nothing awaits this task's result
        finally:
            self._connections.discard(task)
            writer.close()
            try:
                async with asyncio.timeout(HANG_UP_S):
                    await writer.wait_closed()
            except OSError:
                pass
            finally:  # whoever takes nothing would keep this, and `stop`, for ever
                writer.transport.abort()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one framed message (RFC 1035 §4.2.2) and write its answer."""
        async with asyncio.timeout(self._idle_timeout):
            size = int.from_bytes(await reader.readexactly(2), "big")
            wire = await reader.readexactly(size)
        response = self._responder.respond(wire, tcp=True)
        if isinstance(response, PendingUpdate):
            response = await asyncio.shield(self._begin(response))
        if response is None:
            return
        for message in [response] if isinstance(response, bytes) else response:
            writer.write(len(message).to_bytes(2, "big") + message)
            async with asyncio.timeout(self._idle_timeout):
                await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, nameserver: Nameserver) -> None:
        self._nameserver = nameserver
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own class does not derive from it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self._nameserver.datagram(data, addr, self._transport)

    def error_received(self, exc: Exception) -> None:
        log.debug("a client could not be reached: %s", exc)


def _send_result(task: asyncio.Task[bytes], client: tuple[str, int], transport: asyncio.DatagramTransport) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        log.error("defect while updating; the client gets no answer", exc_info=error)
    elif not transport.is_closing():
        transport.sendto(task.result(), client)
