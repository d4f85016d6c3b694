"""The driver of the rota: that it ends when told."""

import asyncio
from typing import Any

import pytest

from standfast.runtime.probing import Target
from standfast.runtime.rounds import Rounds


async def checked(target: Target) -> None:
    await asyncio.sleep(0)


def heard(*_: Any) -> None:
    """Of no interest."""


@pytest.mark.parametrize("steps", range(12))
def test_a_cancellation_that_meets_a_change_is_not_forgotten(steps: int) -> None:
    """However many steps of the loop lie between a change of targets and the end."""

    async def main() -> bool:
        rounds = Rounds(60.0, 1.0, 4, checked, heard)
        rounds.keep({"lb-1": Target("lb-1", ("192.0.2.1",), 443)})
        running = asyncio.create_task(rounds.run(heard))
        await asyncio.sleep(0.01)
        rounds.keep({"lb-1": Target("lb-1", ("192.0.2.99",), 443)})
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        _, pending = await asyncio.wait([running], timeout=20.0)
        running.cancel()
        return not pending

    assert asyncio.run(main())
