"""Publishing, fetching, keeping and comparing a plan cost in proportion to what changed: counted, not timed."""

from pathlib import Path

import pytest
from bench.plans import STEPS, Measured, bound, excesses, measure

from standfast.adapters.stores import shardkeeping

ENDPOINTS = 9_600
COUNTS = (1, 24, 240)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Measured]:
    return measure(tmp_path_factory.mktemp("plans"), ENDPOINTS, COUNTS, 3)


def test_each_changed_endpoint_costs_its_leaf_and_the_branches_above(results: list[Measured]) -> None:
    assert excesses(results) == []


@pytest.mark.parametrize("step", STEPS)
def test_ten_times_the_change_costs_ten_times_the_work_at_most(results: list[Measured], step: str) -> None:
    _, one, few, many = (measured.work[step].shards for measured in results)
    assert one <= few <= 24 * one
    assert few <= many <= 10 * few


@pytest.mark.parametrize("step", ["publish", "fetch", "keep copy"])
def test_one_changed_endpoint_costs_a_few_shards_of_thousands(results: list[Measured], step: str) -> None:
    whole, one, *_ = (measured.work[step] for measured in results)
    assert whole.shards > 1_000
    assert one.shards <= 10
    assert one.octets < whole.octets / 100


def test_a_store_that_forgets_the_predecessor_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then every shard is fetched for each plan: the count is not blind."""
    monkeypatch.setattr(shardkeeping.RecentNodes, "remember", lambda self, plan: None)
    assert any(text.startswith("fetch") for text in excesses(measure(tmp_path, ENDPOINTS, COUNTS[:2], 1)))


@pytest.mark.parametrize("step", STEPS)
def test_work_beyond_the_bound_is_told(results: list[Measured], step: str) -> None:
    whole, one, *_ = results
    more = one.work[step]._replace(shards=2 * bound(one, step) + 1)
    assert [text.partition(":")[0] for text in excesses([whole, one._replace(work={**one.work, step: more})])] == [step]
