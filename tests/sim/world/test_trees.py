"""Trees of aliases in the search: every interleaving of small runs, damaged zones, and cleaners that wait."""

import pytest
from msgspec.structs import replace

from standfast.core.collector import Charge, Gathered, GatheringHead
from standfast.core.unneeded import Unneeded
from standfast.model.name import rollback_owner
from standfast.model.tree import TreeName, read_tree_name
from standfast.ports import provider_spec, trees_spec
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent, Unrecorded
from standfast.ports.provider import Prerequisite, Read, Refused, Unknown
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import HeadRead, ListPlans, PlanList, PlanRead, PlanSummary, ReadHead, ReadPlan
from standfast.ports.trees import CollectTree, ListTree
from standfast.sim.world import treescopes
from standfast.sim.world.damaged import heal
from standfast.sim.world.histories import ENDPOINTS, STREAM, ZONE, history
from standfast.sim.world.reaching import lone_enactor
from standfast.sim.world.running import search
from standfast.sim.world.treedamage import TreeFamily

WWW = ENDPOINTS[0]
PLANS = history("t", "u", "v", "t")


@pytest.mark.parametrize("run", treescopes.QUICK, ids=lambda run: run.name)
def test_nothing_is_broken_whatever_the_order(run: object) -> None:
    if run is treescopes.QUICK[1]:  # the largest: a smaller one of the same kind
        run = replace(treescopes.QUICK[1], plans=history("t", "u"), crashes=False)
    found = search(run, "python", states_max=200_000)  # type: ignore[arg-type]
    assert found.bounds.complete
    assert [story.outcome for _, story in found.stories] == []
    assert found.bounds.fired["enactor writes"]
    assert found.bounds.fired["tree cleaner begins"]


@pytest.mark.parametrize("name", ["tree-families", "tree-retired", "tree-key-by-key"])
def test_nor_in_these_runs_of_the_standard_scope(name: str) -> None:
    run = next(run for run in treescopes.STANDARD if run.name == name)
    found = search(run, "python", states_max=200_000)
    assert found.bounds.complete
    assert [story.outcome for _, story in found.stories] == []


def test_damaged_trees_are_healed_by_one_lone_enactor() -> None:
    family = TreeFamily("trees, with floor and marker as they should be", history("t", "u", "v"), small=True)
    healed = heal(family)
    assert healed.zones == family.size == 2880
    assert healed.ill == ()


def grown(upto: int = 4) -> ZoneState:
    """A zone in which these plans were enacted in turn."""
    zone = ZoneState(ZONE, {})
    for plan in PLANS[:upto]:
        zone, why = lone_enactor(zone, plan)
        assert why == ""
    return zone


def trees(zone: ZoneState) -> list[int]:
    return sorted({tree.since for owner, _ in zone.rrsets if (tree := read_tree_name(owner, ZONE)) is not None})


def gather(
    zone: ZoneState, charge: Charge, pinned: tuple[int, ...] = (), refused: dict[str, object] | None = None
) -> tuple[ZoneState, Gathered]:
    """One pass, everything answered; `refused` are replies given instead, by the request's name."""
    refused = refused or {}
    phase: object = GatheringHead(charge)
    while not isinstance(phase, Gathered):
        request = phase.request  # type: ignore[attr-defined]
        reply: object
        match request:
            case ReadHead():
                reply = HeadRead(PLANS[-1].head)
            case ReadPlan(digest):
                reply = PlanRead(next(plan for plan in PLANS if plan.digest == digest))
            case ListPlans():
                some = [
                    PlanSummary(p.generation, p.digest, 0.0, "", "", "kept" * (p.generation in pinned)) for p in PLANS
                ]
                reply = PlanList(tuple(some))
            case DrawNonce():
                reply = Nonce("0" * 16)
            case RecordIntent():
                reply = Recorded()
            case Read():
                reply = provider_spec.apply(zone, request)[1]
            case _:
                after, reply = trees_spec.apply(zone, request)
                zone = after if type(request).__name__ not in refused else zone
        phase = phase.heard(refused.get(type(request).__name__, reply))  # type: ignore[attr-defined]
    return zone, phase


def charge(now: float, **more: object) -> Charge:
    fixed: dict[str, object] = {"wait_s": ((ZONE, 10.0),), "keep": 0, **more}
    return Charge(STREAM, (ZONE,), now, **fixed)  # type: ignore[arg-type]


