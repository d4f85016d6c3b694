"""Spin counts what we count, on models written by walking; and a model that differs is noticed."""

import re
import subprocess

import pytest

from sim.search.test_compiled import pool
from sim.search.toys import Toy, lock, register, ring
from standfast.errors import StandfastError
from standfast.sim.search import spin
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.promela import MISSING, Model, model
from standfast.sim.search.spin import agreement
from standfast.sim.search.successors import Successors


@pytest.mark.parametrize(
    ("toy", "reductions"),
    [
        (ring(4, careless=True), Reductions()),
        (lock(3, fenced=False), Reductions(symmetry=False)),
        (register(3, versions=False), Reductions()),
        (register(3, versions=True, values=3), Reductions(fusion=False)),
        (pool(3, 2), Reductions()),
        (Toy("nothing happens", ("here",), ("0" * 16,), ()), Reductions()),
    ],
    ids=lambda one: one.title if isinstance(one, Toy) else "",
)
def test_spin_counts_the_same_states_and_transitions(toy: Toy, reductions: Reductions) -> None:
    found = agreement(toy, reductions=reductions)
    assert found.holds
    assert (found.spin_states, found.spin_transitions) == (found.states, found.transitions)
    assert found.states > 0


def test_the_compiled_search_can_be_compared_too() -> None:
    found = agreement(pool(2, 4), compiled=True)
    assert found.holds
    assert found.states == agreement(pool(2, 4)).states


def altered(monkeypatch: pytest.MonkeyPatch, pattern: str, replacement: str) -> None:
    """Let the model's tables differ from what the walk met."""

    def alter(graph: Successors, symbols: int) -> Model:
        honest = model(graph, symbols)
        tables, changed = re.subn(pattern, replacement, honest.tables)
        assert changed == 1
        return honest._replace(tables=tables)

    monkeypatch.setattr(spin, "model", alter)


def test_a_model_that_lacks_a_step_does_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    altered(monkeypatch, r"(int entries\[\] = \{\d+,\d+,\d+),1", r"\1,0")
    found = agreement(ring(4))
    assert not found.holds
    assert found.spin_states < found.states


def test_a_model_that_gets_where_the_walk_did_not_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    altered(monkeypatch, r"(int keys\[\] = \{\d+),\d+", r"\1,77")
    with pytest.raises(StandfastError, match=MISSING):
        agreement(ring(4))


def test_a_search_that_is_not_finished_is_compared_with_nothing() -> None:
    with pytest.raises(StandfastError, match="not finished after 5 states"):
        agreement(pool(3, 2), states_max=5)


@pytest.mark.parametrize(
    "told",
    [
        "       10 states, stored\n       20 transitions\nerrors: 1\n",
        "Warning: Search not completed\n       10 states, stored\n       20 transitions\nerrors: 0\n",
        "errors: 0\n",
    ],
)
def test_an_unfinished_search_of_spin_is_no_agreement(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, told, "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(spin, "which", lambda name, path: name)
    with pytest.raises(StandfastError, match="Spin did not finish"):
        agreement(ring(2))


def test_without_spin_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(StandfastError, match=r"spin is not installed\. On Debian: apt install spin gcc"):
        agreement(ring(2))
