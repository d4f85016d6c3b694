"""Nothing that a loop of events opened is left open when it ends, however far a connection has come by then."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from standfast.laboratory.ending import all_ended


@pytest.mark.parametrize("rounds", range(8))
def test_a_connection_that_was_just_accepted_is_closed(rounds: int) -> None:
    """From one that still waits at the listener to one that is served: `rounds` of the loop later it ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def served(reader: asyncio.StreamReader) -> None:
        await reader.read()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(served(reader))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.wait([task])
        writer.close()

    async def day() -> None:
        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()):
            for _ in range(rounds):
                await asyncio.sleep(0)
            async with asyncio.timeout(30.0):
                await all_ended(server, tasks)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    loop = asyncio.new_event_loop()  # asyncio.run would tidy up itself
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        loop.run_until_complete(day())
        loop.close()
        gc.collect()
    assert [str(one.message) for one in told] == []
