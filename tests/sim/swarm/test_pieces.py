"""The pieces of the simulator: time, faults, hands, files, and what is left out because it changes nothing."""

import random
from functools import cache
from pathlib import Path

import pytest
from msgspec import structs

from standfast.model.name import marker_owner, rollback_owner
from standfast.model.rrset import RRset, RRType, txt_rdata
from standfast.ports import provider_spec, store_spec
from standfast.ports.provider_spec import ZoneState
from standfast.sim.swarm.clock import Clock
from standfast.sim.swarm.enacting import EnactorProcess
from standfast.sim.swarm.hands import RESTORING, hand, without_wildcard
from standfast.sim.swarm.kinds import KINDS
from standfast.sim.swarm.loop import Circling, Loop
from standfast.sim.swarm.mishaps import Mishaps
from standfast.sim.swarm.region import Region
from standfast.sim.swarm.running import CRASH, Simulation, run
from standfast.sim.swarm.scenario import Fault, Scenario, ScenarioError, drawn, load, save
from standfast.sim.swarm.server import Server
from standfast.sim.swarm.treehands import TREE_HANDS

CALM = structs.replace(drawn(1, 0.2, 6), faults=())
TREED = structs.replace(
    CALM, hosted=1, hours=0.5, faults=tuple(one for one in drawn(5, 0.5, 6).faults if KINDS[one.kind].change)
)
"""Endpoints have trees, and plans change."""
STILL = structs.replace(drawn(4, 0.2, 6), faults=())
"""Nothing turns in it: answers that do go on changing when they are asked to stand still."""


def settled(scenario: Scenario = CALM) -> Region:
    """A region in which everything stands as it should."""
    simulation = Simulation(scenario)
    assert simulation.run().broken is None
    return simulation.region


def test_things_happen_in_their_order_and_at_one_moment_in_that_of_asking() -> None:
    loop, seen = Loop(), list[str]()
    loop.at(2.0, lambda: seen.append("later"))
    loop.at(1.0, lambda: seen.append("first"))
    loop.at(1.0, lambda: loop.at(0.5, lambda: seen.append("too late is now")))
    loop.run(1.5, 10)
    assert (seen, loop.now) == (["first", "too late is now"], 1.5)
    loop.run(2.0, 10)
    assert seen[-1] == "later"


def test_who_wakes_himself_for_ever_is_found_out() -> None:
    loop = Loop()

    def again() -> None:
        loop.after(0.0, again)

    again()
    with pytest.raises(Circling):
        loop.run(1.0, 100)


def test_a_monotonic_clock_never_goes_back() -> None:
    clock = Clock(skew_s=30.0, rate=1.001)
    wall, monotonic = clock.wall(10.0), clock.monotonic(10.0)
    clock.jump(-500.0)
    assert clock.wall(10.0) == pytest.approx(wall - 500.0)
    assert clock.monotonic(10.0) == monotonic
    clock.jump(60.0)
    assert clock.monotonic(10.0) == pytest.approx(monotonic + 60.0)


def test_a_fault_about_messages_hits_so_many_and_no_more() -> None:
    mishaps = Mishaps()
    armed = mishaps.arm("late", "enactor-0", 3, seed=1)
    assert sum(mishaps.hits("late", "enactor-0") is not None for _ in range(200)) == 3
    assert mishaps.hits("late", "enactor-1") is None
    mishaps.disarm("late", "enactor-0", armed)
    assert mishaps.hits("late", "enactor-0") is None


def test_two_faults_of_one_kind_end_one_by_one() -> None:
    mishaps = Mishaps()
    mishaps.begin("outage", "z0.example")
    mishaps.begin("outage", "z0.example")
    mishaps.end("outage", "z0.example")
    assert mishaps.on("outage", "z0.example")
    mishaps.end("outage", "z0.example")
    assert not mishaps.on("outage", "z0.example")


@cache
def _stood(scenario: Scenario) -> Server:
    return next(iter(settled(scenario).servers.values()))


def _names(zone: ZoneState) -> tuple[str, ...]:
    return (f"e2.{zone.apex}", zone.apex, f"*.w.{zone.apex}", f"e3.{zone.apex}")


