"""What a test or a staging started ends with it, even where that is killed: a process of its own sees to it.

    leash.tie(process.pid)

The keeper reads process ids from a pipe. Its end means that whoever started them is gone, however that came; then those
that still live are killed, a process that stands still (SIGSTOP) too, which could not notice by itself. One that ended
long ago is known by the moment it began, so its number is never anybody else's.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

_keepers: dict[int, subprocess.Popen[bytes]] = {}
_lock = threading.Lock()


def tie(pid: int) -> None:
    """That process, started by this one, is to end with it at the latest."""
    with _lock:
        keeper = _keepers.get(os.getpid())
        if keeper is None or keeper.poll() is not None:
            keeper = _keepers[os.getpid()] = _kept()
        assert keeper.stdin is not None
        keeper.stdin.write(f"{pid} {began(pid)}\n".encode())
        keeper.stdin.flush()


def _kept() -> subprocess.Popen[bytes]:
    """A keeper, in a session of its own, so that Ctrl-C at a terminal does not end it first."""
    command = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
    keeper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    atexit.register(_let_go, keeper)
    return keeper


def _let_go(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None
    keeper.stdin.close()
    keeper.wait(60)


def began(pid: int) -> str:
    """When it began, in the kernel's ticks; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return ""


def main() -> None:
    """Read until the end, and end what is left."""
    known = [line.split() for line in sys.stdin]
    for pid, start in (one for one in known if len(one) == 2):
        if began(int(pid)) == start:
            os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    main()
