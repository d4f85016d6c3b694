"""`drain --wait` with secondaries, as Ansible would call it: it returns when really nobody hands the address out, and
until then says who still does."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from e2e.conftest import staged
from e2e.roles import Process, listens, until
from e2e.stage import HERE, Stage
from harness.dnsserver import running
from harness.ports import free_port
from harness.secondaries import BindSecondary, NotifyingBind
from harness.zonetools import query

ADDRESSES = {f"lb-{az}1": f"127.0.0.{at}1" for at, az in enumerate("abc", 1)}
TTL_S = 2


class Servers:
    """A BIND that notifies, and a BIND that transfers from it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        ports = [free_port(), free_port()]
        self.primary, self.secondary = NotifyingBind(folder / "primary", ports), BindSecondary(folder / "ns2", ports[0])
        stack.enter_context(running(self.primary))
        self.secondary.follow(self.primary)
        stack.enter_context(running(self.secondary))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(tmp_path, stack)


@pytest.fixture
def stage(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path, seed: int) -> Iterator[Stage]:
    yield from staged(request, servers.primary, tmp_path, seed)


def configured(stage: Stage, servers: Servers) -> Path:
    port = free_port()
    for address in ADDRESSES.values():
        arguments = [str(HERE / "balancers.py"), address, str(port)]
        stage.started(Process(arguments, stage.folder / f"lb-{address}.log"))
    # One that is there only after the first plan enters by another: then the drain is not the second.
    until(lambda: all(listens(one, port) for one in ADDRESSES.values()), "every load balancer is there")
    parts = [f"{name}: {{az: {name[3]}, ip: {address}, port: {port}}}" for name, address in ADDRESSES.items()]
    path = stage.config(
        "standfast",
        health="{http: /healthz, interval: 200ms, timeout: 2s, fall: 2, rise: 2, warm_up: 0s}",
        load_balancers="{" + ", ".join(parts) + "}",
        endpoints=f"{{www: {{ttl: {TTL_S}}}, api: {{ttl: {TTL_S}, azs: [b, c]}}}}",
        retention="{plans: 1000, days: 1}",
    )
    where = (
        f"secondaries: {{ns2: '127.0.0.1:{servers.secondary.port}', ns3: '127.0.0.1:{servers.secondary.port}'}}, look:"
    )
    path.write_text(path.read_text(encoding="ascii").replace("look:", where), encoding="ascii")
    return path


def drain(path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "standfast", "drain", "lb-a1", *more, "--config", str(path)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )


def ended(process: subprocess.Popen[str], within_s: float = 90.0) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=within_s)
    return process.returncode, out, err


@pytest.mark.slow
def test_drain_waits_for_every_name_server_and_then_for_the_ttl(stage: Stage, servers: Servers) -> None:
    path, drained, everyone = configured(stage, servers), ADDRESSES["lb-a1"], set(ADDRESSES.values())
    stage.role("planner", "p", path)
    stage.enactor("a", path)
    until(lambda: query(servers.secondary, stage.www, "A")[1] == everyone, "the secondary serves the first plan")

    process = drain(path, "--wait", "--for", "10m", "--reason", "kernel", "--timeout", "60s")
    seen_at = began = time.monotonic()

    def gone() -> bool:
        nonlocal seen_at
        asked_at, answer = time.monotonic(), query(servers.secondary, stage.www, "A")[1]
        seen_at = asked_at if drained in answer else seen_at
        return answer == everyone - {drained}

    until(gone, "the secondary has let it go")
    code, out, err = ended(process)
    assert (code, err) == (0, ""), out
    assert seen_at > began, "it was there for a while"
    assert time.monotonic() - seen_at >= TTL_S, "an answer given just before may be kept for its TTL"
    for words in (
        "ns2       serves g2",
        "hand it out until",
        "hands out lb-a1 any more",
        "standfast drain lb-a1 --end",
    ):
        assert words in out
    assert drained not in stage.ask(stage.www, "A")
    assert ended(drain(path, "--end"))[0] == 0
    until(lambda: query(servers.secondary, stage.www, "A")[1] == everyone, "it is back")

    servers.secondary.stop()
    code, out, err = ended(drain(path, "--wait"))
    assert code == 3, (out, err)
    assert "www keeps lb-a1: 34 % in 10 min is used up, until" in err
    consent = ("--wait", "--yes", "--reason", "the next kernel")
    code, out, err = ended(drain(path, *consent, "--timeout", "4s"))
    assert code == 1, (out, err)
    assert "Not gone after 4 s: " in err
    assert "ns2: " in err, "a server that can't be read may still hold it"
    until(lambda: drained not in stage.ask(stage.www, "A"), "the primary has let it go all the same")
    servers.secondary.start()
    stage.hand(f"update add other.{stage.zone} 60 A 192.0.2.1")  # whatever changes next is notified
    code, out, err = ended(drain(path, *consent, "--timeout", "60s"))
    assert code == 0, ("the secondary has caught up", out, err)
