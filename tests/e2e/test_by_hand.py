"""What operators type, on BIND and Knot with real processes: freeze, emergency publish, leave, without store."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import Stage
from harness.zonetools import axfr
from standfast.runtime.journal_files import read_journal


def typed(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, where nobody can be asked."""
    config = str(stage.config("standfast"))
    return subprocess.run(
        [sys.executable, "-m", "standfast", *words, "--config", config],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def done(stage: Stage, *words: str) -> str:
    """It ends with 0."""
    said = typed(stage, *words)
    assert said.returncode == 0, said
    return said.stdout


@pytest.mark.slow
def test_nothing_lands_from_sealed_on_and_everything_after_the_thaw(stage: Stage) -> None:
    """Two enactors write plan after plan while the freeze is ordered; one stands still in the midst of its work."""
    for name in ("a", "b"):
        stage.enactor(name)
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    for step in range(10):
        stage.publish(www=both(2 * step + 3, 2 * step + 4))
        time.sleep(0.01)
    stage.processes[0].freeze()
    assert "requested, and sealed" in done(stage, "freeze", stage.zone, "--reason", "test")
    sealed = axfr(stage.server)
    stage.processes[0].go_on()
    stage.publish(www=both(91, 92), api=v4(93, 94))
    time.sleep(1.0)
    ours = {key: values for key, values in axfr(stage.server).items() if key[1] in ("A", "AAAA", "TXT")}
    assert ours == {key: values for key, values in sealed.items() if key[1] in ("A", "AAAA", "TXT")}
    done(stage, "thaw", "--all")
    stage.await_head()
    stage.assert_nothing_bad()


@pytest.mark.slow
def test_an_emergency_with_store_and_planner_away(stage: Stage) -> None:
    enactor = stage.enactor("a")
    stage.publish_and_wait(www=v4(1, 2), api=v4(11, 12))
    enactor.terminate()
    away = stage.store_file.with_suffix(".away")
    stage.store_file.rename(away)
    said = typed(stage, "emergency", "publish", "www", "--address", "192.0.2.2", "--yes")
    assert said.returncode == 3, said
    assert "--yes needs a --reason here" in said.stderr
    out = done(stage, "emergency", "publish", "www", "--address", "192.0.2.2", "--yes", "--reason", "lb-1 burns")
    assert "(written and read back)" in out
    again = stage.enactor("a")  # with the plan on its disk: older than what stands there
    time.sleep(1.0)
    assert stage.ask(stage.www, "A") == {"192.0.2.2"}
    again.terminate()
    away.rename(stage.store_file)
    planner = stage.role("planner", "p")
    stage.enactor("a")
    until(lambda: (stage.marker(stage.www) or {}).get("p") not in (None, "emergency"), "the planner takes it over", 90)
    assert stage.ask(stage.www, "A") == {"192.0.2.2"}
    assert "emergency publish by" in typed(stage, "status").stdout
    done(stage, "resume", "www")
    until(lambda: stage.ask(stage.www, "A") == {"192.0.2.1", "192.0.2.2"}, "health and file decide again")
    planner.terminate()


@pytest.mark.slow
def test_the_way_out(stage: Stage) -> None:
    enactor = stage.enactor("a")
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    said = typed(stage, "leave", stage.zone, "--yes", "--reason", "we part")
    assert said.returncode == 3, said
    assert "enactor a (pid" in said.stderr
    enactor.terminate()
    before = {key: values for key, values in axfr(stage.server).items() if "_standfast" not in key[0]}
    out = done(stage, "leave", stage.zone, "--yes", "--reason", "we part", "--wait", "0.5")
    assert f"{stage.www}. 60 IN A 192.0.2.1" in out
    assert "Nothing of ours is left" in out
    after = axfr(stage.server)
    assert not [owner for owner, _ in after if "_standfast" in owner]
    assert {key: after[key] for key in before if key[1] in ("A", "AAAA")} == {
        key: values for key, values in before.items() if key[1] in ("A", "AAAA")
    }


@pytest.mark.slow
def test_a_name_that_exists_waits_for_consent_and_is_taken_over_by_the_planner_at_work(stage: Stage) -> None:
    stage.hand(f"update add {stage.www} 300 A 198.51.100.7")
    before = stage.role("planner", "p", stage.config("before", endpoints="{api: {}}"))
    stage.enactor("a")
    until(lambda: stage.marker(stage.api), "the other name enters")
    before.terminate()
    planner = stage.role("planner", "p")
    until(lambda: stage.journal("p", "refused"), "the planner at work refuses the name")
    assert stage.ask(stage.www, "A") == {"198.51.100.7"}
    said = typed(stage, "adopt", "www")
    assert said.returncode == 3, said
    assert "1 A record, TTL 300: 198.51.100.7" in said.stdout
    done(stage, "adopt", "www", "--yes", "--reason", "it was octoDNS's")
    until(lambda: stage.ask(stage.www, "A") == {"192.0.2.1", "192.0.2.2"}, "the planner takes it over")
    asked, ended = read_journal(stage.state / "journal", events=("operator",))
    assert (asked["stage"], ended["stage"], ended["reason"]) == ("asked", "consented", "it was octoDNS's")
    planner.terminate()
    told = typed(stage, "history", "www").stdout
    assert re.search(
        r"  2 .* \(adopted\) +adopted, − 198\.51\.100\.7, \+ lb-1, \+ lb-2, \+ 1 AAAA, TTL 300 → 60 ", told
    ), told
    assert re.search(r"  0  before Standfast +1 A, TTL 300 +saved; standfast history www --show 0\n$", told), told
    assert "A        300  198.51.100.7\n" in typed(stage, "history", "www", "--show", "0").stdout
