"""SIGTERM is heard whatever the process is doing."""

from __future__ import annotations

import subprocess
import sys

IN_THE_MIDST_OF_WAITING = """
import os, signal
from standfast.runtime.supervision import stop_on_signals
stop = stop_on_signals()
with stop._cond:  # as `stop.wait` holds it for a moment, a few hundred times a second
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):
        pass
raise SystemExit(0 if stop.wait(30) else 1)
"""


def test_a_signal_in_the_midst_of_waiting_is_heard() -> None:
    done = subprocess.run([sys.executable, "-c", IN_THE_MIDST_OF_WAITING], timeout=60, check=False)
    assert done.returncode == 0
