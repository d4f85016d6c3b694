"""Changes of a bulk write wait in line: each is sent when its intent is on disk and the one before it was written.

Three threads share the work. One prepares the next changes, one brings their intents to disk, one sends what is ready
and waits for the answer. None of them decides anything: the first answer that is not Written ends the line, and
what waited in it is not sent.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from msgspec import Struct

from standfast.ports.local import Unrecorded
from standfast.ports.provider import ProviderReply, Replace, Written

AHEAD: Final = 2
"""Changes that wait in line behind the one under way. So many intents at most are on disk for changes never made."""


class Answer(Struct, frozen=True):
    """What became of a change in line, and how many seconds its answer took. None: it was not sent, the line had ended.

    Unrecorded: it was not sent because its intent could not be brought to disk.
    """

    reply: ProviderReply | Unrecorded | None
    took_s: float = 0.0


class Line:
    """Sends changes one after the other. `settled` brings what was written of the journal to disk, or says why not."""

    def __init__(self, send: Callable[[Replace], ProviderReply], settled: Callable[[], str]) -> None:
        self._send, self._settled = send, settled
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="change")
        self._settler = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intent")
        self._ended = False

    def begin(self, change: Replace) -> "Future[Answer]":
        """The first change of a new line; its intent is on disk. The line before must have been `emptied`."""
        self._ended = False
        return self._sender.submit(self._sent, change, None)

    def join(self, change: Replace) -> "Future[Answer]":
        """The next one; its intent has been written, and is on its way to disk."""
        return self._sender.submit(self._sent, change, self._settler.submit(self._settled))

    def close(self) -> None:
        """No more changes."""
        self._settler.shutdown()
        self._sender.shutdown()

    def _sent(self, change: Replace, recorded: "Future[str] | None") -> Answer:
        if self._ended:
            return Answer(None)
        if recorded is not None and (why := recorded.result()):
            self._ended = True
            return Answer(Unrecorded(why))
        began = time.monotonic()
        self._ended = True  # also if it raises
        reply = self._send(change)
        self._ended = reply != Written()
        return Answer(reply, time.monotonic() - began)
