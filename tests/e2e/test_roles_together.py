"""All roles as processes: a load balancer that dies leaves the answer and comes back; two streams share a zone."""

from __future__ import annotations

import pytest

from e2e.plans import Plans, both, v4, values_of
from e2e.roles import Process, listens, until
from e2e.stage import HERE, Stage
from harness.ports import free_port
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model.plan import Plan
from standfast.ports.store import ListPlans, PlanList, PlanRead, ReadPlan

ADDRESSES = {f"lb-{az}{n}": f"127.0.0.{at}{n}" for at, az in enumerate("abc", 1) for n in (1, 2)}
DEAD = "lb-b1"
FAILOVER_S = 5.0
"""Two failed checks 0.2 s apart, planning, a write: below 1 s; the rest is for a machine that does other things."""


def fleet(stage: Stage) -> tuple[str, dict[str, Process]]:
    """The YAML of the fleet, and one running HTTP server for each load balancer."""
    port = free_port()
    servers = {name: load_balancer(stage, address, port) for name, address in ADDRESSES.items()}
    until(lambda: all(listens(one, port) for one in ADDRESSES.values()), "every load balancer is there")
    parts = [f"{name}: {{az: {name[3]}, ip: {address}, port: {port}}}" for name, address in ADDRESSES.items()]
    return "{" + ", ".join(parts) + "}", servers


def load_balancer(stage: Stage, address: str, port: int) -> Process:
    """Start one."""
    arguments = [str(HERE / "balancers.py"), address, str(port)]
    return stage.started(Process(arguments, stage.folder / f"lb-{address}.log"))


def all_plans(store: SqliteStore) -> list[Plan]:
    """Every plan that the planner published."""
    listed = store.perform(ListPlans())
    assert isinstance(listed, PlanList)
    plans = []
    for summary in listed.plans:
        read = store.perform(ReadPlan(summary.digest))
        assert isinstance(read, PlanRead)
        plans.append(read.plan)
    return plans


def answers(stage: Stage, expected: set[str]) -> None:
    """Wait until both endpoints answer exactly this."""
    names = (stage.www, stage.api)
    stage.hold_ups().within(
        lambda: all(stage.ask(one, "A") == expected for one in names), FAILOVER_S, f"they answer {sorted(expected)}"
    )


@pytest.mark.slow
def test_a_killed_load_balancer_leaves_and_comes_back(stage: Stage) -> None:
    balancers, servers = fleet(stage)
    config = stage.config(
        "standfast",
        health="{http: /healthz, interval: 200ms, timeout: 2s, fall: 2, rise: 2, warm_up: 0s}",
        load_balancers=balancers,
        retention="{plans: 1000, days: 1}",
    )
    everyone = set(ADDRESSES.values())
    roles = [stage.role("planner", "p", config), stage.role("cleaner", "c", config)]
    roles += [stage.enactor(name, config) for name in ("a", "b")]
    until(lambda: stage.ask(stage.www, "A") == everyone, "the first plan stands")
    until(lambda: stage.ask(stage.api, "A") == everyone, "the first plan stands")
    stage.probe((stage.www, "A"), (stage.api, "A"))
    servers[DEAD].kill()
    answers(stage, everyone - {ADDRESSES[DEAD]})
    stage.started(servers[DEAD].again())
    answers(stage, everyone)
    servers["lb-c2"].kill()
    answers(stage, everyone - {ADDRESSES["lb-c2"]})
    plans = all_plans(stage.plans.store)
    stage.assert_nothing_bad(plans)
    assert len(plans) >= 4
    assert stage.journal("p", "planned")
    assert [role.terminate() for role in roles] == [0] * len(roles), "SIGTERM is a clean end"


@pytest.mark.slow
def test_two_streams_in_one_zone_leave_each_other_alone(stage: Stage) -> None:
    """Other owners, other floors; a name that both claim stays with whom it belongs to."""
    cell = f"cell.{stage.zone}"
    other = Plans(stage.open_store(stage.state / "other.sqlite"), stage.zone, "cell-1")
    stage.streams.append(other)
    path = stage.config(
        "other", stream="cell-1", store=f"sqlite:{stage.state / 'other.sqlite'}", endpoints="{cell: {}}"
    )
    stage.enactor("a")
    stage.enactor("z", path)
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    first = other.publish({cell: v4(31, 32)})
    until(lambda: stage.ask(cell, "A") == set(v4(31, 32)), "the other stream's endpoint stands")
    stage.probe()
    floor = stage.floor("cell-1")
    for step in range(3):
        stage.publish_and_wait(www=both(3 + step, 40))
    assert stage.floor("cell-1") == floor, "one stream's writes changed the other's floor"
    marker, floor = stage.marker(stage.www), stage.floor()
    other.publish({cell: v4(33, 34), stage.www: v4(66, 67)})
    until(lambda: stage.ask(cell, "A") == set(v4(33, 34)), "the other stream goes on")
    until(lambda: stage.journal("z", "outcome", name=stage.www, result="foreign"), "it is told whose name it is")
    assert (stage.marker(stage.www), stage.floor()) == (marker, floor)
    theirs = stage.marker(cell)
    assert theirs is not None
    assert theirs["s"] == "cell-1"
    assert stage.ask(cell, "A") != values_of(first.entry((stage.zone, cell)), "A")
    stage.heals(stage.www, [f"update delete {stage.www} A"])
    stage.assert_nothing_bad()
