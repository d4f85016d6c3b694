"""Sends notifications, one after the other, in a thread: bounded in number, in size, in time and in patience.

Nothing waits for it. If the receiver is away the oldest waiting ones go first when there are too many, and what was
dropped is counted. The URL is a secret: no message of ours has it, nor anything the receiver says.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import httpx

from standfast.errors import StandfastError

from .news import Notification
from .templates import Renderer

WAITING_MAX: Final = 200
ATTEMPTS: Final = 6
FIRST_PAUSE_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
TIMEOUT_S: Final = 5.0
REPLY_OCTETS_MAX: Final = 4096
_STOPPED: Final = "stopped before it was sent"
_AGAIN: Final = frozenset({408, 425, 429})


class Attempt(Exception):
    """It was not taken. `again`: it may be later."""

    def __init__(self, why: str, *, again: bool, pause_s: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.again, self.pause_s = why, again, pause_s


class Sender:
    """`count` hears what became of each; `tell` what is wrong with the receiver, and, with nothing, that it is not."""

    def __init__(
        self,
        url: str,
        renderer: Renderer,
        *,
        count: Callable[[str], None] = lambda result: None,
        tell: Callable[[str], None] = lambda trouble: None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._url, self._renderer, self._count, self._tell = url, renderer, count, tell
        self._first_pause_s = first_pause_s
        self._client = httpx.Client(follow_redirects=False)  # a redirect would carry the secret elsewhere
        self._waiting: deque[Notification] = deque()
        self._more = threading.Condition()
        self._under_way: tuple[Notification, ...] = ()

    @property
    def unsent(self) -> tuple[Notification, ...]:
        """What waits, and before it what is being sent."""
        with self._more:
            return (*self._under_way, *self._waiting)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def put(self, one: Notification) -> None:
        """Never waits."""
        with self._more:
            if len(self._waiting) >= WAITING_MAX:
                self._waiting.popleft()
                self._count("dropped")
            self._waiting.append(one)
            self._more.notify()

    def run(self, stop: threading.Event) -> None:
        """Send what comes, until `stop` is set."""
        while not stop.is_set():
            with self._more:
                if not self._waiting:
                    self._more.wait(0.5)
                    continue
                one = self._waiting.popleft()
                self._under_way = (one,)
            if self.deliver(one, stop) != _STOPPED:
                self._under_way = ()

    def deliver(self, one: Notification, stop: threading.Event) -> str:
        """Send it, again and again if need be; why it could not be, or nothing."""
        try:
            body = self._renderer.body(one)
        except StandfastError as error:
            return self._failed(str(error))
        if not body:
            return ""
        for attempt in range(ATTEMPTS):
            try:
                post(self._client, self._url, body)
            except Attempt as failed:
                if not failed.again or attempt == ATTEMPTS - 1:
                    return self._failed(failed.why)
                self._tell(f"the webhook does not take notifications: {failed.why}; it is tried again")
                pause = min(PAUSE_MAX_S, self._first_pause_s * 2**attempt)
                if stop.wait(max(failed.pause_s, pause * random.uniform(0.5, 1.0))):
                    return _STOPPED
            else:
                self._count("sent")
                self._tell("")
                return ""
        return ""

    def _failed(self, why: str) -> str:
        self._count("failed")
        self._tell(f"the webhook did not take a notification: {why}")
        return why


def post(client: httpx.Client, url: str, body: bytes) -> None:
    """One request, within TIMEOUT_S in all. Raises Attempt, whose words never have the URL."""
    headers = {"Content-Type": "application/json", "User-Agent": "standfast"}
    deadline = time.monotonic() + TIMEOUT_S
    try:
        with client.stream("POST", url, content=body, headers=headers, timeout=TIMEOUT_S) as reply:
            read = 0
            for piece in reply.iter_raw(1024):
                read += len(piece)
                if read > REPLY_OCTETS_MAX or time.monotonic() > deadline:
                    break
            code, wait = reply.status_code, reply.headers.get("Retry-After", "")
    except httpx.TimeoutException:
        raise Attempt(f"no answer within {TIMEOUT_S:g} s", again=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise Attempt(f"it can't be reached ({type(error).__name__})", again=True) from None
    if 200 <= code < 300:
        return
    pause = min(PAUSE_MAX_S, float(wait)) if wait.isascii() and wait.isdigit() else 0.0
    raise Attempt(f"it answers {code}", again=code in _AGAIN or code >= 500, pause_s=pause)
