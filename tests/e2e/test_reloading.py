"""SIGHUP to `standfast run`, as `systemctl reload` sends it: every role reads the file again, none ends."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from e2e.roles import Process, listens, until
from e2e.stage import HERE, Stage
from harness.ports import HOST, free_port
from runtime.notifying.receiver import Receiver

ROLES = {"planner", "enactor", "cleaner", "monitor"}
ADDRESSES = {f"lb-{az}{n}": f"127.0.0.{at}{n}" for at, az in enumerate("abc", 1) for n in (1, 2)}


def everybody(stage: Stage) -> str:
    """The YAML of the fleet; one running HTTP server for each load balancer."""
    port = free_port()
    for address in ADDRESSES.values():
        arguments = [str(HERE / "balancers.py"), address, str(port)]
        stage.started(Process(arguments, stage.folder / f"lb-{address}.log"))
    until(lambda: all(listens(one, port) for one in ADDRESSES.values()), "every load balancer is there")
    parts = [f"{name}: {{az: {name[3]}, ip: {address}, port: {port}}}" for name, address in ADDRESSES.items()]
    return "{" + ", ".join(parts) + "}"


def reloaded(stage: Stage, what: str, roles: set[str] = ROLES) -> list[Mapping[str, Any]]:
    """One event for each role, the newest, once all have told it."""
    found = {event["role"]: event for event in stage.journal("h", "reloaded", stage=what)}
    return list(found.values()) if set(found) == roles else []


def served(port: int) -> int:
    """The status of the page there; 0: nobody listens."""
    try:
        return httpx.get(f"http://{HOST}:{port}/", timeout=60).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["bind"], indirect=True)
def test_a_changed_file_is_taken_up_and_a_broken_one_is_not(stage: Stage) -> None:
    keys = {
        "health": "{http: /healthz, interval: 200ms, timeout: 2s, fall: 2, rise: 2, warm_up: 0s}",
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


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["bind"], indirect=True)
def test_prober_page_and_monitor_follow_and_the_rest_says_that_it_needs_a_restart(stage: Stage) -> None:
    """A probe that nobody answers any more, another port of the page, a webhook where there was none."""
    ports, receiver = [free_port() for _ in range(3)], Receiver()
    hook = stage.folder / "webhook.url"
    hook.write_text(receiver.url, encoding="ascii")
    hook.chmod(0o600)
    health = "{{{}, interval: 200ms, timeout: 500ms, fall: 2, rise: 2, warm_up: 0s}}"
    keys = {
        "health": health.format("http: /healthz"),
        "load_balancers": everybody(stage),
        "vantage": "{h: {az: a}}",
        "web": f"{{listen: '{HOST}:{ports[0]}'}}",
        "metrics": f"{{listen: '{HOST}:{ports[2]}'}}",
    }
    config = stage.config("standfast", **keys)
    log = stage.folder / "run.log"
    run = stage.started(Process(["-m", "standfast", "run", "--name", "h", "--config", str(config)], log))
    try:
        until(lambda: stage.ask(stage.www, "A") == set(ADDRESSES.values()), "the first plan stands")
        until(lambda: served(ports[0]) == 200, "the page is there", 60)
        everyone = ROLES | {"prober", "web"}
        until(lambda: {one["role"] for one in stage.journal("h", "started")} == everyone, "all roles are there")
        changed = {
            "health": health.format("https: /healthz"),
            "web": f"{{listen: '{HOST}:{ports[1]}'}}",
            "metrics": f"{{listen: '{HOST}:{ports[2] + 100}'}}",
            "monitor": "{interval: 500ms, rate: 1000}",
            "notify": f"{{webhook: 'file:{hook}', level: info}}",
            "journal": "{days: 7}",
        }
        stage.config("standfast", **{**keys, **changed})
        run.signal(signal.SIGHUP)
        told = until(lambda: reloaded(stage, "in force", everyone), "each role tells it", 60)
        for event in told:
            restart = {one.partition(":")[0] for one in event["changes"] if one.endswith("(needs a restart)")}
            assert restart == {"metrics.port", "journal.days"}, event["changes"]
            assert "very-secret" not in str(event)
        anew = until(lambda: stage.journal("h", "notice", role="prober", kind="checks"), "the prober checks anew", 60)
        assert anew[0]["why"].startswith("Every load balancer fails its check here.")
        until(lambda: served(ports[1]) == 200, "the page is at its other port", 60)
        assert served(ports[0]) == 0, "and at the former no more"
        until(lambda: receiver.got, "the webhook hears of it", 60)
        assert "ended with" not in log.read_text(encoding="utf-8"), "no role has died"
        assert run.terminate() == 0
    finally:
        receiver.close()
