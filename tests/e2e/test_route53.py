"""Standfast at a Route 53 zone, all of it as processes: an unmodified boto3 in each, the stand-in behind them.

A planner, three enactors and a cleaner keep two names; a load balancer dies and comes back; operators' commands work
as elsewhere; at the end the audit of all journals finds nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import pytest

from e2e.roles import Process, listens, until
from harness.journals import problems_in
from harness.ports import free_port
from harness.route53 import Route53, running

ZONE = "lb.example.com"
HERE = Path(__file__).parent
ADDRESSES = {"lb-a": "127.0.0.41", "lb-b": "127.0.0.42", "lb-c": "127.0.0.43"}


class Hosted:
    """One account with one hosted zone, a configuration, whoever was started; load balancers if they are `serving`."""

    def __init__(self, service: Route53, folder: Path, *, serving: bool = True) -> None:
        self.service, self.folder = service, folder
        self.zone_id = service.zone(ZONE)
        self.state, self.port = folder / "state", free_port()
        self.processes: list[Process] = []
        self.balancers = {name: self.balancer(name) for name in ADDRESSES if serving}
        until(lambda: all(listens(ADDRESSES[one], self.port) for one in self.balancers), "every load balancer is there")
        self.file = self.written()

    def written(self, **changes: str) -> Path:
        some = ", ".join(f"{name}: {{az: {name[3]}, ip: {ip}, port: {self.port}}}" for name, ip in ADDRESSES.items())
        (host, port), names = self.service.dns[0], self.raws("", "NS")[0]["ResourceRecords"]
        servers = ", ".join(f"'{one['Value'].rstrip('.')}': '{host}:{port}'" for one in names)
        keys = {
            "zone": f"{{name: {ZONE}, provider: route53, "
            f"requests_per_second: 10, burst: 50, look: 1s, secondaries: {{{servers}}}}}",
            "state": str(self.state),
            "health": "{http: /healthz, interval: 200ms, timeout: 2s, fall: 2, rise: 2, warm_up: 0s}",
            "load_balancers": f"{{{some}}}",
            "endpoints": "{www: {ttl: 2}, api: {ttl: 2, layout: flat}}",
            "policy": "{removal: 100% in 10s, adding: 100% in 10s}",
            "retention": "{plans: 3, days: 0}",
            **changes,
        }
        path = self.folder / "standfast.yaml"
        path.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()), encoding="ascii")
        return path

    def balancer(self, name: str) -> Process:
        arguments = [str(HERE / "balancers.py"), ADDRESSES[name], str(self.port)]
        return self.started(Process(arguments, self.folder / f"{name}.log"))

    def started(self, process: Process) -> Process:
        self.processes.append(process)
        return process

    def role(self, role: str, name: str, *more: str) -> Process:
        arguments = ["-m", "standfast", "run", "--role", role, "--name", name, "--config", str(self.file), "--quiet"]
        log = self.folder / f"{role}-{name}.log"
        return self.started(Process([*arguments, *more], log, self.service.environment()))

    def command(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "standfast", *arguments, "--config", str(self.file)],
            capture_output=True,
            text=True,
            timeout=240,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.service.environment()},
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{arguments} ended with {done.returncode}:\n{said}\n{self.logs()}"
        return said

    def raws(self, name: str, kind: str = "A") -> list[dict[str, Any]]:
        name = f"{name}.{ZONE}".removeprefix(".")
        listed = self.service.client().list_resource_record_sets(
            HostedZoneId=self.zone_id, StartRecordName=name, StartRecordType=kind
        )["ResourceRecordSets"]
        return [raw for raw in listed if raw["Name"] == f"{name}." and raw["Type"] == kind]

    def addresses(self, name: str) -> set[str]:
        return {one["Value"] for raw in self.raws(name) for one in raw["ResourceRecords"]}

    def ask(self, name: str) -> dns.message.Message:
        """One question by DNS; a packet may be lost on a machine that does much else."""
        (host, port), question = self.service.dns[0], dns.message.make_query(f"{name}.{ZONE}", "A")
        for _ in range(4):
            with suppress(dns.exception.Timeout):
                return dns.query.udp(question, host, timeout=20, port=port)
        return dns.query.udp(question, host, timeout=20, port=port)

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}" for path in self.folder.glob("*-*.log"))

    def close(self) -> None:
        for process in self.processes:
            if process.code is None:
                process.kill()


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    with running() as service:
        one = Hosted(service, tmp_path)
        try:
            yield one
        finally:
            one.close()


def test_all_roles_keep_a_hosted_zone(hosted: Hosted) -> None:
    everybody = set(ADDRESSES.values())
    roles = [hosted.role("planner", "p1")]
    roles += [hosted.role("enactor", f"e{number}") for number in (1, 2, 3)]
    roles.append(hosted.role("cleaner", "c1", "--every", "1"))
    until(lambda: hosted.addresses("www") == hosted.addresses("api") == everybody, "both names stand", 60)
    sets = hosted.raws("www")
    assert {raw["SetIdentifier"] for raw in sets} == set(ADDRESSES), "one record set a load balancer"
    assert all(raw["MultiValueAnswer"] for raw in sets)
    assert [len(raw["ResourceRecords"]) for raw in hosted.raws("api")] == [3]

    hosted.balancers["lb-b"].kill()
    without = everybody - {ADDRESSES["lb-b"]}
    until(lambda: hosted.addresses("www") == hosted.addresses("api") == without, "the dead one is out", 60)
    hosted.balancer("lb-b")
    until(lambda: hosted.addresses("www") == hosted.addresses("api") == everybody, "it is back", 60)

    status = until(lambda: in_sync(hosted), "all in sync", 120)
    assert {one["name"] for one in status["endpoints"]} == {f"www.{ZONE}", f"api.{ZONE}"}
    assert "lb-c" in hosted.command("explain", "www")
    hosted.command("drain", "lb-c", "--reason", "test", "--yes", "--wait", "--timeout", "60s")
    assert hosted.addresses("www") == hosted.addresses("api") == everybody - {ADDRESSES["lb-c"]}

    hosted.command("freeze", "www", "--reason", "test", "--yes")
    hosted.command("drain", "lb-c", "--end")
    until(lambda: hosted.addresses("api") == everybody, "the other one goes on", 60)
    assert ADDRESSES["lb-c"] not in hosted.addresses("www"), "frozen"
    hosted.command("thaw", "www", "--yes")
    until(lambda: hosted.addresses("www") == everybody, "thawed", 60)

    status = until(lambda: in_sync(hosted), "in sync", 120)
    since = {one["name"]: one["since"] for one in status["endpoints"]}[f"api.{ZONE}"]
    hosted.command("rollback", "api", "--to", str(since), "--reason", "test", "--yes")
    hosted.command("resume", "api", "--yes", "--reason", "test")
    until(lambda: in_sync(hosted), "in sync after a rollback and its end", 120)

    for role in reversed(roles):
        role.terminate()
    assert not problems_in(hosted.state / "journal")
    hosted.command("audit")


def test_commands_that_need_no_process(hosted: Hosted) -> None:
    """Previews, emergency, leaving: with the account alone."""
    hosted.command("check")
    batch = json.loads(hosted.command("plan", "--format", "aws", code=2))
    sets = [change["ResourceRecordSet"] for change in batch["Changes"] if change["Action"] == "CREATE"]
    assert {raw.get("SetIdentifier") for raw in sets} == {None, *ADDRESSES}
    by_hand = {"Changes": batch["Changes"]}
    client = hosted.service.client()
    client.change_resource_record_sets(HostedZoneId=hosted.zone_id, ChangeBatch=by_hand)
    assert hosted.addresses("www") == hosted.addresses("api") == set(ADDRESSES.values())

    roles = [
        hosted.role("planner", "p1", "--take", f"www.{ZONE}", "--take", f"api.{ZONE}"),
        hosted.role("enactor", "e1"),
    ]
    until(lambda: in_sync(hosted), "taken over", 60)
    for role in roles:
        role.terminate()
    hosted.command("emergency", "publish", "www", "--address", "127.0.0.41", "--reason", "test", "--yes")
    assert hosted.addresses("www") == {"127.0.0.41"}
    said = hosted.command("leave", ZONE, "--yes", "--reason", "test")
    assert "ROUTED" not in said
    assert f"api.{ZONE}. 2 IN A 127.0.0.42" in said
    assert "take the roles' policies away" in said
    listed = client.list_resource_record_sets(HostedZoneId=hosted.zone_id)["ResourceRecordSets"]
    assert not [raw for raw in listed if raw["Type"] == "TXT"], "no marker and no floor is left"
    assert hosted.addresses("api") == set(ADDRESSES.values()), "what users resolve stays"


def in_sync(hosted: Hosted) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "standfast", "status", "--json", "--config", str(hosted.file)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **hosted.service.environment()},
        check=False,
    )
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def test_an_enactor_that_waits_for_its_turn_ends_at_once(hosted: Hosted) -> None:
    """A request in ten seconds, and more to read than it may ask for within a minute."""
    zone = hosted.file.read_text(encoding="ascii").split("zone: ", 1)[1].split("\n", 1)[0]
    slow = zone.replace("requests_per_second: 10, burst: 50", "requests_per_second: 0.1, burst: 1")
    assert slow != zone
    planner = hosted.role("planner", "p1")
    until(lambda: '"planned"' in journals(hosted, "planner"), "there is a plan", 60)
    hosted.file = hosted.written(zone=slow)
    enactor = hosted.role("enactor", "e1")
    until(lambda: hosted.service.counts().get("ListResourceRecordSets", 0) and journals(hosted, "enactor"), "asks", 60)
    time.sleep(1)
    began = time.monotonic()
    enactor.terminate()
    assert time.monotonic() - began < 20, "of the 30 s that its readings would have waited for turns"
    planner.terminate()


def journals(hosted: Hosted, role: str) -> str:
    return "".join(path.read_text() for path in (hosted.state / "journal").glob(f"{role}-*.jsonl"))
