"""How a loop of events ends that has served connections: nothing that it opened is left open."""

from __future__ import annotations

import asyncio


async def all_ended(server: asyncio.Server | None, ours: set[asyncio.Task[None]]) -> None:
    """Stop listening, cancel our tasks, and wait until this loop has none but the caller's.

    Tasks that are not ours are left to end by themselves: asyncio's, of connections that it has just accepted, and what
    other threads began. `ours` may grow meanwhile by what these begin, and shrinks by what ends.
    """
    # A server that is closed attaches no connection any more, and one that was accepted just before then stays open
    # until the garbage collector finds it (CPython 3.11, asyncio.base_events.Server._attach): accept none, then close.
    for listening in server.sockets if server else ():
        asyncio.get_running_loop().remove_reader(listening.fileno())
    caller = asyncio.current_task()
    while others := asyncio.all_tasks() - {caller}:
        for task in ours:
            task.cancel()
        await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
    if server:
        server.close()
    await asyncio.sleep(0)  # transports close in the next round of the loop
