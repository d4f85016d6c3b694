"""The DNS server is silent, slow, refuses, fails, or comes back with an old zone: nothing is lost, nothing goes back,
and whatever it lets be written is caught up with afterwards, without anybody's help."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import Stage
from harness.bind import BindServer
from harness.dnsserver import KEY_NAME
from harness.knot import KnotServer
from harness.slowness import SlowWay

SICK_S = 6.5
"""Longer than a time-out (5 s), so that a write of ours is under way, is given up, and is settled later."""
GIVEN_UP_S = 15.0
"""After that: the reading that is to settle it has no answer either (5 s)."""
CONVERGES_S = 20.0


def begun(stage: Stage) -> None:
    """Two enactors at work, two generations, a prober."""
    for name in ("a", "b"):
        stage.enactor(name)
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.publish_and_wait(www=both(3, 4))
    stage.probe()


def meanwhile(stage: Stage, seconds: float) -> None:
    """Plans go on being published."""
    until_then = time.monotonic() + seconds
    number = 20
    while time.monotonic() < until_then:
        stage.publish(www=both(number, number + 1), api=v4(number, number + 1))
        number += 2
        time.sleep(0.5)


@pytest.mark.slow
def test_a_silent_server(stage: Stage) -> None:
    """It takes what comes, answers nothing, and later does what it was asked: each late write meets its condition."""
    begun(stage)
    for _ in range(4):  # who was just looking when it fell silent has no write under way: then once more
        os.kill(stage.server.pid, signal.SIGSTOP)
        try:
            meanwhile(stage, SICK_S)
            until_then = time.monotonic() + GIVEN_UP_S
            while not unsettled(stage) and time.monotonic() < until_then:
                time.sleep(0.1)
        finally:
            os.kill(stage.server.pid, signal.SIGCONT)
        stage.await_head(CONVERGES_S)
        if unsettled(stage):
            break
    stage.assert_nothing_bad()
    assert unsettled(stage), "no write was under way when the server fell silent"


def unsettled(stage: Stage) -> bool:
    """Whether somebody gave a write up that had no answer."""
    return any(stage.journal(name, "outcome", result="unknown") for name in ("a", "b"))


@pytest.mark.slow
def test_a_slow_server(stage: Stage) -> None:
    """Everything takes 0.8 s on its way: changes come later, and come."""
    with SlowWay(stage.server.address, 0.8) as way:
        config = stage.config("slow", server_port=way.port)
        for name in ("a", "b"):
            stage.enactor(name, config)
        stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
        stage.probe()
        meanwhile(stage, 4.0)
        stage.await_head(CONVERGES_S)
        stage.assert_nothing_bad()


@contextmanager
def refusing(stage: Stage) -> Iterator[None]:
    """The key may do nothing any more: somebody changed the server's configuration."""
    server = stage.server
    if isinstance(server, BindServer):
        right, server._policy = server._policy, f'grant "{KEY_NAME}" name nobody.{server.zone} TXT;'
        server.restart()
        yield
        server._policy = right
    else:
        assert isinstance(server, KnotServer)
        right = server._rights[server.key]
        server._rights[server.key] = "action: transfer"
        server.restart()
        yield
        server._rights[server.key] = right
    server.restart()


@contextmanager
def failing(stage: Stage) -> Iterator[None]:
    """It answers SERVFAIL, for its zone can't be loaded."""
    server, aside = stage.server, stage.folder / "aside"
    server.stop()
    zone = [path for path in server.folder.iterdir() if path.name.startswith(("zone0.db", "journal", "timers"))]
    aside.mkdir()
    for path in zone:
        path.rename(aside / path.name)
    (server.folder / "zone0.db").write_text("$ORIGIN lb.example.com.\nthis is no zone\n", encoding="ascii")
    server.start(sound=False)
    yield
    server.stop()
    for path in zone:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        (aside / path.name).rename(path)
    server.start()


def troubled(stage: Stage) -> bool:
    """Whether one of the two has told of a refusal, or that it reads nothing."""
    trouble = [stage.journal(name, "outcome", result="refused") for name in ("a", "b")]
    trouble += [stage.journal(name, "outcome", result="blind") for name in ("a", "b")]
    trouble += [stage.journal(name, "notice", kind="provider") for name in ("a", "b")]
    return any(trouble)


@pytest.mark.slow
@pytest.mark.parametrize("sick", [refusing, failing])
def test_a_server_that_refuses_or_fails(stage: Stage, sick: Callable[[Stage], Iterator[None]]) -> None:
    begun(stage)
    stood = stage.marker(stage.www)
    with sick(stage):  # type: ignore[attr-defined]  # a context manager
        meanwhile(stage, 2.0)
        until(lambda: troubled(stage), "somebody tells of it")
    healed = stage.marker(stage.www)
    assert stood is not None
    assert healed is None or int(healed["n"]) >= int(stood["n"])
    stage.await_head(CONVERGES_S)
    stage.assert_nothing_bad()


@pytest.mark.slow
def test_a_server_that_comes_back_with_an_old_zone(stage: Stage) -> None:
    """Its disk was put back from a copy: old addresses under old markers are answered until the next look."""
    copy = stage.folder / "old"
    begun(stage)
    stage.server.stop()
    shutil.copytree(stage.server.folder, copy)
    stage.server.start()
    stage.asked_on()
    for step in range(5):
        stage.publish_and_wait(www=both(30 + step, 40), api=v4(50 + step, 60))
    with stage.damaged(stage.www), stage.damaged(stage.api):
        stage.server.stop()
        _put_back(copy, stage.server.folder)
        stage.server.start()
        stage.asked_on()
        stage.await_head(CONVERGES_S)
    stage.assert_nothing_bad()
    # what stands may not be in the journals yet, and who is killed writes nothing down
    until(lambda: written_over(stage, stage.www, 2), "it is told that www was old")
    until(lambda: written_over(stage, stage.api, 1), "it is told that api was old")
    stage.stop()
    damages = [one.text for one in stage.audit().damages]
    assert len(damages) == 1, damages
    assert damages[0].startswith(f"the zone {stage.zone} (markers of ")
    assert damages[0].endswith(", by nobody of ours")


def written_over(stage: Stage, name: str, before: int) -> bool:
    """Whether a journal has it that the newest plan's contents replaced those of that since."""
    writes = [one for who in ("a", "b") for one in stage.journal(who, "outcome", name=name, result="written")]
    return any(one["before"] == before and one["since"] == stage.plans.generation for one in writes)


def _put_back(copy: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
