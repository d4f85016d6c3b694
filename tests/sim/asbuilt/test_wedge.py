"""Why it stayed empty: the rollback alias, and nothing else, makes the outage permanent."""

import pytest

from standfast.sim.asbuilt import plans
from standfast.sim.asbuilt.driving import Region, is_stuck
from standfast.sim.asbuilt.remedies import Built, Remedy, Rendering
from standfast.sim.asbuilt.route53 import resolve
from standfast.sim.asbuilt.system import STORE, AsBuilt, Scope
from standfast.sim.asbuilt.verdicts import verdict
from standfast.sim.asbuilt.wedge import is_for_ever, lost_states, wedge, zones_of
from standfast.sim.search.exploring import Exploration, survey
from standfast.sim.search.product import Value

MOST = 1_000_000
SCOPE = Scope(2, 3, 1)


def explored(*remedies: Remedy, rendering: Rendering = "enactor") -> tuple[AsBuilt, Exploration]:
    how = Built(plans.ENDPOINTS[:1], remedies=frozenset(remedies), rendering=rendering)
    system = AsBuilt(how, SCOPE)
    return system, survey(system, states_max=MOST)


def emptied(exploration: Exploration) -> tuple[Value, ...]:
    return next(f.states[-1] for f in exploration.result.findings if f.property == "emptied")


@pytest.mark.parametrize("rendering", ["enactor", "provider"])
def test_a_state_from_which_no_enactor_ever_gets_on(rendering: Rendering) -> None:
    """Whether the enactor's code cannot cope or the provider refuses makes no difference to anybody."""
    system, exploration = explored(rendering=rendering)
    lost = lost_states(exploration, system)
    assert len(lost) == 72
    finding = wedge(exploration, system, lost)
    assert finding is not None
    assert len(finding.steps) == 15
    (zone,) = zones_of(finding.states[-1])
    assert plans.root(zone) == 1
    assert plans.trees(zone) == (3,)


def test_the_same_empty_zone_heals_with_the_next_plan_if_rollback_is_decoupled() -> None:
    system, exploration = explored()
    latest, zones = emptied(exploration)[STORE], zones_of(emptied(exploration))
    assert isinstance(latest, int)
    for remedy in ("decoupled", "repair"):
        how = Built(system.how.endpoints, remedies=frozenset({remedy}))
        assert is_stuck(how, latest + 1, zones) == ""
    for more in range(1, system.how.distance + 3):
        assert is_stuck(system.how, latest + more, zones)


@pytest.mark.parametrize("remedy", ["decoupled", "repair"])
def test_without_the_coupling_it_is_a_blip(remedy: Remedy) -> None:
    found = verdict({remedy}, SCOPE)
    assert found.steps("emptied") == 15
    assert found.lost == 0
    assert found.remain.isdisjoint({"unhealed", "wedged"})


def test_every_state_of_no_return_is_one_of_the_emptied_endpoint() -> None:
    system, exploration = explored()
    lost = lost_states(exploration, system)
    for state in lost:
        (zone,) = zones_of(exploration.values(state))
        assert plans.root(zone) not in plans.trees(zone)
    for state in lost[::12]:
        assert is_for_ever(system, exploration.values(state))


def test_an_enactor_in_the_middle_of_the_old_plan_could_still_save_it() -> None:
    """So an empty zone alone is no wedge: whoever rebuilds the very tree that is gone brings the answer back."""
    how = Built(plans.ENDPOINTS[:1])
    region = Region(how, ("old", "as old", "new"), latest=1)
    for actor in ("old", "as old"):
        region.until(actor, lambda one: one.phase == "locking", "has checked plan 1")
    region.latest = 3
    region.until("new", lambda one: one.phase == "listing", "has installed plan 3")
    region.until("old", lambda one: one.phase == "listing", "has installed plan 1 over it")
    region.until("new", lambda one: one.phase == "idle", "has cleaned up")
    assert resolve(region.zones[0], how.endpoints[0]) == ("NOERROR", ())
    assert is_stuck(how, 4, region.zones)
    region.until("as old", lambda one: one.phase == "surveying", "has rebuilt the tree of plan 1")
    assert resolve(region.zones[0], how.endpoints[0])[1]
    assert is_stuck(how, 4, region.zones) == ""


def test_a_healthy_zone_is_not_called_stuck() -> None:
    how = Built(plans.ENDPOINTS[:2])
    region = Region(how, ("a",), latest=1)
    region.complete("a")
    assert is_stuck(how, 2, region.zones) == ""
    assert not is_for_ever(AsBuilt(how, Scope(1, 1, 2)), (1, *region.zones, region.enactors["a"]))
