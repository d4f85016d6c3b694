"""A way to a DNS server on which everything takes long, UDP and TCP: each message waits `delay_s` on its way there."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import cast

from harness.ports import HOST, free_port
from standfast.laboratory.ending import all_ended

Address = tuple[str, int]


class SlowWay:
    """Listens on a free port of loopback while it is entered. `delay_s` may be changed at any time."""

    def __init__(self, server: Address, delay_s: float) -> None:
        self.server, self.delay_s = server, delay_s
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow way", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> SlowWay:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _listen(self) -> int:
        port = free_port()  # for both: one of the kernel's may be somebody's for UDP
        self._tcp = await asyncio.start_server(self._accepted, HOST, port)
        self._udp, _ = await self._loop.create_datagram_endpoint(lambda: _Front(self), (HOST, port))
        return port

    async def _close(self) -> None:
        self._udp.close()
        await all_ended(self._tcp, self._tasks)

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something until it ends or the way is closed."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.wait([self.start(self._relay(reader, writer))])
        writer.close()  # of one too that was cancelled before it had begun

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.server)
        except OSError:
            return
        back = self.start(_copied(far_reader, writer))
        try:
            while data := await reader.read(1 << 16):
                await asyncio.sleep(self.delay_s)
                far_writer.write(data)
                await far_writer.drain()
        except OSError:
            pass
        finally:
            back.cancel()
            far_writer.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


class _Front(asyncio.DatagramProtocol):
    """Takes clients' datagrams."""

    def __init__(self, way: SlowWay) -> None:
        self._way = way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # Python 3.11's is none by its class

    def datagram_received(self, data: bytes, address: Address) -> None:
        self._way.start(self._passed(data, address))

    async def _passed(self, data: bytes, address: Address) -> None:
        await asyncio.sleep(self._way.delay_s)
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[bytes] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Back(heard), remote_addr=self._way.server)
        try:
            transport.sendto(data)
            async with asyncio.timeout(5.0):
                self._transport.sendto(await heard, address)
        except (OSError, TimeoutError):
            pass
        finally:
            transport.close()


class _Back(asyncio.DatagramProtocol):
    """Takes the server's one reply."""

    def __init__(self, heard: asyncio.Future[bytes]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, address: Address) -> None:
        if not self._heard.done():
            self._heard.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self._heard.done():
            self._heard.set_exception(error)
