"""Changes of a bulk write, one behind the other: each is sent as soon as its intent is on disk, ahead of the answers.

That is safe: a change asserts the floor's nonce that the one before it puts, so that after any of them that was not
written, none behind it can be; and if it was, though nobody heard of it, what follows it is what was meant.

Three threads share the work. One prepares the next changes, one brings their intents to disk and sends them, one waits
for the answers. None of them decides anything: the first answer that is not Written ends the line. What was sent
behind it is in vain, and its answers are waited for; what was not sent yet is not sent.
"""

import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from standfast.core.enactor import Enactor
from standfast.ports.local import Unrecorded
from standfast.ports.provider import ProviderReply, Replace, Written

AHEAD: Final = 2
"""Changes behind the one whose answer is waited for. So many intents at most are on disk for changes in vain."""


class Answer(Struct, frozen=True):
    """What became of a change in line, and how many seconds its answer took. None: it was not sent, the line had ended.

    Unrecorded: it was not sent because its intent could not be brought to disk.
    """

    reply: ProviderReply | Unrecorded | None
    took_s: float = 0.0


class _Way(Struct, frozen=True):
    """How far a change came: why its intent is not on disk, whether it was sent, and when."""

    unrecorded: str = ""
    posted: bool = False
    at: float = 0.0


class Line:
    """`post` sends a change or says that it can't now, `send` gives its answer, having sent it if it was not posted;
    `settled` brings what was written of the journal to disk, or says why not."""

    def __init__(
        self,
        post: Callable[[Replace], bool],
        send: Callable[[Replace], ProviderReply],
        settled: Callable[[], str],
    ) -> None:
        self._post, self._send, self._settled = post, send, settled
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="change")
        self._settler = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intent")
        self._ended = self._unbroken = False

    def begin(self, change: Replace) -> "Future[Answer] | None":
        """The first change of a new line; its intent is on disk. All answers of the line before must have been had.

        None: it can't be posted now, so there is no line; nothing was sent.
        """
        at = time.monotonic()
        if not self._post(change):
            return None
        self._ended, self._unbroken = False, True
        way: Future[_Way] = Future()
        way.set_result(_Way(posted=True, at=at))
        return self._sender.submit(self._answer, change, way)

    def join(self, change: Replace) -> "Future[Answer]":
        """The next one; its intent has been written, and is on its way to disk."""
        return self._sender.submit(self._answer, change, self._settler.submit(self._sent, change))

    def close(self) -> None:
        """No more changes."""
        self._settler.shutdown()
        self._sender.shutdown()

    def _sent(self, change: Replace) -> _Way:
        if why := self._settled():
            self._unbroken = False
            return _Way(unrecorded=why)
        at = time.monotonic()
        # Behind one that was not posted, a change would overtake it.
        self._unbroken = self._unbroken and not self._ended and self._post(change)
        return _Way(posted=self._unbroken, at=at)

    def _answer(self, change: Replace, waited: "Future[_Way]") -> Answer:
        way = waited.result()
        if way.unrecorded and not self._ended:
            self._ended = True
            return Answer(Unrecorded(way.unrecorded))
        if self._ended and not way.posted:
            return Answer(None)
        began = way.at if way.posted else time.monotonic()
        try:
            reply = self._send(change)
        except BaseException:
            self._ended = True
            raise
        self._ended = self._ended or reply != Written()
        return Answer(reply, time.monotonic() - began)


@contextmanager
def uncollected() -> Iterator[None]:
    """A bulk write without looking for cyclic garbage: plans and cores have none, and looking takes a seventh of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def insisted(cores: list[Enactor]) -> bool:
    """Whether somebody insists on other contents: telling of that asks the server, which is not to be asked for two
    things at once."""
    return any(outcome.result == "left" for core in cores for outcome in core.outcomes)
