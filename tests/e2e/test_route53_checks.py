"""The data plane first: Route 53's own health checks take a dead load balancer out while nothing of Standfast runs.

Real HTTP load balancers, real roles, the stand-in's checkers and DNS. Its checks run fifty times as fast as AWS's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.roles import Process, until
from e2e.test_route53 import ADDRESSES, ZONE, Hosted
from harness.journals import problems_in
from harness.route53 import running

EVERYBODY = set(ADDRESSES.values())


class Watched(Hosted):
    """With health checks of every load balancer, loopback addresses or not."""

    def written(self, **changes: str) -> Path:
        path = super().written(**{"endpoints": "{www: {ttl: 2}}", **changes})
        text = path.read_text(encoding="ascii")
        checked = text.replace("provider: route53,", "provider: route53, health_checks: {for: all, fall: 2},")
        path.write_text(checked, encoding="ascii")
        return path

    def answered(self) -> set[str]:
        """What the stand-in's DNS answers for www now."""
        return {str(one) for rrset in self.ask("www").answer for one in rrset}

    def checks(self) -> dict[str, str]:
        """Load balancer by check, as all record sets of www name them."""
        return {raw["SetIdentifier"]: raw["HealthCheckId"] for raw in self.raws("www") if "HealthCheckId" in raw}

    def standing(self) -> set[str]:
        """All checks of the account."""
        return {one["Id"] for one in self.service.client().list_health_checks()["HealthChecks"]}

    def whole(self) -> bool:
        """Everybody is answered, each under its check; nothing that is named is gone."""
        named = self.checks()
        assert set(named.values()) <= self.standing(), "G3: a record set names a health check that was deleted"
        return self.addresses("www") == EVERYBODY and set(named) == set(ADDRESSES)

    def everything(self) -> list[Process]:
        roles = [self.role("planner", name) for name in ("p1", "p2")]
        return [*roles, self.role("enactor", "e1"), self.role("cleaner", "c1", "--every", "0.3")]

    def shown(self, *words: str) -> str:
        """What a command shows, however it ends."""
        return subprocess.run(
            [sys.executable, "-m", "standfast", *words, "--config", str(self.file)],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, **self.service.environment()},
            check=False,
        ).stdout

    def status(self) -> dict[str, Any]:
        shown = self.shown("status", "--json")
        found: dict[str, Any] = json.loads(shown) if shown else {}
        return found

    def theirs(self) -> dict[str, str | None]:
        """What `status` shows of Route 53's verdicts."""
        for endpoint in self.status().get("endpoints", []):
            return {one["id"]: one["route53"] for one in endpoint["load_balancers"]}
        return {}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running("--hurry", "50") as service:
        one = Watched(service, tmp_path)
        try:
            yield one
        finally:
            one.close()


def test_a_dead_load_balancer_leaves_the_answers_while_nothing_of_ours_runs(watched: Watched) -> None:
    client = watched.service.client()
    watched.service.order("fail", operation="CreateHealthCheck", count=10_000, code="ServiceUnavailable", status=503)
    roles = watched.everything()
    until(lambda: watched.addresses("www") == EVERYBODY, "published although no check can be made", 60)
    assert not watched.checks()
    until(lambda: "CreateHealthCheck" in json.dumps(watched.status().get("route53")), "status says why", 60)
    watched.service.order("clear")
    until(watched.whole, "every record set under its check", 60)
    checks = watched.checks()
    assert len(set(checks.values())) == 3
    for name, one in checks.items():
        listed = client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=one)["ResourceTagSet"]["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in listed}
        assert (tags["standfast:stream"], tags["standfast:zone"]) == ("main", ZONE)
        assert tags["standfast:load-balancer"] == name
    until(lambda: watched.theirs() == dict.fromkeys(ADDRESSES, "healthy"), "their verdicts beside ours", 60)
    beside = "Route 53's checks beside ours   lb-a up ✓   lb-b up ✓   lb-c up ✓"
    until(lambda: beside in watched.shown("status"), "and ours", 120)

    for role in roles:
        role.kill()
    watched.balancers["lb-b"].kill()
    until(lambda: watched.answered() == EVERYBODY - {ADDRESSES["lb-b"]}, "their checks take the dead one out", 60)
    assert watched.addresses("www") == EVERYBODY, "nobody wrote anything"
    for name in ("lb-a", "lb-c"):
        watched.balancers[name].kill()
    until(lambda: watched.answered() == EVERYBODY, "of none that is well, all are answered", 60)
    for name in ("lb-a", "lb-c"):
        watched.balancer(name)
    until(lambda: watched.answered() == EVERYBODY - {ADDRESSES["lb-b"]}, "and without the dead one again", 60)

    lost = list(watched.state.glob("store.sqlite*"))
    assert lost
    for path in lost:
        path.unlink()
    roles = watched.everything()
    until(lambda: watched.addresses("www") == EVERYBODY - {ADDRESSES["lb-b"]}, "ours find it dead", 60)
    watched.balancer("lb-b")
    until(watched.whole, "back under its check", 60)
    until(lambda: watched.answered() == EVERYBODY, "everybody is answered", 60)
    assert watched.checks() == checks, "found again, not made again"
    assert watched.standing() == set(checks.values()), "made twice"

    some = ", ".join(
        f"{n}: {{az: {n[3]}, ip: {ip}, port: {watched.port}}}" for n, ip in ADDRESSES.items() if n != "lb-c"
    )
    watched.written(load_balancers=f"{{{some}}}", policy="{removal: 100% in 10s, adding: 100% in 10s, min_answers: 1}")
    for role in roles[:2]:
        role.terminate()
    roles = [*roles[2:], watched.role("planner", "p1")]
    two = {checks["lb-a"], checks["lb-b"]}
    until(lambda: set(watched.checks().values()) == two, "the third one left", 60)
    assert checks["lb-c"] in watched.standing(), "G3: plans that are kept name it still"
    watched.command("drain", "lb-b", "--reason", "another plan", "--yes", "--wait", "--timeout", "60s")
    watched.command("drain", "lb-b", "--end")
    until(lambda: watched.standing() == two, "its check is collected when no plan names it any more", 90)

    for role in reversed(roles):
        role.terminate()
    assert not problems_in(watched.state / "journal")
    watched.command("audit")
