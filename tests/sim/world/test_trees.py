"""Trees of aliases in the search: every interleaving of small runs, damaged zones, and cleaners that wait."""

import pytest
from msgspec.structs import replace

from sim.world.tree_zones import charge, gather, grown, trees
from standfast.model.name import rollback_owner
from standfast.ports import trees_spec
from standfast.ports.local import Unrecorded
from standfast.ports.provider import Prerequisite, Refused, Unknown
from standfast.ports.trees import CollectTree, ListTree
from standfast.sim.world import treescopes
from standfast.sim.world.damaged import heal
from standfast.sim.world.histories import ENDPOINTS, ZONE, history
from standfast.sim.world.running import search
from standfast.sim.world.treedamage import TreeFamily

WWW = ENDPOINTS[0]


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