def test_only_what_nothing_needs_goes_after_ttl_and_lag_by_the_cleaners_own_clock() -> None:
    zone = grown()
    assert trees(zone) == [1, 2, 3, 4]
    zone, first = gather(zone, charge(100.0))
    assert first.collected == ()
    assert {one.tree.since: one.at for one in first.memory} == {1: 100.0, 2: 100.0}
    zone, early = gather(zone, charge(169.9, memory=first.memory))
    assert (early.collected, trees(zone)) == ((), [1, 2, 3, 4])
    zone, restarted = gather(zone, charge(170.0))
    assert restarted.collected == ()
    zone, done = gather(zone, charge(170.0, memory=first.memory))
    assert done.collected == ((ZONE, WWW, 1), (ZONE, WWW, 2))
    assert trees(zone) == [3, 4]
    assert done.memory == ()


def test_the_largest_ttl_ever_seen_is_waited_for() -> None:
    known = Unneeded(ZONE, TreeName("www._tree._standfast.example", 1), 0.0, 3600)
    zone, found = gather(grown(), charge(1000.0, memory=(known,)))
    assert found.collected == ()
    zone, found = gather(zone, charge(3610.0, memory=(known,)))
    assert [since for _, _, since in found.collected] == [1]


def test_a_secondary_that_cannot_be_read_blocks() -> None:
    memory = gather(grown(), charge(0.0))[1].memory
    zone, found = gather(grown(), charge(1e6, memory=memory, wait_s=()))
    assert (found.collected, trees(zone)) == ((), [1, 2, 3, 4])
    assert any("secondary can't be read" in why for why in found.told)
    assert found.memory == memory


def test_retention_and_pins_keep_trees() -> None:
    memory = gather(grown(), charge(0.0))[1].memory
    assert gather(grown(), charge(1e6, memory=memory, keep=1))[1].collected == ((ZONE, WWW, 1),)
    assert gather(grown(), charge(1e6, memory=memory), pinned=(1,))[1].collected == ((ZONE, WWW, 2),)


def test_a_large_tree_goes_in_parts_its_top_first_and_a_conflict_leaves_it_for_another_pass() -> None:
    memory = gather(grown(), charge(0.0))[1].memory
    zone, found = gather(grown(), charge(1e6, memory=memory, elements=1))
    assert trees(zone) == [3, 4]
    assert len(found.collected) == 2
    zone, found = gather(grown(), charge(1e6, memory=memory), refused={"CollectTree": Unknown("no answer")})
    assert found.collected == ()
    assert any("unknown" in why for why in found.told)


@pytest.mark.parametrize(
    "refused",
    [
        {"ReadHead": Unknown("away")},
        {"ListPlans": Unknown("away")},
        {"ListTree": Unknown("throttled")},
        {"Read": Unknown("throttled")},
        {"RecordIntent": Unrecorded("the disk is full")},
    ],
    ids=lambda refused: next(iter(refused)),
)
def test_whoever_cannot_look_or_tell_takes_nothing(refused: dict[str, object]) -> None:
    memory = gather(grown(), charge(0.0))[1].memory
    zone, found = gather(grown(), charge(1e6, memory=memory), refused=refused)
    assert (found.collected, trees(zone)) == ((), [1, 2, 3, 4])


def test_a_deletion_of_anything_but_tree_records_is_refused_by_the_port_itself() -> None:
    zone = grown()
    back = rollback_owner(WWW, ZONE)
    for owner in (WWW, back, "www._standfast.example", "_tree._standfast.example"):
        some = [rrset for key, rrset in zone.rrsets.items() if key[0] == owner] or [next(iter(zone.rrsets.values()))]
        doomed = (Prerequisite(owner, some[0].rtype, some[0].rdata),)
        after, reply = trees_spec.apply(zone, CollectTree(ZONE, WWW, doomed, doomed))
        assert isinstance(reply, Refused)
        assert after is zone


def test_pages_come_in_order_and_join_to_the_whole() -> None:
    zone, start = grown(), ""
    seen: list[object] = []
    while True:
        page = trees_spec.apply(zone, ListTree(ZONE, start, 1))[1]
        seen += page.records  # type: ignore[union-attr]
        start = page.more  # type: ignore[union-attr]
        if not start:
            break
    assert len(seen) == len(dict.fromkeys(seen)) == 8
