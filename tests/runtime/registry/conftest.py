"""What a registry sets for its whole process is set back, since here several run in one."""

from __future__ import annotations

import gc
import sys
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def the_process_as_before() -> Iterator[None]:
    """Of two that run at once the one that began later takes what the other had set for what was before."""
    swept, switched, sealed = gc.get_threshold(), sys.getswitchinterval(), SSLProtocol.max_size
    yield
    gc.set_threshold(*swept)
    sys.setswitchinterval(switched)
    SSLProtocol.max_size = sealed