def test_a_hosted_zone_has_trees_and_the_cleaner_leaves_no_more_than_it_may() -> None:
    simulation = Simulation(TREED)
    told: list[str] = []
    simulation.region.on_note = lambda actor, text: told.append(text) if actor == "cleaner" else None
    assert simulation.run().broken is None
    assert any(text.startswith("collected the tree of since") for text in told), told
    region = simulation.region
    zone = region.servers["z0.example"].state
    assert any(key[1] == RRType.ROUTED_A for key in zone.rrsets)
    region.cleaner.trees.keep = -1
    assert "nothing needs them" in region.judge.uncollected(region.depot.state.head, (zone,), -1)


@pytest.mark.parametrize("kind", [name for name in KINDS if name.startswith("hand: ")])
def test_every_family_of_hands_changes_the_zone(kind: str) -> None:
    server = _stood(TREED if kind in TREE_HANDS else CALM)
    zone, past = server.state, tuple(server.past)
    back = [name for name in _names(zone) if (rollback_owner(name, zone.apex), int(RRType.ROUTED_A)) in zone.rrsets]
    name = back[0] if kind in TREE_HANDS else f"e2.{zone.apex}"
    if kind in RESTORING:
        owner = (marker_owner(name, zone.apex), int(RRType.TXT))
        past = (ZoneState(zone.apex, {owner: RRset.of(RRType.TXT, 60, [txt_rdata("as it was")])}), *past)
    changed = [hand(kind, zone, name, past, random.Random(number)) for number in range(20)]
    assert any(after is not None and after.rrsets != zone.rrsets for after in changed)
    if kind == "hand: wildcard":
        for after in changed:
            assert after is not None
            gone = without_wildcard(after)
            assert gone is not None
            assert gone.rrsets == zone.rrsets


def test_a_look_that_is_left_out_would_have_changed_nothing() -> None:
    region = settled()
    for enactor in region.enactors:
        assert not enactor.busy
        before = enactor.core
        after = before.wake("look", before.now)
        while (request := after.request) is not None:
            after = after.heard(_truth(region, enactor, request))
        kept = ("plan", "agenda", "quarantine", "tug", "behind", "forked", "copy_due", "contention")
        assert dict(after.zones) == dict(before.zones)
        assert [getattr(after, field) for field in kept] == [getattr(before, field) for field in kept]
        assert after.outcomes == ()


def _truth(region: Region, enactor: EnactorProcess, request: object) -> object:
    zone = getattr(request, "zone", None)
    if zone is None:
        return store_spec.apply(region.depot.state, request)[1]  # type: ignore[arg-type]
    return provider_spec.apply(region.servers[zone].state, request)[1]  # type: ignore[arg-type]


def test_a_pass_of_the_planner_that_is_left_out_would_have_published_nothing() -> None:
    region = settled()
    planner, head = region.planners[0], region.depot.state.head
    assert planner.due_to_plan is False
    planner.plan_now()
    region.loop.run(region.loop.now + 60.0, 10_000)
    assert region.depot.state.head == head


def test_a_region_without_faults_is_enacted_and_then_still() -> None:
    done = run(STILL)
    assert done.broken is None
    assert done.converged_s == 0.0
    assert sum(done.fired.values()) == 0
    assert done.plans >= 1


def test_a_core_that_raises_is_told_as_a_crash_and_as_no_property(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("a core fell over")

    monkeypatch.setattr("standfast.sim.swarm.enacting.Enactor.wake", broken)
    done = run(CALM)
    assert done.broken is not None
    assert done.broken.rule == CRASH


def test_a_scenario_is_saved_and_read_back(tmp_path: Path) -> None:
    scenario = drawn(11, 0.5, 8)
    save(scenario, tmp_path / "it.json")
    assert load(tmp_path / "it.json") == scenario


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not a scenario"),
        ("[]", "is not a scenario"),
        ('{"seed": 1}', "missing required field"),
    ],
)
def test_what_is_no_scenario_is_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "it.json").write_text(text)
    with pytest.raises(ScenarioError, match=why) as refused:
        load(tmp_path / "it.json")
    assert "it.json" in str(refused.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"hours": -1.0},
        {"endpoints": 10**9},
        {"faults": (Fault("no such kind", 1.0, "enactor-0"),)},
        {"faults": (Fault("pause", 1.0, "nobody"),)},
        {"faults": (Fault("pause", -1.0, "enactor-0"),)},
    ],
)
def test_a_scenario_out_of_range_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    scenario: Scenario = structs.replace(CALM, **changed)
    save(scenario, tmp_path / "it.json")
    with pytest.raises(ScenarioError):
        load(tmp_path / "it.json")
