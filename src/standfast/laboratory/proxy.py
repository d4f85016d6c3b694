"""A proxy before a real DNS server that holds, drops and repeats UPDATE messages without changing a byte of them.

Rule 1.  Queries pass at once. Only UPDATE requests (RFC 2136) are looked at, and of those only the header and the
         owner names.
Rule 2.  What is released or repeated is exactly what was received, so a TSIG still holds, within its 300 seconds.
Rule 3.  The rcodes reported are the server's own, read from its replies; None means that no reply came.

One thread runs an event loop; every public method may be called from any other thread. `control.py` runs the same
object in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from standfast.laboratory import relay, wire
from standfast.laboratory.faults import Fate, Match, Rule, SeenUpdate, mentions
from standfast.laboratory.wire import Rcode

T = TypeVar("T")
LOG_LIMIT = 20_000

__all__ = ["Fate", "HeldUpdate", "Match", "Rcode", "SeenUpdate", "UpdateProxy", "mentions"]


@dataclass(eq=False)
class HeldUpdate:
    """Real bytes that the server has not seen yet."""

    seen: SeenUpdate
    sender: relay.Sender
    released: bool = False
    listened_at_release: bool | None = None

    @property
    def message(self) -> bytes:
        """The bytes as the sender signed them."""
        return self.seen.message

    @property
    def sender_listens(self) -> bool:
        """Whether the sender's TCP connection is still open (UDP: always, there is nothing to tell)."""
        return self.sender.listening


class UpdateProxy:
    """Listens on a loopback port, UDP and TCP, in front of `upstream`; a context manager.

    `port` 0 takes a free one. `reply_timeout`, in seconds, bounds the wait for the server's reply to a release.
    """

    def __init__(
        self, upstream: tuple[str, int], *, host: str = "127.0.0.1", port: int = 0, reply_timeout: float = 10.0
    ) -> None:
        self.upstream = upstream
        self.host = host
        self.port = port
        self.reply_timeout = reply_timeout
        self._changed = threading.Condition()
        self._rules: list[Rule] = []
        self._held: list[HeldUpdate] = []
        self._log: deque[SeenUpdate] = deque(maxlen=LOG_LIMIT)
        self._numbers = itertools.count(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._relay = relay.Relay(self)

    # Running

    def start(self) -> Self:
        """Listen. Raises OSError if the port is taken."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="update-proxy", daemon=True)
        self._thread.start()
        try:
            self.port = self._run(self._relay.listen(self.host, self.port))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Close every connection; what is still held is never sent. Calling it twice does no harm."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._relay.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    # Faults to come: the first rule with something left that matches decides

    def hold_next(self, count: int = 1, match: Match | None = None, *, close: bool = False) -> None:
        """Keep the next `count` matching UPDATEs; `close` hangs up on the sender, else it goes on waiting."""
        self._add(Rule(Fate.HELD, count, match, close))

    def drop_replies(self, count: int = 1, match: Match | None = None, *, close: bool = False) -> None:
        """Let the server act on the next `count` UPDATEs and discard what it answers."""
        self._add(Rule(Fate.REPLY_DROPPED, count, match, close))

    def drop_requests(self, count: int = 1, match: Match | None = None, *, close: bool = False) -> None:
        """Lose the next `count` UPDATEs for ever."""
        self._add(Rule(Fate.REQUEST_DROPPED, count, match, close))

    def duplicate(self, count: int = 1, match: Match | None = None, *, copies: int = 1, delay: float = 0.0) -> None:
        """Send each of the next `count` UPDATEs `copies` times more, `delay` seconds after its first reply."""
        self._add(Rule(Fate.DUPLICATED, count, match, copies=copies, delay=delay))

    def clear(self) -> None:
        """Forget all rules. What is held stays held."""
        with self._changed:
            self._rules.clear()

    # What happened

    @property
    def held(self) -> list[HeldUpdate]:
        """What is held and not yet released, oldest first."""
        with self._changed:
            return [held for held in self._held if not held.released]

    def wait_held(self, timeout: float = 30.0, count: int = 1) -> list[HeldUpdate]:
        """Wait until `count` are held and give them; TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.held) >= count, timeout):
                raise TimeoutError(f"{len(self.held)} of {count} updates held after {timeout:g} s")
            return self.held

    @property
    def log(self) -> list[SeenUpdate]:
        """Every UPDATE seen, oldest first (the last 20,000), as copies that change no more."""
        with self._changed:
            return [replace(seen, rcodes=list(seen.rcodes)) for seen in self._log]

    def wait_log(self, wanted: Callable[[list[SeenUpdate]], bool], timeout: float = 30.0) -> list[SeenUpdate]:
        """Wait until the log satisfies `wanted` and give it; TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: wanted(self.log), timeout):
                raise TimeoutError(f"the log of {len(self._log)} updates is not as wanted after {timeout:g} s")
            return self.log

    # Faults now

    def release(self, held: HeldUpdate, copies: int = 1, *, deliver: bool = True) -> list[Rcode | None]:
        """Send the held bytes to the server on a new connection, `copies` times; the rcode of each reply.

        `held.listened_at_release` tells whether the sender was still there; if so, and if `deliver`, it gets the
        first reply.
        """
        with self._changed:
            held.released = True
            held.listened_at_release = held.sender_listens
        replies = self._run(self._relay.send(held.seen.transport, held.message, copies))
        for reply in replies:
            self.answered(held.seen, reply)
        if deliver and replies[:1] and replies[0] is not None:
            self._run(held.sender.deliver(replies[0]))
        return _rcodes(replies)

    def resend(self, seen: SeenUpdate, copies: int = 1) -> list[Rcode | None]:
        """Send bytes from the log again, now; the rcode of each reply."""
        replies = self._run(self._relay.send(seen.transport, seen.message, copies))
        with self._changed:
            original = next((one for one in self._log if one.number == seen.number), None)
        for reply in replies:
            self.answered(original or seen, reply)
        return _rcodes(replies)

    # For the relay, in its thread

    def judge(self, message: bytes, transport: str, sender: relay.Sender) -> tuple[SeenUpdate, Rule]:
        """Enter an UPDATE in the log and say which rule is its fate."""
        with self._changed:
            rule = next((one for one in self._rules if one.left > 0 and _matches(one, message)), None)
            if rule is None:
                rule = Rule(Fate.PASSED, 1)
            rule.left -= 1
            seen = SeenUpdate(next(self._numbers), time.time(), transport, message, rule.fate)
            self._log.append(seen)
            if rule.fate is Fate.HELD:
                self._held.append(HeldUpdate(seen, sender))
            self._rules = [one for one in self._rules if one.left > 0]
            self._changed.notify_all()
            return seen, rule

    def answered(self, seen: SeenUpdate, reply: bytes | None) -> None:
        """Note the server's reply to these bytes, or that there was none."""
        with self._changed:
            seen.rcodes.append(None if reply is None else wire.rcode(reply))
            self._changed.notify_all()

    def _add(self, rule: Rule) -> None:
        with self._changed:
            self._rules.append(rule)

    def _run(self, work: Coroutine[object, object, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the proxy is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _matches(rule: Rule, message: bytes) -> bool:
    """A predicate that raises would kill the connection silently: it counts as no match."""
    with contextlib.suppress(Exception):
        return rule.match is None or rule.match(message)
    return False


def _rcodes(replies: list[bytes | None]) -> list[Rcode | None]:
    return [None if reply is None else wire.rcode(reply) for reply in replies]
