"""What a supervisor and its children bear: nobody who reads, no room, no process left to be had."""

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from runtime.staging import eventually
from standfast.cli.run import _say
from standfast.runtime import supervision
from standfast.runtime.journal import Journal
from standfast.runtime.narration import Narrator
from standfast.runtime.supervision import ChildSpec, supervise


def test_a_child_that_cannot_be_started_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fork` may fail for want of memory or processes; the others keep names on load balancers."""
    stop, told, forks = threading.Event(), list[str](), list[str]()
    started = supervision.Child._started

    def short(child: supervision.Child) -> object:
        forks.append(child.spec.name)
        if forks.count("brief") == 2 and child.spec.name == "brief":
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return started(child)

    monkeypatch.setattr(supervision.Child, "_started", short)
    monkeypatch.setattr(supervision, "_BACKOFF_S", (0.1, 0.1, 0.1, 0.1, 0.1))
    specs = [ChildSpec("brief", ("--version",)), ChildSpec("long", ("--version",))]
    thread = threading.Thread(target=supervise, args=(specs, stop, told.append), daemon=True)
    thread.start()
    eventually(lambda: forks.count("brief") >= 3, "a third try")
    assert thread.is_alive()
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert any("brief can't be started (Resource temporarily unavailable)" in text for text in told)


@pytest.mark.parametrize("what", ["nobody reads", "no room", "no letters"])
def test_whoever_reads_the_terminal_may_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The journal has it all: what is only for people must not end who writes."""
    far = os.open("/dev/full", os.O_WRONLY) if what == "no room" else -1
    if far < 0:
        near, far = os.pipe()
        if what == "nobody reads":
            os.close(near)
    encoding = "latin-1" if what == "no letters" else "utf-8"
    with os.fdopen(far, "w", encoding=encoding, closefd=False) as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        journal = Journal(tmp_path, "enactor", "a", listeners=[Narrator(_say)])
        for number in range(3):
            assert journal.write("notice", kind="store", why=f"→ {number}", durable=True)
        journal.close()
        monkeypatch.undo()
        if what == "no letters":
            assert os.read(near, 1 << 16).count(b"? ") == 3
        try:
            terminal.close()
        except OSError:
            pass
    os.close(far)
