"""Calls of Route 53's API, counted on the stand-in: few, shared by several enactors, and nobody waits for the dead.

`python -m bench.route53` has the same for 25,000 endpoints at rates as they are in practice. Here the patrol never
pauses, so that it counts beside the change.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from e2e.roles import until
from harness.route53 import running

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.route53 import BATCHES_GOAL, ENACTORS_GOAL, OURS, Counted, Fleet, Stage, theirs

from standfast.adapters.providers.route53.pace import SPARE_PART

FLEET = Fleet(900, 250)
RATE, SETTLE_S = 10, 8.0
LATE_S = 3.0
"""By so much what enactors say of themselves may be old, on a machine that does much else."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with running("--rate", str(RATE), "--burst", str(5 * RATE)) as service:
        made = Stage(service, tmp_path / "ours", FLEET, settle_s=SETTLE_S, rate=RATE, patrol="1s")
        yield made
        made.plans.close()


def frugal(row: Counted, took_s: float) -> None:
    """Packed, without listing, and patrols within their part of the rate together: each by itself would make thrice as
    many calls."""
    assert row.batches <= BATCHES_GOAL * row.least, row
    assert row.reads <= 1, f"nothing of the zone is listed for a change: {row}"
    assert row.patrol <= RATE * SPARE_PART * (took_s + LATE_S) + row.enactors, (row, took_s)


def test_a_change_is_packed_and_three_ask_hardly_more_than_one(stage: Stage, tmp_path: Path) -> None:
    stage.plans.publish()
    with ExitStack() as stack:
        processes = stack.enter_context(stage.enactors(1))
        stage.settled(1, 120)
        stage.round(60)
        begun = time.monotonic()
        one = stage.change(1, 1)
        frugal(one, time.monotonic() - begun)
        assert one.patrol, "the zone is looked through meanwhile"

        processes += stack.enter_context(stage.enactors(2, 1))
        stage.settled(3, 120)
        begun = time.monotonic()
        three = stage.change(3, 2)
        frugal(three, time.monotonic() - begun)
        assert three.patrol, "by somebody"
        assert three.of_the_change <= ENACTORS_GOAL * one.of_the_change, (one, three)

        # The first in line dies; the next plan is live within seconds all the same.
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait()
        stage.plans.publish(stage.fleet.of_group(0), 5)
        generation = stage.plans.head.generation if stage.plans.head else 0

        def taken_over() -> bool:
            known = [one for who, one in stage.presence().items() if who != "e0"]
            return all(one["generation"] == generation and not one["waiting"] for one in known)

        until(taken_over, "another enactor goes on", 60)
        name = stage.fleet.name(stage.fleet.of_group(0)[0], OURS)
        client = stage.service.client()
        zone_id = client.list_hosted_zones()["HostedZones"][0]["Id"]
        (raw,) = client.list_resource_record_sets(
            HostedZoneId=zone_id, StartRecordName=name, StartRecordType="A", MaxItems="1"
        )["ResourceRecordSets"]
        assert len(raw["ResourceRecords"]) == 7, raw

    octodns = theirs(stage.service, tmp_path / "theirs", stage.fleet)
    assert one.of_the_change < octodns.of_the_change, "octoDNS lists the zone for each change"
