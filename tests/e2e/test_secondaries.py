"""Every write is followed to the zone's other name servers, and those that stay behind are told: BIND and Knot that
transfer from a BIND; one of them stopped, or back with an old zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import staged
from e2e.plans import both
from e2e.roles import until
from e2e.stage import Stage
from harness.dnsserver import running
from harness.ports import free_port
from harness.secondaries import BindSecondary, KnotSecondary, NotifyingBind
from standfast.cli.checking.failover import failover_parts
from standfast.cli.checking.findings import Secondary, ZoneReport
from standfast.cli.status import status_lines
from standfast.config import Config, HealthConfig, load
from standfast.runtime import secondaries
from standfast.runtime.observing import Seen, observe
from standfast.runtime.presence import Presence
from standfast.runtime.verdict import verdict


class Servers:
    """The zone's three."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        ports = [free_port(), free_port()]
        self.primary = NotifyingBind(folder / "primary", ports)
        self.bind, self.knot = BindSecondary(folder / "ns2", ports[0]), KnotSecondary(folder / "ns3", ports[1])
        stack.callback(self.knot.remove_run_folder)
        stack.enter_context(running(self.primary))
        for one in (self.bind, self.knot):
            one.follow(self.primary)
            stack.enter_context(running(one))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(tmp_path, stack)


@pytest.fixture
def stage(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path, seed: int) -> Iterator[Stage]:
    yield from staged(request, servers.primary, tmp_path, seed)


def configured(stage: Stage, servers: Servers) -> Path:
    path = stage.config("standfast")
    where = f"secondaries: {{ns2: '127.0.0.1:{servers.bind.port}', ns3: '127.0.0.1:{servers.knot.port}'}}, look:"
    path.write_text(path.read_text(encoding="ascii").replace("look:", where), encoding="ascii")
    return path


def told(stage: Stage, event: str, **wanted: object) -> list[Mapping[str, Any]]:
    return stage.journal("a", event, **wanted)


def seen_by(config: Config) -> Seen:
    return observe(config)


def text_of(config: Config) -> str:
    seen = seen_by(config)
    return "\n".join(status_lines(seen, verdict(seen), config))


def test_every_write_is_followed_to_all_name_servers(
    stage: Stage, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = configured(stage, servers)
    config = load(path)
    stage.enactor("a", path)
    stage.publish_and_wait(www=both(1, 2))
    served = until(
        lambda: {name for one in told(stage, "secondaries", generation=1) for name in one["servers"]} == {"ns2", "ns3"},
        "both serve g1",
    )
    assert served
    lags = [lag for one in told(stage, "secondaries", generation=1) for lag in one["lag_s"].values()]
    assert all(0 <= lag < 60 for lag in lags), lags

    until(lambda: "ns2 g1," in text_of(config) and "ns3 g1," in text_of(config), "status tells both with their lags")
    report = ZoneReport(stage.zone, "", (), secondaries=(Secondary("ns2.x", "", 1), Secondary("ns3.x", "", 1)))
    checked = replace(config, health=HealthConfig("tcp", 80))
    parts = failover_parts(checked, [report], seen_by(config).secondaries)
    assert [(one.what, 0 <= one.seconds < 60) for one in parts if "ns2" in one.what] == [("ns2, ns3 (measured)", True)]
    parts = failover_parts(checked, [report], seen_by(config).secondaries[:1])
    assert [(one.what, one.seconds) for one in parts if "ns2" in one.what] == [("ns2, ns3 (by default)", 6.0)]

    servers.knot.stop()
    stage.publish_and_wait(www=both(3, 4))
    until(lambda: told(stage, "secondaries", servers=["ns2"], generation=2), "ns2 serves g2 though ns3 is away")
    until(lambda: "ns3 BEHIND for" in text_of(config), "status tells that ns3 is behind")
    monkeypatch.setattr(secondaries, "NEEDS_YOU_S", 0.0)
    Presence(stage.state / "presence", "planner", "p").beat()
    found = verdict(seen_by(config))
    assert found.kind == "NEEDS YOU"
    assert "ns3 has been behind in lb.example.com for" in found.sentence
    assert "cannot connect" in found.sentence
    assert "whoever asks it gets what was true before" in found.sentence

    servers.knot.start()  # and serves g1 still: nobody tells it of a change that it missed
    stage.publish_and_wait(www=both(5, 6))
    until(lambda: [one for one in told(stage, "secondaries", generation=3) if "ns3" in one["servers"]], "ns3 serves g3")
    until(lambda: "BEHIND" not in text_of(config), "nobody is behind any more")

    servers.bind.put_back()  # nothing is written: the floor, looked at between writes, tells
    until(
        lambda: "ns2 BEHIND for" in text_of(config) and "(it serves nothing of ours)" in text_of(config),
        "ns2 is back with an old zone",
    )
    assert "ns3 BEHIND" not in text_of(config)
