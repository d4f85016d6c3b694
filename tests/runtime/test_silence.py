"""Who does not show itself: stopped, gone or hanging, alone or one of several; and the command for each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from msgspec.structs import replace

from standfast.runtime.observing import Seen, StoreSight
from standfast.runtime.presence import Present, read_presence
from standfast.runtime.silence import nobody, some_missing


def one(role: str, who: str, age_s: float = 0.4) -> Present:
    return Present(role, who, 4711, age_s, True, {})


def seen(*present: Present) -> Seen:
    return Seen(1_795_867_200.0, "main", StoreSight(), (), present)


FINE = (one("planner", "ops1"), one("enactor", "a"), one("enactor", "c"))


def test_one_of_several_is_told_and_needs_nobody() -> None:
    assert list(some_missing(seen(*FINE))) == []
    assert list(some_missing(seen(*FINE, one("enactor", "b", 12.0)))) == [], "it may be busy"
    (told,) = some_missing(seen(*FINE, replace(one("enactor", "b", 20.0), stopped=True)))
    assert (told.kind, told.command, told.exit_code) == ("HANDLED", "kill -CONT 4711", 0)
    assert told.sentence.startswith("Enactor b (pid 4711) was stopped (SIGSTOP); last seen at ")
    assert told.sentence.endswith("20 s ago; a, c go on. Nobody needs to act.")
    (told,) = some_missing(seen(*FINE, replace(one("enactor", "b", 130.0), alive=False)))
    assert (told.command, told.exit_code) == ("standfast run --role enactor --name b", 2)
    assert "Enactor b has ended without a word" in told.sentence
    (told,) = some_missing(seen(*FINE, replace(one("cleaner", "ops1", 30.0), alive=False)))
    assert "plans and trees that nothing needs stay until one runs" in told.sentence
    assert list(some_missing(seen(*FINE, replace(one("enactor", "b", 1e6), alive=False)))) == [], "long forgotten"


def test_the_only_one_needs_a_person_who_is_told_what_it_means() -> None:
    assert list(nobody(seen(*FINE))) == []
    (told,) = nobody(seen(replace(one("planner", "ops1", 18.0), stopped=True), one("enactor", "a")))
    assert (told.kind, told.command) == ("NEEDS YOU", "kill -CONT 4711")
    assert told.sentence.endswith("18 s ago. So a load balancer that dies stays in the answer.")
    (told,) = nobody(seen(one("planner", "ops1"), one("enactor", "a", 18.0)))
    assert (told.command, "is the disk full?" in told.sentence) == ("standfast check", True)
    assert told.sentence.endswith("So nothing is written and nothing is repaired.")
    assert list(some_missing(seen(one("planner", "ops1"), one("enactor", "a", 18.0)))) == [], "said already"


def test_the_kernel_tells_who_was_stopped_and_who_is_a_zombie(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        facts = {"role": "enactor", "who": "a", "pid": child.pid, "at": time.time()}
        (tmp_path / "enactor-a.json").write_text(json.dumps(facts))

        def now(alive: bool, stopped: bool) -> bool:
            (found,) = read_presence(tmp_path)
            return (found.alive, found.stopped) == (alive, stopped)

        def soon(alive: bool, stopped: bool) -> bool:
            until = time.monotonic() + 60
            while not (right := now(alive, stopped)) and time.monotonic() < until:
                time.sleep(0.01)
            return right

        assert soon(alive=True, stopped=False)
        os.kill(child.pid, signal.SIGSTOP)
        assert soon(alive=True, stopped=True)
        os.kill(child.pid, signal.SIGKILL)  # nobody has waited for it yet
        assert soon(alive=False, stopped=False)
