"""Which remedies remove which failure: the table is what the search finds, and the search can contradict it."""

import pytest
from msgspec import structs

from standfast.errors import StandfastError
from standfast.sim.asbuilt.driving import Region
from standfast.sim.asbuilt.narrating import PREVENTED_BY
from standfast.sim.asbuilt.plans import ENDPOINTS, trees
from standfast.sim.asbuilt.remedies import OURS, SWITCHES, Built, chosen
from standfast.sim.asbuilt.system import Scope
from standfast.sim.asbuilt.verdicts import FAILURES, TABLE, Stated, runs, verdict

ONE = [pytest.param(one, id="+".join(sorted(one.remedies)) or "as-built") for one in TABLE if one.endpoints == 1]
TWO = [pytest.param(one, id="+".join(sorted(one.remedies))) for one in TABLE if one.endpoints == 2]


@pytest.mark.parametrize("stated", ONE)
def test_what_remains_is_what_is_stated(stated: Stated) -> None:
    found = verdict(stated.remedies, Scope(2, 3, 1))
    assert found.bounds.complete
    assert found.remain == stated.remain


@pytest.mark.slow
@pytest.mark.parametrize("stated", TWO)
def test_what_remains_with_two_endpoints_is_what_is_stated(stated: Stated) -> None:
    found = verdict(stated.remedies, Scope(2, 3, 2))
    assert found.remain == stated.remain


def test_with_all_of_ours_nothing_is_found_and_trees_are_still_collected() -> None:
    found = verdict(OURS, Scope(2, 3, 2))
    assert (found.bounds.states, found.bounds.transitions) == (27_017, 107_271)
    assert found.remain == frozenset()
    assert found.lost == 0


def test_all_of_ours_is_not_safe_by_never_cleaning_up() -> None:
    region = Region(Built(ENDPOINTS[:2], remedies=OURS), ("a",))
    for latest in range(1, 7):
        region.latest = latest
        region.complete("a")
    assert [trees(zone) for zone in region.zones] == [(5, 6), (1,)]


def test_a_run_that_is_not_as_stated_is_told_apart() -> None:
    found = verdict((), Scope(2, 3, 1))
    assert found.as_stated
    assert not structs.replace(found, findings=found.findings[1:]).as_stated


def test_each_remedy_stands_alone_in_the_table_and_what_prevents_a_failure_does() -> None:
    alone = {next(iter(one.remedies)): one.remain for one in TABLE if len(one.remedies) == 1}
    assert set(alone) == {switch.remedy for switch in SWITCHES}
    for failure, remedies in PREVENTED_BY.items():
        assert failure in FAILURES
        assert all(failure not in alone[remedy] for remedy in chosen(remedies))


def test_each_scope_is_large_enough_for_what_it_states() -> None:
    for name in ("quick", "standard"):
        assert [one for one, _ in runs(name)] == list(TABLE)
        assert all(scope.endpoints >= one.endpoints for one, scope in runs(name))
    assert [one.remedies for one, _ in runs("wide")] == [frozenset(), OURS]


def test_an_unknown_remedy_is_told_with_those_there_are() -> None:
    assert chosen(["ours", "velocity"]) == OURS | {"velocity"}
    with pytest.raises(StandfastError, match=r"hope: there is no such remedy.*assert-referenced"):
        chosen(["hope"])
