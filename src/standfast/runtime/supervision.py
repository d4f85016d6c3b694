"""`standfast run` without a role: every role as a child process, restarted when it dies, stopped together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

PARENT_FD: Final = "STANDFAST_PARENT_FD"
"""Names the inherited end of a pipe: when it closes, whoever started the process is gone."""
_BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_GRACE_S: Final = 10.0


class ChildSpec(Struct, frozen=True):
    """One child: a name for messages and the arguments after `python -m standfast`.

    `without` are environment variables that are none of its business: the keys of other roles.
    """

    name: str
    arguments: tuple[str, ...]
    without: tuple[str, ...] = ()


class Child:
    """A child process that is to run."""

    def __init__(self, spec: ChildSpec, parent: int, environment: Mapping[str, str] | None = None) -> None:
        self.spec = spec
        self.deaths = 0
        self._parent = parent
        inherited = {name: value for name, value in os.environ.items() if name not in spec.without}
        self._environment = {**inherited, **(environment or {}), PARENT_FD: str(parent)}
        self._due = 0.0
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "standfast", *self.spec.arguments]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(self._parent,), env=self._environment)

    def watched(self, now: float) -> str:
        """Restart it if it is dead and its time has come; what to tell people, or nothing."""
        code = self.process.poll()
        if code is None:
            return ""
        if self._due == 0.0:
            pause = _BACKOFF_S[min(self.deaths, len(_BACKOFF_S) - 1)]
            self.deaths += 1
            self._due = now + pause
            return f"{self.spec.name} ended with {code}; started again in {pause:g} s"
        if now >= self._due:
            try:
                self.process = self._started()
            except OSError as error:  # no memory, no process left: the others run on
                self._due = now + _BACKOFF_S[-1]
                return f"{self.spec.name} can't be started ({error.strerror}); tried again in {_BACKOFF_S[-1]:g} s"
            self._due = 0.0
        return ""

    def reload(self) -> None:
        """SIGHUP; one that is dead reads the file when it is started again."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)

    def stop(self, deadline: float) -> None:
        """SIGTERM, then SIGKILL at the deadline (monotonic seconds)."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def supervise(
    specs: Sequence[ChildSpec],
    stop: threading.Event,
    tell: Callable[[str], None],
    watched: Callable[[], None] = lambda: None,
    reload: threading.Event | None = None,
) -> None:
    """Run the children until `stop` is set; then stop them, in reverse order. `watched` is called at each round.

    Each time `reload` is set every child that runs hears SIGHUP.
    """
    held, passed = os.pipe()
    os.set_inheritable(held, True)
    children: list[Child] = []
    try:
        children.extend(Child(spec, held) for spec in specs)
        while not stop.wait(0.1):
            for child in children:
                if message := child.watched(time.monotonic()):
                    tell(message)
            if reload is not None and reload.is_set():
                reload.clear()
                for child in children:
                    child.reload()
            watched()
    finally:
        deadline = time.monotonic() + _GRACE_S
        for child in reversed(children):
            child.stop(deadline)
        os.close(held)
        os.close(passed)


class Signals:
    """What signals ask of this process: `stop` (SIGTERM, SIGINT, or whoever started us is gone), `reload` (SIGHUP)."""

    def __init__(self) -> None:
        self.stop, self.reload = threading.Event(), threading.Event()


def listen() -> Signals:
    """From now on the signals set these events."""
    signals = Signals()
    near, far = os.pipe()
    os.set_blocking(far, False)

    def heard(number: int, frame: object) -> None:
        # Not `stop.set()`: it takes the lock that the interrupted thread may just hold, in `stop.wait`, for ever.
        try:
            os.write(far, b"h" if number == signal.SIGHUP else b"!")
        except BlockingIOError:
            pass

    threading.Thread(target=_told, args=(near, signals), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, heard)
    parent = os.environ.pop(PARENT_FD, "")
    if parent.isdigit():
        threading.Thread(target=_orphaned, args=(int(parent), signals.stop), daemon=True).start()
    return signals


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM, SIGINT, or the death of the process that started us sets. SIGHUP is passed over."""
    return listen().stop


def _told(near: int, signals: Signals) -> None:
    while octets := os.read(near, 64):
        if b"h" in octets:
            signals.reload.set()
        if b"!" in octets:
            signals.stop.set()


def _orphaned(parent: int, stop: threading.Event) -> None:
    try:
        while os.read(parent, 1):
            pass
    except OSError:
        return
    stop.set()
