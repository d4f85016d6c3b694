"""The day's engine: books that balance, equal days from equal seeds, nothing lost."""

import os
import subprocess
import sys

import pytest
from msgspec.structs import replace

from standfast.sim.region.day import Day
from standfast.sim.region.engine import run
from standfast.sim.region.parameters import DEFAULTS

SMALL = replace(DEFAULTS, droplets=60_000)


@pytest.fixture(scope="module")
def as_built() -> Day:
    return run(SMALL)


def test_the_endpoint_is_empty_for_as_long_as_that_night(as_built: Day) -> None:
    assert as_built.outage_s == pytest.approx(157 * 60, abs=60)
    assert as_built.at("dynamodb.addresses", -60.0) == as_built.at("dynamodb.addresses", 9_480.0) == 3
    assert as_built.at("dynamodb.addresses", 60.0) == 0


def test_every_queue_keeps_its_books(as_built: Day) -> None:
    for one in as_built.accounts:
        left = one.came - one.done - one.given_up - one.refused - one.waiting
        assert left == pytest.approx(0.0, abs=1e-6 * max(1.0, one.came)), one.queue
        assert min(one.done, one.given_up, one.refused, one.waiting) >= 0.0


def test_no_more_leases_than_droplets(as_built: Day) -> None:
    assert all(0.0 <= share <= 1.0 for _, share in as_built.series["ec2.leases"])


def test_shares_are_shares(as_built: Day) -> None:
    for name, points in as_built.series.items():
        if as_built.measures[name].unit == "share":
            assert all(-1e-9 <= value <= 1.0 + 1e-9 for _, value in points), name


def test_equal_seeds_give_equal_days() -> None:
    first, again, other = (run(SMALL, seed=seed, until=22_000.0) for seed in (1, 1, 2))
    assert first == again
    assert other.digest != first.digest


def test_equal_in_every_process() -> None:
    """Whatever order sets and dictionaries have there."""
    program = (
        "from msgspec.structs import replace\n"
        "from standfast.sim.region import engine, parameters, protections\n"
        "small = replace(parameters.DEFAULTS, droplets=60_000)\n"
        "print(engine.run(small, protections=protections.family('recovery'), until=10_000.0).digest)\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
