"""What an enactor needs is away for a while: the DNS server, its own journal. Nothing is lost, nothing goes back."""

from __future__ import annotations

import threading
import time

import pytest

from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import Stage
from standfast.model.name import marker_owner

TRAFFIC = 25
CONVERGES_S = 8.0
"""After the server is back: a time-out that is under way (5 s), a pause between tries, and a pass."""


@pytest.mark.slow
def test_the_server_is_killed_in_mid_traffic(stage: Stage) -> None:
    for name in ("a", "b"):
        stage.enactor(name)
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    for step in range(TRAFFIC):
        stage.publish(www=both(2 * step + 1, 2 * step + 2), api=v4(100 + step, 200))
        time.sleep(0.02)
        if step == TRAFFIC // 2:
            stood = stage.marker(stage.www)
            stage.server.kill9()
            stage.server.start()
            after = stage.marker(stage.www)
            assert stood is not None
            assert after is not None, "a marker was lost with the server"
            assert int(after["n"]) >= int(stood["n"]), "the server lost what it had confirmed"
    stage.await_head(CONVERGES_S)
    stage.assert_nothing_bad()


@pytest.mark.slow
def test_the_server_is_away_for_a_while(stage: Stage) -> None:
    """A reading that fails says nothing: no name is taken for empty, and no plan for lost."""
    enactor = stage.enactor("a")
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    marker = stage.marker(stage.www)
    stage.server.kill9()
    intents = len(stage.journal("a", "intent"))
    stage.publish(www=both(3, 4))
    time.sleep(1.5)
    assert enactor.code is None
    assert not stage.journal("a", "outcome", since=stage.plans.generation, result="written")
    assert len(stage.journal("a", "intent")) - intents <= 3, "an enactor that reads nothing goes on writing"
    starting = threading.Thread(target=stage.server.start)
    starting.start()
    starting.join()
    assert stage.marker(stage.www) in (marker, _newest(stage))
    stage.await_head(CONVERGES_S)
    stage.assert_nothing_bad()


def _newest(stage: Stage) -> object:
    marker = stage.marker(stage.www)
    return marker if marker and int(marker["n"]) == stage.plans.generation else None


@pytest.mark.slow
def test_without_a_journal_only_refills_are_written(stage: Stage) -> None:
    """A directory stands where the journal's file belongs: even root can't write it."""
    stage.unjournalled = True
    old = stage.enactor("a")
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.await_head()
    old.terminate()
    obstacle = stage.state / "journal" / "enactor-b.jsonl"
    obstacle.mkdir()
    stage.probe()
    stage.role("enactor", "b")
    until(lambda: (stage.state / "presence" / "enactor-b.json").exists(), "the enactor without a journal is there")
    marker, owner = stage.marker(stage.www), marker_owner(stage.www, stage.zone)
    stage.publish(www=both(3, 4))
    time.sleep(1.0)
    assert stage.marker(stage.www) == marker, "a write without an intent"
    assert stage.ask(stage.www, "A") == set(v4(1, 2))
    with stage.damaged(stage.www):
        stage.hand(f"update delete {stage.www}", f"update delete {owner}")
        until(lambda: stage.ask(stage.www, "A") == set(v4(3, 4)), "the empty endpoint is refilled")
        until(lambda: len(stage.ask(stage.www, "AAAA")) == 2, "in both families")
        time.sleep(0.6)
        assert stage.marker(stage.www) is None, "a refill writes no marker"
        assert stage.ask(stage.api, "A") == set(v4(11, 12))
        obstacle.rmdir()
        stage.await_head()
    until(lambda: stage.journal("b", "outcome", name=stage.www, result="written"), "it tells of its write")
    stage.assert_nothing_bad()
