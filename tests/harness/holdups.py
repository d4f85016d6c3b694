"""What a machine kept processes from: they were ready to run and others ran, or its disk was busy.

A bound on seconds is one on a machine that has them. `HoldUps` says how many of those that have passed it had not: a
noisy machine lengthens a bound by what it took itself, and a quiet one by nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.004
PATIENCE_S = 60.0
"""With a machine that has no time at all; nothing is asserted by it."""


class HoldUps:
    """Of these processes and of this one, since it was made. What one of them waits for, all of them do: it adds up."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._began = time.monotonic()
        self._pids = {os.getpid(), *pids}
        self._before = {pid: _waited_s(pid) for pid in self._pids}
        self._machine = _stolen_s() + _disk_s()

    @property
    def passed_s(self) -> float:
        """Seconds by the clock."""
        return time.monotonic() - self._began

    @property
    def lost_s(self) -> float:
        """Those of them that the machine did not give."""
        waited = sum(max(0.0, _waited_s(pid) - before) for pid, before in self._before.items())
        return waited + _stolen_s() + _disk_s() - self._machine

    def within(self, wanted: Callable[[], T], bound_s: float, what: str) -> T:
        """Wait until `wanted()` is true and give what it gave; AssertionError if that took longer than `bound_s`."""
        while not (found := wanted()):
            assert self.passed_s < max(PATIENCE_S, bound_s), f"not within {bound_s:g} s, nor ever: {what}"
            time.sleep(POLL_S)
        self.check(bound_s, what)
        return found

    def check(self, bound_s: float, what: str) -> None:
        """AssertionError if more than `bound_s` have passed that the machine did give."""
        passed, lost = self.passed_s, self.lost_s
        assert passed <= bound_s + lost, f"{what}: {passed:.2f} s, {lost:.2f} s of them lost; not {bound_s:g} s"


def _waited_s(pid: int) -> float:
    """How long all threads of a process stood in line for a processor; 0 if it is gone."""
    total = 0
    with suppress(OSError, IndexError, ValueError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # a thread that has just ended
                total += int((task / "schedstat").read_text(encoding="ascii").split()[1])
    return total / 1e9


def _stolen_s() -> float:
    """What the host of this virtual machine kept for others."""
    with suppress(OSError, IndexError, ValueError):
        line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
        return int(line.split()[8]) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _disk_s() -> float:
    """How long somebody waited for the disk, where the kernel counts that."""
    with suppress(OSError, IndexError, ValueError):
        line = Path("/proc/pressure/io").read_text(encoding="ascii").partition("\n")[0]
        return int(line.rpartition("total=")[2]) / 1e6
    return 0.0
