"""All roles with the plans in S3, and in PostgreSQL: killed, cleaned up behind, lost, set back, away; then audited."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import staged
from e2e.roles import until
from e2e.stage import Stage
from e2e.test_lost_stores import Region
from harness.dnsserver import DnsServer
from harness.ports import HOST
from harness.postgresql import PASSWORD, USER, postgresql
from harness.s3 import REGION, MotoS3, Room, moto_s3
from standfast.adapters.stores.plan_store import PlanStore
from standfast.config import load
from standfast.model.plan import Plan
from standfast.ports.store import ListPlans, PlanList, PlanMissing, PlanRead, ReadPlan
from standfast.runtime.storing import opened


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path, seed: int, bind: DnsServer) -> Iterator[Stage]:
    """On BIND: what the store is has nothing to do with the name server."""
    yield from staged(request, bind, tmp_path, seed)


@pytest.fixture
def moto(tmp_path: Path) -> Iterator[MotoS3]:
    with moto_s3(tmp_path) as server:
        yield server


@pytest.fixture
def s3(moto: MotoS3) -> str:
    """A store in a new bucket, as the configuration names it."""
    room = Room(moto)
    return f"{{in: s3, bucket: {room.name}, prefix: edge/main, region: {REGION}, endpoint: '{moto.url}', look: 200ms}}"


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store in a database of its own server."""
    monkeypatch.setenv("PLANS_PASSWORD", PASSWORD)
    with postgresql() as cluster:
        where = f"host: {HOST}, port: {cluster.port}, database: {USER}, user: {USER}"
        yield f"{{in: postgresql, {where}, password: env:PLANS_PASSWORD, tls: disable}}"


def store_of(region: Region) -> PlanStore:
    """As another process sees it."""
    return opened(load(region.config).store, make=False)


def plans_in(region: Region) -> list[Plan]:
    """Every plan that is there now and whole."""
    store = store_of(region)
    listed = store.perform(ListPlans())
    assert isinstance(listed, PlanList)
    found = []
    for summary in listed.plans:
        read = store.perform(ReadPlan(summary.digest))
        assert isinstance(read, PlanRead | PlanMissing)
        found += [read.plan] if isinstance(read, PlanRead) else []
    store.close()
    return found


def audited(stage: Stage) -> None:
    """`standfast audit` over the journals of all processes."""
    command = [sys.executable, "-m", "standfast", "audit", "--json", str(stage.state / "journal")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s3", "postgres"])
def test_all_roles_with_a_store_elsewhere(stage: Stage, request: pytest.FixtureRequest, kind: str) -> None:
    where = request.getfixturevalue(kind)
    region = Region(stage, "abd", cleaner=False, store=where, retention="{plans: 1, days: 0}")
    region.answers(1, 2)
    stage.probe((stage.www, "A"), (stage.api, "A"))
    plans = plans_in(region)
    for step, extra in enumerate(range(3, 8)):
        region.put(*range(1, extra + 1))
        if step == 1:
            region.roles["p"].kill()
        if step == 3:
            region.roles["a"].kill()
        region.answers(*range(1, extra + 1))
        plans += plans_in(region)
    before = len(plans_in(region))
    assert before >= 6
    region.roles["c"] = stage.role("cleaner", "c", region.config)
    until(lambda: [one for one in stage.journal("c", "collected") if one["generations"]], "old plans are collected")
    region.put(*range(1, 9))
    region.answers(*range(1, 9))
    assert len(plans_in(region)) < before
    plans = list({plan.digest: plan for plan in [*plans, *plans_in(region)]}.values())
    stage.assert_nothing_bad(plans)
    # a signal that comes before a process listens for it ends it otherwise
    until(lambda: all(len(stage.journal(one, "started")) >= 2 for one in "pa"), "who was killed is here again")
    assert [role.terminate() for role in region.roles.values()] == [0] * len(region.roles)
    audited(stage)


@pytest.mark.slow
@pytest.mark.parametrize("happens", ["lost", "set back"])
def test_the_bucket_is_emptied_or_rolled_back(stage: Stage, moto: MotoS3, happens: str) -> None:
    """The catalogue goes, or an earlier version of it comes back while the packs it names may be collected."""
    room = Room(moto)
    where = f"{{in: s3, bucket: {room.name}, prefix: edge/main, region: {REGION}, endpoint: '{moto.url}', look: 200ms}}"
    region = Region(stage, store=where, retention="{plans: 1, days: 0}")
    region.answers(1, 2)
    stage.probe((stage.www, "A"), (stage.api, "A"))
    early, plans = room.read("catalogue"), plans_in(region)
    for extra in range(3, 6):
        region.put(*range(1, extra + 1))
        region.answers(*range(1, extra + 1))
        plans += plans_in(region)
    generation = region.generation()
    assert generation >= 4
    if happens == "lost":
        room.delete(*room.keys())
    else:
        room.delete(*room.keys("objects/"))
        room.put("catalogue", early)
    with stage.damaged(stage.www):
        stage.hand(f"update delete {stage.www} A")
        region.answers(*range(1, 6))
    region.put(*range(1, 7))
    region.answers(*range(1, 7))
    assert region.generation() > generation, "the planner did not publish above what stood in DNS"
    plans = list({plan.digest: plan for plan in [*plans, *plans_in(region)]}.values())
    stage.assert_nothing_bad(plans)
