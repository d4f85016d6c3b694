"""SIGHUP to `standfast run`, as `systemctl reload` sends it: every role reads the file again, none ends."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

import pytest

from e2e.roles import Process, until
from e2e.stage import HERE, Stage
from harness.ports import free_port

ROLES = {"planner", "enactor", "cleaner", "monitor"}
ADDRESSES = {f"lb-{az}{n}": f"127.0.0.{at}{n}" for at, az in enumerate("abc", 1) for n in (1, 2)}


def everybody(stage: Stage) -> str:
    """The YAML of the fleet; one running HTTP server for each load balancer."""
    port = free_port()
    for address in ADDRESSES.values():
        arguments = [str(HERE / "balancers.py"), address, str(port)]
        stage.started(Process(arguments, stage.folder / f"lb-{address}.log"))
    parts = [f"{name}: {{az: {name[3]}, ip: {address}, port: {port}}}" for name, address in ADDRESSES.items()]
    return "{" + ", ".join(parts) + "}"


def reloaded(stage: Stage, what: str) -> list[Mapping[str, Any]]:
    """One event for each role, once all have told it."""
    found = {event["role"]: event for event in stage.journal("h", "reloaded", stage=what)}
    return list(found.values()) if set(found) == ROLES else []


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["bind"], indirect=True)
def test_a_changed_file_is_taken_up_and_a_broken_one_is_not(stage: Stage) -> None:
    keys = {
        "health": "{http: /healthz, interval: 200ms, timeout: 150ms, fall: 2, rise: 2, warm_up: 0s}",
        "load_balancers": everybody(stage),
        "retention": "{plans: 1000, days: 1}",
    }
    config = stage.config("standfast", **keys)
    arguments = ["-m", "standfast", "run", "--name", "h", "--config", str(config)]
    log = stage.folder / "run.log"
    run = stage.started(Process(arguments, log))
    everyone = set(ADDRESSES.values())
    until(lambda: stage.ask(stage.www, "A") == everyone, "the first plan stands")
    until(lambda: {one["role"] for one in stage.journal("h", "started")} == ROLES, "all roles are there")

    stage.config("standfast", **keys, endpoints="{www: {azs: [a, b]}, api: {}}")
    run.signal(signal.SIGHUP)
    without_c = {address for name, address in ADDRESSES.items() if name[3] != "c"}
    until(lambda: stage.ask(stage.www, "A") == without_c, "azs: [a, b] is in force")
    assert stage.ask(stage.api, "A") == everyone
    told = until(lambda: reloaded(stage, "in force"), "each role tells it")
    assert [event["changes"] for event in told] == [[f"endpoints.{stage.www}.azs: [] → [a, b]"]] * len(ROLES)
    why = f"standfast.yaml changed, was {told[0]['was']}, is {told[0]['now']}: {stage.www} −"
    assert any(one["reason"].startswith(why) for one in stage.journal("h", "planned"))

    broken = config.read_text(encoding="ascii") + "policy: {ttl: banana, hold_below: 700%}\n"
    config.write_text(broken, encoding="ascii")
    run.signal(signal.SIGHUP)
    for event in until(lambda: reloaded(stage, "kept"), "each role refuses it"):
        assert event["was"] == event["now"]
        assert ["banana" in event["problems"][0], "700%" in event["problems"][1]] == [True, True]
    text = log.read_text(encoding="utf-8")
    assert text.count("can't be used; the former one") == 1, "people are told once"
    assert "ended with" not in text, "no role has died"
    assert stage.ask(stage.www, "A") == without_c
    assert run.terminate() == 0
