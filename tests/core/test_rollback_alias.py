"""A rollback alias that is lost is damage: it is healed by itself, where an earlier tree stands, and never blocks."""

import pytest

from standfast.adapters.providers.memory import MemoryProvider
from standfast.core.patrol import Patrol, in_order
from standfast.model.entry import TREES_REMEMBERED, Key
from standfast.model.name import rollback_owner, tree_parent
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, ROUTED_TYPES, RRset
from standfast.model.tree import TreeName, alias_rrset, read_tree_name, simple_target
from standfast.ports.provider_spec import ZoneState
from standfast.sim.properties import not_reached
from standfast.sim.tree_properties import Literally
from standfast.sim.world.histories import ENDPOINTS, ZONE, history
from standfast.sim.world.reaching import lone_enactor

WWW = ENDPOINTS[0]
BACK = rollback_owner(WWW, ZONE)
PLANS = history("T", "U", "T", "U")


def enacted(*plans: Plan) -> ZoneState:
    zone = ZoneState(ZONE, {})
    for plan in plans:
        zone, why = lone_enactor(zone, plan)
        assert why == ""
    return zone


def without(zone: ZoneState, *keys: tuple[str, int]) -> ZoneState:
    return ZoneState(ZONE, {key: rrset for key, rrset in zone.rrsets.items() if key not in keys}, zone.serial + 1)


def rollback_keys(zone: ZoneState) -> list[tuple[str, int]]:
    return [key for key in zone.rrsets if key[0] == BACK]


def leads_to(zone: ZoneState) -> set[tuple[int, int]]:
    """(type, since of the tree) of every rollback alias that stands."""
    found = set()
    for rtype in ADDRESS_TYPES:
        if target := simple_target(Literally(zone).get((BACK, int(rtype)))):
            tree = read_tree_name(target, ZONE)
            assert tree is not None
            found.add((int(rtype), tree.since))
    return found


def felled(zone: ZoneState, *numbers: int) -> ZoneState:
    """Without the leaves of these trees."""
    tops = {TreeName(tree_parent(WWW, ZONE), number).top for number in numbers}
    gone = [key for key in zone.rrsets if any(key[0].endswith(f".{top}") for top in tops)]
    assert gone
    return without(zone, *gone)


def both(number: int) -> set[tuple[int, int]]:
    return {(int(rtype), number) for rtype in ADDRESS_TYPES}


def test_a_plan_names_the_trees_before_newest_first_and_not_for_ever() -> None:
    plans = history(*"tuvtuvt")
    named = [entry.trees for plan in plans if (entry := plan.entry((ZONE, WWW))) is not None]
    assert named[:4] == [(), (1,), (2, 1), (3, 2, 1)]
    assert all(len(one) <= TREES_REMEMBERED for one in named)
    named = [entry.trees for plan in history(*"ttuabt") if (entry := plan.entry((ZONE, WWW))) is not None]
    assert named == [(), (), (1,), (3, 1), (3, 1), (3, 1)]


@pytest.mark.parametrize("gone", [0, 1, 2], ids=["both", "A", "AAAA"])
def test_a_missing_rollback_alias_is_found_by_the_patrol_and_put_back(gone: int) -> None:
    zone = enacted(*PLANS)
    assert leads_to(zone) == both(3)
    keys = rollback_keys(zone)
    assert len(keys) == 2
    damaged = without(zone, *(keys if not gone else [key for key in keys if key[1] == ROUTED_TYPES[gone - 1]]))
    assert leads_to(damaged) != both(3)
    assert suspects(damaged) == [(ZONE, WWW)]
    healed, why = lone_enactor(damaged, PLANS[-1])
    assert why == ""
    assert leads_to(healed) == both(3)
    assert suspects(healed) == []


def test_a_dangling_one_goes_to_the_next_earlier_tree_that_is_whole() -> None:
    zone = felled(enacted(*PLANS), 3)
    assert not_reached(zone, PLANS[-1])
    healed, why = lone_enactor(zone, PLANS[-1])
    assert (why, leads_to(healed)) == ("", both(2))
    healed, why = lone_enactor(felled(healed, 2), PLANS[-1])
    assert (why, leads_to(healed)) == ("", both(1))


def test_without_any_earlier_tree_there_is_none_and_nobody_misses_it() -> None:
    zone = felled(enacted(*PLANS), 1, 2, 3)
    healed, why = lone_enactor(zone, PLANS[-1])
    assert (why, leads_to(healed)) == ("", set())
    assert suspects(healed) == []
    assert enacted(PLANS[0]).rrsets.keys().isdisjoint((BACK, int(rtype)) for rtype in (*ADDRESS_TYPES, *ROUTED_TYPES))


def test_it_never_blocks_a_newer_plan() -> None:
    nothing = TreeName(tree_parent(WWW, ZONE), 99).top
    aliases = {(BACK, one.rtype): one for one in (alias_rrset(rtype, nothing) for rtype in ADDRESS_TYPES)}
    before = enacted(*PLANS[:3])
    there = {key: rrset for key, rrset in before.rrsets.items() if key[0] != BACK}
    dangling: dict[tuple[str, int], RRset] = there | aliases
    for damaged in (ZoneState(ZONE, there), ZoneState(ZONE, dangling), felled(before, 2), felled(before, 1, 2)):
        after, why = lone_enactor(damaged, PLANS[3])
        assert (why, leads_to(after)) == ("", both(3)), "root's tree of before is where one goes back to"


def suspects(zone: ZoneState) -> list[Key]:
    """Whom one round of the patrol suspects."""
    plan = PLANS[-1]
    entries, provider = in_order(plan.by_zone[ZONE]), MemoryProvider(ZONE, {})
    provider.state, patrol = zone, Patrol(ZONE)
    found: list[Key] = []
    for _ in range(20):
        patrol, request = patrol.begun(entries)
        assert request is not None
        patrol, seen = patrol.heard(provider.perform(request), plan, len(entries))
        found += seen.suspects
        if patrol.rounds:
            return found
    raise AssertionError("a round does not end")
