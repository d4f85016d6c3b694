"""A wildcard and a name that follows another, from the file to what a client is told."""

from __future__ import annotations

import pytest

from e2e.roles import Process, until
from e2e.stage import Stage
from e2e.test_reloading import ADDRESSES, everybody


@pytest.mark.parametrize("stage", ["bind"], indirect=True)
def test_a_wildcard_and_a_follower_end_to_end(stage: Stage) -> None:
    zone = stage.www.split(".", 1)[1]
    config = stage.config(
        "standfast",
        health="{http: /healthz, interval: 200ms, timeout: 2s, fall: 2, rise: 2, warm_up: 0s}",
        load_balancers=everybody(stage),
        endpoints='{www: {azs: [a, b]}, "*.apps": {}, account-4711: {follows: www}}',
        retention="{plans: 1000, days: 1}",
    )
    arguments = ["-m", "standfast", "run", "--name", "h", "--config", str(config)]
    stage.started(Process(arguments, stage.folder / "run.log"))
    everyone, ab = set(ADDRESSES.values()), {one for name, one in ADDRESSES.items() if name[3] != "c"}
    until(lambda: stage.ask(stage.www, "A") == ab, "the first plan stands")
    until(lambda: stage.ask(f"anything.apps.{zone}", "A") == everyone, "the wildcard answers for names below it")
    until(lambda: stage.ask(f"account-4711.{zone}", "A") == ab, "the follower has the followed one's answer")
    changes = {one["name"]: one for event in stage.journal("h", "planned") for one in event["changes"]}
    assert changes[f"account-4711.{zone}"]["contents"] == changes[stage.www]["contents"]
