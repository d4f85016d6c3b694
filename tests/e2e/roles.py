"""Processes of a test: Standfast's roles, the prober, load balancers. Each is stopped by its own process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from harness import leash
from harness.holdups import PATIENCE_S

T = TypeVar("T")
STOP_S = 30.0
POLL_S = 0.004


class Process:
    """A child process; what it prints goes to `log`. `environment` is added to ours."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.arguments, self.log, self.environment = list(arguments), log, dict(environment or {})
        self.stopped = False
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, *self.arguments], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env={**os.environ, **self.environment},
            )  # fmt: skip

        leash.tie(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit status; None while it lives."""
        return self._process.poll()

    def freeze(self) -> None:
        """SIGSTOP: it stands still in the middle of whatever it does."""
        self._process.send_signal(signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)
        self.stopped = False

    def signal(self, number: signal.Signals) -> None:
        """Send it that."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        """SIGTERM, and SIGKILL if that is not heard; its exit status."""
        if self.stopped:
            self.go_on()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.arguments} did not stop within {STOP_S:g} s of SIGTERM") from None

    def again(self) -> Process:
        """Another one like it."""
        return type(self)(self.arguments, self.log, self.environment)


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((host, port), 5.0).close()
    except OSError:
        return False
    return True


def until(wanted: Callable[[], T], what: str, timeout: float = PATIENCE_S) -> T:
    """Wait until `wanted()` is true and give what it gave; AssertionError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        if found := wanted():
            return found
        assert time.monotonic() < deadline, f"not within {timeout:g} s: {what}"
        time.sleep(POLL_S)
