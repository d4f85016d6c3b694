"""How long a cleaner of trees waits, by its own clock, and what makes it wait again."""

from sim.world.tree_zones import charge, gather, grown, trees
from standfast.core.unneeded import Unneeded, seen_until
from standfast.model.tree import TreeName
from standfast.sim.mutants.runs import named
from standfast.sim.search.exploring import explore
from standfast.sim.world.histories import ENDPOINTS, ZONE

WWW = ENDPOINTS[0]


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


def test_a_longer_grace_is_kept_and_a_shorter_one_is_not_believed() -> None:
    memory = gather(grown(), charge(0.0))[1].memory
    assert gather(grown(), charge(3599.0, memory=memory, least_s=3600.0))[1].collected == ()
    assert len(gather(grown(), charge(3600.0, memory=memory, least_s=3600.0))[1].collected) == 2
    assert gather(grown(), charge(69.0, memory=memory, least_s=5.0))[1].collected == ()
    assert len(gather(grown(), charge(70.0, memory=memory, least_s=5.0))[1].collected) == 2


def test_what_a_long_pass_saw_for_the_first_time_counts_from_its_end() -> None:
    parent = "www._tree._standfast.example"
    old, new = (Unneeded(ZONE, TreeName(parent, since), at, 60) for since, at in ((1, 5.0), (2, 9.0)))
    assert [one.at for one in seen_until((old, new), 9.0, 1400.0)] == [5.0, 1400.0]


def test_in_every_order_nothing_goes_that_caches_may_remember() -> None:
    (scope,) = named(("tree waiting",))
    found = explore(scope.system(), states_max=300_000)
    assert found.bounds.complete
    assert found.findings == ()
    assert found.bounds.fired["tree cleaner deletes"]
    assert found.bounds.fired["time passes"]
