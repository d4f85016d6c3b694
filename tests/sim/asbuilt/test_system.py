"""The search finds what happened in October 2025, and is not led to it by any schedule."""

import pytest

from standfast.sim.asbuilt import plans
from standfast.sim.asbuilt.enactor import Enactor, Look, Send
from standfast.sim.asbuilt.remedies import Built, Remedy
from standfast.sim.asbuilt.route53 import HostedZone, resolve
from standfast.sim.asbuilt.system import AsBuilt, Scope
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.compiled import explore_compiled
from standfast.sim.search.exploring import explore, survey
from standfast.sim.search.product import Finding, Result, Value
from standfast.sim.search.spin import agreement

MOST = 1_000_000
SMALL = Scope(2, 3, 1)


def system(*remedies: Remedy, scope: Scope = SMALL, fused: bool = True) -> AsBuilt:
    return AsBuilt(Built(plans.ENDPOINTS[: scope.endpoints], remedies=frozenset(remedies)), scope, fused=fused)


def found(result: Result, name: str) -> Finding:
    return next(finding for finding in result.findings if finding.property == name)


def test_the_emptied_endpoint_is_found_with_a_shortest_trace() -> None:
    result = explore(system(), states_max=MOST)
    assert (result.bounds.states, result.bounds.transitions, result.bounds.complete) == (3_603, 13_954, True)
    emptied = found(result, "emptied")
    assert len(emptied.steps) == 15
    (zone,) = [value for value in emptied.states[-1] if isinstance(value, HostedZone)]
    assert resolve(zone, zone.apex) == ("NOERROR", ())
    assert plans.root(zone) == 1
    assert plans.trees(zone) == (3,)
    texts = [step.text for step in emptied.steps]
    flips = [number for number, text in enumerate(texts) if "points" in text]
    assert [texts[number].split(" at ")[1].split(" and ")[0] for number in flips] == ["plan 3", "plan 1"]
    assert "deletes plan 1" in texts[-1]
    assert flips[-1] < len(texts) - 1


def test_the_old_plan_goes_over_the_newer_one_although_its_lock_is_its_own() -> None:
    backwards = found(explore(system(), states_max=MOST), "backwards")
    assert len(backwards.steps) == 12
    assert backwards.what.endswith("went from plan 2 to plan 1")
    enactor = next(v for v in backwards.states[-2] if isinstance(v, Enactor) and v.phase == "surveying")
    assert enactor.lock


@pytest.mark.parametrize("endpoints", [1, 2])
def test_one_enactor_that_never_crashes_does_no_harm(endpoints: int) -> None:
    result = explore(system(scope=Scope(1, 3, endpoints, crashes=False)), states_max=MOST)
    assert result.bounds.complete
    assert {finding.property for finding in result.findings} <= {"dangling"}


def test_two_endpoints() -> None:
    result = explore(system(scope=Scope(2, 3, 2)), states_max=MOST)
    assert (result.bounds.states, result.bounds.transitions) == (88_965, 343_329)
    assert {finding.property: len(finding.steps) for finding in result.findings} == {
        "backwards": 12,
        "emptied": 18,
        "dangling": 18,
        "unhealed": 18,
    }


def test_without_reductions_the_same_is_found() -> None:
    reduced = explore(system(), states_max=MOST)
    plain = explore(system(), states_max=MOST, reductions=Reductions(numbering=True, symmetry=False, fusion=False))
    assert plain.bounds.states > reduced.bounds.states
    assert lengths(plain) == lengths(reduced)


def lengths(result: Result) -> dict[str, int]:
    return {finding.property: len(finding.steps) for finding in result.findings}


@pytest.mark.parametrize("remedies", [(), ("check-in-lock",), ("fair-lock",), ("decoupled",), ("fence",)])
def test_fused_steps_reach_the_same_zones_as_single_requests(remedies: tuple[Remedy, ...]) -> None:
    """But for who holds a lock, and for what stands in the middle of a step."""
    scope = Scope(2, 2, 1)
    fused, single = (survey(system(*remedies, scope=scope, fused=one), states_max=MOST) for one in (True, False))
    assert single.result.bounds.states > fused.result.bounds.states
    zones = [{_installed(one.values(state)) for state in range(len(one))} for one in (fused, single)]
    assert zones[0] == zones[1]
    assert {f.property for f in fused.result.findings} == {f.property for f in single.result.findings}


def _installed(values: tuple[Value, ...]) -> tuple[object, ...]:
    """The latest plan, and what stands in the zone, locks aside."""
    latest, zone, *_ = values
    assert isinstance(zone, HostedZone)
    locks = (plans.lock_name(zone.apex), plans.queue_name(zone.apex))
    return (latest, *(record for record in zone.records if record.name not in locks))


def test_the_compiled_search_counts_the_same() -> None:
    ours, theirs = (search(system(), states_max=MOST) for search in (explore, explore_compiled))
    assert (ours.bounds.states, ours.bounds.transitions) == (theirs.bounds.states, theirs.bounds.transitions)
    assert lengths(ours) == lengths(theirs)


@pytest.mark.parametrize("remedies", [(), ("fence",)])
def test_spin_counts_the_same(remedies: tuple[Remedy, ...]) -> None:
    counted = agreement(system(*remedies), states_max=MOST)
    assert counted.holds, counted


def test_an_enactor_asks_one_thing_of_one_zone() -> None:
    """The search asks a rule about one enactor and one zone; no step may need more."""
    exploration = survey(system(scope=Scope(2, 2, 2)), states_max=MOST)
    asked = {
        (type(request).__name__, request.endpoint)
        for state in range(len(exploration))
        for value in exploration.values(state)
        if isinstance(value, Enactor) and isinstance(request := value.request("0" * 16), Look | Send)
    }
    assert asked == {("Look", 0), ("Look", 1), ("Send", 0), ("Send", 1)}
